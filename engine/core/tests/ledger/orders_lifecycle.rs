//! Every state against every signal, once as data and once through the table of orders.

use acth_core::{
    decision::ClientOrderId,
    event::{ReportReason, Side},
    orders::{Order, OrderError, OrderSignal, OrderState, OrderTable, TRANSITIONS, Transition},
    risk::OrderRequest,
};

use crate::support::{BTC, instruments};

const ID: ClientOrderId = ClientOrderId(7);
const QUANTITY: i64 = 10;

/// The lifecycle written a second time, by hand, as words. `partial*` and the like are states after the signal;
/// `stay` and `illegal` leave the state. Rows that begin with `cancelling/` wait for a cancel that came in that state.
const EXPECTED: &str = "
state                  Accept                 Reject   FillPart               FillWhole RequestCancel            Cancel    CancelReject
PendingNew             Working                Rejected PartiallyFilled        Filled    cancelling/PendingNew    Cancelled stay
Working                stay                   Rejected PartiallyFilled        Filled    cancelling/Working       Cancelled stay
PartiallyFilled        stay                   illegal  PartiallyFilled        Filled    cancelling/PartiallyFilled Cancelled stay
cancelling/PendingNew  cancelling/Working     Rejected cancelling/PartiallyFilled Filled stay                    Cancelled PendingNew
cancelling/Working     stay                   Rejected cancelling/PartiallyFilled Filled stay                    Cancelled Working
cancelling/PartiallyFilled stay               illegal  cancelling/PartiallyFilled Filled stay                    Cancelled PartiallyFilled
Cancelled              stay                   illegal  stay                   stay      stay                     stay      stay
Rejected               stay                   stay     illegal                illegal   stay                     stay      stay
Filled                 stay                   illegal  -                      -         stay                     stay      stay
";

fn table_in(state: &str) -> OrderTable {
    let mut table = OrderTable::new(&instruments());
    let request = OrderRequest::limit(BTC, Side::Bid, 100, QUANTITY);
    table.insert(Order::from_request(ID, &request, 0)).unwrap();
    let (prefix, base) = match state.split_once('/') {
        Some((prefix, base)) => (Some(prefix), base),
        None => (None, state),
    };
    let steps: &[OrderSignal] = match base {
        "PendingNew" => &[],
        "Working" => &[OrderSignal::Accept],
        "PartiallyFilled" => &[OrderSignal::Accept, OrderSignal::FillPart],
        "Cancelled" => &[OrderSignal::Cancel],
        "Rejected" => &[OrderSignal::Reject],
        "Filled" => &[OrderSignal::FillWhole],
        other => panic!("no such state: {other}"),
    };
    for (number, signal) in steps.iter().enumerate() {
        send(&mut table, *signal, 100 + number as u64).unwrap();
    }
    if prefix.is_some() {
        send(&mut table, OrderSignal::RequestCancel, 0).unwrap();
    }
    assert_eq!(state_of(&table), state);
    table
}

fn send(
    table: &mut OrderTable,
    signal: OrderSignal,
    execution_id: u64,
) -> Result<Transition, OrderError> {
    let remaining = table.get(ID).unwrap().remaining();
    let change = match signal {
        OrderSignal::FillPart => table.apply_fill(ID, 1, execution_id),
        OrderSignal::FillWhole => table.apply_fill(ID, remaining, execution_id),
        other => table.apply(ID, other, ReportReason::None),
    };
    change.map(|change| change.transition)
}

fn state_of(table: &OrderTable) -> String {
    let order = table.get(ID).unwrap();
    match order.state {
        OrderState::PendingCancel => format!("cancelling/{}", order.beneath().name()),
        state => state.name().to_string(),
    }
}

#[test]
fn every_signal_in_every_state_does_what_the_words_say() {
    let mut lines = EXPECTED.trim().lines();
    let signals: Vec<&str> = lines.next().unwrap().split_whitespace().skip(1).collect();
    let mut pairs = 0;
    for line in lines {
        let mut words = line.split_whitespace();
        let state = words.next().unwrap();
        for (signal, expected) in OrderSignal::ALL.into_iter().zip(words) {
            assert_eq!(signal.name(), signals[signal as usize - 1]);
            let mut table = table_in(state);
            let counts = table.counts();
            let transition = send(&mut table, signal, 999);
            pairs += 1;
            let place = format!("{state} on {}", signal.name());
            match expected {
                // Nothing is left to fill: the quantity is refused before the lifecycle is asked.
                "-" => assert!(transition.is_err(), "{place}"),
                "stay" => {
                    assert_eq!(transition, Ok(Transition::Stay), "{place}");
                    assert_eq!(state_of(&table), state, "{place}");
                    assert_eq!(table.counts().stayed, counts.stayed + 1, "{place}");
                }
                "illegal" => {
                    assert_eq!(transition, Ok(Transition::Illegal), "{place}");
                    assert_eq!(state_of(&table), state, "{place}");
                    assert_eq!(table.counts().illegal, counts.illegal + 1, "{place}");
                }
                moved => {
                    assert_eq!(state_of(&table), moved, "{place}");
                    assert!(matches!(transition, Ok(Transition::To(_))), "{place}");
                    assert_eq!(table.counts(), counts, "{place}");
                }
            }
        }
    }
    assert_eq!(pairs, 9 * OrderSignal::ALL.len());
}

/// How far along a state is; a pending cancel is as far as what lies beneath.
fn rank(order: &Order) -> u32 {
    match order.beneath() {
        OrderState::PendingNew => 0,
        OrderState::Working => 1,
        OrderState::PartiallyFilled => 2,
        OrderState::PendingCancel => panic!("a cancel cannot lie beneath a cancel"),
        OrderState::Filled | OrderState::Cancelled | OrderState::Rejected => 3,
    }
}

#[test]
fn no_sequence_of_four_signals_moves_an_order_back() {
    let count = OrderSignal::ALL.len();
    for code in 0..count.pow(4) {
        let mut table = table_in("PendingNew");
        let mut rank_before = 0;
        for step in 0..4u32 {
            let signal = OrderSignal::ALL[code / count.pow(step) % count];
            let before = *table.get(ID).unwrap();
            let _ = send(&mut table, signal, u64::from(step));
            let after = table.get(ID).unwrap();
            assert!(rank(after) >= rank_before, "{before:?} on {signal:?}");
            if before.state.is_final() {
                assert_eq!(after.state, before.state, "final states absorb");
            }
            let is_pending = after.state == OrderState::PendingCancel;
            assert!(is_pending || after.beneath() == after.state, "{after:?}");
            let open = if after.state.is_open() {
                after.remaining()
            } else {
                0
            };
            assert_eq!(table.open_quantity(BTC, Side::Bid), open);
            assert_eq!(table.open_count(), usize::from(after.state.is_open()));
            rank_before = rank(after);
        }
    }
}

#[test]
fn the_table_as_data_matches_its_codes() {
    for (row, state) in TRANSITIONS.iter().zip(OrderState::ALL) {
        assert_eq!(OrderState::from_code(state as u8), Some(state));
        for (transition, signal) in row.iter().zip(OrderSignal::ALL) {
            assert_eq!(state.on(signal), *transition);
            let is_moving = matches!(transition, Transition::To(_) | Transition::Back);
            assert!(!(state.is_final() && is_moving), "{state:?} on {signal:?}");
        }
    }
    assert_eq!(OrderState::from_code(0), None);
    assert_eq!(OrderState::from_code(8), None);
    let codes: Vec<_> = OrderState::ALL
        .map(|state| (state as u8, state.name()))
        .into();
    assert_eq!(
        codes,
        [
            (1, "PendingNew"),
            (2, "Working"),
            (3, "PartiallyFilled"),
            (4, "PendingCancel"),
            (5, "Filled"),
            (6, "Cancelled"),
            (7, "Rejected"),
        ]
    );
}

#[test]
fn a_fill_that_overtook_the_cancel_report_is_still_booked() {
    let mut table = table_in("cancelling/Working");
    table
        .apply(ID, OrderSignal::Cancel, ReportReason::Requested)
        .unwrap();
    let change = table.apply_fill(ID, 4, 1).unwrap();
    assert_eq!(change.quantity, 4);
    assert_eq!(change.remaining, 6);
    assert_eq!(change.transition, Transition::Stay);
    assert!(!change.is_final() && !change.is_illegal());
    assert_eq!(table.get(ID).unwrap().filled, 4);
    assert_eq!(table.open_quantity(BTC, Side::Bid), 0);
    assert!(table.open_notional() == acth_core::money::Money::ZERO);
}

#[test]
fn a_fill_of_a_rejected_order_is_booked_and_raises_the_alarm() {
    let mut table = table_in("Rejected");
    let change = table.apply_fill(ID, 4, 1).unwrap();
    assert!(change.is_illegal());
    assert_eq!(change.quantity, 4);
    assert_eq!(change.to, OrderState::Rejected);
}
