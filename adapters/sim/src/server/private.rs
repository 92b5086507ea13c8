//! The REST calls that need a key: what the account holds, and the cancel of everything of one symbol.
//!
//! | Path | Method | What |
//! |---|---|---|
//! | `/spot/api/v3/account` | GET | balances |
//! | `/spot/api/v3/openOrders` | DELETE | cancels what rests of a symbol |
//! | `/usdm/fapi/v2/positionRisk` | GET | positions |
//! | `/usdm/fapi/v1/allOpenOrders` | DELETE | cancels what rests of a symbol |
//!
//! What is cancelled is reported as every cancel is; the answer to the spot request names no orders.

use super::{http, http::RequestHead, rest::Answer};
use crate::{
    account::{Account, CASH_EXPONENT},
    encode::{self, Market},
};

/// True for the calls that this module answers.
pub(super) fn is_private(market: Market, call: &str) -> bool {
    match market {
        Market::Spot => matches!(call, "account" | "openOrders"),
        Market::UsdFutures => matches!(call, "positionRisk" | "allOpenOrders"),
    }
}

/// Answers one call.
pub(super) fn answer(
    account: Option<&Account>,
    market: Market,
    call: &str,
    head: &RequestHead,
) -> Answer {
    let refuse = |status, code: i32, text: &str| -> Answer {
        (status, format!("{{\"code\":{code},\"msg\":\"{text}\"}}"))
    };
    let Some(account) = account.filter(|account| account.is_key(head.api_key.as_deref())) else {
        return refuse(
            401,
            -2015,
            "Invalid API-key, IP, or permissions for action.",
        );
    };
    if http::parameter(&head.query, "timestamp").is_none() {
        let text = "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed.";
        return refuse(400, -1102, text);
    }
    if !account.is_signed(&head.query) {
        return refuse(400, -1022, "Signature for this request is not valid.");
    }
    let is_cancel = matches!(call, "openOrders" | "allOpenOrders");
    match (head.method.as_str(), is_cancel) {
        ("GET", false) => (200, holdings(account, market)),
        ("DELETE", true) => {
            let Some(symbol) = http::parameter(&head.query, "symbol") else {
                let text =
                    "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.";
                return refuse(400, -1102, text);
            };
            if !account.ask_to_cancel(market, &symbol) {
                return refuse(400, -1121, "Invalid symbol.");
            }
            let body = match market {
                Market::Spot => "[]",
                Market::UsdFutures => {
                    "{\"code\":200,\"msg\":\"The operation of cancel all open order is done.\"}"
                }
            };
            (200, body.to_owned())
        }
        _ => (405, String::new()),
    }
}

fn holdings(account: &Account, market: Market) -> String {
    let rows = account.holdings();
    let rows = rows.filter(|(instrument, _)| Market::of(instrument) == market);
    let mut body = String::with_capacity(256);
    match market {
        Market::Spot => {
            let bought = rows.map(|(row, held)| (row.base.as_str(), row.quantity_exponent, held));
            let cash = account.balances();
            let cash = cash.map(|(currency, amount)| (currency, CASH_EXPONENT, amount));
            encode::spot_account(&mut body, bought.chain(cash));
        }
        Market::UsdFutures => encode::position_risk(&mut body, rows),
    }
    body
}
