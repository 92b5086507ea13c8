//! The search for prices that stay together: rows of prices, a few pairs tested in each slice, the best kept and followed.

use alloc::{vec, vec::Vec};

use super::{
    cointegration::{EngleGranger, engle_granger},
    config::SCAN_ROWS_MIN,
    found::Pair,
    hayashi_yoshida::HayashiYoshida,
    hedge::KalmanHedge,
    persist::{load_float, load_floats, load_index, write_floats},
};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most pairs kept.
pub const PAIRS_MAX: usize = 16;
/// A pair that is kept may have a p-value this many times the one that let it in.
const STAY_FACTOR: f64 = 10.0;

/// What follows one pair.
#[derive(Clone, Copy, Debug, Default)]
struct Follower {
    hedge: KalmanHedge,
    /// The second's log price from which the filter counts, so that slope and intercept are nearly independent.
    centre: f64,
}

/// Rows of prices and the pairs found in them.
#[derive(Clone, Debug)]
pub(super) struct PairScan {
    count: usize,
    row_max: usize,
    lags: usize,
    level: f64,
    drift: f64,
    /// `[instrument][row]`, a ring.
    prices: Vec<f64>,
    /// Place of the next row.
    head: usize,
    /// Rows in a row in which an instrument had a price, up to `row_max`.
    known: Vec<u32>,
    /// The pair whose turn it is.
    first: usize,
    second: usize,
    pairs: Vec<Pair>,
    followers: Vec<Follower>,
    /// Scratch: both series from the oldest to the newest, and residuals.
    series: [Vec<f64>; 3],
}

impl PairScan {
    pub(super) fn new(count: usize, row_max: usize, lags: usize, level: f64, drift: f64) -> Self {
        Self {
            count,
            row_max,
            lags,
            level,
            drift,
            prices: vec![0.0; count * row_max],
            head: 0,
            known: vec![0; count],
            first: 0,
            second: 1,
            pairs: Vec::with_capacity(PAIRS_MAX),
            followers: Vec::with_capacity(PAIRS_MAX),
            series: [vec![0.0; row_max], vec![0.0; row_max], vec![0.0; row_max]],
        }
    }

    /// Takes a row of prices and lets the filters of all kept pairs follow.
    pub(super) fn push(&mut self, ticks: &HayashiYoshida) {
        for index in 0..self.count {
            let place = index * self.row_max + self.head;
            match ticks.price(index) {
                Some(price) => {
                    self.prices[place] = price;
                    self.known[index] = (self.known[index] + 1).min(self.row_max as u32);
                }
                None => self.known[index] = 0,
            }
        }
        self.head = (self.head + 1) % self.row_max;
        for (pair, follower) in self.pairs.iter_mut().zip(&mut self.followers) {
            if let (Some(y), Some(x)) = (ticks.price(pair.first), ticks.price(pair.second)) {
                follower.hedge.update(y, x - follower.centre);
                follower.show(pair);
            }
        }
    }

    /// Tests up to this many pairs.
    pub(super) fn work(&mut self, pairs: usize) {
        for _ in 0..pairs {
            if self.count < 2 {
                return;
            }
            self.test(self.first, self.second);
            self.second += 1;
            if self.second == self.count {
                self.first += 1;
                self.second = self.first + 1;
            }
            if self.second >= self.count {
                self.first = 0;
                self.second = 1;
                return;
            }
        }
    }

    fn test(&mut self, first: usize, second: usize) {
        let rows = self.known[first].min(self.known[second]) as usize;
        if rows < SCAN_ROWS_MIN.max(self.row_max / 2) {
            return;
        }
        let [one, other, residuals] = &mut self.series;
        for (series, index) in [(&mut *one, first), (&mut *other, second)] {
            let ring = &self.prices[index * self.row_max..(index + 1) * self.row_max];
            // The newest `rows` of the ring, oldest first.
            let oldest = (self.head + self.row_max - rows) % self.row_max;
            let end = (oldest + rows).min(self.row_max);
            let head_count = end - oldest;
            series[..head_count].copy_from_slice(&ring[oldest..end]);
            series[head_count..rows].copy_from_slice(&ring[..rows - head_count]);
        }
        let found = engle_granger(
            &one[..rows],
            &other[..rows],
            self.lags,
            &mut residuals[..rows],
        );
        self.keep(first, second, found);
    }

    /// Enters, updates or removes a pair; the list stays ordered by its statistics.
    fn keep(&mut self, first: usize, second: usize, found: Option<EngleGranger>) {
        let place = self
            .pairs
            .iter()
            .position(|pair| pair.first == first && pair.second == second);
        let level = if place.is_some() {
            self.level * STAY_FACTOR
        } else {
            self.level
        };
        let kept = place.map(|place| (self.pairs.remove(place), self.followers.remove(place)));
        let Some(found) = found.filter(|found| found.p_value <= level) else {
            return;
        };
        let entered = match kept {
            Some((mut pair, follower)) => {
                pair.statistic = found.statistic;
                pair.p_value = found.p_value;
                Some((pair, follower))
            }
            None => begin(first, second, &found, self.drift),
        };
        let Some((pair, follower)) = entered else {
            return;
        };
        let rank = self
            .pairs
            .iter()
            .position(|other| other.statistic > pair.statistic)
            .unwrap_or(self.pairs.len());
        if rank == PAIRS_MAX {
            return;
        }
        if self.pairs.len() == PAIRS_MAX {
            self.pairs.pop();
            self.followers.pop();
        }
        self.pairs.insert(rank, pair);
        self.followers.insert(rank, follower);
    }

    pub(super) fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        out.u32(self.head as u32);
        out.u32(self.first as u32);
        out.u32(self.second as u32);
        self.known.iter().for_each(|known| out.u32(*known));
        write_floats(out, &self.prices);
        out.length(self.pairs.len());
        for (pair, follower) in self.pairs.iter().zip(&self.followers) {
            out.u32(pair.first as u32);
            out.u32(pair.second as u32);
            out.f64(pair.statistic);
            out.f64(pair.p_value);
            out.f64(follower.centre);
            follower.hedge.write(out);
        }
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.head = load_index(from, self.row_max - 1)?;
        self.first = load_index(from, self.count)?;
        self.second = load_index(from, self.count)?;
        let is_turn = self.first < self.second && (self.second < self.count || self.count < 2);
        from.expect(is_turn, "a pair of instruments")?;
        for known in &mut self.known {
            *known = load_index(from, self.row_max)? as u32;
        }
        load_floats(from, &mut self.prices)?;
        self.pairs.clear();
        self.followers.clear();
        for _ in 0..from.length(PAIRS_MAX, 32)? {
            let mut pair = Pair {
                first: load_index(from, self.count)?,
                second: load_index(from, self.count)?,
                slope: 0.0,
                intercept: 0.0,
                z: 0.0,
                deviation: 0.0,
                statistic: load_float(from)?,
                p_value: load_float(from)?,
            };
            let is_pair = pair.first < pair.second && pair.second < self.count;
            from.expect(is_pair, "two instruments in their order")?;
            let mut follower = Follower {
                centre: load_float(from)?,
                ..Follower::default()
            };
            follower.hedge.load(from)?;
            follower.show(&mut pair);
            self.pairs.push(pair);
            self.followers.push(follower);
        }
        Ok(())
    }
}

impl Follower {
    /// Writes what the filter knows into the pair.
    fn show(&self, pair: &mut Pair) {
        pair.slope = self.hedge.slope();
        pair.intercept = self.hedge.intercept() - self.hedge.slope() * self.centre;
        pair.z = self.hedge.z();
        pair.deviation = self.hedge.deviation();
    }
}

/// Bounds of the size of a hedge ratio between two log prices.
const SLOPE_MIN: f64 = 0.02;
const SLOPE_MAX: f64 = 50.0;

/// A pair as the regression found it: its doubts are those of the regression's coefficients.
fn begin(
    first: usize,
    second: usize,
    found: &EngleGranger,
    drift: f64,
) -> Option<(Pair, Follower)> {
    let line = found.line;
    // A price that hardly moved is together with nothing, whatever the regression says.
    if !(SLOPE_MIN..=SLOPE_MAX).contains(&libm::fabs(line.slope)) {
        return None;
    }
    let [centre, x_variance] = line.x_moments;
    let noise = line.residual_variance;
    let slope_noise = noise / x_variance;
    let hedge = KalmanHedge::new(
        [line.slope, line.intercept + line.slope * centre],
        [slope_noise * DOUBT, noise * DOUBT],
        [slope_noise * drift, noise * drift],
        noise,
    )?;
    let follower = Follower { hedge, centre };
    let mut pair = Pair {
        first,
        second,
        slope: 0.0,
        intercept: 0.0,
        z: 0.0,
        deviation: 0.0,
        statistic: found.statistic,
        p_value: found.p_value,
    };
    follower.show(&mut pair);
    Some((pair, follower))
}

/// Variance of the regression's coefficients in variances of one point's: one over a few hundred rows.
const DOUBT: f64 = 0.005;
