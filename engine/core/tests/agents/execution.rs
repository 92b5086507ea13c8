//! What becomes of a target: a child that waits, moves, hurries or is taken back, and how large it is.

use acth_core::{
    decision::{Decision, TimeInForce},
    event::{EventKind, Side},
    strategies::agent_network::AgentNetworkConfig,
};

use crate::support::{Hub, listed, lone_policy, policy};

const BID: i64 = 9_990;
const ASK: i64 = 10_010;

/// A policy for whom no edge is worth a spread: it joins unless something hurries it.
fn patient() -> AgentNetworkConfig {
    let mut parameters = lone_policy();
    parameters.execution.margin_ppm = 1e9;
    parameters
}

/// A hub with one instrument that wants this of five positions: `action` 0 is short, 4 long.
fn hub(parameters: &AgentNetworkConfig, action: usize) -> Hub {
    let mut hub = Hub::new(vec![listed("one", 100, 3)], parameters);
    hub.timer();
    hub.quote(0, BID, ASK, 1_000);
    // Enough trades that one child may be all that is wanted.
    hub.trade(0, Side::Bid, ASK, 100_000_000);
    hub.promote(&policy(action, 5));
    hub.quote(0, BID, ASK, 1_000);
    hub
}

/// The order that was placed last, accepted.
fn accepted(hub: &mut Hub) -> Decision {
    let order = *hub.orders.last().unwrap();
    hub.report(&order, EventKind::OrderAccepted);
    order
}

/// Lets time pass under the same quotes, in tenths of a second.
fn wait(hub: &mut Hub, tenths: usize) {
    for _ in 0..tenths {
        hub.timer();
        hub.quote(0, BID, ASK, 1_000);
    }
}

/// Confirms the one cancel there is.
fn confirm_cancel(hub: &mut Hub, order: &Decision) {
    assert_eq!(hub.cancels.len(), 1, "{:?}", hub.cancels);
    assert_eq!(hub.cancels[0].client_order_id, order.client_order_id);
    hub.cancels.clear();
    hub.report(order, EventKind::OrderCancelled);
}

/// A hub that holds what it wanted: the joins were filled until nothing was lacked.
fn filled(parameters: &AgentNetworkConfig, action: usize) -> Hub {
    let mut hub = hub(parameters, action);
    for _ in 0..1_000 {
        let seen = hub.orders.len();
        let order = accepted(&mut hub);
        hub.fill(&order, order.quantity);
        wait(&mut hub, 10);
        if hub.orders.len() == seen {
            break;
        }
    }
    hub
}

/// Wants a fifth of a unit at most.
fn small(parameters: &AgentNetworkConfig) -> AgentNetworkConfig {
    let mut parameters = parameters.clone();
    parameters.kinds.learned.position_share = 0.000_02;
    parameters.execution.order_ppm_min = 0;
    parameters
}

#[test]
fn a_child_that_covers_what_is_lacked_keeps_its_place_in_the_queue() {
    let mut hub = hub(&small(&patient()), 4);
    let order = accepted(&mut hub);
    assert_eq!((order.side(), order.price), (Some(Side::Bid), BID));
    assert_ne!(
        order.time_in_force,
        TimeInForce::ImmediateOrCancel as u8,
        "it waits"
    );
    wait(&mut hub, 100);
    assert_eq!((hub.orders.len(), hub.cancels.len()), (1, 0));
    hub.fill(&order, order.quantity);
    assert_eq!(hub.held(0), order.quantity);
}

#[test]
fn a_child_follows_the_touch() {
    let mut hub = hub(&small(&patient()), 4);
    let order = accepted(&mut hub);
    wait(&mut hub, 3);
    hub.quote(0, BID + 1, ASK, 1_000);
    confirm_cancel(&mut hub, &order);
    hub.quote(0, BID + 1, ASK, 1_000);
    assert_eq!(hub.orders.last().unwrap().price, BID + 1);
}

#[test]
fn a_child_for_more_than_is_still_lacked_is_taken_back() {
    for action in [3, 2, 0] {
        let mut hub = hub(&small(&patient()), 4);
        let order = accepted(&mut hub);
        wait(&mut hub, 3);
        hub.promote(&policy(action, 5));
        wait(&mut hub, 1);
        confirm_cancel(&mut hub, &order);
        wait(&mut hub, 1);
        let next = hub.orders.last().unwrap();
        match action {
            3 => assert_eq!(
                (next.side(), next.quantity),
                (Some(Side::Bid), order.quantity / 2)
            ),
            2 => assert_eq!(hub.orders.len(), 1, "nothing is lacked any more"),
            _ => assert_eq!(
                (next.side(), next.quantity),
                (Some(Side::Ask), order.quantity)
            ),
        }
    }
}

#[test]
fn a_child_waits_its_time_before_it_moves() {
    let mut hub = hub(&small(&patient()), 4);
    let order = accepted(&mut hub);
    hub.timer();
    hub.quote(0, BID + 1, ASK, 1_000);
    assert_eq!(hub.cancels.len(), 0, "a tenth of a second is too soon");
    hub.timer();
    hub.quote(0, BID + 1, ASK, 1_000);
    confirm_cancel(&mut hub, &order);
}

/// Joins at once, stands inside the spread after a second, crosses after three: counted from when it wanted out.
#[test]
fn a_way_out_joins_then_improves_then_crosses() {
    let mut hub = filled(&small(&patient()), 4);
    let held = hub.held(0);
    assert!(held > 0);
    hub.promote(&policy(2, 5));
    wait(&mut hub, 1);
    let ts_out_ns = hub.now_ns;
    let mut prices = Vec::new();
    while hub.now_ns - ts_out_ns < 5_000_000_000 {
        let order = accepted(&mut hub);
        let is_taking = order.time_in_force == TimeInForce::ImmediateOrCancel as u8;
        assert_eq!((order.side(), order.quantity), (Some(Side::Ask), held));
        prices.push((
            order.price,
            is_taking,
            (hub.now_ns - ts_out_ns) / 100_000_000,
        ));
        if is_taking {
            hub.fill(&order, order.quantity);
            break;
        }
        while hub.cancels.is_empty() {
            wait(&mut hub, 1);
        }
        confirm_cancel(&mut hub, &order);
        hub.quote(0, BID, ASK, 1_000);
    }
    assert_eq!(
        prices,
        [(ASK, false, 0), (ASK - 1, false, 11), (BID, true, 31)]
    );
    assert_eq!(hub.held(0), 0);
}

/// An order inside the spread is the touch itself where the venue shows it; it stays until someone is before it.
#[test]
fn an_improved_child_stays_where_it_is_the_touch() {
    let mut hub = filled(&small(&patient()), 4);
    hub.promote(&policy(2, 5));
    wait(&mut hub, 1);
    let order = accepted(&mut hub);
    wait(&mut hub, 11);
    confirm_cancel(&mut hub, &order);
    wait(&mut hub, 1);
    let improved = accepted(&mut hub);
    assert_eq!(improved.price, ASK - 1);
    for _ in 0..5 {
        hub.timer();
        hub.quote(0, BID, ASK - 1, 1_000);
    }
    assert_eq!(hub.cancels.len(), 0);
    hub.quote(0, BID, ASK - 2, 1_000);
    confirm_cancel(&mut hub, &improved);
}

/// A target many times what trades goes out in children, each its share of what trades in the time between two.
#[test]
fn a_large_target_is_spread_over_time_by_what_trades() {
    let mut hub = Hub::new(vec![listed("one", 100, 3)], &patient());
    for tenth in 0..600 {
        hub.timer();
        hub.quote(0, BID, ASK, 1_000);
        let aggressor = if tenth % 2 == 0 { Side::Bid } else { Side::Ask };
        hub.trade(0, aggressor, BID, 5_000);
    }
    hub.promote(&policy(4, 5));
    let mut sizes = Vec::new();
    let mut times = Vec::new();
    for tenth in 0..60 {
        let seen = hub.orders.len();
        hub.timer();
        hub.quote(0, BID, ASK, 1_000);
        let aggressor = if tenth % 2 == 0 { Side::Bid } else { Side::Ask };
        if hub.orders.len() > seen {
            let order = accepted(&mut hub);
            let volume = hub.core.strategy().features().row(0).volume_per_second();
            // A fifth of half a second's volume, in the instrument's units.
            assert!((order.quantity - (volume * 0.5 * 0.2) as i64).abs() <= 1);
            hub.fill(&order, order.quantity);
            sizes.push(order.quantity);
            times.push(hub.now_ns);
        }
        hub.trade(0, aggressor, BID, 5_000);
    }
    // 5 a trade and ten trades a second: 50 a second, of which 5 in half a second.
    assert!(
        sizes.iter().all(|size| (4_500..5_500).contains(size)),
        "{sizes:?}"
    );
    assert_eq!(sizes.len(), 12, "one each half second");
    assert!(
        times
            .windows(2)
            .all(|pair| pair[1] - pair[0] == 500_000_000)
    );
    assert_eq!(hub.held(0), sizes.iter().sum::<i64>());
}

/// What is too little for an order does not count as having waited for one.
#[test]
fn a_remainder_below_an_order_does_not_make_the_next_way_out_late() {
    let mut rules = listed("one", 100, 3);
    rules.quantity_min = 150;
    let mut hub = Hub::new(vec![rules], &small(&patient()));
    hub.timer();
    hub.quote(0, BID, ASK, 1_000);
    hub.trade(0, Side::Bid, ASK, 100_000_000);
    hub.promote(&policy(4, 5));
    hub.quote(0, BID, ASK, 1_000);
    let order = accepted(&mut hub);
    hub.fill(&order, order.quantity);
    assert_eq!(hub.held(0), 200);
    // Half of it is to go, which is too little for an order.
    hub.promote(&policy(3, 5));
    wait(&mut hub, 50);
    assert_eq!(hub.orders.len(), 1);
    // All of it: that has not waited yet.
    hub.promote(&policy(2, 5));
    wait(&mut hub, 1);
    let order = accepted(&mut hub);
    assert_eq!((order.quantity, order.price), (200, ASK), "it joins");
}
