//! Sums that fade with time: order flow, trades and quotes of one instrument, all on one clock.
//!
//! A sum halves with every half-life that passes. Three half-lives are kept (1 s, 10 s, 40 s) and all their factors
//! come from one exponential: the factor of 40 s to the fourth power is that of 10 s, and that to the tenth is that of
//! 1 s. An event that comes at rate `r` per second brings its sum to `r * half-life / ln 2` on average, so a sum times
//! `ln 2 / half-life` is a rate.

use core::f64::consts::LN_2;

use crate::{
    event::Side,
    market::Quote,
    snapshot::{Decoder, Sink, SnapshotError},
};

const NS_PER_SECOND: f64 = 1e9;
/// The longest half-life, of the mean volume; the others are powers of its factor.
pub(super) const HALF_LIFE_SLOW_S: f64 = 40.0;
/// Half-life of the features named 10s and of the mean top depth.
pub(super) const HALF_LIFE_MIDDLE_S: f64 = 10.0;
/// Half-life of the features named 1s.
pub(super) const HALF_LIFE_FAST_S: f64 = 1.0;
/// What is known of the slow mean after one second. A shorter past counts as one second, so that the first trade does not
/// look like an enormous rate.
const KNOWN_MIN: f64 = 0.017_179_401;

/// What is left of the three weights after a time.
#[derive(Clone, Copy, Debug)]
struct Decays {
    fast: f64,
    middle: f64,
    slow: f64,
}

impl Decays {
    fn over(elapsed_ns: i64) -> Self {
        let seconds = elapsed_ns as f64 / NS_PER_SECOND;
        let slow = libm::exp2(-seconds / HALF_LIFE_SLOW_S);
        let slow_squared = slow * slow;
        let middle = slow_squared * slow_squared;
        let squared = middle * middle;
        let fourth = squared * squared;
        let fast = fourth * fourth * squared;
        Self { fast, middle, slow }
    }
}

/// Sums of one half-life.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    /// Order-flow imbalance of the top, quantity mantissa.
    flow: f64,
    /// Bought minus sold, quantity mantissa.
    signed: f64,
    /// Bought plus sold, quantity mantissa.
    total: f64,
    /// Trades.
    trades: f64,
}

impl Sums {
    #[inline]
    fn fade(&mut self, decay: f64) {
        self.flow *= decay;
        self.signed *= decay;
        self.total *= decay;
        self.trades *= decay;
    }

    fn add_trade(&mut self, signed: f64, total: f64) {
        self.signed += signed;
        self.total += total;
        self.trades += 1.0;
    }

    /// One unit of the quantity mantissa is added below, so that the sign fades to 0 in silence and 0 / 0 is 0.
    fn trade_sign(&self) -> f64 {
        self.signed / (self.total + 1.0)
    }

    fn write(&self, out: &mut impl Sink) {
        for value in [self.flow, self.signed, self.total, self.trades] {
            out.f64(value);
        }
    }

    fn load(from: &mut Decoder<'_>) -> Result<Self, SnapshotError> {
        Ok(Self {
            flow: from.finite()?,
            signed: from.finite()?,
            total: from.finite_sum()?,
            trades: from.finite_sum()?,
        })
    }
}

/// All fading sums of one instrument.
#[derive(Clone, Copy, Debug, Default)]
pub struct FadingFlows {
    ts_ns: i64,
    fast: Sums,
    middle: Sums,
    /// Changes of the top, 1 s.
    quotes: f64,
    /// Mean size at the top: fading sum and its weight, 10 s.
    depth_sum: f64,
    depth_weight: f64,
    /// Traded volume, 40 s.
    volume: f64,
    /// Part of the slow window that was observed: 0 at the start, towards 1.
    known: f64,
}

impl FadingFlows {
    /// Lets time pass up to `now_ns`; an earlier time counts as no time.
    #[inline]
    pub fn fade_to(&mut self, now_ns: i64) {
        if self.ts_ns == 0 {
            self.ts_ns = now_ns;
        }
        let elapsed_ns = now_ns.saturating_sub(self.ts_ns);
        if elapsed_ns <= 0 {
            return;
        }
        self.ts_ns = now_ns;
        let decays = Decays::over(elapsed_ns);
        self.fast.fade(decays.fast);
        self.middle.fade(decays.middle);
        self.quotes *= decays.fast;
        self.depth_sum *= decays.middle;
        self.depth_weight *= decays.middle;
        self.volume *= decays.slow;
        self.known = self.known * decays.slow + (1.0 - decays.slow);
    }

    /// Counts a change of the top, after `fade_to`. `before` is the quote that it followed without a gap.
    #[inline]
    pub fn add_quote(&mut self, before: Option<&Quote>, quote: &Quote) {
        self.quotes += 1.0;
        self.depth_sum += (quote.bid.quantity as f64 + quote.ask.quantity as f64) / 2.0;
        self.depth_weight += 1.0;
        if let Some(before) = before {
            let flow = order_flow(before, quote);
            self.fast.flow += flow;
            self.middle.flow += flow;
        }
    }

    /// Counts a trade, after `fade_to`.
    pub fn add_trade(&mut self, aggressor: Side, quantity: i64) {
        let total = quantity as f64;
        let signed = match aggressor {
            Side::Bid => total,
            Side::Ask => -total,
        };
        self.fast.add_trade(signed, total);
        self.middle.add_trade(signed, total);
        self.volume += total;
    }

    /// Order-flow imbalance in units of the mean size at the top; half-lives 1 s and 10 s. 0 before the first quote.
    pub fn order_flow(&self) -> [f64; 2] {
        let depth = self.depth_mean();
        if depth > 0.0 {
            [self.fast.flow / depth, self.middle.flow / depth]
        } else {
            [0.0; 2]
        }
    }

    /// Mean size at the top, quantity mantissa; 0 before the first quote, or when all have been forgotten.
    pub fn depth_mean(&self) -> f64 {
        if self.depth_weight > 0.0 {
            self.depth_sum / self.depth_weight
        } else {
            0.0
        }
    }

    /// Bought minus sold over both; half-lives 1 s and 10 s.
    pub fn trade_sign(&self) -> [f64; 2] {
        [self.fast.trade_sign(), self.middle.trade_sign()]
    }

    /// Trades per second; half-lives 1 s and 10 s.
    pub fn trade_rate(&self) -> [f64; 2] {
        [
            self.fast.trades * (LN_2 / HALF_LIFE_FAST_S),
            self.middle.trades * (LN_2 / HALF_LIFE_MIDDLE_S),
        ]
    }

    /// Changes of the top per second, half-life 1 s.
    pub fn quote_rate(&self) -> f64 {
        self.quotes * (LN_2 / HALF_LIFE_FAST_S)
    }

    /// Traded volume per second, quantity mantissa, half-life 40 s; the beginning is not taken for silence.
    pub fn volume_per_second(&self) -> f64 {
        self.volume * (LN_2 / HALF_LIFE_SLOW_S) / self.known.max(KNOWN_MIN)
    }

    /// Writes the exact state.
    pub fn write(&self, out: &mut impl Sink) {
        out.i64(self.ts_ns);
        self.fast.write(out);
        self.middle.write(out);
        for value in [
            self.quotes,
            self.depth_sum,
            self.depth_weight,
            self.volume,
            self.known,
        ] {
            out.f64(value);
        }
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        *self = Self {
            ts_ns: from.time_ns()?,
            fast: Sums::load(from)?,
            middle: Sums::load(from)?,
            quotes: from.finite_sum()?,
            depth_sum: from.finite_sum()?,
            depth_weight: from.finite_sum()?,
            volume: from.finite_sum()?,
            known: from.finite_sum()?,
        };
        Ok(())
    }
}

/// Order-flow imbalance of one change of the top (Cont, Kukanov and Stoikov 2014, equation 4): what was added to the
/// bid or taken from the ask counts up, the opposite down. A side that moved counts its whole size.
#[inline]
pub fn order_flow(before: &Quote, quote: &Quote) -> f64 {
    let mut flow = 0.0;
    if quote.bid.price >= before.bid.price {
        flow += quote.bid.quantity as f64;
    }
    if quote.bid.price <= before.bid.price {
        flow -= before.bid.quantity as f64;
    }
    if quote.ask.price <= before.ask.price {
        flow -= quote.ask.quantity as f64;
    }
    if quote.ask.price >= before.ask.price {
        flow += before.ask.quantity as f64;
    }
    flow
}
