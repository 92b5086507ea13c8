//! One run: source, core and sink joined, on one thread, two or three.
//!
//! The step of the core, the gate of egress and the feed of the source are the same code in all modes. A run ends in
//! two phases, both inputs in the journal: `End`, after which the core cancels what is open and the source still gives
//! what it owes, and `Stop`, the very last input. Then the journal is sealed. Where the kill flag is up, `Halt` with that
//! reason stands in the place of `End`: the next run must not go on by itself.
//!
//! What ends a run, and what is still done then:
//!
//! | trigger                          | trading stops by | End or Halt + drain | Stop | seal | result |
//! |----------------------------------|------------------|---------------------|------|------|--------|
//! | time over, source ended, request | End              | End                 | yes  | yes  | ok     |
//! | signal (a second: no drain)      | End              | End                 | yes  | yes  | ok     |
//! | source error or panic            | kill flag        | Halt                | yes  | yes  | error  |
//! | sink error or panic              | kill flag        | Halt                | yes  | yes  | error  |
//! | journal will fail                | kill flag        | Halt                | yes  | yes  | error  |
//! | egress ring full for too long    | kill flag        | no                  | yes  | yes  | error  |
//! | journal append failed            | kill flag        | no                  | no   | yes  | error  |
//! | panic in the machine             | kill flag        | no                  | no   | yes  | error  |

mod core_stage;
mod egress_stage;
mod feed;
mod multi;
mod outcome;
mod rarely;
mod shared;
mod single;
mod timer;

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use acth_core::{
    event::{Event, EventKind, OperatorAction, OperatorCommand, OperatorReason, flags},
    instrument::InstrumentId,
    port::{CommandSink, EventSource},
};

use acth_journal::Condition;

use self::{core_stage::CoreStage, outcome::Remains, shared::Shared};
use crate::{
    clock::{Clock, RunClock, WallClock},
    config::{EngineConfig, ThreadMode},
    control::{Control, StopReason},
    error::EngineError,
    journal::Journal,
    machine::Machine,
    memory,
    monitor::Monitor,
    placement::{self, FIFO_WARNING, Scheduling},
    topology::{ThreadPlan, Topology},
};

pub(crate) use self::core_stage::fold_decision;
pub use self::outcome::RunOutcome;

/// Events or reports that the core takes at once; the ring frees their slots together.
const BATCH: u64 = 64;
/// Polls of a draining source in the single loop in event time before it is given up: a real time would give other
/// journals on other days.
const DRAIN_POLLS_MAX: u64 = 1_000_000;

/// Runs until something ends it and seals the journal.
///
/// # Errors
/// The first failure. Trading has stopped and the journal is sealed as far as it could be; see the table above.
pub fn run<M, Src, Snk, J>(
    config: &EngineConfig,
    machine: M,
    source: Src,
    sink: Snk,
    journal: J,
    control: &Control,
    monitor: &Monitor,
) -> Result<RunOutcome<M>, EngineError>
where
    M: Machine + Send,
    Src: EventSource + Send,
    Snk: CommandSink + Send,
    J: Journal,
{
    // Read before any thread is pinned: a pinned caller would see its own core only.
    let (topology, sentences) = Topology::plan(config, &placement::allowed_cores());
    let shared = Shared::new(control, monitor);
    sentences
        .into_iter()
        .for_each(|sentence| shared.warn(sentence));
    if let Scheduling::Fifo(_) = config.placement.scheduling {
        shared.warn(FIFO_WARNING);
    }
    if config.placement.lock_memory
        && let Some(sentence) = placement::lock_memory()
    {
        shared.warn(sentence);
    }
    tracing::info!("threads of the run:\n{topology}");
    let manifest = config.manifest.to_bytes()?;
    let wall = match config.clock {
        Clock::Wall => WallClock::start(),
        Clock::Event => WallClock::start_rough(),
    };
    let clock = RunClock::new(config.clock, wall);
    let mut stage = CoreStage::new(machine, journal, clock, &shared.gate);
    stage.append_unfinished(&config.resume.unfinished)?;
    stage.append_manifest(config.manifest.started_ns, &manifest)?;
    let remains = match config.threads {
        ThreadMode::Single => single::run(config, stage, source, sink, &shared, &topology)?,
        ThreadMode::Dual | ThreadMode::Multi => {
            multi::run(config, stage, source, sink, &shared, &topology)?
        }
    };
    finish(remains, &shared, topology)
}

/// The first failure if there was one, else the outcome.
fn finish<M: Machine>(
    remains: Option<Remains<M>>,
    shared: &Shared<'_>,
    topology: Topology,
) -> Result<RunOutcome<M>, EngineError> {
    let mut failures = shared.take_failures().into_iter();
    if let Some(first) = failures.next() {
        for later in failures {
            tracing::error!("failed as well: {later}");
        }
        return Err(first);
    }
    let stop_reason = shared.stop_reason().unwrap_or(StopReason::Requested);
    let warnings = shared.take_warnings();
    match remains {
        Some(remains) => Ok(remains.into_outcome(stop_reason, warnings, topology)),
        None => Err(EngineError::EgressGone),
    }
}

/// The runtime's own word to the core.
fn operator_event(action: OperatorAction, reason: OperatorReason, now_ns: i64) -> Event {
    Event::new(EventKind::OperatorCommanded, InstrumentId(0))
        .at(0, now_ns)
        .with_flags(flags::TS_MISSING)
        .with_detail(action as u8)
        .with_body(&OperatorCommand::because(reason))
}

/// What a journal that is short of something asks of the core, the gravest first; each once.
fn condition_command(condition: Condition) -> (OperatorAction, OperatorReason) {
    if condition.is_space_out() {
        (OperatorAction::Halt, OperatorReason::DiskFull)
    } else if condition.is_space_low() {
        (OperatorAction::Reduce, OperatorReason::DiskLow)
    } else {
        (OperatorAction::Reduce, OperatorReason::DurabilityBehind)
    }
}

/// Why the journal asks for less risk, for the summary.
fn condition_sentence(condition: Condition) -> &'static str {
    if condition.is_space_out() {
        "The journal's disk is full up to its hard mark: trading was halted."
    } else if condition.is_space_low() {
        "The journal's disk is nearly full: only orders that reduce risk were let through."
    } else {
        "Frames waited seconds to become durable: only orders that reduce risk were let through."
    }
}

/// How the core is told to cancel everything at the end. With the kill flag up, which every failure raises, it is no
/// orderly end: a person must look before the next run goes on.
fn closing_command(shared: &Shared<'_>) -> (OperatorAction, OperatorReason) {
    if shared.control.is_killed() {
        (OperatorAction::Halt, OperatorReason::KillFlag)
    } else {
        (OperatorAction::End, OperatorReason::Unspecified)
    }
}

/// Makes the memory of the run present, when all of it is there and before its threads start.
fn touch_memory(config: &EngineConfig, shared: &Shared<'_>) {
    if !config.placement.touch_memory {
        return;
    }
    match memory::populate() {
        Ok(bytes) => tracing::info!("{} MiB of memory are present", bytes >> 20),
        Err(cause) => shared.warn(format!(
            "Memory is touched on first use only, at some microseconds a page: {cause}."
        )),
    }
}

/// Places the calling thread as planned; what the system refuses is a warning.
fn settle(config: &EngineConfig, plan: Option<&ThreadPlan>, shared: &Shared<'_>) {
    let Some(plan) = plan else { return };
    let refused_pin = plan
        .core
        .and_then(|core| placement::pin_current(plan.name, core));
    let refused_priority = placement::schedule_current(plan.name, config.placement.scheduling);
    memory::touch_stack();
    if config.placement.lock_memory {
        // Refused, it was refused before, and has been said.
        let _ = placement::lock_memory();
    }
    for sentence in refused_pin.into_iter().chain(refused_priority) {
        shared.warn(sentence);
    }
}

/// Runs `body` and turns a panic into its message: unwinding never leaves a thread's own function.
fn guarded<R>(body: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|payload| panic_message(&*payload))
}

fn panic_message(payload: &(dyn Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without a text".to_owned()
    }
}
