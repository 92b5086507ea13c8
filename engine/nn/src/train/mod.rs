//! Learning: the same networks with all their numbers in one row, what they said on the way, and how each number had a part in it.
//!
//! A `Trainee` has a recurrent unit, or none, and dense layers behind it, as a model has. Its numbers lie in one row, in the order of a
//! model's encoding; a gradient is another row of the same length, and an optimiser looks at nothing else. `Trainee::forward` says what the
//! model made of it would say, bit for bit, and keeps what `Trainee::backward` needs on a `Tape`.
//!
//! These are plain loops over rows, for nets of some thousand numbers: large sweeps belong on other machines and come back as files.
//!
//! Invariant: sums have one order, as everywhere in this crate; the same data in the same order give the same numbers on every machine.

mod adam;
mod backward;
mod forward;

use alloc::vec::Vec;
use core::ops::Range;

pub use self::{
    adam::{Adam, AdamConfig},
    forward::Tape,
};
use crate::{
    Activation, ShapeError,
    model::{GruWeights, Layer},
};

/// What a network is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// How many values it takes.
    pub inputs: usize,
    /// Units of the recurrent part; 0 = none.
    pub hidden: usize,
    /// Outputs and activation of each dense layer.
    pub layers: Vec<(usize, Activation)>,
}

/// Where the numbers of a dense layer lie.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    weights: Range<usize>,
    biases: Range<usize>,
}

/// A network that learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Trainee {
    topology: Topology,
    places: Vec<Place>,
    parameters: Vec<f32>,
}

impl Trainee {
    /// A network whose numbers are all zero.
    ///
    /// # Errors
    /// `ShapeError` when a layer would have no inputs or outputs, or there is no layer.
    pub fn new(topology: Topology) -> Result<Self, ShapeError> {
        if topology.layers.is_empty() {
            return Err(ShapeError::NoLayer);
        }
        let hidden = topology.hidden;
        let mut count = if hidden > 0 {
            3 * hidden * (topology.inputs + hidden + 2)
        } else {
            0
        };
        let mut inputs = if hidden > 0 { hidden } else { topology.inputs };
        let mut places = Vec::with_capacity(topology.layers.len());
        for &(outputs, activation) in &topology.layers {
            if inputs == 0 || outputs == 0 || topology.inputs == 0 {
                return Err(ShapeError::Empty { inputs, outputs });
            }
            let weights = count..count + inputs * outputs;
            let biases = weights.end..weights.end + outputs;
            count = biases.end;
            places.push(Place {
                inputs,
                outputs,
                activation,
                weights,
                biases,
            });
            inputs = outputs;
        }
        Ok(Self {
            topology,
            places,
            parameters: alloc::vec![0.0; count],
        })
    }

    /// Fills all numbers from `uniform`, which gives values from -1 to 1: those of a row by one over the root of the row's length, those of the
    /// recurrent part by one over the root of its units (the usual initialisation).
    pub fn initialise(&mut self, mut uniform: impl FnMut() -> f32) {
        let gru = self.gru_parts().map_or(0, |parts| parts[3].end);
        let mut fill = |parameters: &mut [f32], fan_in: usize| {
            let scale = 1.0 / libm::sqrtf(fan_in as f32);
            parameters.fill_with(|| scale * uniform());
        };
        if self.topology.hidden > 0 {
            fill(&mut self.parameters[..gru], self.topology.hidden);
        }
        for place in &self.places {
            let all = place.weights.start..place.biases.end;
            fill(&mut self.parameters[all], place.inputs);
        }
    }

    /// What it is made of.
    pub const fn topology(&self) -> &Topology {
        &self.topology
    }

    /// All numbers: recurrent part (input weights, hidden weights, input biases, hidden biases), then of each layer weights and biases.
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    /// All numbers, to be moved.
    pub fn parameters_mut(&mut self) -> &mut [f32] {
        &mut self.parameters
    }

    /// How many values it gives.
    pub fn outputs(&self) -> usize {
        self.places.last().map_or(0, |place| place.outputs)
    }

    /// Where the four parts of the recurrent part lie.
    fn gru_parts(&self) -> Option<[Range<usize>; 4]> {
        let (inputs, hidden) = (self.topology.inputs, self.topology.hidden);
        if hidden == 0 {
            return None;
        }
        let sizes = [
            3 * hidden * inputs,
            3 * hidden * hidden,
            3 * hidden,
            3 * hidden,
        ];
        let mut start = 0;
        Some(sizes.map(|size| {
            start += size;
            start - size..start
        }))
    }

    /// The recurrent part as a model has it.
    pub fn gru_weights(&self) -> Option<GruWeights> {
        let [input, hidden, bias_input, bias_hidden] =
            self.gru_parts()?.map(|part| self.parameters[part].to_vec());
        Some(GruWeights {
            inputs: self.topology.inputs,
            weights_input: input,
            weights_hidden: hidden,
            biases_input: bias_input,
            biases_hidden: bias_hidden,
        })
    }

    /// The dense layers as a model has them.
    pub fn layers(&self) -> Vec<Layer> {
        let layer = |place: &Place| Layer {
            activation: place.activation,
            weights: self.parameters[place.weights.clone()].to_vec(),
            biases: self.parameters[place.biases.clone()].to_vec(),
        };
        self.places.iter().map(layer).collect()
    }
}
