//! What may still trade, at every level at which a limit looks, against sums made anew from the open orders.

use acth_core::{
    decision::ClientOrderId,
    event::{ReportReason, Side},
    groups::Groups,
    instrument::InstrumentId,
    orders::{Order, OrderSignal, OrderTable},
    risk::OrderRequest,
};
use proptest::prelude::*;

use crate::portfolio_currencies::{MARGINS, table as instruments};

/// Money of one price mantissa times one quantity mantissa.
const SCALE: i128 = 10_000;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Agent, instrument, side, price, quantity.
    Insert(u16, u16, Side, i64, i64),
    /// Which order of those so far, and how much.
    Fill(usize, i64),
    Cancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Side::Bid), Just(Side::Ask)];
    prop_oneof![
        // Numbers out of range share the ends.
        3 => (0u16..18, 0u16..4, side, 1i64..5000, 1i64..40)
            .prop_map(|(agent, id, side, price, quantity)| Step::Insert(agent, id, side, price, quantity)),
        2 => (any::<usize>(), 1i64..20).prop_map(|(order, quantity)| Step::Fill(order, quantity)),
        1 => any::<usize>().prop_map(Step::Cancel),
    ]
}

fn take(table: &mut OrderTable, number: usize, count: &mut usize, step: Step) {
    let which = |order: usize, count: usize| ClientOrderId((order % count.max(1)) as u64);
    match step {
        Step::Insert(agent, id, side, price, quantity) => {
            let request = OrderRequest::limit(InstrumentId(id), side, price, quantity).by(agent);
            let order = Order::from_request(ClientOrderId(*count as u64), &request, 0);
            table.insert(order).unwrap();
            *count += 1;
        }
        Step::Fill(order, quantity) => {
            let _ = table.apply_fill(which(order, *count), quantity, number as u64);
        }
        Step::Cancel(order) => {
            let _ = table.apply(
                which(order, *count),
                OrderSignal::Cancel,
                ReportReason::None,
            );
        }
    }
}

/// Sum over the open orders that `is_part` chooses, each times its weight, in one currency.
fn sum(
    table: &OrderTable,
    currency: usize,
    weight: impl Fn(&Order) -> i128,
    is_part: impl Fn(&Order) -> bool,
) -> i128 {
    let is_euro = |order: &&Order| (order.instrument.0 == 1) == (currency == 1);
    let parts = table.open().filter(is_euro).filter(|order| is_part(order));
    parts
        .map(|order| i128::from(order.price) * i128::from(order.remaining()) * weight(order))
        .sum::<i128>()
        * SCALE
}

proptest! {
    #[test]
    fn the_sums_of_every_level_equal_sums_made_anew(steps in prop::collection::vec(step(), 1..60)) {
        let rows = instruments();
        let groups = Groups::new(&rows, "");
        let margin = |id: InstrumentId| MARGINS[id.index()];
        let mut table = OrderTable::with_groups(&rows, &groups, margin);
        let mut count = 0;
        for (number, step) in steps.into_iter().enumerate() {
            take(&mut table, number, &mut count, step);
            let sums = table.open_sums();
            for currency in 0..2 {
                let one = |_: &Order| 1;
                for side in [Side::Bid, Side::Ask] {
                    let anew = sum(&table, currency, one, |order| order.side == side);
                    prop_assert_eq!(sums.hub(side)[currency].0, anew);
                    for base in 0..2 {
                        let is_part = |order: &Order| {
                            order.side == side && (order.instrument.0 == 3) == (base == 1)
                        };
                        let anew = sum(&table, currency, one, is_part);
                        prop_assert_eq!(sums.base(base, side)[currency].0, anew);
                    }
                }
                for venue in 0..2 {
                    let anew = sum(&table, currency, one, |order| (order.instrument.0 > 1) == (venue == 1));
                    prop_assert_eq!(sums.venue(venue)[currency].0, anew);
                }
                for agent in 0..18 {
                    let is_part = |order: &Order| order.agent.clamp(1, 16) == agent.clamp(1, 16);
                    let anew = sum(&table, currency, one, is_part);
                    prop_assert_eq!(sums.agent(agent)[currency].0, anew);
                }
                let share = |order: &Order| i128::from(MARGINS[order.instrument.index()]);
                let anew = sum(&table, currency, share, |_| true);
                prop_assert_eq!(sums.margin()[currency].0, anew);
            }
        }
    }
}
