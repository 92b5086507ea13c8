//! The matching engine against a naive twin that keeps one list of orders, and against the rules of price-time
//! priority themselves.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use acth_core::event::{Level, Side};
use acth_sim::matching::{
    Execution, Instruction, MatchObserver, MatchingEngine, OrderHandle, Refusal,
};
use proptest::prelude::*;

/// Trades, and the id of what was booked.
type NaivePlaced = (Vec<(u32, i64, i64)>, Option<usize>);

/// One list of orders, oldest first, searched from end to end for every question.
#[derive(Default)]
struct Naive {
    orders: Vec<NaiveOrder>,
    next_id: usize,
}

#[derive(Clone, Copy)]
struct NaiveOrder {
    id: usize,
    side: Side,
    price: i64,
    quantity: i64,
    owner: u32,
}

impl Naive {
    fn best(&self, side: Side) -> Option<i64> {
        let prices = self.orders.iter().filter(|o| o.side == side);
        prices
            .map(|o| o.price * side.sign())
            .max()
            .map(|key| key * side.sign())
    }

    fn quantity_at(&self, side: Side, price: i64) -> i64 {
        let here = |o: &&NaiveOrder| o.side == side && o.price == price;
        self.orders.iter().filter(here).map(|o| o.quantity).sum()
    }

    fn would_take(&self, side: Side, price: i64) -> bool {
        self.best(side.opposite())
            .is_some_and(|best| (price - best) * side.sign() >= 0)
    }

    /// Trades (maker owner, price, quantity), and the id of what was booked.
    fn place(
        &mut self,
        side: Side,
        price: i64,
        quantity: i64,
        owner: u32,
        instruction: Instruction,
    ) -> Option<NaivePlaced> {
        if instruction == Instruction::PostOnly && self.would_take(side, price) {
            return None;
        }
        let (mut left, mut trades) = (quantity, Vec::new());
        while left > 0 && self.would_take(side, price) {
            let best = self.best(side.opposite()).unwrap();
            let first = self
                .orders
                .iter_mut()
                .find(|o| o.side == side.opposite() && o.price == best)
                .unwrap();
            let traded = left.min(first.quantity);
            first.quantity -= traded;
            left -= traded;
            trades.push((first.owner, best, traded));
            self.orders.retain(|o| o.quantity > 0);
        }
        if left == 0 || instruction == Instruction::ImmediateOrCancel {
            return Some((trades, None));
        }
        self.next_id += 1;
        let id = self.next_id;
        self.orders.push(NaiveOrder {
            id,
            side,
            price,
            quantity: left,
            owner,
        });
        Some((trades, Some(id)))
    }

    fn cancel(&mut self, id: usize) -> Option<i64> {
        let index = self.orders.iter().position(|o| o.id == id)?;
        Some(self.orders.remove(index).quantity)
    }
}

/// Keeps what the engine reported, and the levels as they were reported.
#[derive(Default)]
struct Recorder {
    trades: Vec<(u32, i64, i64)>,
    levels: std::collections::BTreeMap<(u8, i64), i64>,
}

impl MatchObserver for Recorder {
    fn executed(&mut self, execution: &Execution) {
        let Execution {
            maker_owner,
            price,
            quantity,
            ..
        } = *execution;
        self.trades.push((maker_owner, price, quantity));
    }
    fn level_changed(&mut self, side: Side, price: i64, quantity: i64) {
        if quantity == 0 {
            self.levels.remove(&(side as u8, price));
        } else {
            self.levels.insert((side as u8, price), quantity);
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Place {
        is_bid: bool,
        price: i64,
        quantity: i64,
        how: u8,
    },
    Cancel {
        which: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (any::<bool>(), 90i64..110, 1i64..50, 0u8..3)
            .prop_map(|(is_bid, price, quantity, how)| Step::Place { is_bid, price, quantity, how }),
        1 => (0usize..400).prop_map(|which| Step::Cancel { which }),
    ]
}

fn instruction(how: u8) -> Instruction {
    [
        Instruction::Limit,
        Instruction::ImmediateOrCancel,
        Instruction::PostOnly,
    ][how as usize]
}

fn assert_same_book(engine: &MatchingEngine, naive: &Naive, recorder: &Recorder) {
    for side in [Side::Bid, Side::Ask] {
        assert_eq!(engine.best(side).map(|l| l.price), naive.best(side));
        let mut last_key = i64::MAX;
        for level in engine.depth(side) {
            assert!(level.price * side.sign() < last_key, "levels out of order");
            last_key = level.price * side.sign();
            assert_eq!(level.quantity, naive.quantity_at(side, level.price));
            assert_eq!(
                recorder.levels.get(&(side as u8, level.price)),
                Some(&level.quantity)
            );
        }
    }
    let levels = engine.level_count(Side::Bid) + engine.level_count(Side::Ask);
    assert_eq!(levels, recorder.levels.len());
    assert_eq!(engine.order_count(), naive.orders.len());
    if let (Some(bid), Some(ask)) = (engine.best(Side::Bid), engine.best(Side::Ask)) {
        assert!(bid.price < ask.price, "crossed: {bid:?} {ask:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn agrees_with_the_naive_twin(steps in proptest::collection::vec(step(), 1..400)) {
        let mut engine = MatchingEngine::new(512, 64);
        let mut naive = Naive::default();
        let mut recorder = Recorder::default();
        let mut booked: Vec<(OrderHandle, usize)> = Vec::new();
        let (mut asked, mut traded, mut cancelled, mut dropped) = (0i64, 0i64, 0i64, 0i64);
        for (owner, step) in steps.into_iter().enumerate() {
            match step {
                Step::Place { is_bid, price, quantity, how } => {
                    let side = if is_bid { Side::Bid } else { Side::Ask };
                    let how = instruction(how);
                    recorder.trades.clear();
                    let got = engine.place(side, price, quantity, owner as u32, how, &mut recorder);
                    let expected = naive.place(side, price, quantity, owner as u32, how);
                    match (got, expected) {
                        (Ok(placed), Some((trades, id))) => {
                            prop_assert_eq!(&recorder.trades, &trades);
                            prop_assert_eq!(placed.handle.is_some(), id.is_some());
                            if let (Some(handle), Some(id)) = (placed.handle, id) {
                                booked.push((handle, id));
                            }
                            asked += quantity;
                            traded += placed.filled;
                            dropped += quantity - placed.filled - placed.resting;
                        }
                        (Err(Refusal::WouldTake), None) => {}
                        (got, expected) => prop_assert!(false, "{got:?} against {expected:?}"),
                    }
                }
                Step::Cancel { which } => {
                    if booked.is_empty() {
                        continue;
                    }
                    let (handle, id) = booked[which % booked.len()];
                    let got = engine.cancel(handle, &mut recorder);
                    prop_assert_eq!(got, naive.cancel(id));
                    cancelled += got.unwrap_or(0);
                }
            }
            assert_same_book(&engine, &naive, &recorder);
        }
        let resting: i64 = [Side::Bid, Side::Ask]
            .into_iter()
            .flat_map(|side| engine.depth(side).map(|l| l.quantity).collect::<Vec<_>>())
            .sum();
        prop_assert_eq!(asked, 2 * traded + cancelled + dropped + resting, "quantity is conserved");
    }
}

#[test]
fn first_come_first_served_at_a_price() {
    let mut engine = MatchingEngine::new(16, 16);
    let mut recorder = Recorder::default();
    for owner in 1..=3 {
        engine
            .place(Side::Ask, 100, 10, owner, Instruction::Limit, &mut recorder)
            .unwrap();
    }
    let placed = engine
        .place(
            Side::Bid,
            100,
            15,
            9,
            Instruction::ImmediateOrCancel,
            &mut recorder,
        )
        .unwrap();
    assert_eq!(recorder.trades, [(1, 100, 10), (2, 100, 5)]);
    assert_eq!(
        (placed.filled, placed.resting, placed.handle),
        (15, 0, None)
    );
    assert_eq!(
        engine.best(Side::Ask),
        Some(Level {
            price: 100,
            quantity: 15
        })
    );
}

#[test]
fn bounds_refuse_and_change_nothing() {
    let mut engine = MatchingEngine::new(2, 1);
    let handle = engine
        .place(Side::Bid, 100, 1, 0, Instruction::Limit, &mut ())
        .unwrap()
        .handle;
    let full = engine.place(Side::Bid, 99, 1, 0, Instruction::Limit, &mut ());
    assert_eq!(full, Err(Refusal::Full), "one level a side");
    engine
        .place(Side::Bid, 100, 1, 0, Instruction::Limit, &mut ())
        .unwrap();
    let full = engine.place(Side::Bid, 100, 1, 0, Instruction::Limit, &mut ());
    assert_eq!(full, Err(Refusal::Full), "two orders in all");
    assert_eq!(engine.cancel(handle.unwrap(), &mut ()), Some(1));
    assert_eq!(
        engine.cancel(handle.unwrap(), &mut ()),
        None,
        "a spent handle names nothing"
    );
    let again = engine
        .place(Side::Bid, 100, 5, 0, Instruction::Limit, &mut ())
        .unwrap();
    assert_eq!(
        engine.cancel(handle.unwrap(), &mut ()),
        None,
        "nor the slot's next order"
    );
    assert_eq!(
        engine.order(again.handle.unwrap()),
        Some(Level {
            price: 100,
            quantity: 5
        })
    );
}
