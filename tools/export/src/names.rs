//! Names of codes that the core itself never needs to name.

use std::borrow::Cow;

use acth_core::{
    decision::{OrderType, TimeInForce},
    event::{BookState, BookStateReason, EventKind, OperatorAction, OperatorReason, flags},
};

/// A name where the code has one; the code itself where a newer program gave it its meaning.
pub(crate) fn or_code(name: Option<&'static str>, code: u64) -> Cow<'static, str> {
    name.map_or_else(|| Cow::Owned(format!("code {code}")), Cow::Borrowed)
}

/// Name of a side of the market.
pub(crate) fn side(code: u8) -> Option<&'static str> {
    match code {
        1 => Some("bid"),
        2 => Some("ask"),
        _ => None,
    }
}

/// Set flags, joined by `+`.
pub(crate) fn flag_set(bits: u8) -> String {
    let names = [
        (flags::SNAPSHOT, "snapshot"),
        (flags::CLEAR, "clear"),
        (flags::LAST, "last"),
        (flags::TS_MISSING, "ts_missing"),
        (flags::MAKER, "maker"),
    ];
    let set = names.iter().filter(|(bit, _)| bits & bit != 0);
    set.map(|(_, name)| *name).collect::<Vec<_>>().join("+")
}

/// Name of a book's state.
pub(crate) fn book_state(code: u8) -> Option<&'static str> {
    Some(match BookState::from_code(code)? {
        BookState::Syncing => "syncing",
        BookState::Live => "live",
        BookState::Stale => "stale",
    })
}

/// Name of why a book changed its state.
pub(crate) fn book_state_reason(code: u64) -> Option<&'static str> {
    let names = [
        (BookStateReason::Start, "start"),
        (BookStateReason::Synced, "synced"),
        (BookStateReason::Gap, "gap"),
        (BookStateReason::Crossed, "crossed"),
        (BookStateReason::Disconnected, "disconnected"),
        (BookStateReason::Undecodable, "undecodable"),
    ];
    let found = names.iter().find(|(reason, _)| *reason as u64 == code);
    found.map(|(_, name)| *name)
}

/// Name of a kind of order report.
pub(crate) fn report_kind(code: u8) -> Option<&'static str> {
    match EventKind::from_code(code)? {
        EventKind::OrderAccepted => Some("accepted"),
        EventKind::OrderRejected => Some("rejected"),
        EventKind::OrderCancelled => Some("cancelled"),
        EventKind::CancelRejected => Some("cancel_rejected"),
        _ => None,
    }
}

/// Name of why a venue refused or ended an order; `None` for code 0 as well.
pub(crate) fn report_reason(code: u8) -> Option<&'static str> {
    use acth_core::event::ReportReason as Reason;
    Some(match Reason::from_code(code)? {
        Reason::None => return None,
        Reason::Requested => "requested",
        Reason::ImmediateRemainder => "immediate_remainder",
        Reason::PostOnlyCross => "post_only_cross",
        Reason::UnknownOrder => "unknown_order",
        Reason::AlreadyDone => "already_done",
        Reason::BadIncrement => "bad_increment",
        Reason::NoMarket => "no_market",
        Reason::FillOrKill => "fill_or_kill",
        Reason::TooManyOrders => "too_many_orders",
        Reason::DuplicateId => "duplicate_id",
        Reason::Withheld => "withheld",
    })
}

/// Name of what the hub was told.
pub(crate) fn operator_action(code: u8) -> Option<&'static str> {
    Some(match OperatorAction::from_code(code)? {
        OperatorAction::Halt => "halt",
        OperatorAction::Reduce => "reduce",
        OperatorAction::Resume => "resume",
        OperatorAction::Stop => "stop",
        OperatorAction::End => "end",
    })
}

/// Name of why the hub was told.
pub(crate) fn operator_reason(code: u64) -> Option<&'static str> {
    Some(match OperatorReason::from_code(code)? {
        OperatorReason::Unspecified => "unspecified",
        OperatorReason::DiskLow => "disk_low",
        OperatorReason::DiskFull => "disk_full",
        OperatorReason::DurabilityBehind => "durability_behind",
        OperatorReason::IngressBehind => "ingress_behind",
        OperatorReason::KillFlag => "kill_flag",
    })
}

/// Name of how an order's price is meant.
pub(crate) fn order_type(code: u8) -> Option<&'static str> {
    Some(match OrderType::from_code(code)? {
        OrderType::Limit => "limit",
        OrderType::PostOnly => "post_only",
    })
}

/// Name of how long an order stays.
pub(crate) fn time_in_force(code: u8) -> Option<&'static str> {
    Some(match TimeInForce::from_code(code)? {
        TimeInForce::GoodTillCancelled => "good_till_cancelled",
        TimeInForce::ImmediateOrCancel => "immediate_or_cancel",
        TimeInForce::FillOrKill => "fill_or_kill",
    })
}
