//! The machine driven by items, counting what it is fed.

use acth_core::{
    decision::{Decision, Decisions},
    event::{Event, EventKind},
};

use super::{
    ReplayError,
    comparer::{Check, CheckKind},
    item::Item,
};
use crate::{
    frames::{self, FrameClass},
    machine::Machine,
};

pub(super) struct Player<M> {
    pub(super) machine: M,
    pub(super) events: u64,
    pub(super) market_messages: u64,
    pub(super) book_rows: u64,
    decisions: Decisions,
}

impl<M: Machine> Player<M> {
    pub(super) fn new(machine: M) -> Self {
        Self {
            machine,
            events: 0,
            market_messages: 0,
            book_rows: 0,
            decisions: Decisions::new(),
        }
    }

    /// Applies an input, or passes a journaled decision on; `emit` gets everything to compare, in order.
    #[inline]
    pub(super) fn take(
        &mut self,
        item: &Item,
        mut emit: impl FnMut(&Check) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        match frames::classify(item.kind) {
            FrameClass::Input(kind) => self.apply(item, kind, emit),
            FrameClass::Decision(kind) => {
                let decision: Decision = zerocopy::transmute!(item.payload);
                if decision.kind != kind as u8 {
                    return Err(payload_error(item));
                }
                emit(&Check {
                    kind: CheckKind::Journaled,
                    sequence: item.sequence,
                    cause: item.cause,
                    time_ns: item.time_ns,
                    decision,
                })
            }
            FrameClass::Manifest => emit(&Check {
                kind: CheckKind::RunStarted,
                sequence: item.sequence,
                ..Check::EMPTY
            }),
            FrameClass::Unknown(_) => Err(payload_error(item)),
        }
    }

    #[inline]
    fn apply(
        &mut self,
        item: &Item,
        kind: EventKind,
        mut emit: impl FnMut(&Check) -> Result<(), ReplayError>,
    ) -> Result<(), ReplayError> {
        let event: Event = zerocopy::transmute!(item.payload);
        let sequence = item.sequence;
        event
            .check()
            .map_err(|cause| ReplayError::Event { sequence, cause })?;
        if event.kind != kind as u8 {
            return Err(payload_error(item));
        }
        self.count(&event, kind);
        self.decisions.clear();
        self.machine
            .apply(sequence, item.time_ns, &event, &mut self.decisions);
        emit(&Check {
            kind: CheckKind::Input,
            sequence,
            time_ns: item.time_ns,
            ..Check::EMPTY
        })?;
        for (decided, decision) in (sequence + 1..).zip(self.decisions.as_slice()) {
            emit(&Check {
                kind: CheckKind::Recomputed,
                sequence: decided,
                cause: sequence,
                time_ns: item.time_ns,
                decision: *decision,
            })?;
        }
        Ok(())
    }

    #[inline]
    fn count(&mut self, event: &Event, kind: EventKind) {
        self.events += 1;
        self.market_messages += u64::from(event.ends_market_message());
        self.book_rows += match kind {
            EventKind::BookDelta => event.level_count() as u64,
            EventKind::Bbo => 2,
            EventKind::Trade => 1,
            _ => 0,
        };
    }
}

fn payload_error(item: &Item) -> ReplayError {
    ReplayError::Payload {
        sequence: item.sequence,
        kind: item.kind,
    }
}
