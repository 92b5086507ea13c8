//! What models see of the market: 26 numbers an instrument, each updated in constant time.
//!
//! `table` says what they are. `InstrumentFeatures` keeps what one instrument needs, `Features` all of them and the two
//! features that compare instruments: carry (the distance between the future or perpetual and the spot of one asset)
//! and the return of the whole market.
//!
//! Fading values are brought up to the present when they are read; reading changes nothing. What outside models know
//! (leader, pair, regime, funding) is handed in through setters.
//!
//! Invariant: every number kept or given is finite. No allocation after construction.

mod fading;
mod instrument;
mod session;
mod table;
mod volatility;

use alloc::vec::Vec;

pub use fading::{FadingFlows, order_flow};
pub use instrument::{
    DEPTH_LEVELS, Depth, FEATURE_MAX, InstrumentFeatures, RETURN_TICKS, RETURN_TICKS_MAX,
};
use instrument::{PPM, bounded};
pub use session::{is_weekend, time_of_day};
pub use table::{FEATURE_COUNT, FEATURES, Feature, FeatureRow, feature_table_hash, index_of};
pub use volatility::MeanSquare;

use crate::{
    event::Side,
    instrument::{Contract, Instrument, InstrumentId, Instruments},
    market::Market,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Ticks of the return that is averaged over the market.
const MARKET_RETURN_TICKS: usize = 10;

/// The two halves of a carry, by index.
#[derive(Clone, Copy, Debug)]
struct CarryPair {
    derivative: usize,
    spot: usize,
}

/// The features of all instruments; rows have the order of the hub's table.
#[derive(Clone, Debug)]
pub struct Features {
    rows: Vec<InstrumentFeatures>,
    carry_pairs: Vec<Option<CarryPair>>,
    /// Mean over the live instruments of the return over the volatility of its window, at the last timer.
    market_score: f64,
    refused_count: u64,
}

impl Features {
    /// Nothing seen yet of any instrument.
    pub fn new(instruments: &Instruments) -> Self {
        let row = |instrument: &Instrument| InstrumentFeatures::new(instrument.price_exponent);
        Self {
            rows: instruments.rows().iter().map(row).collect(),
            carry_pairs: instruments
                .iter()
                .map(|(id, _)| carry_pair_of(id, instruments))
                .collect(),
            market_score: 0.0,
            refused_count: 0,
        }
    }

    /// How many instruments there are.
    pub const fn count(&self) -> usize {
        self.rows.len()
    }

    /// A venue message about this instrument's book or ticker is complete.
    ///
    /// # Panics
    /// When the index is not of this hub's table; so do all methods that take one.
    #[inline]
    pub fn on_quote(&mut self, index: usize, now_ns: i64, market: &Market) {
        match market.quote() {
            Some(quote) => self.rows[index].on_quote(now_ns, &quote, Depth::of(market)),
            None => self.rows[index].on_quote_lost(),
        }
    }

    /// A trade was printed; price and quantity are mantissas.
    pub fn on_trade(
        &mut self,
        index: usize,
        now_ns: i64,
        aggressor: Side,
        price: i64,
        quantity: i64,
    ) {
        self.rows[index].on_trade(now_ns, aggressor, price, quantity);
    }

    /// The timer came due: samples all prices and averages the market's return.
    pub fn on_timer(&mut self, now_ns: i64) {
        let (mut sum, mut count) = (0.0, 0u32);
        for row in &mut self.rows {
            row.on_timer(now_ns);
            let volatility = row.volatility_per_root_second();
            if row.is_live() && volatility > 0.0 {
                sum += row.return_over(MARKET_RETURN_TICKS) / volatility;
                count += 1;
            }
        }
        self.market_score = if count > 0 {
            sum / f64::from(count)
        } else {
            0.0
        };
    }

    /// One instrument's state.
    pub fn row(&self, index: usize) -> &InstrumentFeatures {
        &self.rows[index]
    }

    /// All features of one instrument as of `now_ns`, in the order of `FEATURES`; all finite.
    pub fn vector(&self, index: usize, now_ns: i64, out: &mut [f32; FEATURE_COUNT]) {
        let row = &self.rows[index];
        row.vector(now_ns, out);
        out[Feature::Carry as usize] = bounded(self.carry(index) * PPM);
        let market_return = self.market_score * row.volatility_per_root_second();
        out[Feature::MarketReturn1s as usize] = bounded(market_return * PPM);
    }

    /// Log of the perpetual or future minus log of the spot of the same base and quote; the same at both. 0 without a
    /// partner, or while either has no quote to trust.
    pub fn carry(&self, index: usize) -> f64 {
        let Some(pair) = self.carry_pairs[index] else {
            return 0.0;
        };
        let (derivative, spot) = (&self.rows[pair.derivative], &self.rows[pair.spot]);
        if derivative.is_live() && spot.is_live() {
            derivative.log_price() - spot.log_price()
        } else {
            0.0
        }
    }

    /// The venue's funding rate, ppm per interval.
    pub fn set_funding(&mut self, index: usize, funding_ppm: f64) {
        set(
            &mut self.rows[index].outside.funding_ppm,
            funding_ppm,
            &mut self.refused_count,
        );
    }

    /// What the instrument's leader moved that it has not followed yet, ppm.
    pub fn set_leader_move(&mut self, index: usize, leader_move_ppm: f64) {
        let slot = &mut self.rows[index].outside.leader_move_ppm;
        set(slot, leader_move_ppm, &mut self.refused_count);
    }

    /// How many deviations the instrument's pair is from its mean; positive when this instrument is dear.
    pub fn set_pair_z(&mut self, index: usize, pair_z: f64) {
        set(
            &mut self.rows[index].outside.pair_z,
            pair_z,
            &mut self.refused_count,
        );
    }

    /// Probability of the busy regime.
    pub fn set_regime_busy(&mut self, index: usize, probability: f64) {
        let slot = &mut self.rows[index].outside.regime_busy;
        set(slot, probability, &mut self.refused_count);
    }

    /// Quotes, trades and set values that were refused.
    pub fn refused_count(&self) -> u64 {
        let rows = self.rows.iter().map(InstrumentFeatures::refused_count);
        rows.fold(self.refused_count, u64::saturating_add)
    }

    /// Writes the exact state.
    pub fn write(&self, out: &mut impl Sink) {
        out.length(self.rows.len());
        out.f64(self.market_score);
        out.u64(self.refused_count);
        for row in &self.rows {
            row.write(out);
        }
    }

    /// Reads what `write` wrote, into features of the same instruments.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let count = from.length(self.rows.len(), 1)?;
        from.expect(count == self.rows.len(), "features of every instrument")?;
        self.market_score = from.finite()?;
        self.refused_count = from.count()?;
        self.rows.iter_mut().try_for_each(|row| row.load(from))
    }
}

/// Stores a value within `FEATURE_MAX`; one that is not a finite number is refused and counted, and the slot stays.
fn set(slot: &mut f64, value: f64, refused_count: &mut u64) {
    if value.is_finite() {
        *slot = value.clamp(-FEATURE_MAX, FEATURE_MAX);
    } else {
        *refused_count += 1;
    }
}

/// The pair that an instrument belongs to: the first instrument of the table with the same base and quote that is spot
/// where this one is not; for a spot the first perpetual, else the first future.
fn carry_pair_of(id: InstrumentId, instruments: &Instruments) -> Option<CarryPair> {
    let own = instruments.get(id)?;
    let index = id.index();
    let partner = |contract: Contract| {
        instruments.rows().iter().position(|other| {
            other.base == own.base && other.quote == own.quote && other.contract == contract
        })
    };
    if own.contract == Contract::Spot {
        let derivative = partner(Contract::Perpetual).or_else(|| partner(Contract::Future))?;
        let spot = index;
        Some(CarryPair { derivative, spot })
    } else {
        let derivative = index;
        let spot = partner(Contract::Spot)?;
        Some(CarryPair { derivative, spot })
    }
}
