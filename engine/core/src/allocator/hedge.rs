//! Hedge with fixed share: weights over experts whose mixture does hardly worse than the best of them, whatever happens.
//!
//! ```text
//!   weight_i = weight_i * exp(-eta * loss_i)                    what was good gains (Freund and Schapire 1997)
//!   weight_i = (1 - alpha) * weight_i / sum + alpha / N         nobody is given up (Herbster and Warmuth 1998)
//! ```
//!
//! For losses in [0, 1] the mixture's loss exceeds that of the best fixed expert after `T` updates by at most
//!
//! ```text
//!   (ln N + (T - 1) ln(1 / (1 - alpha))) / eta  +  eta T / 8
//! ```
//!
//! for *every* sequence, one chosen by somebody who sees the weights included (Cesa-Bianchi and Lugosi 2006, theorem
//! 5.2 without switches). With alpha 0 and eta `sqrt(8 ln N / T)` that is `sqrt(T ln N / 2)`. A bound that is broken
//! means a defect of this code, so it is worth asserting.
//!
//! Invariants: weights are at least `WEIGHT_MIN` before they are normalised, finite, and sum to 1 but for rounding; sums
//! run in the order of the experts.

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most experts.
pub const EXPERTS_MAX: usize = 16;
/// A weight that has shrunk below this stays here instead of underflowing to 0, from where no expert returns. It costs the
/// bound less than 10^-280 over any run.
const WEIGHT_MIN: f64 = 1e-300;
/// What rounding may add to the regret: a part that is fixed and one an update.
const ROUNDING: f64 = 1e-9;
const ROUNDING_PER_UPDATE: f64 = 1e-13;

/// Why the weights cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum HedgeError {
    /// No expert, or too many.
    #[error("{0} experts, expected 1 to 16")]
    ExpertCount(usize),
    /// The learning rate makes no sense.
    #[error("eta must be positive and at most 100, not {0}")]
    Eta(f64),
    /// The share makes no sense.
    #[error("switch_share must be at least 0 and less than 1, not {0}")]
    SwitchShare(f64),
}

const _: () = assert!(EXPERTS_MAX == 16, "as the error text says");
/// Largest learning rate: one update at most takes a weight to e^-100 of another.
const ETA_MAX: f64 = 100.0;

/// Weights over experts; see the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Hedge {
    count: usize,
    eta: f64,
    switch_share: f64,
    weights: [f64; EXPERTS_MAX],
    /// Mixture's loss minus that of each expert, so far. Kept as differences: the largest, which matters, stays small
    /// and so does its rounding.
    regrets: [f64; EXPERTS_MAX],
    mixture_loss: f64,
    updates: u64,
    refused_count: u64,
}

impl Hedge {
    /// Equal weights over `count` experts.
    ///
    /// # Errors
    /// When a parameter makes no sense.
    pub fn new(count: usize, eta: f64, switch_share: f64) -> Result<Self, HedgeError> {
        if !(1..=EXPERTS_MAX).contains(&count) {
            return Err(HedgeError::ExpertCount(count));
        }
        if !(eta > 0.0 && eta <= ETA_MAX) {
            return Err(HedgeError::Eta(eta));
        }
        if !(0.0..1.0).contains(&switch_share) {
            return Err(HedgeError::SwitchShare(switch_share));
        }
        let mut weights = [0.0; EXPERTS_MAX];
        weights[..count].fill(1.0 / count as f64);
        Ok(Self {
            count,
            eta,
            switch_share,
            weights,
            regrets: [0.0; EXPERTS_MAX],
            mixture_loss: 0.0,
            updates: 0,
            refused_count: 0,
        })
    }

    /// The learning rate that is best when there will be `updates` updates: `sqrt(8 ln N / T)`.
    pub fn eta_for(count: usize, updates: u64) -> f64 {
        libm::sqrt(8.0 * libm::log(count as f64) / updates as f64)
    }

    /// Takes one loss an expert. A loss outside [0, 1] counts as the nearer end; an update of another length, or with
    /// a loss that is not a number, is refused as a whole and returns false. Both are counted.
    pub fn update(&mut self, losses: &[f64]) -> bool {
        if losses.len() != self.count || losses.iter().any(|loss| loss.is_nan()) {
            self.refused_count += 1;
            return false;
        }
        let mut taken = [0.0; EXPERTS_MAX];
        let mut mixture = 0.0;
        for (index, loss) in losses.iter().enumerate() {
            taken[index] = loss.clamp(0.0, 1.0);
            self.refused_count += u64::from(!(0.0..=1.0).contains(loss));
            mixture += self.weights[index] * taken[index];
        }
        self.mixture_loss += mixture;
        self.updates += 1;
        let mut sum = 0.0;
        for (index, loss) in taken[..self.count].iter().enumerate() {
            self.regrets[index] += mixture - loss;
            let weight = self.weights[index] * libm::exp(-self.eta * loss);
            self.weights[index] = weight.max(WEIGHT_MIN);
            sum += self.weights[index];
        }
        let even = self.switch_share / self.count as f64;
        for weight in &mut self.weights[..self.count] {
            *weight = (1.0 - self.switch_share) * (*weight / sum) + even;
        }
        true
    }

    /// One weight an expert; they sum to 1 but for rounding.
    pub fn weights(&self) -> &[f64] {
        &self.weights[..self.count]
    }

    /// Sum of the losses of the mixture so far.
    pub const fn mixture_loss(&self) -> f64 {
        self.mixture_loss
    }

    /// What the mixture lost more than the best fixed expert so far; below 0 when it did better than all.
    pub fn regret(&self) -> f64 {
        let regrets = self.regrets[..self.count].iter().copied();
        regrets.fold(f64::NEG_INFINITY, f64::max)
    }

    /// What the regret can be at most after the updates so far, whatever the losses were.
    pub fn bound(&self) -> f64 {
        if self.updates == 0 {
            return 0.0;
        }
        let updates = self.updates as f64;
        let switching = -(updates - 1.0) * libm::log1p(-self.switch_share);
        (libm::log(self.count as f64) + switching) / self.eta + self.eta * updates / 8.0
    }

    /// Whether the regret is within its bound, but for rounding. It always is; assert it after every update.
    pub fn is_within_bound(&self) -> bool {
        let rounding = ROUNDING + ROUNDING_PER_UPDATE * self.updates as f64;
        self.regret() <= self.bound() + rounding
    }

    /// Updates taken.
    pub const fn updates(&self) -> u64 {
        self.updates
    }

    /// Updates refused, and losses that were outside [0, 1].
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Writes the exact state; the parameters are configuration.
    pub fn write(&self, out: &mut impl Sink) {
        out.length(self.count);
        for index in 0..self.count {
            out.f64(self.weights[index]);
            out.f64(self.regrets[index]);
        }
        out.f64(self.mixture_loss);
        out.u64(self.updates);
        out.u64(self.refused_count);
    }

    /// Reads what `write` wrote, into one of as many experts.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let count = from.length(EXPERTS_MAX, 16)?;
        from.expect(count == self.count, "a weight of every expert")?;
        for index in 0..count {
            let weight = from.finite()?;
            let is_weight = weight > 0.0 && weight <= 1.0 + ROUNDING;
            from.expect(is_weight, "a weight above 0, at most 1")?;
            self.weights[index] = weight;
            self.regrets[index] = from.finite()?;
        }
        self.mixture_loss = from.finite()?;
        self.updates = from.count()?;
        self.refused_count = from.count()?;
        Ok(())
    }
}
