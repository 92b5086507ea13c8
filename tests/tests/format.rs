//! The format by its description (`suites::format`), and a reader that follows a writer (`suites::following`).

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_tests::suites::{following, format};

/// Hash of every byte of the reference journal of format version 1. If it changes, the format has changed.
const REFERENCE_HASH: &str = "f7beacd18aeb9ee598d81f99faa336e3d4fe53f1bbd7b7309d03ddae78a06615";

#[test]
fn the_journal_is_as_its_description_says() {
    match format::run() {
        Ok(report) => eprintln!("{report}"),
        Err(failure) => panic!("{failure}"),
    }
}

#[test]
fn the_reference_journal_is_what_it_was() {
    assert_eq!(format::reference_hash().unwrap(), REFERENCE_HASH);
}

#[test]
fn a_reader_follows_to_the_seal() {
    match following::run(200_000) {
        Ok(report) => eprintln!("{report}"),
        Err(failure) => panic!("{failure}"),
    }
}
