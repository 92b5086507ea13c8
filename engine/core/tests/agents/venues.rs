//! The same asset on two venues: where an order goes, how large it is, and to whom its fills belong.

use acth_core::{decision::TimeInForce, event::Side};

use crate::support::{Hub, listed, lone_policy, policy};

/// The first is cheaper to look at and dearer to trade; its quantities are coarser.
fn two_venues() -> Hub {
    let rows = vec![listed("dear", 500, 3), listed("cheap", 0, 5)];
    Hub::new(rows, &lone_policy())
}

#[test]
fn an_order_goes_where_the_price_after_fees_is_best_and_takes_what_stands_there() {
    let mut hub = two_venues();
    hub.timer();
    // The ask of the first is lower, but its fee of 0.05 is more than the difference of 0.01.
    hub.quote(0, 9_999, 10_000, 1_000);
    hub.quote(1, 9_999, 10_001, 700_000);
    hub.promote(&policy(2, 3));
    hub.quote(1, 9_999, 10_001, 700_000);
    let order = hub.orders[0];
    assert_eq!(order.instrument, 1, "{order:?}");
    assert_eq!(order.side(), Some(Side::Bid));
    assert_eq!(order.price, 10_001);
    assert_eq!(order.time_in_force, TimeInForce::ImmediateOrCancel as u8);
    // A quarter of a million of each would be 2,500 units; 7 stand there.
    assert_eq!(order.quantity, 700_000);
    hub.fill(&order, 300_000);
    assert_eq!(hub.held(1), 300_000);
    assert_eq!(hub.held(0), 0);
}

#[test]
fn a_sale_goes_where_it_brings_more_and_is_booked_in_that_venues_units() {
    let mut hub = two_venues();
    hub.timer();
    // What the fee of the first takes away is less than what it bids more.
    hub.quote(0, 10_020, 10_021, 1_000);
    hub.quote(1, 10_001, 10_002, 700_000);
    hub.promote(&policy(0, 3));
    hub.quote(1, 10_001, 10_002, 700_000);
    let sold = hub.orders[0];
    assert_eq!((sold.instrument, sold.side()), (0, Some(Side::Ask)));
    assert_eq!(sold.price, 10_020);
    assert_eq!(sold.quantity, 1_000, "in its own, coarser units");
    hub.fill(&sold, sold.quantity);
    assert_eq!((hub.held(0), hub.held(1)), (-1_000, 0));
}
