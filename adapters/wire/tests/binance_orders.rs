//! The text of order requests: as the venue documents it, for every kind of order, read back by a JSON parser.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, TimeInForce},
    event::Side,
};
use acth_wire::binance::{Market, OrderSymbol, OrderTextError, order_request};
use serde_json::Value;

fn symbol(market: Market) -> OrderSymbol {
    OrderSymbol {
        market,
        symbol: "BTCUSDT".to_owned(),
        price_exponent: 2,
        quantity_exponent: 5,
    }
}

fn order(order_type: OrderType, time_in_force: TimeInForce) -> Decision {
    Decision {
        kind: DecisionKind::PlaceOrder as u8,
        side: Side::Ask as u8,
        client_order_id: 281_474_976_710_673,
        price: 6_010_000,
        quantity: 1_000,
        order_type: order_type as u8,
        time_in_force: time_in_force as u8,
        ..Decision::default()
    }
}

const TS_NS: i64 = 1_760_000_000_000_999_999;

fn text(decision: &Decision, market: Market) -> String {
    let mut target = Vec::new();
    order_request(decision, &symbol(market), TS_NS, &mut target).unwrap();
    String::from_utf8(target).unwrap()
}

#[test]
fn an_order_is_written_as_documented() {
    let order = order(OrderType::Limit, TimeInForce::GoodTillCancelled);
    assert_eq!(
        text(&order, Market::Spot),
        "{\"id\":\"281474976710673\",\"method\":\"order.place\",\"params\":{\"symbol\":\"BTCUSDT\",\
         \"side\":\"SELL\",\"type\":\"LIMIT\",\"timeInForce\":\"GTC\",\"price\":\"60100.00\",\
         \"quantity\":\"0.01000\",\"newOrderRespType\":\"ACK\",\"newClientOrderId\":\"281474976710673\",\
         \"timestamp\":1760000000000}}"
    );
}

#[test]
fn every_kind_is_json_with_its_own_words() {
    use TimeInForce::{FillOrKill, GoodTillCancelled, ImmediateOrCancel};
    for (market, order_type, time_in_force, kind, force) in [
        (
            Market::Spot,
            OrderType::Limit,
            GoodTillCancelled,
            "LIMIT",
            Some("GTC"),
        ),
        (
            Market::Spot,
            OrderType::Limit,
            ImmediateOrCancel,
            "LIMIT",
            Some("IOC"),
        ),
        (
            Market::UsdM,
            OrderType::Limit,
            FillOrKill,
            "LIMIT",
            Some("FOK"),
        ),
        (
            Market::Spot,
            OrderType::PostOnly,
            GoodTillCancelled,
            "LIMIT_MAKER",
            None,
        ),
        (
            Market::UsdM,
            OrderType::PostOnly,
            GoodTillCancelled,
            "LIMIT",
            Some("GTX"),
        ),
    ] {
        let request: Value =
            serde_json::from_str(&text(&order(order_type, time_in_force), market)).unwrap();
        let params = &request["params"];
        assert_eq!(request["method"], "order.place");
        assert_eq!(params["type"], kind);
        assert_eq!(params["timeInForce"].as_str(), force);
        assert_eq!(params["price"], "60100.00");
        assert_eq!(params["newClientOrderId"], request["id"]);
    }
}

#[test]
fn a_cancel_names_the_order() {
    let cancel = Decision {
        kind: DecisionKind::CancelOrder as u8,
        client_order_id: u64::MAX,
        ..Decision::default()
    };
    let request: Value = serde_json::from_str(&text(&cancel, Market::Spot)).unwrap();
    assert_eq!(request["method"], "order.cancel");
    assert_eq!(request["params"]["origClientOrderId"], u64::MAX.to_string());
    assert_eq!(request["params"]["timestamp"], 1_760_000_000_000_u64);
}

#[test]
fn what_is_no_order_has_no_text() {
    let mut target = Vec::new();
    let mut broken = order(OrderType::Limit, TimeInForce::GoodTillCancelled);
    broken.side = 9;
    let refused = order_request(&broken, &symbol(Market::Spot), TS_NS, &mut target);
    assert!(matches!(refused, Err(OrderTextError::Code { side: 9, .. })));
    broken.kind = DecisionKind::StateHashed as u8;
    let refused = order_request(&broken, &symbol(Market::Spot), TS_NS, &mut target);
    assert_eq!(refused, Err(OrderTextError::NoCommand(5)));
    assert!(target.is_empty());
}

/// The longest of everything: nothing is cut.
#[test]
fn the_longest_request_is_whole() {
    let longest = OrderSymbol {
        market: Market::UsdM,
        symbol: "1000".repeat(16),
        price_exponent: 18,
        quantity_exponent: 18,
    };
    let decision = Decision {
        client_order_id: u64::MAX,
        price: i64::MIN,
        quantity: i64::MIN,
        ..order(OrderType::PostOnly, TimeInForce::GoodTillCancelled)
    };
    let mut target = b"before".to_vec();
    order_request(&decision, &longest, i64::MAX, &mut target).unwrap();
    let request: Value = serde_json::from_slice(target.strip_prefix(b"before").unwrap()).unwrap();
    let params = &request["params"];
    assert_eq!(params["symbol"], longest.symbol);
    assert_eq!(params["price"], "-9.223372036854775808");
    assert_eq!(params["quantity"], "-9.223372036854775808");
    assert_eq!(params["newClientOrderId"], u64::MAX.to_string());
    assert_eq!(params["timestamp"], i64::MAX / 1_000_000);
}
