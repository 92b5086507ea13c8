//! A reader on another thread follows a writer on real files: what it sees is whole, at every moment.

use std::sync::atomic::{AtomicBool, Ordering};

use acth_journal::{JournalOptions, Reader, Tail, Writer};

use super::{Failure, Report, frames};

const SEGMENT_BYTES: u64 = 64 << 10;

/// Follows `count` frames to the seal.
///
/// # Errors
/// The first frame that is not what was appended.
pub fn run(count: u64) -> Result<Report, Failure> {
    let failure = |what: String| Failure {
        cases: count,
        what,
        again: "cargo test -p acth-tests --test format -- --nocapture".to_owned(),
    };
    let dir = tempfile::tempdir().map_err(|cause| failure(cause.to_string()))?;
    let options = JournalOptions {
        segment_bytes: SEGMENT_BYTES,
        ..JournalOptions::default()
    };
    let writer =
        Writer::create(dir.path(), &options).map_err(|error| failure(error.to_string()))?;
    let has_failed = AtomicBool::new(false);
    let followed = std::thread::scope(|scope| {
        let has_failed = &has_failed;
        let writing = scope.spawn(move || write(writer, count, has_failed));
        let followed = follow(dir.path());
        has_failed.store(followed.is_err(), Ordering::Relaxed);
        let written = writing
            .join()
            .unwrap_or_else(|_| Err("it panics".to_owned()));
        followed.and_then(|waits| written.map(|()| waits))
    });
    let waits = followed.map_err(failure)?;
    Ok(Report {
        suite: "following",
        cases: count,
        seed: 0,
        detail: format!("frames followed by another thread, {waits} times there was nothing yet"),
    })
}

fn write(mut writer: Writer, count: u64, has_failed: &AtomicBool) -> Result<(), String> {
    let mut bytes = Vec::new();
    while writer.next_sequence() <= count && !has_failed.load(Ordering::Relaxed) {
        frames::append(&mut writer, 0, &mut bytes).map_err(|error| error.to_string())?;
    }
    writer.seal().map(|_| ()).map_err(|error| error.to_string())
}

fn follow(journal: &std::path::Path) -> Result<u64, String> {
    let mut reader = Reader::open(journal).map_err(|error| error.to_string())?;
    let (mut waits, mut bytes) = (0, Vec::new());
    while reader.tail() != Tail::Sealed {
        match reader.next() {
            Ok(Some(frame)) if !frames::is_right(&frame, 0, &mut bytes) => {
                return Err(format!("frame {} is delivered wrong", frame.sequence));
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                waits += 1;
                std::thread::yield_now();
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(waits)
}
