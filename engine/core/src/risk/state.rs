//! Whether the hub may trade, and why not.

/// What the hub may do. The number goes into the journal and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum TradingState {
    /// Trade within the limits.
    Active = 1,
    /// Only shrink positions, and cancel.
    Reducing = 2,
    /// Only cancel.
    Halted = 3,
}

impl TradingState {
    /// The state with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Active),
            2 => Some(Self::Reducing),
            3 => Some(Self::Halted),
            _ => None,
        }
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Reducing => "Reducing",
            Self::Halted => "Halted",
        }
    }
}

/// Why the hub changed its trading state. The number goes into the journal and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum StateReason {
    /// The run began.
    Start = 1,
    /// A person ordered it.
    Operator = 2,
    /// Equity fell too far below its peak.
    Drawdown = 3,
    /// Too many orders in a row were denied.
    DenialRun = 4,
    /// The journal cannot take more.
    JournalFailing = 5,
    /// What the hub knows of the market is too old.
    StaleData = 6,
    /// The run is ending.
    Shutdown = 7,
    /// A consumer or ring lags beyond its bound.
    SlowConsumer = 8,
    /// The wall clock stepped.
    ClockStep = 9,
    /// A venue reported what cannot have happened.
    IllegalReport = 10,
    /// A bounded table is full.
    TableFull = 11,
    /// A venue session was lost.
    ConnectionLost = 12,
    /// An amount left its integer, or the books do not balance.
    BooksFailing = 13,
    /// The journal's disk has little room left.
    DiskLow = 14,
    /// The journal's disk has no room left.
    DiskFull = 15,
    /// The durable watermark lags behind its bound.
    DurabilityBehind = 16,
    /// The core is behind its source.
    IngressBehind = 17,
    /// The kill flag is up.
    KillFlag = 18,
    /// The run ended in order; the next one may go on.
    RunEnded = 19,
    /// Equity fell too far below its value at the start of the UTC day.
    DailyLoss = 20,
}

impl StateReason {
    /// Every reason, in the order of its code.
    pub const ALL: [Self; 20] = [
        Self::Start,
        Self::Operator,
        Self::Drawdown,
        Self::DenialRun,
        Self::JournalFailing,
        Self::StaleData,
        Self::Shutdown,
        Self::SlowConsumer,
        Self::ClockStep,
        Self::IllegalReport,
        Self::TableFull,
        Self::ConnectionLost,
        Self::BooksFailing,
        Self::DiskLow,
        Self::DiskFull,
        Self::DurabilityBehind,
        Self::IngressBehind,
        Self::KillFlag,
        Self::RunEnded,
        Self::DailyLoss,
    ];

    /// The reason with this code, if there is one.
    pub const fn from_code(code: u16) -> Option<Self> {
        if code == 0 || code as usize > Self::ALL.len() {
            return None;
        }
        Some(Self::ALL[code as usize - 1])
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "Start",
            Self::Operator => "Operator",
            Self::Drawdown => "Drawdown",
            Self::DenialRun => "DenialRun",
            Self::JournalFailing => "JournalFailing",
            Self::StaleData => "StaleData",
            Self::Shutdown => "Shutdown",
            Self::SlowConsumer => "SlowConsumer",
            Self::ClockStep => "ClockStep",
            Self::IllegalReport => "IllegalReport",
            Self::TableFull => "TableFull",
            Self::ConnectionLost => "ConnectionLost",
            Self::BooksFailing => "BooksFailing",
            Self::DiskLow => "DiskLow",
            Self::DiskFull => "DiskFull",
            Self::DurabilityBehind => "DurabilityBehind",
            Self::IngressBehind => "IngressBehind",
            Self::KillFlag => "KillFlag",
            Self::RunEnded => "RunEnded",
            Self::DailyLoss => "DailyLoss",
        }
    }
}
