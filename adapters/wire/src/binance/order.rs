//! Orders as requests of the WebSocket API: the text of placing one and of cancelling it, on a session that has logged on.
//!
//! After `session.logon` a request needs neither key nor signature, so nothing is computed here but digits. The request's
//! `id` is our client order id: answers come in any order and are matched by it.
//!
//! Invariant: nothing is allocated when the target has room; 512 bytes do.

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, TimeInForce},
    event::Side,
};

use super::Market;
use crate::text::{Digits, Text};

/// What an order's text needs to know of its instrument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderSymbol {
    /// Which market it is traded on.
    pub market: Market,
    /// The venue's name of it.
    pub symbol: String,
    /// Decimal places of its prices.
    pub price_exponent: u8,
    /// Decimal places of its quantities.
    pub quantity_exponent: u8,
}

/// Why a decision has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderTextError {
    /// It is no command.
    #[error("a decision of kind {0} is no command")]
    NoCommand(u8),
    /// A code that no order has.
    #[error(
        "side {side}, type {order_type}, time in force {time_in_force}: one of them is not known"
    )]
    Code {
        /// Code of the side.
        side: u8,
        /// Code of the type.
        order_type: u8,
        /// Code of the time in force.
        time_in_force: u8,
    },
}

/// Most bytes of a request, apart from its symbol.
const REQUEST_BYTES_MAX: usize = 320;

/// Appends the request of a command to `target`. `ts_ns` is the present, ns since the Unix epoch: the venue refuses requests
/// that are too old.
///
/// # Errors
/// `OrderTextError`; `target` is as before then.
pub fn order_request(
    decision: &Decision,
    symbol: &OrderSymbol,
    ts_ns: i64,
    target: &mut Vec<u8>,
) -> Result<(), OrderTextError> {
    let first = target.len();
    target.resize(first + REQUEST_BYTES_MAX + symbol.symbol.len(), 0);
    let mut text = Text::over(&mut target[first..]);
    let written = match decision.kind() {
        Some(DecisionKind::PlaceOrder) => place(decision, symbol, ts_ns, &mut text),
        Some(DecisionKind::CancelOrder) => {
            cancel(decision, symbol, ts_ns, &mut text);
            Ok(())
        }
        _ => Err(OrderTextError::NoCommand(decision.kind)),
    };
    let length = text.finish();
    debug_assert!(length.is_some(), "a request fits into its room");
    let length = if written.is_ok() { length } else { None };
    target.truncate(first + length.unwrap_or(0));
    written
}

fn cancel(decision: &Decision, symbol: &OrderSymbol, ts_ns: i64, text: &mut Text<'_>) {
    let id = Digits::of(decision.client_order_id);
    text.fixed(br#"{"id":""#);
    text.digits(&id);
    text.fixed(br#"","method":"order.cancel","params":{"symbol":""#);
    text.any(symbol.symbol.as_bytes());
    text.fixed(br#"","origClientOrderId":""#);
    text.digits(&id);
    tail(ts_ns, text);
}

fn place(
    decision: &Decision,
    symbol: &OrderSymbol,
    ts_ns: i64,
    text: &mut Text<'_>,
) -> Result<(), OrderTextError> {
    let (Some(side), Some(order_type), Some(time_in_force)) = (
        Side::from_code(decision.side),
        OrderType::from_code(decision.order_type),
        TimeInForce::from_code(decision.time_in_force),
    ) else {
        return Err(OrderTextError::Code {
            side: decision.side,
            order_type: decision.order_type,
            time_in_force: decision.time_in_force,
        });
    };
    let id = Digits::of(decision.client_order_id);
    text.fixed(br#"{"id":""#);
    text.digits(&id);
    text.fixed(br#"","method":"order.place","params":{"symbol":""#);
    text.any(symbol.symbol.as_bytes());
    match side {
        Side::Bid => text.fixed(br#"","side":"BUY","type":""#),
        Side::Ask => text.fixed(br#"","side":"SELL","type":""#),
    }
    match (order_type, symbol.market, time_in_force) {
        // Passive only is a type of its own on spot, a time in force on futures.
        (OrderType::PostOnly, Market::Spot, _) => text.fixed(b"LIMIT_MAKER"),
        (OrderType::PostOnly, Market::UsdM, _) => text.fixed(br#"LIMIT","timeInForce":"GTX"#),
        (OrderType::Limit, _, TimeInForce::GoodTillCancelled) => {
            text.fixed(br#"LIMIT","timeInForce":"GTC"#);
        }
        (OrderType::Limit, _, TimeInForce::ImmediateOrCancel) => {
            text.fixed(br#"LIMIT","timeInForce":"IOC"#);
        }
        (OrderType::Limit, _, TimeInForce::FillOrKill) => {
            text.fixed(br#"LIMIT","timeInForce":"FOK"#);
        }
    }
    text.fixed(br#"","price":""#);
    text.decimal(decision.price, symbol.price_exponent);
    text.fixed(br#"","quantity":""#);
    text.decimal(decision.quantity, symbol.quantity_exponent);
    text.fixed(br#"","newOrderRespType":"ACK","newClientOrderId":""#);
    text.digits(&id);
    tail(ts_ns, text);
    Ok(())
}

/// From the closing quote of the last id on.
fn tail(ts_ns: i64, text: &mut Text<'_>) {
    text.fixed(br#"","timestamp":"#);
    text.number((ts_ns / 1_000_000).max(0).cast_unsigned());
    text.fixed(b"}}");
}
