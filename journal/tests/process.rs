//! Other processes: a reader that follows a writer, a writer that is killed at any instant.
//!
//! The child is this very test binary, told by the environment to write.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use acth_journal::{Reader, Tail, Writer};
use kit::{KIND, append, check, options, payload, read_all};

const CHILD_DIR: &str = "JOURNAL_TEST_CHILD_DIR";
const CHILD_COUNT: &str = "JOURNAL_TEST_CHILD_COUNT";
const SEGMENT_BYTES: u64 = 64 << 10;

fn child(dir: &Path, count: u64) -> Child {
    Command::new(env::current_exe().unwrap())
        .args([
            "--exact",
            "child_writes",
            "--nocapture",
            "--include-ignored",
        ])
        .env(CHILD_DIR, dir)
        .env(CHILD_COUNT, count.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what the child process runs. Acknowledges every frame on its standard output after `append` returned.
#[test]
#[ignore = "run by the other tests as a process of its own"]
fn child_writes() {
    let Ok(dir) = env::var(CHILD_DIR) else {
        return;
    };
    let count: u64 = env::var(CHILD_COUNT).unwrap().parse().unwrap();
    let mut writer = match Writer::create(&dir, &options(SEGMENT_BYTES)) {
        Ok(writer) => writer,
        Err(_) => Writer::open(&dir, &options(SEGMENT_BYTES)).unwrap().0,
    };
    let mut out = std::io::stdout().lock();
    while writer.next_sequence() <= count {
        let sequence = writer.next_sequence();
        writer
            .append(KIND, sequence as i64, sequence / 2, &payload(sequence))
            .unwrap();
        if sequence.is_multiple_of(16) {
            writeln!(out, "\nack {sequence}").unwrap();
        }
    }
    writer.seal().unwrap();
}

#[test]
fn a_reader_follows_another_process_to_its_seal() {
    const COUNT: u64 = 60_000;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut writer = child(&path, COUNT);
    let acks = BufReader::new(writer.stdout.take().unwrap());
    let drain = thread::spawn(move || acks.lines().count());
    let deadline = Instant::now() + Duration::from_secs(120);
    let mut reader = loop {
        match Reader::open(&path) {
            Ok(reader) => break reader,
            Err(_) => assert!(Instant::now() < deadline, "the child never began"),
        }
    };
    let (mut count, mut waits) = (0, 0u64);
    while reader.tail() != Tail::Sealed {
        match reader.next().unwrap() {
            Some(frame) => {
                count += 1;
                assert_eq!(frame.sequence, count);
                check(&frame);
            }
            None => waits += 1,
        }
        assert!(Instant::now() < deadline, "stuck behind frame {count}");
    }
    assert_eq!(count, COUNT);
    assert!(writer.wait().unwrap().success());
    drain.join().unwrap();
    eprintln!("{count} frames followed, {waits} times there was nothing yet");
}

#[test]
fn killed_writers_lose_nothing_acknowledged() {
    const KILLS: u64 = 25;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let mut torn = 0;
    for round in 0..KILLS {
        let mut writer = child(&path, u64::MAX - 1);
        let acks = BufReader::new(writer.stdout.take().unwrap());
        let (began, first_ack) = mpsc::channel();
        let ledger = thread::spawn(move || {
            let mut last = 0;
            for line in acks.lines().map_while(Result::ok) {
                if let Some(number) = line.strip_prefix("ack ") {
                    last = number.parse().unwrap_or(last);
                    let _ = began.send(());
                }
            }
            last
        });
        // Every other child is killed while it begins, the rest while it appends and rolls.
        if round % 2 == 1 {
            first_ack.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        thread::sleep(Duration::from_micros(500 + round * 900));
        writer.kill().unwrap();
        writer.wait().unwrap();
        let acknowledged = ledger.join().unwrap();
        if !path.join("LOCK").exists() {
            // Killed before it had begun.
            continue;
        }
        let (count, tail) = read_all(&path);
        assert!(
            count >= acknowledged,
            "round {round}: {count} of {acknowledged}"
        );
        torn += u64::from(matches!(tail.unwrap(), Tail::Torn { .. }));
    }
    let (mut writer, recovery) = Writer::open(&path, &options(SEGMENT_BYTES)).unwrap();
    append(&mut writer, 10);
    writer.seal().unwrap();
    let (count, tail) = read_all(&path);
    assert_eq!(
        (count, tail.unwrap()),
        (recovery.last_sequence + 10, Tail::Sealed)
    );
    eprintln!(
        "{KILLS} kills, {} runs, {count} frames, {torn} torn tails",
        recovery.run_id
    );
    assert!(recovery.run_id >= KILLS / 2, "most children came to write");
}

#[test]
fn a_reader_survives_recovery_and_seal_of_what_it_reads() {
    let dir = tempfile::tempdir().unwrap();
    // Frames that end exactly at a page: the word that the reader looks at is the first of the next page.
    let mut writer = Writer::create(dir.path(), &options(SEGMENT_BYTES)).unwrap();
    let fill = 4096 - 128 - 40;
    writer.append(KIND, 0, 0, &vec![1; fill]).unwrap();
    let mut reader = Reader::open(dir.path()).unwrap();
    assert!(reader.next().unwrap().is_some());
    assert!(reader.next().unwrap().is_none());
    drop(writer);
    let (mut writer, _) = Writer::open(dir.path(), &options(SEGMENT_BYTES)).unwrap();
    let bytes = fs::metadata(kit::segment(dir.path(), 0)).unwrap().len();
    assert_eq!(bytes, 8192);
    assert!(reader.next().unwrap().is_none());
    writer.append(KIND, 0, 0, b"second run").unwrap();
    assert_eq!(reader.next().unwrap().unwrap().payload, b"second run");
    assert_eq!(reader.run_id(), 2);
    writer.seal().unwrap();
    for _ in 0..3 {
        assert!(reader.next().unwrap().is_none());
    }
    assert_eq!(reader.tail(), Tail::Sealed);
    let (mut writer, recovery) = Writer::open(dir.path(), &options(SEGMENT_BYTES)).unwrap();
    assert_eq!(recovery.tail, Tail::Sealed);
    writer.append(KIND, 0, 0, b"third run").unwrap();
    assert_eq!(reader.next().unwrap().unwrap().payload, b"third run");
    assert!(reader.next().unwrap().is_none());
    assert_eq!(reader.tail(), Tail::Open);
}
