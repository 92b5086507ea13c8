//! Egress: the last gate, the sink, and the report back.
//!
//! Invariant: the kill flag is read before every send. Once it is up, or while the core is halted, no order leaves;
//! cancels do. Whatever happens to a command, exactly one report goes back to the core as an input: it left
//! (`CommandSent`), or it did not (`OrderRejected` or `CancelRejected` with source 0), so no order is ever thought to be
//! on its way that is not. Commands that come together leave together: `handle` for each, one `flush` behind them, which is
//! when they are reported as sent. Whoever waits, or looks at the kill flag, between the two flushes first.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use acth_core::{
    decision::{Decision, DecisionKind, Outbound},
    event::{CommandSent, Event, EventKind, OrderReport, ReportReason, before_ns, flags},
    port::{CommandSink, PortError},
    risk::TradingState,
};
use zerocopy::{Immutable, IntoBytes};

use crate::{clock::RunClock, control::Control, durable::DurableGate, latency::Stage};

/// Commands that leave together at most: the first of them waits for the last to be written.
pub(super) const TOGETHER_MAX: usize = 16;

/// What egress reads before a send, besides the kill flag.
#[derive(Debug, Default)]
pub(super) struct Gate {
    trading_state: AtomicU8,
    is_halted: AtomicBool,
    is_closed: AtomicBool,
}

impl Gate {
    /// The core changed its trading state.
    #[inline]
    pub(super) fn set_trading_state(&self, code: u8) {
        self.trading_state.store(code, Ordering::Release);
    }

    /// From now on only cancels leave: the run is ending.
    pub(super) fn halt(&self) {
        self.is_halted.store(true, Ordering::Release);
    }

    /// From now on nothing leaves at all: the run is over, and a send could no longer be reported.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
    }

    #[inline]
    fn passes(&self, control: &Control, decision: &Decision) -> bool {
        if self.is_closed.load(Ordering::Acquire) {
            return false;
        }
        let takes_risk = decision.kind() != Some(DecisionKind::CancelOrder);
        let is_halted = self.is_halted.load(Ordering::Acquire)
            || self.trading_state.load(Ordering::Acquire) == TradingState::Halted as u8;
        !takes_risk || !(control.is_killed() || is_halted)
    }
}

/// The sink behind its gate.
pub(super) struct EgressStage<'a, Snk> {
    sink: Snk,
    /// What the sink has taken since the last flush.
    taken: Vec<Outbound>,
    durable: DurableGate,
    control: &'a Control,
    gate: &'a Gate,
    clock: RunClock,
    pub(super) egress: Stage,
    pub(super) tick_to_order: Stage,
    pub(super) withheld_count: u64,
}

impl<'a, Snk: CommandSink> EgressStage<'a, Snk> {
    pub(super) fn new(
        sink: Snk,
        durable: DurableGate,
        control: &'a Control,
        gate: &'a Gate,
        clock: RunClock,
    ) -> Self {
        Self {
            sink,
            taken: Vec::with_capacity(TOGETHER_MAX),
            durable,
            control,
            gate,
            clock,
            egress: Stage::new(),
            tick_to_order: Stage::new(),
            withheld_count: 0,
        }
    }

    /// Whether a command need not wait for durability any longer: it is durable, or it is a cancel that nothing may hold back, or
    /// it will be withheld anyway.
    #[inline]
    pub(super) fn is_ready(&self, outbound: &Outbound) -> bool {
        self.durable.passes(outbound.sequence)
            || self.durable.has_failed()
            || self.control.is_killed()
    }

    /// Once the kill flag is up: asks the venue to cancel everything, once. Called whenever egress looks for work, so that it needs
    /// no core that still moves. True when it did; a request that could not be sent is tried again at the next call.
    #[inline]
    pub(super) fn cancel_all_if_killed(&mut self) -> bool {
        self.control.is_killed() && self.cancel_all()
    }

    #[cold]
    fn cancel_all(&mut self) -> bool {
        if self.control.has_cancelled_all() || self.sink.cancel_all().is_err() {
            return false;
        }
        self.control.confirm_cancel_all();
        true
    }

    /// Asks for the durability of a command and of everything before it.
    pub(super) fn ask_for(&self, outbound: &Outbound) {
        self.durable.ask(outbound.sequence);
    }

    /// Gives one command to the sink or holds it back. What was held back is reported at once, what the sink took by `flush`.
    #[inline]
    pub(super) fn handle(&mut self, outbound: &Outbound) -> (Option<Event>, Option<PortError>) {
        let is_cancel = outbound.decision.kind() == Some(DecisionKind::CancelOrder);
        let is_journaled = is_cancel || self.durable.passes(outbound.sequence);
        if !is_journaled || !self.gate.passes(self.control, &outbound.decision) {
            return (Some(self.withhold(outbound)), None);
        }
        match self.sink.submit(outbound) {
            Ok(()) => {
                self.taken.push(*outbound);
                (None, None)
            }
            Err(error) => (Some(self.withhold(outbound)), Some(error)),
        }
    }

    /// Whether the sink has taken as much as may leave together.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.taken.len() >= TOGETHER_MAX
    }

    /// Lets leave what the sink took, and reports it. After an error too: part of it may have left.
    #[inline]
    pub(super) fn flush(&mut self, report: impl FnMut(Event)) -> Option<PortError> {
        if self.taken.is_empty() {
            return None;
        }
        let flushed = self.sink.flush();
        self.confirm_taken(report);
        flushed.err()
    }

    /// Reports what the sink took as sent, without asking a sink that can no longer be asked.
    #[inline]
    pub(super) fn confirm_taken(&mut self, mut report: impl FnMut(Event)) {
        let Some(newest) = self.taken.last() else {
            return;
        };
        let now_ns = self.now_ns(newest);
        let mut taken = std::mem::take(&mut self.taken);
        for outbound in &taken {
            report(self.confirm(outbound, now_ns));
        }
        taken.clear();
        self.taken = taken;
    }

    #[inline]
    fn confirm(&mut self, outbound: &Outbound, now_ns: i64) -> Event {
        let ts_egress_ns = if self.clock.is_event_time() {
            outbound.ts_decided_ns
        } else {
            now_ns
        };
        let mut body = CommandSent {
            sequence: outbound.sequence,
            client_order_id: outbound.decision.client_order_id,
            ts_egress_ns,
            ts_cause_ingress_ns: outbound.ts_cause_ingress_ns,
            ..CommandSent::default()
        };
        if !self.clock.is_event_time() {
            body.decided_before_ns = before_ns(outbound.ts_decided_ns, ts_egress_ns);
            body.published_before_ns = before_ns(outbound.ts_published_ns, ts_egress_ns);
            self.egress.record(outbound.ts_decided_ns, ts_egress_ns);
            self.tick_to_order
                .record(outbound.ts_cause_ingress_ns, ts_egress_ns);
        }
        report(EventKind::CommandSent, 0, outbound, ts_egress_ns, &body)
    }

    /// The report of a command that certainly did not leave.
    pub(super) fn withhold(&mut self, outbound: &Outbound) -> Event {
        self.withheld_count += 1;
        let kind = match outbound.decision.kind() {
            Some(DecisionKind::CancelOrder) => EventKind::CancelRejected,
            _ => EventKind::OrderRejected,
        };
        let body = OrderReport {
            client_order_id: outbound.decision.client_order_id,
            venue_order_id: 0,
            reserved: [0; 3],
        };
        let now_ns = self.now_ns(outbound);
        report(kind, ReportReason::Withheld as u8, outbound, now_ns, &body)
    }

    fn now_ns(&self, outbound: &Outbound) -> i64 {
        if self.clock.is_event_time() {
            outbound.ts_decided_ns
        } else {
            self.clock.real_ns()
        }
    }
}

fn report<B: IntoBytes + Immutable>(
    kind: EventKind,
    detail: u8,
    outbound: &Outbound,
    now_ns: i64,
    body: &B,
) -> Event {
    Event::new(kind, outbound.decision.instrument_id())
        .at(0, now_ns)
        .with_flags(flags::TS_MISSING)
        .with_detail(detail)
        .with_body(body)
}
