//! What the columns are read from: a frame with its payload decoded and its instrument looked up.

use acth_core::{
    decision::{Decision, DecisionKind},
    event::{Bbo, BookDelta, BookStateChanged, CommandSent, Event, EventKind, Level, OrderFilled},
    event::{
        FundingSettled, MarkFunding, ModelPart, ModelPromoted, OperatorCommand, OrderReport,
        RateChanged, TimerFired, Trade,
    },
    instrument::{Instrument, Instruments},
};
use acth_engine::{
    frames::{FrameClass, classify},
    manifest::RunManifest,
};
use acth_journal::Frame;
use zerocopy::{FromBytes, IntoBytes};

use crate::{found::found_fields, tables};

/// A frame as the columns see it.
pub(crate) struct Row<'a> {
    /// The frame itself.
    pub(crate) frame: Frame<'a>,
    /// Its event; empty for other frames.
    pub(crate) event: Event,
    /// Its decision; empty for other frames.
    pub(crate) decision: Decision,
    /// What a decision of the network of agents beside its orders holds, as JSON; `decision` then has its kind alone.
    pub(crate) found: Option<String>,
    /// Its manifest, if it is one that this version reads.
    pub(crate) manifest: Option<Box<RunManifest>>,
    /// The instrument that it is about, as far as it is about one of the table.
    pub(crate) instrument: Option<&'a Instrument>,
    /// The level at hand.
    pub(crate) level: usize,
    /// Index of its table; `None` for a frame that this version does not know.
    pub(crate) table: Option<usize>,
}

impl<'a> Row<'a> {
    /// Decodes a frame.
    pub(crate) fn of(frame: Frame<'a>, instruments: Option<&'a Instruments>) -> Self {
        let mut row = Self {
            frame,
            event: Event::EMPTY,
            decision: Decision::default(),
            found: None,
            manifest: None,
            instrument: None,
            level: 0,
            table: None,
        };
        row.table = row.decode();
        let id = match classify(frame.kind) {
            FrameClass::Input(_) => Some(row.event.instrument_id()),
            FrameClass::Decision(_) if row.is_about_order() => Some(row.decision.instrument_id()),
            _ => None,
        };
        row.instrument = id.and_then(|id| instruments?.get(id));
        row
    }

    /// Reads the payload and says which table the frame belongs to.
    fn decode(&mut self) -> Option<usize> {
        match classify(self.frame.kind) {
            FrameClass::Input(kind) => {
                let event = Event::read_from_bytes(self.frame.payload).ok()?;
                // A frame whose own kind is another than its event's cannot be read by either.
                (event.kind == kind as u8).then_some(())?;
                self.event = event;
                Some(event_table(kind))
            }
            FrameClass::Decision(kind) => {
                let decision = Decision::read_from_bytes(self.frame.payload).ok()?;
                (decision.kind == kind as u8).then_some(())?;
                self.decision = decision;
                if let Some(fields) = found_fields(&decision) {
                    self.found = Some(serde_json::Value::Object(fields).to_string());
                    self.decision = Decision {
                        kind: decision.kind,
                        ..Decision::default()
                    };
                }
                Some(tables::DECISION)
            }
            FrameClass::Manifest => {
                self.manifest = RunManifest::from_bytes(self.frame.payload)
                    .ok()
                    .map(Box::new);
                Some(tables::RUN)
            }
            FrameClass::Unknown(_) => None,
        }
    }

    /// How many rows the frame makes.
    pub(crate) fn rows(&self) -> usize {
        match (self.table, classify(self.frame.kind)) {
            (None, _) => 0,
            (_, FrameClass::Input(EventKind::BookDelta)) => self.event.level_count().min(2),
            _ => 1,
        }
    }

    /// True when the decision concerns an order, so that it is about an instrument.
    pub(crate) fn is_about_order(&self) -> bool {
        matches!(
            self.decision.kind(),
            Some(DecisionKind::PlaceOrder | DecisionKind::CancelOrder | DecisionKind::OrderDenied)
        )
    }

    /// The level at hand of a book delta.
    pub(crate) fn book_level(&self) -> Level {
        let delta: BookDelta = self.body();
        delta.levels[self.level.min(1)]
    }

    /// The body as a `BookDelta`.
    pub(crate) fn delta(&self) -> BookDelta {
        self.body()
    }

    /// The body as a `Bbo`.
    pub(crate) fn bbo(&self) -> Bbo {
        self.body()
    }

    /// The body as a `Trade`.
    pub(crate) fn trade(&self) -> Trade {
        self.body()
    }

    /// The body as a `BookStateChanged`.
    pub(crate) fn book_state(&self) -> BookStateChanged {
        self.body()
    }

    /// The body as an `OrderReport`.
    pub(crate) fn report(&self) -> OrderReport {
        self.body()
    }

    /// The body as an `OrderFilled`.
    pub(crate) fn fill(&self) -> OrderFilled {
        self.body()
    }

    /// The body as a `CommandSent`.
    pub(crate) fn sent(&self) -> CommandSent {
        self.body()
    }

    /// The body as a `TimerFired`.
    pub(crate) fn timer(&self) -> TimerFired {
        self.body()
    }

    /// The body as an `OperatorCommand`.
    pub(crate) fn operator(&self) -> OperatorCommand {
        self.body()
    }

    /// The body as a `ModelPart`.
    pub(crate) fn model_part(&self) -> ModelPart {
        self.body()
    }

    /// The body as a `ModelPromoted`.
    pub(crate) fn model_promoted(&self) -> ModelPromoted {
        self.body()
    }

    /// The body as a `FundingSettled`.
    pub(crate) fn funding(&self) -> FundingSettled {
        self.body()
    }

    /// The body as a `MarkFunding`.
    pub(crate) fn announced(&self) -> MarkFunding {
        self.body()
    }

    /// The body as a `RateChanged`.
    pub(crate) fn rate(&self) -> RateChanged {
        self.body()
    }

    fn body<B: FromBytes>(&self) -> B {
        // All bodies have 40 bytes (asserted where they are defined), so the fallback is never taken.
        B::read_from_bytes(self.event.body.as_bytes()).unwrap_or_else(|_| B::new_zeroed())
    }
}

const fn event_table(kind: EventKind) -> usize {
    match kind {
        EventKind::BookDelta => tables::BOOK_DELTA,
        EventKind::Bbo => tables::BBO,
        EventKind::Trade => tables::TRADE,
        EventKind::BookStateChanged => tables::BOOK_STATE,
        EventKind::OrderAccepted
        | EventKind::OrderRejected
        | EventKind::OrderCancelled
        | EventKind::CancelRejected => tables::ORDER_REPORT,
        EventKind::OrderFilled => tables::ORDER_FILLED,
        EventKind::CommandSent => tables::COMMAND_SENT,
        EventKind::TimerFired => tables::TIMER,
        EventKind::OperatorCommanded => tables::OPERATOR,
        EventKind::ConnectionChanged => tables::CONNECTION,
        EventKind::ModelPart => tables::MODEL_PART,
        EventKind::ModelPromoted => tables::MODEL_PROMOTED,
        EventKind::FundingSettled => tables::FUNDING,
        EventKind::RateChanged => tables::RATE,
        EventKind::MarkFunding => tables::MARK_FUNDING,
    }
}
