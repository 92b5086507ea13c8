//! Sampled returns of all instruments and what follows from them: the correlation of every pair, and how much a new
//! position would add to what the book already bets on.
//!
//! On every timer the log return of each mid since the timer before is one row of the covariance; an instrument
//! without a live quote on both occasions contributes 0 to that row.

use alloc::vec::Vec;

use crate::{
    hash::StateHasher,
    instrument::InstrumentId,
    market::Market,
    snapshot::{Decoder, Encoder, SnapshotError, Tag},
    stats::{EwmaCovariance, StatsError},
};

/// Rows that must have been seen before a correlation is used.
const ROWS_MIN: u64 = 30;
const SECTION: Tag = Tag(*b"RETN");

/// Covariance of sampled returns.
#[derive(Debug)]
pub struct Returns {
    covariance: EwmaCovariance,
    mids: Vec<Option<f64>>,
    row: Vec<f64>,
    rows: u64,
    /// Room for what is held: index and exposure. Nothing in it lasts.
    held: Vec<(usize, f64)>,
}

impl Returns {
    /// For `count` instruments; `half_life_rows` is the half-life of a row's weight, counted in rows.
    ///
    /// # Errors
    /// When the half-life is not positive.
    pub fn new(count: usize, half_life_rows: f64) -> Result<Self, StatsError> {
        Ok(Self {
            covariance: EwmaCovariance::new(count, half_life_rows)?,
            mids: alloc::vec![None; count],
            row: alloc::vec![0.0; count],
            rows: 0,
            held: Vec::with_capacity(count),
        })
    }

    /// Takes one row of returns.
    pub(crate) fn sample(&mut self, markets: &[Market]) {
        for (index, market) in markets.iter().enumerate() {
            let mid = market.quote().map(|quote| quote.mid_doubled() as f64);
            self.row[index] = match (self.mids[index], mid) {
                (Some(before), Some(now)) => libm::log(now / before),
                _ => 0.0,
            };
            self.mids[index] = mid;
        }
        self.covariance.update(&self.row);
        self.rows += 1;
    }

    /// Share of a row in the estimate.
    pub(crate) const fn share(&self) -> f64 {
        self.covariance.share()
    }

    /// The row taken last, one log return per instrument.
    pub fn last_row(&self) -> &[f64] {
        &self.row
    }

    /// Rows taken so far.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Correlation of two instruments' returns; 0 while too few rows were seen.
    pub fn correlation(&self, first: InstrumentId, second: InstrumentId) -> f64 {
        if self.rows < ROWS_MIN {
            return 0.0;
        }
        self.covariance.correlation(first.index(), second.index())
    }

    /// Covariance of two instruments' returns per row.
    pub fn covariance(&self, first: InstrumentId, second: InstrumentId) -> f64 {
        self.covariance.covariance(first.index(), second.index())
    }

    /// Correlation between the return of `instrument` and that of the book of all *other* positions, in parts per
    /// million; `exposure(i)` is the signed value of position i. 0 while too few rows were seen or nothing is held.
    pub(crate) fn correlation_with_book_ppm(
        &mut self,
        instrument: usize,
        exposure: impl Fn(usize) -> f64,
    ) -> i64 {
        if self.rows < ROWS_MIN {
            return 0;
        }
        // Each exposure once: it is worked out in wide integers, and every pair of positions wants two.
        self.held.clear();
        let others = (0..self.row.len()).filter(|&index| index != instrument);
        let weighted = others.map(|index| (index, exposure(index)));
        self.held
            .extend(weighted.filter(|(_, weight)| *weight != 0.0));
        let (mut shared, mut variance) = (0.0, 0.0);
        for &(first, weight) in &self.held {
            shared += weight * self.covariance.covariance(instrument, first);
            for &(second, other) in &self.held {
                variance += weight * other * self.covariance.covariance(first, second);
            }
        }
        let scale = variance * self.covariance.covariance(instrument, instrument);
        if scale <= 0.0 {
            return 0;
        }
        (shared / libm::sqrt(scale) * 1e6) as i64
    }

    /// Writes the estimate, the mids that the next row starts from, and the last row, which strategies may still read.
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.section(SECTION);
        out.u64(self.rows);
        for (mid, value) in self.mids.iter().zip(&self.row) {
            out.bool(mid.is_some());
            out.f64(mid.unwrap_or(0.0));
            out.f64(*value);
        }
        self.covariance.save(out);
    }

    /// Reads into an estimate of the same instruments.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        self.rows = from.count()?;
        for (mid, value) in self.mids.iter_mut().zip(&mut self.row) {
            let is_known = from.bool()?;
            let bits = from.u64()?;
            from.expect(is_known || bits == 0, "zero for a mid that is not known")?;
            *mid = is_known.then_some(f64::from_bits(bits));
            *value = from.f64()?;
        }
        self.covariance.load(from)
    }

    pub(crate) fn digest(&self, hash: &mut StateHasher) {
        self.covariance.digest(hash);
        for mid in &self.mids {
            hash.float(mid.unwrap_or(-1.0));
        }
        hash.word(self.rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, pair by pair.
    fn plainly(returns: &Returns, instrument: usize, exposures: &[f64]) -> i64 {
        let covariance = |first, second| returns.covariance.covariance(first, second);
        let held = |index: &usize| *index != instrument && exposures[*index] != 0.0;
        let (mut shared, mut variance) = (0.0, 0.0);
        for first in (0..exposures.len()).filter(held) {
            shared += exposures[first] * covariance(instrument, first);
            for second in (0..exposures.len()).filter(held) {
                variance += exposures[first] * exposures[second] * covariance(first, second);
            }
        }
        let scale = variance * covariance(instrument, instrument);
        (shared / libm::sqrt(scale) * 1e6) as i64
    }

    #[test]
    fn only_what_is_held_elsewhere_counts() {
        let mut returns = Returns::new(5, 20.0).unwrap();
        let mut state = 7_u64;
        for _ in 0..ROWS_MIN {
            for value in &mut returns.row {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *value = (state >> 40) as f64 / 1e9 - 0.008;
            }
            let row = returns.row.clone();
            returns.covariance.update(&row);
            returns.rows += 1;
        }
        let exposures = [250.0, 0.0, -1000.5, 77.0, 3.0];
        for instrument in 0..5 {
            let found = returns.correlation_with_book_ppm(instrument, |index| exposures[index]);
            assert_eq!(found, plainly(&returns, instrument, &exposures));
            assert_ne!(found, 0);
        }
        assert_eq!(returns.correlation_with_book_ppm(2, |_| 0.0), 0);
        let alone = |index| if index == 2 { 5.0 } else { 0.0 };
        assert_eq!(returns.correlation_with_book_ppm(2, alone), 0);
        returns.rows = ROWS_MIN - 1;
        assert_eq!(
            returns.correlation_with_book_ppm(0, |index| exposures[index]),
            0
        );
    }
}
