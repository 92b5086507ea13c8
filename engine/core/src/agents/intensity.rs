//! How readily quotes are filled the further they lie from the mid: `A exp(-k distance)` fills a second, measured.
//!
//! Every trade prints at some distance from the mid of its moment, in buckets of equal width whose counts fade with time.
//! If trades come as the model says, bucket `j` of width `w` sees `A (1 - exp(-k w)) exp(-k j w)` of them a second: its
//! logarithm falls in a straight line, and a line is what is fitted. A count `n` has the variance `n`, so its logarithm
//! has about `1 / n`: buckets are weighed by their counts, and those with too few for a logarithm are left out.
//!
//! `A` is the rate of one side: both sides are counted together and halved.
//!
//! Invariant: what is kept is finite; what is fitted is within its bounds.

use core::f64::consts::LN_2;

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Buckets of distance.
pub const DISTANCE_BUCKETS: usize = 16;
/// Fewest trades, fading, in a bucket that takes part in the fit.
const COUNT_MIN: f64 = 5.0;
/// Fewest buckets for a line.
const BUCKETS_MIN: usize = 2;
/// The shortest time that counts as observed.
const OBSERVED_S_MIN: f64 = 1.0;
const NS_PER_SECOND: f64 = 1e9;

/// Parameters of the measurement. Distances are in any one unit of price.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntensityConfig {
    /// Width of a bucket.
    pub bucket_width: f64,
    /// Half-life of a trade's weight.
    pub half_life_s: f64,
    /// Bounds of `k`, per unit of price.
    pub k_min: f64,
    /// See `k_min`.
    pub k_max: f64,
    /// Largest `A`, trades a second on one side.
    pub arrival_rate_max: f64,
}

/// Why a measurement cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum IntensityError {
    /// A parameter that must be positive is not.
    #[error("intensity: {name} must be positive and finite, not {value}")]
    Parameter {
        /// Which parameter.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// The bounds are the wrong way round.
    #[error("intensity: k_min ({k_min}) is above k_max ({k_max})")]
    Bounds {
        /// The lower bound.
        k_min: f64,
        /// The upper bound.
        k_max: f64,
    },
}

/// What was fitted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IntensityFit {
    /// How fast fills fall with distance, per unit of price.
    pub k: f64,
    /// Fills a second of a quote at the mid itself, on one side.
    pub arrival_rate: f64,
}

/// Fading counts of trades by their distance from the mid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intensity {
    config: IntensityConfig,
    counts: [f64; DISTANCE_BUCKETS],
    /// Part of the whole fading past that was observed: 0 at the start, towards 1.
    known: f64,
    ts_ns: i64,
    beyond_count: u64,
    refused_count: u64,
}

impl Intensity {
    /// No trade yet.
    ///
    /// # Errors
    /// When a parameter makes no sense.
    pub fn new(config: &IntensityConfig) -> Result<Self, IntensityError> {
        let positive = [
            ("bucket_width", config.bucket_width),
            ("half_life_s", config.half_life_s),
            ("k_min", config.k_min),
            ("k_max", config.k_max),
            ("arrival_rate_max", config.arrival_rate_max),
        ];
        for (name, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return Err(IntensityError::Parameter { name, value });
            }
        }
        let (k_min, k_max) = (config.k_min, config.k_max);
        if k_min > k_max {
            return Err(IntensityError::Bounds { k_min, k_max });
        }
        Ok(Self {
            config: *config,
            counts: [0.0; DISTANCE_BUCKETS],
            known: 0.0,
            ts_ns: 0,
            beyond_count: 0,
            refused_count: 0,
        })
    }

    /// Takes a trade at this distance from the mid; on the wrong side of the mid counts as 0. A distance that is not a
    /// number is refused; one beyond the last bucket is left out; both are counted.
    pub fn on_trade(&mut self, now_ns: i64, distance: f64) {
        self.fade_to(now_ns);
        if distance.is_nan() {
            self.refused_count += 1;
            return;
        }
        let bucket = distance.max(0.0) / self.config.bucket_width;
        if bucket < DISTANCE_BUCKETS as f64 {
            self.counts[bucket as usize] += 1.0;
        } else {
            self.beyond_count += 1;
        }
    }

    /// Lets time pass without a trade; an earlier time counts as none.
    pub fn fade_to(&mut self, now_ns: i64) {
        if self.ts_ns == 0 {
            self.ts_ns = now_ns;
        }
        let elapsed_ns = now_ns.saturating_sub(self.ts_ns);
        if elapsed_ns <= 0 {
            return;
        }
        self.ts_ns = now_ns;
        let seconds = elapsed_ns as f64 / NS_PER_SECOND;
        let decay = libm::exp2(-seconds / self.config.half_life_s);
        for count in &mut self.counts {
            *count *= decay;
        }
        self.known = self.known * decay + (1.0 - decay);
    }

    /// The line through the logarithms of the rates as of the last `on_trade` or `fade_to`; `None` while fewer than two
    /// buckets have trades enough. A slope that does not fall gives the least `k`.
    pub fn fit(&self) -> Option<IntensityFit> {
        let observed = self.known * (self.config.half_life_s / LN_2);
        let observed_s = observed.max(OBSERVED_S_MIN);
        let line = self.line(observed_s)?;
        let width = self.config.bucket_width;
        let k = (-line.slope).clamp(self.config.k_min, self.config.k_max);
        // With the slope at a bound, the level still has to go through the middle of the counts.
        let intercept = line.mean_level + k * line.mean_distance;
        let part_of_first = -libm::expm1(-k * width);
        let arrival_rate = libm::exp(intercept) / part_of_first / 2.0;
        Some(IntensityFit {
            k,
            arrival_rate: arrival_rate.min(self.config.arrival_rate_max),
        })
    }

    /// Least squares of the log rate on the distance, weighed by the counts.
    fn line(&self, observed_s: f64) -> Option<Line> {
        let (mut used, mut weight) = (0, 0.0);
        let (mut distances, mut levels) = (0.0, 0.0);
        for (distance, count) in self.used_buckets() {
            used += 1;
            weight += count;
            distances += count * distance;
            levels += count * libm::log(count / observed_s);
        }
        if used < BUCKETS_MIN {
            return None;
        }
        let (mean_distance, mean_level) = (distances / weight, levels / weight);
        let (mut shared, mut spread) = (0.0, 0.0);
        for (distance, count) in self.used_buckets() {
            let from_mean = distance - mean_distance;
            shared += count * from_mean * (libm::log(count / observed_s) - mean_level);
            spread += count * from_mean * from_mean;
        }
        // Not so only for widths whose square is no number.
        let is_line = spread > 0.0 && spread.is_finite();
        is_line.then_some(Line {
            slope: shared / spread,
            mean_distance,
            mean_level,
        })
    }

    /// Lower edges and counts of the buckets that take part.
    fn used_buckets(&self) -> impl Iterator<Item = (f64, f64)> {
        let width = self.config.bucket_width;
        let buckets = self.counts.iter().enumerate();
        buckets
            .filter(|(_, count)| **count >= COUNT_MIN)
            .map(move |(index, count)| (index as f64 * width, *count))
    }

    /// Trades beyond the last bucket.
    pub const fn beyond_count(&self) -> u64 {
        self.beyond_count
    }

    /// Trades refused.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Writes the exact state; the parameters are configuration.
    pub fn write(&self, out: &mut impl Sink) {
        for count in &self.counts {
            out.f64(*count);
        }
        out.f64(self.known);
        out.i64(self.ts_ns);
        out.u64(self.beyond_count);
        out.u64(self.refused_count);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for count in &mut self.counts {
            *count = from.finite_sum()?;
        }
        self.known = from.finite()?;
        from.expect((0.0..=1.0).contains(&self.known), "a part from 0 to 1")?;
        self.ts_ns = from.time_ns()?;
        self.beyond_count = from.count()?;
        self.refused_count = from.count()?;
        Ok(())
    }
}

/// A fitted line by its slope and the point in its middle.
struct Line {
    slope: f64,
    mean_distance: f64,
    mean_level: f64,
}
