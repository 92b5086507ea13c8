//! Prediction intervals that keep their coverage, whatever predicts and however the world drifts.
//!
//! Of the last residuals the sizes are kept. The half-width of an interval is their quantile at `1 - a`, and `a` follows what happened: a miss
//! makes it smaller, a hit larger,
//!
//! ```text
//!   a' = a + rate * (aim - missed)        aim = 1 - coverage, missed = 0 or 1
//! ```
//!
//! (adaptive conformal inference, Gibbs and Candes, arXiv 2106.00170). Where `a` is 0 or less every outcome counts as within, where it is 1 or more
//! none does; therefore, for *every* series, the share of misses over T outcomes differs from the aim by at most
//! `(max(aim, 1 - aim) + rate) / (rate * T)`. A property test holds it to that.
//!
//! Invariant: no interval is infinite. Where only one would do, there is none (`None`).

use alloc::vec::Vec;

use super::rls::finite;
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most residuals that are kept.
pub const INTERVAL_WINDOW_MAX: usize = 4096;
/// Least residuals that are kept.
const WINDOW_MIN: usize = 8;

/// Why intervals cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum IntervalsError {
    /// The coverage is no share strictly between 0 and 1.
    #[error("intervals: the coverage must be between 0 and 1, not {0}")]
    Coverage(f64),
    /// The rate is not positive, or 1 or more.
    #[error("intervals: the rate must be between 0 and 1, not {0}")]
    Rate(f64),
    /// Too few or too many residuals to keep.
    #[error("intervals: {0} residuals to keep, expected 8 to 4096")]
    Window(usize),
}

const _: () = assert!(
    WINDOW_MIN == 8 && INTERVAL_WINDOW_MAX == 4096,
    "as the error says"
);

/// Prediction intervals of one series.
#[derive(Clone, Debug)]
pub struct Intervals {
    aim: f64,
    rate: f64,
    window: usize,
    /// Sizes of the last residuals, in the order in which they came, from `oldest` around.
    sizes: Vec<f64>,
    oldest: usize,
    /// The same, by size.
    sorted: Vec<f64>,
    /// `a`.
    miss_share: f64,
    outcomes: u64,
    misses: u64,
    refused_count: u64,
}

impl Intervals {
    /// Intervals that shall hold `coverage` (0.9 = nine of ten) of all outcomes, adapting at `rate` (0.01 is usual) and looking at the last
    /// `window` residuals.
    ///
    /// # Errors
    /// A parameter is out of its range.
    pub fn new(coverage: f64, rate: f64, window: usize) -> Result<Self, IntervalsError> {
        if !(coverage > 0.0 && coverage < 1.0) {
            return Err(IntervalsError::Coverage(coverage));
        }
        if !(rate > 0.0 && rate < 1.0) {
            return Err(IntervalsError::Rate(rate));
        }
        if !(WINDOW_MIN..=INTERVAL_WINDOW_MAX).contains(&window) {
            return Err(IntervalsError::Window(window));
        }
        Ok(Self {
            aim: 1.0 - coverage,
            rate,
            window,
            sizes: Vec::with_capacity(window),
            oldest: 0,
            sorted: Vec::with_capacity(window),
            miss_share: 1.0 - coverage,
            outcomes: 0,
            misses: 0,
            refused_count: 0,
        })
    }

    /// How far from the prediction the interval reaches on both sides; `None` while too little is known to bound it.
    pub fn half_width(&self) -> Option<f64> {
        if self.miss_share >= 1.0 {
            return Some(0.0);
        }
        // The rank that makes the coverage exact for exchangeable residuals.
        let rank = libm::ceil((1.0 - self.miss_share) * (self.sorted.len() + 1) as f64);
        if rank < 1.0 {
            return Some(0.0);
        }
        self.sorted.get(rank as usize - 1).copied()
    }

    /// The interval around a prediction; `None` while too little is known to bound it.
    pub fn around(&self, prediction: f64) -> Option<(f64, f64)> {
        let half_width = self.half_width()?;
        let (least, greatest) = (prediction - half_width, prediction + half_width);
        (least.is_finite() && greatest.is_finite()).then_some((least, greatest))
    }

    /// Takes in how far the outcome was from the prediction. Whether it was within the interval; `None`, and counted, for a residual that is
    /// no finite number.
    pub fn update(&mut self, residual: f64) -> Option<bool> {
        if !residual.is_finite() {
            self.refused_count += 1;
            return None;
        }
        let size = libm::fabs(residual);
        let is_within = self.miss_share < 1.0 && self.half_width().is_none_or(|half| size <= half);
        self.outcomes += 1;
        self.misses += u64::from(!is_within);
        let missed = if is_within { 0.0 } else { 1.0 };
        self.miss_share += self.rate * (self.aim - missed);
        self.keep(size);
        Some(is_within)
    }

    fn keep(&mut self, size: f64) {
        if self.sizes.len() < self.window {
            self.sizes.push(size);
        } else {
            let gone = core::mem::replace(&mut self.sizes[self.oldest], size);
            self.oldest = (self.oldest + 1) % self.window;
            let place = self.sorted.partition_point(|&other| other < gone);
            self.sorted.remove(place);
        }
        let place = self.sorted.partition_point(|&other| other < size);
        self.sorted.insert(place, size);
    }

    /// Outcomes taken in.
    pub const fn outcomes(&self) -> u64 {
        self.outcomes
    }

    /// Outcomes that were not within their interval.
    pub const fn misses(&self) -> u64 {
        self.misses
    }

    /// Share of the outcomes that were within; 0 before the first.
    pub fn coverage(&self) -> f64 {
        if self.outcomes == 0 {
            return 0.0;
        }
        1.0 - self.misses as f64 / self.outcomes as f64
    }

    /// Residuals refused because they were no finite number.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Writes the exact state; the parameters are not part of it.
    pub fn write(&self, out: &mut impl Sink) {
        out.length(self.sizes.len());
        let (before, from_oldest) = self.sizes.split_at(self.oldest);
        for &size in from_oldest.iter().chain(before) {
            out.f64(size);
        }
        out.f64(self.miss_share);
        out.u64(self.outcomes);
        out.u64(self.misses);
        out.u64(self.refused_count);
    }

    /// Reads what `write` wrote, into intervals with the same parameters.
    ///
    /// # Errors
    /// The bytes end, or hold what no intervals store.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let count = from.length(self.window, 8)?;
        self.sizes.clear();
        self.sorted.clear();
        self.oldest = 0;
        for _ in 0..count {
            let size = finite(from)?;
            from.expect(size >= 0.0, "sizes of residuals")?;
            self.keep(size);
        }
        self.miss_share = finite(from)?;
        self.outcomes = from.count()?;
        self.misses = from.count()?;
        from.expect(self.misses <= self.outcomes, "no more misses than outcomes")?;
        self.refused_count = from.count()?;
        Ok(())
    }
}
