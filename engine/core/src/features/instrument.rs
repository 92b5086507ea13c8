//! What is kept of one instrument, and its vector of features.

use core::f64::consts::LN_10;

use super::{
    FEATURE_COUNT,
    fading::FadingFlows,
    session::{is_weekend, time_of_day},
    table::Feature,
    volatility::{
        HALF_LIFE_BUCKETS, HALF_LIFE_QUOTES, HALF_LIFE_TIME_S, MeanSquare, decay_of_step,
    },
};
use crate::{
    event::{Level, Side},
    market::{Market, Quote},
    snapshot::{Decoder, Sink, SnapshotError},
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
pub(super) const PPM: f64 = 1e6;
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
pub(super) struct Outside {
    pub(super) funding_ppm: f64,
    pub(super) leader_move_ppm: f64,
    pub(super) pair_z: f64,
    pub(super) regime_busy: f64,
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
    pub(super) outside: Outside,
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

    /// Writes the features of this instrument alone; `Carry` and `MarketReturn1s`, which need others, stay 0. Each is
    /// finite and at most `FEATURE_MAX`. What a quote tells is 0 while there is none to trust.
    pub fn vector(&self, now_ns: i64, out: &mut [f32; FEATURE_COUNT]) {
        *out = [0.0; FEATURE_COUNT];
        let mut set = |feature: Feature, value: f64| out[feature as usize] = bounded(value);
        if self.is_live {
            let mid = mid(&self.quote);
            let spread = self.quote.spread() as f64;
            set(
                Feature::MicropriceOffset,
                (microprice(&self.quote) - mid) / mid * PPM,
            );
            set(Feature::Spread, spread / mid * PPM);
            let (bid, ask) = (self.quote.bid.quantity, self.quote.ask.quantity);
            set(Feature::ImbalanceTop, imbalance(bid, ask));
            set(
                Feature::ImbalanceFive,
                imbalance(self.depth.bid, self.depth.ask),
            );
            set(
                Feature::Return100ms,
                self.return_over(RETURN_TICKS[0]) * PPM,
            );
            set(Feature::Return1s, self.return_over(RETURN_TICKS[1]) * PPM);
            set(Feature::Return10s, self.return_over(RETURN_TICKS[2]) * PPM);
        }
        let flows = self.flows_at(now_ns);
        let (order_flow, trade_sign) = (flows.order_flow(), flows.trade_sign());
        let trade_rate = flows.trade_rate();
        set(Feature::OrderFlow1s, order_flow[0]);
        set(Feature::OrderFlow10s, order_flow[1]);
        set(Feature::TradeSign1s, trade_sign[0]);
        set(Feature::TradeSign10s, trade_sign[1]);
        set(Feature::TradeRate1s, trade_rate[0]);
        set(Feature::TradeRate10s, trade_rate[1]);
        set(Feature::QuoteRate1s, flows.quote_rate());
        set(Feature::VolatilityTime, self.by_time.root() * PPM);
        set(Feature::VolatilityEvent, self.by_event.root() * PPM);
        set(Feature::VolatilityVolume, self.by_volume.root() * PPM);
        let [sine, cosine] = time_of_day(now_ns);
        set(Feature::SessionSine, sine);
        set(Feature::SessionCosine, cosine);
        set(Feature::Weekend, f64::from(u8::from(is_weekend(now_ns))));
        set(Feature::Funding, self.outside.funding_ppm);
        set(Feature::LeaderMove, self.outside.leader_move_ppm);
        set(Feature::PairZ, self.outside.pair_z);
        set(Feature::RegimeBusy, self.outside.regime_busy);
    }

    /// Writes the exact state: the samples from the newest to the oldest, wherever they stand in the ring.
    pub fn write(&self, out: &mut impl Sink) {
        for level in [self.quote.bid, self.quote.ask] {
            out.i64(level.price);
            out.i64(level.quantity);
        }
        out.i64(self.depth.bid);
        out.i64(self.depth.ask);
        out.bool(self.is_live);
        out.f64(self.log_price);
        self.flows.write(out);
        for clock in [&self.by_time, &self.by_event, &self.by_volume] {
            clock.write(out);
        }
        out.f64(self.bucket_volume);
        out.bool(self.bucket_log_price.is_some());
        out.f64(self.bucket_log_price.unwrap_or(0.0));
        let kept = self.samples.min(SAMPLES as u64);
        out.u64(kept);
        for ticks_ago in 0..kept as usize {
            out.f64(self.sample(ticks_ago));
        }
        out.i64(self.ts_sample_ns);
        out.u64(self.refused_count);
        let outside = &self.outside;
        for value in [
            outside.funding_ppm,
            outside.leader_move_ppm,
            outside.pair_z,
            outside.regime_busy,
        ] {
            out.f64(value);
        }
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let (bid, ask) = (load_level(from)?, load_level(from)?);
        let is_size = bid.quantity >= 0 && ask.quantity >= 0;
        from.expect(is_size, "sizes that are not negative")?;
        self.depth.bid = from.i64()?;
        self.depth.ask = from.i64()?;
        let is_live = from.bool()?;
        let is_quote = !is_live || (bid.price > 0 && bid.price < ask.price);
        from.expect(is_quote, "a quote that is positive and not crossed")?;
        self.quote = Quote { bid, ask };
        self.is_live = is_live;
        self.log_price = from.finite()?;
        self.flows.load(from)?;
        for clock in [&mut self.by_time, &mut self.by_event, &mut self.by_volume] {
            clock.load(from)?;
        }
        self.bucket_volume = from.finite()?;
        let is_known = from.bool()?;
        let log_price = from.finite()?;
        self.bucket_log_price = is_known.then_some(log_price);
        let kept = from.u64()?;
        from.expect(kept <= SAMPLES as u64, "at most 101 samples")?;
        for place in (0..kept as usize).rev() {
            self.ring[place] = from.finite()?;
        }
        self.samples = kept;
        self.ts_sample_ns = from.time_ns()?;
        self.refused_count = from.count()?;
        self.outside = Outside {
            funding_ppm: from.finite()?,
            leader_move_ppm: from.finite()?,
            pair_z: from.finite()?,
            regime_busy: from.finite()?,
        };
        Ok(())
    }
}

const _: () = assert!(SAMPLES == 101, "as the error text of load says");

fn load_level(from: &mut Decoder<'_>) -> Result<Level, SnapshotError> {
    Ok(Level {
        price: from.i64()?,
        quantity: from.i64()?,
    })
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

/// (bid - ask) / both; 0 where nothing stands.
fn imbalance(bid: i64, ask: i64) -> f64 {
    let (bid, ask) = (bid as f64, ask as f64);
    let total = bid + ask;
    if total > 0.0 {
        (bid - ask) / total
    } else {
        0.0
    }
}

/// A feature as it is stored: within `FEATURE_MAX`.
pub(super) fn bounded(value: f64) -> f32 {
    value.clamp(-FEATURE_MAX, FEATURE_MAX) as f32
}
