//! Mean and variance of one series, fading by time or by observation.

use super::{StatsError, is_usable, share_of_half_life};
use crate::{
    hash::StateHasher,
    snapshot::{Decoder, Encoder, Sink, SnapshotError},
};

/// Mean and variance as of now, and the recursion that moves them.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    mean: f64,
    variance: f64,
}

impl Moments {
    #[inline]
    fn update(&mut self, value: f64, share: f64) {
        let change = value - self.mean;
        self.mean += share * change;
        self.variance = (1.0 - share) * (self.variance + share * change * change);
    }

    fn z_score(&self, value: f64) -> f64 {
        let deviation = libm::sqrt(self.variance);
        if deviation > 0.0 {
            (value - self.mean) / deviation
        } else {
            0.0
        }
    }

    fn digest(&self, hasher: &mut StateHasher) {
        hasher.float(self.mean);
        hasher.float(self.variance);
    }

    fn save(&self, out: &mut Encoder) {
        out.f64(self.mean);
        out.f64(self.variance);
    }

    fn load(from: &mut Decoder<'_>) -> Result<Self, SnapshotError> {
        Ok(Self {
            mean: from.f64()?,
            variance: from.f64()?,
        })
    }
}

/// Mean and variance in event time: an observation's weight halves with every half-life that passes.
///
/// An observation enters with weight 1 and the sum of all weights is kept, so that the first observations count fully
/// and several at one moment count alike (`ewm(halflife, times)` of pandas).
#[derive(Clone, Copy, Debug)]
pub struct Ewma {
    half_life_ns: f64,
    moments: Moments,
    weight: f64,
    refused_count: u64,
}

impl Ewma {
    /// No observation yet.
    ///
    /// # Errors
    /// When the half-life is not positive.
    pub fn new(half_life_ns: i64) -> Result<Self, StatsError> {
        let half_life_ns = half_life_ns as f64;
        if half_life_ns <= 0.0 {
            return Err(StatsError::HalfLife(half_life_ns));
        }
        Ok(Self {
            half_life_ns,
            moments: Moments::default(),
            weight: 0.0,
            refused_count: 0,
        })
    }

    /// Takes an observation made `elapsed_ns` after the one before; less than 0 counts as 0. The first one's does not
    /// matter. A refused one still lets its time pass.
    #[inline]
    pub fn update(&mut self, value: f64, elapsed_ns: i64) {
        self.weight *= self.decay(elapsed_ns);
        if !is_usable(value) {
            self.refused_count += 1;
            return;
        }
        self.weight += 1.0;
        self.moments.update(value, 1.0 / self.weight);
    }

    /// What is left of a weight after this time.
    #[inline]
    pub fn decay(&self, elapsed_ns: i64) -> f64 {
        libm::exp2(-(elapsed_ns.max(0) as f64) / self.half_life_ns)
    }

    /// The mean; 0 before the first observation.
    pub const fn mean(&self) -> f64 {
        self.moments.mean
    }

    /// The variance; 0 before the second observation.
    pub const fn variance(&self) -> f64 {
        self.moments.variance
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        libm::sqrt(self.moments.variance)
    }

    /// How many deviations a value is above the mean; 0 while the deviation is 0.
    pub fn z_score(&self, value: f64) -> f64 {
        self.moments.z_score(value)
    }

    /// The sum of the weights of all observations as of the last update: how much is known.
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// Observations refused because they were NaN or beyond `VALUE_MAX`.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Folds in the exact state.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.float(self.half_life_ns);
        self.moments.digest(hasher);
        hasher.float(self.weight);
        hasher.word(self.refused_count);
    }

    /// Writes the exact state; the half-life is a parameter.
    pub fn save(&self, out: &mut Encoder) {
        self.write(out);
    }

    /// Writes the exact state into a snapshot or a hash of the state; `load` reads it.
    pub fn write(&self, out: &mut impl Sink) {
        out.f64(self.moments.mean);
        out.f64(self.moments.variance);
        out.f64(self.weight);
        out.u64(self.refused_count);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// The bytes end, or a count cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.moments = Moments::load(from)?;
        self.weight = from.f64()?;
        self.refused_count = from.count()?;
        Ok(())
    }
}

/// Mean and variance by observation: each takes the same share of the weight, the first one all of it.
#[derive(Clone, Copy, Debug)]
pub struct SampleEwma {
    share: f64,
    moments: Moments,
    count: u64,
    refused_count: u64,
}

impl SampleEwma {
    /// No observation yet; weights halve every `half_life_samples` observations.
    ///
    /// # Errors
    /// When the half-life is not positive and finite.
    pub fn new(half_life_samples: f64) -> Result<Self, StatsError> {
        Ok(Self {
            share: share_of_half_life(half_life_samples)?,
            moments: Moments::default(),
            count: 0,
            refused_count: 0,
        })
    }

    /// Takes an observation.
    #[inline]
    pub fn update(&mut self, value: f64) {
        if !is_usable(value) {
            self.refused_count += 1;
            return;
        }
        let share = if self.count == 0 { 1.0 } else { self.share };
        self.moments.update(value, share);
        self.count += 1;
    }

    /// The mean; 0 before the first observation.
    pub const fn mean(&self) -> f64 {
        self.moments.mean
    }

    /// The variance; 0 before the second observation.
    pub const fn variance(&self) -> f64 {
        self.moments.variance
    }

    /// The standard deviation.
    pub fn deviation(&self) -> f64 {
        libm::sqrt(self.moments.variance)
    }

    /// How many deviations a value is above the mean; 0 while the deviation is 0.
    pub fn z_score(&self, value: f64) -> f64 {
        self.moments.z_score(value)
    }

    /// How many observations were taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Observations refused because they were NaN or beyond `VALUE_MAX`.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Folds in the exact state.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.float(self.share);
        self.moments.digest(hasher);
        hasher.word(self.count);
        hasher.word(self.refused_count);
    }

    /// Writes the exact state; the share is a parameter.
    pub fn save(&self, out: &mut Encoder) {
        self.moments.save(out);
        out.u64(self.count);
        out.u64(self.refused_count);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// The bytes end, or a count cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.moments = Moments::load(from)?;
        self.count = from.count()?;
        self.refused_count = from.count()?;
        Ok(())
    }
}
