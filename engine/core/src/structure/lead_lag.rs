//! Who leads whom, for all pairs and many lags at once.
//!
//! The contrast of Hoffmann, Rosenbaum and Yoshida (2013, Bernoulli 19(2)) is the covariance of one series with the other
//! shifted in time; the lag is where it is largest. Here time is a fine grid on which each series keeps its last price,
//! so the contrast of all pairs at one lag is an outer product of two rows of returns. Late prices smear a contrast over
//! neighbouring lags but the peak stays in its place, because the difference of two ages is most likely about zero.
//!
//! Returns are measured in their own recent volatility and cut at four of it: common bursts and single jumps would
//! otherwise make independent series look related. What is left of that is measured: `products` keeps the mean of the
//! products' squares, and autocorrelations enter by Bartlett's formula, so that
//!
//! ```text
//!   score = correlation * sqrt(effective rows / (clustering * (1 + 2 sum of rho_i(m) rho_j(m))))
//! ```
//!
//! is a standard normal value for independent series, against which the chance of the largest among all pairs and lags
//! is held (Sidak).
//!
//! Rows are taken in as they come, which costs one row; every `BATCH_ROWS` of them are folded into the sums in slices, one
//! leader at a time, so that each sum is read and written once a batch.
//!
//! Invariant: nothing infinite or NaN is stored; no allocation after construction; no row is lost.

use alloc::{vec, vec::Vec};

use super::{
    config::LAG_COUNT_MAX,
    kernel::{CURVE, EMPTY_SHARE_MAX, Kernel, OVERLAP_MIN, place_of},
    persist::{load_floats, load_index, load_weight, write_floats},
};
use crate::{
    snapshot::{Decoder, Sink, SnapshotError},
    stats::{SERIES_MAX, StatsError},
};

/// Rows folded into the sums together.
pub const BATCH_ROWS: usize = 16;
/// Rows kept: the batch at hand, the longest lag before it, and what comes meanwhile.
const ROWS: usize = 128;
const _: () = assert!(ROWS >= LAG_COUNT_MAX + 4 * BATCH_ROWS && ROWS.is_power_of_two());

/// Deviations by which a contrast at a lag must be above the one at no lag, to be told from it.
const LEAD_SCORE_MIN: f64 = 2.0;

/// The strongest lag of a pair.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LagPeak {
    /// Rows that the first is ahead of the second; negative when it is behind.
    pub lag: i32,
    /// Correlation at that lag alone.
    pub correlation: f64,
    /// Sum of the correlations about that lag: what late prices smeared, together again; -1 to 1.
    pub total: f64,
    /// Size of the largest contrast at any lag in standard deviations of independent series.
    pub score: f64,
}

/// Cross-correlations of all ordered pairs at the lags 0 to `lag_count`.
#[derive(Clone, Debug)]
pub struct CrossLags {
    count: usize,
    lag_count: usize,
    /// What a batch leaves of the weight before it, and the weight of each of its rows.
    batch_decay: f64,
    row_weights: [f64; BATCH_ROWS],
    /// The last rows, a ring; row `n` stands at `n % ROWS`.
    rows: Vec<f64>,
    /// Rows so far, beginning at `ROWS`, so that every lag of the first row is a row of zeros.
    row_count: u64,
    /// First row of the batch that is being folded in.
    batch_start: u64,
    /// The leader whose turn it is.
    next_leader: usize,
    /// The rows of that batch times their weights; a function of the rows.
    weighted: Vec<f64>,
    /// `[leader][lag][follower]`.
    sums: Vec<f64>,
    /// `[leader][follower]`: squared weights times squared products at lag 0.
    products: Vec<f64>,
    /// Sum of the weights of the rows in which each moved.
    activity: Vec<f64>,
    weight: f64,
    weight_squares: f64,
}

impl CrossLags {
    /// For `count` series, with weights that halve every `half_life_rows`.
    ///
    /// # Errors
    /// Too many series or lags, or the half-life is not positive.
    pub fn new(count: usize, lag_count: usize, half_life_rows: f64) -> Result<Self, StatsError> {
        if count == 0 || count > SERIES_MAX {
            return Err(StatsError::SeriesCount(count));
        }
        if lag_count > LAG_COUNT_MAX {
            return Err(StatsError::Lag(lag_count));
        }
        if half_life_rows.is_nan() || half_life_rows <= 0.0 {
            return Err(StatsError::HalfLife(half_life_rows));
        }
        let mut row_weights = [1.0; BATCH_ROWS];
        for (index, weight) in row_weights.iter_mut().enumerate() {
            let age = (BATCH_ROWS - 1 - index) as f64;
            *weight = libm::exp2(-age / half_life_rows);
        }
        Ok(Self {
            count,
            lag_count,
            batch_decay: libm::exp2(-(BATCH_ROWS as f64) / half_life_rows),
            row_weights,
            rows: vec![0.0; ROWS * count],
            row_count: ROWS as u64,
            batch_start: ROWS as u64,
            next_leader: 0,
            weighted: vec![0.0; BATCH_ROWS * count],
            sums: vec![0.0; count * (lag_count + 1) * count],
            products: vec![0.0; count * count],
            activity: vec![0.0; count],
            weight: 0.0,
            weight_squares: 0.0,
        })
    }

    /// Appends a row, which `fill` writes. If the rows of the batch at hand would be overwritten, that batch is
    /// finished first.
    pub fn push(&mut self, fill: impl FnOnce(&mut [f64])) {
        while self.row_count - self.batch_start >= (ROWS - self.lag_count - 1) as u64 {
            self.fold(self.count);
        }
        let start = self.row_start(self.row_count);
        fill(&mut self.rows[start..start + self.count]);
        self.row_count += 1;
    }

    /// Folds the batch at hand into the sums of up to `leaders` leaders. False when there is nothing to do.
    pub fn fold(&mut self, leaders: usize) -> bool {
        if self.row_count < self.batch_start + BATCH_ROWS as u64 {
            return false;
        }
        if self.next_leader == 0 {
            self.begin_batch();
        }
        let last = (self.next_leader + leaders).min(self.count);
        for leader in self.next_leader..last {
            self.fold_leader(leader);
        }
        self.next_leader = last;
        if last == self.count {
            self.next_leader = 0;
            self.batch_start += BATCH_ROWS as u64;
        }
        true
    }

    fn begin_batch(&mut self) {
        self.weigh_rows();
        let squares: f64 = self.row_weights.iter().map(|weight| weight * weight).sum();
        let weights: f64 = self.row_weights.iter().sum();
        self.weight = self.weight * self.batch_decay + weights;
        self.weight_squares = self.weight_squares * (self.batch_decay * self.batch_decay) + squares;
    }

    /// The batch's rows times their weights.
    fn weigh_rows(&mut self) {
        let count = self.count;
        for index in 0..BATCH_ROWS {
            let start = self.row_start(self.batch_start + index as u64);
            let weight = self.row_weights[index];
            let weighted = &mut self.weighted[index * count..(index + 1) * count];
            for (entry, value) in weighted.iter_mut().zip(&self.rows[start..]) {
                *entry = weight * value;
            }
        }
    }

    fn fold_leader(&mut self, leader: usize) {
        let count = self.count;
        let mut past = [0.0; BATCH_ROWS + LAG_COUNT_MAX];
        for (index, value) in past[..BATCH_ROWS + self.lag_count].iter_mut().enumerate() {
            let row = self.batch_start + index as u64 - self.lag_count as u64;
            *value = self.rows[self.row_start(row) + leader];
        }
        let width = (self.lag_count + 1) * count;
        let block = &mut self.sums[leader * width..(leader + 1) * width];
        for (lag, sums) in block.chunks_exact_mut(count).enumerate() {
            let first = self.lag_count - lag;
            let leads = &past[first..first + BATCH_ROWS];
            add_products(sums, self.batch_decay, leads, &self.weighted);
        }
        self.activity[leader] *= self.batch_decay;
        for (value, weight) in past[self.lag_count..].iter().zip(&self.row_weights) {
            if *value != 0.0 {
                self.activity[leader] += weight;
            }
        }
        let decay = self.batch_decay * self.batch_decay;
        let products = &mut self.products[leader * count..(leader + 1) * count];
        for product in products.iter_mut() {
            *product *= decay;
        }
        let leads = &past[self.lag_count..self.lag_count + BATCH_ROWS];
        for (lead, weighted) in leads.iter().zip(self.weighted.chunks_exact(count)) {
            for (product, value) in products.iter_mut().zip(weighted) {
                *product += (lead * value) * (lead * value);
            }
        }
    }

    const fn row_start(&self, row: u64) -> usize {
        (row as usize % ROWS) * self.count
    }

    fn sum(&self, leader: usize, lag: usize, follower: usize) -> f64 {
        self.sums[(leader * (self.lag_count + 1) + lag) * self.count + follower]
    }

    /// Sum of the weights of all rows: how much is known.
    pub const fn weight(&self) -> f64 {
        self.weight
    }

    /// Number of equally weighted rows that would say as much.
    pub fn effective_rows(&self) -> f64 {
        if self.weight_squares > 0.0 {
            self.weight * self.weight / self.weight_squares
        } else {
            0.0
        }
    }

    /// The correlation of `first` with `second` `lag` rows later (earlier when negative); 0 while unknown or beyond the
    /// largest lag.
    pub fn correlation(&self, first: usize, second: usize, lag: i32) -> f64 {
        let ago = lag.unsigned_abs() as usize;
        if first >= self.count || second >= self.count || ago > self.lag_count {
            return 0.0;
        }
        let scale = libm::sqrt(self.sum(first, 0, first)) * libm::sqrt(self.sum(second, 0, second));
        if scale <= 0.0 {
            return 0.0;
        }
        let (leader, follower) = if lag < 0 {
            (second, first)
        } else {
            (first, second)
        };
        self.sum(leader, ago, follower) / scale
    }

    /// The strongest lag of a pair, the nearest to zero among equals, and zero unless another is clearly stronger. None
    /// while nothing is known, or for the same series twice. Lags within `peak_lags` of it belong to the peak.
    pub fn peak(&self, first: usize, second: usize, peak_lags: usize) -> Option<LagPeak> {
        if first == second || first >= self.count || second >= self.count {
            return None;
        }
        let deviations = (
            libm::sqrt(self.sum(first, 0, first)),
            libm::sqrt(self.sum(second, 0, second)),
        );
        let scale = deviations.0 * deviations.1;
        if scale <= 0.0 {
            return None;
        }
        let curve = self.curve(first, second);
        let kernel = Kernel::new([self.empty_share(first), self.empty_share(second)]);
        let mut best = (0, kernel.contrast(&curve, 0));
        let at_once = libm::fabs(best.1);
        for ago in 1..=self.lag_count as i32 {
            for lag in [ago, -ago] {
                let contrast = kernel.contrast(&curve, lag);
                if libm::fabs(contrast) > libm::fabs(best.1) {
                    best = (lag, contrast);
                }
            }
        }
        let certainty = self.contrast_certainty(first, second, &kernel) / scale;
        let score = libm::fabs(best.1) * certainty;
        // Two that move at once peak next to zero by chance: a lead must beat the contrast at the same time clearly.
        let noise = kernel.difference(best.0.unsigned_abs() as usize);
        let lag = if score - at_once * certainty < LEAD_SCORE_MIN * noise {
            0
        } else {
            best.0
        };
        let correlation = curve[place_of(lag)] / scale;
        let reach = peak_lags.min(self.lag_count) as i32;
        let smeared =
            libm::sqrt(self.spread(first, reach)) * libm::sqrt(self.spread(second, reach));
        let total: f64 = (lag - reach..=lag + reach)
            .filter(|near| near.unsigned_abs() as usize <= self.lag_count)
            .map(|near| curve[place_of(near)] / smeared)
            .sum();
        // Neighbours of the other sign are noise or another effect: the peak is at least what it is alone.
        let is_more = libm::fabs(total) > libm::fabs(correlation) && total * correlation > 0.0;
        let total = if is_more { total } else { correlation };
        Some(LagPeak {
            lag,
            correlation: correlation.clamp(-1.0, 1.0),
            total: total.clamp(-1.0, 1.0),
            score,
        })
    }

    /// Variance of a series with what late prices smeared put together again: its covariance with itself about lag zero, which is what a
    /// sum of correlations over several lags has to be measured by. At least the variance at lag zero: a series that takes its moves
    /// back does not make others more like it.
    fn spread(&self, index: usize, reach: i32) -> f64 {
        let at_once = self.sum(index, 0, index);
        let later = (1..=reach as usize).map(|ago| self.sum(index, ago, index));
        at_once.max(at_once + 2.0 * later.sum::<f64>())
    }

    /// Share of rows in which a series did not move.
    fn empty_share(&self, index: usize) -> f64 {
        if self.weight > 0.0 {
            (1.0 - self.activity[index] / self.weight).clamp(0.0, EMPTY_SHARE_MAX)
        } else {
            0.0
        }
    }

    /// The sums of a pair at all lags; `place_of` says where each stands, and beyond the largest there are zeros.
    fn curve(&self, first: usize, second: usize) -> [f64; CURVE] {
        let mut curve = [0.0; CURVE];
        for ago in 0..=self.lag_count {
            curve[place_of(-(ago as i32))] = self.sum(second, ago, first);
            curve[place_of(ago as i32)] = self.sum(first, ago, second);
        }
        curve
    }

    /// What a batch that was folded in has not changed yet: the leader whose turn it is; 0 between two batches.
    pub const fn next_leader(&self) -> usize {
        self.next_leader
    }

    /// One over the standard deviation that a correlation of these two has at any one lag, were they independent; 0 while
    /// unknown.
    pub fn certainty(&self, first: usize, second: usize) -> f64 {
        let repeats = self.repeats(first, second, 0);
        self.certainty_with(first, second, repeats)
    }

    /// The same of a contrast, whose kernel adds neighbouring lags that are related when both series repeat themselves.
    fn contrast_certainty(&self, first: usize, second: usize, kernel: &Kernel) -> f64 {
        let mut repeats = self.repeats(first, second, 0);
        for (apart, overlap) in (1..).zip(&kernel.overlaps[1..]) {
            if *overlap >= OVERLAP_MIN {
                let forth = self.repeats(first, second, apart);
                repeats += overlap * (forth + self.repeats(second, first, apart));
            }
        }
        self.certainty_with(first, second, repeats)
    }

    /// Sum over all `m` of `rho_first(m) * rho_second(m + apart)`: Bartlett's formula.
    fn repeats(&self, first: usize, second: usize, apart: usize) -> f64 {
        if first >= self.count || second >= self.count {
            return 0.0;
        }
        let reach = self.lag_count as i32;
        let mut products = 0.0;
        for lag in -reach..=reach {
            let other = (lag + apart as i32).unsigned_abs() as usize;
            if other <= self.lag_count {
                let one = lag.unsigned_abs() as usize;
                products += self.sum(first, one, first) * self.sum(second, other, second);
            }
        }
        let variances = self.sum(first, 0, first) * self.sum(second, 0, second);
        if variances > 0.0 {
            products / variances
        } else {
            0.0
        }
    }

    fn certainty_with(&self, first: usize, second: usize, repeats: f64) -> f64 {
        if first >= self.count || second >= self.count {
            return 0.0;
        }
        let variances = self.sum(first, 0, first) * self.sum(second, 0, second);
        if variances <= 0.0 {
            return 0.0;
        }
        // The products' squares over the product of the mean squares: above 1 when both are wild at the same time.
        let square_sum = self.products[first * self.count + second];
        let expected = variances / (self.weight * self.weight) * self.weight_squares;
        let clustering = (square_sum / expected).max(1.0);
        // Never less than white: a guess from few rows must not make anything surer.
        libm::sqrt(self.effective_rows() / (repeats.max(1.0) * clustering))
    }

    /// Writes the exact state, rows from the oldest to the newest; the sizes and the half-life are parameters.
    pub fn write(&self, out: &mut impl Sink) {
        out.u64(self.row_count);
        out.u64(self.batch_start);
        out.u32(self.next_leader as u32);
        out.f64(self.weight);
        out.f64(self.weight_squares);
        write_floats(out, &self.rows);
        write_floats(out, &self.sums);
        write_floats(out, &self.products);
        write_floats(out, &self.activity);
    }

    /// Reads what one of the same sizes wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.row_count = from.count()?;
        self.batch_start = from.count()?;
        let is_order = self.batch_start >= ROWS as u64 && self.row_count >= self.batch_start;
        from.expect(is_order, "a batch that begins before the newest row")?;
        let is_kept = self.row_count - self.batch_start < (ROWS - self.lag_count) as u64;
        from.expect(is_kept, "a batch whose rows are still kept")?;
        self.next_leader = load_index(from, self.count - 1)?;
        self.weight = load_weight(from)?;
        self.weight_squares = load_weight(from)?;
        load_floats(from, &mut self.rows)?;
        load_floats(from, &mut self.sums)?;
        load_floats(from, &mut self.products)?;
        load_floats(from, &mut self.activity)?;
        self.weigh_rows();
        Ok(())
    }
}

/// Fades `sums` and adds each row of `weighted` times its lead. Each sum takes its rows in their order; a few neighbours
/// are done together in registers, which reads and writes them once.
fn add_products(sums: &mut [f64], decay: f64, leads: &[f64], weighted: &[f64]) {
    let count = sums.len();
    let mut chunks = sums.chunks_exact_mut(LANES);
    let mut start = 0;
    for chunk in &mut chunks {
        let mut lanes = [0.0; LANES];
        for (lane, sum) in lanes.iter_mut().zip(chunk.iter()) {
            *lane = *sum * decay;
        }
        for (lead, row) in leads.iter().zip(weighted.chunks_exact(count)) {
            for (lane, value) in lanes.iter_mut().zip(&row[start..start + LANES]) {
                *lane += lead * value;
            }
        }
        chunk.copy_from_slice(&lanes);
        start += LANES;
    }
    for sum in chunks.into_remainder() {
        *sum *= decay;
        for (lead, row) in leads.iter().zip(weighted.chunks_exact(count)) {
            *sum += lead * row[start];
        }
        start += 1;
    }
}

/// Sums kept in registers at once.
const LANES: usize = 8;
