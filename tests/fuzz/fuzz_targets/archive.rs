//! Fuzz target: `acth_tests::suites::fuzz::archive`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| acth_tests::suites::fuzz::archive(data));
