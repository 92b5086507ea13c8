//! The core's step: number, append the input, apply, append the decisions, hand the commands on.
//!
//! The same code runs on the core thread and in the single loop. Invariants:
//! - an input is journaled before the machine sees it, a decision before egress does;
//! - the decisions of the input at sequence `n` are the frames `n + 1`, `n + 2`, ... and nothing else takes a sequence
//!   between them, since the machine predicts its client order ids from that; asserted on every append;
//! - every input is counted once, when its commands have left or before the next input;
//! - no allocation, lock or system call here after the first input.

use acth_core::{
    decision::{Decision, DecisionKind, Decisions, Outbound},
    event::{Event, EventKind},
    hash::StateHasher,
};
use zerocopy::IntoBytes;

use super::egress_stage::Gate;
use crate::{
    clock::RunClock, error::EngineError, frames, journal::Journal, latency::Stage,
    machine::Machine, monitor::Progress, resume::Unfinished,
};

/// The machine, its journal and what is counted about them.
pub(super) struct CoreStage<'a, M, J> {
    pub(super) machine: M,
    pub(super) journal: J,
    pub(super) clock: RunClock,
    pub(super) progress: Progress,
    pub(super) ingress: Stage,
    pub(super) apply: Stage,
    gate: &'a Gate,
    /// Whether commands wait for durability.
    is_gated: bool,
    decisions: Decisions,
    decision_hash: StateHasher,
    next_sequence: u64,
    uncounted: Option<Uncounted>,
}

/// What of the last input is still to be counted.
#[derive(Clone, Copy)]
struct Uncounted {
    sequence: u64,
    kind: u8,
    ts_ingress_ns: i64,
    dequeued_ns: i64,
    decided_ns: i64,
}

impl<'a, M: Machine, J: Journal> CoreStage<'a, M, J> {
    pub(super) fn new(machine: M, journal: J, clock: RunClock, gate: &'a Gate) -> Self {
        let next_sequence = journal.next_sequence();
        let is_gated = !journal.durable_gate().is_open();
        Self {
            machine,
            journal,
            clock,
            progress: Progress {
                last_sequence: next_sequence.saturating_sub(1),
                ..Progress::default()
            },
            ingress: Stage::new(),
            apply: Stage::new(),
            gate,
            is_gated,
            decisions: Decisions::new(),
            decision_hash: StateHasher::new(),
            next_sequence,
            uncounted: None,
        }
    }

    /// Takes one input into history and hands every command that follows from it to `send`, in order.
    #[inline]
    pub(super) fn step(
        &mut self,
        event: &Event,
        send: impl FnMut(&Outbound) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let sent = self.decide(event, send);
        // What is only counted comes when the commands are on their way.
        self.count();
        sent
    }

    /// As `step` for a caller who lets the commands leave himself: what is only counted waits for `count`, or for the next input.
    #[inline]
    pub(super) fn decide(
        &mut self,
        event: &Event,
        send: impl FnMut(&Outbound) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        self.count();
        event.check()?;
        let dequeued_ns = self.clock.real_ns();
        let ts_core_ns = self.clock.advance(dequeued_ns, event.ts_ingress_ns);
        let sequence = self.append(
            frames::input_kind(event.kind),
            ts_core_ns,
            0,
            event.as_bytes(),
        )?;
        self.decisions.clear();
        self.machine
            .apply(sequence, ts_core_ns, event, &mut self.decisions);
        self.append_decisions(sequence, ts_core_ns)?;
        let decided_ns = self.clock.real_ns();
        let sent = self.send_commands(sequence, event.ts_ingress_ns, decided_ns, send);
        self.uncounted = Some(Uncounted {
            sequence,
            kind: event.kind,
            ts_ingress_ns: event.ts_ingress_ns,
            dequeued_ns,
            decided_ns,
        });
        sent
    }

    /// Counts the last input and folds its decisions, unless that was done.
    #[inline]
    pub(super) fn count(&mut self) {
        if let Some(input) = self.uncounted.take() {
            self.fold_decisions(input.sequence);
            self.count_input(&input);
        }
    }

    #[inline]
    fn append(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
    ) -> Result<u64, EngineError> {
        let came = self
            .journal
            .append(kind, time_ns, cause, payload)
            .map_err(EngineError::Journal)?;
        let expected = self.next_sequence;
        if came != expected {
            return Err(EngineError::Sequence { expected, came });
        }
        self.next_sequence += 1;
        self.progress.last_sequence = came;
        Ok(came)
    }

    /// Appends the decisions that the run before never wrote, as it would have: their ids are taken.
    pub(super) fn append_unfinished(&mut self, unfinished: &Unfinished) -> Result<(), EngineError> {
        for decision in &unfinished.decisions {
            let kind = frames::decision_kind(decision.kind);
            let (cause, time_ns) = (unfinished.cause, unfinished.time_ns);
            let sequence = self.append(kind, time_ns, cause, decision.as_bytes())?;
            fold_decision(&mut self.decision_hash, sequence, decision);
            self.count_decision(decision);
        }
        Ok(())
    }

    /// Appends the run's manifest.
    pub(super) fn append_manifest(
        &mut self,
        time_ns: i64,
        bytes: &[u8],
    ) -> Result<(), EngineError> {
        self.append(frames::MANIFEST_KIND, time_ns, 0, bytes)
            .map(drop)
    }

    #[inline]
    fn append_decisions(&mut self, cause: u64, ts_core_ns: i64) -> Result<(), EngineError> {
        for index in 0..self.decisions.as_slice().len() {
            let decision = self.decisions.as_slice()[index];
            let kind = frames::decision_kind(decision.kind);
            self.append(kind, ts_core_ns, cause, decision.as_bytes())?;
            self.count_decision(&decision);
        }
        Ok(())
    }

    #[inline]
    fn fold_decisions(&mut self, cause: u64) {
        for (sequence, decision) in (cause + 1..).zip(self.decisions.as_slice()) {
            fold_decision(&mut self.decision_hash, sequence, decision);
        }
    }

    #[inline]
    fn count_decision(&mut self, decision: &Decision) {
        self.progress.decisions += 1;
        match decision.kind() {
            Some(DecisionKind::PlaceOrder) => self.progress.orders += 1,
            Some(DecisionKind::OrderDenied) => self.progress.denials += 1,
            Some(DecisionKind::TradingStateChanged) => {
                self.progress.trading_state = decision.state;
                self.gate.set_trading_state(decision.state);
            }
            _ => {}
        }
    }

    #[inline]
    fn count_input(&mut self, input: &Uncounted) {
        self.progress.events += 1;
        self.progress.fills += u64::from(input.kind == EventKind::OrderFilled as u8);
        self.apply.record(input.dequeued_ns, input.decided_ns);
        if !self.clock.is_event_time() {
            self.ingress.record(input.ts_ingress_ns, input.dequeued_ns);
        }
    }

    #[inline]
    fn send_commands(
        &mut self,
        cause: u64,
        ts_cause_ingress_ns: i64,
        decided_ns: i64,
        mut send: impl FnMut(&Outbound) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let (ts_decided_ns, mut ts_published_ns) = if self.clock.is_event_time() {
            (self.clock.now_ns(), 0)
        } else {
            (decided_ns, decided_ns)
        };
        if self.is_gated && self.decisions.as_slice().iter().any(Decision::is_command) {
            self.journal.prepare_wait();
        }
        for (sequence, decision) in (cause + 1..).zip(self.decisions.as_slice()) {
            if decision.is_command() {
                send(&Outbound {
                    sequence,
                    ts_cause_ingress_ns,
                    ts_decided_ns,
                    ts_published_ns,
                    decision: *decision,
                })?;
                // The first one is published as soon as it is decided; those behind it are stamped when their turn comes.
                ts_published_ns = 0;
            }
        }
        Ok(())
    }

    /// The fold over every decision so far.
    pub(super) fn decision_hash(&self) -> u64 {
        self.decision_hash.finish()
    }
}

/// Folds one decision into the hash that stands for all of them.
#[inline]
pub(crate) fn fold_decision(hasher: &mut StateHasher, sequence: u64, decision: &Decision) {
    hasher.word(sequence);
    hasher.bytes(decision.as_bytes());
}
