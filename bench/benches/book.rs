//! The book and its naive twin on the same changes: near the touch, far from it, the best, the top ten.

#![allow(missing_docs, reason = "criterion's macros define undocumented items")]
#![forbid(unsafe_code)]

use std::hint::black_box;

use acth_bench::load::numbers::Numbers;
use acth_core::{
    book::{Book, naive},
    event::{Level, Side},
};
use criterion::{
    BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime,
};

/// Price step, mantissa: 0.10 at two places.
const TICK: i64 = 10;
/// Middle of the market, in ticks.
const MID_TICKS: i64 = 618_000;
/// Levels that a side starts with.
const DEPTH: i64 = 2000;
/// Changes that each bench goes round in.
const CHANGES: usize = 4096;
/// Ticks beyond which a price lies outside the fast book's window.
const FAR_TICKS: u64 = 40_000;

/// What is asked of both.
trait Levels {
    fn set(&mut self, side: Side, level: Level);
    fn best(&self, side: Side) -> Option<Level>;
    fn top(&self, side: Side, out: &mut [Level]) -> usize;
}

macro_rules! levels {
    ($book:ty) => {
        impl Levels for $book {
            #[inline]
            fn set(&mut self, side: Side, level: Level) {
                <$book>::set(self, side, level);
            }
            #[inline]
            fn best(&self, side: Side) -> Option<Level> {
                <$book>::best(self, side)
            }
            #[inline]
            fn top(&self, side: Side, out: &mut [Level]) -> usize {
                <$book>::top(self, side, out)
            }
        }
    };
}

levels!(Book);
levels!(naive::Book);

/// A price so many ticks behind the touch.
fn price(side: Side, ticks_behind: i64) -> i64 {
    (MID_TICKS - side.sign() * (1 + ticks_behind)) * TICK
}

fn side(numbers: &mut Numbers) -> Side {
    if numbers.below(2) == 0 {
        Side::Bid
    } else {
        Side::Ask
    }
}

/// Changes within `from..from + width` ticks behind the touch, a third of them deletions.
fn changes(seed: u64, from: u64, width: u64) -> Vec<(Side, Level)> {
    let mut numbers = Numbers::new(seed);
    let change = |_| {
        let side = side(&mut numbers);
        let behind = from + numbers.below(width);
        let quantity = match numbers.below(3) {
            0 => 0,
            _ => 1 + numbers.below(100_000).cast_signed(),
        };
        let price = price(side, behind.cast_signed());
        (side, Level { price, quantity })
    };
    (0..CHANGES).map(change).collect()
}

fn fill(book: &mut impl Levels) {
    for side in [Side::Bid, Side::Ask] {
        for index in 0..DEPTH {
            let price = price(side, index * 3);
            book.set(
                side,
                Level {
                    price,
                    quantity: 1 + index,
                },
            );
        }
        // Some stand far out, as in every real book.
        for index in 0..DEPTH / 2 {
            let price = price(side, FAR_TICKS.cast_signed() + index * 50);
            book.set(
                side,
                Level {
                    price,
                    quantity: 1 + index,
                },
            );
        }
    }
}

fn bench_one(group: &mut BenchmarkGroup<'_, WallTime>, who: &str, mut book: impl Levels) {
    fill(&mut book);
    let places = [
        ("set_near_touch_then_best", changes(1, 0, 40)),
        ("set_within_window", changes(2, 100, 5000)),
        ("set_far_from_touch", changes(3, FAR_TICKS, 50_000)),
    ];
    for (name, changes) in &places {
        let mut next = changes.iter().cycle();
        group.bench_function(format!("{name}/{who}"), |bencher| {
            bencher.iter(|| {
                let Some((side, level)) = next.next() else {
                    return;
                };
                book.set(*side, *level);
                black_box(book.best(*side));
            });
        });
    }
    group.bench_function(format!("best_of_both_sides/{who}"), |bencher| {
        bencher.iter(|| black_box((book.best(black_box(Side::Bid)), book.best(Side::Ask))));
    });
    let mut top = [Level::default(); 10];
    group.bench_function(format!("top_10_of_one_side/{who}"), |bencher| {
        bencher.iter(|| {
            black_box(book.top(black_box(Side::Bid), &mut top));
            black_box(&top);
        });
    });
}

fn book(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("book");
    bench_one(&mut group, "book", Book::new(TICK));
    bench_one(&mut group, "naive", naive::Book::new(TICK));
    group.finish();
}

criterion_group!(benches, book);
criterion_main!(benches);
