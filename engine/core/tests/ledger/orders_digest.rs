//! What the digest of the table of orders sees, and what it must not see: the way to a state, only the state.

use acth_core::{
    decision::{ClientOrderId, OrderType, TimeInForce},
    event::{ReportReason, Side},
    orders::{Order, OrderSignal, OrderTable},
    risk::OrderRequest,
};

use crate::support::{BTC, ETH, hash_of, instruments};

/// The sequence at which the order of these tests was decided.
const SEQUENCE: u64 = 5;
const ID: ClientOrderId = ClientOrderId::new(1, SEQUENCE);
const OTHER: ClientOrderId = ClientOrderId::new(1, SEQUENCE + 1);

fn order(id: ClientOrderId) -> Order {
    let request = OrderRequest::limit(BTC, Side::Bid, 100, 10);
    Order::from_request(id, &request, 0)
}

/// A table with one new order.
fn table(order: Order) -> OrderTable {
    let mut table = OrderTable::new(&instruments());
    table.insert(order).unwrap();
    table
}

/// The hash of that table after some steps.
fn hash(steps: impl FnOnce(&mut OrderTable)) -> u64 {
    let mut table = table(order(ID));
    steps(&mut table);
    hash_of(|hasher| table.digest(hasher))
}

fn send(table: &mut OrderTable, signal: OrderSignal) {
    table.apply(ID, signal, ReportReason::None).unwrap();
}

#[test]
fn it_sees_every_field_of_a_new_order() {
    let changes: [fn(&mut Order); 11] = [
        |order| order.id = OTHER,
        |order| order.instrument = ETH,
        |order| order.side = Side::Ask,
        |order| order.price = 101,
        |order| order.quantity = 11,
        |order| order.order_type = OrderType::PostOnly,
        |order| order.time_in_force = TimeInForce::ImmediateOrCancel,
        |order| order.agent = 1,
        |order| order.reason = 1,
        // The uppermost bit stands beside the side's.
        |order| order.reason = 1 << 15,
        |order| order.ts_placed_ns = 1,
    ];
    let plain = hash(|_| ());
    for (number, change) in changes.into_iter().enumerate() {
        let mut changed = order(ID);
        change(&mut changed);
        let hash = hash_of(|hasher| table(changed).digest(hasher));
        assert_ne!(hash, plain, "change {number}");
    }
}

#[test]
fn it_sees_what_happened_to_an_order() {
    let fill = |quantity| {
        hash(|table| {
            table.apply_fill(ID, quantity, 1).unwrap();
        })
    };
    assert_ne!(fill(3), fill(4), "the filled quantity alone differs");
    // One state, another beneath it; then another state above the same.
    let pending = hash(|table| send(table, OrderSignal::RequestCancel));
    let accepted = hash(|table| {
        send(table, OrderSignal::Accept);
        send(table, OrderSignal::RequestCancel);
    });
    assert_ne!(pending, accepted);
    assert_ne!(pending, hash(|_| ()));
    let sent = hash(|table| table.mark_sent(ID, SEQUENCE));
    assert_ne!(sent, hash(|_| ()));
}

#[test]
fn it_sees_orders_that_have_ended_and_what_reaches_them_late() {
    let ended = |price| {
        let mut ended = order(ID);
        ended.price = price;
        let mut table = table(ended);
        send(&mut table, OrderSignal::Cancel);
        hash_of(|hasher| table.digest(hasher))
    };
    assert_ne!(ended(100), ended(101));
    let late = |quantity| {
        hash(|table| {
            send(table, OrderSignal::Cancel);
            table.apply_fill(ID, quantity, 1).unwrap();
        })
    };
    assert_ne!(late(3), late(4));
    let sent = hash(|table| {
        send(table, OrderSignal::Cancel);
        table.mark_sent(ID, SEQUENCE);
    });
    assert_ne!(sent, ended(100));
}

#[test]
fn it_sees_which_order_a_fill_belongs_to() {
    let fills = |first, second| {
        hash(|table| {
            table.insert(order(OTHER)).unwrap();
            table.apply_fill(first, 1, 7).unwrap();
            table.apply_fill(second, 1, 8).unwrap();
        })
    };
    assert_ne!(fills(ID, OTHER), fills(OTHER, ID));
}

#[test]
fn one_state_has_one_digest_whatever_led_to_it() {
    let sent_first = hash(|table| {
        table.mark_sent(ID, SEQUENCE);
        send(table, OrderSignal::Accept);
    });
    let accepted_first = hash(|table| {
        send(table, OrderSignal::Accept);
        table.mark_sent(ID, SEQUENCE);
    });
    assert_eq!(sent_first, accepted_first);
    let undecided = hash(|table| {
        send(table, OrderSignal::RequestCancel);
        send(table, OrderSignal::CancelReject);
    });
    assert_eq!(undecided, hash(|_| ()));
}
