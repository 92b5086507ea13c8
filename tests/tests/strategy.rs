//! The built-in strategy on a world whose structure is known: it must find who leads whom by itself.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::Decisions,
    event::{Event, EventKind, TimerFired},
    instrument::InstrumentId,
    money::Money,
    port::{EventSink, EventSource, Progress, Stopped},
    risk::Limits,
    strategies::basis_lead_lag::{BasisLeadLag, BasisLeadLagConfig},
    strategy::Strategy,
};
use acth_sim::{
    source::{WorldSource, WorldSourceConfig},
    world::{World, WorldConfig},
};

/// Period of the core's timer, as the command has it.
const TICK_NS: i64 = 100_000_000;
/// Simulated time: enough for the correlations to settle.
const SPAN_NS: i64 = 60_000_000_000;

/// Feeds a core inline, with a timer in the time of the events.
struct Inline {
    core: Core<BasisLeadLag>,
    decisions: Decisions,
    sequence: u64,
    ts_due_ns: i64,
    ts_now_ns: i64,
}

impl Inline {
    fn apply(&mut self, event: &Event) {
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: event.ts_ingress_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        self.sequence += 1 + self.decisions.as_slice().len() as u64;
    }
}

impl EventSink for Inline {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        self.ts_now_ns = event.ts_ingress_ns;
        if self.ts_due_ns == 0 {
            self.ts_due_ns = self.ts_now_ns + TICK_NS;
        }
        while self.ts_due_ns <= self.ts_now_ns {
            let body = TimerFired {
                ts_due_ns: self.ts_due_ns,
                interval_ns: TICK_NS,
                count: 1,
                reserved: [0; 2],
            };
            let timer = Event::new(EventKind::TimerFired, InstrumentId(0));
            self.apply(&timer.at(0, self.ts_due_ns).with_body(&body));
            self.ts_due_ns += TICK_NS;
        }
        self.apply(&event);
        Ok(())
    }

    fn now_ns(&self) -> i64 {
        self.ts_now_ns
    }
}

/// Followers whose leader was found, and all that were planted.
fn found(seed: u64) -> (usize, usize) {
    let world = World::new(WorldConfig::default(), seed).unwrap();
    let planted = world.truth().lags().to_vec();
    let instruments = world.instruments().clone();
    let strategy = BasisLeadLag::new(&BasisLeadLagConfig::default(), &instruments).unwrap();
    let config = CoreConfig {
        hub_id: 1,
        cash: Money::from_units(1_000_000),
        instruments,
        limits: Limits::default(),
        correlation_half_life_samples: 600.0,
        account: AccountConfig::default(),
    };
    let core = Core::new(&config, strategy).unwrap();
    let decisions = Decisions::new();
    let mut sink = Inline {
        core,
        decisions,
        sequence: 1,
        ts_due_ns: 0,
        ts_now_ns: 0,
    };
    let mut source = WorldSource::new(world, WorldSourceConfig::lasting(SPAN_NS));
    while source.poll(&mut sink).unwrap() != Progress::Ended {}
    let strategy = sink.core.strategy();
    let is_found = |follower: InstrumentId, leader: InstrumentId| {
        strategy
            .leader_of(follower)
            .is_some_and(|(found, lag_ticks, beta)| {
                found == leader && (1..=4).contains(&lag_ticks) && beta > 0.0
            })
    };
    let count = planted
        .iter()
        .filter(|lag| is_found(lag.follower, lag.leader))
        .count();
    (count, planted.len())
}

#[test]
fn the_planted_leaders_are_found_without_being_told() {
    let (mut right, mut all) = (0, 0);
    for seed in 1..=6 {
        let (count, planted) = found(seed);
        eprintln!("seed {seed}: {count} of {planted} planted leaders found");
        right += count;
        all += planted;
    }
    assert!(right * 4 >= all * 3, "{right} of {all}");
}
