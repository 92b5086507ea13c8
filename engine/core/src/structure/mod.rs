//! Cross-asset structure, found without being told which assets belong together.

mod config;
mod found;

pub use config::{
    ADF_LAGS_MAX, LAG_COUNT_MAX, SCAN_ROWS_MAX, SCAN_ROWS_MIN, STATES_MAX, StructureConfig,
    StructureError,
};
pub use found::{Edge, EdgeChange, Lead, Pair, Regime};

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Who moves with whom, who leads whom, which prices stay together, and how the market as a whole is.
#[derive(Debug)]
pub struct Structure {
    count: usize,
}

impl Structure {
    /// For `count` instruments; nothing is known yet.
    ///
    /// # Errors
    /// A parameter makes no sense, or there are too many instruments.
    pub fn new(config: &StructureConfig, count: usize) -> Result<Self, StructureError> {
        config.check(count)?;
        Ok(Self { count })
    }

    /// Takes a changed price, as its natural logarithm.
    pub const fn on_price(&mut self, _index: usize, _now_ns: i64, _log_price: f64) {}

    /// Lets time pass and does one bounded slice of the work that is too heavy for a price.
    pub const fn on_timer(&mut self, _now_ns: i64) {}

    /// Correlation of two instruments' returns at the same time, cleaned of noise, -1 to 1; 0 while unknown.
    pub fn correlation(&self, first: usize, second: usize) -> f64 {
        f64::from(u8::from(first == second && first < self.count))
    }

    /// Who leads this instrument best, if anyone does.
    pub const fn leader_of(&self, _follower: usize) -> Option<Lead> {
        None
    }

    /// All edges, by their first and then their second instrument.
    pub fn edges(&self) -> impl Iterator<Item = Edge> {
        core::iter::empty()
    }

    /// The edges that came and went since the last call, oldest first.
    pub fn take_changes(&mut self) -> impl Iterator<Item = EdgeChange> {
        core::iter::empty()
    }

    /// The pairs whose prices stay together best.
    pub const fn pairs(&self) -> &[Pair] {
        &[]
    }

    /// The market's regime.
    pub const fn regime(&self) -> Regime {
        Regime {
            state: 0,
            probabilities: [1.0, 0.0, 0.0, 0.0],
        }
    }

    /// Whether the last observation announced a change of the market.
    pub const fn change_alarm(&self) -> bool {
        false
    }

    /// Changes announced so far.
    pub const fn change_count(&self) -> u64 {
        0
    }

    /// Writes the exact state; parameters and count are the reader's.
    pub fn write(&self, _out: &mut impl Sink) {}

    /// Reads what one of the same configuration and count wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub const fn load(&mut self, _from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        Ok(())
    }
}
