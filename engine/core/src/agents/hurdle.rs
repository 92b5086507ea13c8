//! What an agent asks beyond its costs so that its own fills earn: learned from what became of them.
//!
//! Each fill is followed for a second from its price. What it then lacked of what it should have earned raises the hurdle, what
//! it had to spare lowers it, and with time it fades, or who was burnt once would never come back. Delay and takers who know
//! more, which no forecast of prices shows, are in it.

use super::impact::Impact;
use crate::{
    event::Side,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Share of what a fill lacked that enters the hurdle.
const SHARE: f64 = 0.1;
/// What is left of it after a timer of 100 ms: half in about six minutes.
const KEPT: f64 = 0.9998;
/// Largest hurdle, as a share of the price.
const HEIGHT_MAX: f64 = 0.002;

/// Height from which on one stays away, and below which one comes back.
const HEIGHT_OUT: f64 = 20e-6;
const HEIGHT_BACK: f64 = 5e-6;

/// The hurdle of one instrument; see the module.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hurdle {
    fills: Impact,
    height: f64,
    is_too_high: bool,
}

impl Hurdle {
    /// A fill of our order on this side at this price, mantissa.
    pub fn filled(&mut self, now_ns: i64, side: Side, price: i64) {
        self.fills
            .on_trade(now_ns, side.sign(), price.saturating_mul(2));
    }

    /// The timer came due: twice the mid is `mid_doubled` now, and a fill should have earned `wanted` of its price by now.
    pub fn on_timer(&mut self, now_ns: i64, mid_doubled: i64, wanted: f64) {
        let (count, earned) = self.fills.on_time(now_ns, mid_doubled);
        let lacked = f64::from(count) * wanted - earned;
        self.height = ((self.height + SHARE * lacked) * KEPT).clamp(0.0, HEIGHT_MAX);
        if self.height > HEIGHT_OUT {
            self.is_too_high = true;
        } else if self.height < HEIGHT_BACK {
            self.is_too_high = false;
        }
    }

    /// True from where it has grown beyond what any spread pays for to where most of it has faded: the time to stay away.
    pub const fn is_too_high(&self) -> bool {
        self.is_too_high
    }

    /// What is asked beyond costs, as a share of the price; not negative.
    pub const fn height(&self) -> f64 {
        self.height
    }

    /// Writes the exact state.
    pub fn write(&self, out: &mut impl Sink) {
        self.fills.write(out);
        out.f64(self.height);
        out.bool(self.is_too_high);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what cannot have been learned.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.fills.load(from)?;
        self.height = from.finite()?;
        self.is_too_high = from.bool()?;
        from.expect(
            (0.0..=HEIGHT_MAX).contains(&self.height),
            "a hurdle within its bounds",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: i64 = 1_000_000_000;

    #[test]
    fn fills_that_lose_raise_it_and_fills_that_earn_lower_it() {
        let mut hurdle = Hurdle::default();
        let mut now_ns = 1;
        // Bought at 1,000,000, worth 999,900 a second later: 100 parts per million lost, 20 were wanted.
        for _ in 0..5 {
            hurdle.filled(now_ns, Side::Bid, 1_000_000);
            now_ns += SECOND_NS;
            hurdle.on_timer(now_ns, 2 * 999_900, 20e-6);
        }
        assert!(
            (hurdle.height() - 5.0 * 12e-6).abs() < 1e-7,
            "{}",
            hurdle.height()
        );
        for _ in 0..100 {
            hurdle.filled(now_ns, Side::Ask, 1_000_000);
            now_ns += SECOND_NS;
            hurdle.on_timer(now_ns, 2 * 999_900, 20e-6);
        }
        assert!(hurdle.height() == 0.0, "never below nothing");
    }
}
