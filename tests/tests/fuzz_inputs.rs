//! The bodies of the fuzz targets (`suites::fuzz`) with random inputs: that they run at all, also where there is no fuzzer.
//! `tests/scripts/fuzz.sh` is the real thing.

#![forbid(unsafe_code)]

use acth_tests::{random::Random, suites::fuzz};

const INPUTS: u64 = 400;

#[test]
fn fuzz_targets_take_any_bytes() {
    let mut random = Random::for_test("fuzz inputs");
    let targets: [fn(&[u8]); 4] = [fuzz::frame, fuzz::segment, fuzz::snapshot, fuzz::archive];
    for target in targets {
        for _ in 0..INPUTS {
            let length = random.below(400);
            let bytes: Vec<u8> = (0..length).map(|_| random.next_bits() as u8).collect();
            target(&bytes);
        }
    }
}
