//! The core thread: takes reports and events, applies them in one order, hands commands on, and leads the end of the run.

use std::cell::Cell;

use acth_core::{
    decision::Outbound,
    event::{Event, OperatorAction, OperatorReason},
};

use acth_journal::Condition;

use crate::{
    clock::Clock,
    config::EngineConfig,
    control::{KillReason, StopReason},
    error::EngineError,
    journal::Journal,
    latency::Latency,
    machine::Machine,
    monitor::RunStage,
    pipeline::{
        BATCH, closing_command, condition_command, condition_sentence,
        core_stage::CoreStage,
        guarded, operator_event,
        outcome::Remains,
        rarely::Rarely,
        shared::{Phase, Shared},
    },
    ring::{Consumer, LagGauge, Producer, PublishError, Taken},
    topology::CORE,
    wait::Waiter,
};

/// Real time that the core waits for room in the egress ring before it gives up trading.
const EGRESS_WAIT_MS: i64 = 1000;
/// Real time that the end of a run waits for egress to finish what it holds.
const EGRESS_END_WAIT_NS: i64 = 100_000_000;
/// Real time that the core may take for what its source gave before it ended.
const CATCH_UP_NS: i64 = 10_000_000_000;
/// Real time after which a source in event time is taken to owe nothing more.
const EVENT_DRAIN_NS: i64 = 10_000_000_000;

/// The core's end of the egress ring.
struct Sender {
    /// `None` once the run takes no more commands.
    ring: Option<Producer<Outbound>>,
    waiter: Waiter,
    clock: crate::clock::RunClock,
    sent_count: u64,
    withheld_count: u64,
}

impl Sender {
    #[inline]
    fn send(&mut self, outbound: &Outbound) -> Result<(), EngineError> {
        let Some(ring) = &mut self.ring else {
            self.withheld_count += 1;
            return Ok(());
        };
        let clock = &self.clock;
        let mut deadline_ns = None;
        let has_waited = Cell::new(false);
        let gives_up = || {
            has_waited.set(true);
            let now_ns = clock.real_ns();
            now_ns >= *deadline_ns.get_or_insert(now_ns + EGRESS_WAIT_MS * 1_000_000)
        };
        let fill = |slot: &mut Outbound| {
            // Field by field: a copy in wider loads would wait for the stores that just made it.
            slot.sequence = outbound.sequence;
            slot.ts_cause_ingress_ns = outbound.ts_cause_ingress_ns;
            slot.ts_decided_ns = outbound.ts_decided_ns;
            slot.ts_published_ns = outbound.ts_published_ns;
            slot.decision = outbound.decision;
            if outbound.ts_published_ns == 0 || has_waited.get() {
                slot.ts_published_ns = clock.stamp_ns().unwrap_or(0);
            }
        };
        match ring.publish(&mut self.waiter, fill, gives_up) {
            Ok(()) => self.sent_count += 1,
            // The egress thread has recorded why it ended; the run is ending too.
            Err(PublishError::Abandoned) => self.withheld_count += 1,
            Err(PublishError::Full) => return Err(EngineError::EgressFull(EGRESS_WAIT_MS)),
        }
        Ok(())
    }
}

pub(super) struct CoreThread<'a, M, J> {
    stage: CoreStage<'a, M, J>,
    shared: &'a Shared<'a>,
    sender: Sender,
    ingress: Consumer<Event>,
    reports: Consumer<Event>,
    lag: LagGauge,
    waiter: Waiter,
    drain_ns: i64,
    reduces_when_behind: bool,
    report_count: u64,
    /// When control, signals and the journal's health are looked at.
    rarely: Rarely,
    /// What the journal was last found short of.
    condition: Condition,
    first_inputs: Vec<Event>,
    is_halted: bool,
    is_egress_gone: bool,
    is_ingress_gone: bool,
    is_usable: bool,
}

impl<'a, M: Machine, J: Journal> CoreThread<'a, M, J> {
    pub(super) fn new(
        config: &EngineConfig,
        stage: CoreStage<'a, M, J>,
        shared: &'a Shared<'a>,
        commands: Producer<Outbound>,
        ingress: Consumer<Event>,
        reports: Consumer<Event>,
        waiter: Waiter,
    ) -> Self {
        let is_event_time = config.clock == Clock::Event;
        let rarely = Rarely::new(&waiter, is_event_time);
        Self {
            sender: Sender {
                ring: Some(commands),
                waiter: waiter.clone(),
                clock: stage.clock.clone(),
                sent_count: 0,
                withheld_count: 0,
            },
            stage,
            shared,
            lag: ingress.gauge(),
            ingress,
            reports,
            waiter,
            drain_ns: if is_event_time {
                EVENT_DRAIN_NS
            } else {
                config.grace_ns
            },
            reduces_when_behind: config.reduces_when_behind && !is_event_time,
            report_count: 0,
            rarely,
            condition: Condition::default(),
            first_inputs: config.resume.inputs.clone(),
            is_halted: false,
            is_egress_gone: false,
            is_ingress_gone: false,
            is_usable: true,
        }
    }

    /// Runs to the end and seals the journal, whatever happens.
    pub(super) fn run(mut self) -> Remains<M> {
        self.guard(Self::begin);
        self.guard(Self::trade);
        if self.is_usable && self.sender.ring.is_some() {
            self.guard(Self::drain);
        }
        if self.is_usable {
            self.guard(Self::stop);
        }
        self.shared.set_phase(Phase::Done);
        self.shared.monitor.store(&self.stage.progress);
        self.seal()
    }

    /// Runs one phase; its error or panic ends trading and decides what may still follow.
    fn guard(&mut self, phase: impl FnOnce(&mut Self) -> Result<(), EngineError>) {
        let error = match guarded(|| phase(self)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error,
            Err(message) => EngineError::Panicked {
                thread: CORE,
                place: "core",
                message,
            },
        };
        let reason = match error {
            EngineError::EgressFull(_) => KillReason::EgressFull,
            EngineError::Event(_) => KillReason::SourceFailed,
            EngineError::Journal(_) => KillReason::JournalFailed,
            EngineError::Panicked { .. } => KillReason::ThreadPanicked,
            _ => KillReason::CoreFailed,
        };
        match error {
            // No use in waiting for reports of what egress does not take.
            EngineError::EgressFull(_) => self.sender.ring = None,
            // A refused event never reached the journal: the core is whole, its source is not.
            EngineError::Event(_) => self.is_ingress_gone = true,
            _ => {
                self.is_usable = false;
                self.sender.ring = None;
            }
        }
        self.shared.fail(error, reason);
    }

    fn trade(&mut self) -> Result<(), EngineError> {
        let mut catch_up_ns = None;
        self.shared.monitor.set_stage(RunStage::Trading);
        loop {
            if self.rarely.is_due() && !self.look_around(&mut catch_up_ns)? {
                return Ok(());
            }
            if self.cycle()? {
                self.waiter.reset();
            } else {
                self.waiter.idle();
            }
        }
    }

    /// Everything that may end or restrict trading. False when trading is over.
    fn look_around(&mut self, catch_up_ns: &mut Option<i64>) -> Result<bool, EngineError> {
        self.shared.monitor.turn();
        if let Some(reason) = self.shared.stop_reason()
            && !self.is_catching_up(reason, catch_up_ns)
        {
            return Ok(false);
        }
        if self.shared.control.is_killed() && !self.is_halted {
            self.is_halted = true;
            self.operate(OperatorAction::Halt, OperatorReason::KillFlag)?;
        }
        if self.reduces_when_behind && self.shared.is_behind() {
            self.reduces_when_behind = false;
            self.shared
                .warn("The ingress ring was full: the core was behind its source.");
            self.operate(OperatorAction::Reduce, OperatorReason::IngressBehind)?;
        }
        self.look_at_journal()
    }

    /// False when the journal cannot go on; what it is short of becomes an input.
    fn look_at_journal(&mut self) -> Result<bool, EngineError> {
        match self.stage.journal.poll_health() {
            Err(fault) => {
                // What is prepared still takes frames: the end of the run goes its ordinary way.
                self.shared
                    .fail(EngineError::Journal(fault), KillReason::JournalFailed);
                Ok(false)
            }
            Ok(condition) => {
                if condition != self.condition {
                    self.condition = condition;
                    self.shared.warn(condition_sentence(condition));
                    let (action, reason) = condition_command(condition);
                    self.operate(action, reason)?;
                }
                Ok(true)
            }
        }
    }

    /// The first inputs of a run that goes on with a journal.
    fn begin(&mut self) -> Result<(), EngineError> {
        let sender = &mut self.sender;
        for event in std::mem::take(&mut self.first_inputs) {
            self.stage.step(&event, |outbound| sender.send(outbound))?;
        }
        Ok(())
    }

    /// A source that ended, or ran out of time, gave everything before that to be traded on: the core takes what still
    /// lies in the rings first. Any other reason ends trading at once.
    fn is_catching_up(&self, reason: StopReason, deadline_ns: &mut Option<i64>) -> bool {
        if !matches!(reason, StopReason::SourceEnded | StopReason::DurationOver) {
            return false;
        }
        let has_work = self.lag.lag_count() > 0 || !self.is_all_reported();
        let now_ns = self.stage.clock.real_ns();
        let deadline_ns = *deadline_ns.get_or_insert(now_ns.saturating_add(CATCH_UP_NS));
        has_work
            && now_ns < deadline_ns
            && !self.shared.control.is_killed()
            && !self.shared.control.is_stop_requested()
    }

    /// One duty cycle: all reports, then a batch of events. True when there was anything.
    #[inline]
    fn cycle(&mut self) -> Result<bool, EngineError> {
        let mut is_busy = false;
        let Self {
            stage,
            sender,
            ingress,
            reports,
            ..
        } = self;
        loop {
            let taken = reports.take(BATCH, |event, _| {
                stage.step(event, |outbound| sender.send(outbound))
            })?;
            match taken {
                Taken::Items(count) => self.report_count += count as u64,
                Taken::Empty => break,
                Taken::Ended => {
                    self.is_egress_gone = true;
                    break;
                }
            }
            is_busy = true;
        }
        if !self.is_ingress_gone {
            let taken = ingress.take(BATCH, |event, _| {
                stage.step(event, |outbound| sender.send(outbound))
            })?;
            is_busy |= matches!(taken, Taken::Items(_));
            self.is_ingress_gone = taken == Taken::Ended;
        }
        if is_busy {
            self.stage.progress.lag = self.lag.lag_count();
            self.shared.monitor.store(&self.stage.progress);
        }
        Ok(is_busy)
    }

    fn operate(
        &mut self,
        action: OperatorAction,
        reason: OperatorReason,
    ) -> Result<(), EngineError> {
        let event = operator_event(action, reason, self.stage.clock.now_ns());
        let sender = &mut self.sender;
        self.stage.step(&event, |outbound| sender.send(outbound))
    }

    /// Phase one of the end: cancel what is open, take what is owed. Done when every command is reported on and a drain
    /// of the source, begun after the last report, owed nothing and led to no further command.
    fn drain(&mut self) -> Result<(), EngineError> {
        self.shared.gate.halt();
        self.shared.set_phase(Phase::Draining);
        let (action, reason) = closing_command(self.shared);
        self.operate(action, reason)?;
        let deadline_ns = self.stage.clock.real_ns().saturating_add(self.drain_ns);
        let mut request = 0;
        let mut sent_at_request = 0;
        while self.stage.clock.real_ns() < deadline_ns {
            let is_confirmed = request > 0 && self.shared.drain_done() == request;
            let is_busy = self.cycle()?;
            if self.shared.control.take_signal() {
                return Ok(());
            }
            if is_busy || !self.is_all_reported() {
                self.waiter.idle();
                continue;
            }
            let is_settled = self.sender.sent_count == sent_at_request && request > 0;
            if self.is_ingress_gone || (is_confirmed && is_settled) {
                return Ok(());
            }
            if request == 0 || is_confirmed {
                request += 1;
                sent_at_request = self.sender.sent_count;
                self.shared.request_drain(request);
            }
            self.waiter.idle();
        }
        self.shared
            .warn("Reports were still owed when the grace time was over.");
        Ok(())
    }

    fn is_all_reported(&self) -> bool {
        self.is_egress_gone || self.report_count == self.sender.sent_count
    }

    /// Phase two: egress sends the cancels it still has and reports, then nothing leaves, and `Stop` is the very last
    /// input.
    fn stop(&mut self) -> Result<(), EngineError> {
        self.shared.gate.halt();
        self.sender.ring = None;
        let deadline_ns = self.stage.clock.real_ns() + EGRESS_END_WAIT_NS;
        while !self.is_egress_gone && self.stage.clock.real_ns() < deadline_ns {
            if !self.cycle()? {
                self.waiter.idle();
            }
        }
        if !self.is_egress_gone {
            self.shared
                .warn("Egress was still sending when the run ended; its last reports are lost.");
        }
        self.shared.gate.close();
        self.shared.set_phase(Phase::Done);
        self.operate(OperatorAction::Stop, OperatorReason::Unspecified)
    }

    fn seal(self) -> Remains<M> {
        let decision_hash = self.stage.decision_hash();
        let journal_end = self.shared.seal(self.stage.journal);
        Remains {
            journal_end,
            machine: self.stage.machine,
            progress: self.stage.progress,
            withheld: self.sender.withheld_count,
            decision_hash,
            latency: Latency {
                ingress: self.stage.ingress,
                apply: self.stage.apply,
                ..Latency::default()
            },
        }
    }
}
