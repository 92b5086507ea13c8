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

mod bounds;
mod checksum;
mod commit;
mod directory;
mod error;
mod helper;
mod layout;
mod mapping;
mod options;
mod reader;
mod recovery;
mod rules;
mod salvage;
mod segment;
mod tail;
mod verify;
mod writer;

pub use bounds::{
    FIRST_SEQUENCE, FIRST_USER_KIND, FORMAT_VERSION, FRAME_HEADER_BYTES, PAYLOAD_BYTES_MAX,
    SEGMENT_BYTES_DEFAULT, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN, SEGMENT_HEADER_BYTES,
};
pub use error::{Damage, JournalError};
pub use options::{CpuMask, JournalOptions};
pub use reader::{Frame, Reader};
pub use recovery::{Cut, Recovery};
pub use rules::{RULES, Rule, RuleRow};
pub use tail::Tail;
pub use verify::{JournalInfo, SegmentInfo, Verification, info, verify};
pub use writer::{Sealed, Writer};
