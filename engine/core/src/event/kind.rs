//! The kinds of events and their codes on disk.

/// What happened. The number is the code on disk; a retired code is never given to another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EventKind {
    /// One or two levels of a book changed (`BookDelta`).
    BookDelta = 1,
    /// The best bid and offer changed (`Bbo`).
    Bbo = 2,
    /// A trade was printed (`Trade`).
    Trade = 3,
    /// A book became syncing, live or stale (`BookStateChanged`).
    BookStateChanged = 4,
    /// A venue acknowledged an order of ours (`OrderReport`).
    OrderAccepted = 5,
    /// A venue refused an order of ours (`OrderReport`).
    OrderRejected = 6,
    /// An order of ours traded, in part or in full (`OrderFilled`).
    OrderFilled = 7,
    /// An order of ours left the book unfilled, in part or in full (`OrderReport`).
    OrderCancelled = 8,
    /// A venue refused to cancel an order of ours (`OrderReport`).
    CancelRejected = 9,
    /// A command left the host (`CommandSent`).
    CommandSent = 10,
    /// A periodic timer came due (`TimerFired`).
    TimerFired = 11,
    /// A person or the runtime gave an order to the hub itself (`OperatorCommand`).
    OperatorCommanded = 12,
    /// A venue session opened or closed (`ConnectionChanged`).
    ConnectionChanged = 13,
    /// Some bytes of a model came in (`ModelPart`).
    ModelPart = 14,
    /// A model is to be used from now on (`ModelPromoted`).
    ModelPromoted = 15,
    /// A venue charged or paid funding on positions (`FundingSettled`).
    FundingSettled = 16,
    /// What a currency is worth in the account's changed (`RateChanged`).
    RateChanged = 17,
    /// A venue told the mark price of a perpetual and its next funding (`MarkFunding`).
    MarkFunding = 18,
}

impl EventKind {
    /// Every kind, in the order of its code.
    pub const ALL: [Self; 18] = [
        Self::BookDelta,
        Self::Bbo,
        Self::Trade,
        Self::BookStateChanged,
        Self::OrderAccepted,
        Self::OrderRejected,
        Self::OrderFilled,
        Self::OrderCancelled,
        Self::CancelRejected,
        Self::CommandSent,
        Self::TimerFired,
        Self::OperatorCommanded,
        Self::ConnectionChanged,
        Self::ModelPart,
        Self::ModelPromoted,
        Self::FundingSettled,
        Self::RateChanged,
        Self::MarkFunding,
    ];

    /// The kind with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::BookDelta,
            2 => Self::Bbo,
            3 => Self::Trade,
            4 => Self::BookStateChanged,
            5 => Self::OrderAccepted,
            6 => Self::OrderRejected,
            7 => Self::OrderFilled,
            8 => Self::OrderCancelled,
            9 => Self::CancelRejected,
            10 => Self::CommandSent,
            11 => Self::TimerFired,
            12 => Self::OperatorCommanded,
            13 => Self::ConnectionChanged,
            14 => Self::ModelPart,
            15 => Self::ModelPromoted,
            16 => Self::FundingSettled,
            17 => Self::RateChanged,
            18 => Self::MarkFunding,
            _ => return None,
        })
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BookDelta => "BookDelta",
            Self::Bbo => "Bbo",
            Self::Trade => "Trade",
            Self::BookStateChanged => "BookStateChanged",
            Self::OrderAccepted => "OrderAccepted",
            Self::OrderRejected => "OrderRejected",
            Self::OrderFilled => "OrderFilled",
            Self::OrderCancelled => "OrderCancelled",
            Self::CancelRejected => "CancelRejected",
            Self::CommandSent => "CommandSent",
            Self::TimerFired => "TimerFired",
            Self::OperatorCommanded => "OperatorCommanded",
            Self::ConnectionChanged => "ConnectionChanged",
            Self::ModelPart => "ModelPart",
            Self::ModelPromoted => "ModelPromoted",
            Self::FundingSettled => "FundingSettled",
            Self::RateChanged => "RateChanged",
            Self::MarkFunding => "MarkFunding",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_names_its_kind() {
        let known: alloc::vec::Vec<_> = (0..=u8::MAX).filter_map(EventKind::from_code).collect();
        assert_eq!(known, EventKind::ALL);
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_code(kind as u8), Some(kind));
        }
    }
}
