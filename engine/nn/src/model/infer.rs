//! Using a model: raw inputs in, outputs out.

use alloc::vec::Vec;

use super::{InferError, InputRange, Model};
use crate::{GruMemory, Values};

/// What one sequence of inputs has left behind in a model, with room to work in. It belongs to the model that it was made for.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    model_hash: u64,
    normalised: Vec<f32>,
    gru: GruMemory,
    values: Values,
}

impl Memory {
    /// Hash of the model that it belongs to.
    pub const fn model_hash(&self) -> u64 {
        self.model_hash
    }

    /// What must be kept between two inferences: one value a recurrent unit.
    pub fn hidden(&self) -> &[f32] {
        self.gru.hidden()
    }

    /// Replaces what is kept; false, and nothing changes, when these are not that many values from -1 to 1.
    #[must_use]
    pub fn set_hidden(&mut self, values: &[f32]) -> bool {
        self.gru.set_hidden(values)
    }

    /// Forgets the sequence.
    pub fn clear(&mut self) {
        self.gru.clear();
    }

    /// The inputs of the last inference as the network saw them.
    pub fn normalised(&self) -> &[f32] {
        &self.normalised
    }
}

impl InputRange {
    /// The value that the network sees for a raw, finite one.
    #[inline]
    pub fn normalise(&self, raw: f32) -> f32 {
        let value = (raw - self.mean) / self.scale;
        if value > self.clip {
            self.clip
        } else if value < -self.clip {
            -self.clip
        } else {
            value
        }
    }
}

impl Model {
    /// An empty memory for a sequence of inputs. It allocates: at the start, or when a model is promoted.
    pub fn memory(&self) -> Memory {
        Memory {
            model_hash: self.hash,
            normalised: alloc::vec![0.0; self.inputs.len()],
            gru: GruMemory::new(self.hidden_count()),
            values: self.network.values(),
        }
    }

    /// The outputs for these raw inputs, after all that `memory` has seen; with a recurrent part it moves on by one step.
    ///
    /// # Errors
    /// The inputs or the memory are not this model's, or a number is not finite.
    #[inline]
    pub fn infer<'m>(
        &self,
        inputs: &[f32],
        memory: &'m mut Memory,
    ) -> Result<&'m [f32], InferError> {
        if memory.model_hash != self.hash {
            return Err(InferError::Memory);
        }
        if inputs.len() != self.inputs.len() {
            return Err(InferError::Inputs {
                expected: self.inputs.len(),
                found: inputs.len(),
            });
        }
        if let Some(index) = inputs.iter().position(|input| !input.is_finite()) {
            return Err(InferError::NotFinite { index });
        }
        let raw = inputs.iter().zip(&self.inputs);
        for (value, (input, range)) in memory.normalised.iter_mut().zip(raw) {
            *value = range.normalise(*input);
        }
        let features = match &self.gru {
            Some(gru) => gru.step(&memory.normalised, &mut memory.gru),
            None => &memory.normalised,
        };
        let outputs = self.network.forward_in(features, &mut memory.values);
        if let Some(index) = outputs.iter().position(|output| !output.is_finite()) {
            memory.gru.clear();
            return Err(InferError::Output { index });
        }
        Ok(outputs)
    }
}
