//! Makes markets: quotes on both sides by Avellaneda and Stoikov, from measured parameters.
//!
//! Volatility comes from the features, the decay of the arrival rate with the distance from the mid from the trades of
//! the instrument, and so does what takers know: no quote is nearer than the market moves after a trade, and a hurdle that
//! follows what its own fills earned a second later keeps them from losing. Inventory moves both quotes against itself; what the other agents expect moves both with it, so a maker
//! is not run over by what its neighbours know.
//!
//! Risk aversion is given without a unit: one quote of inventory moves the quotes by this many standard deviations of the
//! price over the horizon.

use alloc::{vec, vec::Vec};

use serde::{Deserialize, Serialize};

use super::super::{
    Agent, AgentError, Cause, Hurdle, Quotes, Seen, Wish,
    impact::Impact,
    intensity::{Intensity, IntensityConfig},
    quotes::{half_spread, reservation},
    seen::refuse,
};
use crate::{
    event::Side,
    instrument::Instruments,
    snapshot::{Decoder, Sink, SnapshotError},
};

/// Parameters of `MarketMaker`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarketMakerConfig {
    /// Standard deviations of the price over the horizon by which one quote of inventory moves the quotes.
    pub risk_aversion: f64,
    /// Horizon over which inventory is carried, seconds.
    pub horizon_s: f64,
    /// Size of one quote as a share of the agent's capital.
    pub quote_share: f64,
    /// Most inventory, in quotes.
    pub quotes_held_max: f64,
    /// Least distance of a quote from the reservation price beyond the maker's fee, parts per million.
    pub edge_ppm_min: f64,
    /// How much of what the others expect moves the quotes, 0 to 1.
    pub listen_share: f64,
    /// Timer ticks before the first quote.
    pub warm_up_ticks: u64,
}

impl Default for MarketMakerConfig {
    fn default() -> Self {
        Self {
            risk_aversion: 0.3,
            horizon_s: 5.0,
            quote_share: 0.1,
            quotes_held_max: 4.0,
            edge_ppm_min: 2.0,
            listen_share: 1.0,
            warm_up_ticks: 100,
        }
    }
}

/// How trades are counted by their distance from the mid, as a share of the mid: 16 buckets of 2 millionths.
const DISTANCES: IntensityConfig = IntensityConfig {
    bucket_width: 2e-6,
    half_life_s: 60.0,
    k_min: 1e3,
    k_max: 1e7,
    arrival_rate_max: 1e4,
};
/// The decay that is used until one was measured: half of the trades within 7 millionths of the mid.
const DECAY_AT_FIRST: f64 = 1e5;

/// The agent; see the module.
#[derive(Debug)]
pub struct MarketMaker {
    config: MarketMakerConfig,
    intensities: Vec<Intensity>,
    /// The decay in use for each instrument, measured anew in turn.
    decays: Vec<f64>,
    impacts: Vec<Impact>,
    /// What is asked beyond all that so that its own fills earn.
    hurdles: Vec<Hurdle>,
}

impl MarketMaker {
    /// What the others expect on average, those who have an opinion.
    fn heard(seen: &Seen<'_>, index: usize) -> f64 {
        let row = seen.signals.row(index);
        let (mut sum, mut count) = (0.0, 0.0);
        for (agent, expected) in row.iter().enumerate() {
            if agent != seen.agent && libm::fabs(*expected) > 0.0 {
                sum += expected;
                count += 1.0;
            }
        }
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

impl Agent for MarketMaker {
    type Config = MarketMakerConfig;
    const NAME: &'static str = "market-maker";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, AgentError> {
        let positive = [
            ("risk_aversion", config.risk_aversion),
            ("horizon_s", config.horizon_s),
            ("quote_share", config.quote_share),
            ("quotes_held_max", config.quotes_held_max),
        ];
        for (field, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return Err(refuse(Self::NAME, field, "positive"));
            }
        }
        if config.quote_share > 1.0 {
            return Err(refuse(Self::NAME, "quote_share", "at most 1"));
        }
        if !(0.0..=1.0).contains(&config.listen_share) {
            return Err(refuse(Self::NAME, "listen_share", "from 0 to 1"));
        }
        let counts = Intensity::new(&DISTANCES)
            .map_err(|_| refuse(Self::NAME, "the buckets of distances", "positive"))?;
        Ok(Self {
            config: *config,
            intensities: vec![counts; instruments.count()],
            decays: vec![DECAY_AT_FIRST; instruments.count()],
            impacts: vec![Impact::default(); instruments.count()],
            hurdles: vec![Hurdle::default(); instruments.count()],
        })
    }

    fn observe(&mut self, seen: &Seen<'_>, cause: Cause) {
        if cause == Cause::Timer {
            let index = (seen.ticks % seen.count() as u64) as usize;
            self.intensities[index].fade_to(seen.now_ns);
            if let Some(fit) = self.intensities[index].fit() {
                self.decays[index] = fit.k;
            }
            for index in 0..seen.count() {
                if let Some(quote) = seen.quote(index) {
                    let (now_ns, mid_doubled) = (seen.now_ns, quote.mid_doubled());
                    self.impacts[index].on_time(now_ns, mid_doubled);
                    let wanted = self.config.edge_ppm_min * 1e-6;
                    self.hurdles[index].on_timer(now_ns, mid_doubled, wanted);
                }
            }
        }
        let Cause::Trade(id, aggressor) = cause else {
            return;
        };
        let index = id.index();
        let (Some(quote), Some(trade)) = (seen.quote(index), seen.markets[index].last_trade())
        else {
            return;
        };
        let distance = (2 * trade.price - quote.mid_doubled()).unsigned_abs();
        let relative = distance as f64 / quote.mid_doubled() as f64;
        self.intensities[index].on_trade(seen.now_ns, relative);
        self.impacts[index].on_trade(seen.now_ns, aggressor.sign(), quote.mid_doubled());
    }

    fn signal(&self, _seen: &Seen<'_>, _index: usize) -> f64 {
        0.0
    }

    fn act(&mut self, seen: &Seen<'_>, index: usize) -> Wish {
        let config = &self.config;
        let Some(quote) = seen.quote(index) else {
            return Wish::NONE;
        };
        let volatility = seen.features.row(index).volatility_per_root_second();
        let hurdle = &self.hurdles[index];
        if seen.ticks < config.warm_up_ticks || volatility <= 0.0 || hurdle.is_too_high() {
            return Wish::NONE;
        }
        let rules = seen.rules(index);
        // Everything in shares of the mid, so one set of parameters fits all instruments.
        let variance = volatility * volatility * config.horizon_s;
        let gamma = config.risk_aversion / libm::sqrt(variance);
        let decay = self.decays[index];
        let held = seen.held_share(index) / config.quote_share;
        let expected = config.listen_share * Self::heard(seen, index);
        let centre = reservation(expected, held, gamma, variance, 1.0);
        let fee = (rules.maker_fee_ppm as f64 + config.edge_ppm_min) * 1e-6;
        // What takers know is to be paid for by the spread, or the maker pays for it.
        let impact = self.impacts[index].mean().max(0.0);
        let half = half_spread(gamma, decay, variance, 1.0).max(impact + fee)
            + self.hurdles[index].height();
        let mid = quote.mid_doubled() as f64 / 2.0;
        let tick = rules.tick;
        let floor = |price: f64| libm::floor(price / tick as f64) as i64 * tick;
        // Not through the other side, and not before our own kind: a maker joins the touch at best.
        let bid = floor(mid * (1.0 + centre - half)).min(quote.level(Side::Bid).price);
        let ask = (floor(mid * (1.0 + centre + half)) + tick).max(quote.level(Side::Ask).price);
        let may_buy = held < config.quotes_held_max;
        let may_sell = held > -config.quotes_held_max;
        Wish {
            quotes: Quotes {
                bid_price: if may_buy { bid.max(0) } else { 0 },
                ask_price: if may_sell { ask.max(0) } else { 0 },
            },
            quote_share: config.quote_share,
            edge: half,
            ..Wish::NONE
        }
    }

    fn filled(&mut self, seen: &Seen<'_>, index: usize, side: Side, price: i64) {
        self.hurdles[index].filled(seen.now_ns, side, price);
    }

    fn write(&self, out: &mut impl Sink) {
        self.intensities.iter().for_each(|one| one.write(out));
        self.decays.iter().for_each(|decay| out.f64(*decay));
        self.impacts.iter().for_each(|impact| impact.write(out));
        self.hurdles.iter().for_each(|hurdle| hurdle.write(out));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.intensities
            .iter_mut()
            .try_for_each(|one| one.load(from))?;
        for decay in &mut self.decays {
            *decay = from.finite()?;
            from.expect(*decay > 0.0, "a positive decay")?;
        }
        self.impacts
            .iter_mut()
            .try_for_each(|impact| impact.load(from))?;
        self.hurdles
            .iter_mut()
            .try_for_each(|hurdle| hurdle.load(from))
    }
}
