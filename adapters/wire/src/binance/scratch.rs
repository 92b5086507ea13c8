//! What the scanner and the general parser leave behind, and the message made of it.
//!
//! Invariant: the lists of levels are allocated once, with room for the largest message; a hot message allocates
//! nothing.

use acth_core::{
    event::{Bbo, Level, MarkFunding, Side, Trade},
    instrument::InstrumentId,
};

use super::{
    LEVELS_PER_MESSAGE_MAX, Market,
    message::{Depth, Message, Snapshot},
    symbols::{Symbol, Symbols},
};

/// What a decoder knows before it sees a frame.
pub(super) struct Context<'a> {
    pub(super) market: Market,
    pub(super) symbols: &'a Symbols,
    /// The symbol that unnamed snapshots are of.
    pub(super) snapshot: Option<Symbol>,
}

/// The levels and the text of one message.
pub(super) struct Scratch {
    pub(super) bids: Vec<Level>,
    pub(super) asks: Vec<Level>,
    pub(super) text: String,
}

/// A message without what lies in the scratch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Parsed {
    Depth {
        instrument: InstrumentId,
        first_id: u64,
        final_id: u64,
        previous_id: Option<u64>,
        ts_venue_ns: i64,
    },
    Bbo {
        instrument: InstrumentId,
        bbo: Bbo,
        ts_venue_ns: i64,
    },
    Trade {
        instrument: InstrumentId,
        aggressor: Side,
        trade: Trade,
        ts_venue_ns: i64,
    },
    MarkFunding {
        instrument: InstrumentId,
        announced: MarkFunding,
        ts_venue_ns: i64,
    },
    Snapshot {
        instrument: InstrumentId,
        last_update_id: u64,
        ts_venue_ns: i64,
    },
    Ack {
        id: Option<u64>,
    },
    VenueError {
        id: Option<u64>,
        code: i64,
    },
    ServerShutdown,
    Ignored,
    Unknown,
}

impl Parsed {
    /// True for the messages that the scanner is meant to read.
    pub(super) const fn is_scannable(&self) -> bool {
        matches!(
            self,
            Self::Depth { .. }
                | Self::Bbo { .. }
                | Self::Trade { .. }
                | Self::MarkFunding { .. }
                | Self::Snapshot { .. }
        )
    }
}

impl Scratch {
    pub(super) fn new() -> Self {
        Self {
            bids: Vec::with_capacity(LEVELS_PER_MESSAGE_MAX),
            asks: Vec::with_capacity(LEVELS_PER_MESSAGE_MAX),
            text: String::new(),
        }
    }

    /// Joins a parsed message with its levels or text.
    #[inline]
    pub(super) fn message(&self, parsed: Parsed) -> Message<'_> {
        match parsed {
            Parsed::Depth {
                instrument,
                first_id,
                final_id,
                previous_id,
                ts_venue_ns,
            } => Message::Depth(Depth {
                instrument,
                first_id,
                final_id,
                previous_id,
                ts_venue_ns,
                bids: &self.bids,
                asks: &self.asks,
            }),
            Parsed::Bbo {
                instrument,
                bbo,
                ts_venue_ns,
            } => Message::Bbo {
                instrument,
                bbo,
                ts_venue_ns,
            },
            Parsed::Trade {
                instrument,
                aggressor,
                trade,
                ts_venue_ns,
            } => Message::Trade {
                instrument,
                aggressor,
                trade,
                ts_venue_ns,
            },
            Parsed::MarkFunding {
                instrument,
                announced,
                ts_venue_ns,
            } => Message::MarkFunding {
                instrument,
                announced,
                ts_venue_ns,
            },
            Parsed::Snapshot {
                instrument,
                last_update_id,
                ts_venue_ns,
            } => Message::Snapshot(self.snapshot(instrument, last_update_id, ts_venue_ns)),
            Parsed::Ack { id } => Message::Ack { id },
            Parsed::VenueError { id, code } => Message::VenueError {
                id,
                code,
                text: &self.text,
            },
            Parsed::ServerShutdown => Message::ServerShutdown,
            Parsed::Ignored => Message::Ignored,
            Parsed::Unknown => Message::Unknown,
        }
    }

    /// A snapshot of the levels in the scratch.
    pub(super) fn snapshot(
        &self,
        instrument: InstrumentId,
        last_update_id: u64,
        ts_venue_ns: i64,
    ) -> Snapshot<'_> {
        Snapshot {
            instrument,
            last_update_id,
            ts_venue_ns,
            bids: &self.bids,
            asks: &self.asks,
        }
    }
}

/// True when a depth message on this stream is a change of the book. Partial books (`@depth20`) and the book with
/// retail orders (`@rpiDepth`) come under the same event name but must not be applied as changes. An empty name means a
/// raw socket, where the subscriber knows what he asked for.
#[inline]
pub(super) fn is_change_stream(stream: &[u8]) -> bool {
    let Some(at) = stream.iter().position(|&byte| byte == b'@') else {
        return stream.is_empty();
    };
    match stream[at..].strip_prefix(b"@depth") {
        Some(rest) => rest.is_empty() || rest[0] == b'@',
        None => false,
    }
}
