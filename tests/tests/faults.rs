//! Suite 8, storage faults (`suites::faults`): every call of a script fails once in each of five ways.
//!
//! `ACTH_SEED` and `ACTH_FAULT_CALL` repeat one call.

#![forbid(unsafe_code)]

use acth_tests::{
    random,
    storage_sim::FAULTS,
    suites::{faults::run, number_from},
};

#[test]
fn every_failing_call_is_met_as_promised() {
    let seed = random::seed();
    let found = match number_from("ACTH_FAULT_CALL") {
        Some(call) => FAULTS
            .iter()
            .try_for_each(|fault| run(seed, 1, Some((call, *fault))).map(|_| ())),
        None => run(seed, 1, None).map(|report| eprintln!("{report}")),
    };
    if let Err(failure) = found {
        panic!("{failure}");
    }
}
