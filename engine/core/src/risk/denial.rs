//! Why the gate refused an order.

/// The verdicts. The number goes into the journal and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum Denial {
    /// The hub is halted.
    Halted = 1,
    /// Only reducing orders are allowed.
    Reducing = 2,
    /// The position would grow beyond its share of equity.
    PositionLimit = 3,
    /// The order is beyond its share of the largest position.
    OrderQuantity = 4,
    /// The order is too large in money.
    OrderNotional = 5,
    /// The price is too far from the reference.
    PriceCollar = 6,
    /// Too many orders in the last second.
    OrderRate = 7,
    /// Too many orders are open.
    OpenOrders = 8,
    /// The book is not live, too old or crossed.
    StaleBook = 9,
    /// The id was used before.
    DuplicateId = 10,
    /// The price is not a positive multiple of the tick.
    BadTick = 11,
    /// The quantity is not a positive multiple of the lot.
    BadLot = 12,
    /// The quantity is below the venue's smallest.
    BelowMinimum = 13,
    /// The loss at the stop is beyond its share of equity.
    OrderRisk = 14,
    /// It moves too much like what is held.
    CorrelationLimit = 15,
    /// Too little traded in 24 hours.
    VolumeTooLow = 16,
    /// All positions together would be too large.
    GrossExposure = 17,
    /// Equity is too far below its peak.
    Drawdown = 18,
    /// It would trade with our own resting order.
    OwnCross = 19,
    /// There is no reference price.
    NoReference = 20,
    /// An amount is beyond what the gate reckons with.
    Overflow = 21,
    /// No room for one more decision on this input.
    DecisionsFull = 22,
    /// The instrument is not on the list.
    UnknownInstrument = 23,
    /// Post-only and immediate at once.
    Contradiction = 24,
    /// A post-only order would trade at once.
    WouldTake = 25,
}

impl Denial {
    /// Every verdict, in the order of its code.
    pub const ALL: [Self; 25] = [
        Self::Halted,
        Self::Reducing,
        Self::PositionLimit,
        Self::OrderQuantity,
        Self::OrderNotional,
        Self::PriceCollar,
        Self::OrderRate,
        Self::OpenOrders,
        Self::StaleBook,
        Self::DuplicateId,
        Self::BadTick,
        Self::BadLot,
        Self::BelowMinimum,
        Self::OrderRisk,
        Self::CorrelationLimit,
        Self::VolumeTooLow,
        Self::GrossExposure,
        Self::Drawdown,
        Self::OwnCross,
        Self::NoReference,
        Self::Overflow,
        Self::DecisionsFull,
        Self::UnknownInstrument,
        Self::Contradiction,
        Self::WouldTake,
    ];

    /// The verdict with this code, if there is one.
    pub const fn from_code(code: u16) -> Option<Self> {
        if code == 0 || code as usize > Self::ALL.len() {
            return None;
        }
        Some(Self::ALL[code as usize - 1])
    }

    /// Its code in the journal.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Halted => "Halted",
            Self::Reducing => "Reducing",
            Self::PositionLimit => "PositionLimit",
            Self::OrderQuantity => "OrderQuantity",
            Self::OrderNotional => "OrderNotional",
            Self::PriceCollar => "PriceCollar",
            Self::OrderRate => "OrderRate",
            Self::OpenOrders => "OpenOrders",
            Self::StaleBook => "StaleBook",
            Self::DuplicateId => "DuplicateId",
            Self::BadTick => "BadTick",
            Self::BadLot => "BadLot",
            Self::BelowMinimum => "BelowMinimum",
            Self::OrderRisk => "OrderRisk",
            Self::CorrelationLimit => "CorrelationLimit",
            Self::VolumeTooLow => "VolumeTooLow",
            Self::GrossExposure => "GrossExposure",
            Self::Drawdown => "Drawdown",
            Self::OwnCross => "OwnCross",
            Self::NoReference => "NoReference",
            Self::Overflow => "Overflow",
            Self::DecisionsFull => "DecisionsFull",
            Self::UnknownInstrument => "UnknownInstrument",
            Self::Contradiction => "Contradiction",
            Self::WouldTake => "WouldTake",
        }
    }

    /// One sentence for people.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Halted => "The hub is halted: nothing may be placed.",
            Self::Reducing => {
                "The hub is reducing: only orders that shrink a position may be placed."
            }
            Self::PositionLimit => {
                "Position, open orders of that side and this order together exceed the allowed share of equity."
            }
            Self::OrderQuantity => "The order exceeds the allowed share of the largest position.",
            Self::OrderNotional => "The order's notional exceeds the largest allowed.",
            Self::PriceCollar => "The price is too far from our reference price.",
            Self::OrderRate => "Too many orders were placed within the last second.",
            Self::OpenOrders => "Too many orders are open, in the hub or in this instrument.",
            Self::StaleBook => "The book is not live, its quote is too old, or it is crossed.",
            Self::DuplicateId => "The client order id was used before.",
            Self::BadTick => "The price is not a positive multiple of the tick.",
            Self::BadLot => "The quantity is not a positive multiple of the lot.",
            Self::BelowMinimum => "The quantity is below the smallest that the venue takes.",
            Self::OrderRisk => "The loss at the assumed stop exceeds the allowed share of equity.",
            Self::CorrelationLimit => {
                "The instrument moves too much like the positions already held."
            }
            Self::VolumeTooLow => "Too little was traded in the last 24 hours.",
            Self::GrossExposure => {
                "All positions, open orders and this order together exceed the allowed share of equity."
            }
            Self::Drawdown => "Equity has fallen too far below its peak.",
            Self::OwnCross => "The order would trade with our own resting order.",
            Self::NoReference => "There is no reference price to judge the order by.",
            Self::Overflow => "An amount is larger than the gate reckons with.",
            Self::DecisionsFull => "There is no room for another decision on this input.",
            Self::UnknownInstrument => "The instrument is not on the hub's list.",
            Self::Contradiction => "An order cannot be post-only and immediate at once.",
            Self::WouldTake => "The post-only order would trade at once.",
        }
    }
}
