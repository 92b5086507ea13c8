//! `acth-bench inference`: a network of 64-64-64-8 in its fixed order, beside the plain loop over rows of weights.
//!
//! Both give the same bits; a run in which they do not is an error.

use std::hint::black_box;

use acth_bench::load::numbers::Numbers;
use acth_nn::{Activation, Dense, Network};

use crate::{
    Failure,
    args::Args,
    contest::{self, Contender},
    hiccup::Hiccups,
    machine::Machine,
    report::{Bar, Report},
};

/// Values of each layer, inputs first.
const SIZES: [usize; 4] = [64, 64, 64, 8];
/// Inferences of one batch.
const BATCH: usize = 16;
/// Values that the network takes.
pub(crate) const INPUTS: usize = SIZES[0];
/// Inputs that both go round in.
const INPUT_SETS: usize = 256;

/// One layer as plain rows.
pub(crate) struct Plain {
    weights: Vec<f32>,
    biases: Vec<f32>,
}

impl Plain {
    fn forward(&self, input: &[f32], output: &mut Vec<f32>) {
        output.clear();
        let rows = self.weights.chunks_exact(input.len()).zip(&self.biases);
        output.extend(rows.map(|(row, bias)| {
            let mut sum = *bias;
            for (weight, value) in row.iter().zip(input) {
                sum += value * weight;
            }
            if sum > 0.0 { sum } else { 0.0 }
        }));
    }
}

fn some(numbers: &mut Numbers, count: usize, scale: f32) -> Vec<f32> {
    let one = |_| (numbers.below(2001) as f32 / 1000.0 - 1.0) * scale;
    (0..count).map(one).collect()
}

/// The same layers in both forms.
///
/// # Errors
/// Never: the shapes fit.
pub(crate) fn layers(numbers: &mut Numbers) -> Result<(Vec<Plain>, Network), Failure> {
    let mut plain = Vec::new();
    let mut dense = Vec::new();
    for pair in SIZES.windows(2) {
        let weights = some(numbers, pair[0] * pair[1], 0.2);
        let biases = some(numbers, pair[1], 0.1);
        dense.push(Dense::new(pair[0], &weights, &biases, Activation::Relu)?);
        plain.push(Plain { weights, biases });
    }
    Ok((plain, Network::new(dense)?))
}

/// All layers in a row, with kept room; the result is in the first one.
fn run_plain(layers: &[Plain], input: &[f32], room: &mut [Vec<f32>; 2]) {
    let [current, next] = room;
    current.clear();
    current.extend_from_slice(input);
    for layer in layers {
        layer.forward(current, next);
        std::mem::swap(current, next);
    }
}

/// Measures it.
///
/// # Errors
/// When the two forms give different bits.
pub(crate) fn measure(args: &Args, machine: &Machine) -> Result<Report, Failure> {
    let mut numbers = Numbers::new(3);
    let (plain, mut network) = layers(&mut numbers)?;
    let inputs: Vec<Vec<f32>> = (0..INPUT_SETS)
        .map(|_| some(&mut numbers, SIZES[0], 1.0))
        .collect();
    let mut room = [0, 1].map(|_| Vec::with_capacity(SIZES[0]));
    for input in &inputs {
        run_plain(&plain, input, &mut room);
        let is_equal = (network.forward(input).iter().zip(&room[0]))
            .all(|(left, right)| left.to_bits() == right.to_bits());
        if !is_equal {
            return Err("the network does not give the bits of the plain loop".into());
        }
    }
    let (mut first, mut second) = (inputs.chunks(BATCH).cycle(), inputs.chunks(BATCH).cycle());
    let mut contenders = [
        Contender::new("plain loop", BATCH as u64, || {
            for input in first.next().unwrap_or_default() {
                run_plain(&plain, black_box(input), &mut room);
                black_box(&room);
            }
        })?,
        Contender::new("network", BATCH as u64, || {
            for input in second.next().unwrap_or_default() {
                black_box(network.forward(black_box(input)));
            }
        })?,
    ];
    let mut hiccups = Hiccups::new()?;
    contest::run(&mut contenders, args.length_ns(), &mut hiccups);
    let [floor, measured] = &contenders;
    let report = Report::new("inference", 0, &floor.record, &measured.record, machine)?;
    let mut report = report.with_hiccups(&hiccups)?;
    report.kind = Some(SIZES.map(|size| size.to_string()).join("-"));
    let allocations = report.allocations as f64;
    report.bars = vec![Bar::at_most("no allocation", allocations, 0.0)];
    Ok(report)
}
