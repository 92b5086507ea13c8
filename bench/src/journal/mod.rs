//! `acth-bench journal`: what the journal costs, each figure beside the bare thing in the same run.
//!
//! | part | question | beside |
//! |---|---|---|
//! | `append` | ns a record, back to back | a plain copy of as many bytes, batch by batch |
//! | `tail` | the worst appends, at a rate, across rolls and syncs | the same stamps around a plain copy, record by record |
//! | `wait` | time until a record is durable | writing and syncing a page of a plain file |
//! | `read` | scan and verify | a sum over as many bytes of memory |
//!
//! The copies go forward through memory of a segment's size, as appends do: a copy that stays in the cache would be a floor
//! that no journal can reach. Sources are settled before the clock runs, for both sides: reading what was just stored in
//! smaller pieces stalls either of them.

mod append;
mod read;
mod report;
mod tail;
mod wait;

use std::path::Path;

use acth_journal::{FIRST_USER_KIND, FRAME_HEADER_BYTES};
use tempfile::TempDir;

pub(crate) use self::report::{HEADING, JournalReport};
use crate::{
    Failure,
    args::{Args, Part},
    machine::Machine,
};

/// A record of the engine, or a short note.
const PAYLOADS: [usize; 2] = [64 - FRAME_HEADER_BYTES, 64];
/// Any kind of a caller's.
const KIND: u16 = FIRST_USER_KIND;
/// Records that appends and copies take in turn: few enough to stay in the nearest cache.
const SOURCES: usize = 64;

/// Measures the parts that were asked for; `tell` gets each report as soon as there is one.
///
/// # Errors
/// When a journal cannot be written or read, or a report cannot be told.
pub(crate) fn run(
    args: &Args,
    machine: &Machine,
    tell: &mut dyn FnMut(&JournalReport) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for part in args.parts() {
        match part {
            Part::Append => append::measure(args, machine, tell)?,
            Part::Tail => tail::measure(args, machine, tell)?,
            Part::Wait => wait::measure(args, machine, tell)?,
            Part::Read => read::measure(args, machine, tell)?,
        }
    }
    Ok(())
}

/// A place for one journal; it is removed afterwards.
fn place(journal_dir: Option<&Path>) -> Result<TempDir, Failure> {
    Ok(match journal_dir {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    })
}

/// Bytes of a frame around this payload.
const fn frame_bytes(payload_bytes: usize) -> usize {
    FRAME_HEADER_BYTES + payload_bytes.next_multiple_of(8)
}

/// Memory to copy into, every page of it touched.
fn touched(bytes: usize) -> Vec<u8> {
    vec![1; bytes]
}

/// A ring of settled records of one length.
struct Sources {
    bytes: Vec<u8>,
    record_bytes: usize,
}

impl Sources {
    fn new(record_bytes: usize) -> Self {
        let bytes = 0..record_bytes * SOURCES;
        Self {
            bytes: bytes.map(|index| (index % 251) as u8).collect(),
            record_bytes,
        }
    }

    #[inline]
    fn record(&self, number: usize) -> &[u8] {
        let at = number % SOURCES * self.record_bytes;
        &self.bytes[at..at + self.record_bytes]
    }
}
