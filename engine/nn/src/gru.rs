//! A gated recurrent unit: a memory that decides at each step what to keep and what to take in.
//!
//! With `x` the input and `h` the memory of the step before, for each unit (the common convention, in which exported weights
//! come, gates in the order reset, update, candidate):
//!
//! ```text
//! reset     r = sigmoid(Wr x + br + Ur h + cr)
//! update    z = sigmoid(Wz x + bz + Uz h + cz)
//! candidate n = tanh(Wn x + bn + r * (Un h + cn))
//! memory    h' = (1 - z) * n + z * h
//! ```
//!
//! The reset gate stands outside the bias `cn`. Formula: Cho et al. 2014 (arXiv 1406.1078), in the variant that keeps the
//! recurrent products of all three gates together.
//!
//! Invariant: a memory holds only finite numbers from -1 to 1; what would be anything else becomes 0.

use alloc::vec::Vec;

use crate::{Activation, Dense, ShapeError};

/// Gates of one unit.
const GATES: usize = 3;

/// The weights of a gated recurrent unit. They never change, so any number of memories may share them.
#[derive(Clone, Debug, PartialEq)]
pub struct Gru {
    /// From the input to the three gates of all units.
    input_gates: Dense,
    /// From the memory to the three gates of all units.
    hidden_gates: Dense,
}

/// What one sequence has left behind, with room for the sums of a step.
#[derive(Clone, Debug, PartialEq)]
pub struct GruMemory {
    hidden: Vec<f32>,
    from_input: Vec<f32>,
    from_hidden: Vec<f32>,
}

impl GruMemory {
    /// An empty memory of this many units: all zero.
    pub fn new(hidden_count: usize) -> Self {
        Self {
            hidden: alloc::vec![0.0; hidden_count],
            from_input: alloc::vec![0.0; GATES * hidden_count],
            from_hidden: alloc::vec![0.0; GATES * hidden_count],
        }
    }

    /// The memory, one value a unit.
    pub fn hidden(&self) -> &[f32] {
        &self.hidden
    }

    /// Replaces the memory, from its first unit on; what is not finite or beyond -1 to 1 is refused and nothing changes.
    #[must_use]
    pub fn set_hidden(&mut self, values: &[f32]) -> bool {
        let is_memory = |value: &f32| (-1.0..=1.0).contains(value);
        if values.len() != self.hidden.len() || !values.iter().all(is_memory) {
            return false;
        }
        self.hidden.copy_from_slice(values);
        true
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.hidden.fill(0.0);
    }
}

impl Gru {
    /// A unit from weights by rows: `weights_input` is `[3 * hidden][inputs]`, `weights_hidden` is `[3 * hidden][hidden]`, the
    /// gates in the order reset, update, candidate; one bias a row for each.
    ///
    /// # Errors
    /// `ShapeError` when the sizes do not fit or a number is not finite.
    pub fn new(
        inputs: usize,
        weights_input: &[f32],
        weights_hidden: &[f32],
        biases_input: &[f32],
        biases_hidden: &[f32],
    ) -> Result<Self, ShapeError> {
        let hidden_count = biases_hidden.len() / GATES;
        if !biases_hidden.len().is_multiple_of(GATES) || biases_input.len() != biases_hidden.len() {
            return Err(ShapeError::Gates {
                input: biases_input.len(),
                hidden: biases_hidden.len(),
            });
        }
        let layer =
            |inputs, weights, biases| Dense::new(inputs, weights, biases, Activation::Identity);
        Ok(Self {
            input_gates: layer(inputs, weights_input, biases_input)?,
            hidden_gates: layer(hidden_count, weights_hidden, biases_hidden)?,
        })
    }

    /// How many values it takes.
    pub const fn inputs(&self) -> usize {
        self.input_gates.inputs()
    }

    /// How many units it has, and so how many values it gives.
    pub const fn hidden_count(&self) -> usize {
        self.hidden_gates.inputs()
    }

    /// One step: `memory` takes `input` in, and is given out.
    ///
    /// # Panics
    /// When `input` is shorter than the unit's inputs, or the memory is another unit's.
    #[inline]
    pub fn step<'m>(&self, input: &[f32], memory: &'m mut GruMemory) -> &'m [f32] {
        let hidden_count = self.hidden_count();
        assert_eq!(memory.hidden.len(), hidden_count, "a memory of this unit");
        self.input_gates.forward(input, &mut memory.from_input);
        self.hidden_gates
            .forward(&memory.hidden, &mut memory.from_hidden);
        let (x_reset, rest) = memory.from_input.split_at(hidden_count);
        let (x_update, x_candidate) = rest.split_at(hidden_count);
        let (h_reset, rest) = memory.from_hidden.split_at(hidden_count);
        let (h_update, h_candidate) = rest.split_at(hidden_count);
        for (unit, hidden) in memory.hidden.iter_mut().enumerate() {
            let reset = sigmoid(x_reset[unit] + h_reset[unit]);
            let update = sigmoid(x_update[unit] + h_update[unit]);
            let candidate = libm::tanhf(x_candidate[unit] + reset * h_candidate[unit]);
            *hidden = remembered((1.0 - update) * candidate + update * *hidden);
        }
        &memory.hidden
    }
}

/// Rounding may carry a sum of shares one step beyond 1, and numbers that are none may have come in.
#[inline]
fn remembered(value: f32) -> f32 {
    if value > 1.0 {
        1.0
    } else if value < -1.0 {
        -1.0
    } else if value.is_nan() {
        0.0
    } else {
        value
    }
}

/// `1 / (1 + exp(-value))`, from 0 to 1 for every number.
#[inline]
pub fn sigmoid(value: f32) -> f32 {
    1.0 / (1.0 + libm::expf(-value))
}
