//! Live runs against the embedded venue: over real sockets, in both thread layouts, ended by time and by signals,
//! followed from another process, and replayed.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    fs::File,
    path::Path,
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use acth_tests::{
    command, ending, parse,
    run::{Running, wait_for_first_frame, wait_until},
    run_json,
};
use serde_json::Value;

/// One live run at a time: several would only measure each other.
static MACHINE: Mutex<()> = Mutex::new(());

/// Keys of the summary that scripts rely on.
const KEYS: [&str; 11] = [
    "events",
    "decisions",
    "orders",
    "fills",
    "denials",
    "decision_hash",
    "state_hash",
    "journal",
    "events_per_second",
    "latency_ns",
    "book_checks",
];

fn run_and_check(threads: &str) {
    let _one = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let place = journal.to_str().unwrap();
    let summary = run_json(&[
        "run",
        "--duration",
        "5s",
        "--seed",
        "7",
        "--json",
        "--threads",
        threads,
        "--journal",
        place,
    ]);
    assert_summary(&summary);
    assert_eq!(summary["journal"], place);
    assert_universe(&summary, &journal);
    assert_replays(&summary, place);
}

fn assert_summary(summary: &Value) {
    for key in KEYS {
        assert!(!summary[key].is_null(), "no {key} in {summary}");
    }
    for stage in ["ingress", "apply"] {
        for key in ["p50", "p90", "p99", "p999", "max"] {
            let ns = summary["latency_ns"][stage][key].as_u64();
            assert!(ns.is_some_and(|ns| ns > 0), "{stage} {key}: {ns:?}");
        }
    }
    let decode = &summary["decode"];
    assert!(decode["frames"].as_u64().unwrap() > 1_000, "{decode}");
    for key in ["fallbacks", "unknown", "errors", "gaps"] {
        assert_eq!(decode[key], 0, "{key}");
    }
    let checks = &summary["book_checks"];
    assert!(checks["compared"].as_u64().unwrap() > 10, "{checks}");
    assert_eq!(checks["compared"], checks["equal"]);
    assert!(summary["events"].as_u64().unwrap() > 1_000);
    assert!(summary["events_per_second"].as_f64().unwrap() > 100.0);
    assert!(summary["decisions"].as_u64().unwrap() > 0);
}

/// At least six instruments of three asset classes, all with a live book.
fn assert_universe(summary: &Value, journal: &Path) {
    let instruments = summary["instruments"].as_array().unwrap();
    assert!(instruments.len() >= 6);
    for row in instruments {
        assert!(row["bid"].is_string() && row["ask"].is_string(), "{row}");
    }
    let info = run_json(&["journal", "info", journal.to_str().unwrap(), "--json"]);
    let rows = info["manifest"]["core"]["core"]["instruments"]
        .as_array()
        .unwrap();
    let classes: BTreeSet<_> = rows
        .iter()
        .filter_map(|row| row["asset_class"].as_str())
        .collect();
    assert!(classes.len() >= 3, "{classes:?}");
}

fn assert_replays(summary: &Value, place: &str) {
    let verified = run_json(&["journal", "verify", place, "--json"]);
    assert_eq!(verified["ok"], true);
    assert_eq!(verified["tail"], "sealed");
    for threads in ["single", "multi"] {
        let replay = run_json(&["replay", place, "--json", "--threads", threads]);
        assert_eq!(replay["identical"], true, "{threads}");
        for key in ["decision_hash", "state_hash", "events", "decisions"] {
            assert_eq!(replay[key], summary[key], "{threads}: {key}");
        }
    }
}

#[test]
fn one_thread() {
    run_and_check("single");
}

#[test]
fn three_threads() {
    run_and_check("multi");
}

fn ended_by(signal: &str, threads: &str) {
    let _one = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let place = journal.to_str().unwrap();
    let mut run = Running::start(&[
        "run",
        "--duration",
        "0",
        "--json",
        "--threads",
        threads,
        "--journal",
        place,
    ]);
    wait_for_first_frame(&journal);
    std::thread::sleep(Duration::from_millis(1_500));
    run.signal(signal);
    let output = run.wait();
    ending::assert_no_panic(&output);
    let summary = parse(&output);
    assert_eq!(output.status.code(), Some(0), "{summary}");
    assert!(summary["events"].as_u64().unwrap() > 100);
    assert_eq!(summary["stop_reason"], "Signal");
    assert_replays(&summary, place);
}

#[test]
fn sigint_ends_a_run_in_order() {
    ended_by("INT", "single");
    ended_by("INT", "multi");
}

#[test]
fn sigterm_ends_a_run_in_order() {
    ended_by("TERM", "single");
    ended_by("TERM", "multi");
}

/// Looking into a journal that is being written ends at what is there now, not at the end of the run.
#[test]
fn a_journal_in_use_is_verified_up_to_now() {
    let _one = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let place = journal.to_str().unwrap();
    let mut run = Running::start(&["run", "--duration", "0", "--json", "--journal", place]);
    wait_for_first_frame(&journal);
    let mut frames = 0;
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(300));
        let verify = Running::start(&["journal", "verify", place, "--json"]).wait();
        let verified = parse(&verify);
        assert_eq!(verified["ok"], true);
        assert_ne!(verified["tail"], "sealed");
        assert!(verified["frames"].as_u64().unwrap() > frames, "{verified}");
        frames = verified["frames"].as_u64().unwrap();
        let replay = Running::start(&["replay", place, "--json"]).wait();
        assert_eq!(parse(&replay)["identical"], true);
    }
    run.signal("INT");
    let summary = parse(&run.wait());
    assert!(summary["events"].as_u64().unwrap() > 0);
    assert_replays(&summary, place);
}

#[test]
fn another_process_follows_a_run_to_its_end() {
    let _one = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let place = journal.to_str().unwrap();
    let mut run = Running::start(&["run", "--duration", "0", "--json", "--journal", place]);
    wait_for_first_frame(&journal);
    let followed = dir.path().join("followed");
    let mut tail = command(&["journal", "tail", place, "--decisions", "--json"])
        .stdout(File::create(&followed).unwrap())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    // It shows decisions while the run goes on, more than once, so it is not the end that brought them.
    for count in [1, 4] {
        wait_until("a decision that is followed", || {
            let has_ended = tail.try_wait().unwrap().is_some();
            assert!(!has_ended, "the follower ended before the run");
            std::fs::read_to_string(&followed).unwrap().lines().count() >= count
        });
    }
    run.signal("INT");
    let summary = parse(&run.wait());
    wait_until("the end of the follower", || {
        tail.try_wait().unwrap().is_some()
    });
    assert!(tail.wait().unwrap().success());

    let text = std::fs::read_to_string(&followed).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len() as u64, summary["decisions"].as_u64().unwrap());
    let sequences: Vec<u64> = lines
        .iter()
        .map(|line| line["sequence"].as_u64().unwrap())
        .collect();
    assert!(sequences.is_sorted(), "{sequences:?}");
    let dumped = acth_tests::run(&["journal", "dump", place, "--decisions", "--json"]);
    assert_eq!(String::from_utf8_lossy(&dumped.stdout), text);
}
