//! `acth-bench book`: the order book beside a sorted list of levels, by what is asked of it.
//!
//! The floor is the book that a good engineer would write first: one sorted array a side, the best level last, so that
//! changes near the touch move little. It holds the same levels and gets the same changes.

use std::hint::black_box;

use acth_bench::load::numbers::Numbers;
use acth_core::{
    book::Book,
    event::{Level, Side},
};

use crate::{
    Failure,
    args::Args,
    contest::{self, Contender},
    hiccup::Hiccups,
    machine::Machine,
    report::{Bar, Report},
    rows::Rows,
};

/// Price step, mantissa: 0.10 at two places.
const TICK: i64 = 10;
/// Middle of the market, in ticks.
const MID_TICKS: i64 = 618_000;
/// Levels that a side starts with.
const DEPTH: i64 = 1000;
/// Changes of one batch.
const BATCH: usize = 64;
/// Batches that each contender goes round in.
const SETS: usize = 64;
/// Changes of a depth message.
const LEVELS: usize = 20;

/// What is asked of both.
trait Levels {
    fn set(&mut self, side: Side, level: Level);
    fn best(&self, side: Side) -> Option<Level>;
    fn top(&self, side: Side, out: &mut [Level]) -> usize;
}

impl Levels for Book {
    #[inline]
    fn set(&mut self, side: Side, level: Level) {
        Self::set(self, side, level);
    }
    #[inline]
    fn best(&self, side: Side) -> Option<Level> {
        Self::best(self, side)
    }
    #[inline]
    fn top(&self, side: Side, out: &mut [Level]) -> usize {
        Self::top(self, side, out)
    }
}

/// One sorted array a side, the best level last.
#[derive(Default)]
struct Sorted {
    sides: [Vec<Level>; 2],
}

impl Levels for Sorted {
    #[inline]
    fn set(&mut self, side: Side, level: Level) {
        let sign = side.sign();
        let levels = &mut self.sides[usize::from(side == Side::Ask)];
        match levels.binary_search_by_key(&(level.price * sign), |old| old.price * sign) {
            Ok(place) if level.quantity == 0 => drop(levels.remove(place)),
            Ok(place) => levels[place].quantity = level.quantity,
            Err(_) if level.quantity == 0 => {}
            Err(place) => levels.insert(place, level),
        }
    }
    #[inline]
    fn best(&self, side: Side) -> Option<Level> {
        self.sides[usize::from(side == Side::Ask)].last().copied()
    }
    #[inline]
    fn top(&self, side: Side, out: &mut [Level]) -> usize {
        let levels = self.sides[usize::from(side == Side::Ask)].iter().rev();
        let mut count = 0;
        for (place, level) in out.iter_mut().zip(levels) {
            *place = *level;
            count += 1;
        }
        count
    }
}

/// What a batch does.
#[derive(Clone, Copy)]
enum Deed {
    /// Each change, and the best of its side after it.
    SetThenBest,
    /// `LEVELS` changes, then the best five of both sides; counted as one message.
    Depth,
    /// The best five of both sides.
    TopFive,
}

/// A kind of work: where the changes lie, and what is done.
struct Kind {
    name: &'static str,
    from: u64,
    width: u64,
    deed: Deed,
}

const KINDS: [Kind; 5] = [
    Kind {
        name: "set-near-touch",
        from: 0,
        width: 40,
        deed: Deed::SetThenBest,
    },
    Kind {
        name: "set-within-window",
        from: 100,
        width: 2000,
        deed: Deed::SetThenBest,
    },
    Kind {
        name: "set-far",
        from: 40_000,
        width: 50_000,
        deed: Deed::SetThenBest,
    },
    Kind {
        name: "depth-20",
        from: 0,
        width: 200,
        deed: Deed::Depth,
    },
    Kind {
        name: "top-5",
        from: 0,
        width: 40,
        deed: Deed::TopFive,
    },
];

/// A price so many ticks behind the touch.
fn price(side: Side, ticks_behind: i64) -> i64 {
    (MID_TICKS - side.sign() * (1 + ticks_behind)) * TICK
}

fn filled<B: Levels>(mut book: B) -> B {
    for side in [Side::Bid, Side::Ask] {
        for index in 0..DEPTH {
            let level = Level {
                price: price(side, index * 3),
                quantity: 1 + index,
            };
            book.set(side, level);
        }
    }
    book
}

/// Changes within `from..from + width` ticks behind the touch, a third of them deletions.
fn changes(kind: &Kind) -> Vec<(Side, Level)> {
    let mut numbers = Numbers::new(kind.from + 1);
    let change = |_| {
        let side = [Side::Bid, Side::Ask][numbers.below(2) as usize];
        let behind = kind.from + numbers.below(kind.width);
        let quantity = match numbers.below(3) {
            0 => 0,
            _ => 1 + numbers.below(100_000).cast_signed(),
        };
        let price = price(side, behind.cast_signed());
        (side, Level { price, quantity })
    };
    (0..BATCH * SETS * LEVELS).map(change).collect()
}

fn batch<'a, B: Levels + 'a>(
    mut book: B,
    kind: &'a Kind,
    changes: &'a [(Side, Level)],
) -> impl FnMut() + 'a {
    let mut singles = changes.chunks(BATCH).cycle();
    let mut messages = changes.chunks(LEVELS).cycle();
    let mut top = [Level::default(); 5];
    move || match kind.deed {
        Deed::SetThenBest => {
            for &(side, level) in singles.next().unwrap_or_default() {
                book.set(side, level);
                black_box(book.best(side));
            }
        }
        Deed::Depth => {
            for _ in 0..BATCH {
                for &(side, level) in messages.next().unwrap_or_default() {
                    book.set(side, level);
                }
                for side in [Side::Bid, Side::Ask] {
                    black_box(book.top(side, &mut top));
                    black_box(&top);
                }
            }
        }
        Deed::TopFive => {
            for _ in 0..BATCH {
                for side in [Side::Bid, Side::Ask] {
                    black_box(book.top(black_box(side), &mut top));
                    black_box(&top);
                }
            }
        }
    }
}

/// Measures all kinds.
///
/// # Errors
/// As `Record::new`.
pub(crate) fn measure(args: &Args, machine: &Machine) -> Result<Rows, Failure> {
    let length_ns = args.length_ns() / KINDS.len() as i64;
    let rows = KINDS.iter().map(|kind| {
        let changes = changes(kind);
        let (sorted, book) = (filled(Sorted::default()), filled(Book::new(TICK)));
        let mut contenders = [
            Contender::new("sorted list", BATCH as u64, batch(sorted, kind, &changes))?,
            Contender::new("book", BATCH as u64, batch(book, kind, &changes))?,
        ];
        let mut hiccups = Hiccups::new()?;
        contest::run(&mut contenders, length_ns, &mut hiccups);
        let [floor, measured] = &contenders;
        let report = Report::new("book", 0, &floor.record, &measured.record, machine)?;
        let mut report = report.with_hiccups(&hiccups)?;
        report.kind = Some(kind.name.to_owned());
        let allocations = report.allocations as f64;
        report.bars = vec![Bar::at_most("no allocation", allocations, 0.0)];
        Ok(report)
    });
    Ok(Rows {
        scenario: "book",
        rows: rows.collect::<Result<_, Failure>>()?,
        machine: machine.clone(),
    })
}
