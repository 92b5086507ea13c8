//! Kinds of messages, as a trader names them: what a stage's row is about, or what caused the command that it is about.

use acth_core::event::{Event, EventKind, flags};

/// What kind of message an input was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageKind {
    /// Changes of a book.
    Depth,
    /// A whole book.
    Snapshot,
    /// The best bid and offer.
    Bbo,
    /// A trade.
    Trade,
    /// A perpetual's mark price and next funding.
    MarkFunding,
    /// A book became syncing, live or stale.
    BookState,
    /// An order's acknowledgement, refusal or end.
    OrderReport,
    /// A fill.
    Fill,
    /// The report that a command left.
    Sent,
    /// The timer.
    Timer,
    /// An operator's word, or the runtime's own.
    Operator,
    /// A session opened or closed.
    Connection,
    /// A part of a model, or its promotion.
    Model,
    /// Funding, or a rate between currencies.
    Account,
}

impl MessageKind {
    /// The kind of an input; `None` for one that this version does not know.
    pub fn of(event: &Event) -> Option<Self> {
        Some(match EventKind::from_code(event.kind)? {
            EventKind::BookDelta if event.has(flags::SNAPSHOT) => Self::Snapshot,
            EventKind::BookDelta => Self::Depth,
            EventKind::Bbo => Self::Bbo,
            EventKind::Trade => Self::Trade,
            EventKind::MarkFunding => Self::MarkFunding,
            EventKind::BookStateChanged => Self::BookState,
            EventKind::OrderAccepted
            | EventKind::OrderRejected
            | EventKind::OrderCancelled
            | EventKind::CancelRejected => Self::OrderReport,
            EventKind::OrderFilled => Self::Fill,
            EventKind::CommandSent => Self::Sent,
            EventKind::TimerFired => Self::Timer,
            EventKind::OperatorCommanded => Self::Operator,
            EventKind::ConnectionChanged => Self::Connection,
            EventKind::ModelPart | EventKind::ModelPromoted => Self::Model,
            EventKind::FundingSettled | EventKind::RateChanged => Self::Account,
        })
    }

    /// True when the event is about an instrument and so about a venue.
    pub const fn has_instrument(self) -> bool {
        !matches!(
            self,
            Self::Timer | Self::Operator | Self::Connection | Self::Model | Self::Account
        )
    }

    /// The name used in tables, JSON and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::Snapshot => "snapshot",
            Self::Bbo => "bbo",
            Self::Trade => "trade",
            Self::MarkFunding => "mark_funding",
            Self::BookState => "book_state",
            Self::OrderReport => "order_report",
            Self::Fill => "fill",
            Self::Sent => "sent",
            Self::Timer => "timer",
            Self::Operator => "operator",
            Self::Connection => "connection",
            Self::Model => "model",
            Self::Account => "account",
        }
    }
}
