//! The table of orders at its bounds, and against a naive twin.

use acth_core::{
    decision::ClientOrderId,
    event::{ReportReason, Side},
    instrument::InstrumentId,
    money::Money,
    orders::{
        EXECUTIONS_MAX, OPEN_ORDERS_MAX, Order, OrderError, OrderSignal, OrderState, OrderTable,
        OrderTableError, RECENT_ORDERS_MAX,
    },
    risk::OrderRequest,
};
use proptest::prelude::*;

use crate::support::{BTC, ETH, hash_of, instruments};

fn order(id: u64, instrument: InstrumentId, side: Side, price: i64, quantity: i64) -> Order {
    let request = OrderRequest::limit(instrument, side, price, quantity);
    Order::from_request(ClientOrderId(id), &request, 0)
}

fn full_table() -> OrderTable {
    let mut table = OrderTable::new(&instruments());
    for id in 0..OPEN_ORDERS_MAX as u64 {
        table.insert(order(id, BTC, Side::Bid, 100, 1)).unwrap();
    }
    table
}

fn cancel(table: &mut OrderTable, id: u64) {
    table
        .apply(
            ClientOrderId(id),
            OrderSignal::Cancel,
            ReportReason::Requested,
        )
        .unwrap();
}

#[test]
fn the_bound_on_open_orders_holds_and_frees() {
    let mut table = full_table();
    let more = order(1000, BTC, Side::Bid, 100, 1);
    let full = OrderTableError::Full {
        id: 1000,
        bound: OPEN_ORDERS_MAX,
    };
    assert_eq!(table.insert(more), Err(full));
    assert_eq!(table.open_count(), OPEN_ORDERS_MAX);
    cancel(&mut table, 17);
    assert_eq!(table.insert(more), Ok(()));
    let ids: Vec<u64> = table.open().map(|order| order.id.0).collect();
    let expected: Vec<u64> = (0..256).filter(|id| *id != 17).chain([1000]).collect();
    assert_eq!(ids, expected, "open orders come in the order of insertion");
}

#[test]
fn late_reports_find_exactly_the_recent_orders() {
    let mut table = OrderTable::new(&instruments());
    let count = RECENT_ORDERS_MAX as u64 + 1;
    for id in 0..count {
        table.insert(order(id, BTC, Side::Ask, 100, 1)).unwrap();
        cancel(&mut table, id);
    }
    assert!(!table.contains(ClientOrderId(0)), "the oldest is forgotten");
    assert!(table.contains(ClientOrderId(1)));
    assert_eq!(
        table.apply_fill(ClientOrderId(0), 1, 5),
        Err(OrderError::Unknown { id: 0 })
    );
    assert_eq!(table.counts().unknown, 1);
    let recent: Vec<u64> = table.recent().map(|order| order.id.0).collect();
    assert_eq!(recent, (1..count).collect::<Vec<_>>());
    let again = order(1, BTC, Side::Ask, 100, 1);
    assert_eq!(
        table.insert(again),
        Err(OrderTableError::Duplicate { id: 1 })
    );
}

/// Every slot is used again, and an order's old neighbours do not follow it from one chain to the next.
#[test]
fn orders_may_come_and_go_for_ever() {
    let mut table = full_table();
    let count = 3 * (OPEN_ORDERS_MAX + RECENT_ORDERS_MAX) as u64;
    for id in 256..count {
        // Neither the oldest nor the newest of those that are open.
        cancel(&mut table, id - 100);
        table.insert(order(id, BTC, Side::Bid, 100, 1)).unwrap();
    }
    let ids = |orders: Vec<&Order>| orders.iter().map(|order| order.id.0).collect::<Vec<_>>();
    let recent = ids(table.recent().collect());
    let ended = count - 100 - RECENT_ORDERS_MAX as u64..count - 100;
    assert_eq!(recent, ended.collect::<Vec<_>>());
    let open: Vec<u64> = (0..156).chain(count - 100..count).collect();
    assert_eq!(ids(table.open().collect()), open);
    assert_eq!(ids(table.open_of(BTC).collect()), open);
}

#[test]
fn only_new_orders_of_known_instruments_enter() {
    let mut table = OrderTable::new(&instruments());
    let mut started = order(1, BTC, Side::Bid, 100, 5);
    started.filled = 1;
    assert_eq!(
        table.insert(started),
        Err(OrderTableError::NotNew { id: 1 })
    );
    let mut working = order(1, BTC, Side::Bid, 100, 5);
    working.state = OrderState::Working;
    assert_eq!(
        table.insert(working),
        Err(OrderTableError::NotNew { id: 1 })
    );
    for quantity in [0, -1, i64::MIN] {
        let none = order(1, BTC, Side::Bid, 100, quantity);
        assert_eq!(table.insert(none), Err(OrderTableError::NotNew { id: 1 }));
    }
    let stranger = order(1, InstrumentId(2), Side::Bid, 100, 5);
    assert_eq!(
        table.insert(stranger),
        Err(OrderTableError::UnknownInstrument {
            id: 1,
            instrument: 2
        })
    );
    assert_eq!(table.open_count_of(InstrumentId(2)), 0);
    assert_eq!(table.open_quantity(InstrumentId(2), Side::Bid), 0);
    assert_eq!(table.open_of(InstrumentId(2)).count(), 0);
    assert_eq!(table.open_count(), 0);
}

#[test]
fn sums_that_would_overflow_are_refused_whole() {
    let mut table = OrderTable::new(&instruments());
    let overflow = |id| Err(OrderTableError::Overflow { id });
    // Notional beyond what the gate reckons with, then a price without a positive counterpart.
    assert_eq!(
        table.insert(order(1, ETH, Side::Bid, i64::MAX, i64::MAX)),
        overflow(1)
    );
    assert_eq!(
        table.insert(order(1, ETH, Side::Bid, i64::MIN, 1)),
        overflow(1)
    );
    // A price of zero has no notional: here only the quantity overflows.
    table.insert(order(1, ETH, Side::Bid, 0, i64::MAX)).unwrap();
    assert_eq!(table.insert(order(2, ETH, Side::Bid, 0, 1)), overflow(2));
    table.insert(order(3, ETH, Side::Ask, 0, i64::MAX)).unwrap();
    assert_eq!(table.open_quantity(ETH, Side::Bid), i64::MAX);
    assert_eq!(table.open_count(), 2);
    assert!(!table.contains(ClientOrderId(2)));
}

#[test]
fn fills_beyond_the_order_or_of_nothing_are_refused() {
    let mut table = OrderTable::new(&instruments());
    let id = ClientOrderId(9);
    table.insert(order(9, BTC, Side::Bid, 100, 10)).unwrap();
    table.apply_fill(id, 4, 1).unwrap();
    let overfill = OrderError::Overfill {
        id: 9,
        quantity: 7,
        remaining: 6,
    };
    assert_eq!(table.apply_fill(id, 7, 2), Err(overfill));
    assert_eq!(
        table.apply_fill(id, 7, 2),
        Err(overfill),
        "a refused fill is not remembered"
    );
    for quantity in [0, -1, i64::MIN] {
        let refused = OrderError::FillQuantity { id: 9, quantity };
        assert_eq!(table.apply_fill(id, quantity, 3), Err(refused));
        assert!(!refused.is_benign());
    }
    for signal in [OrderSignal::FillPart, OrderSignal::FillWhole] {
        let refused = table.apply(id, signal, ReportReason::None);
        assert_eq!(refused, Err(OrderError::FillSignal { id: 9 }));
    }
    assert_eq!(table.get(id).unwrap().filled, 4);
    assert_eq!(table.counts().refused_fills, 5);
    let whole = table.apply_fill(id, 6, 2).unwrap();
    assert!(whole.is_final());
    assert_eq!(whole.to, OrderState::Filled);
    assert_eq!(whole.remaining, 0);
}

#[test]
fn a_repeated_fill_counts_once_per_order_as_long_as_it_is_remembered() {
    let mut table = OrderTable::new(&instruments());
    table
        .insert(order(1, BTC, Side::Bid, 100, i64::from(u16::MAX)))
        .unwrap();
    table.insert(order(2, BTC, Side::Ask, 100, 10)).unwrap();
    table.apply_fill(ClientOrderId(1), 1, 0).unwrap();
    // Both sides of a trade with ourselves carry one execution id.
    table.apply_fill(ClientOrderId(2), 1, 0).unwrap();
    let again = table.apply_fill(ClientOrderId(1), 1, 0).unwrap_err();
    assert!(again.is_benign(), "{again}");
    assert_eq!(table.get(ClientOrderId(1)).unwrap().filled, 1);
    for execution_id in 1..EXECUTIONS_MAX as u64 - 1 {
        table.apply_fill(ClientOrderId(1), 1, execution_id).unwrap();
    }
    // The ring is full and the first fill is its oldest: still known.
    assert!(table.apply_fill(ClientOrderId(1), 1, 0).is_err());
    table.apply_fill(ClientOrderId(1), 1, 1 << 40).unwrap();
    assert!(
        table.apply_fill(ClientOrderId(1), 1, 0).is_ok(),
        "pushed out of the ring"
    );
    assert_eq!(table.counts().duplicate_executions, 2);
}

#[test]
fn best_prices_are_the_nearest_to_the_market() {
    let mut table = OrderTable::new(&instruments());
    let rows = [
        (1, Side::Bid, 90),
        (2, Side::Bid, 95),
        (3, Side::Ask, 110),
        (4, Side::Ask, 105),
    ];
    for (id, side, price) in rows {
        table.insert(order(id, ETH, side, price, 1)).unwrap();
    }
    table.insert(order(5, BTC, Side::Bid, 99, 1)).unwrap();
    assert_eq!(table.best_price(ETH, Side::Bid), Some(95));
    assert_eq!(table.best_price(ETH, Side::Ask), Some(105));
    assert_eq!(table.best_price(BTC, Side::Ask), None);
    cancel(&mut table, 2);
    assert_eq!(table.best_price(ETH, Side::Bid), Some(90));
    assert_eq!(
        table.open_notional(),
        Money::from_units(90 + 110 + 105) + Money(99 * 10i128.pow(7))
    );
    assert_eq!(table.open_sums().margin(), [Money::ZERO], "none is asked");
}

#[test]
fn the_digest_sees_every_part_of_the_state() {
    let start = || {
        let mut table = OrderTable::new(&instruments());
        table.insert(order(1, BTC, Side::Bid, 100, 10)).unwrap();
        table.insert(order(2, BTC, Side::Ask, 120, 10)).unwrap();
        table
    };
    let id = ClientOrderId(1);
    let steps: [fn(&mut OrderTable, ClientOrderId) -> bool; 7] = [
        |_, _| true,
        |table, id| {
            table
                .apply(id, OrderSignal::Accept, ReportReason::None)
                .is_ok()
        },
        |table, id| {
            table
                .apply(id, OrderSignal::RequestCancel, ReportReason::None)
                .is_ok()
        },
        |table, id| {
            table
                .apply(id, OrderSignal::CancelReject, ReportReason::None)
                .is_ok()
        },
        |table, id| table.apply_fill(id, 3, 1).is_ok(),
        |table, id| table.apply_fill(id, 3, 2).is_ok(),
        |table, id| {
            table
                .apply(id, OrderSignal::Cancel, ReportReason::None)
                .is_ok()
        },
    ];
    let mut hashes = Vec::new();
    for step in steps {
        let (mut table, mut twin) = (start(), start());
        assert!(step(&mut table, id) && step(&mut twin, id));
        let hash = hash_of(|hasher| table.digest(hasher));
        assert_eq!(hash, hash_of(|hasher| twin.digest(hasher)));
        hashes.push(hash);
    }
    let count = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), count, "two different states have one hash");
}

/// The same table in the plainest form: a list of all orders ever, sums computed anew.
#[derive(Default)]
struct Naive {
    orders: Vec<Order>,
    executions: Vec<(u64, u64)>,
}

impl Naive {
    fn open_quantity(&self, instrument: InstrumentId, side: Side) -> i64 {
        let open = self.orders.iter().filter(|order| order.state.is_open());
        open.filter(|order| order.instrument == instrument && order.side == side)
            .map(|order| order.quantity - order.filled)
            .sum()
    }

    fn fill(&mut self, id: u64, quantity: i64, execution_id: u64) -> bool {
        let is_repeated = self.executions.contains(&(id, execution_id));
        let Some(order) = self.orders.iter_mut().find(|order| order.id.0 == id) else {
            return false;
        };
        if is_repeated || quantity > order.quantity - order.filled {
            return false;
        }
        self.executions.push((id, execution_id));
        order.filled += quantity;
        true
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Insert(u64, bool, bool, i64),
    Fill(u64, i64, u64),
    Signal(u64, OrderSignal),
}

fn step() -> impl Strategy<Value = Step> {
    // Ids that differ only in high bits crowd the index.
    let id = (0u64..24).prop_map(|id| id << 40);
    prop_oneof![
        3 => (id.clone(), any::<bool>(), any::<bool>(), 1i64..20)
            .prop_map(|(id, is_btc, is_bid, quantity)| Step::Insert(id, is_btc, is_bid, quantity)),
        3 => (id.clone(), 1i64..12, 0u64..6).prop_map(|(id, quantity, execution)| {
            Step::Fill(id, quantity, execution)
        }),
        3 => (id, 0usize..7).prop_map(|(id, code)| Step::Signal(id, OrderSignal::ALL[code])),
    ]
}

fn take(table: &mut OrderTable, naive: &mut Naive, step: Step) -> Result<(), TestCaseError> {
    match step {
        Step::Insert(id, is_btc, is_bid, quantity) => {
            let instrument = if is_btc { BTC } else { ETH };
            let side = if is_bid { Side::Bid } else { Side::Ask };
            let new = order(id, instrument, side, 50 + quantity, quantity);
            let is_known = naive.orders.iter().any(|order| order.id == new.id);
            prop_assert_eq!(table.insert(new).is_ok(), !is_known);
            if !is_known {
                naive.orders.push(new);
            }
        }
        Step::Fill(id, quantity, execution_id) => {
            let change = table.apply_fill(ClientOrderId(id), quantity, execution_id);
            prop_assert_eq!(change.is_ok(), naive.fill(id, quantity, execution_id));
        }
        Step::Signal(id, signal) => {
            let _ = table.apply(ClientOrderId(id), signal, ReportReason::None);
        }
    }
    // Lifecycles have their own test: the twin takes the states over and checks the sums.
    for order in &mut naive.orders {
        let held = table
            .get(order.id)
            .expect("fewer orders than the recent bound");
        prop_assert_eq!(held.filled, order.filled);
        order.state = held.state;
    }
    Ok(())
}

proptest! {
    #[test]
    fn the_table_equals_its_naive_twin(steps in prop::collection::vec(step(), 1..120)) {
        let mut table = OrderTable::new(&instruments());
        let mut naive = Naive::default();
        for step in steps {
            take(&mut table, &mut naive, step)?;
            let mut notional = Money::ZERO;
            for (instrument, scale) in [(BTC, 10i128.pow(7)), (ETH, 10i128.pow(12))] {
                for side in [Side::Bid, Side::Ask] {
                    let expected = naive.open_quantity(instrument, side);
                    prop_assert_eq!(table.open_quantity(instrument, side), expected);
                }
                let open: Vec<&Order> = naive.orders.iter()
                    .filter(|order| order.state.is_open() && order.instrument == instrument)
                    .collect();
                let held: Vec<&Order> = table.open_of(instrument).collect();
                prop_assert_eq!(held.len(), table.open_count_of(instrument));
                prop_assert!(held.iter().map(|order| order.id).eq(open.iter().map(|order| order.id)));
                for order in open {
                    notional += Money(i128::from(order.price) * i128::from(order.remaining()) * scale);
                }
            }
            prop_assert_eq!(table.open_notional(), notional);
            let open = naive.orders.iter().filter(|order| order.state.is_open());
            prop_assert!(table.open().map(|order| order.id).eq(open.map(|order| order.id)));
        }
    }
}
