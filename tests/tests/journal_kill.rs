//! Suite 9, the journal's part: a process of its own writes and is killed, at random moments and at named calls of its storage, in
//! recovery, too. The ledger of what it was promised is kept here.
//!
//! `ACTH_KILLS` says how many random kills (30; 300 in the long form), `ACTH_SEED` repeats a series.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use acth_journal::{Tail, verify};
use acth_tests::{
    random::Random,
    suites::{frames, number_from},
};

/// Random kills without `ACTH_KILLS`.
const KILLS_DEFAULT: u64 = 30;
/// A journal takes so many kills, then comes a new one.
const KILLS_OF_ONE: u64 = 15;
/// Longest time until a random kill.
const LATEST_US: u64 = 120_000;
const SYNCS: [&str; 3] = ["process", "interval", "gated"];

/// Every kind of call that changes something. Those of the first line are made by recovery as well.
const CALLS: [&str; 15] = [
    "lock:1",
    "open:2",
    "read:3",
    "create:1",
    "allocate:1",
    "sync:1",
    "map:2",
    "sync_dir:1",
    "sync:4",
    "create:4",
    "sync_dir:4",
    "rename:1",
    "remove:1",
    "write:1",
    "sync_pages:2",
];

/// What a victim told.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    appended: u64,
    durable: u64,
}

fn start(journal: &Path, sync: &str, point: &str) -> Child {
    Command::new(env!("CARGO_BIN_EXE_journal-victim"))
        .arg(journal)
        .args([sync, point])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Kills it after a while, or waits until it does so itself; everything that it told before is in the pipe.
fn end(mut victim: Child, after: Option<Duration>, what: &str) -> Told {
    let lines = BufReader::new(victim.stdout.take().unwrap());
    let ledger = thread::spawn(move || {
        let mut told = Told::default();
        for line in lines.lines().map_while(Result::ok) {
            let number = line.get(2..).and_then(|text| text.parse().ok());
            match (line.get(..2), number) {
                (Some("a "), Some(number)) => told.appended = number,
                (Some("d "), Some(number)) => told.durable = number,
                _ => {}
            }
        }
        told
    });
    if let Some(after) = after {
        thread::sleep(after);
        let _ = victim.kill();
    }
    let output = victim.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        None,
        "{what}: it ended by itself: {error}"
    );
    ledger.join().unwrap()
}

/// Everything that was told is there and right; returns the last sequence.
fn assert_survived(journal: &Path, told: Told, what: &str) -> u64 {
    if !journal.join("LOCK").exists() && told.appended == 0 {
        // It had not begun.
        return 0;
    }
    let found = match frames::read(journal, u64::MAX, &[0]) {
        Ok(found) => found,
        Err(sentence) => panic!("{what}: {sentence}"),
    };
    assert!(found.last >= told.appended, "{what}: {found:?} of {told:?}");
    assert!(told.durable <= found.last, "{what}: {found:?} of {told:?}");
    let verified = verify(journal, &mut |_, _| {}).unwrap();
    assert_eq!(verified.last_sequence, found.last, "{what}");
    assert_ne!(verified.tail, Tail::Sealed, "{what}");
    found.last
}

#[test]
fn random_kills_lose_nothing() {
    let mut random = Random::for_test("journal kills");
    let count = number_from("ACTH_KILLS").unwrap_or(KILLS_DEFAULT);
    let mut frame_count = 0;
    let mut dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for index in 0..count {
        if index % KILLS_OF_ONE == 0 {
            dir = tempfile::tempdir().unwrap();
            last = 0;
        }
        let journal = dir.path().join("journal");
        let sync = SYNCS[random.below(3) as usize];
        // Short and long delays alike: the first milliseconds are as dangerous as the rest.
        let latest_us = LATEST_US >> random.below(5);
        let after = Duration::from_micros(random.below(latest_us));
        let what = format!("kill {index} of a {sync} journal after {after:?}");
        let told = end(start(&journal, sync, "-"), Some(after), &what);
        let now = assert_survived(&journal, told, &what);
        assert!(now >= last, "{what}: {now} frames, there were {last}");
        frame_count += now - last;
        last = now;
    }
    eprintln!(
        "{count} random kills, {frame_count} frames, 0 losses: at 95 % confidence fewer than 3/{count} = {:.4} of all kills \
         lose something",
        3.0 / count as f64
    );
}

#[test]
fn kills_at_named_calls_lose_nothing() {
    let mut random = Random::for_test("journal kills at named calls");
    let is_long = number_from("ACTH_KILLS").unwrap_or(KILLS_DEFAULT) > KILLS_DEFAULT;
    let mut count = 0;
    for (number, call) in CALLS.iter().enumerate() {
        for side in ["before", "after"] {
            // The short form takes one side of two calls of three.
            if !is_long && (number % 3 == 2 || number.is_multiple_of(2) == (side == "after")) {
                continue;
            }
            let dir = tempfile::tempdir().unwrap();
            let journal = dir.path().join("journal");
            let sync = SYNCS[1 + random.below(2) as usize];
            let point = format!("{call}:{side}");
            // In a new journal, then in the recovery of what a random kill left, then in that of what this one left.
            let what = format!("{point} of a {sync} journal");
            let told = end(start(&journal, sync, &point), None, &what);
            assert_survived(&journal, told, &what);
            let told = end(
                start(&journal, sync, "-"),
                Some(Duration::from_millis(20)),
                &what,
            );
            assert_survived(&journal, told, &what);
            for round in 0..2 {
                let told = end(start(&journal, sync, &point), None, &what);
                let last = assert_survived(&journal, told, &format!("{what}, round {round}"));
                assert!(last >= told.appended);
            }
            count += 1;
        }
    }
    eprintln!("{count} named points, each in a new journal and twice in recovery, 0 losses");
}
