//! The three-thread mode: ingress, core and egress, joined by three rings.
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
mod egress_thread;
mod ingress_thread;

use std::thread::{self, Scope, ScopedJoinHandle};

use acth_core::{
    decision::Outbound,
    event::Event,
    port::{CommandSink, EventSource},
};

use self::{core_thread::CoreThread, ingress_thread::RingIntake};
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
    config::EngineConfig,
    error::EngineError,
    journal::Journal,
    latency::Latency,
    machine::Machine,
    ring::ring,
    topology::{CORE, EGRESS, INGRESS, Topology},
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

/// Runs source, core and sink on a thread each.
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
    let (events_in, events_out) = ring(config.ring_slots, Event::EMPTY)?;
    let (commands_in, commands_out) = ring(config.ring_slots, Outbound::default())?;
    // Twice the commands: the core empties it before every input, so egress does not wait for the core.
    let (reports_in, reports_out) = ring(config.ring_slots * 2, Event::EMPTY)?;
    let clock = stage.clock.clone();
    let intake = RingIntake::new(events_in, shared, waiter(topology, INGRESS));
    let mut feed = Feed::new(intake, clock.clone(), config);
    let durable = stage.journal.durable_gate();
    let mut egress = EgressStage::new(sink, durable, shared.control, &shared.gate, clock);
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
        let egress = spawn(scope, EGRESS, config, topology, shared, move || {
            let wait = waiter(topology, EGRESS);
            egress_thread::run(&mut egress, commands_out, reports_in, shared, wait);
            (egress.egress, egress.tick_to_order, egress.withheld_count)
        })?;
        let ingress = spawn(scope, INGRESS, config, topology, shared, move || {
            let wait = waiter(topology, INGRESS);
            ingress_thread::run(&mut feed, source, shared, wait);
        })?;
        let core = core.join().ok();
        // Both record their own failures; what they return without one is all that is wanted.
        let _ = ingress.join();
        let egress = egress.join().ok();
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
