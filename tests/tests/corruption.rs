//! Suite 7, damaged bytes (`suites::corruption`): every length and every bit of a segment of 64 KiB, several faults at once, and the
//! small files beside it.
//!
//! `ACTH_CORRUPTION_STRIDE=8` tries one of 8 of them.

#![forbid(unsafe_code)]

use acth_tests::{
    random,
    suites::{
        corruption::{Amount, run},
        number_from,
    },
};

#[test]
fn damage_is_found_and_never_delivered() {
    let stride = number_from("ACTH_CORRUPTION_STRIDE").unwrap_or(1);
    match run(Amount::part(random::seed(), stride)) {
        Ok(report) => eprintln!("{report}"),
        Err(failure) => panic!("{failure}"),
    }
}
