//! What the features cost: `cargo run --release --example features_speed`.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that reports; a broken table ends it"
)]

use std::{hint::black_box, time::Instant};

use acth_core::{
    book::Book,
    event::{Level, Side},
    features::{Depth, FEATURE_COUNT, InstrumentFeatures},
    hash::StateHasher,
    market::Quote,
};

/// Rounds; the fastest counts, the others were disturbed.
const ROUNDS: usize = 15;
const START_NS: i64 = 1_700_000_000_000_000_000;
const CALLS: usize = 400_000;

/// Prints ns per call of `update`, which gets the number of the call.
fn time(name: &str, mut update: impl FnMut(usize)) {
    let mut fastest = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for call in 0..CALLS {
            update(black_box(call));
        }
        fastest = fastest.min(start.elapsed().as_nanos() as f64 / CALLS as f64);
    }
    println!("  {name:<44}{fastest:>10.1}");
}

/// A book of 400 levels a side, every third tick.
fn book() -> Book {
    let mut book = Book::new(1);
    for level in 0..400 {
        let quantity = 10 + level % 7;
        let at = |price| Level { price, quantity };
        book.set(Side::Bid, at(6_000_000 - 3 * level));
        book.set(Side::Ask, at(6_000_001 + 3 * level));
    }
    book
}

/// The five-level sums as `Depth::of` makes them.
fn depth_of(book: &Book) -> Depth {
    let sum = |side| {
        let levels = book.levels(side).take(5);
        levels.fold(0i64, |sum, level| sum.saturating_add(level.quantity))
    };
    Depth {
        bid: sum(Side::Bid),
        ask: sum(Side::Ask),
    }
}

fn quote_of(book: &Book, call: usize) -> Quote {
    let mut quote = Quote {
        bid: book.best(Side::Bid).expect("a bid"),
        ask: book.best(Side::Ask).expect("an ask"),
    };
    quote.bid.quantity += (call % 97) as i64;
    quote.ask.price += (call / 3 % 5) as i64;
    quote
}

fn main() {
    println!("ns per call; fastest of {ROUNDS} rounds");
    let book = book();
    let mut features = InstrumentFeatures::new(2);
    let mut now_ns = START_NS;
    time("five-level sums", |_| {
        black_box(depth_of(black_box(&book)));
    });
    time("on_quote, top changed, with the sums", |call| {
        now_ns += 3_000_000 + call as i64 % 1_000;
        features.on_quote(now_ns, &quote_of(&book, call), depth_of(black_box(&book)));
    });
    time("on_quote, top as it was, with the sums", |_| {
        now_ns += 3_000_000;
        features.on_quote(now_ns, &quote_of(&book, 0), depth_of(black_box(&book)));
    });
    time("on_trade", |call| {
        now_ns += 5_000_000 + call as i64 % 1_000;
        let side = if call % 3 == 0 { Side::Bid } else { Side::Ask };
        features.on_trade(now_ns, side, 6_000_000, 100 + call as i64 % 50);
    });
    time("on_timer", |call| {
        now_ns += 100_000_000 + call as i64 % 1_000;
        features.on_timer(now_ns);
    });
    let mut out = [0.0; FEATURE_COUNT];
    time("vector", |call| {
        features.vector(now_ns + call as i64 * 1_000, &mut out);
        black_box(&out);
    });
    time("write into the hash of the state", |_| {
        let mut hasher = StateHasher::new();
        features.write(&mut hasher);
        black_box(hasher.finish());
    });
}
