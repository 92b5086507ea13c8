//! The promise of the format: journals that version 1 wrote, kept under `tests/golden`, are read as they were written, hash for hash,
//! and can be gone on with.
//!
//! `ACTH_WRITE_GOLDEN=1` writes them anew: only for a new version of the format, whose files get a folder of their own.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use acth_journal::{
    FORMAT_VERSION, HelperMode, JournalOptions, Keep, Reader, Snapshot, Snapshots, SyncMode, Tail,
    Writer, archive, prune, public_key, sign, verify, verify_signed,
};
use serde_json::{Value, json};

/// The private key of the golden signed heads: no secret, it signs nothing else.
const KEY: [u8; 32] = *b"golden journals are no secret...";
const NAMES: [&str; 4] = ["sealed", "killed", "archived", "pruned"];

fn golden() -> PathBuf {
    acth_tests::root().join("tests/golden/v1")
}

fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: 8192,
        sync: SyncMode::INTERVAL_DEFAULT,
        helpers: HelperMode::Inline,
        ..JournalOptions::default()
    }
}

/// The payload of a golden frame: every length from 0 to 99, bytes that depend on the sequence.
fn payload(sequence: u64) -> Vec<u8> {
    (0..sequence % 100)
        .map(|index| (index * 7 + sequence) as u8)
        .collect()
}

fn append(writer: &mut Writer, count: u64) {
    for _ in 0..count {
        let sequence = writer.next_sequence();
        let kind = 0x0100 + (sequence % 5) as u16;
        writer
            .append(
                kind,
                sequence as i64 * 1000,
                sequence / 3,
                &payload(sequence),
            )
            .unwrap();
        if sequence.is_multiple_of(40) {
            writer.end_page();
            writer.assist();
        }
    }
}

/// Two runs, the first ended by the death of its process; `is_sealed` says how the second ends.
fn two_runs(dir: &Path, is_sealed: bool) {
    let mut writer = Writer::create(dir, &options()).unwrap();
    append(&mut writer, 150);
    drop(writer);
    let (mut writer, _) = Writer::open(dir, &options()).unwrap();
    append(&mut writer, 150);
    if is_sealed {
        writer.seal().unwrap();
    }
}

fn snapshot_behind(dir: &Path, sequence: u64) {
    let reader = Reader::open_behind(dir, sequence).unwrap();
    let snapshot = Snapshot {
        sequence,
        chain: reader.chain(),
        run_id: reader.run_id(),
        created_ns: 0,
        state_hash: sequence * 3,
        content: payload(99),
    };
    Snapshots::of(dir).write(&snapshot).unwrap();
}

/// Writes all golden journals and what is expected of them.
fn write() {
    let root = golden();
    assert!(
        !root.exists(),
        "{}: golden files are never overwritten",
        root.display()
    );
    for name in NAMES {
        let dir = root.join(name);
        fs::create_dir_all(&root).unwrap();
        two_runs(&dir, name != "killed");
        match name {
            "killed" => {
                // The bytes of a frame whose first word was never stored.
                let last = acth_journal::info(&dir).unwrap().segments.pop().unwrap();
                let path = dir.join(format!("{:010}.seg", last.index));
                let used = verify(&dir, &mut |_, _| {}).unwrap().head.position as usize;
                let mut bytes = fs::read(&path).unwrap();
                bytes[used + 8..used + 60].fill(0x5a);
                fs::write(&path, bytes).unwrap();
            }
            "archived" => {
                archive(&dir, 0, 3, &mut |_, _| {}).unwrap();
            }
            "pruned" => {
                snapshot_behind(&dir, 200);
                sign(&dir, &KEY, &mut |_, _| {}).unwrap();
                archive(&dir, 1, 3, &mut |_, _| {}).unwrap();
                prune(&dir, Keep::Segments(2)).unwrap();
            }
            _ => {}
        }
    }
    let expected: Vec<(&str, Value)> = NAMES.map(|name| (name, found(&root.join(name)))).into();
    let object: serde_json::Map<String, Value> = expected
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let text = serde_json::to_string_pretty(&Value::Object(object)).unwrap();
    fs::write(root.join("expected.json"), text + "\n").unwrap();
}

fn found(dir: &Path) -> Value {
    let found = verify(dir, &mut |_, _| {}).unwrap();
    let hash: String = found
        .head
        .hash
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let tail = match found.tail {
        Tail::Sealed => String::from("sealed"),
        Tail::Open => String::from("open"),
        Tail::Torn { offset, bytes, .. } => format!("torn at {offset}, {bytes} bytes"),
    };
    json!({
        "frames": found.frames, "first": found.first_sequence, "last": found.last_sequence,
        "segments": found.segments, "runs": found.runs, "bytes": found.bytes,
        "durable": found.durable_sequence, "head_hash": hash, "tail": tail,
    })
}

fn expected() -> Value {
    let text = fs::read_to_string(golden().join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn journals_of_version_1_are_read_as_they_were_written() {
    if std::env::var_os("ACTH_WRITE_GOLDEN").is_some() {
        write();
    }
    assert_eq!(
        FORMAT_VERSION, 1,
        "a new version gets golden files of its own"
    );
    let expected = expected();
    for name in NAMES {
        let dir = golden().join(name);
        assert_eq!(found(&dir), expected[name], "{name}");
        let mut reader = Reader::open(&dir).unwrap();
        let mut sequence = expected[name]["first"].as_u64().unwrap();
        while let Some(frame) = reader.next().unwrap() {
            assert_eq!(frame.sequence, sequence, "{name}");
            assert_eq!(
                frame.payload,
                &payload(sequence)[..],
                "{name}: frame {sequence}"
            );
            assert_eq!(frame.kind, 0x0100 + (sequence % 5) as u16);
            assert_eq!(
                (frame.time_ns, frame.cause),
                (sequence as i64 * 1000, sequence / 3)
            );
            sequence += 1;
        }
    }
    eprintln!(
        "{} golden journals of version 1, every frame and hash as written",
        NAMES.len()
    );
}

#[test]
fn journals_of_version_1_can_be_gone_on_with() {
    let expected = expected();
    for name in NAMES {
        let dir = tempfile::tempdir().unwrap();
        copy(&golden().join(name), dir.path());
        let (mut writer, recovery) = Writer::open(dir.path(), &options()).unwrap();
        assert_eq!(
            Some(recovery.last_sequence),
            expected[name]["last"].as_u64(),
            "{name}"
        );
        append(&mut writer, 10);
        writer.seal().unwrap();
        let whole = verify(dir.path(), &mut |_, _| {}).unwrap();
        assert_eq!(whole.last_sequence, recovery.last_sequence + 10, "{name}");
        assert_eq!(whole.tail, Tail::Sealed);
    }
}

#[test]
fn heads_and_snapshots_of_version_1_hold() {
    let dir = golden().join("pruned");
    let key = public_key(&KEY);
    let (_, heads) = verify_signed(&dir, &key, &[], &mut |_, _| {}).unwrap();
    assert_eq!(heads.len(), 1);
    let (found, rejected) = Snapshots::of(&dir).newest_good(u64::MAX).unwrap();
    assert!(rejected.is_empty(), "{rejected:?}");
    let (snapshot, mut reader) = found.unwrap();
    assert_eq!((snapshot.sequence, snapshot.state_hash), (200, 600));
    assert_eq!(snapshot.content, payload(99));
    assert_eq!(reader.next().unwrap().unwrap().sequence, 201);
}

fn copy(source: &Path, target: &Path) {
    fs::create_dir_all(target).unwrap();
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        let to = target.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
