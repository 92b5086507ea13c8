//! Suite 6, crash points on simulated storage (`suites::crash`): every moment of the script, nine images each.
//!
//! `ACTH_CRASH_IMAGES` asks for at least so many images, `ACTH_SEED` and `ACTH_CRASH_POINT` repeat one moment.

#![forbid(unsafe_code)]

use acth_tests::{
    random,
    suites::{
        crash::{Amount, run},
        number_from,
    },
};

#[test]
fn every_crash_is_recovered_from() {
    let amount = Amount {
        images: number_from("ACTH_CRASH_IMAGES").unwrap_or(16_000),
        only: number_from("ACTH_CRASH_POINT"),
        ..Amount::full(random::seed())
    };
    let images = if amount.only.is_some() {
        1
    } else {
        amount.images
    };
    match run(Amount { images, ..amount }) {
        Ok(report) => eprintln!("{report}"),
        Err(failure) => panic!("{failure}"),
    }
}
