//! Forward: what the network says about a sequence, with everything that was worked out on the way.

use alloc::vec::Vec;

use super::{Place, Trainee};
use crate::{Activation, sigmoid};

/// What a pass forward leaves for the pass back.
#[derive(Clone, Debug)]
pub struct Tape {
    pub(super) steps: usize,
    /// `[step][unit]`, of the memory before each step; one row more than steps.
    pub(super) hidden: Vec<f32>,
    pub(super) reset: Vec<f32>,
    pub(super) update: Vec<f32>,
    pub(super) candidate: Vec<f32>,
    /// The recurrent part of the candidate's sum.
    pub(super) recurrent: Vec<f32>,
    /// `[layer][step][output]`.
    pub(super) layers: Vec<Vec<f32>>,
    /// Room for the sums of one step.
    sums: [Vec<f32>; 2],
}

impl Tape {
    /// Room for sequences of at most `steps_max` steps.
    pub fn new(trainee: &Trainee, steps_max: usize) -> Self {
        let hidden = trainee.topology.hidden;
        let room = |count: usize| alloc::vec![0.0; count];
        let layer = |place: &Place| room(steps_max * place.outputs);
        Self {
            steps: 0,
            hidden: room((steps_max + 1) * hidden),
            reset: room(steps_max * hidden),
            update: room(steps_max * hidden),
            candidate: room(steps_max * hidden),
            recurrent: room(steps_max * hidden),
            layers: trainee.places.iter().map(layer).collect(),
            sums: [room(3 * hidden), room(3 * hidden)],
        }
    }
}

impl Trainee {
    /// What it says about `inputs`, `[step][input]`: `[step][output]`. With a recurrent part the steps are one sequence that begins with an
    /// empty memory; without one they are independent.
    ///
    /// # Panics
    /// When the steps are more than the tape has room for.
    pub fn forward<'t>(&self, inputs: &[f32], tape: &'t mut Tape) -> &'t [f32] {
        let steps = inputs.len() / self.topology.inputs;
        tape.steps = steps;
        if let Some(parts) = self.gru_parts() {
            let [input, hidden, bias_input, bias_hidden] = parts.map(|part| &self.parameters[part]);
            tape.hidden[..self.topology.hidden].fill(0.0);
            for (step, values) in inputs.chunks_exact(self.topology.inputs).enumerate() {
                let start = step * self.topology.hidden;
                rows(input, bias_input, values, &mut tape.sums[0]);
                let memory = &tape.hidden[start..start + self.topology.hidden];
                rows(hidden, bias_hidden, memory, &mut tape.sums[1]);
                self.step(start, tape);
            }
        }
        for index in 0..self.places.len() {
            let (before, rest) = tape.layers.split_at_mut(index);
            let values = match before.last() {
                Some(before) => before.as_slice(),
                None if self.topology.hidden > 0 => &tape.hidden[self.topology.hidden..],
                None => inputs,
            };
            self.layer(&self.places[index], values, steps, &mut rest[0]);
        }
        let outputs = tape.layers.last().map_or(&[][..], Vec::as_slice);
        &outputs[..steps * self.outputs()]
    }

    /// The gates of one step, as `Gru::step` works them out.
    fn step(&self, start: usize, tape: &mut Tape) {
        let count = self.topology.hidden;
        let [from_input, from_hidden] = &tape.sums;
        for unit in 0..count {
            let place = start + unit;
            let reset = sigmoid(from_input[unit] + from_hidden[unit]);
            let update = sigmoid(from_input[count + unit] + from_hidden[count + unit]);
            let recurrent = from_hidden[2 * count + unit];
            let candidate = libm::tanhf(from_input[2 * count + unit] + reset * recurrent);
            let memory = (1.0 - update) * candidate + update * tape.hidden[place];
            tape.reset[place] = reset;
            tape.update[place] = update;
            tape.recurrent[place] = recurrent;
            tape.candidate[place] = candidate;
            tape.hidden[place + count] = memory;
        }
    }

    fn layer(&self, place: &Place, values: &[f32], steps: usize, outputs: &mut [f32]) {
        let weights = &self.parameters[place.weights.clone()];
        let biases = &self.parameters[place.biases.clone()];
        let values = values.chunks_exact(place.inputs).take(steps);
        for (values, outputs) in values.zip(outputs.chunks_exact_mut(place.outputs)) {
            rows(weights, biases, values, outputs);
            for output in outputs {
                *output = match place.activation {
                    Activation::Identity => *output,
                    Activation::Relu if *output > 0.0 => *output,
                    Activation::Relu => 0.0,
                    Activation::Tanh => libm::tanhf(*output),
                };
            }
        }
    }
}

/// One sum a row: the bias first, then the values in order.
fn rows(weights: &[f32], biases: &[f32], values: &[f32], sums: &mut [f32]) {
    let weights = weights.chunks_exact(values.len());
    for ((row, bias), sum) in weights.zip(biases).zip(sums) {
        let mut total = *bias;
        for (weight, value) in row.iter().zip(values) {
            total += value * weight;
        }
        *sum = total;
    }
}
