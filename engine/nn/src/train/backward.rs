//! Backward: the part that each number had in what the network said, from the last step to the first (backpropagation through time).

use alloc::vec::Vec;
use core::ops::Range;

use super::{Tape, Trainee};
use crate::Activation;

impl Trainee {
    /// Adds to `gradients` how the loss changes with each number, given how it changes with each output (`[step][output]`) of the pass forward
    /// that `tape` keeps.
    ///
    /// # Panics
    /// When the lengths are not those of that pass and of this network.
    pub fn backward(
        &self,
        inputs: &[f32],
        output_gradients: &[f32],
        tape: &Tape,
        gradients: &mut [f32],
    ) {
        let (hidden, steps) = (self.topology.hidden, tape.steps);
        assert_eq!(
            output_gradients.len(),
            steps * self.outputs(),
            "one an output"
        );
        let mut after = output_gradients.to_vec();
        for index in (0..self.places.len()).rev() {
            let values = match index {
                0 if hidden > 0 => &tape.hidden[hidden..(steps + 1) * hidden],
                0 => inputs,
                _ => &tape.layers[index - 1],
            };
            after = self.layer_back(index, values, after, tape, gradients);
        }
        if let Some(parts) = self.gru_parts() {
            self.gru_back(&parts, inputs, &after, tape, gradients);
        }
    }

    /// One dense layer: from the gradients of its outputs to those of its inputs.
    fn layer_back(
        &self,
        index: usize,
        values: &[f32],
        mut after: Vec<f32>,
        tape: &Tape,
        gradients: &mut [f32],
    ) -> Vec<f32> {
        let place = &self.places[index];
        for (gradient, &output) in after.iter_mut().zip(&tape.layers[index]) {
            *gradient *= match place.activation {
                Activation::Identity => 1.0,
                Activation::Relu if output > 0.0 => 1.0,
                Activation::Relu => 0.0,
                Activation::Tanh => 1.0 - output * output,
            };
        }
        let mut before = alloc::vec![0.0; tape.steps * place.inputs];
        let rows = after.chunks_exact(place.outputs);
        let places = before.chunks_exact_mut(place.inputs);
        for ((after, values), before) in rows.zip(values.chunks_exact(place.inputs)).zip(places) {
            let parts = [place.weights.clone(), place.biases.clone()];
            self.rows_back(parts, after, values, before, gradients);
        }
        before
    }

    /// One product of rows with values: `sum[row] = bias[row] + weights[row] . values`.
    fn rows_back(
        &self,
        [weights, biases]: [Range<usize>; 2],
        after: &[f32],
        values: &[f32],
        before: &mut [f32],
        gradients: &mut [f32],
    ) {
        for (row, &gradient) in after.iter().enumerate() {
            gradients[biases.start + row] += gradient;
            let start = weights.start + row * values.len();
            let moved = &mut gradients[start..start + values.len()];
            for (moved, value) in moved.iter_mut().zip(values) {
                *moved += gradient * value;
            }
            let weights = &self.parameters[start..start + values.len()];
            for (before, weight) in before.iter_mut().zip(weights) {
                *before += gradient * weight;
            }
        }
    }

    /// The recurrent part, from its last step to its first.
    fn gru_back(
        &self,
        parts: &[Range<usize>; 4],
        inputs: &[f32],
        after: &[f32],
        tape: &Tape,
        gradients: &mut [f32],
    ) {
        let [input, hidden, bias_input, bias_hidden] = parts;
        let (count, width) = (self.topology.hidden, self.topology.inputs);
        let mut carried = alloc::vec![0.0; count];
        let mut from_input = alloc::vec![0.0; 3 * count];
        let mut from_hidden = alloc::vec![0.0; 3 * count];
        let mut unused = alloc::vec![0.0; width];
        for step in (0..tape.steps).rev() {
            let start = step * count;
            for unit in 0..count {
                let place = start + unit;
                let gradient = after[place] + carried[unit];
                let (reset, update) = (tape.reset[place], tape.update[place]);
                let (candidate, memory) = (tape.candidate[place], tape.hidden[place]);
                let sum = gradient * (1.0 - update) * (1.0 - candidate * candidate);
                let to_reset = sum * tape.recurrent[place] * reset * (1.0 - reset);
                let to_update = gradient * (memory - candidate) * update * (1.0 - update);
                from_input[unit] = to_reset;
                from_input[count + unit] = to_update;
                from_input[2 * count + unit] = sum;
                from_hidden[unit] = to_reset;
                from_hidden[count + unit] = to_update;
                from_hidden[2 * count + unit] = sum * reset;
                carried[unit] = gradient * update;
            }
            let values = &inputs[step * width..(step + 1) * width];
            let places = [input.clone(), bias_input.clone()];
            self.rows_back(places, &from_input, values, &mut unused, gradients);
            let values = &tape.hidden[start..start + count];
            let places = [hidden.clone(), bias_hidden.clone()];
            self.rows_back(places, &from_hidden, values, &mut carried, gradients);
        }
    }
}
