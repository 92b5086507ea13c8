//! A seeded world of markets in virtual time.
//!
//! Fair values move on a grid; traders act at random times between; the feeds publish what venues would. One queue
//! orders everything by time, then instrument, then actor; announcements of funding come before whatever is due at the same
//! time. Nothing reads a clock: the caller says how far to go, so the same world runs flat out in a backtest and at the pace of the wall clock behind a socket.
//!
//! Invariant: same config and seed, same messages, on any CPU and however the steps are sliced.

mod config;
mod fair;
mod feed;
mod funding;
mod maker;
mod market;
mod message;
mod presets;
mod season;
mod truth;
mod universe;

use std::{cmp::Reverse, collections::BinaryHeap};

use acth_core::{
    event::Side,
    instrument::{InstrumentId, Instruments},
};

pub use config::{
    AssetConfig, DELAY_NS_MAX, FlowConfig, InstrumentConfig, JumpConfig, LEVELS_MAX, LagConfig,
    MAKERS_MAX, ORDERS_MAX, RegimeConfig, WorldConfig, WorldError,
};
use fair::FairValues;
use funding::FundingDesk;
use market::{Actor, Market};
pub use message::{BookSnapshot, MessageBody, WorldMessage};
pub use presets::PRESETS;
pub use season::SeasonConfig;
pub use truth::{PlantedLag, Truth};
pub use universe::{VENUE_SPOT, VENUE_USDM};

const NS_PER_S: i64 = 1_000_000_000;

/// Something due at a time: (when, instrument index, who).
type Due = Reverse<(i64, u16, Actor)>;

/// A simulated world.
#[derive(Clone, Debug)]
pub struct World {
    instruments: Instruments,
    truth: Truth,
    fair: FairValues,
    funding: FundingDesk,
    markets: Vec<Market>,
    agenda: BinaryHeap<Due>,
    ts_ns: i64,
    /// Last update id of the instruments that count together.
    shared_update_id: u64,
}

impl World {
    /// A world at its start, with every book already filled.
    ///
    /// # Errors
    /// The first thing in the config that cannot be simulated.
    pub fn new(config: WorldConfig, seed: u64) -> Result<Self, WorldError> {
        config.check()?;
        let rows = config.instruments.iter().map(|row| row.instrument.clone());
        let instruments = Instruments::new(rows.collect())?;
        let assets = resolve_assets(&config)?;
        let truth = Truth::new(&config, &instruments, &assets)?;
        let fair = FairValues::new(&config, &truth, &assets, seed);
        let market = |(id, row): (usize, &InstrumentConfig)| {
            let volatility = config.assets[assets[id]].annual_volatility;
            let id = InstrumentId(id as u16);
            Market::new(
                id,
                row,
                &config.flow,
                volatility,
                fair.price(id.index(), 0),
                seed,
            )
        };
        let mut markets: Vec<Market> = config.instruments.iter().enumerate().map(market).collect();
        for market in &mut markets {
            market.turn(fair.season().1);
        }
        let interval_ns = i64::from(config.funding_interval_s) * NS_PER_S;
        let funding = FundingDesk::new(&instruments, &assets, interval_ns, config.ts_start_ns);
        let mut world = Self {
            instruments,
            truth,
            funding,
            fair,
            markets,
            agenda: BinaryHeap::new(),
            ts_ns: config.ts_start_ns,
            shared_update_id: 0,
        };
        world.open();
        Ok(world)
    }

    /// What is traded, in the order of the ids in messages.
    pub const fn instruments(&self) -> &Instruments {
        &self.instruments
    }

    /// What was planted.
    pub const fn truth(&self) -> &Truth {
        &self.truth
    }

    /// The present in virtual time, ns since the Unix epoch.
    pub const fn ts_ns(&self) -> i64 {
        self.ts_ns
    }

    /// The fair price of an instrument now: the truth that its book follows.
    pub fn fair_price(&self, id: InstrumentId) -> Option<f64> {
        self.instruments.get(id)?;
        Some(self.fair.price(id.index(), 0))
    }

    /// The book of an instrument now, at most `limit` levels a side.
    pub fn snapshot(&self, id: InstrumentId, limit: usize) -> Option<BookSnapshot> {
        let market = self.markets.get(id.index())?;
        Some(BookSnapshot {
            last_update_id: market.feed.last_update_id(),
            bids: market.engine.depth(Side::Bid).take(limit).collect(),
            asks: market.engine.depth(Side::Ask).take(limit).collect(),
        })
    }

    /// Lets everything happen that is due up to and at `ts_ns`, and hands over the messages in time order.
    pub fn step_until(&mut self, ts_ns: i64, emit: &mut impl FnMut(WorldMessage<'_>)) {
        loop {
            let ts_fair_ns = self.fair.ts_next_ns();
            let ts_actor_ns = self.agenda.peek().map_or(i64::MAX, |due| due.0.0);
            let ts_funding_ns = self.funding.ts_next_ns();
            let ts_due_ns = ts_fair_ns.min(ts_actor_ns).min(ts_funding_ns);
            if ts_due_ns > ts_ns {
                self.ts_ns = self.ts_ns.max(ts_ns);
                return;
            }
            self.ts_ns = ts_due_ns;
            if ts_funding_ns == ts_due_ns {
                self.funding
                    .announce(&self.instruments, &self.markets, &self.fair, emit);
            } else if ts_fair_ns <= ts_actor_ns {
                let (season, _) = self.fair.season();
                self.fair.step();
                if self.fair.season().0 != season {
                    self.turn();
                }
            } else if let Some(Reverse((_, index, actor))) = self.agenda.pop() {
                self.act(usize::from(index), actor, emit);
                let wait_ns = self.markets[usize::from(index)].wait_ns(actor);
                self.agenda
                    .push(Reverse((self.ts_ns + wait_ns, index, actor)));
            }
        }
    }

    /// Lets the traders follow a new season. What is left of a wait is stretched by the old rate over the new one, which for
    /// arrivals without memory is the wait that a new draw would have given.
    fn turn(&mut self) {
        let (_, season) = self.fair.season();
        let mut agenda = std::mem::take(&mut self.agenda).into_vec();
        for Reverse((due_ns, index, actor)) in &mut agenda {
            let stretch = self.markets[usize::from(*index)].stretch(*actor, season);
            *due_ns = self.ts_ns + ((*due_ns - self.ts_ns) as f64 * stretch) as i64;
        }
        for market in &mut self.markets {
            market.turn(season);
        }
        self.agenda = BinaryHeap::from(agenda);
    }

    fn act(&mut self, index: usize, actor: Actor, emit: &mut impl FnMut(WorldMessage<'_>)) {
        let market = &mut self.markets[index];
        if actor == Actor::Publisher {
            market.feed.publish_diff(self.ts_ns, &market.engine, emit);
            return;
        }
        let fair = self.fair.price(index, market.view_age_ns(actor));
        if market.shares_update_ids {
            market.feed.resume_from(self.shared_update_id);
        }
        market.act(actor, fair);
        if market.shares_update_ids {
            self.shared_update_id = market.feed.counter();
        }
        market.feed.end_action(self.ts_ns, &market.engine, emit);
    }

    /// Fills the books and puts every actor on the agenda.
    fn open(&mut self) {
        let shared = self
            .markets
            .iter()
            .filter(|market| market.shares_update_ids);
        let first_id = shared.map(|market| market.feed.counter()).max();
        self.shared_update_id = first_id.unwrap_or(0);
        for index in 0..self.markets.len() {
            for actor in self.markets[index].actors() {
                if matches!(actor, Actor::Maker(_)) {
                    self.act(index, actor, &mut |_| {});
                }
                let market = &mut self.markets[index];
                let wait_ns = if actor == Actor::Publisher {
                    // Feeds of different instruments do not publish in step.
                    (market.wait_ns(actor) * (index as i64 + 1)) / 13 + 1
                } else {
                    market.wait_ns(actor)
                };
                self.agenda
                    .push(Reverse((self.ts_ns + wait_ns, index as u16, actor)));
            }
            self.markets[index].feed.forget();
        }
    }
}

/// Index of each instrument's asset.
fn resolve_assets(config: &WorldConfig) -> Result<Vec<usize>, WorldError> {
    let resolve = |row: &InstrumentConfig| {
        let found = config
            .assets
            .iter()
            .position(|asset| asset.name == row.asset);
        found.ok_or_else(|| WorldError::Name {
            place: row.instrument.name(),
            kind: "asset",
            name: row.asset.clone(),
        })
    };
    config.instruments.iter().map(resolve).collect()
}
