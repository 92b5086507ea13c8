//! A thousand kills at random moments of simulated trading: after none of them does anything leave that takes risk, and
//! everything that was open is cancelled, whether the core moves at once, later, or goes on deciding for a while.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::VecDeque;

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::{Decision, DecisionKind, Decisions, Outbound},
    event::{
        CommandSent, Event, EventKind, EventView, OperatorAction, OperatorCommand, OperatorReason,
        OrderReport, ReportReason,
    },
    port::{CommandSink, EventSink, EventSource, Progress, Stopped},
    prelude::*,
    risk::{Limits, StateReason},
};
use acth_sim::{
    paper::{PaperConfig, PaperSink, PaperVenue, channel},
    source::{WorldSource, WorldSourceConfig},
    world::{World, WorldConfig},
};

const KILLS: u64 = 1_000;
const WORLDS: u64 = 10;
const SPAN_NS: i64 = 300_000_000;
/// Events from which and within which the kill comes, so that something is open before and something happens after.
const FIRST: u64 = 100;
const LATEST: u64 = 900;

/// Places on both sides at every book, resting and taking, and cancels now and then. It never hears of the kill.
#[derive(Debug)]
struct Restless {
    drawn: u64,
}

impl Restless {
    fn draw(&mut self, below: u64) -> u64 {
        self.drawn = self
            .drawn
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.drawn >> 33) % below
    }
}

impl Strategy for Restless {
    type Config = NoConfig;
    const NAME: &'static str = "restless";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self { drawn: 1 })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, id: InstrumentId) {
        let Some(quote) = ctx.quote(id) else { return };
        let side = if self.draw(2) == 0 {
            Side::Bid
        } else {
            Side::Ask
        };
        let beyond = self.draw(4) as i64 - 2;
        let rules = ctx.instrument(id);
        let price = quote.level(side).price + side.sign() * beyond * rules.tick;
        let order = OrderRequest::limit(id, side, price, rules.quantity_min);
        let _ = ctx.place(order.by(1 + self.draw(16) as u16));
        if self.draw(5) > 0 {
            return;
        }
        let oldest = ctx.open_orders(id).next().map(|order| order.id);
        if let Some(oldest) = oldest {
            ctx.cancel(oldest);
        }
    }
}

/// The hub of one run: core, last gate and the way to the venue.
struct Hub {
    core: Core<Restless>,
    decisions: Decisions,
    sink: PaperSink,
    reports: VecDeque<Event>,
    sequence: u64,
    ts_ns: i64,
    count: u64,
    kill_at: u64,
    /// Events that the core still sees before it hears of the kill.
    deaf_for: u64,
    ts_kill_ns: i64,
    is_killed: bool,
    has_halted: bool,
    open_at_kill: usize,
    /// Orders that the deaf core decided after the kill and the gate held back.
    withheld: u64,
    fills_after: u64,
}

impl Hub {
    fn apply(&mut self, event: &Event) {
        if let EventView::OrderFilled(_) = event.view()
            && self.is_killed
        {
            self.fills_after += 1;
            assert!(
                event.ts_venue_ns <= self.ts_kill_ns,
                "a fill at {} after the kill at {}",
                event.ts_venue_ns,
                self.ts_kill_ns
            );
        }
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.ts_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        let decided: Vec<Decision> = self.decisions.as_slice().to_vec();
        for (index, decision) in decided.iter().enumerate() {
            if decision.is_command() {
                self.send(self.sequence + 1 + index as u64, decision);
            }
        }
        self.sequence += 1 + decided.len() as u64;
    }

    /// The last gate: once the flag is up only cancels pass.
    fn send(&mut self, sequence: u64, decision: &Decision) {
        let is_order = decision.kind() == Some(DecisionKind::PlaceOrder);
        assert!(
            !(is_order && self.has_halted),
            "a halted core decided an order"
        );
        let id = decision.instrument_id();
        if is_order && self.is_killed {
            self.withheld += 1;
            let body = OrderReport {
                client_order_id: decision.client_order_id,
                venue_order_id: 0,
                reserved: [0; 3],
            };
            let report = Event::new(EventKind::OrderRejected, id)
                .with_detail(ReportReason::Withheld as u8)
                .with_body(&body);
            return self.reports.push_back(report);
        }
        let outbound = Outbound {
            sequence,
            ts_decided_ns: self.ts_ns,
            decision: *decision,
            ..Outbound::default()
        };
        self.sink.submit(&outbound).unwrap();
        let body = CommandSent {
            sequence,
            client_order_id: decision.client_order_id,
            ..CommandSent::default()
        };
        self.reports
            .push_back(Event::new(EventKind::CommandSent, id).with_body(&body));
    }

    fn kill(&mut self) {
        self.is_killed = true;
        self.ts_kill_ns = self.ts_ns;
        self.open_at_kill = self.core.open_order_count();
        self.sink.cancel_all().unwrap();
    }

    fn halt(&mut self) {
        let command = OperatorCommand::because(OperatorReason::KillFlag);
        let event = Event::new(EventKind::OperatorCommanded, InstrumentId(0))
            .with_detail(OperatorAction::Halt as u8)
            .with_body(&command);
        self.apply(&event);
        self.has_halted = true;
    }
}

impl EventSink for Hub {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        self.ts_ns = self.ts_ns.max(event.ts_ingress_ns);
        self.apply(&event);
        while let Some(report) = self.reports.pop_front() {
            self.apply(&report);
        }
        self.count += 1;
        if self.count == self.kill_at {
            self.kill();
        }
        if self.count == self.kill_at + self.deaf_for {
            self.halt();
        }
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        self.ts_ns
    }
}

fn config(world: &World) -> CoreConfig {
    CoreConfig {
        hub_id: 1,
        cash: Money::from_units(1_000_000),
        instruments: world.instruments().clone(),
        limits: Limits {
            orders_per_second: 1024,
            messages_per_second: 1024,
            venue_messages_per_second: 1024,
            open_orders_per_instrument: 60,
            correlation_ppm: 1_000_000,
            ..Limits::default()
        },
        correlation_half_life_samples: 100.0,
        account: AccountConfig::default(),
    }
}

/// One run with one kill; what was open, withheld and filled late.
fn kill_once(world: &World, seed: u64) -> (usize, u64, u64) {
    let mut draws = Restless { drawn: seed };
    let kill_at = FIRST + draws.draw(LATEST - FIRST);
    // The core hears at once, after a while, or much later.
    let deaf_for = [0, 1, draws.draw(20), draws.draw(400)][draws.draw(4) as usize];
    let strategy = Restless { drawn: seed };
    let core = Core::new(&config(world), strategy).unwrap();
    let (sink, state) = channel(PaperConfig::default(), world.instruments());
    let mut hub = Hub {
        core,
        decisions: Decisions::new(),
        sink,
        reports: VecDeque::new(),
        sequence: 1,
        ts_ns: 0,
        count: 0,
        kill_at,
        deaf_for,
        ts_kill_ns: 0,
        is_killed: false,
        has_halted: false,
        open_at_kill: 0,
        withheld: 0,
        fills_after: 0,
    };
    let source = WorldSource::new(world.clone(), WorldSourceConfig::lasting(SPAN_NS));
    let mut venue = PaperVenue::new(source, state);
    while venue.poll(&mut hub).unwrap() != Progress::Ended {}
    while venue.drain(&mut hub).unwrap() != Progress::Ended {}
    let what = format!(
        "seed {seed}: kill at {kill_at}, deaf for {deaf_for}, {} events",
        hub.count
    );
    assert!(hub.has_halted, "{what}: the span is too short");
    assert_eq!(hub.core.open_order_count(), 0, "{what}");
    assert_eq!(venue.state().resting_count(), 0, "{what}");
    assert_eq!(hub.core.trading_state(), TradingState::Halted, "{what}");
    assert_eq!(
        hub.core.trading_state_reason(),
        StateReason::KillFlag,
        "{what}"
    );
    assert_eq!(hub.core.portfolio().check_conservation(), Ok(()), "{what}");
    (hub.open_at_kill, hub.withheld, hub.fills_after)
}

#[test]
fn nothing_that_takes_risk_leaves_after_a_thousand_kills() {
    let (mut open, mut withheld, mut late) = (0, 0, 0);
    for index in 0..WORLDS {
        let world = World::new(WorldConfig::default(), index + 1).unwrap();
        for number in 0..KILLS / WORLDS {
            let found = kill_once(&world, 1 + index * 1_000 + number);
            open += found.0;
            withheld += found.1;
            late += found.2;
        }
    }
    eprintln!(
        "{KILLS} kills: {open} orders open when they came, {withheld} decided later and withheld, {late} fills from before \
         reported after"
    );
    // The test would be empty if nothing were open, or no core had gone on deciding.
    assert!(
        open > KILLS as usize && withheld > KILLS,
        "{open} open, {withheld} withheld"
    );
}
