//! Snapshots: the whole state of the core as bytes, so that a restart replays a tail of the journal and not all of it.
//!
//! ```text
//! header   format u32 | zero u32 | sequence u64 | now_ns i64 | state hash u64 | content hash u64
//! sections CONF  LEDG  ORDR  EXEC  PORT  RATE  RETN  (MRKT BOOK) x instruments  MODL  FUND  STRA  END.
//! ```
//!
//! - Everything is little-endian and without gaps. One state has one encoding: what is a function of other fields (sums,
//!   indexes, chains, places in rings) is not stored but rebuilt, so encoding a restored core gives the same bytes.
//! - Each section begins with its tag, so that an error names the place. Floats are carried as their bits.
//! - A snapshot is bound to its configuration (`CONF`) and to its strategy's name (`STRA`). Limits, fees and the
//!   strategy's parameters are configuration and come from there.
//! - Three nets lie below each other: the content hash finds damage, the checks of each section refuse what no core can
//!   have written, and the state hash, compared at the end, finds what was not saved at all.
//!
//! Invariant: `Decoder` panics on no bytes and allocates nothing that the bytes do not justify.

mod decoder;
mod encoder;
mod error;
mod header;
mod sink;

pub use decoder::{COUNT_MAX, Decoder};
pub use encoder::Encoder;
pub use error::{SnapshotError, Tag};
pub use header::{HEADER_BYTES, SnapshotHeader, snapshot_sequence};
pub use sink::Sink;

/// Version of the encoding; an older or newer one is refused, and the journal replayed instead.
pub const SNAPSHOT_FORMAT: u32 = 4;
