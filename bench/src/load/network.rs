//! A core with the network of agents and a model, fed from a simulated world that was recorded in memory.
//!
//! A made-up venue answers at once: what is immediate is filled, what rests is accepted and never filled, what is cancelled is
//! gone. Its answers are part of the time of the message that caused them.

#![expect(
    clippy::unwrap_used,
    reason = "the configuration is made here; one that does not fit must stop a measurement"
)]

use acth_core::{
    config::CoreConfig,
    core::{Core, Input},
    decision::{DECISIONS_PER_INPUT_MAX, Decision, DecisionKind, Decisions, TimeInForce},
    event::{
        Event, EventKind, MODEL_PART_BYTES, OrderFilled, OrderReport, ReportReason, TimerFired,
    },
    instrument::{InstrumentId, Instruments},
    money::Money,
    port::{EventSink, EventSource, Progress, Stopped},
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
use acth_sim::{
    source::{WorldSource, WorldSourceConfig},
    world::{World, WorldConfig},
};

use super::numbers::Numbers;

/// Period of the core's timer.
const TICK_NS: i64 = 100_000_000;
/// Widths behind the observation: 64-64-64-8.
const WIDTHS: [usize; 3] = [64, 64, 8];

/// All events of a stretch of a world, with timers.
#[derive(Debug)]
pub struct Tape {
    /// What is traded.
    pub instruments: Instruments,
    /// The events in order.
    pub events: Vec<Event>,
    ts_due_ns: i64,
    now_ns: i64,
}

impl EventSink for Tape {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        self.now_ns = event.ts_ingress_ns;
        if self.ts_due_ns == 0 {
            self.ts_due_ns = self.now_ns + TICK_NS;
        }
        while self.ts_due_ns <= self.now_ns {
            let body = TimerFired {
                ts_due_ns: self.ts_due_ns,
                interval_ns: TICK_NS,
                count: 1,
                reserved: [0; 2],
            };
            let timer = Event::new(EventKind::TimerFired, InstrumentId(0));
            self.events
                .push(timer.at(0, self.ts_due_ns).with_body(&body));
            self.ts_due_ns += TICK_NS;
        }
        self.events.push(event);
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        self.now_ns
    }
}

impl Tape {
    /// The world of this name for `seconds`.
    ///
    /// # Panics
    /// When there is no such world.
    pub fn record(name: &str, seconds: i64) -> Self {
        let world = World::new(WorldConfig::preset(name).unwrap(), 1).unwrap();
        let mut tape = Self {
            instruments: world.instruments().clone(),
            events: Vec::new(),
            ts_due_ns: 0,
            now_ns: 0,
        };
        let lasting = WorldSourceConfig::lasting(seconds * 1_000_000_000);
        let mut source = WorldSource::new(world, lasting);
        while source.poll(&mut tape).unwrap() != Progress::Ended {}
        tape
    }
}

/// A network of the usual size with made-up weights.
///
/// # Panics
/// Never: the blueprint is valid.
pub fn model() -> Model {
    let mut numbers = Numbers::new(5);
    let mut inputs = OBSERVATION_COUNT;
    let layers = WIDTHS.iter().enumerate().map(|(index, &outputs)| {
        let mut weight = || (numbers.below(2001) as f32 - 1000.0) * 1e-4;
        let layer = Layer {
            activation: if index + 1 == WIDTHS.len() {
                Activation::Identity
            } else {
                Activation::Relu
            },
            weights: (0..inputs * outputs).map(|_| weight()).collect(),
            biases: (0..outputs).map(|_| weight()).collect(),
        };
        inputs = outputs;
        layer
    });
    let input = InputRange {
        mean: 0.0,
        scale: 100.0,
        clip: 5.0,
        least: -1e9,
        greatest: 1e9,
    };
    let blueprint = Blueprint {
        feature_hash: observation_hash(),
        output_kind: OutputKind::Actions,
        inputs: vec![input; OBSERVATION_COUNT],
        quantiles: Vec::new(),
        gru: None,
        layers: layers.collect(),
    };
    Model::new(&blueprint).unwrap()
}

/// The core, the number of its next input, and its counts.
#[derive(Debug)]
pub struct Hub {
    core: Core<AgentNetwork>,
    decisions: Decisions,
    answers: Vec<Event>,
    sequence: u64,
    execution_id: u64,
    /// Orders placed.
    pub order_count: u64,
    /// Actions drawn from the model's probabilities.
    pub choice_count: u64,
}

impl Hub {
    /// Five agents, one of them the learned policy, whose model is asked at every quote.
    ///
    /// # Panics
    /// Never: the configuration is valid.
    pub fn new(instruments: &Instruments) -> Self {
        let mut parameters = AgentNetworkConfig::default();
        parameters.agents.retain(|name| name != "online-linear");
        parameters.infer_ms = 0;
        parameters.kinds.learned.decide_ms = 0;
        let config = CoreConfig {
            hub_id: 1,
            cash: Money::from_units(10_000_000),
            instruments: instruments.clone(),
            limits: Limits {
                orders_per_second: 1_000,
                ..Limits::default()
            },
            correlation_half_life_samples: 300.0,
            account: Default::default(),
        };
        let strategy = AgentNetwork::new(&parameters, instruments).unwrap();
        let mut hub = Self {
            core: Core::new(&config, strategy).unwrap(),
            decisions: Decisions::new(),
            answers: Vec::with_capacity(DECISIONS_PER_INPUT_MAX),
            sequence: 0,
            execution_id: 0,
            order_count: 0,
            choice_count: 0,
        };
        hub.promote(&model());
        hub
    }

    fn promote(&mut self, model: &Model) {
        let bytes = model.encode();
        for (index, part) in bytes.chunks(MODEL_PART_BYTES).enumerate() {
            let offset = (index * MODEL_PART_BYTES) as u32;
            self.message(&Event::model_part(0, offset, part));
        }
        self.message(&Event::model_promoted(0, bytes.len() as u32, model.hash()));
    }

    /// One event, and the venue's answers to what follows from it.
    #[inline]
    pub fn message(&mut self, event: &Event) {
        self.step(event);
        while !self.decisions.as_slice().is_empty() {
            if !self.answer(event.ts_ingress_ns) {
                break;
            }
        }
    }

    #[inline]
    fn step(&mut self, event: &Event) {
        self.sequence += 1;
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: event.ts_ingress_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        self.sequence += self.decisions.as_slice().len() as u64;
    }

    /// Applies the venue's answers. False when nothing asked for one.
    #[inline(never)]
    fn answer(&mut self, now_ns: i64) -> bool {
        self.answers.clear();
        for decision in self.decisions.as_slice() {
            match decision.kind() {
                Some(DecisionKind::PlaceOrder) => {
                    self.order_count += 1;
                    self.execution_id += 1;
                    self.answers.push(answer_to(decision, self.execution_id));
                }
                Some(DecisionKind::CancelOrder) => {
                    self.answers.push(report(
                        EventKind::OrderCancelled,
                        decision,
                        ReportReason::Requested,
                    ));
                }
                Some(DecisionKind::ActionChosen) => self.choice_count += 1,
                _ => {}
            }
        }
        self.decisions.clear();
        let answers = std::mem::take(&mut self.answers);
        for answer in &answers {
            self.step(&answer.at(0, now_ns));
        }
        let is_answered = !answers.is_empty();
        self.answers = answers;
        is_answered
    }

    /// The core.
    pub const fn core(&self) -> &Core<AgentNetwork> {
        &self.core
    }
}

fn report(kind: EventKind, decision: &Decision, reason: ReportReason) -> Event {
    let body = OrderReport {
        client_order_id: decision.client_order_id,
        venue_order_id: 0,
        reserved: [0; 3],
    };
    Event::new(kind, decision.instrument_id())
        .with_detail(reason as u8)
        .with_body(&body)
}

fn answer_to(decision: &Decision, execution_id: u64) -> Event {
    if decision.time_in_force == TimeInForce::GoodTillCancelled as u8 {
        return report(EventKind::OrderAccepted, decision, ReportReason::None);
    }
    let body = OrderFilled {
        client_order_id: decision.client_order_id,
        price: decision.price,
        quantity: decision.quantity,
        execution_id,
        fee: 0,
    };
    Event::new(EventKind::OrderFilled, decision.instrument_id()).with_body(&body)
}
