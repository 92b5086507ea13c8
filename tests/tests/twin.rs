//! Suite 3, the journal and its naive twin (`suites::twin`).
//!
//! `ACTH_CASES` says how many cases (3,000; 20,000 in the long form), `ACTH_SEED` repeats a series.

#![forbid(unsafe_code)]

use acth_tests::{
    random,
    suites::{number_from, twin::run},
};

#[test]
fn journal_and_twin_agree() {
    let cases = number_from("ACTH_CASES").unwrap_or(3_000);
    match run(random::seed(), cases) {
        Ok(report) => eprintln!("{report}"),
        Err(failure) => panic!("{failure}"),
    }
}
