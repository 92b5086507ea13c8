//! Reading a journal takes the same memory however long it is.
//!
//! A child process reads under a limit on its own memory (`RLIMIT_DATA`: everything private that it may write to, not the
//! mapped files) that is far below the size of the journal. The same limit must stop a child that keeps what it reads, else
//! the test would prove nothing. `ACTH_JOURNAL_GB` makes the journal as many GB long.

#![forbid(unsafe_code)]
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a broken assumption of a test fails the test"
)]
#![allow(
    clippy::print_stdout,
    reason = "the child tells the parent what it found"
)]

use std::{
    path::Path,
    process::{Command, Output},
};

use acth_journal::{JournalOptions, Reader, Writer, verify};

/// Memory of the child: its code, threads and one segment's bookkeeping, not its journal.
const LIMIT_KIB: u64 = 32 << 10;
/// Bytes of frames where no size is asked for.
const BYTES_DEFAULT: u64 = 192 << 20;
const SEGMENT_BYTES: u64 = 16 << 20;
const PAYLOAD: [u8; 64] = [7; 64];
const FRAME_BYTES: u64 = 104;

const ENV_DIR: &str = "ACTH_TEST_JOURNAL_DIR";
const ENV_DEED: &str = "ACTH_TEST_DEED";

fn journal_bytes() -> u64 {
    match std::env::var("ACTH_JOURNAL_GB") {
        Ok(text) => text.parse::<u64>().expect("a number of GB") << 30,
        Err(_) => BYTES_DEFAULT,
    }
}

fn write(path: &Path, bytes: u64) -> u64 {
    let options = JournalOptions {
        segment_bytes: SEGMENT_BYTES,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(path, &options).unwrap();
    let frames = bytes / FRAME_BYTES;
    for number in 0..frames {
        writer
            .append(0x0100, number.cast_signed(), number, &PAYLOAD)
            .unwrap();
    }
    writer.seal().unwrap();
    frames
}

/// Runs this very program again, only the child's part of it, under the limit.
fn child(path: &Path, deed: &str) -> Output {
    Command::new("sh")
        .args(["-c", "ulimit -d \"$0\" && exec \"$@\""])
        .arg(LIMIT_KIB.to_string())
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "the_childs_part",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ENV_DIR, path)
        .env(ENV_DEED, deed)
        .output()
        .unwrap()
}

/// Private memory of this process that is not a file's, in KiB.
fn anonymous_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let row = status.lines().find(|row| row.starts_with("RssAnon"));
    let number = row.and_then(|row| row.split_whitespace().nth(1));
    number.map_or(0, |number| number.parse().unwrap())
}

#[test]
fn the_childs_part() {
    let Some(path) = std::env::var_os(ENV_DIR) else {
        return;
    };
    let path = Path::new(&path);
    match std::env::var(ENV_DEED).unwrap().as_str() {
        "scan" => {
            let mut reader = Reader::open(path).unwrap();
            let mut frames = 0u64;
            while reader.next().unwrap().is_some() {
                frames += 1;
            }
            println!("frames {frames}, {} KiB", anonymous_kib());
        }
        "verify" => {
            let found = verify(path, &mut |_, _| {}).unwrap();
            println!("frames {}, {} KiB", found.frames, anonymous_kib());
        }
        "keep" => {
            let mut reader = Reader::open(path).unwrap();
            let mut kept = Vec::new();
            while let Some(frame) = reader.next().unwrap() {
                kept.push(frame.payload.to_vec());
            }
            println!("frames {}, {} KiB", kept.len(), anonymous_kib());
        }
        other => panic!("no such deed: {other}"),
    }
}

#[test]
fn reading_takes_the_same_memory_however_long_the_journal_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let bytes = journal_bytes();
    assert!(bytes > 4 * (LIMIT_KIB << 10), "the limit must be far below");
    let frames = write(&path, bytes);
    for deed in ["scan", "verify"] {
        let output = child(&path, deed);
        let told = String::from_utf8_lossy(&output.stdout);
        eprintln!("{deed} of {bytes} bytes: {told}");
        assert!(
            output.status.success(),
            "{deed}: {told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            told.contains(&format!("frames {frames},")),
            "{deed}: {told}"
        );
    }
    assert!(
        !child(&path, "keep").status.success(),
        "the limit did not stop a reader that keeps everything: it proves nothing"
    );
}
