//! Suite 16, the storage's part: every planted bug of the journal (`acth_journal::sabotage`) is noticed by the suite that is there for
//! it, in half a minute at most; and without a bug none of these suites finds anything.
//!
//! `cargo test -p acth-tests --features sabotage --test sabotage -- --nocapture`

#![forbid(unsafe_code)]
#![cfg(feature = "sabotage")]

use std::time::{Duration, Instant};

use acth_journal::sabotage::{Bug, plant};
use acth_tests::{
    random,
    suites::{Failure, Report, corruption, crash, faults, following, format},
};

const TIME_MAX: Duration = Duration::from_secs(30);

type Suite = (&'static str, fn(u64) -> Result<Report, Failure>);

const CRASH: Suite = ("crash points", |seed| {
    crash::run(crash::Amount::small(seed))
});
const CORRUPTION: Suite = ("corruption", |seed| {
    corruption::run(corruption::Amount::part(seed, 64))
});
const FAULTS: Suite = ("storage faults", |seed| faults::run(seed, 1, None));
const FORMAT: Suite = ("format", |_| format::run());
const FOLLOWING: Suite = ("following", |_| following::run(100_000));

const TABLE: [(Bug, Suite); 18] = [
    (Bug::SkipChecksum, CORRUPTION),
    (Bug::ChecksumWithoutPosition, FORMAT),
    (Bug::CommitBeforePayload, FOLLOWING),
    (Bug::TrustLength, CORRUPTION),
    (Bug::NoDirectorySync, CRASH),
    (Bug::SyncErrorIgnored, FAULTS),
    (Bug::CutInDurablePart, CORRUPTION),
    (Bug::SkipOddFrame, FORMAT),
    (Bug::SnapshotNotAtomic, CRASH),
    (Bug::ReservedBytesIgnored, FORMAT),
    (Bug::WatermarkBeforeSync, CRASH),
    (Bug::FlusherSkipsLastPage, CRASH),
    (Bug::RollOffByOne, CRASH),
    (Bug::DuplicateRunId, CRASH),
    (Bug::DraftNotSynced, CRASH),
    (Bug::BaseAfterRemoval, CRASH),
    (Bug::SnapshotOfOtherHistory, CRASH),
    (Bug::RecoveryWithoutSync, CRASH),
];

/// What a suite found; a panic is a finding, too.
fn found(suite: &Suite, seed: u64) -> Result<Report, String> {
    let run = suite.1;
    match std::panic::catch_unwind(|| run(seed)) {
        Ok(Ok(report)) => Ok(report),
        Ok(Err(failure)) => Err(format!("case {}: {}", failure.cases, failure.what)),
        Err(_) => Err("a panic".to_owned()),
    }
}

#[test]
fn every_planted_bug_is_caught() {
    let seed = random::seed();
    eprintln!("sabotage: seed {seed} (again: ACTH_SEED={seed})");
    for suite in [CRASH, CORRUPTION, FAULTS, FORMAT, FOLLOWING] {
        match found(&suite, seed) {
            Ok(report) => eprintln!("no bug: {report}"),
            Err(what) => panic!("without a bug: {}: {what}", suite.0),
        }
    }
    // Panics are findings here: their messages would only hide the table.
    std::panic::set_hook(Box::new(|_| {}));
    let mut missed = Vec::new();
    for (bug, suite) in &TABLE {
        let start = Instant::now();
        plant(Some(*bug));
        let ended = found(suite, seed);
        plant(None);
        let took = start.elapsed();
        let verdict = match &ended {
            Err(what) if took <= TIME_MAX => format!("caught: {}", shortened(what)),
            Err(what) => format!("caught too late: {}", shortened(what)),
            Ok(report) => format!("MISSED in {} cases", report.cases),
        };
        eprintln!(
            "{bug:?} | {} | {:.1} s | {verdict}",
            suite.0,
            took.as_secs_f64()
        );
        if ended.is_ok() || took > TIME_MAX {
            missed.push(*bug);
        }
    }
    let _ = std::panic::take_hook();
    eprintln!(
        "{} of {} planted bugs caught",
        TABLE.len() - missed.len(),
        TABLE.len()
    );
    assert!(missed.is_empty(), "missed: {missed:?}");
}

fn shortened(what: &str) -> String {
    what.chars().take(110).collect()
}
