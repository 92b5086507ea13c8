//! Orders as requests of the WebSocket API: the text of placing one and of cancelling it, on a session that has logged on.
//!
//! After `session.logon` a request needs neither key nor signature, so nothing is computed here but digits. The request's
//! `id` is our client order id: answers come in any order and are matched by it.
//!
//! Invariant: nothing is allocated when the target has room; about 250 bytes do.

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, TimeInForce},
    event::Side,
};

use super::Market;
use crate::decimal::{self, TEXT_BYTES_MAX};

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
    match decision.kind() {
        Some(DecisionKind::PlaceOrder) => place(decision, symbol, ts_ns, target),
        Some(DecisionKind::CancelOrder) => {
            head(decision, "order.cancel", symbol, target);
            target.extend_from_slice(br#"","origClientOrderId":""#);
            number(decision.client_order_id, target);
            tail(ts_ns, target);
            Ok(())
        }
        _ => Err(OrderTextError::NoCommand(decision.kind)),
    }
}

fn place(
    decision: &Decision,
    symbol: &OrderSymbol,
    ts_ns: i64,
    target: &mut Vec<u8>,
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
    let side: &[u8] = match side {
        Side::Bid => br#"","side":"BUY","type":""#,
        Side::Ask => br#"","side":"SELL","type":""#,
    };
    let terms: &[u8] = match (order_type, symbol.market, time_in_force) {
        // Passive only is a type of its own on spot, a time in force on futures.
        (OrderType::PostOnly, Market::Spot, _) => b"LIMIT_MAKER",
        (OrderType::PostOnly, Market::UsdM, _) => br#"LIMIT","timeInForce":"GTX"#,
        (OrderType::Limit, _, TimeInForce::GoodTillCancelled) => br#"LIMIT","timeInForce":"GTC"#,
        (OrderType::Limit, _, TimeInForce::ImmediateOrCancel) => br#"LIMIT","timeInForce":"IOC"#,
        (OrderType::Limit, _, TimeInForce::FillOrKill) => br#"LIMIT","timeInForce":"FOK"#,
    };
    let mut text = [0; TEXT_BYTES_MAX];
    head(decision, "order.place", symbol, target);
    target.extend_from_slice(side);
    target.extend_from_slice(terms);
    target.extend_from_slice(br#"","price":""#);
    let price = decimal::write(decision.price, symbol.price_exponent, &mut text);
    target.extend_from_slice(price.as_bytes());
    target.extend_from_slice(br#"","quantity":""#);
    let quantity = decimal::write(decision.quantity, symbol.quantity_exponent, &mut text);
    target.extend_from_slice(quantity.as_bytes());
    target.extend_from_slice(br#"","newOrderRespType":"ACK","newClientOrderId":""#);
    number(decision.client_order_id, target);
    tail(ts_ns, target);
    Ok(())
}

/// Up to the symbol, without its closing quote.
fn head(decision: &Decision, method: &str, symbol: &OrderSymbol, target: &mut Vec<u8>) {
    target.extend_from_slice(br#"{"id":""#);
    number(decision.client_order_id, target);
    target.extend_from_slice(br#"","method":""#);
    target.extend_from_slice(method.as_bytes());
    target.extend_from_slice(br#"","params":{"symbol":""#);
    target.extend_from_slice(symbol.symbol.as_bytes());
}

/// From the closing quote of the last id on.
fn tail(ts_ns: i64, target: &mut Vec<u8>) {
    target.extend_from_slice(br#"","timestamp":"#);
    number((ts_ns / 1_000_000).max(0).cast_unsigned(), target);
    target.extend_from_slice(b"}}");
}

/// Most digits of 64 bits.
const DIGITS_MAX: usize = 20;

fn number(mut value: u64, target: &mut Vec<u8>) {
    let mut digits = [0; DIGITS_MAX];
    let mut first = DIGITS_MAX;
    loop {
        first -= 1;
        digits[first] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    target.extend_from_slice(&digits[first..]);
}
