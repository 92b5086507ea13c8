//! The books against a twin that keeps nothing but the list of fills.

use acth_core::{event::Side, instrument::InstrumentId, money::Money, portfolio::Portfolio};
use proptest::prelude::*;

use crate::support::{BTC, ETH, instruments};

#[derive(Clone, Copy, Debug)]
enum Step {
    Fill(InstrumentId, Side, i64, i64, i64),
    Mark(InstrumentId, i64),
}

/// Recomputes equity from the whole list each time.
#[derive(Default)]
struct Naive {
    steps: Vec<Step>,
}

impl Naive {
    const CASH: i128 = 5_000_000;

    fn scale(instrument: InstrumentId) -> i128 {
        if instrument == BTC {
            10i128.pow(7)
        } else {
            10i128.pow(12)
        }
    }

    /// Cash paid and received, quantity held and mark of one instrument.
    fn replay(&self, wanted: InstrumentId) -> (i128, i128, i128) {
        let (mut cash, mut held, mut mark) = (0, 0, None);
        for step in &self.steps {
            match *step {
                Step::Fill(instrument, side, price, quantity, fee) if instrument == wanted => {
                    let signed = i128::from(side.sign() * quantity);
                    cash -= signed * i128::from(price) * Self::scale(instrument);
                    cash -= i128::from(fee);
                    held += signed;
                    mark.get_or_insert(i128::from(price));
                }
                Step::Mark(instrument, price) if instrument == wanted => {
                    mark = Some(i128::from(price));
                }
                Step::Fill(..) | Step::Mark(..) => {}
            }
        }
        (cash, held, mark.unwrap_or(0) * held * Self::scale(wanted))
    }
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Bid), Just(Side::Ask)]
}

fn step() -> impl Strategy<Value = Step> {
    let instrument = || prop_oneof![Just(BTC), Just(ETH)];
    prop_oneof![
        3 => (instrument(), side(), -50i64..5000, 1i64..40, -300i64..300)
            .prop_map(|(id, side, price, quantity, fee)| Step::Fill(id, side, price, quantity, fee)),
        1 => (instrument(), -50i64..5000).prop_map(|(id, price)| Step::Mark(id, price)),
    ]
}

fn take(books: &mut Portfolio, step: Step) {
    match step {
        Step::Fill(instrument, side, price, quantity, fee) => {
            let fee = Money(i128::from(fee));
            books
                .apply_fill(instrument, side, price, quantity, fee)
                .unwrap();
        }
        Step::Mark(instrument, price) => books.mark(instrument, price).unwrap(),
    }
}

proptest! {
    #[test]
    fn the_books_equal_their_naive_twin(steps in prop::collection::vec(step(), 1..80)) {
        let mut books = Portfolio::new(&instruments(), Money(Naive::CASH));
        let mut naive = Naive::default();
        let mut equity_max = Naive::CASH;
        for step in steps {
            take(&mut books, step);
            naive.steps.push(step);
            prop_assert_eq!(books.check_conservation(), Ok(()));
            let (btc, eth) = (naive.replay(BTC), naive.replay(ETH));
            prop_assert_eq!(i128::from(books.position(BTC).quantity), btc.1);
            prop_assert_eq!(i128::from(books.position(ETH).quantity), eth.1);
            prop_assert_eq!(books.cash().0, Naive::CASH + btc.0 + eth.0);
            prop_assert_eq!(books.equity().0, books.cash().0 + btc.2 + eth.2);
            prop_assert_eq!(books.net_exposure().0, btc.2 + eth.2);
            prop_assert_eq!(books.gross_exposure().0, btc.2.abs() + eth.2.abs());
            let unrealised = books.unrealised(BTC) + books.unrealised(ETH);
            let by_profit = Money(Naive::CASH) + books.realised() + unrealised - books.fees();
            prop_assert_eq!(books.equity(), by_profit);
            equity_max = equity_max.max(books.equity().0);
            prop_assert_eq!(books.equity_max().0, equity_max);
            for id in [BTC, ETH] {
                let position = books.position(id);
                prop_assert!(position.quantity != 0 || position.cost == Money::ZERO);
            }
        }
    }

    /// Nothing panics, whatever comes; what is refused leaves the books balanced and unchanged.
    #[test]
    fn extremes_are_errors_not_panics(
        steps in prop::collection::vec(
            (side(), extreme(), extreme(), prop_oneof![Just(i128::MIN), Just(i128::MAX), -9i128..9], any::<bool>()),
            1..30,
        ),
    ) {
        let mut books = Portfolio::new(&instruments(), Money(Naive::CASH));
        for (side, price, quantity, fee, is_mark) in steps {
            let before = (books.equity(), books.position(ETH));
            let is_taken = if is_mark {
                books.mark(ETH, price).is_ok()
            } else {
                books.apply_fill(ETH, side, price, quantity, Money(fee)).is_ok()
            };
            prop_assert_eq!(books.check_conservation(), Ok(()));
            prop_assert!(is_taken || before == (books.equity(), books.position(ETH)));
        }
    }
}

fn extreme() -> impl Strategy<Value = i64> {
    prop_oneof![
        Just(i64::MIN),
        Just(i64::MIN + 1),
        Just(i64::MAX),
        Just(i64::MAX / 2),
        -3i64..4,
        any::<i64>(),
        (0u32..63).prop_map(|bits| 1i64 << bits),
    ]
}
