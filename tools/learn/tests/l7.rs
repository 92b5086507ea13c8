//! The trained predictor of the benchmark of a hidden chain, run as the core runs it, beside the best predictor there is.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

use acth_learn::{
    files,
    hmm::BENCHMARK,
    train::{Series, evaluate},
};
use acth_nn::model::Model;

/// Steps on which both are measured: the filter's mean is then within some .001 of 1.46490.
const STEPS: usize = 1_000_000;

#[test]
fn the_trained_predictor_is_nearly_as_good_as_the_filter() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/models/l7.safetensors");
    let loaded = files::load(&path).unwrap();
    // What reaches the core are bytes.
    let model = Model::decode(loaded.encode()).unwrap();
    // A seed that neither training nor validation nor the trainer's own test has seen.
    let observations = BENCHMARK.sample(STEPS + 1, 4);
    let best = BENCHMARK.filter_nll(&observations);
    assert!((best - 1.4649).abs() < 0.002, "{best}");
    let series = Series {
        outcomes: observations[1..].to_vec(),
        inputs: observations[..STEPS].to_vec(),
    };
    let found = evaluate(&model, &series).unwrap();
    assert!(found <= 1.468, "{found}, the filter {best}");
    assert!(found - best < 0.002, "{found}, the filter {best}");
}
