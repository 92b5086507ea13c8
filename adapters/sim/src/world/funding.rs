//! Mark prices and funding rates of the perpetuals: what a venue tells every second.
//!
//! The mark is the middle of the perpetual's own book. The index is the middle of the book of the first spot instrument of the
//! same asset; where none is traded, the mark less the premium that was planted. Both are whole price mantissas, halves down.
//! With the premium `mark / index - 1` the rate is what Binance publishes of its own, with the present premium in place of an
//! average of the interval and for an interval of any length:
//!
//! ```text
//!   rate = premium + clamp(INTEREST - premium, -DAMPER, +DAMPER), at most RATE_MAX either way
//! ```
//!
//! So it is the interest while the premium is near it, and follows the premium beyond.
//!
//! Invariant: nothing here is random and nothing here touches a book: a world with other funding has the same markets.

use acth_core::{
    event::{FUNDING_RATE_EXPONENT, Side},
    instrument::{Contract, InstrumentId, Instruments},
};

use super::{
    fair::FairValues,
    market::Market,
    message::{MessageBody, WorldMessage},
};

/// Time between two announcements; they come at whole multiples of it since the Unix epoch.
const ANNOUNCE_NS: i64 = 1_000_000_000;
/// A rate of 1.
const ONE: i64 = 10_i64.pow(FUNDING_RATE_EXPONENT);
/// What holding costs without any premium: 0.01 % an interval.
const INTEREST: i64 = 100_000_000;
/// How much of the distance between interest and premium is left out: 0.05 %.
const DAMPER: i64 = 500_000_000;
/// Largest rate: 2 %.
const RATE_MAX: i64 = 20_000_000_000;

/// One perpetual and where its index comes from.
#[derive(Clone, Copy, Debug)]
struct Perpetual {
    index: usize,
    spot: Option<usize>,
}

/// The announcements of a world.
#[derive(Clone, Debug)]
pub(super) struct FundingDesk {
    perpetuals: Vec<Perpetual>,
    /// Between two fundings, at whole multiples since the Unix epoch.
    interval_ns: i64,
    /// `i64::MAX` where nothing is ever announced.
    ts_next_ns: i64,
}

impl FundingDesk {
    /// Announces from `ts_start_ns` on; an interval of 0 or a world without perpetuals announces nothing. `assets` has the asset
    /// of every instrument.
    pub(super) fn new(
        instruments: &Instruments,
        assets: &[usize],
        interval_ns: i64,
        ts_start_ns: i64,
    ) -> Self {
        let rows = instruments.rows();
        let is_spot_of = |other: usize, own: usize| {
            assets[other] == assets[own] && rows[other].contract == Contract::Spot
        };
        let perpetual = |index: usize| Perpetual {
            index,
            spot: (0..rows.len()).find(|other| is_spot_of(*other, index)),
        };
        let indexes = (0..rows.len()).filter(|index| rows[*index].contract == Contract::Perpetual);
        let perpetuals: Vec<Perpetual> = indexes.map(perpetual).collect();
        let is_silent = interval_ns <= 0 || perpetuals.is_empty();
        Self {
            perpetuals,
            interval_ns,
            ts_next_ns: if is_silent {
                i64::MAX
            } else {
                after(ts_start_ns, ANNOUNCE_NS)
            },
        }
    }

    /// When the next announcements are due.
    pub(super) const fn ts_next_ns(&self) -> i64 {
        self.ts_next_ns
    }

    /// Announces all perpetuals at their time. One without a quote, or whose spot has none, is left out.
    pub(super) fn announce(
        &mut self,
        instruments: &Instruments,
        markets: &[Market],
        fair: &FairValues,
        emit: &mut impl FnMut(WorldMessage<'_>),
    ) {
        let ts_ns = self.ts_next_ns;
        let ts_funding_ns = after(ts_ns, self.interval_ns);
        for perpetual in &self.perpetuals {
            let Some(mark) = middle(&markets[perpetual.index]) else {
                continue;
            };
            let index = match perpetual.spot {
                Some(spot) => middle(&markets[spot]).map(|price| {
                    let exponent = |of: usize| instruments.rows()[of].price_exponent;
                    rescaled(price, exponent(spot), exponent(perpetual.index))
                }),
                None => Some((mark as f64 / libm::exp(fair.premium(perpetual.index))) as i64),
            };
            let Some(index) = index.filter(|price| *price > 0) else {
                continue;
            };
            emit(WorldMessage {
                instrument: InstrumentId(perpetual.index as u16),
                ts_ns,
                body: MessageBody::MarkPrice {
                    mark,
                    index,
                    rate: rate(mark, index),
                    ts_next_ns: ts_funding_ns,
                },
            });
        }
        self.ts_next_ns = after(ts_ns, ANNOUNCE_NS);
    }
}

/// The first whole multiple of `interval_ns` after a moment.
const fn after(ts_ns: i64, interval_ns: i64) -> i64 {
    ts_ns.saturating_add(interval_ns - ts_ns.rem_euclid(interval_ns))
}

/// The middle of the book, if both sides are there and it is a price.
fn middle(market: &Market) -> Option<i64> {
    let bid = market.engine.best(Side::Bid)?;
    let ask = market.engine.best(Side::Ask)?;
    let middle = i64::midpoint(bid.price, ask.price);
    (middle > 0).then_some(middle)
}

/// A price mantissa at another exponent, rounded down; the largest number where it does not fit.
fn rescaled(price: i64, from: u8, to: u8) -> i64 {
    let (up, down) = (to.saturating_sub(from), from.saturating_sub(to));
    let scaled = i128::from(price) * 10i128.pow(u32::from(up)) / 10i128.pow(u32::from(down));
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

/// The rate by mark and index, both above 0.
fn rate(mark: i64, index: i64) -> i64 {
    let distance = i128::from(mark) - i128::from(index);
    let premium = distance * i128::from(ONE) / i128::from(index);
    // Far beyond any rate already, and then it fits.
    let premium = premium.clamp(-i128::from(ONE), i128::from(ONE)) as i64;
    let damped = premium + (INTEREST - premium).clamp(-DAMPER, DAMPER);
    damped.clamp(-RATE_MAX, RATE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_the_interest_near_it_and_follows_the_premium_beyond() {
        let index = 1_000_000;
        for (mark, expected) in [
            // No premium, and as far as the damper reaches either way.
            (index, INTEREST),
            (index + 600, INTEREST),
            (index - 400, INTEREST),
            // One part per million further.
            (index + 601, INTEREST + 1_000_000),
            (index - 401, INTEREST - 1_000_000),
            (index + 2_000, 1_500_000_000),
            (index - 2_000, -1_500_000_000),
            (2 * index, RATE_MAX),
            (1, -RATE_MAX),
            (i64::MAX, RATE_MAX),
        ] {
            assert_eq!(rate(mark, index), expected, "{mark}");
        }
    }

    #[test]
    fn times_are_whole_multiples_that_lie_ahead() {
        assert_eq!(after(0, 100), 100);
        assert_eq!(after(99, 100), 100);
        assert_eq!(after(100, 100), 200);
        assert_eq!(after(-1, 100), 0);
        assert_eq!(after(i64::MAX - 1, 100), i64::MAX);
    }

    #[test]
    fn prices_change_their_exponent() {
        assert_eq!(rescaled(6_180_025, 2, 4), 618_002_500);
        assert_eq!(rescaled(618_002_599, 4, 2), 6_180_025);
        assert_eq!(rescaled(i64::MAX, 0, 18), i64::MAX);
    }
}
