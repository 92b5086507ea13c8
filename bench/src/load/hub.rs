//! A core with the built-in strategy on four instruments, fed by hand.
//!
//! Every order that the strategy places is refused by a made-up venue at once, so that none stays open for ever; that
//! report is part of the time of the message that caused it.

#![expect(
    clippy::unwrap_used,
    reason = "the configuration is made here; one that does not fit must stop a measurement"
)]

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::{DECISIONS_PER_INPUT_MAX, Decision, DecisionKind, Decisions},
    event::{Event, EventKind, OrderReport, ReportReason, TimerFired},
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    risk::Limits,
    strategies::basis_lead_lag::{BasisLeadLag, BasisLeadLagConfig},
    strategy::Strategy,
};

use super::streams::{self, INSTRUMENTS, MESSAGES};

/// Time between two messages.
const STEP_NS: i64 = 1_000_000;
/// Messages between two timers while warming up.
const TIMER_EVERY: usize = 100;
/// Start of the stream's time.
const START_NS: i64 = 1_700_000_000_000_000_000;

fn instrument(venue: &str, symbol: &str, base: &str, contract: Contract) -> Instrument {
    Instrument {
        venue: venue.into(),
        symbol: symbol.into(),
        base: base.into(),
        quote: "USDT".into(),
        asset_class: AssetClass::Crypto,
        contract,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 100,
    }
}

/// Two pairs of spot and perpetual.
///
/// # Panics
/// Never: the rows are valid.
pub fn instruments() -> Instruments {
    let rows = vec![
        instrument("spot", "BTCUSDT", "BTC", Contract::Spot),
        instrument("perpetual", "BTCUSDT", "BTC", Contract::Perpetual),
        instrument("spot", "ETHUSDT", "ETH", Contract::Spot),
        instrument("perpetual", "ETHUSDT", "ETH", Contract::Perpetual),
    ];
    Instruments::new(rows).unwrap()
}

/// A core, the number of its next input, and its time.
#[derive(Debug)]
pub struct Hub {
    core: Core<BasisLeadLag>,
    decisions: Decisions,
    /// Room for the decisions of one message.
    placed: Vec<Decision>,
    sequence: u64,
    now_ns: i64,
    timer_count: u64,
    order_count: u64,
}

impl Hub {
    fn new() -> Self {
        let config = CoreConfig {
            hub_id: 1,
            cash: Money::from_units(1_000_000),
            instruments: instruments(),
            limits: Limits::default(),
            correlation_half_life_samples: 300.0,
            account: AccountConfig::default(),
        };
        let strategy = BasisLeadLag::new(&BasisLeadLagConfig::default(), &config.instruments);
        Self {
            core: Core::new(&config, strategy.unwrap()).unwrap(),
            decisions: Decisions::new(),
            placed: Vec::with_capacity(DECISIONS_PER_INPUT_MAX),
            sequence: 0,
            now_ns: START_NS,
            timer_count: 0,
            order_count: 0,
        }
    }

    #[inline]
    fn step(&mut self, event: &Event) {
        self.sequence += 1;
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.now_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        // Decisions take sequences of the journal too.
        self.sequence += self.decisions.as_slice().len() as u64;
    }

    /// One message of one or more events, and the venue's refusals of what follows from it.
    #[inline]
    pub fn message(&mut self, events: &[Event]) {
        self.now_ns += STEP_NS;
        for event in events {
            self.step(event);
            if !self.decisions.as_slice().is_empty() {
                self.refuse_orders();
            }
        }
    }

    #[cold]
    fn refuse_orders(&mut self) {
        let mut placed = std::mem::take(&mut self.placed);
        placed.extend_from_slice(self.decisions.as_slice());
        for decision in &placed {
            if decision.kind() != Some(DecisionKind::PlaceOrder) {
                continue;
            }
            self.order_count += 1;
            let body = OrderReport {
                client_order_id: decision.client_order_id,
                venue_order_id: 0,
                reserved: [0; 3],
            };
            let report = Event::new(EventKind::OrderRejected, decision.instrument_id())
                .with_detail(ReportReason::PostOnlyCross as u8)
                .with_body(&body);
            self.step(&report);
        }
        placed.clear();
        self.placed = placed;
    }

    /// The periodic timer.
    pub fn timer(&mut self) {
        self.timer_count += 1;
        let body = TimerFired {
            ts_due_ns: self.now_ns,
            interval_ns: STEP_NS * TIMER_EVERY as i64,
            count: self.timer_count,
            reserved: [0; 2],
        };
        self.message(&[Event::new(EventKind::TimerFired, InstrumentId(0)).with_body(&body)]);
    }

    /// Books live, statistics warm: the whole stream once, with timers.
    pub fn warmed(loads: &[&[Vec<Event>]]) -> Self {
        let mut hub = Self::new();
        for index in 0..INSTRUMENTS {
            hub.message(&streams::snapshot(index));
        }
        for index in 0..MESSAGES {
            for load in loads {
                hub.message(&load[index]);
            }
            if index % TIMER_EVERY == 0 {
                hub.timer();
            }
        }
        hub
    }
    /// True while every market has a quote; without one the strategy sleeps and its figure says nothing.
    pub fn is_awake(&self) -> bool {
        (0..INSTRUMENTS).all(|index| {
            let market = self.core.market(InstrumentId(index as u16));
            market.is_some_and(|market| market.quote().is_some())
        })
    }

    /// Orders that the strategy placed.
    pub const fn order_count(&self) -> u64 {
        self.order_count
    }
}
