//! The machine driven by frames, counting what it is fed.

use acth_core::{
    decision::{Decision, Decisions},
    event::{Event, EventKind},
};

use zerocopy::FromBytes;

use super::{ReplayError, comparer::Findings};
use crate::{
    frames::{self, FrameClass},
    journal::FrameView,
    machine::Machine,
};

/// The frames that hold changes of books.
const BOOK_DELTA_KIND: u16 = frames::input_kind(EventKind::BookDelta as u8);

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

    /// Applies an input, or passes a journaled decision on; `findings` is told everything to compare, in order.
    ///
    /// The input is applied where it stands in the journal's memory: each copy of its 64 bytes out of words that were just stored
    /// in other widths cost a stall, together a third of the time. The frame comes by value: a reference to it keeps its fields in
    /// memory.
    #[inline(always)]
    pub(super) fn take(
        &mut self,
        frame: FrameView<'_>,
        findings: &mut impl Findings,
    ) -> Result<(), ReplayError> {
        // Nine frames of ten, and the shortest way for them.
        if frame.kind == BOOK_DELTA_KIND
            && let Ok(event) = Event::ref_from_bytes(frame.payload)
            && event.is_sound_delta()
        {
            return self.apply_sound(frame, EventKind::BookDelta, event, findings);
        }
        match frames::classify(frame.kind) {
            FrameClass::Input(kind) => {
                let copy;
                let event = match Event::ref_from_bytes(frame.payload) {
                    Ok(event) => event,
                    // Of another length, or not at a multiple of eight, where it was not a journal's memory.
                    Err(_) => {
                        copy = Event::read_from_bytes(frame.payload)
                            .map_err(|_| payload_error(frame))?;
                        &copy
                    }
                };
                self.apply(frame, kind, event, findings)
            }
            FrameClass::Decision(kind) => match Decision::read_from_bytes(frame.payload) {
                Ok(decision) if decision.kind == kind as u8 => {
                    findings.journaled(frame.sequence, frame.cause, &decision)
                }
                _ => Err(payload_error(frame)),
            },
            FrameClass::Manifest => findings.run_started(),
            FrameClass::Unknown(kind) => Err(ReplayError::Kind {
                sequence: frame.sequence,
                kind,
            }),
        }
    }

    fn apply(
        &mut self,
        frame: FrameView<'_>,
        kind: EventKind,
        event: &Event,
        findings: &mut impl Findings,
    ) -> Result<(), ReplayError> {
        let sequence = frame.sequence;
        event
            .check()
            .map_err(|cause| ReplayError::Event { sequence, cause })?;
        if event.kind != kind as u8 {
            return Err(payload_error(frame));
        }
        self.apply_sound(frame, kind, event, findings)
    }

    /// Applies an event that was checked and is of its frame's kind.
    #[inline(always)]
    fn apply_sound(
        &mut self,
        frame: FrameView<'_>,
        kind: EventKind,
        event: &Event,
        findings: &mut impl Findings,
    ) -> Result<(), ReplayError> {
        let sequence = frame.sequence;
        self.count(event, kind);
        self.decisions.clear();
        self.machine
            .apply(sequence, frame.time_ns, event, &mut self.decisions);
        findings.input(sequence, frame.time_ns)?;
        for decision in self.decisions.as_slice() {
            findings.recomputed(decision)?;
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

#[cold]
fn payload_error(frame: FrameView<'_>) -> ReplayError {
    ReplayError::Payload {
        sequence: frame.sequence,
        kind: frame.kind,
    }
}
