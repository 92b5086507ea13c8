//! What models cost: one inference by size, decoding the largest, and one step of learning. Fastest of some rounds, one thread.
//!
//! `cargo run --release -p acth-nn --example model_speed`

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a program that reports")]

use std::{error::Error, hint::black_box, time::Instant};

use acth_nn::{
    Activation,
    model::{Blueprint, InputRange, Model, OutputKind},
    train::{Tape, Topology, Trainee},
};

const ROUNDS: usize = 30;
const STEPS: usize = 100;

/// Numbers that look random, from -1 to 1.
fn numbers() -> impl FnMut() -> f32 {
    let mut state = 7_u32;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

fn fastest_ns(mut work: impl FnMut()) -> f64 {
    let once = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_nanos() as f64
    };
    (0..ROUNDS).map(once).fold(f64::INFINITY, f64::min)
}

fn main() -> Result<(), Box<dyn Error>> {
    for (inputs, hidden, outputs) in [
        (1, 12, 6),
        (16, 16, 3),
        (16, 32, 3),
        (32, 64, 8),
        (32, 128, 8),
    ] {
        let mut trainee = Trainee::new(Topology {
            inputs,
            hidden,
            layers: vec![(outputs, Activation::Identity)],
        })?;
        trainee.initialise(numbers());
        let range = InputRange {
            mean: 0.0,
            scale: 1.0,
            clip: 8.0,
            least: -1.0,
            greatest: 1.0,
        };
        let model = Model::new(&Blueprint {
            feature_hash: 0,
            output_kind: OutputKind::Values,
            inputs: vec![range; inputs],
            quantiles: Vec::new(),
            gru: trainee.gru_weights(),
            layers: trainee.layers(),
        })?;
        let mut next = numbers();
        let sequence: Vec<f32> = (0..STEPS * inputs).map(|_| next()).collect();
        let mut memory = model.memory();
        let infer_ns = fastest_ns(|| {
            for values in sequence.chunks_exact(inputs) {
                let _ = black_box(model.infer(black_box(values), &mut memory));
            }
        });
        let decode_ns = fastest_ns(|| drop(black_box(Model::decode(model.encode()))));
        let mut tape = Tape::new(&trainee, STEPS);
        let mut gradients = vec![0.0; trainee.parameters().len()];
        let learn_ns = fastest_ns(|| {
            let outputs = trainee.forward(black_box(&sequence), &mut tape).to_vec();
            trainee.backward(&sequence, &outputs, &tape, &mut gradients);
        });
        println!(
            "{inputs:>3} inputs, {hidden:>3} units, {outputs} outputs, {:>6} bytes: inference {:>7.2} us, decoding {:>7.1} us, a step forward \
             and back {:>7.2} us",
            model.encode().len(),
            infer_ns / STEPS as f64 / 1e3,
            decode_ns / 1e3,
            learn_ns / STEPS as f64 / 1e3,
        );
    }
    Ok(())
}
