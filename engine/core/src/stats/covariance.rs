//! Covariance of two series, and of all pairs of many.

use alloc::{vec, vec::Vec};

use super::{StatsError, correlation_of, is_usable, share_of_half_life};
use crate::{
    hash::StateHasher,
    snapshot::{Decoder, Encoder, Sink, SnapshotError},
};

/// Most series of one `EwmaCovariance`: one an instrument.
pub const SERIES_MAX: usize = 128;

/// Moments of two series observed together. The share of an observation comes from the caller.
#[derive(Clone, Copy, Debug, Default)]
pub struct EwmaPair {
    means: [f64; 2],
    variances: [f64; 2],
    covariance: f64,
}

impl EwmaPair {
    /// Takes one observation of both with this share of the weight; the first one must take all of it, 1. The caller
    /// sees to it that values are usable.
    #[inline]
    pub fn update(&mut self, first: f64, second: f64, share: f64) {
        let kept = 1.0 - share;
        let changes = [first - self.means[0], second - self.means[1]];
        for (index, change) in changes.into_iter().enumerate() {
            self.means[index] += share * change;
            self.variances[index] = kept * (self.variances[index] + share * change * change);
        }
        self.covariance = kept * (self.covariance + share * changes[0] * changes[1]);
    }

    /// The covariance.
    pub const fn covariance(&self) -> f64 {
        self.covariance
    }

    /// Both variances.
    pub const fn variances(&self) -> [f64; 2] {
        self.variances
    }

    /// The correlation, -1 to 1; 0 while either variance is 0.
    pub fn correlation(&self) -> f64 {
        correlation_of(self.covariance, self.variances[0], self.variances[1])
    }

    /// How much the second moves when the first moves by 1; 0 while the first's variance is 0.
    pub fn slope(&self) -> f64 {
        if self.variances[0] > 0.0 {
            self.covariance / self.variances[0]
        } else {
            0.0
        }
    }

    /// Writes the exact state into a snapshot or a hash.
    pub fn write(&self, out: &mut impl Sink) {
        self.values().into_iter().for_each(|value| out.f64(value));
    }

    /// Writes the exact state.
    pub fn save(&self, out: &mut Encoder) {
        self.write(out);
    }

    /// Reads what `save` wrote.
    ///
    /// # Errors
    /// The bytes end.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        *self = Self {
            means: [from.f64()?, from.f64()?],
            variances: [from.f64()?, from.f64()?],
            covariance: from.f64()?,
        };
        Ok(())
    }

    /// Folds in the exact state.
    pub fn digest(&self, hasher: &mut StateHasher) {
        self.write(hasher);
    }

    /// All fields, in their order.
    const fn values(&self) -> [f64; 5] {
        let [mean_first, mean_second] = self.means;
        let [variance_first, variance_second] = self.variances;
        [
            mean_first,
            mean_second,
            variance_first,
            variance_second,
            self.covariance,
        ]
    }
}

/// Covariances of all pairs of up to `SERIES_MAX` series that are sampled together.
///
/// The lower triangle is stored row after row: (0,0), (1,0), (1,1), (2,0), ... Each entry is a recursion of its own,
/// so the order of the entries does not enter the bits, and a compiler may do several at once.
#[derive(Clone, Debug)]
pub struct EwmaCovariance {
    share: f64,
    means: Vec<f64>,
    /// Changes of the sample at hand; kept to avoid an allocation, not part of the state.
    changes: Vec<f64>,
    triangle: Vec<f64>,
    count: u64,
    refused_count: u64,
}

impl EwmaCovariance {
    /// No sample yet; weights halve every `half_life_samples` samples.
    ///
    /// # Errors
    /// When there are no series or more than `SERIES_MAX`, or the half-life is not positive and finite.
    pub fn new(series_count: usize, half_life_samples: f64) -> Result<Self, StatsError> {
        if series_count == 0 || series_count > SERIES_MAX {
            return Err(StatsError::SeriesCount(series_count));
        }
        Ok(Self {
            share: share_of_half_life(half_life_samples)?,
            means: vec![0.0; series_count],
            changes: vec![0.0; series_count],
            triangle: vec![0.0; row_start(series_count)],
            count: 0,
            refused_count: 0,
        })
    }

    /// Takes one sample of all series, in their order. A sample of another length or with an unusable value
    /// is refused whole and counted.
    pub fn update(&mut self, sample: &[f64]) {
        if sample.len() != self.means.len() || !sample.iter().all(|value| is_usable(*value)) {
            self.refused_count += 1;
            return;
        }
        let share = if self.count == 0 { 1.0 } else { self.share };
        let kept = 1.0 - share;
        for ((change, mean), value) in self.changes.iter_mut().zip(&mut self.means).zip(sample) {
            *change = value - *mean;
            *mean += share * *change;
        }
        let mut rest = self.triangle.as_mut_slice();
        for row in 0..self.changes.len() {
            let (entries, after) = rest.split_at_mut(row + 1);
            let scaled = share * self.changes[row];
            for (entry, change) in entries.iter_mut().zip(&self.changes) {
                *entry = kept * (*entry + scaled * change);
            }
            rest = after;
        }
        self.count += 1;
    }

    /// Share of a sample in the estimate.
    pub(crate) const fn share(&self) -> f64 {
        self.share
    }

    /// How many series.
    pub const fn series_count(&self) -> usize {
        self.means.len()
    }

    /// How many samples were taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Samples refused: wrong length, or an unusable value.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// The mean of a series; 0 for one that does not exist.
    pub fn mean(&self, series: usize) -> f64 {
        self.means.get(series).copied().unwrap_or(0.0)
    }

    /// The covariance of two series, in either order; the variance for the same one twice; 0 for one that does not
    /// exist.
    pub fn covariance(&self, first: usize, second: usize) -> f64 {
        let (row, column) = if first < second {
            (second, first)
        } else {
            (first, second)
        };
        let entry = self.triangle.get(row_start(row) + column);
        entry.copied().unwrap_or(0.0)
    }

    /// The correlation of two series, -1 to 1; 0 while either variance is 0, or for a series that does not exist.
    pub fn correlation(&self, first: usize, second: usize) -> f64 {
        correlation_of(
            self.covariance(first, second),
            self.covariance(first, first),
            self.covariance(second, second),
        )
    }

    /// Writes the exact state; its share is a parameter and its size is the reader's.
    pub fn save(&self, out: &mut Encoder) {
        out.u64(self.count);
        out.u64(self.refused_count);
        for value in self.means.iter().chain(&self.triangle) {
            out.f64(*value);
        }
    }

    /// Reads what one of as many series wrote.
    ///
    /// # Errors
    /// The bytes end, or a count cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.count = from.count()?;
        self.refused_count = from.count()?;
        for value in self.means.iter_mut().chain(&mut self.triangle) {
            *value = from.f64()?;
        }
        Ok(())
    }

    /// Folds in the exact state.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.float(self.share);
        hasher.word(self.means.len() as u64);
        self.means.iter().for_each(|mean| hasher.float(*mean));
        self.triangle.iter().for_each(|entry| hasher.float(*entry));
        hasher.word(self.count);
        hasher.word(self.refused_count);
    }
}

/// Where a row of the triangle starts.
const fn row_start(row: usize) -> usize {
    // Rows beyond any real one must not overflow.
    row.saturating_mul(row.saturating_add(1)) / 2
}
