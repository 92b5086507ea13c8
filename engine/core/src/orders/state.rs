//! The lifecycle of an order as data; the same table stands as text in the head of `orders`.

/// Where an order is in its life. The number is stable and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderState {
    /// Decided; the venue has not answered.
    PendingNew = 1,
    /// Resting at the venue.
    Working = 2,
    /// Traded in part, the rest is resting.
    PartiallyFilled = 3,
    /// We asked for the cancel; the venue has not answered.
    PendingCancel = 4,
    /// Traded in full. Final.
    Filled = 5,
    /// Left the book before it was filled. Final.
    Cancelled = 6,
    /// Refused by the venue. Final.
    Rejected = 7,
}

/// How many states there are: rows of the table.
pub const ORDER_STATES: usize = 7;

impl OrderState {
    /// Every state, in the order of its code.
    pub const ALL: [Self; ORDER_STATES] = [
        Self::PendingNew,
        Self::Working,
        Self::PartiallyFilled,
        Self::PendingCancel,
        Self::Filled,
        Self::Cancelled,
        Self::Rejected,
    ];

    /// The state with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        if code == 0 || code as usize > ORDER_STATES {
            return None;
        }
        Some(Self::ALL[code as usize - 1])
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingNew => "PendingNew",
            Self::Working => "Working",
            Self::PartiallyFilled => "PartiallyFilled",
            Self::PendingCancel => "PendingCancel",
            Self::Filled => "Filled",
            Self::Cancelled => "Cancelled",
            Self::Rejected => "Rejected",
        }
    }

    /// True while the order may still trade.
    pub const fn is_open(self) -> bool {
        !self.is_final()
    }

    /// True when nothing can move it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Filled | Self::Cancelled | Self::Rejected)
    }

    /// What the table says about a signal in this state.
    pub const fn on(self, signal: OrderSignal) -> Transition {
        TRANSITIONS[self as usize - 1][signal as usize - 1]
    }
}

/// What can happen to an order. The number is stable and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderSignal {
    /// The venue acknowledged it.
    Accept = 1,
    /// The venue refused it.
    Reject = 2,
    /// It traded and something is left.
    FillPart = 3,
    /// It traded and nothing is left.
    FillWhole = 4,
    /// We asked the venue to cancel it.
    RequestCancel = 5,
    /// It left the book.
    Cancel = 6,
    /// The venue refused to cancel it.
    CancelReject = 7,
}

/// How many signals there are: columns of the table.
pub const ORDER_SIGNALS: usize = 7;

impl OrderSignal {
    /// Every signal, in the order of its code.
    pub const ALL: [Self; ORDER_SIGNALS] = [
        Self::Accept,
        Self::Reject,
        Self::FillPart,
        Self::FillWhole,
        Self::RequestCancel,
        Self::Cancel,
        Self::CancelReject,
    ];

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::Reject => "Reject",
            Self::FillPart => "FillPart",
            Self::FillWhole => "FillWhole",
            Self::RequestCancel => "RequestCancel",
            Self::Cancel => "Cancel",
            Self::CancelReject => "CancelReject",
        }
    }
}

/// What a signal does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The order moves (or stays where it is while its filled quantity grows).
    To(OrderState),
    /// Nothing moves: the report is late or repeated. Benign; counted.
    Stay,
    /// The signal moves the state beneath a pending cancel; if that ends, the order ends.
    Beneath,
    /// The cancel was refused: the state beneath is the state again.
    Back,
    /// No order of arrival explains it. Nothing moves; counted, for an alarm.
    Illegal,
}

/// The lifecycle: one row a state, one column a signal, both in the order of their codes.
pub const TRANSITIONS: [[Transition; ORDER_SIGNALS]; ORDER_STATES] = {
    use OrderState::{
        Cancelled, Filled, PartiallyFilled as Partial, PendingCancel, Rejected, Working,
    };
    use Transition::{Back, Beneath, Illegal, Stay, To};
    [
        // Accept, Reject, FillPart, FillWhole, RequestCancel, Cancel, CancelReject
        [
            To(Working),
            To(Rejected),
            To(Partial),
            To(Filled),
            To(PendingCancel),
            To(Cancelled),
            Stay,
        ],
        [
            Stay,
            To(Rejected),
            To(Partial),
            To(Filled),
            To(PendingCancel),
            To(Cancelled),
            Stay,
        ],
        [
            Stay,
            Illegal,
            To(Partial),
            To(Filled),
            To(PendingCancel),
            To(Cancelled),
            Stay,
        ],
        [
            Beneath,
            Beneath,
            Beneath,
            To(Filled),
            Stay,
            To(Cancelled),
            Back,
        ],
        [Stay, Illegal, Illegal, Illegal, Stay, Stay, Stay],
        [Stay, Illegal, Stay, Stay, Stay, Stay, Stay],
        [Stay, Stay, Illegal, Illegal, Stay, Stay, Stay],
    ]
};

const _: () = assert!(OrderState::PendingNew as usize == 1 && OrderSignal::Accept as usize == 1);
const _: () = assert!(OrderState::Rejected as usize == ORDER_STATES);
const _: () = assert!(OrderSignal::CancelReject as usize == ORDER_SIGNALS);
