//! A full disk is found while the next segment is prepared, never in the segment in use.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::{
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use acth_journal::{JournalError, Tail, Writer};
use kit::{append, options, read_all};

/// A small file system of its own, unmounted at the end.
struct SmallDisk {
    dir: Option<tempfile::TempDir>,
}

impl SmallDisk {
    fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path())
            .status();
        match done {
            Ok(status) if status.success() => Some(Self { dir: Some(dir) }),
            other => {
                eprintln!("skipped: cannot mount a small tmpfs here ({other:?})");
                None
            }
        }
    }

    fn path(&self) -> PathBuf {
        self.dir.as_ref().unwrap().path().to_path_buf()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn a_full_disk_is_told_in_time() {
    const SEGMENT_BYTES: u64 = 256 << 10;
    let Some(disk) = SmallDisk::mount("640k") else {
        return;
    };
    let path = disk.path().join("journal");
    let mut writer = Writer::create(&path, &options(SEGMENT_BYTES)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    // Room for two segments: the helper meets the end while the first is nearly empty.
    let error = loop {
        match writer.poll_health() {
            Ok(_) => assert!(Instant::now() < deadline, "never told"),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(
            error,
            JournalError::NoSpace {
                bytes: SEGMENT_BYTES,
                ..
            }
        ),
        "{error}"
    );
    assert!(writer.room_bytes() > 200 << 10);
    let mut refused = None;
    while refused.is_none() {
        let sequence = writer.next_sequence();
        let payload = kit::payload(sequence);
        refused = writer
            .append(kit::KIND, sequence as i64, sequence / 2, &payload)
            .err();
    }
    assert!(matches!(refused, Some(JournalError::NoSpace { .. })));
    let sealed = writer.seal().unwrap();
    assert_eq!(sealed.segment, 1, "the segment that was ready was used");
    let (count, tail) = read_all(&path);
    assert_eq!((count, tail.unwrap()), (sealed.last_sequence, Tail::Sealed));
    // No half segment keeps the space: another run still fits what is left or is refused with a reason.
    let next = Writer::open(&path, &options(SEGMENT_BYTES));
    assert!(matches!(next, Err(JournalError::NoSpace { .. })));
    let (mut writer, _) = Writer::open(&path, &options(8192)).unwrap();
    append(&mut writer, 5);
    writer.seal().unwrap();
}
