//! The same asset on two venues: where an order goes, how large it is, and to whom its fills belong.

use acth_core::{
    agents::HOUSE,
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::{Decision, DecisionKind, Decisions, TimeInForce},
    event::{
        Bbo, BookState, BookStateChanged, BookStateReason, Event, EventKind, Level,
        MODEL_PART_BYTES, OrderFilled, Side, TimerFired,
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

const SECOND_NS: i64 = 1_000_000_000;

fn listed(venue: &str, taker_fee_ppm: i64, quantity_exponent: u8) -> Instrument {
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

/// A policy that always wants the last of its actions, all long, or always the first, all short.
fn policy(is_long: bool) -> Model {
    let input = InputRange {
        mean: 0.0,
        scale: 1e9,
        clip: 1.0,
        least: -1e9,
        greatest: 1e9,
    };
    let best = if is_long { 2 } else { 0 };
    let mut biases = vec![0.0; 3];
    biases[best] = 20.0;
    Model::new(&Blueprint {
        feature_hash: observation_hash(),
        output_kind: OutputKind::Actions,
        inputs: vec![input; OBSERVATION_COUNT],
        quantiles: Vec::new(),
        gru: None,
        layers: vec![Layer {
            activation: Activation::Identity,
            weights: vec![0.0; 3 * OBSERVATION_COUNT],
            biases,
        }],
    })
    .unwrap()
}

struct Hub {
    core: Core<AgentNetwork>,
    decisions: Decisions,
    sequence: u64,
    now_ns: i64,
    orders: Vec<Decision>,
}

impl Hub {
    /// One agent, the learned policy, with all of a million.
    fn new() -> Self {
        // The first is cheaper to look at and dearer to trade; its quantities are coarser.
        let rows = vec![listed("dear", 500, 3), listed("cheap", 0, 5)];
        let instruments = Instruments::new(rows).unwrap();
        let mut parameters = AgentNetworkConfig {
            agents: vec!["learned-policy".into()],
            fixed_shares: vec![1.0],
            capital_ppm: 1_000_000,
            infer_ms: 0,
            ..AgentNetworkConfig::default()
        };
        parameters.kinds.learned.decide_ms = 0;
        parameters.kinds.learned.explore_share = 0.0;
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
        let strategy = AgentNetwork::new(&parameters, &instruments).unwrap();
        let mut hub = Self {
            core: Core::new(&config, strategy).unwrap(),
            decisions: Decisions::new(),
            sequence: 0,
            now_ns: SECOND_NS,
            orders: Vec::new(),
        };
        for index in 0..2 {
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

    fn apply(&mut self, event: &Event) {
        self.sequence += 1;
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.now_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        self.sequence += self.decisions.as_slice().len() as u64;
        let placed = |decision: &&Decision| decision.kind() == Some(DecisionKind::PlaceOrder);
        self.orders
            .extend(self.decisions.as_slice().iter().filter(placed));
    }

    fn promote(&mut self, model: &Model) {
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

    fn quote(&mut self, index: u16, bid: i64, ask: i64, quantity: i64) {
        let level = |price| Level { price, quantity };
        let body = Bbo {
            bid: level(bid),
            ask: level(ask),
            update_id: self.sequence + 1,
        };
        self.apply(&Event::new(EventKind::Bbo, InstrumentId(index)).with_body(&body));
    }

    fn timer(&mut self) {
        self.now_ns += SECOND_NS / 10;
        let body = TimerFired {
            ts_due_ns: self.now_ns,
            interval_ns: SECOND_NS / 10,
            count: 1,
            reserved: [0; 2],
        };
        self.apply(&Event::new(EventKind::TimerFired, InstrumentId(0)).with_body(&body));
    }

    fn fill(&mut self, order: &Decision, quantity: i64) {
        let body = OrderFilled {
            client_order_id: order.client_order_id,
            price: order.price,
            quantity,
            fee: 0,
            execution_id: self.sequence,
        };
        self.apply(&Event::new(EventKind::OrderFilled, order.instrument_id()).with_body(&body));
    }

    fn held(&self, index: u16) -> i64 {
        let id = InstrumentId(index);
        let quantity = self.core.strategy().ledger().quantity(1, id);
        assert_eq!(self.core.strategy().ledger().quantity(HOUSE, id), 0);
        assert_eq!(self.core.portfolio().position(id).quantity, quantity);
        quantity
    }
}

#[test]
fn an_order_goes_where_the_price_after_fees_is_best_and_takes_what_stands_there() {
    let mut hub = Hub::new();
    hub.timer();
    // The ask of the first is lower, but its fee of 0.05 is more than the difference of 0.01.
    hub.quote(0, 9_999, 10_000, 1_000);
    hub.quote(1, 9_999, 10_001, 700_000);
    hub.promote(&policy(true));
    hub.quote(1, 9_999, 10_001, 700_000);
    let order = hub.orders[0];
    assert_eq!(order.instrument, 1, "{order:?}");
    assert_eq!(order.side(), Some(Side::Bid));
    assert_eq!(order.price, 10_001);
    assert_eq!(order.time_in_force, TimeInForce::ImmediateOrCancel as u8);
    // A quarter of a million of each would be 2,500 units; 7 stand there.
    assert_eq!(order.quantity, 700_000);
    hub.fill(&order, 300_000);
    assert_eq!(hub.held(1), 300_000);
    assert_eq!(hub.held(0), 0);
}

#[test]
fn a_sale_goes_where_it_brings_more_and_is_booked_in_that_venues_units() {
    let mut hub = Hub::new();
    hub.timer();
    // What the fee of the first takes away is less than what it bids more.
    hub.quote(0, 10_020, 10_021, 1_000);
    hub.quote(1, 10_001, 10_002, 700_000);
    hub.promote(&policy(false));
    hub.quote(1, 10_001, 10_002, 700_000);
    let sold = hub.orders[0];
    assert_eq!((sold.instrument, sold.side()), (0, Some(Side::Ask)));
    assert_eq!(sold.price, 10_020);
    assert_eq!(sold.quantity, 1_000, "in its own, coarser units");
    hub.fill(&sold, sold.quantity);
    assert_eq!((hub.held(0), hub.held(1)), (-1_000, 0));
}
