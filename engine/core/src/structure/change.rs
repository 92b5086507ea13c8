//! Whether something has changed.
//!
//! - `Cusum`: the two-sided cumulative sum of Page (1954, Biometrika 41): cheapest, and it says in which direction.
//! - `RunLengths`: the Bayesian online detection of Adams and MacKay (2007, arXiv 0710.3742): how likely each length of the
//!   run since the last change is, for Gaussian observations of unknown mean and variance (normal-inverse-gamma prior).

use alloc::{vec, vec::Vec};

use super::persist::{is_usable, load_float, load_floats, load_weight, write_floats};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Longest run that is told apart; what is longer is dropped and the rest scaled up.
pub const RUN_MAX: usize = 200;

/// Direction of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// The mean went up.
    Up,
    /// The mean went down.
    Down,
}

/// Sums of how far observations lie beyond `drift` on each side; an alarm begins anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cusum {
    drift: f64,
    threshold: f64,
    sums: [f64; 2],
    alarm_count: u64,
    refused_count: u64,
}

impl Cusum {
    /// For observations of mean 0; none unless `drift` is at least 0 and `threshold` above 0.
    pub fn new(drift: f64, threshold: f64) -> Option<Self> {
        let is_met = drift >= 0.0 && is_usable(drift) && threshold > 0.0 && is_usable(threshold);
        is_met.then_some(Self {
            drift,
            threshold,
            sums: [0.0; 2],
            alarm_count: 0,
            refused_count: 0,
        })
    }

    /// Takes an observation. An unusable one is refused and counted.
    pub fn update(&mut self, value: f64) -> Option<Shift> {
        if !is_usable(value) {
            self.refused_count += 1;
            return None;
        }
        self.sums[0] = (self.sums[0] + value - self.drift).max(0.0);
        self.sums[1] = (self.sums[1] - value - self.drift).max(0.0);
        let shift = if self.sums[0] > self.threshold {
            Shift::Up
        } else if self.sums[1] > self.threshold {
            Shift::Down
        } else {
            return None;
        };
        self.sums = [0.0; 2];
        self.alarm_count += 1;
        Some(shift)
    }

    /// Both sums: upwards, downwards.
    pub const fn sums(&self) -> [f64; 2] {
        self.sums
    }

    /// Alarms so far.
    pub const fn alarm_count(&self) -> u64 {
        self.alarm_count
    }

    /// Observations refused.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Writes the exact state; drift and threshold are parameters.
    pub fn write(&self, out: &mut impl Sink) {
        write_floats(out, &self.sums);
        out.u64(self.alarm_count);
        out.u64(self.refused_count);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for sum in &mut self.sums {
            *sum = load_weight(from)?;
        }
        self.alarm_count = from.count()?;
        self.refused_count = from.count()?;
        Ok(())
    }
}

/// Belief about mean and variance before any observation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prior {
    /// Mean of the mean.
    pub mean: f64,
    /// Observations that this mean counts for; positive.
    pub mean_weight: f64,
    /// Shape of the inverse gamma distribution of the variance; positive.
    pub shape: f64,
    /// Its scale; positive.
    pub scale: f64,
}

/// Chances of all run lengths from 0 to `RUN_MAX`.
#[derive(Clone, Debug)]
pub struct RunLengths {
    hazard: f64,
    prior: Prior,
    /// Logarithm of what the density of Student's distribution has before its power, less the scale: by run length.
    constants: Vec<f64>,
    chances: Vec<f64>,
    means: Vec<f64>,
    scales: Vec<f64>,
    /// How many run lengths have a chance: all below it.
    known: usize,
    refused_count: u64,
}

impl RunLengths {
    /// For changes every `run` observations on average; none unless that is above 1 and the prior makes sense.
    pub fn new(run: f64, prior: Prior) -> Option<Self> {
        let positives = [prior.mean_weight, prior.shape, prior.scale];
        let is_sound = run > 1.0
            && is_usable(run)
            && is_usable(prior.mean)
            && positives
                .iter()
                .all(|value| *value >= 1e-100 && is_usable(*value));
        if !is_sound {
            return None;
        }
        let constant = |length: usize| {
            let shape = prior.shape + 0.5 * length as f64;
            libm::lgamma(shape + 0.5)
                - libm::lgamma(shape)
                - 0.5 * libm::log(2.0 * core::f64::consts::PI)
        };
        let mut lengths = Self {
            hazard: 1.0 / run,
            prior,
            constants: (0..=RUN_MAX).map(constant).collect(),
            chances: vec![0.0; RUN_MAX + 1],
            means: vec![prior.mean; RUN_MAX + 1],
            scales: vec![prior.scale; RUN_MAX + 1],
            known: 1,
            refused_count: 0,
        };
        lengths.chances[0] = 1.0;
        Some(lengths)
    }

    /// Takes an observation. An unusable one is refused and counted.
    pub fn update(&mut self, value: f64) {
        if !is_usable(value) {
            self.refused_count += 1;
            return;
        }
        let (mut changed, mut total) = (0.0, 0.0);
        // From the longest down, so that each moves up into a place that was already read.
        for length in (0..self.known).rev() {
            let joint = self.chances[length] * libm::exp(self.log_density(length, value));
            changed += joint * self.hazard;
            if length < RUN_MAX {
                self.chances[length + 1] = joint * (1.0 - self.hazard);
                total += self.chances[length + 1];
                self.learn(length, value);
            }
        }
        self.chances[0] = changed;
        self.means[0] = self.prior.mean;
        self.scales[0] = self.prior.scale;
        self.known = (self.known + 1).min(RUN_MAX + 1);
        total += changed;
        if total > f64::MIN_POSITIVE {
            let known = &mut self.chances[..self.known];
            known.iter_mut().for_each(|chance| *chance /= total);
        } else {
            // No run explains this value: a new one begins.
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.chances.fill(0.0);
        self.chances[0] = 1.0;
        self.known = 1;
    }

    /// Logarithm of the predictive density of a run of this length.
    fn log_density(&self, length: usize, value: f64) -> f64 {
        let weight = self.prior.mean_weight + length as f64;
        let shape = self.prior.shape + 0.5 * length as f64;
        let spread = self.scales[length] * (weight + 1.0) / weight;
        let distance = value - self.means[length];
        let excess = distance * distance / (2.0 * spread);
        self.constants[length] - 0.5 * libm::log(spread) - (shape + 0.5) * libm::log1p(excess)
    }

    /// What a run of this length becomes with the observation.
    fn learn(&mut self, length: usize, value: f64) {
        let weight = self.prior.mean_weight + length as f64;
        let distance = value - self.means[length];
        self.scales[length + 1] =
            self.scales[length] + weight * distance * distance / (2.0 * (weight + 1.0));
        self.means[length + 1] = self.means[length] + distance / (weight + 1.0);
    }

    /// Chance of each run length that has one, from 0.
    pub fn chances(&self) -> &[f64] {
        &self.chances[..self.known]
    }

    /// Chance that the run is shorter than this.
    pub fn shorter_than(&self, length: usize) -> f64 {
        self.chances[..self.known.min(length)].iter().sum()
    }

    /// The most likely run length, the shortest among equals.
    pub fn most_likely(&self) -> usize {
        let mut best = 0;
        for length in 1..self.known {
            if self.chances[length] > self.chances[best] {
                best = length;
            }
        }
        best
    }

    /// Observations refused.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Writes the exact state; hazard and prior are parameters.
    pub fn write(&self, out: &mut impl Sink) {
        out.length(self.known);
        write_floats(out, &self.chances[..self.known]);
        write_floats(out, &self.means[..self.known]);
        write_floats(out, &self.scales[..self.known]);
        out.u64(self.refused_count);
    }

    /// Reads what one of the same parameters wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.known = from.length(RUN_MAX + 1, 24)?;
        from.expect(self.known > 0, "at least one run length")?;
        self.chances.fill(0.0);
        for chance in &mut self.chances[..self.known] {
            *chance = load_float(from)?;
            from.expect((0.0..=1.0).contains(chance), "a chance from 0 to 1")?;
        }
        load_floats(from, &mut self.means[..self.known])?;
        for scale in &mut self.scales[..self.known] {
            *scale = load_float(from)?;
            from.expect(*scale > 0.0, "a positive scale")?;
        }
        self.refused_count = from.count()?;
        Ok(())
    }
}
