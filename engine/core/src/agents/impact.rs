//! How far the market moves on in the direction of a trade within a second: what a maker loses to takers who know more.
//!
//! Of each trade the mid of its moment is remembered; a second later the move of the mid, in the taker's direction and as a
//! share of the mid, enters a fading mean. Only as many trades as there is room for are followed at a time; in a rush the
//! others are left out, which thins the sample and does not bend it.
//!
//! Invariant: the mean is finite; no allocation.

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Trades followed at a time.
const FOLLOWED: usize = 32;
/// How long a trade is followed.
const FOLLOW_NS: i64 = 1_000_000_000;
/// Share of a new trade in the mean: half of the weight lies on the last 34.
const SHARE: f64 = 0.02;
/// Largest move that counts, as a share of the mid.
const MOVE_MAX: f64 = 0.01;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Followed {
    ts_ns: i64,
    mid_doubled: i64,
    /// +1 for a buyer, -1 for a seller.
    sign: i64,
}

/// The mean move after a trade; see the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Impact {
    followed: [Followed; FOLLOWED],
    first: usize,
    count: usize,
    mean: f64,
    trades: u64,
}

impl Impact {
    /// A taker of this sign (+1 buys, -1 sells) traded while twice the mid was `mid_doubled`, a mantissa.
    pub fn on_trade(&mut self, now_ns: i64, sign: i64, mid_doubled: i64) {
        if self.count == FOLLOWED || mid_doubled <= 0 {
            return;
        }
        self.followed[(self.first + self.count) % FOLLOWED] = Followed {
            ts_ns: now_ns,
            mid_doubled,
            sign: sign.signum(),
        };
        self.count += 1;
    }

    /// Lets time pass: twice the mid is `mid_doubled` now. Returns how many trades came to their end and the sum of their moves.
    pub fn on_time(&mut self, now_ns: i64, mid_doubled: i64) -> (u32, f64) {
        let (mut ended, mut sum) = (0, 0.0);
        while self.count > 0 {
            let trade = self.followed[self.first];
            if now_ns - trade.ts_ns < FOLLOW_NS {
                break;
            }
            let moved = (mid_doubled - trade.mid_doubled) as f64 / trade.mid_doubled as f64;
            let moved = (moved * trade.sign as f64).clamp(-MOVE_MAX, MOVE_MAX);
            let share = if self.trades == 0 { 1.0 } else { SHARE };
            self.mean += share * (moved - self.mean);
            self.trades += 1;
            self.first = (self.first + 1) % FOLLOWED;
            self.count -= 1;
            ended += 1;
            sum += moved;
        }
        (ended, sum)
    }

    /// The mean move against a maker, as a share of the mid; negative where the market turns back.
    pub const fn mean(&self) -> f64 {
        self.mean
    }

    /// Trades that were followed to their end.
    pub const fn trades(&self) -> u64 {
        self.trades
    }

    /// Writes the exact state.
    pub fn write(&self, out: &mut impl Sink) {
        out.length(self.count);
        for step in 0..self.count {
            let trade = self.followed[(self.first + step) % FOLLOWED];
            out.i64(trade.ts_ns);
            out.i64(trade.mid_doubled);
            out.i64(trade.sign);
        }
        out.f64(self.mean);
        out.u64(self.trades);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        *self = Self::default();
        self.count = from.length(FOLLOWED, 24)?;
        for trade in &mut self.followed[..self.count] {
            trade.ts_ns = from.time_ns()?;
            trade.mid_doubled = from.i64()?;
            trade.sign = from.i64()?;
            let is_trade = trade.mid_doubled > 0 && (-1..=1).contains(&trade.sign);
            from.expect(is_trade, "a trade at a positive price")?;
        }
        self.mean = from.finite()?;
        self.trades = from.count()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_that_goes_on_after_a_trade_is_measured() {
        let mut impact = Impact::default();
        // A buyer at a mid of 100 (doubled 200), which is 101 a second later.
        impact.on_trade(1, 1, 200);
        impact.on_time(1 + FOLLOW_NS - 1, 202);
        assert_eq!(impact.trades(), 0, "not yet");
        impact.on_time(1 + FOLLOW_NS, 202);
        assert_eq!(impact.trades(), 1);
        assert!((impact.mean() - 0.01).abs() < 1e-15);
        // A seller after whom it falls back again: the same direction, so against the maker as well.
        impact.on_trade(FOLLOW_NS, -1, 202);
        impact.on_time(3 * FOLLOW_NS, 202);
        assert!((impact.mean() - 0.01 * (1.0 - SHARE)).abs() < 1e-15);
    }

    #[test]
    fn in_a_rush_the_rest_is_left_out() {
        let mut impact = Impact::default();
        for step in 0..100 {
            impact.on_trade(step, 1, 200);
        }
        impact.on_time(10 * FOLLOW_NS, 200);
        assert_eq!(impact.trades(), FOLLOWED as u64);
    }
}
