//! A world traded by the network with the paper venue, in the time of its events, and what was seen on the way.

use std::collections::VecDeque;

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::Core,
    decision::Decisions,
    event::{Event, EventKind, EventView, flags},
    instrument::InstrumentId,
    market::Market,
    money::Money,
    risk::Limits,
    strategies::agent_network::{AgentNetwork, AgentNetworkConfig},
    strategy::Strategy,
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    control::Control,
    machine::Machine,
    manifest::RunManifest,
    monitor::Monitor,
    pipeline,
};
use acth_journal::{JournalOptions, Writer};
use acth_sim::{
    paper,
    source::{WorldSource, WorldSourceConfig},
    world::{World, WorldConfig},
};

/// One period of the allocator.
#[derive(Clone, Debug)]
pub(crate) struct Period {
    /// Virtual time since the start, s.
    pub(crate) seconds: f64,
    /// What each agent earned in it after costs, per unit of capital.
    pub(crate) earned: Vec<f64>,
    /// The shares that were in force.
    pub(crate) shares: Vec<f64>,
    /// Gross exposure of the hub as a share of equity.
    pub(crate) gross: f64,
    /// Equity at its end, account currency.
    pub(crate) equity: f64,
}

/// How long after a maker's fill the mid tells what it was worth: the worlds' makers know of a move 20 ms late at most.
const MAKER_WAIT_NS: i64 = 100_000_000;

/// A fill whose cost is not known yet.
struct Traded {
    ts_judged_ns: i64,
    id: InstrumentId,
    price: i64,
    /// Negative = sold.
    bought: i64,
}

/// The core and its diary.
pub(crate) struct Played {
    pub(crate) core: Core<AgentNetwork>,
    pub(crate) periods: Vec<Period>,
    /// What trading costs who knows nothing: the fees, and how much worse than the mid every fill was; account currency.
    pub(crate) costs: f64,
    fills: VecDeque<Traded>,
    shares: Vec<f64>,
    totals: Vec<f64>,
    ts_start_ns: i64,
}

impl Played {
    fn held(&self, id: InstrumentId) -> i64 {
        if self.core.instruments().get(id).is_some() {
            self.core.portfolio().position(id).quantity
        } else {
            0
        }
    }

    /// Notes a fill. What it cost is known later: a maker's price is worth what the mid is once the market that knew
    /// more has moved on, which a taker's price never waited for (the realised and the effective half spread of Huang and
    /// Stoll 1996). What a taker gains from mids that lag is not taken off.
    fn note_fill(&mut self, event: &Event, held_before: i64) {
        let EventView::OrderFilled(fill) = event.view() else {
            return;
        };
        let id = event.instrument_id();
        let bought = self.core.portfolio().position(id).quantity - held_before;
        let is_maker = event.flags & flags::MAKER != 0;
        self.costs += Money::from_fee(fill.fee).to_f64();
        self.fills.push_back(Traded {
            ts_judged_ns: self.core.now_ns() + if is_maker { MAKER_WAIT_NS } else { 0 },
            id,
            price: fill.price,
            bought,
        });
    }

    /// Adds what the fills cost whose time has come.
    fn judge_fills(&mut self) {
        let now_ns = self.core.now_ns();
        let (core, costs) = (&self.core, &mut self.costs);
        self.fills.retain(|traded| {
            let quote = core.market(traded.id).and_then(Market::quote);
            let (true, Some(quote)) = (now_ns >= traded.ts_judged_ns, quote) else {
                return true;
            };
            let rules = core.instruments().get(traded.id).unwrap();
            let paid = rules.price_f64(2 * traded.price - quote.mid_doubled()) / 2.0;
            *costs += paid * rules.quantity_f64(traded.bought);
            false
        });
    }
}

impl Machine for Played {
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        let updates = self.core.strategy().allocator().hedge().updates();
        let held_before = self.held(event.instrument_id());
        Machine::apply(&mut self.core, sequence, ts_core_ns, event, decisions);
        self.note_fill(event, held_before);
        self.judge_fills();
        if event.kind != EventKind::TimerFired as u8 {
            return;
        }
        if self.ts_start_ns == 0 {
            self.ts_start_ns = ts_core_ns;
        }
        let network = self.core.strategy();
        let is_new = network.allocator().hedge().updates() != updates;
        let count = network.agents().len();
        if is_new {
            let totals: Vec<f64> = (0..count)
                .map(|agent| network.earned_total(agent))
                .collect();
            let earned = totals
                .iter()
                .zip(&self.totals)
                .map(|(now, before)| now - before);
            let portfolio = self.core.portfolio();
            self.periods.push(Period {
                seconds: (ts_core_ns - self.ts_start_ns) as f64 * 1e-9,
                earned: earned.collect(),
                shares: self.shares.clone(),
                equity: portfolio.equity().to_f64(),
                gross: portfolio.gross_exposure().to_f64() / portfolio.equity().to_f64(),
            });
            self.totals = totals;
        }
        self.shares = (0..count).map(|agent| network.share(agent)).collect();
    }

    fn state_hash(&self) -> u64 {
        Machine::state_hash(&self.core)
    }
}

/// Limits in which structure is what binds, not the gate.
pub(crate) fn wide_limits() -> Limits {
    Limits {
        position_share_ppm: 500_000,
        order_share_ppm: 1_000_000,
        order_notional_max: Money::from_units(1_000_000),
        orders_per_second: 200,
        correlation_ppm: 1_000_000,
        gross_exposure_ppm: 3_000_000,
        ..Limits::default()
    }
}

/// Trades a world for so many virtual seconds.
pub(crate) fn play(
    config: WorldConfig,
    seed: u64,
    seconds: i64,
    parameters: &AgentNetworkConfig,
) -> Played {
    let world = World::new(config, seed).unwrap();
    let instruments = world.instruments().clone();
    let config = CoreConfig {
        hub_id: 1,
        cash: Money::from_units(1_000_000),
        instruments: instruments.clone(),
        limits: wide_limits(),
        correlation_half_life_samples: 600.0,
        account: AccountConfig::default(),
    };
    let strategy = AgentNetwork::new(parameters, &instruments).unwrap();
    let agents = strategy.agents().len();
    let played = Played {
        core: Core::new(&config, strategy).unwrap(),
        periods: Vec::new(),
        costs: 0.0,
        fills: VecDeque::new(),
        shares: vec![0.0; agents],
        totals: vec![0.0; agents],
        ts_start_ns: 0,
    };
    let dir = tempfile::tempdir().unwrap();
    let writer = Writer::create(dir.path().join("j"), &JournalOptions::default()).unwrap();
    let manifest = RunManifest::new(1, ThreadMode::Single, Clock::Event, AgentNetwork::NAME);
    let engine = EngineConfig::new(ThreadMode::Single, Clock::Event, manifest);
    let (sink, state) = paper::channel(paper::PaperConfig::default(), &instruments);
    let source = WorldSource::new(world, WorldSourceConfig::lasting(seconds * 1_000_000_000));
    let venue = paper::PaperVenue::new(source, state);
    let (control, monitor) = (Control::new(), Monitor::new());
    pipeline::run(&engine, played, venue, sink, writer, &control, &monitor)
        .unwrap()
        .machine
}

/// A table of the agents' accounts, printed for whoever looks.
pub(crate) fn tell(name: &str, played: &Played) {
    let findings = played.core.findings();
    eprintln!("{name}:");
    for agent in &findings.agents {
        eprintln!(
            "  {:<16} share {:5.1} %  profit {:>12.2}  fees {:>10.2}  turnover {:>14.0}  fills {:>6}  if all {:>8.4} %",
            agent.name,
            100.0 * agent.share,
            agent.profit.to_f64(),
            agent.fees.to_f64(),
            agent.volume.to_f64(),
            agent.fills,
            100.0 * agent.shadow_return
        );
    }
    let portfolio = played.core.portfolio();
    eprintln!(
        "  hub {:.2} after fees of {:.2}; cash share {:.1} %, regret {:.2} of {:.2}",
        (portfolio.equity() - portfolio.cash_at_start()).to_f64(),
        portfolio.fees().to_f64(),
        100.0 * played.core.strategy().allocator().cash_share(),
        played.core.strategy().allocator().regret(),
        played.core.strategy().allocator().bound()
    );
}
