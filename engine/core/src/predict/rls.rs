//! Recursive least squares: a linear regression that learns with every outcome and forgets at a fixed rate.
//!
//! With `x` the inputs, `y` the outcome, `f` the share of a weight that is kept from one observation to the next:
//!
//! ```text
//!   g = P x              d = f + x . g            k = g / d
//!   e = y - w . x        w = w + k e              P = (P - k g') / f
//! ```
//!
//! `P` begins as the identity over `ridge`, so that with `f = 1` the weights are those of ridge regression over all observations
//! (Haykin, Adaptive Filter Theory, chapter on RLS; tested against the batch solution). The weighted sum of squared residuals
//! follows by `s = f s + e * e * f / d`, and from it the variance of a prediction: `s / freedom * (1 + x . P x)`.
//!
//! Wind-up: where inputs carry no news, `P / f` would grow without end and the next outcome would throw the weights anywhere. A step that
//! would make the trace larger than `TRACE_GROWTH_MAX` times that of the start forgets nothing instead. (Not the trace of the start itself: the first
//! steps fade the ridge as the formula says.)
//!
//! Invariant: all that is stored is finite, `P` is symmetric, and its trace is bounded.

use alloc::{vec, vec::Vec};

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most inputs of a regression: a step costs their square.
pub const RLS_INPUTS_MAX: usize = 64;
/// Largest size of an input or outcome.
pub const RLS_VALUE_MAX: f64 = 1e12;
/// Least and largest ridge.
const RIDGES: core::ops::RangeInclusive<f64> = 1e-12..=1e12;
/// Least share that is kept: half of what is known lasts for one observation.
const FORGETTING_MIN: f64 = 0.5;

/// Most that the trace of `P` may be, in multiples of the start's.
const TRACE_GROWTH_MAX: f64 = 2.0;

/// Why a regression cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum RlsError {
    /// Too few or too many inputs.
    #[error("regression: {0} inputs, expected 1 to 64")]
    Inputs(usize),
    /// The share that is kept is not one.
    #[error("regression: the share kept must be from 0.5 to 1, not {0}")]
    Forgetting(f64),
    /// The ridge is too small, too large or not a number.
    #[error("regression: the ridge must be from 1e-12 to 1e12, not {0}")]
    Ridge(f64),
}

const _: () = assert!(RLS_INPUTS_MAX == 64, "as the error text says");

/// What is expected, and how far off it may be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The expected outcome.
    pub value: f64,
    /// Variance of the outcome around it, of noise and of what is not known of the weights; 0 before the first outcome.
    pub variance: f64,
}

/// The regression.
#[derive(Clone, Debug)]
pub struct Rls {
    forgetting: f64,
    ridge: f64,
    weights: Vec<f64>,
    /// `P`, by rows.
    matrix: Vec<f64>,
    gain: Vec<f64>,
    residual_sum: f64,
    /// Sum of the weights of all observations.
    weight: f64,
    refused_count: u64,
    reset_count: u64,
}

impl Rls {
    /// A regression that knows nothing: `forgetting` is the share of a weight that is kept (1 = all), `ridge` the pull of the weights
    /// towards zero, in units of squared inputs.
    ///
    /// # Errors
    /// A parameter is out of its range.
    pub fn new(input_count: usize, forgetting: f64, ridge: f64) -> Result<Self, RlsError> {
        if !(1..=RLS_INPUTS_MAX).contains(&input_count) {
            return Err(RlsError::Inputs(input_count));
        }
        if !(FORGETTING_MIN..=1.0).contains(&forgetting) {
            return Err(RlsError::Forgetting(forgetting));
        }
        if !RIDGES.contains(&ridge) {
            return Err(RlsError::Ridge(ridge));
        }
        let mut rls = Self {
            forgetting,
            ridge,
            weights: vec![0.0; input_count],
            matrix: vec![0.0; input_count * input_count],
            gain: vec![0.0; input_count],
            residual_sum: 0.0,
            weight: 0.0,
            refused_count: 0,
            reset_count: 0,
        };
        rls.forget_all();
        Ok(rls)
    }

    fn forget_all(&mut self) {
        let count = self.weights.len();
        self.weights.fill(0.0);
        self.matrix.fill(0.0);
        for index in 0..count {
            self.matrix[index * count + index] = 1.0 / self.ridge;
        }
        self.residual_sum = 0.0;
        self.weight = 0.0;
    }

    /// The weights, one an input.
    pub fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// Sum of the weights of all observations: how much is known.
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// Observations refused because a number was not finite, too large, or missing.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// How often rounding had made the state useless and it began anew.
    pub const fn reset_count(&self) -> u64 {
        self.reset_count
    }

    /// Variance of the noise: squared residuals over the freedom that is left.
    pub fn noise_variance(&self) -> f64 {
        let freedom = self.weight - self.weights.len() as f64;
        self.residual_sum / if freedom > 1.0 { freedom } else { 1.0 }
    }

    /// What follows from these inputs; `None` when they are too many, too few or not usable.
    pub fn predict(&self, inputs: &[f64]) -> Option<Prediction> {
        if !self.is_usable(inputs) {
            return None;
        }
        let count = inputs.len();
        let mut spread = 0.0;
        for (row, input) in inputs.iter().enumerate() {
            let row = &self.matrix[row * count..(row + 1) * count];
            spread += input * dot(row, inputs);
        }
        Some(self.prediction(inputs, spread))
    }

    fn prediction(&self, inputs: &[f64], spread: f64) -> Prediction {
        Prediction {
            value: dot(&self.weights, inputs),
            variance: self.noise_variance() * (1.0 + if spread > 0.0 { spread } else { 0.0 }),
        }
    }

    fn is_usable(&self, inputs: &[f64]) -> bool {
        inputs.len() == self.weights.len() && inputs.iter().all(|&input| is_value(input))
    }

    /// Learns from an outcome, and gives what was expected before it; `None`, and counted, when a number is not usable.
    pub fn update(&mut self, inputs: &[f64], outcome: f64) -> Option<Prediction> {
        if !self.is_usable(inputs) || !is_value(outcome) {
            self.refused_count += 1;
            return None;
        }
        let count = inputs.len();
        let mut spread = 0.0;
        for (row, input) in inputs.iter().enumerate() {
            self.gain[row] = dot(&self.matrix[row * count..(row + 1) * count], inputs);
            spread += input * self.gain[row];
        }
        let expected = self.prediction(inputs, spread);
        let kept = self.kept();
        if spread < 0.0 || !self.learn(outcome - expected.value, kept, kept + spread) {
            self.forget_all();
            self.reset_count += 1;
        }
        Some(expected)
    }

    /// What is kept in this step: everything, where forgetting would let the matrix wind up.
    fn kept(&self) -> f64 {
        let count = self.weights.len();
        let mut trace = 0.0;
        for index in 0..count {
            trace += self.matrix[index * count + index];
        }
        if trace / self.forgetting > TRACE_GROWTH_MAX * count as f64 / self.ridge {
            1.0
        } else {
            self.forgetting
        }
    }

    /// Moves weights and matrix; false when something is no longer finite.
    fn learn(&mut self, error: f64, kept: f64, divisor: f64) -> bool {
        let count = self.weights.len();
        let mut is_finite = true;
        for row in 0..count {
            let share = self.gain[row] / divisor;
            self.weights[row] += share * error;
            is_finite &= self.weights[row].is_finite();
            // One half is worked out and mirrored, so that rounding cannot make the halves differ.
            for column in row..count {
                let value = (self.matrix[row * count + column] - share * self.gain[column]) / kept;
                self.matrix[row * count + column] = value;
                self.matrix[column * count + row] = value;
                is_finite &= value.is_finite();
            }
            is_finite &= self.matrix[row * count + row] > 0.0;
        }
        self.residual_sum = kept * self.residual_sum + error * error * kept / divisor;
        self.weight = kept * self.weight + 1.0;
        is_finite && self.residual_sum.is_finite()
    }

    /// Writes the exact state; the parameters are not part of it.
    pub fn write(&self, out: &mut impl Sink) {
        out.length(self.weights.len());
        self.weights.iter().for_each(|&weight| out.f64(weight));
        let count = self.weights.len();
        for row in 0..count {
            for column in row..count {
                out.f64(self.matrix[row * count + column]);
            }
        }
        out.f64(self.residual_sum);
        out.f64(self.weight);
        out.u64(self.refused_count);
        out.u64(self.reset_count);
    }

    /// Reads what `write` wrote, into a regression with the same parameters.
    ///
    /// # Errors
    /// The bytes end, or hold what no regression of this size stores.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let count = from.length(RLS_INPUTS_MAX, 8)?;
        from.expect(count == self.weights.len(), "as many weights as inputs")?;
        for weight in &mut self.weights {
            *weight = finite(from)?;
        }
        for row in 0..count {
            for column in row..count {
                let value = finite(from)?;
                from.expect(row != column || value > 0.0, "positive variances")?;
                self.matrix[row * count + column] = value;
                self.matrix[column * count + row] = value;
            }
        }
        self.residual_sum = finite(from)?;
        self.weight = finite(from)?;
        let sums = [self.residual_sum, self.weight];
        from.expect(sums.iter().all(|&sum| sum >= 0.0), "sums of squares")?;
        self.refused_count = from.count()?;
        self.reset_count = from.count()?;
        Ok(())
    }
}

fn is_value(value: f64) -> bool {
    libm::fabs(value) <= RLS_VALUE_MAX
}

/// From the first to the last.
fn dot(first: &[f64], second: &[f64]) -> f64 {
    let mut sum = 0.0;
    for (first, second) in first.iter().zip(second) {
        sum += first * second;
    }
    sum
}

pub(super) fn finite(from: &mut Decoder<'_>) -> Result<f64, SnapshotError> {
    let value = from.f64()?;
    from.expect(value.is_finite(), "a finite number")?;
    Ok(value)
}
