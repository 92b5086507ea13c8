//! Covariance of prices that are observed at different times (Hayashi and Yoshida, 2005, Bernoulli 11(2)).
//!
//! The sum of the products of all returns of one series with all returns of the other whose intervals overlap. It needs
//! no common clock, so it does not fade towards zero where quotes are rare, as sampled covariances do (Epps effect).
//!
//! Each product is added when the later of its two intervals closes. When instrument `i` ticks, the intervals of `j` that
//! have closed and overlap with the one of `i` that closes now add up to the price of `j` now minus the price of `j` as
//! it was at the last tick of `i`. So all that is kept is a matrix of those prices, and a tick is one pass over one row:
//!
//! ```text
//!   sums[i][j] = sums[i][j] * decay + (price_i - price_i before) * (price_j - seen[i][j]);   seen[i][j] = price_j
//!   covariance(i, j) = sums[i][j] + sums[j][i],  variance(i) = sums[i][i]
//! ```
//!
//! Weights halve with every half-life. Prices are log prices; a covariance is their squared unit, faded, not divided by
//! time: ratios of covariances are what it is for.
//!
//! Invariant: nothing infinite or NaN is stored; no allocation after construction.

use alloc::{vec, vec::Vec};

use super::persist::{load_floats, load_weight, write_floats};
use crate::{
    snapshot::{Decoder, Sink, SnapshotError},
    stats::{SERIES_MAX, StatsError},
};

/// Largest size of a log price: the logarithm of any finite float is smaller.
pub const LOG_PRICE_MAX: f64 = 1_000.0;
/// Half-lives after which nothing is left of a weight; it keeps sums from becoming subnormal.
const HALF_LIVES_MAX: f64 = 64.0;

/// Running covariances of all pairs of up to `SERIES_MAX` asynchronous series.
#[derive(Clone, Debug)]
pub struct HayashiYoshida {
    half_life_ns: f64,
    /// Last log price of each.
    prices: Vec<f64>,
    /// Time of the last tick of each, ns; negative before the first.
    ts_ns: Vec<i64>,
    /// Row by row: the column's price at the row's last tick.
    seen: Vec<f64>,
    /// Row by row: what the row's ticks added, as of its last tick.
    sums: Vec<f64>,
    /// Faded number of ticks of each, as of its last tick.
    weights: Vec<f64>,
    refused_count: u64,
}

impl HayashiYoshida {
    /// For `count` series; an infinite half-life never forgets.
    ///
    /// # Errors
    /// There are no series or too many, or the half-life is not positive.
    pub fn new(count: usize, half_life_ns: f64) -> Result<Self, StatsError> {
        if count == 0 || count > SERIES_MAX {
            return Err(StatsError::SeriesCount(count));
        }
        if half_life_ns.is_nan() || half_life_ns <= 0.0 {
            return Err(StatsError::HalfLife(half_life_ns));
        }
        Ok(Self {
            half_life_ns,
            prices: vec![0.0; count],
            ts_ns: vec![-1; count],
            seen: vec![0.0; count * count],
            sums: vec![0.0; count * count],
            weights: vec![0.0; count],
            refused_count: 0,
        })
    }

    /// Takes a price of one series. An unusable one, or one of a series that does not exist, is refused and counted;
    /// a time before the series' last counts as that. False when it was refused.
    #[inline]
    pub fn update(&mut self, index: usize, now_ns: i64, log_price: f64) -> bool {
        let is_known = index < self.prices.len() && now_ns >= 0;
        if !is_known || libm::fabs(log_price).is_nan() || libm::fabs(log_price) > LOG_PRICE_MAX {
            self.refused_count += 1;
            return false;
        }
        if self.ts_ns[index] < 0 {
            self.begin(index, now_ns, log_price);
            return true;
        }
        let now_ns = now_ns.max(self.ts_ns[index]);
        let decay = self.decay(now_ns - self.ts_ns[index]);
        let change = log_price - self.prices[index];
        // Before the pass, so that the diagonal sees its own change and becomes the variance.
        self.prices[index] = log_price;
        self.ts_ns[index] = now_ns;
        self.weights[index] = self.weights[index] * decay + 1.0;
        let count = self.prices.len();
        let row = index * count..(index + 1) * count;
        let sums = &mut self.sums[row.clone()];
        let seen = &mut self.seen[row];
        for ((sum, seen), price) in sums.iter_mut().zip(seen).zip(&self.prices) {
            *sum = *sum * decay + change * (*price - *seen);
            *seen = *price;
        }
        true
    }

    /// The first price of a series opens its first interval: others must not take it for a return.
    fn begin(&mut self, index: usize, now_ns: i64, log_price: f64) {
        let count = self.prices.len();
        self.prices[index] = log_price;
        self.ts_ns[index] = now_ns;
        for row in 0..count {
            self.seen[row * count + index] = log_price;
            self.seen[index * count + row] = self.prices[row];
        }
    }

    /// What is left of a weight after this time.
    fn decay(&self, elapsed_ns: i64) -> f64 {
        let half_lives = elapsed_ns.max(0) as f64 / self.half_life_ns;
        if half_lives > HALF_LIVES_MAX {
            0.0
        } else {
            libm::exp2(-half_lives)
        }
    }

    /// What is left now of a series' row.
    fn row_decay(&self, index: usize, now_ns: i64) -> f64 {
        self.decay(now_ns.saturating_sub(self.ts_ns[index]))
    }

    /// How many series.
    pub const fn series_count(&self) -> usize {
        self.prices.len()
    }

    /// Last log price of a series; none before the first.
    pub fn price(&self, index: usize) -> Option<f64> {
        let ts_ns = *self.ts_ns.get(index)?;
        (ts_ns >= 0).then(|| self.prices[index])
    }

    /// Time of a series' last price, ns; none before the first.
    pub fn ts_ns(&self, index: usize) -> Option<i64> {
        self.ts_ns.get(index).copied().filter(|ts_ns| *ts_ns >= 0)
    }

    /// Faded number of returns of a series; 0 for one that does not exist.
    pub fn weight(&self, index: usize, now_ns: i64) -> f64 {
        let weight = self.weights.get(index).copied().unwrap_or(0.0);
        if weight > 0.0 {
            weight * self.row_decay(index, now_ns)
        } else {
            0.0
        }
    }

    /// The covariance of two series, in either order; the variance for the same one twice; 0 for one that does not
    /// exist.
    pub fn covariance(&self, first: usize, second: usize, now_ns: i64) -> f64 {
        let count = self.prices.len();
        if first >= count || second >= count {
            return 0.0;
        }
        let one = self.sums[first * count + second] * self.row_decay(first, now_ns);
        if first == second {
            return one;
        }
        one + self.sums[second * count + first] * self.row_decay(second, now_ns)
    }

    /// The correlation of two series, -1 to 1; 0 while either variance is 0, or for a series that does not exist.
    pub fn correlation(&self, first: usize, second: usize, now_ns: i64) -> f64 {
        let scale = libm::sqrt(self.covariance(first, first, now_ns))
            * libm::sqrt(self.covariance(second, second, now_ns));
        if scale > 0.0 {
            (self.covariance(first, second, now_ns) / scale).clamp(-1.0, 1.0)
        } else {
            0.0
        }
    }

    /// What is left now of each row, and the deviation of each series: what `weighed_correlation` needs, so that many
    /// correlations cost few roots.
    pub fn weigh(&self, now_ns: i64, decays: &mut [f64], deviations: &mut [f64]) {
        for (index, (decay, deviation)) in decays.iter_mut().zip(deviations).enumerate() {
            *decay = self.row_decay(index, now_ns);
            *deviation = libm::sqrt(self.covariance(index, index, now_ns));
        }
    }

    /// The correlation of two series that exist, with what `weigh` found.
    pub fn weighed_correlation(
        &self,
        first: usize,
        second: usize,
        decays: &[f64],
        deviations: &[f64],
    ) -> f64 {
        let count = self.prices.len();
        let scale = deviations[first] * deviations[second];
        if first == second || scale <= 0.0 {
            return f64::from(u8::from(first == second));
        }
        let covariance = self.sums[first * count + second] * decays[first]
            + self.sums[second * count + first] * decays[second];
        (covariance / scale).clamp(-1.0, 1.0)
    }

    /// Prices refused.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Writes the exact state; the half-life and the number of series are parameters.
    pub fn write(&self, out: &mut impl Sink) {
        self.ts_ns.iter().for_each(|ts_ns| out.i64(*ts_ns));
        write_floats(out, &self.prices);
        write_floats(out, &self.seen);
        write_floats(out, &self.sums);
        write_floats(out, &self.weights);
        out.u64(self.refused_count);
    }

    /// Reads what one of as many series wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for ts_ns in &mut self.ts_ns {
            *ts_ns = from.i64()?;
            from.expect(*ts_ns >= -1, "a time, or -1 for none")?;
        }
        for price in &mut self.prices {
            *price = from.f64()?;
            let is_price = libm::fabs(*price) <= LOG_PRICE_MAX;
            from.expect(is_price, "a log price")?;
        }
        load_floats(from, &mut self.seen)?;
        load_floats(from, &mut self.sums)?;
        for weight in &mut self.weights {
            *weight = load_weight(from)?;
        }
        self.refused_count = from.count()?;
        Ok(())
    }
}
