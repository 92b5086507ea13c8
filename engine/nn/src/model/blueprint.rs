//! The plain description of a model: what trainers fill in and what the encoding holds.

use alloc::vec::Vec;

use super::{
    HIDDEN_MAX, INPUTS_MAX, LAYERS_MAX, ModelError, NUMBER_MAX, OUTPUTS_MAX, OutputKind,
    QUANTILES_MAX,
};
use crate::{Activation, Gru, ShapeError};

/// One input: `(raw - mean) / scale`, cut to `-clip ..= clip`, is what the network sees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct InputRange {
    /// Mean over the training data, in the input's own unit.
    pub mean: f32,
    /// Deviation over the training data, in the input's own unit; positive.
    pub scale: f32,
    /// Largest size after normalisation; positive.
    pub clip: f32,
    /// Least value of the training data, in the input's own unit.
    pub least: f32,
    /// Greatest value of the training data, in the input's own unit.
    pub greatest: f32,
}

/// One quantile of the residuals (outcome minus prediction).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantile {
    /// Share of the residuals that lie at or below, from 0 to 1.
    pub level: f32,
    /// The residual there.
    pub value: f32,
}

/// The weights of the recurrent part, by rows; see `Gru`.
#[derive(Clone, Debug, PartialEq)]
pub struct GruWeights {
    /// Values it takes.
    pub inputs: usize,
    /// `[3 * hidden][inputs]`, gates in the order reset, update, candidate.
    pub weights_input: Vec<f32>,
    /// `[3 * hidden][hidden]`.
    pub weights_hidden: Vec<f32>,
    /// `[3 * hidden]`.
    pub biases_input: Vec<f32>,
    /// `[3 * hidden]`.
    pub biases_hidden: Vec<f32>,
}

impl GruWeights {
    /// How many units.
    pub fn hidden_count(&self) -> usize {
        self.biases_hidden.len() / 3
    }

    pub(super) fn build(&self) -> Result<Gru, ShapeError> {
        Gru::new(
            self.inputs,
            &self.weights_input,
            &self.weights_hidden,
            &self.biases_input,
            &self.biases_hidden,
        )
    }
}

/// One dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// What happens to each sum.
    pub activation: Activation,
    /// `[outputs][inputs]`, by rows.
    pub weights: Vec<f32>,
    /// `[outputs]`.
    pub biases: Vec<f32>,
}

/// Everything that a model is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Blueprint {
    /// Hash of the table of features that the inputs are.
    pub feature_hash: u64,
    /// What the outputs mean.
    pub output_kind: OutputKind,
    /// The inputs in order.
    pub inputs: Vec<InputRange>,
    /// Quantiles of the residuals, by rising level; may be empty.
    pub quantiles: Vec<Quantile>,
    /// The recurrent part, if there is one.
    pub gru: Option<GruWeights>,
    /// The dense layers, from the inputs or the recurrent part to the outputs.
    pub layers: Vec<Layer>,
}

impl Blueprint {
    /// How many values the first dense layer takes.
    pub(super) fn network_inputs(&self) -> usize {
        self.gru
            .as_ref()
            .map_or(self.inputs.len(), GruWeights::hidden_count)
    }

    /// How many values the last dense layer gives.
    pub fn output_count(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.biases.len())
    }

    /// Refuses what no model can be.
    ///
    /// # Errors
    /// The first thing found.
    pub fn check(&self) -> Result<(), ModelError> {
        within("inputs", self.inputs.len(), 1, INPUTS_MAX)?;
        within("layers", self.layers.len(), 1, LAYERS_MAX)?;
        within("quantiles", self.quantiles.len(), 0, QUANTILES_MAX)?;
        for (index, input) in self.inputs.iter().enumerate() {
            input.check(index)?;
        }
        self.check_quantiles()?;
        if let Some(gru) = &self.gru {
            gru.check(self.inputs.len())?;
        }
        let mut inputs = self.network_inputs();
        for (index, layer) in self.layers.iter().enumerate() {
            within("outputs", layer.biases.len(), 1, OUTPUTS_MAX)?;
            count(
                "layer weights",
                layer.weights.len(),
                inputs * layer.biases.len(),
            )?;
            let numbers = layer.weights.iter().chain(&layer.biases);
            usable("layer", index, numbers)?;
            inputs = layer.biases.len();
        }
        if self.output_kind.is_count(inputs) {
            return Ok(());
        }
        Err(ModelError::Outputs {
            kind: self.output_kind,
            count: inputs,
        })
    }

    fn check_quantiles(&self) -> Result<(), ModelError> {
        let mut before: Option<Quantile> = None;
        for (index, quantile) in self.quantiles.iter().enumerate() {
            let is_level = quantile.level > 0.0 && quantile.level < 1.0;
            let rises = before.is_none_or(|before| {
                before.level < quantile.level && before.value <= quantile.value
            });
            if !is_level || !rises || !is_usable(quantile.value) {
                return Err(ModelError::Quantile { index });
            }
            before = Some(*quantile);
        }
        Ok(())
    }
}

impl InputRange {
    fn check(&self, index: usize) -> Result<(), ModelError> {
        let numbers = [self.mean, self.scale, self.clip, self.least, self.greatest];
        // A scale below this would make a normalised value of an ordinary one infinite before it is cut.
        let is_scale = self.scale >= SCALE_MIN && self.clip > 0.0;
        if numbers.iter().all(|&number| number.abs() <= RANGE_MAX)
            && self.clip <= NUMBER_MAX
            && is_scale
            && self.least <= self.greatest
        {
            return Ok(());
        }
        Err(ModelError::Input { index })
    }
}

/// Largest size of a raw input's mean, scale and range.
const RANGE_MAX: f32 = 1e18;
/// Least scale of an input.
const SCALE_MIN: f32 = 1e-18;

impl GruWeights {
    fn check(&self, inputs: usize) -> Result<(), ModelError> {
        let hidden = self.hidden_count();
        within("hidden units", hidden, 1, HIDDEN_MAX)?;
        count("recurrent inputs", self.inputs, inputs)?;
        count("recurrent biases", self.biases_hidden.len(), 3 * hidden)?;
        count("recurrent biases", self.biases_input.len(), 3 * hidden)?;
        count(
            "recurrent weights",
            self.weights_input.len(),
            3 * hidden * inputs,
        )?;
        count(
            "recurrent weights",
            self.weights_hidden.len(),
            3 * hidden * hidden,
        )?;
        let weights = self.weights_input.iter().chain(&self.weights_hidden);
        let biases = self.biases_input.iter().chain(&self.biases_hidden);
        usable("recurrent part", 0, weights.chain(biases))
    }
}

/// Finite and not too large.
fn is_usable(number: f32) -> bool {
    number.abs() <= NUMBER_MAX
}

fn usable<'a>(
    part: &'static str,
    index: usize,
    mut numbers: impl Iterator<Item = &'a f32>,
) -> Result<(), ModelError> {
    match numbers.position(|&number| !is_usable(number)) {
        Some(place) => Err(ModelError::Number { part, index, place }),
        None => Ok(()),
    }
}

fn within(what: &'static str, found: usize, min: usize, max: usize) -> Result<(), ModelError> {
    if (min..=max).contains(&found) {
        return Ok(());
    }
    Err(ModelError::Bound {
        what,
        found,
        min,
        max,
    })
}

fn count(what: &'static str, found: usize, expected: usize) -> Result<(), ModelError> {
    if found == expected {
        return Ok(());
    }
    Err(ModelError::Count {
        what,
        found,
        expected,
    })
}
