//! Append-only memory-mapped journal: bytes in frames in segments; write, read, recover, verify.
//!
//! A journal is a directory with one writer and any number of readers, in this process or in others. It knows frames
//! (number, time, cause, kind, payload) and nothing of what the payloads mean. What is promised:
//!
//! - A frame that `append` returned survives the death of the process.
//! - After the death of the machine everything up to the durable watermark is there, or the journal refuses to open.
//! - A reader delivers frames in order without a gap, each verified; what does not verify is reported, never skipped.
//! - Appending allocates nothing, takes no lock and makes no system call.
//!
//! `FORMAT.md` states every byte and the recovery rules, `DESIGN.md` why it is so.

mod archive;
mod background;
mod base;
mod bounds;
mod checksum;
mod commit;
mod condition;
mod directory;
mod error;
mod evidence;
mod hash;
mod head;
mod layout;
mod mapping;
#[cfg(all(test, feature = "loom"))]
mod models;
mod options;
mod place;
mod prune;
mod reader;
mod recovery;
mod repair;
mod rules;
#[doc(hidden)]
pub mod sabotage;
mod salvage;
mod segment;
pub mod snapshot;
mod stats;
pub mod storage;
mod sync;
mod tail;
mod verify;
mod words;
mod writer;

pub use archive::{ARCHIVE_LEVEL_DEFAULT, Archived, archive};
pub use background::{Durability, HelperMode};
pub use bounds::{
    FIRST_SEQUENCE, FIRST_USER_KIND, FORMAT_VERSION, FRAME_HEADER_BYTES, PAYLOAD_BYTES_MAX,
    SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SEGMENT_HEADER_BYTES,
};
pub use condition::Condition;
pub use error::{Damage, JournalError};
pub use head::{SignedHead, public_key, sign, verify_signed};
pub use options::{CpuMask, JournalOptions, SyncMode, Validate};
pub use place::Place;
pub use prune::{Keep, Pruned, prune};
pub use reader::{Frame, Reader};
pub use recovery::{Cut, Recovery};
pub use repair::{Repaired, accept_unsynced, repair};
pub use rules::{RULES, Rule, RuleRow};
pub use snapshot::{Snapshot, Snapshots};
pub use stats::FlushStats;
pub use tail::Tail;
pub use verify::{Head, JournalInfo, SegmentInfo, Verification, info, verify};
pub use writer::{Sealed, Writer};
