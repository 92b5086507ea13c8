//! The modes of several threads: ingress, core and egress, joined by three rings. In the dual mode both edges share a thread.
//!
//! ```text
//!   source ── ingress ring ──▶ core ── egress ring ──▶ sink
//!                                ▲                       │
//!                                └───── report ring ─────┘
//! ```
//!
//! Nothing is dropped: a full ingress ring makes the source wait, a full egress ring makes the core wait, and when that
//! takes too long the kill flag goes up. Every wait between the threads is bounded or ends with the other thread.

mod core_thread;
mod desk;
mod egress_thread;
mod ingress_thread;
mod io_thread;

use std::thread::{self, Scope, ScopedJoinHandle};

use acth_core::{
    decision::Outbound,
    event::Event,
    port::{CommandSink, EventSource},
};

use self::{
    core_thread::CoreThread,
    ingress_thread::RingIntake,
    io_thread::{EgressDuty, IoIntake},
};
use super::{
    core_stage::CoreStage,
    egress_stage::EgressStage,
    feed::Feed,
    outcome::Remains,
    settle,
    shared::{Phase, Shared},
    touch_memory,
};
use crate::{
    clock::RunClock,
    config::{EngineConfig, ThreadMode},
    error::EngineError,
    journal::Journal,
    latency::{Latency, Stage},
    machine::Machine,
    ring::{Consumer, Producer, ring},
    topology::{CORE, EGRESS, INGRESS, IO, Topology},
    wait::{WaitStrategy, Waiter},
};

/// Starts a named thread that places itself first.
fn spawn<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    thread: &'static str,
    config: &'scope EngineConfig,
    topology: &'scope Topology,
    shared: &'scope Shared<'_>,
    body: impl FnOnce() -> R + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, R>, EngineError> {
    thread::Builder::new()
        .name(thread.to_owned())
        .spawn_scoped(scope, move || {
            settle(config, topology.thread(thread), shared);
            body()
        })
        .map_err(|cause| {
            // Whoever already runs must end: the scope waits for it.
            shared.set_phase(Phase::Done);
            EngineError::Spawn { thread, cause }
        })
}

fn waiter(topology: &Topology, thread: &str) -> Waiter {
    let wait = topology.thread(thread).and_then(|plan| plan.wait);
    Waiter::new(wait.unwrap_or(WaitStrategy::Park))
}

/// What the egress edge leaves behind: two histograms and the commands that it held back.
type EgressRemains = (Stage, Stage, u64);

fn egress_remains<Snk>(stage: EgressStage<'_, Snk>) -> EgressRemains {
    (stage.egress, stage.tick_to_order, stage.withheld_count)
}

/// The ends of the rings that the edges hold.
struct EdgeRings {
    events: Producer<Event>,
    commands: Consumer<Outbound>,
    reports: Producer<Event>,
}

/// Runs the core on a thread of its own, and the edges on one each or, in the dual mode, on one together.
pub(super) fn run<'a, M, J, Src, Snk>(
    config: &EngineConfig,
    stage: CoreStage<'a, M, J>,
    source: Src,
    sink: Snk,
    shared: &'a Shared<'a>,
    topology: &Topology,
) -> Result<Option<Remains<M>>, EngineError>
where
    M: Machine + Send,
    J: Journal,
    Src: EventSource + Send,
    Snk: CommandSink + Send,
{
    let (events, events_out) = ring(config.ring_slots, Event::EMPTY)?;
    let (commands_in, commands) = ring(config.ring_slots, Outbound::default())?;
    // Twice the commands: the core empties it before every input, so egress does not wait for the core.
    let (reports, reports_out) = ring(config.ring_slots * 2, Event::EMPTY)?;
    let rings = EdgeRings {
        events,
        commands,
        reports,
    };
    let clock = stage.clock.clone();
    let durable = stage.journal.durable_gate();
    let egress = EgressStage::new(sink, durable, shared.control, &shared.gate, clock.clone());
    let core = CoreThread::new(
        config,
        stage,
        shared,
        commands_in,
        events_out,
        reports_out,
        waiter(topology, CORE),
    );
    touch_memory(config, shared);
    thread::scope(|scope| {
        let core = spawn(scope, CORE, config, topology, shared, move || core.run())?;
        let edges = Edges {
            config,
            topology,
            shared,
            clock,
        };
        let egress = match config.threads {
            ThreadMode::Dual => edges.run_together(scope, source, egress, rings)?,
            _ => edges.run_apart(scope, source, egress, rings)?,
        };
        let core = core.join().ok();
        Ok(core.zip(egress).map(|(mut remains, egress)| {
            remains.latency = Latency {
                egress: egress.0,
                tick_to_order: egress.1,
                ..remains.latency
            };
            remains.withheld += egress.2;
            remains
        }))
    })
}

/// The edges of a run. Whatever runs here records its own failures; what it returns without one is all that is wanted.
struct Edges<'scope, 'a> {
    config: &'scope EngineConfig,
    topology: &'scope Topology,
    shared: &'a Shared<'a>,
    clock: RunClock,
}

impl<'scope, 'a: 'scope> Edges<'scope, 'a> {
    /// A thread each.
    fn run_apart<Src: EventSource + Send + 'scope, Snk: CommandSink + Send + 'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        source: Src,
        mut egress: EgressStage<'a, Snk>,
        rings: EdgeRings,
    ) -> Result<Option<EgressRemains>, EngineError> {
        let Self {
            config,
            topology,
            shared,
            clock,
        } = self;
        let intake = RingIntake::new(rings.events, shared, waiter(topology, INGRESS));
        let mut feed = Feed::new(intake, clock, config);
        let egress = spawn(scope, EGRESS, config, topology, shared, move || {
            let wait = waiter(topology, EGRESS);
            egress_thread::run(&mut egress, rings.commands, rings.reports, shared, wait);
            egress_remains(egress)
        })?;
        let ingress = spawn(scope, INGRESS, config, topology, shared, move || {
            let wait = waiter(topology, INGRESS);
            ingress_thread::run(&mut feed, source, shared, wait, INGRESS);
        })?;
        let _ = ingress.join();
        Ok(egress.join().ok())
    }

    /// One thread for both.
    fn run_together<Src: EventSource + Send + 'scope, Snk: CommandSink + Send + 'scope>(
        self,
        scope: &'scope Scope<'scope, '_>,
        source: Src,
        egress: EgressStage<'a, Snk>,
        rings: EdgeRings,
    ) -> Result<Option<EgressRemains>, EngineError> {
        let Self {
            config,
            topology,
            shared,
            clock,
        } = self;
        let wait = waiter(topology, IO);
        let ring = RingIntake::new(rings.events, shared, wait.clone());
        let duty = EgressDuty::new(
            egress,
            rings.commands,
            rings.reports,
            config.ring_slots,
            shared,
            wait.clone(),
        );
        let mut feed = Feed::new(IoIntake::new(ring, duty), clock, config);
        let io = spawn(scope, IO, config, topology, shared, move || {
            io_thread::run(&mut feed, source, shared, wait);
            egress_remains(feed.intake.egress.stage)
        })?;
        Ok(io.join().ok())
    }
}
