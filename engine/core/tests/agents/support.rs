//! A hub whose agents are a policy that wants what the test says, and whose venues say what the test says.

use acth_core::{
    agents::HOUSE,
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::{Decision, DecisionKind, Decisions},
    event::{
        Bbo, BookState, BookStateChanged, BookStateReason, Event, EventKind, Level,
        MODEL_PART_BYTES, OrderFilled, OrderReport, Side, TimerFired, Trade,
    },
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    risk::Limits,
    strategies::agent_network::{
        AgentNetwork, AgentNetworkConfig, OBSERVATION_COUNT, observation_hash,
    },
    strategy::Strategy,
};
use acth_nn::{
    Activation,
    model::{Blueprint, InputRange, Layer, Model, OutputKind},
};

pub(crate) const SECOND_NS: i64 = 1_000_000_000;

pub(crate) fn listed(venue: &str, taker_fee_ppm: i64, quantity_exponent: u8) -> Instrument {
    Instrument {
        venue: venue.into(),
        symbol: "BTC".into(),
        base: "BTC".into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Spot,
        price_exponent: 2,
        quantity_exponent,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm,
    }
}

/// A policy that always wants this one of `count` actions: positions from a quarter of capital short to a quarter long.
pub(crate) fn policy(action: usize, count: usize) -> Model {
    let input = InputRange {
        mean: 0.0,
        scale: 1e9,
        clip: 1.0,
        least: -1e9,
        greatest: 1e9,
    };
    let mut biases = vec![0.0; count];
    biases[action] = 20.0;
    Model::new(&Blueprint {
        feature_hash: observation_hash(),
        output_kind: OutputKind::Actions,
        inputs: vec![input; OBSERVATION_COUNT],
        quantiles: Vec::new(),
        gru: None,
        layers: vec![Layer {
            activation: Activation::Identity,
            weights: vec![0.0; count * OBSERVATION_COUNT],
            biases,
        }],
    })
    .unwrap()
}

pub(crate) struct Hub {
    pub(crate) core: Core<AgentNetwork>,
    decisions: Decisions,
    sequence: u64,
    pub(crate) now_ns: i64,
    /// Every order that was placed.
    pub(crate) orders: Vec<Decision>,
    /// Every order that was asked back.
    pub(crate) cancels: Vec<Decision>,
}

/// The learned policy alone, with all of the equity.
pub(crate) fn lone_policy() -> AgentNetworkConfig {
    let mut parameters = AgentNetworkConfig {
        agents: vec!["learned-policy".into()],
        fixed_shares: vec![1.0],
        capital_ppm: 1_000_000,
        infer_ms: 0,
        ..AgentNetworkConfig::default()
    };
    parameters.kinds.learned.decide_ms = 0;
    parameters.kinds.learned.explore_share = 0.0;
    parameters
}

impl Hub {
    /// A hub with a million and live books.
    pub(crate) fn new(rows: Vec<Instrument>, parameters: &AgentNetworkConfig) -> Self {
        let count = rows.len() as u16;
        let instruments = Instruments::new(rows).unwrap();
        let config = CoreConfig {
            hub_id: 1,
            cash: Money::from_units(1_000_000),
            instruments: instruments.clone(),
            limits: Limits {
                position_share_ppm: 1_000_000,
                order_share_ppm: 1_000_000,
                order_notional_max: Money::from_units(10_000_000),
                gross_exposure_ppm: 10_000_000,
                correlation_ppm: 1_000_000,
                ..Limits::default()
            },
            correlation_half_life_samples: 100.0,
            account: AccountConfig::default(),
        };
        let strategy = AgentNetwork::new(parameters, &instruments).unwrap();
        let mut hub = Self {
            core: Core::new(&config, strategy).unwrap(),
            decisions: Decisions::new(),
            sequence: 0,
            now_ns: SECOND_NS,
            orders: Vec::new(),
            cancels: Vec::new(),
        };
        for index in 0..count {
            let body = BookStateChanged {
                reason: BookStateReason::Synced as u64,
                expected_id: 0,
                received_id: 0,
                reserved: [0; 2],
            };
            let event = Event::new(EventKind::BookStateChanged, InstrumentId(index));
            hub.apply(&event.with_detail(BookState::Live as u8).with_body(&body));
        }
        hub
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        self.sequence += 1;
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.now_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        self.sequence += self.decisions.as_slice().len() as u64;
        for decision in self.decisions.as_slice() {
            match decision.kind() {
                Some(DecisionKind::PlaceOrder) => self.orders.push(*decision),
                Some(DecisionKind::CancelOrder) => self.cancels.push(*decision),
                _ => {}
            }
        }
    }

    pub(crate) fn promote(&mut self, model: &Model) {
        for (index, part) in model.encode().chunks(MODEL_PART_BYTES).enumerate() {
            self.apply(&Event::model_part(
                0,
                (index * MODEL_PART_BYTES) as u32,
                part,
            ));
        }
        let count = model.encode().len() as u32;
        self.apply(&Event::model_promoted(0, count, model.hash()));
    }

    pub(crate) fn quote(&mut self, index: u16, bid: i64, ask: i64, quantity: i64) {
        let level = |price| Level { price, quantity };
        let body = Bbo {
            bid: level(bid),
            ask: level(ask),
            update_id: self.sequence + 1,
        };
        self.apply(&Event::new(EventKind::Bbo, InstrumentId(index)).with_body(&body));
    }

    pub(crate) fn timer(&mut self) {
        self.now_ns += SECOND_NS / 10;
        let body = TimerFired {
            ts_due_ns: self.now_ns,
            interval_ns: SECOND_NS / 10,
            count: 1,
            reserved: [0; 2],
        };
        self.apply(&Event::new(EventKind::TimerFired, InstrumentId(0)).with_body(&body));
    }

    pub(crate) fn fill(&mut self, order: &Decision, quantity: i64) {
        let body = OrderFilled {
            client_order_id: order.client_order_id,
            price: order.price,
            quantity,
            fee: 0,
            execution_id: self.sequence,
        };
        self.apply(&Event::new(EventKind::OrderFilled, order.instrument_id()).with_body(&body));
    }

    pub(crate) fn trade(&mut self, index: u16, aggressor: Side, price: i64, quantity: i64) {
        let body = Trade {
            price,
            quantity,
            trade_id: self.sequence,
            trade_id_final: self.sequence,
            reserved: 0,
        };
        let event = Event::new(EventKind::Trade, InstrumentId(index));
        self.apply(&event.with_detail(aggressor as u8).with_body(&body));
    }

    /// The venue reports that an order was accepted or cancelled.
    pub(crate) fn report(&mut self, order: &Decision, kind: EventKind) {
        let body = OrderReport {
            client_order_id: order.client_order_id,
            venue_order_id: order.client_order_id,
            reserved: [0; 3],
        };
        self.apply(&Event::new(kind, order.instrument_id()).with_body(&body));
    }

    pub(crate) fn held(&self, index: u16) -> i64 {
        let id = InstrumentId(index);
        let quantity = self.core.strategy().ledger().quantity(1, id);
        assert_eq!(self.core.strategy().ledger().quantity(HOUSE, id), 0);
        assert_eq!(self.core.portfolio().position(id).quantity, quantity);
        quantity
    }
}
