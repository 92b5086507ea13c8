//! The matched filter that a pair's correlations at all lags are looked at through.

use super::config::LAG_COUNT_MAX;

/// Lags to each side that a contrast adds up.
const KERNEL_REACH: usize = 3;
const KERNEL_SIZE: usize = 2 * KERNEL_REACH + 1;
/// Largest share of empty rows that a kernel follows: rarer quotes smear a peak beyond its reach anyway.
pub(super) const EMPTY_SHARE_MAX: f64 = 0.9;
/// Overlap of two kernels below which their contrasts count as unrelated.
pub(super) const OVERLAP_MIN: f64 = 0.05;
/// Room for all lags, with zeros at both ends for the kernel.
pub(super) const CURVE: usize = 2 * (LAG_COUNT_MAX + KERNEL_REACH) + 1;

/// Where a lag stands in a curve.
pub(super) const fn place_of(lag: i32) -> usize {
    (lag + (LAG_COUNT_MAX + KERNEL_REACH) as i32) as usize
}

/// What late prices make of one sharp peak. A price at the end of a row is `n` rows old with the share of empty rows to the
/// power of `n`, so the second's lateness smears a peak to later lags and the first's to earlier ones. Laid over a curve
/// it is the matched filter: it gathers a peak's strength and, unlike the largest single lag or a symmetric mean, is not
/// drawn towards the series that is quoted less often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel {
    /// Their squares add up to one.
    weights: [f64; KERNEL_SIZE],
    /// Correlation of two contrasts so many lags apart, for white series.
    pub(super) overlaps: [f64; KERNEL_SIZE],
}

impl Kernel {
    /// For the shares of empty rows of the first and the second.
    pub(super) fn new(empty_shares: [f64; 2]) -> Self {
        let mut weights = [1.0; KERNEL_SIZE];
        for ago in 1..=KERNEL_REACH {
            weights[KERNEL_REACH - ago] = weights[KERNEL_REACH - ago + 1] * empty_shares[0];
            weights[KERNEL_REACH + ago] = weights[KERNEL_REACH + ago - 1] * empty_shares[1];
        }
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        let unit = 1.0 / libm::sqrt(squares);
        weights.iter_mut().for_each(|weight| *weight *= unit);
        let mut overlaps = [0.0; KERNEL_SIZE];
        for (apart, overlap) in overlaps.iter_mut().enumerate() {
            for (one, other) in weights.iter().zip(&weights[apart..]) {
                *overlap += one * other;
            }
        }
        Self { weights, overlaps }
    }

    /// The contrast at a lag: the kernel laid over the curve.
    pub(super) fn contrast(&self, curve: &[f64; CURVE], lag: i32) -> f64 {
        let start = place_of(lag) - KERNEL_REACH;
        let mut sum = 0.0;
        for (weight, value) in self.weights.iter().zip(&curve[start..]) {
            sum += weight * value;
        }
        sum
    }

    /// Standard deviation of the difference of two contrasts so many lags apart, in those of one.
    pub(super) fn difference(&self, apart: usize) -> f64 {
        let overlap = self.overlaps.get(apart).copied().unwrap_or(0.0);
        libm::sqrt((2.0 - 2.0 * overlap).max(0.0))
    }
}
