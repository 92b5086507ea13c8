//! The market of one instrument: its matching engine, its feed, and the traders who meet there.
//!
//! Makers keep ladders of quotes around a slightly old view of the fair value; informed takers trade against quotes
//! that the fair value has left behind; noise takers trade for no reason; patient orders wait and are cancelled. From
//! these few habits come books with depth, narrow spreads, trades that lead quotes, and quotes that lead trades.

use std::collections::VecDeque;

use acth_core::{
    event::Side,
    instrument::{Instrument, InstrumentId},
};

use super::{
    config::{FlowConfig, InstrumentConfig, LEVELS_MAX, ORDERS_MAX},
    feed::Feed,
    maker::Maker,
    season::SeasonConfig,
};
use crate::{
    matching::{Instruction, MatchingEngine, OrderHandle},
    rng::Random,
};

/// Owner numbers of takers and patient orders; makers are numbered from 0.
const OWNER_TAKER: u32 = 1_000;
const OWNER_PATIENT: u32 = 1_001;
/// Most patient orders at a time.
const PATIENT_MAX: usize = 64;
/// Chance that a noise taker trades the same way as the one before.
const NOISE_PERSISTENCE: f64 = 0.65;
/// Largest taker, in typical orders.
const TAKER_QUANTITY_MAX: f64 = 5.0;

/// Who acts at a scheduled time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Actor {
    /// A maker looks at its quotes.
    Maker(u16),
    /// A noise taker arrives.
    NoiseTaker,
    /// An informed taker looks for a wrong quote.
    InformedTaker,
    /// A patient order arrives or leaves.
    Patient,
    /// The feed publishes a depth diff.
    Publisher,
}

/// One instrument with everything that trades in it.
#[derive(Clone, Debug)]
pub(super) struct Market {
    pub(super) engine: MatchingEngine,
    pub(super) feed: Feed,
    pub(super) shares_update_ids: bool,
    random: Random,
    makers: Vec<Maker>,
    patient: VecDeque<OrderHandle>,
    noise_side: Side,
    sizes: Sizes,
    /// Rates as planted.
    rates: Rates,
    /// The season's factors on noise and informed takers.
    noise_factor: f64,
    informed_factor: f64,
    diff_interval_ns: i64,
    /// Distance between the steps of a ladder, ticks.
    ladder_ticks: i64,
}

/// Turns fair prices and typical orders into the instrument's integers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    tick: i64,
    lot: i64,
    quantity_min: i64,
    order_quantity: f64,
    /// Ticks per unit of the quote currency.
    ticks_per_unit: f64,
}

#[derive(Clone, Copy, Debug)]
struct Rates {
    maker: f64,
    noise: f64,
    informed: f64,
    patient: f64,
}

impl Sizes {
    fn new(row: &InstrumentConfig) -> Self {
        let instrument = &row.instrument;
        let scale = 10i64.pow(u32::from(instrument.price_exponent)) as f64;
        Self {
            tick: instrument.tick,
            lot: instrument.lot,
            quantity_min: instrument.quantity_min,
            order_quantity: row.order_quantity as f64,
            ticks_per_unit: scale / instrument.tick as f64,
        }
    }

    pub(super) fn ticks(&self, fair: f64) -> f64 {
        fair * self.ticks_per_unit
    }

    pub(super) const fn price(&self, ticks: i64) -> i64 {
        ticks * self.tick
    }

    /// This many typical orders, in whole lots, at least the smallest order.
    pub(super) fn quantity(&self, orders: f64) -> i64 {
        let lots = (self.order_quantity * orders) as i64 / self.lot;
        (lots * self.lot).max(self.quantity_min)
    }
}

impl Market {
    pub(super) fn new(
        id: InstrumentId,
        row: &InstrumentConfig,
        flow: &FlowConfig,
        annual_volatility: f64,
        fair: f64,
        seed: u64,
    ) -> Self {
        let sizes = Sizes::new(row);
        let ladder_ticks = ladder_ticks(annual_volatility, sizes.ticks(fair));
        let maker = |index: usize| Maker::new(index, ladder_ticks, flow);
        Self {
            engine: MatchingEngine::new(ORDERS_MAX, LEVELS_MAX),
            feed: Feed::new(id, first_update_id(&row.instrument, id)),
            shares_update_ids: shares_update_ids(&row.instrument),
            random: Random::new(seed, 1 + u64::from(id.0)),
            makers: (0..flow.makers).map(maker).collect(),
            patient: VecDeque::with_capacity(PATIENT_MAX),
            noise_side: Side::Bid,
            sizes,
            rates: Rates {
                maker: flow.maker_refresh_per_s * row.activity,
                noise: flow.noise_takers_per_s * row.activity,
                informed: flow.informed_takers_per_s * row.activity,
                patient: flow.patient_orders_per_s * row.activity,
            },
            noise_factor: 1.0,
            informed_factor: 1.0,
            diff_interval_ns: row.diff_interval_ns,
            ladder_ticks,
        }
    }

    /// Everyone who acts in this market.
    pub(super) fn actors(&self) -> impl Iterator<Item = Actor> + use<> {
        let makers = (0..self.makers.len() as u16).map(Actor::Maker);
        makers.chain([
            Actor::NoiseTaker,
            Actor::InformedTaker,
            Actor::Patient,
            Actor::Publisher,
        ])
    }

    /// How old this actor's view of the fair value is.
    pub(super) fn view_age_ns(&self, actor: Actor) -> i64 {
        match actor {
            Actor::Maker(index) => self.makers[usize::from(index)].view_age_ns,
            _ => 0,
        }
    }

    /// Follows the season.
    pub(super) const fn turn(&mut self, season: &SeasonConfig) {
        self.noise_factor = season.noise_factor;
        self.informed_factor = season.informed_factor;
    }

    /// By how much this actor's waits become longer when the season turns.
    pub(super) const fn stretch(&self, actor: Actor, season: &SeasonConfig) -> f64 {
        match actor {
            Actor::NoiseTaker => self.noise_factor / season.noise_factor,
            Actor::InformedTaker => self.informed_factor / season.informed_factor,
            Actor::Maker(_) | Actor::Patient | Actor::Publisher => 1.0,
        }
    }

    /// Until this actor acts again.
    pub(super) fn wait_ns(&mut self, actor: Actor) -> i64 {
        let rate = match actor {
            Actor::Maker(_) => self.rates.maker,
            Actor::NoiseTaker => self.rates.noise * self.noise_factor,
            Actor::InformedTaker => self.rates.informed * self.informed_factor,
            Actor::Patient => self.rates.patient,
            Actor::Publisher => return self.diff_interval_ns,
        };
        self.random.wait_ns(rate)
    }

    /// Lets one trader act on the fair price that it sees. The feed hears of it.
    pub(super) fn act(&mut self, actor: Actor, fair: f64) {
        let ticks = self.sizes.ticks(fair);
        match actor {
            Actor::Maker(index) => {
                let maker = &mut self.makers[usize::from(index)];
                let (random, sizes) = (&mut self.random, &self.sizes);
                maker.refresh(ticks, sizes, random, &mut self.engine, &mut self.feed);
            }
            Actor::NoiseTaker => self.take_noise(),
            Actor::InformedTaker => self.take_informed(ticks),
            Actor::Patient => self.wait_patiently(),
            Actor::Publisher => {}
        }
    }

    fn take_noise(&mut self) {
        if !self.random.chance(NOISE_PERSISTENCE) {
            self.noise_side = self.noise_side.opposite();
        }
        let side = self.noise_side;
        let orders = 0.4 * libm::exp(0.8 * self.random.normal());
        if let Some(best) = self.engine.best(side.opposite()) {
            let slip = self.sizes.price(self.ladder_ticks);
            self.take(side, best.price + side.sign() * slip, orders);
        }
    }

    /// Buys what is offered below the fair value, or sells what is bid above it.
    fn take_informed(&mut self, fair_ticks: f64) {
        let orders = 0.5 + 1.5 * self.random.unit();
        for side in [Side::Bid, Side::Ask] {
            let sign = side.sign() as f64;
            let limit_ticks = libm::floor(fair_ticks * sign - 1.0) * sign;
            let limit = self.sizes.price(limit_ticks as i64);
            let Some(best) = self.engine.best(side.opposite()) else {
                continue;
            };
            if (limit - best.price) * side.sign() >= 0 {
                self.take(side, limit, orders);
                return;
            }
        }
    }

    fn take(&mut self, side: Side, limit: i64, orders: f64) {
        let quantity = self.sizes.quantity(orders.min(TAKER_QUANTITY_MAX));
        // A refusal (a price at or below zero) means that nobody trades: nothing is lost.
        let _ = self.engine.place(
            side,
            limit,
            quantity,
            OWNER_TAKER,
            Instruction::ImmediateOrCancel,
            &mut self.feed,
        );
    }

    /// Half the time an old order is cancelled, half the time a new one joins the queue somewhere near the touch.
    fn wait_patiently(&mut self) {
        let room = self.patient.len() < PATIENT_MAX;
        if !self.patient.is_empty() && (!room || self.random.chance(0.5)) {
            let which = self.random.below(self.patient.len() as u64) as usize;
            if let Some(handle) = self.patient.swap_remove_back(which) {
                self.engine.cancel(handle, &mut self.feed);
            }
            return;
        }
        let side = [Side::Bid, Side::Ask][self.random.below(2) as usize];
        let Some(best) = self.engine.best(side) else {
            return;
        };
        let distance = -libm::log(1.0 - self.random.unit()) * 3.0 * self.ladder_ticks as f64;
        let price = best.price - side.sign() * self.sizes.price(distance as i64);
        let quantity = self.sizes.quantity(0.2 + self.random.unit());
        let placed = self.engine.place(
            side,
            price,
            quantity,
            OWNER_PATIENT,
            Instruction::PostOnly,
            &mut self.feed,
        );
        if let Ok(placed) = placed {
            self.patient.extend(placed.handle);
        }
    }
}

/// True where all instruments of the venue count update ids together.
fn shares_update_ids(instrument: &Instrument) -> bool {
    instrument.contract != acth_core::instrument::Contract::Spot
}

fn first_update_id(instrument: &Instrument, id: InstrumentId) -> u64 {
    if shares_update_ids(instrument) {
        5_000_000_000_000
    } else {
        50_000_000_000 + 1_000_000_000 * u64::from(id.0)
    }
}

/// About the standard deviation of 40 ms, as 1, 2 or 5 times a power of ten, at least one tick.
fn ladder_ticks(annual_volatility: f64, price_ticks: f64) -> i64 {
    let wanted = annual_volatility * libm::sqrt(0.04 / (365.0 * 86_400.0)) * price_ticks;
    let mut unit = 1i64;
    while ((unit * 10) as f64) <= wanted {
        unit *= 10;
    }
    for factor in [5, 2] {
        if ((unit * factor) as f64) <= wanted {
            return unit * factor;
        }
    }
    unit
}
