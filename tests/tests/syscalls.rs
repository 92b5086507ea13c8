//! The core thread asks the kernel for nothing on account of an event: neither time nor memory, nor a lock that is held.
//!
//! `strace` writes down every call of every thread of a live run. What the core thread does while it has nothing to do (it
//! yields and sleeps on a small machine) is left out; everything else must be the handful of its start and end, however many
//! events there were. Without `strace` the test is left out, and says so.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{collections::BTreeMap, fs, path::Path, process::Command};

use acth_tests::command;
use serde_json::Value;

/// Calls of the thread's start and end: its stack, its name, its place, the pages it touches first, the files it closes.
const CALLS_MAX: usize = 200;
/// How it waits for work.
const IDLE: [&str; 2] = ["sched_yield", "clock_nanosleep"];

/// Calls of the core thread after it took its name, by kind, without those in which it waits.
fn calls_of_core(traces: &Path) -> BTreeMap<String, usize> {
    let mut calls = BTreeMap::new();
    for entry in fs::read_dir(traces).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap_or_default();
        let Some((_, after)) = text.split_once("PR_SET_NAME, \"acth-core\"") else {
            continue;
        };
        let names = after
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once('('));
        for (name, _) in names.filter(|(name, _)| !IDLE.contains(name)) {
            *calls.entry(name.to_string()).or_insert(0) += 1;
        }
        assert!(
            after.contains("exit"),
            "the trace of the thread has its end"
        );
    }
    calls
}

#[test]
fn the_core_thread_makes_no_system_call_for_an_event() {
    if Command::new("strace").arg("--version").output().is_err() {
        eprintln!("skipped: strace is not installed");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (traces, journal) = (dir.path().join("traces"), dir.path().join("j"));
    fs::create_dir(&traces).unwrap();
    let hub = command(&[
        "run",
        "--strategy",
        "agent-network",
        "--threads",
        "multi",
        "--duration",
        "5s",
        "--json",
        "--journal",
        journal.to_str().unwrap(),
    ]);
    let mut traced = Command::new("strace");
    for (name, _) in hub.get_envs() {
        traced.env_remove(name);
    }
    let output = traced
        .args(["-ff", "-qq", "-o"])
        .arg(traces.join("of"))
        .arg(hub.get_program())
        .args(hub.get_args())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("PTRACE") {
        eprintln!("skipped: processes may not be traced here");
        return;
    }
    assert!(output.status.success(), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let events = summary["events"].as_u64().unwrap();
    assert!(events > 5_000, "{events} events");
    let calls = calls_of_core(&traces);
    assert!(!calls.is_empty(), "the thread was not found");
    let sum: usize = calls.values().sum();
    eprintln!("{events} events, {sum} calls of the core thread apart from waiting: {calls:?}");
    assert!(
        sum <= CALLS_MAX,
        "{sum} calls at {events} events: {calls:?}"
    );
}
