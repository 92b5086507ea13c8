//! Trains the predictor of the benchmark of a hidden chain, and says how far it is from the best one there is.
//!
//! `cargo run --release -p acth-learn --example train_l7 -- tests/models/l7.safetensors`

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::{error::Error, path::PathBuf};

use acth_learn::{
    files,
    hmm::BENCHMARK,
    train::{Series, TrainConfig, evaluate, train},
};
use acth_nn::{Activation, model::OutputKind, train::Topology};

/// FNV-1a of the one feature's name, `observation`.
const FEATURE_HASH: u64 = 0x17c3_0ae8_6a87_a76d;

/// Each observation, and the one behind it as its outcome.
fn series(steps: usize, seed: u64) -> Series {
    let observations = BENCHMARK.sample(steps + 1, seed);
    Series {
        outcomes: observations[1..].to_vec(),
        inputs: observations[..steps].to_vec(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).map(PathBuf::from);
    let path = path.unwrap_or_else(|| PathBuf::from("tests/models/l7.safetensors"));
    let config = TrainConfig {
        topology: Topology {
            inputs: 1,
            hidden: 12,
            layers: vec![(6, Activation::Identity)],
        },
        output_kind: OutputKind::Mixture,
        feature_hash: FEATURE_HASH,
        seed: 7,
        window: 100,
        batch: 32,
        epochs: 12,
        patience: 12,
        rate: 5e-3,
    };
    let trained = train(
        &config,
        &series(1_000_000, 1),
        &series(200_000, 2),
        &mut |epoch, loss| println!("epoch {epoch}: validation {loss:.5}"),
    )?;
    let test = BENCHMARK.sample(1_000_001, 3);
    let found = evaluate(&trained.model, &series(1_000_000, 3)).ok_or("no answer")?;
    let best = BENCHMARK.filter_nll(&test);
    println!(
        "test: {found:.5}, the filter {best:.5}, gap {:.5}",
        found - best
    );
    files::save(&trained.model, &path)?;
    println!(
        "{} is model {}",
        path.display(),
        files::name_of(&trained.model)
    );
    Ok(())
}
