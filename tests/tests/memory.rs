//! Memory in use does not grow with the events that went through: the journal's segments come and go, nothing is kept.
//!
//! Some millions of events of the simulated world with the default strategy, the resident size looked at all the time: what it
//! reaches in the last third must be what it reached in the first. `ACTH_MEMORY_MINUTES` makes the session longer.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    fs,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use acth_tests::command;

/// Simulated minutes without `ACTH_MEMORY_MINUTES`: about half a million events each.
const MINUTES_DEFAULT: &str = "8";
/// Allowed growth, KiB: 8 bytes kept of every quote would be four times as much.
const GROWTH_MAX_KIB: u64 = 1_024;

/// Resident memory of a process in KiB: its own, and of the files that it has mapped.
fn resident_kib(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn memory_stays_flat() {
    let minutes = std::env::var("ACTH_MEMORY_MINUTES").unwrap_or(MINUTES_DEFAULT.into());
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join("j");
    let mut child = command(&[
        "backtest",
        "--strategy",
        "agent-network",
        "--duration",
        &format!("{minutes}m"),
        "--json",
        "--journal",
        journal.to_str().unwrap(),
    ])
    .stdout(Stdio::null())
    .spawn()
    .unwrap();
    let start = Instant::now();
    let mut samples = Vec::new();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        samples.extend(resident_kib(child.id()).map(|size| (start.elapsed(), size)));
        thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success());
    let whole = start.elapsed();
    let most_within = |from: f64, to: f64| {
        let inside = samples
            .iter()
            .filter(|(at, _)| (from..to).contains(&(at.as_secs_f64() / whole.as_secs_f64())));
        inside.map(|(_, size)| *size).max().expect("samples")
    };
    let (early, late) = (most_within(0.1, 0.4), most_within(0.7, 1.0));
    eprintln!("{minutes} minutes in {whole:.1?}: {early} KiB, then {late} KiB");
    assert!(
        late <= early + GROWTH_MAX_KIB,
        "resident memory grew from {early} to {late} KiB"
    );
}
