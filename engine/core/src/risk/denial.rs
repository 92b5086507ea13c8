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
    /// The agent's number is beyond the largest.
    UnknownAgent = 26,
    /// Nobody knows what the currency is worth.
    NoRate = 27,
    /// Too many orders and cancels in the last second.
    MessageRate = 28,
    /// Too many orders and cancels to the venue in the last second.
    VenueMessageRate = 29,
    /// Equity is too far below its value at the start of the day.
    DailyLoss = 30,
    /// The agent has lost too much since the start of the day.
    AgentLoss = 31,
    /// All positions netted would be too large.
    NetExposure = 32,
    /// All positions at the venue would be too large.
    VenueExposure = 33,
    /// All positions of the agent would be too large.
    AgentExposure = 34,
    /// The position in the base asset would be too large.
    Concentration = 35,
    /// The margin would exceed equity.
    Margin = 36,
}

impl Denial {
    /// Every verdict, in the order of its code.
    pub const ALL: [Self; 36] = [
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
        Self::UnknownAgent,
        Self::NoRate,
        Self::MessageRate,
        Self::VenueMessageRate,
        Self::DailyLoss,
        Self::AgentLoss,
        Self::NetExposure,
        Self::VenueExposure,
        Self::AgentExposure,
        Self::Concentration,
        Self::Margin,
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
            Self::UnknownAgent => "UnknownAgent",
            Self::NoRate => "NoRate",
            Self::MessageRate => "MessageRate",
            Self::VenueMessageRate => "VenueMessageRate",
            Self::DailyLoss => "DailyLoss",
            Self::AgentLoss => "AgentLoss",
            Self::NetExposure => "NetExposure",
            Self::VenueExposure => "VenueExposure",
            Self::AgentExposure => "AgentExposure",
            Self::Concentration => "Concentration",
            Self::Margin => "Margin",
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
            Self::UnknownAgent => "The agent's number is not one of 1 to 16.",
            Self::NoRate => "There is no rate from the instrument's currency to the account's.",
            Self::MessageRate => "Too many orders and cancels were sent within the last second.",
            Self::VenueMessageRate => {
                "Too many orders and cancels were sent to this venue within the last second."
            }
            Self::DailyLoss => {
                "Equity has fallen too far below its value at the start of the UTC day."
            }
            Self::AgentLoss => {
                "The agent has lost more than its share of equity since the start of the UTC day."
            }
            Self::NetExposure => {
                "All positions netted, open orders of that side and this order together exceed the allowed share of equity."
            }
            Self::VenueExposure => {
                "All positions and open orders at this venue and this order together exceed the allowed share of equity."
            }
            Self::AgentExposure => {
                "All positions and open orders of the agent and this order together exceed the allowed share of equity."
            }
            Self::Concentration => {
                "The base asset netted over all contracts, open orders of that side and this order exceed the allowed share of equity."
            }
            Self::Margin => {
                "The margin of all positions, open orders and this order together exceeds equity."
            }
        }
    }
}
