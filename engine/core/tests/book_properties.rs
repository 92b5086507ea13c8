//! The fast book against the naive one: every query after every random operation, with windows so narrow that the
//! market leaves them all the time, with bounds so low that levels are evicted, and at the ends of i64.

use acth_core::{
    book::{Book, naive},
    event::{Level, Side},
    hash::StateHasher,
};
use proptest::{collection::vec, prelude::*};

const SIDES: [Side; 2] = [Side::Bid, Side::Ask];

/// What can be done to a book.
#[derive(Clone, Debug)]
enum Operation {
    Clear,
    /// The market moves: later `Near` prices are around a new centre.
    Drift(i64),
    /// A price so many ticks from the centre.
    Near(Side, i64, i64),
    /// Any price at all.
    Any(Side, i64, i64),
    /// The best level is deleted.
    DeleteBest(Side),
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Bid), Just(Side::Ask)]
}

fn quantity() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(0i64), 6 => 1i64..50, 1 => Just(i64::MAX), 1 => Just(-1i64), 1 => Just(i64::MIN)]
}

fn operation() -> impl Strategy<Value = Operation> {
    let extreme = prop_oneof![
        any::<i64>(),
        Just(i64::MAX),
        Just(i64::MIN),
        i64::MAX - 500..i64::MAX,
        -5i64..300,
    ];
    let spread = prop_oneof![-40i64..40, -400i64..400, -20_000i64..20_000];
    prop_oneof![
        1 => Just(Operation::Clear),
        6 => (-300i64..300).prop_map(Operation::Drift),
        1 => (-20_000i64..20_000).prop_map(Operation::Drift),
        60 => (side(), spread, quantity()).prop_map(|(s, o, q)| Operation::Near(s, o, q)),
        6 => (side(), extreme, quantity()).prop_map(|(s, p, q)| Operation::Any(s, p, q)),
        10 => side().prop_map(Operation::DeleteBest),
    ]
}

fn compare<const PAGES: usize>(
    fast: &Book<PAGES>,
    plain: &naive::Book,
    price: i64,
) -> Result<(), TestCaseError> {
    let mut top = [Level::default(); 3];
    for side in SIDES {
        prop_assert_eq!(fast.best(side), plain.best(side));
        prop_assert_eq!(fast.depth(side), plain.depth(side));
        prop_assert_eq!(
            fast.quantity_at(side, price),
            plain.quantity_at(side, price)
        );
        prop_assert!(fast.levels(side).eq(plain.levels(side)));
        let count = fast.top(side, &mut top);
        prop_assert!(
            plain
                .levels(side)
                .take(top.len())
                .eq(top[..count].iter().copied())
        );
        for level in plain.levels(side) {
            prop_assert_eq!(fast.quantity_at(side, level.price), level.quantity);
        }
    }
    prop_assert_eq!(fast.is_crossed(), plain.is_crossed());
    prop_assert_eq!(fast.dropped_count(), plain.dropped_count());
    prop_assert_eq!(fast.refused_count(), plain.refused_count());
    prop_assert_eq!(fast.evicted_count(), plain.evicted_count());
    let mut hashers = [StateHasher::new(); 2];
    fast.digest(&mut hashers[0]);
    plain.digest(&mut hashers[1]);
    prop_assert_eq!(hashers[0].finish(), hashers[1].finish());
    Ok(())
}

fn run<const PAGES: usize>(
    tick: i64,
    levels_max: usize,
    first_centre: i64,
    operations: &[Operation],
) -> Result<(), TestCaseError> {
    let mut fast = Book::<PAGES>::with_bound(tick, levels_max);
    let mut plain = naive::Book::with_bound(tick, levels_max);
    let mut centre = first_centre;
    for operation in operations {
        let (side, price, quantity) = match *operation {
            Operation::Clear => {
                fast.clear();
                plain.clear();
                continue;
            }
            Operation::Drift(ticks) => {
                centre = centre.saturating_add(ticks.saturating_mul(tick));
                continue;
            }
            Operation::Near(side, ticks, quantity) => (
                side,
                centre.saturating_add(ticks.saturating_mul(tick)),
                quantity,
            ),
            Operation::Any(side, price, quantity) => (side, price, quantity),
            Operation::DeleteBest(side) => match plain.best(side) {
                Some(level) => (side, level.price, 0),
                None => continue,
            },
        };
        fast.set(side, Level { price, quantity });
        plain.set(side, Level { price, quantity });
        compare(&fast, &plain, price)?;
    }
    Ok(())
}

fn tick_and_centre() -> impl Strategy<Value = (i64, i64)> {
    prop_oneof![
        (Just(1i64), 1i64..100_000),
        (Just(10i64), (50i64..1_000_000).prop_map(|ticks| ticks * 10)),
        (prop_oneof![Just(3i64), Just(25), Just(64)], 1i64..1_000_000),
        (Just(1i64), i64::MAX - 1_000..i64::MAX),
        (Just(1i64 << 56), (1i64..127).prop_map(|ticks| ticks << 56)),
    ]
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(24_000))]
    #[test]
    fn narrow_windows(
        (tick, centre) in tick_and_centre(),
        levels_max in prop_oneof![1usize..20, Just(10_000)],
        operations in vec(operation(), 1..60),
    ) {
        run::<1>(tick, levels_max, centre, &operations)?;
        run::<4>(tick, levels_max, centre, &operations)?;
    }
}

proptest! {
    #![proptest_config(config(3_000))]
    #[test]
    fn windows_of_several_summary_words(
        (tick, centre) in tick_and_centre(),
        levels_max in prop_oneof![1usize..40, Just(2_000)],
        operations in vec(operation(), 1..150),
    ) {
        run::<128>(tick, levels_max, centre, &operations)?;
        run::<256>(tick, levels_max, centre, &operations)?;
    }
}

/// A level as a test writes it.
fn level(price: i64, quantity: i64) -> Level {
    Level { price, quantity }
}

#[test]
fn what_is_refused_is_counted_and_changes_nothing() {
    let mut book = Book::new(10);
    book.set(Side::Bid, level(100, 5));
    for price in [0, -10, i64::MIN, i64::MAX, 101, 109, 95] {
        book.set(Side::Bid, level(price, 7));
    }
    book.set(Side::Bid, level(100, -1));
    assert_eq!(
        (
            book.refused_count(),
            book.evicted_count(),
            book.dropped_count()
        ),
        (8, 0, 8)
    );
    assert!(book.levels(Side::Bid).eq([level(100, 5)]));
}

#[test]
fn the_digest_does_not_see_where_the_window_lies() {
    let levels = [
        level(5_000_000, 1),
        level(4_999_990, 2),
        level(900, 3),
        level(4_000_000, 4),
    ];
    let mut hashes = Vec::new();
    for detour in [0, 1_000_000, 4_980_000, 5_010_000] {
        let mut book = Book::new(1);
        if detour != 0 {
            book.set(Side::Bid, level(detour, 9));
        }
        for level in levels {
            book.set(Side::Bid, level);
        }
        if detour != 0 {
            book.set(Side::Bid, level(detour, 0));
        }
        let mut hasher = StateHasher::new();
        book.digest(&mut hasher);
        hashes.push(hasher.finish());
    }
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    let mut other = Book::new(1);
    other.set(Side::Bid, levels[0]);
    let mut hasher = StateHasher::new();
    other.digest(&mut hasher);
    assert_ne!(hasher.finish(), hashes[0]);
}

#[test]
fn a_side_beyond_its_bound_forgets_its_worst_levels() {
    let mut book = Book::<4>::with_bound(1, 32);
    for price in 1..=33 {
        book.set(Side::Ask, level(price * 1_000, price));
    }
    assert_eq!(book.evicted_count(), 2);
    assert_eq!(book.depth(Side::Ask), 31);
    assert!(
        book.levels(Side::Ask)
            .map(|level| level.quantity)
            .eq(1..=31)
    );
}
