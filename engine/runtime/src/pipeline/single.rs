//! The single-thread mode: an event that the source emits is applied at once, its commands are sent at once, and their
//! reports are the next inputs. With `Clock::Event` the journal is a function of the source alone.

use std::{collections::VecDeque, thread};

use acth_core::{
    decision::{DECISIONS_PER_INPUT_MAX, Outbound},
    event::{Event, OperatorAction, OperatorReason},
    port::{CommandSink, EventSource, PortError, Progress, Stopped},
};

use acth_journal::Condition;

use super::{
    DRAIN_POLLS_MAX, closing_command, condition_command, condition_sentence,
    core_stage::CoreStage,
    egress_stage::{EgressStage, TOGETHER_MAX},
    feed::{Feed, Intake},
    guarded, operator_event,
    outcome::Remains,
    rarely::Rarely,
    settle,
    shared::{Phase, Shared},
    touch_memory,
};
use crate::{
    clock::{Clock, RunClock},
    config::EngineConfig,
    control::{KillReason, StopReason},
    error::EngineError,
    journal::Journal,
    latency::Latency,
    machine::Machine,
    monitor::RunStage,
    topology::{HUB, Topology},
    wait::{WaitStrategy, Waiter},
};

/// Sends that one event of the source may lead to, reports included; more is a machine that feeds itself.
const SEND_CHAIN_MAX: usize = 4096;

/// Events that the source may give before what the first of them led to leaves: some microseconds, about what one write takes.
const EVENTS_TOGETHER_MAX: usize = 16;

/// What the loop is inside of: says whom a panic belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Source,
    Core,
    Egress,
}

impl Place {
    const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Core => "core",
            Self::Egress => "egress",
        }
    }
}

/// Core and egress behind the feed of the source.
struct Inline<'a, M, J, Snk> {
    stage: CoreStage<'a, M, J>,
    egress: EgressStage<'a, Snk>,
    shared: &'a Shared<'a>,
    clock: RunClock,
    commands: VecDeque<Outbound>,
    reports: VecDeque<Event>,
    place: Place,
    /// Highest sequence whose durability was asked for.
    asked_sequence: u64,
    sent_count: u64,
    /// Events since the first of `commands` was decided.
    waited_events: usize,
    is_core_usable: bool,
    is_sink_usable: bool,
    is_source_usable: bool,
}

impl<M: Machine, J: Journal, Snk: CommandSink> Inline<'_, M, J, Snk> {
    /// An event of the source. What follows from it leaves when the source has given what it has, or a few commands wait, or the first of
    /// them has waited for a few events: what comes together leaves together. In event time it leaves at once, since what follows must not
    /// depend on how much came together.
    #[inline]
    fn take_together(&mut self, event: &Event) -> Result<(), EngineError> {
        self.step(event)?;
        if self.commands.is_empty() {
            self.stage.count();
            return Ok(());
        }
        self.waited_events += 1;
        let is_enough =
            self.commands.len() >= TOGETHER_MAX || self.waited_events >= EVENTS_TOGETHER_MAX;
        if is_enough || self.stage.clock.is_event_time() {
            self.pump()?;
        }
        Ok(())
    }

    /// One event and everything that follows from it.
    fn take_in(&mut self, event: &Event) -> Result<(), EngineError> {
        self.step(event)?;
        self.pump()
    }

    fn pump(&mut self) -> Result<(), EngineError> {
        self.waited_events = 0;
        let mut chain_count = 0;
        loop {
            while let Some(outbound) = self.next_command() {
                chain_count += 1;
                if chain_count > SEND_CHAIN_MAX {
                    return Err(EngineError::SendChain(SEND_CHAIN_MAX));
                }
                self.send(&outbound);
            }
            self.flush();
            match self.reports.pop_front() {
                Some(report) => self.step(&report)?,
                None => {
                    self.stage.count();
                    return Ok(());
                }
            }
        }
    }

    /// The next command that may leave. One whose decision is not durable yet stays, and all behind it: in wall time the loop
    /// goes on meanwhile; in event time it waits, since what follows must not depend on how long that takes.
    fn next_command(&mut self) -> Option<Outbound> {
        let outbound = self.commands.front()?;
        if !self.egress.is_ready(outbound) {
            if self.asked_sequence < outbound.sequence {
                let last = self.commands.back().unwrap_or(outbound);
                self.asked_sequence = last.sequence;
                self.egress.ask_for(last);
            }
            if !self.stage.clock.is_event_time() {
                return None;
            }
            while !self.egress.is_ready(outbound) {
                thread::yield_now();
            }
        }
        self.commands.pop_front()
    }

    /// Sends what has become durable since, and takes the reports in.
    fn send_ready(&mut self) {
        if self.commands.is_empty() {
            return;
        }
        if let Err(error) = self.pump() {
            self.break_core(error);
        }
    }

    /// What is only counted comes when the commands have left: `pump` does it, or the next step.
    #[inline]
    fn step(&mut self, event: &Event) -> Result<(), EngineError> {
        self.place = Place::Core;
        let (commands, clock) = (&mut self.commands, &self.clock);
        let outcome = self.stage.decide(event, |outbound| {
            commands.push_back(Outbound {
                ts_published_ns: match outbound.ts_published_ns {
                    0 => clock.stamp_ns().unwrap_or(0),
                    stamped => stamped,
                },
                ..*outbound
            });
            Ok(())
        });
        self.place = Place::Source;
        outcome
    }

    fn send(&mut self, outbound: &Outbound) {
        self.sent_count += 1;
        self.place = Place::Egress;
        let (report, error) = if self.is_sink_usable {
            self.egress.handle(outbound)
        } else {
            (Some(self.egress.withhold(outbound)), None)
        };
        self.place = Place::Source;
        if report.is_some() || self.egress.is_full() {
            self.flush();
        }
        // Behind those of the commands before it.
        self.reports.extend(report);
        self.fail_sink(error);
    }

    /// Lets leave what the sink took, and takes note of the reports.
    #[inline]
    fn flush(&mut self) {
        let reports = &mut self.reports;
        let error = if self.is_sink_usable {
            self.place = Place::Egress;
            let error = self.egress.flush(|report| reports.push_back(report));
            self.place = Place::Source;
            error
        } else {
            self.egress
                .confirm_taken(|report| reports.push_back(report));
            None
        };
        self.fail_sink(error);
    }

    fn fail_sink(&self, error: Option<PortError>) {
        if let Some(error) = error {
            self.shared
                .fail(EngineError::Sink(error), KillReason::SinkFailed);
        }
    }

    fn operate(&mut self, action: OperatorAction, reason: OperatorReason) {
        let event = operator_event(action, reason, self.stage.clock.now_ns());
        if let Err(error) = self.take_in(&event) {
            self.break_core(error);
        }
    }

    /// The last input: whatever the machine still asks for stays here.
    fn stop(&mut self) {
        self.shared.gate.close();
        while let Some(outbound) = self.commands.pop_front() {
            let report = self.egress.withhold(&outbound);
            if let Err(error) = self.step(&report) {
                return self.break_core(error);
            }
        }
        let now_ns = self.stage.clock.now_ns();
        let event = operator_event(OperatorAction::Stop, OperatorReason::Unspecified, now_ns);
        if let Err(error) = self.step(&event) {
            self.break_core(error);
        }
    }

    fn break_core(&mut self, error: EngineError) {
        let reason = match error {
            EngineError::Journal(_) => KillReason::JournalFailed,
            EngineError::Event(_) => KillReason::SourceFailed,
            _ => KillReason::CoreFailed,
        };
        // A refused event never reached the journal: the core is whole, its source is not.
        if matches!(error, EngineError::Event(_)) {
            self.is_source_usable = false;
        } else {
            self.is_core_usable = false;
        }
        self.shared.fail(error, reason);
    }

    /// A panic was caught: whoever it happened in takes no further part.
    fn bury(&mut self, message: String) {
        match self.place {
            Place::Source => self.is_source_usable = false,
            Place::Core => self.is_core_usable = false,
            Place::Egress => self.is_sink_usable = false,
        }
        let error = EngineError::Panicked {
            thread: HUB,
            place: self.place.name(),
            message,
        };
        self.place = Place::Source;
        self.shared.fail(error, KillReason::ThreadPanicked);
    }
}

impl<M: Machine, J: Journal, Snk: CommandSink> Intake for Inline<'_, M, J, Snk> {
    fn put_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        if !self.is_core_usable || !self.is_source_usable {
            return Err(Stopped);
        }
        let mut event = Event::EMPTY;
        fill(&mut event);
        self.take_together(&event).map_err(|error| {
            self.break_core(error);
            Stopped
        })
    }

    fn request_stop(&mut self, reason: StopReason) {
        self.shared.request_stop(reason);
    }
}

/// The loop's own state.
struct Hub<'a, M, J, Snk, Src> {
    feed: Feed<Inline<'a, M, J, Snk>>,
    source: Src,
    shared: &'a Shared<'a>,
    waiter: Waiter,
    is_event_time: bool,
    grace_ns: i64,
    /// What the journal was last found short of.
    condition: Condition,
    first_inputs: Vec<Event>,
    is_halted: bool,
}

impl<M: Machine, J: Journal, Snk: CommandSink, Src: EventSource> Hub<'_, M, J, Snk, Src> {
    /// Everything that may end or restrict trading, and the timer. False when trading is over.
    fn look_around(&mut self) -> bool {
        self.shared.monitor.turn();
        if self.shared.stop_reason().is_some() {
            return false;
        }
        if self.shared.control.is_killed() && !self.is_halted {
            self.is_halted = true;
            self.feed.intake.egress.cancel_all_if_killed();
            let (action, reason) = (OperatorAction::Halt, OperatorReason::KillFlag);
            self.feed.intake.operate(action, reason);
        }
        self.look_at_journal() && self.feed.tick().is_ok()
    }

    fn trade(&mut self) {
        self.shared.monitor.set_stage(RunStage::Trading);
        let mut rarely = Rarely::new(&self.waiter, self.is_event_time);
        loop {
            if (rarely.is_due() || self.feed.has_refused) && !self.look_around() {
                return;
            }
            let polled = self.source.poll(&mut self.feed);
            self.feed.intake.send_ready();
            self.shared.monitor.store(&self.feed.intake.stage.progress);
            match polled {
                Ok(Progress::Busy) => self.waiter.reset(),
                Ok(Progress::Idle) => self.waiter.idle(),
                Ok(Progress::Ended) => {
                    self.shared.request_stop(StopReason::SourceEnded);
                    rarely.soon();
                }
                Err(error) if !self.feed.has_refused => {
                    self.shared
                        .fail(EngineError::Source(error), KillReason::SourceFailed);
                    rarely.soon();
                }
                Err(_) => {
                    self.shared.request_stop(StopReason::Failed);
                    rarely.soon();
                }
            }
        }
    }

    /// False when the journal cannot go on; what it is short of becomes an input.
    fn look_at_journal(&mut self) -> bool {
        let core = &mut self.feed.intake;
        match core.stage.journal.poll_health() {
            Err(fault) => {
                self.shared
                    .fail(EngineError::Journal(fault), KillReason::JournalFailed);
                false
            }
            Ok(condition) => {
                if condition != self.condition {
                    self.condition = condition;
                    self.shared.warn(condition_sentence(condition));
                    let (action, reason) = condition_command(condition);
                    core.operate(action, reason);
                }
                true
            }
        }
    }

    /// The first inputs of a run that goes on with a journal.
    fn begin(&mut self) {
        for event in std::mem::take(&mut self.first_inputs) {
            if let Err(error) = self.feed.intake.take_in(&event) {
                return self.feed.intake.break_core(error);
            }
        }
    }

    /// Phase one of the end: cancel what is open, take what is owed.
    fn drain(&mut self) {
        self.feed.start_draining();
        self.shared.gate.halt();
        let (action, reason) = closing_command(self.shared);
        self.feed.intake.operate(action, reason);
        let start_ns = self.feed.intake.stage.clock.real_ns();
        for poll_count in 1_u64.. {
            let core = &self.feed.intake;
            if !core.is_core_usable || !core.is_source_usable || self.shared.control.take_signal() {
                return;
            }
            let sent_count = self.feed.intake.sent_count;
            let drained = self.source.drain(&mut self.feed);
            self.feed.intake.send_ready();
            match drained {
                Ok(Progress::Ended)
                    if self.feed.intake.sent_count == sent_count
                        && self.feed.intake.commands.is_empty() =>
                {
                    return;
                }
                Ok(Progress::Ended | Progress::Busy) => self.waiter.reset(),
                Ok(Progress::Idle) => self.waiter.idle(),
                Err(error) => {
                    self.shared
                        .fail(EngineError::Source(error), KillReason::SourceFailed);
                    return;
                }
            }
            let is_over = if self.is_event_time {
                poll_count >= DRAIN_POLLS_MAX
            } else {
                self.feed.intake.stage.clock.real_ns() - start_ns > self.grace_ns
            };
            if is_over {
                break;
            }
        }
        self.shared
            .warn("The source still owed reports when the grace time was over.");
    }

    /// Runs one phase; a panic in it is recorded and the rest goes on without whoever panicked.
    fn guard(&mut self, phase: impl FnOnce(&mut Self)) {
        if let Err(message) = guarded(|| phase(self)) {
            self.feed.intake.bury(message);
        }
    }

    fn run(&mut self) {
        self.guard(Self::begin);
        self.guard(Self::trade);
        if self.feed.intake.is_core_usable {
            self.shared.set_phase(Phase::Draining);
            self.guard(Self::drain);
        }
        self.shared.set_phase(Phase::Done);
        if self.feed.intake.is_core_usable {
            self.guard(|hub| hub.feed.intake.stop());
        }
        // The last input: none follows that would do it.
        self.feed.intake.stage.count();
        self.shared.monitor.store(&self.feed.intake.stage.progress);
    }

    fn seal(self) -> Remains<M> {
        let inline = self.feed.intake;
        let (core, withheld) = (inline.stage, inline.egress.withheld_count);
        let decision_hash = core.decision_hash();
        let journal_end = self.shared.seal(core.journal);
        Remains {
            journal_end,
            machine: core.machine,
            progress: core.progress,
            withheld,
            decision_hash,
            latency: Latency {
                ingress: core.ingress,
                apply: core.apply,
                egress: inline.egress.egress,
                tick_to_order: inline.egress.tick_to_order,
            },
        }
    }
}

/// Runs everything on one thread of its own, so that its pinning and priority end with it.
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
    let plan = topology.thread(HUB);
    let wait = plan
        .and_then(|plan| plan.wait)
        .unwrap_or(WaitStrategy::Park);
    let clock = stage.clock.clone();
    let inline = Inline {
        egress: EgressStage::new(
            sink,
            stage.journal.durable_gate(),
            shared.control,
            &shared.gate,
            clock.clone(),
        ),
        stage,
        shared,
        clock: clock.clone(),
        commands: VecDeque::with_capacity(DECISIONS_PER_INPUT_MAX + TOGETHER_MAX),
        reports: VecDeque::with_capacity(SEND_CHAIN_MAX),
        place: Place::Source,
        asked_sequence: 0,
        sent_count: 0,
        waited_events: 0,
        is_core_usable: true,
        is_sink_usable: true,
        is_source_usable: true,
    };
    let mut hub = Hub {
        feed: Feed::new(inline, clock, config),
        source,
        shared,
        waiter: Waiter::new(wait),
        is_event_time: config.clock == Clock::Event,
        grace_ns: config.grace_ns,
        condition: Condition::default(),
        first_inputs: config.resume.inputs.clone(),
        is_halted: false,
    };
    touch_memory(config, shared);
    thread::scope(|scope| {
        let handle = thread::Builder::new()
            .name(HUB.to_owned())
            .spawn_scoped(scope, move || {
                settle(config, plan, shared);
                hub.run();
                hub.seal()
            })
            .map_err(|cause| EngineError::Spawn { thread: HUB, cause })?;
        Ok(handle.join().ok())
    })
}
