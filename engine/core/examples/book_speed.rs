//! What one change of a level costs, on the recorded streams: `cargo run --release --example book_speed`.
//!
//! Every recording is decoded into memory first; then each book takes all of its levels in order and states its best
//! after each. Rounds of the books alternate, and the fastest round counts: the others were disturbed.

#![allow(clippy::print_stdout)]

#[path = "../tests/recordings/mod.rs"]
mod recordings;

use std::{hint::black_box, time::Instant};

use acth_core::{
    book::{Book, naive},
    event::{Level, Side},
};
use recordings::{RECORDINGS, Recording};

/// Rounds of each book over each recording.
const ROUNDS: usize = 15;

/// What a contender must do.
trait Contender {
    fn clear(&mut self);
    fn set(&mut self, side: Side, level: Level);
    fn best(&self, side: Side) -> Option<Level>;
}

impl<const PAGES: usize> Contender for Book<PAGES> {
    fn clear(&mut self) {
        Book::clear(self);
    }
    fn set(&mut self, side: Side, level: Level) {
        Book::set(self, side, level);
    }
    fn best(&self, side: Side) -> Option<Level> {
        Book::best(self, side)
    }
}

impl Contender for naive::Book {
    fn clear(&mut self) {
        naive::Book::clear(self);
    }
    fn set(&mut self, side: Side, level: Level) {
        naive::Book::set(self, side, level);
    }
    fn best(&self, side: Side) -> Option<Level> {
        naive::Book::best(self, side)
    }
}

/// The alternative without a window: one sorted array a side, the best level last.
#[derive(Default)]
struct SortedArrays {
    sides: [Vec<Level>; 2],
}

impl Contender for SortedArrays {
    fn clear(&mut self) {
        self.sides.iter_mut().for_each(Vec::clear);
    }
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
    fn best(&self, side: Side) -> Option<Level> {
        self.sides[usize::from(side == Side::Ask)].last().copied()
    }
}

/// The same, searched from the best end: cheap near the market, linear beyond it.
#[derive(Default)]
struct ScannedArrays {
    arrays: SortedArrays,
}

impl Contender for ScannedArrays {
    fn clear(&mut self) {
        self.arrays.clear();
    }
    fn set(&mut self, side: Side, level: Level) {
        let sign = side.sign();
        let levels = &mut self.arrays.sides[usize::from(side == Side::Ask)];
        let mut place = levels.len();
        while place > 0 && levels[place - 1].price * sign > level.price * sign {
            place -= 1;
        }
        let is_there = place > 0 && levels[place - 1].price == level.price;
        match (is_there, level.quantity) {
            (true, 0) => drop(levels.remove(place - 1)),
            (true, quantity) => levels[place - 1].quantity = quantity,
            (false, 0) => {}
            (false, _) => levels.insert(place, level),
        }
    }
    fn best(&self, side: Side) -> Option<Level> {
        self.arrays.best(side)
    }
}

/// Nanoseconds per level of one pass.
fn pass<C: Contender>(contender: &mut C, recording: &Recording) -> f64 {
    contender.clear();
    let start = Instant::now();
    for message in &recording.messages {
        for (side, level) in &message.levels {
            contender.set(*side, *level);
            black_box(contender.best(*side));
        }
    }
    start.elapsed().as_nanos() as f64 / recording.levels_count() as f64
}

/// Prints what it costs to move the window away from `levels_count` levels, one a tick, and back: a bid far above the
/// market comes and goes.
fn time_moves(levels_count: i64) {
    let mut book = Book::new(1);
    let top = 6_000_000;
    for ticks in 0..levels_count {
        book.set(
            Side::Bid,
            Level {
                price: top - ticks,
                quantity: 1,
            },
        );
    }
    let mut fastest_ns = u128::MAX;
    for _ in 0..ROUNDS * 20 {
        let start = Instant::now();
        for quantity in [1, 0] {
            book.set(
                Side::Bid,
                Level {
                    price: top + 40_000,
                    quantity,
                },
            );
        }
        fastest_ns = fastest_ns.min(start.elapsed().as_nanos());
    }
    println!("window moved off {levels_count} levels and back: {fastest_ns} ns");
}

fn main() {
    time_moves(1_000);
    time_moves(16_000);
    println!("ns per level, its best included; fastest of {ROUNDS} rounds");
    for (name, tick) in RECORDINGS {
        let Some(recording) = recordings::load(name, tick) else {
            continue;
        };
        let mut chosen = Book::new(tick);
        let mut narrow = Book::<256>::with_bound(tick, 16_384);
        let mut wide = Book::<1_024>::with_bound(tick, 16_384);
        let mut sorted = SortedArrays::default();
        let mut scanned = ScannedArrays::default();
        let mut plain = naive::Book::new(tick);
        let mut best = [f64::INFINITY; 6];
        for _ in 0..ROUNDS {
            let round = [
                pass(&mut chosen, &recording),
                pass(&mut narrow, &recording),
                pass(&mut wide, &recording),
                pass(&mut sorted, &recording),
                pass(&mut scanned, &recording),
                pass(&mut plain, &recording),
            ];
            for (fastest, time) in best.iter_mut().zip(round) {
                *fastest = fastest.min(time);
            }
        }
        println!("{name}: {} levels", recording.levels_count());
        let names = [
            "window of 32,768 ticks (chosen)",
            "window of 16,384 ticks",
            "window of 65,536 ticks",
            "sorted arrays, binary search",
            "sorted arrays, scan from the best",
            "BTreeMap (naive)",
        ];
        for (name, time) in names.iter().zip(best) {
            println!("  {name:<36}{time:>8.1}");
        }
    }
}
