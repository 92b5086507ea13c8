//! Events: facts that happened, in the past tense, 64 bytes each.
//!
//! An `Event` is what a source decodes into a ring slot, what the journal stores and what the core applies: the same
//! 64 bytes in all three places. A 24-byte header is followed by a 40-byte body whose layout the kind decides.
//!
//! Invariant: codes are explicit and never reused; reserved bytes are zero; `Event::check` refuses anything else.

mod account;
mod check;
mod decode_code;
mod kind;
mod model;
mod operator;
mod sent;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub use self::check::EventError;
pub use self::{
    account::{FUNDING_RATE_EXPONENT, FundingSettled, MarkFunding, RateChanged},
    decode_code::{DECODE_CODE_MAX, DECODE_CODE_NONE, DECODE_NS_MAX, decode_code, decode_ns},
    kind::EventKind,
    model::{MODEL_PART_BYTES, ModelPart, ModelPromoted},
    operator::{OperatorAction, OperatorCommand, OperatorReason},
    sent::{CommandSent, before_ns},
};
use crate::instrument::InstrumentId;

/// Bits of `Event::flags`.
pub mod flags {
    /// The level belongs to a full snapshot, not to a change.
    pub const SNAPSHOT: u8 = 1 << 0;
    /// First part of a snapshot: forget the book first.
    pub const CLEAR: u8 = 1 << 1;
    /// Last event of one venue message: the book is consistent after it.
    pub const LAST: u8 = 1 << 2;
    /// The venue gave no time; `ts_venue_ns` is 0.
    pub const TS_MISSING: u8 = 1 << 3;
    /// The fill was passive: we were the maker.
    pub const MAKER: u8 = 1 << 4;
    /// All bits that have a meaning.
    pub const ALL: u8 = SNAPSHOT | CLEAR | LAST | TS_MISSING | MAKER;
}

/// Which side of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Side {
    /// Buyers.
    Bid = 1,
    /// Sellers.
    Ask = 2,
}

impl Side {
    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Bid => Self::Ask,
            Self::Ask => Self::Bid,
        }
    }

    /// +1 for a bid, -1 for an ask.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Bid => 1,
            Self::Ask => -1,
        }
    }

    /// The side with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Bid),
            2 => Some(Self::Ask),
            _ => None,
        }
    }
}

/// How far a book can be trusted; `detail` of a `BookStateChanged`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BookState {
    /// Waiting for a snapshot that fits the changes seen.
    Syncing = 1,
    /// Complete and current.
    Live = 2,
    /// A message is missing or wrong: nothing may be quoted from it.
    Stale = 3,
}

impl BookState {
    /// The state with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Syncing),
            2 => Some(Self::Live),
            3 => Some(Self::Stale),
            _ => None,
        }
    }
}

/// Why a book changed its state; `BookStateChanged::reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum BookStateReason {
    /// The first synchronisation of a session.
    Start = 1,
    /// Snapshot and changes joined without a gap.
    Synced = 2,
    /// An update id is missing.
    Gap = 3,
    /// Best bid at or above best ask.
    Crossed = 4,
    /// The connection was lost.
    Disconnected = 5,
    /// A message could not be decoded.
    Undecodable = 6,
}

/// Why a venue refused or ended an order; `detail` of order reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReportReason {
    /// No reason: the report is not a refusal.
    None = 0,
    /// We asked for it.
    Requested = 1,
    /// What an immediate-or-cancel order could not trade at once.
    ImmediateRemainder = 2,
    /// A post-only order would have taken liquidity.
    PostOnlyCross = 3,
    /// The venue does not know the order.
    UnknownOrder = 4,
    /// The order is already filled or cancelled.
    AlreadyDone = 5,
    /// Price not a multiple of the tick, or quantity not of the lot.
    BadIncrement = 6,
    /// No book to trade against.
    NoMarket = 7,
    /// A fill-or-kill order could not be filled whole.
    FillOrKill = 8,
    /// The venue's table of open orders is full.
    TooManyOrders = 9,
    /// The client order id was used before.
    DuplicateId = 10,
    /// It never left: our own egress held it back, or could not hand it over.
    Withheld = 11,
}

impl ReportReason {
    /// The reason with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::None,
            1 => Self::Requested,
            2 => Self::ImmediateRemainder,
            3 => Self::PostOnlyCross,
            4 => Self::UnknownOrder,
            5 => Self::AlreadyDone,
            6 => Self::BadIncrement,
            7 => Self::NoMarket,
            8 => Self::FillOrKill,
            9 => Self::TooManyOrders,
            10 => Self::DuplicateId,
            11 => Self::Withheld,
            _ => return None,
        })
    }
}

/// One event: 24 bytes of header, 40 of body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Event {
    /// Code of the `EventKind`; 0 in an empty slot.
    pub kind: u8,
    /// Bits of `flags`.
    pub flags: u8,
    /// Index of the instrument; 0 where none is meant.
    pub instrument: u16,
    /// Number of the connection or source that read it.
    pub source: u16,
    /// A small code whose meaning the kind decides (side, state, reason, level layout).
    pub detail: u8,
    /// How long after `ts_ingress_ns` the message was decoded, see `decode_code`; 0 = not stamped, as everything but market data is.
    pub decode_code: u8,
    /// The venue's own time of the fact, ns since the Unix epoch; 0 = unknown.
    pub ts_venue_ns: i64,
    /// When the bytes were read from the socket or file, ns since the Unix epoch.
    pub ts_ingress_ns: i64,
    /// The body, as words; see the typed views.
    pub body: [u64; 5],
}

/// Bytes of one event.
pub const EVENT_BYTES: usize = 64;
const _: () = assert!(size_of::<Event>() == EVENT_BYTES);
const _: () = assert!(core::mem::offset_of!(Event, ts_venue_ns) == 8);
const _: () = assert!(core::mem::offset_of!(Event, ts_ingress_ns) == 16);
const _: () = assert!(core::mem::offset_of!(Event, body) == 24);

/// A price and the quantity that stands there, both mantissas at the instrument's exponents; quantity 0 deletes.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Level {
    /// Price mantissa.
    pub price: i64,
    /// Quantity mantissa; never negative.
    pub quantity: i64,
}

/// Body of `EventKind::BookDelta`: one or two levels; `Event::detail` says how many and on which side each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BookDelta {
    /// The venue's update id after the message that this event is part of.
    pub update_id: u64,
    /// The levels; the second is zero when `detail` counts one.
    pub levels: [Level; 2],
}

/// Body of `EventKind::Bbo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Bbo {
    /// The best bid.
    pub bid: Level,
    /// The best ask.
    pub ask: Level,
    /// The venue's update id; counts in the same sequence as the book's; 0 = unknown.
    pub update_id: u64,
}

/// Body of `EventKind::Trade`; `Event::detail` holds the aggressor's `Side` code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Trade {
    /// Price mantissa.
    pub price: i64,
    /// Quantity mantissa.
    pub quantity: i64,
    /// The venue's (first) trade id.
    pub trade_id: u64,
    /// The last trade id of an aggregate; equal to `trade_id` for a single trade.
    pub trade_id_final: u64,
    /// Zero.
    pub reserved: u64,
}

/// Body of `EventKind::BookStateChanged`; `Event::detail` holds the `BookState` code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct BookStateChanged {
    /// Code of the `BookStateReason`.
    pub reason: u64,
    /// The update id that was expected; 0 = does not apply.
    pub expected_id: u64,
    /// The update id that came; 0 = does not apply.
    pub received_id: u64,
    /// Zero.
    pub reserved: [u64; 2],
}

/// Body of the order reports without a fill; `Event::detail` holds the `ReportReason` code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct OrderReport {
    /// Our id of the order.
    pub client_order_id: u64,
    /// The venue's id of the order; 0 = none.
    pub venue_order_id: u64,
    /// Zero.
    pub reserved: [u64; 3],
}

/// Body of `EventKind::OrderFilled`; `flags::MAKER` says whether we made or took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct OrderFilled {
    /// Our id of the order.
    pub client_order_id: u64,
    /// Price mantissa.
    pub price: i64,
    /// Quantity mantissa of this fill.
    pub quantity: i64,
    /// Fee in quote currency, 10^-8 units; negative = rebate.
    pub fee: i64,
    /// The venue's id of this fill; unique per instrument.
    pub execution_id: u64,
}

/// Body of `EventKind::TimerFired`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct TimerFired {
    /// When it was due, ns since the Unix epoch.
    pub ts_due_ns: i64,
    /// Its period.
    pub interval_ns: i64,
    /// How often it has fired, this time included.
    pub count: u64,
    /// Zero.
    pub reserved: [u64; 2],
}

/// Body of `EventKind::ConnectionChanged`: nothing beyond `Event::detail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Plain {
    /// Zero.
    pub reserved: [u64; 5],
}

const _: () = assert!(size_of::<BookDelta>() == 40);
const _: () = assert!(size_of::<Bbo>() == 40);
const _: () = assert!(size_of::<Trade>() == 40);
const _: () = assert!(size_of::<BookStateChanged>() == 40);
const _: () = assert!(size_of::<OrderReport>() == 40);
const _: () = assert!(size_of::<OrderFilled>() == 40);
const _: () = assert!(size_of::<TimerFired>() == 40);
const _: () = assert!(size_of::<Plain>() == 40);

/// Bit layout of `Event::detail` for a `BookDelta`.
mod delta_detail {
    /// Low bits: how many levels.
    pub(super) const COUNT_MASK: u8 = 0b11;
    /// Set when the first level is an ask.
    pub(super) const FIRST_ASK: u8 = 1 << 2;
    /// Set when the second level is an ask.
    pub(super) const SECOND_ASK: u8 = 1 << 3;
    /// All bits that have a meaning.
    pub(super) const ALL: u8 = COUNT_MASK | FIRST_ASK | SECOND_ASK;
}

/// An event with its body read by kind.
#[derive(Clone, Copy, Debug)]
pub enum EventView<'a> {
    /// See `EventKind::BookDelta`.
    BookDelta(&'a BookDelta),
    /// See `EventKind::Bbo`.
    Bbo(&'a Bbo),
    /// See `EventKind::Trade`.
    Trade(&'a Trade),
    /// See `EventKind::BookStateChanged`.
    BookStateChanged(&'a BookStateChanged),
    /// See `EventKind::OrderAccepted`.
    OrderAccepted(&'a OrderReport),
    /// See `EventKind::OrderRejected`.
    OrderRejected(&'a OrderReport),
    /// See `EventKind::OrderFilled`.
    OrderFilled(&'a OrderFilled),
    /// See `EventKind::OrderCancelled`.
    OrderCancelled(&'a OrderReport),
    /// See `EventKind::CancelRejected`.
    CancelRejected(&'a OrderReport),
    /// See `EventKind::CommandSent`.
    CommandSent(&'a CommandSent),
    /// See `EventKind::TimerFired`.
    TimerFired(&'a TimerFired),
    /// See `EventKind::OperatorCommanded`; `None` for a code that this version does not know.
    OperatorCommanded {
        /// What is to be done.
        action: Option<OperatorAction>,
        /// Why.
        reason: Option<OperatorReason>,
    },
    /// See `EventKind::ConnectionChanged`; true = open.
    ConnectionChanged(bool),
    /// See `EventKind::ModelPart`.
    ModelPart(&'a ModelPart),
    /// See `EventKind::ModelPromoted`.
    ModelPromoted(&'a ModelPromoted),
    /// See `EventKind::FundingSettled`.
    FundingSettled(&'a FundingSettled),
    /// See `EventKind::RateChanged`.
    RateChanged(&'a RateChanged),
    /// See `EventKind::MarkFunding`.
    MarkFunding(&'a MarkFunding),
    /// A kind that this version does not know.
    Unknown(u8),
}

impl Event {
    /// An empty slot: all zero.
    pub const EMPTY: Self = Self {
        kind: 0,
        flags: 0,
        instrument: 0,
        source: 0,
        detail: 0,
        decode_code: DECODE_CODE_NONE,
        ts_venue_ns: 0,
        ts_ingress_ns: 0,
        body: [0; 5],
    };

    /// An event of `kind` about `instrument` with an empty body.
    pub const fn new(kind: EventKind, instrument: InstrumentId) -> Self {
        let mut event = Self::EMPTY;
        event.kind = kind as u8;
        event.instrument = instrument.0;
        event
    }

    /// Sets both stamps; the rest stays.
    #[must_use]
    pub const fn at(mut self, ts_venue_ns: i64, ts_ingress_ns: i64) -> Self {
        self.ts_venue_ns = ts_venue_ns;
        self.ts_ingress_ns = ts_ingress_ns;
        self
    }

    /// Sets flag bits; the rest stays.
    #[must_use]
    pub const fn with_flags(mut self, bits: u8) -> Self {
        self.flags |= bits;
        self
    }

    /// Sets the small code; the rest stays.
    #[must_use]
    pub const fn with_detail(mut self, detail: u8) -> Self {
        self.detail = detail;
        self
    }

    /// Sets the code of the time that decoding took; the rest stays.
    #[must_use]
    pub const fn with_decode_code(mut self, code: u8) -> Self {
        self.decode_code = code;
        self
    }

    /// Sets the body; the rest stays.
    #[must_use]
    pub fn with_body<B: IntoBytes + Immutable>(mut self, body: &B) -> Self {
        self.body = body_words(body);
        self
    }

    /// A book change of one or two levels. `levels` beyond the second are a caller's bug and are refused in debug.
    pub fn book_delta(instrument: InstrumentId, update_id: u64, levels: &[(Side, Level)]) -> Self {
        debug_assert!(
            matches!(levels.len(), 1 | 2),
            "a book delta holds one or two levels"
        );
        let mut event = Self::new(EventKind::BookDelta, instrument);
        let mut body = BookDelta {
            update_id,
            levels: [Level::default(); 2],
        };
        let mut detail = levels.len() as u8;
        for (index, (side, level)) in levels.iter().enumerate().take(2) {
            body.levels[index] = *level;
            if matches!(side, Side::Ask) {
                detail |= delta_detail::FIRST_ASK << index;
            }
        }
        event.detail = detail;
        event.with_body(&body)
    }

    /// The instrument's index as a typed id.
    pub const fn instrument_id(&self) -> InstrumentId {
        InstrumentId(self.instrument)
    }

    /// True when this flag bit is set.
    pub const fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// True for the kinds that carry market data.
    pub const fn is_market_data(&self) -> bool {
        self.kind == EventKind::BookDelta as u8
            || self.kind == EventKind::Bbo as u8
            || self.kind == EventKind::Trade as u8
            || self.kind == EventKind::MarkFunding as u8
    }

    /// True when this event ends a venue message that carries market data.
    pub const fn ends_market_message(&self) -> bool {
        self.kind == EventKind::Bbo as u8
            || self.kind == EventKind::Trade as u8
            || self.kind == EventKind::MarkFunding as u8
            || (self.kind == EventKind::BookDelta as u8 && self.has(flags::LAST))
    }

    /// How many levels a `BookDelta` holds, by its `detail`.
    pub const fn level_count(&self) -> usize {
        (self.detail & delta_detail::COUNT_MASK) as usize
    }

    /// Side of level `index` of a `BookDelta`, by its `detail`.
    pub const fn level_side(&self, index: usize) -> Side {
        if self.detail & (delta_detail::FIRST_ASK << index) != 0 {
            Side::Ask
        } else {
            Side::Bid
        }
    }

    /// The body read by kind.
    #[inline]
    pub fn view(&self) -> EventView<'_> {
        let body = &self.body;
        match EventKind::from_code(self.kind) {
            Some(EventKind::BookDelta) => EventView::BookDelta(zerocopy::transmute_ref!(body)),
            Some(EventKind::Bbo) => EventView::Bbo(zerocopy::transmute_ref!(body)),
            Some(EventKind::Trade) => EventView::Trade(zerocopy::transmute_ref!(body)),
            Some(EventKind::BookStateChanged) => {
                EventView::BookStateChanged(zerocopy::transmute_ref!(body))
            }
            Some(EventKind::OrderAccepted) => {
                EventView::OrderAccepted(zerocopy::transmute_ref!(body))
            }
            Some(EventKind::OrderRejected) => {
                EventView::OrderRejected(zerocopy::transmute_ref!(body))
            }
            Some(EventKind::OrderFilled) => EventView::OrderFilled(zerocopy::transmute_ref!(body)),
            Some(EventKind::OrderCancelled) => {
                EventView::OrderCancelled(zerocopy::transmute_ref!(body))
            }
            Some(EventKind::CancelRejected) => {
                EventView::CancelRejected(zerocopy::transmute_ref!(body))
            }
            Some(EventKind::CommandSent) => EventView::CommandSent(zerocopy::transmute_ref!(body)),
            Some(EventKind::TimerFired) => EventView::TimerFired(zerocopy::transmute_ref!(body)),
            Some(EventKind::OperatorCommanded) => {
                let command: &OperatorCommand = zerocopy::transmute_ref!(body);
                EventView::OperatorCommanded {
                    action: OperatorAction::from_code(self.detail),
                    reason: command.reason(),
                }
            }
            Some(EventKind::ConnectionChanged) => EventView::ConnectionChanged(self.detail == 1),
            Some(EventKind::ModelPart) => EventView::ModelPart(zerocopy::transmute_ref!(body)),
            Some(EventKind::ModelPromoted) => {
                EventView::ModelPromoted(zerocopy::transmute_ref!(body))
            }
            Some(EventKind::FundingSettled) => {
                EventView::FundingSettled(zerocopy::transmute_ref!(body))
            }
            Some(EventKind::RateChanged) => EventView::RateChanged(zerocopy::transmute_ref!(body)),
            Some(EventKind::MarkFunding) => EventView::MarkFunding(zerocopy::transmute_ref!(body)),
            None => EventView::Unknown(self.kind),
        }
    }
}

/// The five words of a body; bodies are asserted above to be exactly 40 bytes.
fn body_words<B: IntoBytes + Immutable>(body: &B) -> [u64; 5] {
    let mut words = [0u64; 5];
    words.as_mut_bytes().copy_from_slice(body.as_bytes());
    words
}
