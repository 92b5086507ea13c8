//! Fuzz target: `acth_tests::suites::fuzz::frame`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| acth_tests::suites::fuzz::frame(data));
