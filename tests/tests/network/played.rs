//! A world traded by the network with the paper venue, in the time of its events, and what was seen on the way.

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::Core,
    decision::Decisions,
    event::{Event, EventKind, EventView},
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

/// The core and its diary.
pub(crate) struct Played {
    pub(crate) core: Core<AgentNetwork>,
    pub(crate) periods: Vec<Period>,
    /// What trading costs who knows nothing: half the spread on all that was traded, and the fees; account currency.
    pub(crate) costs: f64,
    shares: Vec<f64>,
    totals: Vec<f64>,
    ts_start_ns: i64,
}

impl Played {
    fn count_costs(&mut self, event: &Event) {
        let EventView::OrderFilled(fill) = event.view() else {
            return;
        };
        let id = event.instrument_id();
        let rules = self.core.instruments().get(id).unwrap();
        let quote = self.core.market(id).unwrap().quote();
        let spread = quote.map_or(0, |quote| quote.spread());
        self.costs += rules.notional(spread, fill.quantity).to_f64() / 2.0;
        self.costs += Money::from_fee(fill.fee).to_f64();
    }
}

impl Machine for Played {
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        let updates = self.core.strategy().allocator().hedge().updates();
        Machine::apply(&mut self.core, sequence, ts_core_ns, event, decisions);
        self.count_costs(event);
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
