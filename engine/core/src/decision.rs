//! Decisions: what the core concluded from an input, 64 bytes each, journaled before anything acts on them.
//!
//! A decision that asks for something (`PlaceOrder`, `CancelOrder`) is a command and goes on to egress; the others
//! (`OrderDenied`, `TradingStateChanged`, `StateHashed`, `ModelChanged`) only enter the journal.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::{event::Side, instrument::InstrumentId};

/// What was decided. The number is the code on disk and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DecisionKind {
    /// A command: place an order.
    PlaceOrder = 1,
    /// A command: cancel an order.
    CancelOrder = 2,
    /// The risk gate refused an order; `verdict` says why.
    OrderDenied = 3,
    /// The hub became active, reducing or halted; `reason` says why.
    TradingStateChanged = 4,
    /// A hash of the state, taken at fixed places; `hash` holds it.
    StateHashed = 5,
    /// A model was promoted, or refused; `verdict` says which, `state` holds the slot and `hash` the model's hash.
    ModelChanged = 6,
    /// A policy drew an action (`Choice` of `agents`): `state` holds the action, `client_order_id` how many numbers were drawn
    /// before, `price` and `quantity` the probabilities of eight actions, 16 bits each, `signal_bits` the hash of what the
    /// model saw and `hash` that of the model.
    ActionChosen = 7,
    /// Capital was shared anew: `state` holds how many agents there are, `client_order_id`, `price`, `quantity` and
    /// `reference_price` their shares, 16 bits each, `signal_bits` the scale of earnings, `hash` the bits of the regret.
    SharesSet = 8,
    /// An edge of the correlation graph came (`state` 1) or went (0): `instrument` and `agent` are its ends, `price` the lag in
    /// ns by which the first is ahead, `signal_bits` the correlation.
    EdgeChanged = 9,
    /// The market's regime is another one: `state` holds it, `price`, `quantity`, `reference_price` and `signal_bits` the
    /// bits of the probabilities.
    RegimeChanged = 10,
}

impl DecisionKind {
    /// The kind with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::PlaceOrder,
            2 => Self::CancelOrder,
            3 => Self::OrderDenied,
            4 => Self::TradingStateChanged,
            5 => Self::StateHashed,
            6 => Self::ModelChanged,
            7 => Self::ActionChosen,
            8 => Self::SharesSet,
            9 => Self::EdgeChanged,
            10 => Self::RegimeChanged,
            _ => return None,
        })
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PlaceOrder => "PlaceOrder",
            Self::CancelOrder => "CancelOrder",
            Self::OrderDenied => "OrderDenied",
            Self::TradingStateChanged => "TradingStateChanged",
            Self::StateHashed => "StateHashed",
            Self::ModelChanged => "ModelChanged",
            Self::ActionChosen => "ActionChosen",
            Self::SharesSet => "SharesSet",
            Self::EdgeChanged => "EdgeChanged",
            Self::RegimeChanged => "RegimeChanged",
        }
    }
}

/// How an order's price is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderType {
    /// At this price or better.
    Limit = 1,
    /// At this price or better, and only as maker.
    PostOnly = 2,
}

impl OrderType {
    /// The type with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Limit),
            2 => Some(Self::PostOnly),
            _ => None,
        }
    }
}

/// How long an order stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TimeInForce {
    /// Until filled or cancelled.
    GoodTillCancelled = 1,
    /// What cannot trade at once is cancelled.
    ImmediateOrCancel = 2,
    /// All at once or nothing.
    FillOrKill = 3,
}

impl TimeInForce {
    /// The value with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::GoodTillCancelled),
            2 => Some(Self::ImmediateOrCancel),
            3 => Some(Self::FillOrKill),
            _ => None,
        }
    }
}

/// Our id of an order: hub id in the upper 16 bits, sequence of the deciding frame in the lower 48. A restart can
/// therefore never send one intent under two names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientOrderId(pub u64);

impl ClientOrderId {
    /// Bits of the sequence part.
    pub const SEQUENCE_BITS: u32 = 48;

    /// The id of the order decided at `sequence` by hub `hub_id`.
    pub const fn new(hub_id: u16, sequence: u64) -> Self {
        let mask = (1 << Self::SEQUENCE_BITS) - 1;
        Self(((hub_id as u64) << Self::SEQUENCE_BITS) | (sequence & mask))
    }

    /// The sequence of the frame that decided the order.
    pub const fn sequence(self) -> u64 {
        self.0 & ((1 << Self::SEQUENCE_BITS) - 1)
    }
}

/// One decision, 64 bytes. Fields that a kind does not use are zero.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
#[repr(C)]
pub struct Decision {
    /// Code of the `DecisionKind`.
    pub kind: u8,
    /// Code of the `Side`; 0 = does not apply.
    pub side: u8,
    /// Index of the instrument.
    pub instrument: u16,
    /// Number of the agent or strategy that wished it; 0 = the core itself.
    pub agent: u16,
    /// Code of the risk gate's `Denial`, or of the `ModelVerdict` for `ModelChanged`; 0 = passed.
    pub verdict: u16,
    /// Our id of the order; for a denied one the id that it would have had.
    pub client_order_id: u64,
    /// Price mantissa.
    pub price: i64,
    /// Quantity mantissa.
    pub quantity: i64,
    /// Code of the `OrderType`; 0 = does not apply.
    pub order_type: u8,
    /// Code of the `TimeInForce`; 0 = does not apply.
    pub time_in_force: u8,
    /// A small code for why: the strategy's own for orders, `StateReason` for trading states, `ModelOrigin` for models.
    pub reason: u16,
    /// Code of the `TradingState` for `TradingStateChanged`, the slot for `ModelChanged` (255 = none such); else 0.
    pub state: u8,
    /// Zero.
    pub reserved: [u8; 3],
    /// Price that the decision was judged against (mid of the moment), mantissa.
    pub reference_price: i64,
    /// Bits of the f64 signal that led to it, for explanation.
    pub signal_bits: u64,
    /// The hash of the state for `StateHashed`, of the model for `ModelChanged`; else 0.
    pub hash: u64,
}

/// Bytes of one decision.
pub const DECISION_BYTES: usize = 64;
const _: () = assert!(size_of::<Decision>() == DECISION_BYTES);
const _: () = assert!(core::mem::offset_of!(Decision, client_order_id) == 8);
const _: () = assert!(core::mem::offset_of!(Decision, order_type) == 32);
const _: () = assert!(core::mem::offset_of!(Decision, reference_price) == 40);

impl Decision {
    /// The kind, if the code has a meaning.
    pub const fn kind(&self) -> Option<DecisionKind> {
        DecisionKind::from_code(self.kind)
    }

    /// The side, if one applies.
    pub const fn side(&self) -> Option<Side> {
        Side::from_code(self.side)
    }

    /// True when egress must act on it.
    pub const fn is_command(&self) -> bool {
        self.kind == DecisionKind::PlaceOrder as u8 || self.kind == DecisionKind::CancelOrder as u8
    }

    /// Probability of each of eight actions in parts of 65,535, of an `ActionChosen`.
    pub const fn probabilities(&self) -> [u16; 8] {
        let (low, high) = (
            parts_of(self.price.cast_unsigned()),
            parts_of(self.quantity.cast_unsigned()),
        );
        [
            low[0], low[1], low[2], low[3], high[0], high[1], high[2], high[3],
        ]
    }

    /// Share of capital of each of sixteen agents in parts of 65,535, of a `SharesSet`.
    pub fn shares(&self) -> [u16; 16] {
        let words = [
            self.client_order_id,
            self.price.cast_unsigned(),
            self.quantity.cast_unsigned(),
            self.reference_price.cast_unsigned(),
        ];
        let mut shares = [0; 16];
        for (four, word) in shares.chunks_exact_mut(4).zip(words) {
            four.copy_from_slice(&parts_of(word));
        }
        shares
    }

    /// Probability of each regime, of a `RegimeChanged`.
    pub const fn regime_probabilities(&self) -> [f64; 4] {
        [
            f64::from_bits(self.price.cast_unsigned()),
            f64::from_bits(self.quantity.cast_unsigned()),
            f64::from_bits(self.reference_price.cast_unsigned()),
            f64::from_bits(self.signal_bits),
        ]
    }

    /// The instrument's index as a typed id.
    pub const fn instrument_id(&self) -> InstrumentId {
        InstrumentId(self.instrument)
    }
}

/// A word as four parts of 16 bits, the lowest first.
const fn parts_of(word: u64) -> [u16; 4] {
    [
        word as u16,
        (word >> 16) as u16,
        (word >> 32) as u16,
        (word >> 48) as u16,
    ]
}

/// A command on its way to a venue, with what egress must report back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outbound {
    /// Sequence of the decision in the journal.
    pub sequence: u64,
    /// `ts_ingress_ns` of the input that caused it.
    pub ts_cause_ingress_ns: i64,
    /// When the core thread had journaled the decision, ns since the Unix epoch.
    pub ts_decided_ns: i64,
    /// When the core was about to make the command visible to egress, ns since the Unix epoch; 0 = not stamped, as in event time.
    pub ts_published_ns: i64,
    /// The decision itself: `PlaceOrder` or `CancelOrder`.
    pub decision: Decision,
}

/// Most decisions that one input may lead to.
pub const DECISIONS_PER_INPUT_MAX: usize = 64;

/// The decisions of one input, in order, in a buffer that is never reallocated.
#[derive(Clone, Debug)]
pub struct Decisions {
    items: [Decision; DECISIONS_PER_INPUT_MAX],
    count: usize,
}

impl Default for Decisions {
    fn default() -> Self {
        Self::new()
    }
}

impl Decisions {
    /// An empty buffer.
    pub fn new() -> Self {
        Self {
            items: [Decision::default(); DECISIONS_PER_INPUT_MAX],
            count: 0,
        }
    }

    /// Forgets all; done before each input.
    pub fn clear(&mut self) {
        self.count = 0;
    }

    /// How many more fit.
    pub const fn room(&self) -> usize {
        DECISIONS_PER_INPUT_MAX - self.count
    }

    /// Adds one; false when the buffer is full and nothing was added.
    #[must_use]
    pub fn push(&mut self, decision: Decision) -> bool {
        if self.count == DECISIONS_PER_INPUT_MAX {
            return false;
        }
        self.items[self.count] = decision;
        self.count += 1;
        true
    }

    /// What was decided, in order.
    pub fn as_slice(&self) -> &[Decision] {
        &self.items[..self.count]
    }
}
