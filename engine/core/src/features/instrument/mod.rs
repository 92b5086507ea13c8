//! What is kept of one instrument; `vector` reads the features off it, `snapshot` writes it down.

mod snapshot;
mod vector;

use core::f64::consts::LN_10;

pub(super) use self::vector::bounded;
use super::{
    fading::FadingFlows,
    volatility::{
        HALF_LIFE_BUCKETS, HALF_LIFE_QUOTES, HALF_LIFE_TIME_S, MeanSquare, decay_of_step,
    },
};
use crate::{
    event::{Level, Side},
    market::{Market, Quote},
};

/// Levels a side that the deeper imbalance sums.
pub const DEPTH_LEVELS: usize = 5;
/// Longest return, timer ticks.
pub const RETURN_TICKS_MAX: usize = 100;
/// Timer ticks of the three returns.
pub const RETURN_TICKS: [usize; 3] = [1, 10, 100];
/// Sampled log prices kept: the longest return needs one more than its ticks.
const SAMPLES: usize = RETURN_TICKS_MAX + 1;
/// Slots of their ring; a power of two, so that the place is the low bits of a count.
const RING: usize = 128;
const _: () = assert!(SAMPLES <= RING && RING.is_power_of_two());

/// Parts per million.
pub(in crate::features) const PPM: f64 = 1e6;
const NS_PER_SECOND: f64 = 1e9;
/// Largest absolute value of a feature. What is larger is cut off: no market moves that far, and f32 holds it.
pub const FEATURE_MAX: f64 = 1e9;
/// Fewest units of the quantity mantissa in a bucket of the volume clock.
const BUCKET_MIN: f64 = 1.0;

/// What stands on the best five levels of each side, quantity mantissa.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// Buyers.
    pub bid: i64,
    /// Sellers.
    pub ask: i64,
}

impl Depth {
    /// Sums the best levels of a market's book. A sum beyond what 64 bits hold stays at the largest number.
    #[inline]
    pub fn of(market: &Market) -> Self {
        let sum = |side| {
            let levels = market.book().levels(side).take(DEPTH_LEVELS);
            levels.fold(0i64, |sum, level| sum.saturating_add(level.quantity))
        };
        Self {
            bid: sum(Side::Bid),
            ask: sum(Side::Ask),
        }
    }
}

/// What outside models say of an instrument; each is 0 until it is set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::features) struct Outside {
    pub(in crate::features) funding_ppm: f64,
    pub(in crate::features) leader_move_ppm: f64,
    pub(in crate::features) pair_z: f64,
    pub(in crate::features) regime_busy: f64,
}

/// The state behind one instrument's features. Every update takes constant time.
///
/// Invariants: no number kept is NaN or infinite; no return spans a time without a live quote.
#[derive(Clone, Debug)]
pub struct InstrumentFeatures {
    /// Log of ten to the price exponent: turns the log of a mantissa into that of a price.
    log_scale: f64,
    quote: Quote,
    depth: Depth,
    is_live: bool,
    log_price: f64,
    flows: FadingFlows,
    by_time: MeanSquare,
    by_event: MeanSquare,
    by_volume: MeanSquare,
    /// Volume since the present bucket began, and the log price then.
    bucket_volume: f64,
    bucket_log_price: Option<f64>,
    /// Log prices at the last timers as a ring; the newest stands at `samples - 1`.
    ring: [f64; RING],
    /// Timers with a live quote without a gap.
    samples: u64,
    ts_sample_ns: i64,
    refused_count: u64,
    pub(in crate::features) outside: Outside,
    decay_event: f64,
    decay_volume: f64,
}

const NO_LEVEL: Level = Level {
    price: 0,
    quantity: 0,
};

impl InstrumentFeatures {
    /// Nothing seen yet; prices have this many decimal places.
    pub fn new(price_exponent: u8) -> Self {
        Self {
            log_scale: f64::from(price_exponent) * LN_10,
            quote: Quote {
                bid: NO_LEVEL,
                ask: NO_LEVEL,
            },
            depth: Depth::default(),
            is_live: false,
            log_price: 0.0,
            flows: FadingFlows::default(),
            by_time: MeanSquare::default(),
            by_event: MeanSquare::default(),
            by_volume: MeanSquare::default(),
            bucket_volume: 0.0,
            bucket_log_price: None,
            ring: [0.0; RING],
            samples: 0,
            ts_sample_ns: 0,
            refused_count: 0,
            outside: Outside::default(),
            decay_event: decay_of_step(HALF_LIFE_QUOTES),
            decay_volume: decay_of_step(HALF_LIFE_BUCKETS),
        }
    }

    /// Takes the present quote and depth. A quote that is not positive, crossed or of negative size is refused, counted
    /// and treated like a lost one. Where the top is as it was, only the depth is new.
    #[inline]
    pub fn on_quote(&mut self, now_ns: i64, quote: &Quote, depth: Depth) {
        let is_quote = quote.bid.price > 0
            && quote.bid.price < quote.ask.price
            && quote.bid.quantity >= 0
            && quote.ask.quantity >= 0;
        if !is_quote {
            self.refused_count += 1;
            self.on_quote_lost();
            return;
        }
        self.depth = depth;
        if self.is_live && *quote == self.quote {
            return;
        }
        let log_price = libm::log(microprice(quote)) - self.log_scale;
        self.flows.fade_to(now_ns);
        let before = self.is_live.then_some(&self.quote);
        self.flows.add_quote(before, quote);
        if self.is_live {
            let change = log_price - self.log_price;
            self.by_event.update(change, 1.0, self.decay_event);
        } else {
            self.bucket_log_price = None;
        }
        self.quote = *quote;
        self.log_price = log_price;
        self.is_live = true;
    }

    /// There is no quote to trust any more. What fades goes on fading; prices start anew with the next quote.
    pub const fn on_quote_lost(&mut self) {
        self.is_live = false;
        self.samples = 0;
    }

    /// Takes a trade. A price or quantity that is not positive is refused and counted.
    pub fn on_trade(&mut self, now_ns: i64, aggressor: Side, price: i64, quantity: i64) {
        if price <= 0 || quantity <= 0 {
            self.refused_count += 1;
            return;
        }
        self.flows.fade_to(now_ns);
        self.flows.add_trade(aggressor, quantity);
        if !self.is_live {
            return;
        }
        let Some(log_price_then) = self.bucket_log_price else {
            self.bucket_log_price = Some(self.log_price);
            self.bucket_volume = 0.0;
            return;
        };
        self.bucket_volume += quantity as f64;
        let bucket = self.flows.volume_per_second().max(BUCKET_MIN);
        if self.bucket_volume >= bucket {
            let change = self.log_price - log_price_then;
            let passed = self.bucket_volume / bucket;
            self.by_volume.update(change, passed, self.decay_volume);
            self.bucket_volume = 0.0;
            self.bucket_log_price = Some(self.log_price);
        }
    }

    /// Samples the price. Between two samples without a gap the return enters the volatility per second, unless no time
    /// passed.
    pub fn on_timer(&mut self, now_ns: i64) {
        if !self.is_live {
            return;
        }
        let elapsed_ns = now_ns.saturating_sub(self.ts_sample_ns);
        if self.samples > 0 && elapsed_ns > 0 {
            let seconds = elapsed_ns as f64 / NS_PER_SECOND;
            let change = self.log_price - self.sample(0);
            let decay = libm::exp2(-seconds / HALF_LIFE_TIME_S);
            self.by_time.update(change, seconds, decay);
        }
        self.ring[self.samples as usize % RING] = self.log_price;
        self.samples += 1;
        self.ts_sample_ns = now_ns;
    }

    /// The sample of so many ticks before the newest. There must be one.
    const fn sample(&self, ticks_ago: usize) -> f64 {
        self.ring[(self.samples as usize).wrapping_sub(1 + ticks_ago) % RING]
    }

    /// True while there is a quote to trust.
    pub const fn is_live(&self) -> bool {
        self.is_live
    }

    /// The last quote taken, if it is still one to trust.
    pub fn quote(&self) -> Option<&Quote> {
        self.is_live.then_some(&self.quote)
    }

    /// Natural log of the microprice in whole units of the quote currency; 0 before the first quote, the last one known
    /// while there is none to trust.
    pub const fn log_price(&self) -> f64 {
        self.log_price
    }

    /// The microprice in units of the price mantissa; 0 while there is no quote to trust.
    pub fn microprice_f64(&self) -> f64 {
        if self.is_live {
            microprice(&self.quote)
        } else {
            0.0
        }
    }

    /// Standard deviation of the log return over a second; 0 until two samples were taken.
    pub fn volatility_per_root_second(&self) -> f64 {
        self.by_time.root()
    }

    /// Log return from the sample `ticks` timer ticks before the newest one up to now, so it covers `ticks` ticks and
    /// what passed since the last timer. 0 while that many ticks have not passed without a gap, and beyond
    /// `RETURN_TICKS_MAX`.
    pub const fn return_over(&self, ticks: usize) -> f64 {
        if ticks > RETURN_TICKS_MAX || self.samples <= ticks as u64 {
            return 0.0;
        }
        self.log_price - self.sample(ticks)
    }

    /// Trades per second as of `now_ns`, half-life 10 s.
    pub fn trade_rate(&self, now_ns: i64) -> f64 {
        self.flows_at(now_ns).trade_rate()[1]
    }

    /// Traded volume per second as of the last event, quantity mantissa, half-life 40 s.
    pub fn volume_per_second(&self) -> f64 {
        self.flows.volume_per_second()
    }

    /// Quotes and trades refused.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// The fading sums as of `now_ns`; those kept do not change by reading.
    fn flows_at(&self, now_ns: i64) -> FadingFlows {
        let mut flows = self.flows;
        flows.fade_to(now_ns);
        flows
    }
}

/// The mid as a float: unlike the doubled integer it cannot overflow.
fn mid(quote: &Quote) -> f64 {
    (quote.bid.price as f64 + quote.ask.price as f64) / 2.0
}

/// The microprice, or the mid where nothing stands on either side.
#[inline]
fn microprice(quote: &Quote) -> f64 {
    if quote.bid.quantity == 0 && quote.ask.quantity == 0 {
        mid(quote)
    } else {
        quote.microprice()
    }
}
