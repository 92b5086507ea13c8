//! Rows of returns on a fine grid of time, each return in its own recent volatility.
//!
//! A row holds what each series' last price moved within one step of the grid. Steps are cut by whatever input comes first
//! after their end, before that input counts, so a row depends on times and prices alone.

use alloc::{vec, vec::Vec};

use super::{
    hayashi_yoshida::{HayashiYoshida, LOG_PRICE_MAX},
    lead_lag::CrossLags,
    persist::{load_float, load_weight},
};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Returns are cut at this many deviations.
const RETURN_MAX: f64 = 4.0;
/// Rows that a volatility must have seen before it measures a return.
const ROWS_MIN: u32 = 50;
/// Most empty rows after a silence; more would only let the past fade.
const EMPTY_ROWS_MAX: i64 = 32;

/// One series' place on the grid.
#[derive(Clone, Copy, Debug, Default)]
struct Anchor {
    /// Log price at the end of the last step.
    log_price: f64,
    /// Fading mean of its squared returns.
    variance: f64,
    /// Rows in that mean, up to `ROWS_MIN`; 0 while there is no price.
    rows: u32,
    is_set: bool,
}

/// The grid.
#[derive(Clone, Debug)]
pub(super) struct ReturnGrid {
    step_ns: i64,
    share: f64,
    /// Number of the step at hand; negative before the first input.
    step: i64,
    anchors: Vec<Anchor>,
}

impl ReturnGrid {
    pub(super) fn new(count: usize, step_ns: i64, share: f64) -> Self {
        Self {
            step_ns,
            share,
            step: -1,
            anchors: vec![Anchor::default(); count],
        }
    }

    /// When the step at hand ends, ns.
    #[inline]
    pub(super) const fn end_ns(&self) -> i64 {
        (self.step + 1).saturating_mul(self.step_ns)
    }

    /// Cuts the steps that have ended by now.
    #[inline(never)]
    pub(super) fn advance(&mut self, now_ns: i64, ticks: &HayashiYoshida, lags: &mut CrossLags) {
        let step = now_ns / self.step_ns;
        if self.step >= 0 && step > self.step {
            let share = self.share;
            let anchors = &mut self.anchors;
            lags.push(|row| {
                for (index, (entry, anchor)) in row.iter_mut().zip(anchors).enumerate() {
                    *entry = anchor.cut(ticks.price(index), share);
                }
            });
            for _ in 1..(step - self.step).min(EMPTY_ROWS_MAX) {
                lags.push(|row| row.fill(0.0));
            }
        }
        self.step = self.step.max(step);
    }

    /// What the series moves up to this price is no return: it was silent too long.
    pub(super) fn begin_anew(&mut self, index: usize, log_price: f64) {
        self.anchors[index].log_price = log_price;
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        out.i64(self.step);
        for anchor in &self.anchors {
            out.f64(anchor.log_price);
            out.f64(anchor.variance);
            out.u32(anchor.rows);
            out.bool(anchor.is_set);
        }
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.step = from.i64()?;
        from.expect(self.step >= -1, "a step of the grid, or -1 for none")?;
        for anchor in &mut self.anchors {
            anchor.log_price = load_float(from)?;
            let is_price = libm::fabs(anchor.log_price) <= LOG_PRICE_MAX;
            from.expect(is_price, "a log price")?;
            anchor.variance = load_weight(from)?;
            anchor.rows = from.u32()?;
            from.expect(anchor.rows <= ROWS_MIN, "rows within their bound")?;
            anchor.is_set = from.bool()?;
        }
        Ok(())
    }
}

impl Anchor {
    /// The return up to this price, in deviations of the returns before; 0 while they are unknown.
    fn cut(&mut self, log_price: Option<f64>, share: f64) -> f64 {
        let Some(log_price) = log_price else {
            return 0.0;
        };
        let change = log_price - self.log_price;
        self.log_price = log_price;
        if !self.is_set {
            self.is_set = true;
            return 0.0;
        }
        let variance = self.variance;
        let is_known = self.rows == ROWS_MIN && variance > f64::MIN_POSITIVE;
        if self.rows < ROWS_MIN {
            self.rows += 1;
            self.variance += (change * change - variance) / f64::from(self.rows);
        } else {
            self.variance += share * (change * change - variance);
        }
        if is_known {
            (change / libm::sqrt(variance)).clamp(-RETURN_MAX, RETURN_MAX)
        } else {
            0.0
        }
    }
}
