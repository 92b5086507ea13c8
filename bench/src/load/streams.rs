//! Streams of market messages for four instruments, made from fixed seeds.
//!
//! Prices walk and return, so that going round in a stream shows no jump.

use acth_core::{
    event::{
        Bbo, BookState, BookStateChanged, BookStateReason, Event, EventKind, Level, Side, Trade,
        flags,
    },
    instrument::InstrumentId,
};

use super::numbers::Numbers;

/// Two pairs of spot and perpetual.
pub const INSTRUMENTS: usize = 4;
/// Messages that a stream goes round in.
pub const MESSAGES: usize = 8192;
/// Levels of a depth message.
pub const LEVELS: usize = 20;
/// Longest step of the depth stream: the most that its messages have room to delete for.
const DEPTH_STEP_TICKS: u64 = 1;
/// Longest step of the other streams.
const STEP_TICKS: u64 = 20;

/// Middle of each instrument's market at every message: a walk of steps up to `ticks` that returns the way it came.
/// All four share the step, ETH the twentieth part of it or none.
fn mids(ticks: u64) -> Vec<[i64; INSTRUMENTS]> {
    let mut numbers = Numbers::new(11);
    let mut mid = [6_180_000i64, 6_180_500, 320_000, 320_100];
    let mut walk = Vec::with_capacity(MESSAGES);
    for _ in 0..MESSAGES / 2 {
        let step = numbers.below(2 * ticks + 1).cast_signed() - ticks.cast_signed();
        mid[0] += step;
        // The perpetual takes most steps at once, some with the next one.
        mid[1] += if numbers.below(4) == 0 { 0 } else { step };
        mid[2] += step / 20;
        mid[3] += step / 20;
        walk.push(mid);
    }
    let back: Vec<_> = walk.iter().rev().copied().collect();
    walk.extend(back);
    walk
}

fn at(index: usize, mids: &[[i64; INSTRUMENTS]]) -> (InstrumentId, i64) {
    let instrument = index % INSTRUMENTS;
    (InstrumentId(instrument as u16), mids[index][instrument])
}

/// A live book where the depth stream starts; tickers, being newer, make it no matter to the other streams.
pub fn snapshot(index: usize) -> Vec<Event> {
    let id = InstrumentId(index as u16);
    let mid = mids(DEPTH_STEP_TICKS)[0][index];
    let mut events = Vec::new();
    for level in 0..500 {
        let quantity = 1000 + level;
        let bid = Level {
            price: mid - 1 - level,
            quantity,
        };
        let ask = Level {
            price: mid + 1 + level,
            quantity,
        };
        let event = Event::book_delta(id, 1, &[(Side::Bid, bid), (Side::Ask, ask)]);
        let bits = if level == 0 {
            flags::SNAPSHOT | flags::CLEAR
        } else {
            flags::SNAPSHOT
        };
        events.push(event.with_flags(bits));
    }
    let last = events.len() - 1;
    events[last] = events[last].with_flags(flags::LAST);
    let body = BookStateChanged {
        reason: BookStateReason::Synced as u64,
        expected_id: 0,
        received_id: 0,
        reserved: [0; 2],
    };
    let live = Event::new(EventKind::BookStateChanged, id).with_detail(BookState::Live as u8);
    events.push(live.with_body(&body));
    events
}

/// Best bids and offers, a message each.
pub fn tickers() -> Vec<Vec<Event>> {
    let (mids, mut numbers) = (mids(STEP_TICKS), Numbers::new(12));
    let ticker = |index: usize| {
        let (id, mid) = at(index, &mids);
        let mut quantity = || 1 + numbers.below(5000).cast_signed();
        let body = Bbo {
            bid: Level {
                price: mid - 1,
                quantity: quantity(),
            },
            ask: Level {
                price: mid + 1,
                quantity: quantity(),
            },
            // Always newer than the book, so that it is the quote.
            update_id: 1_000_000_000,
        };
        vec![
            Event::new(EventKind::Bbo, id)
                .with_flags(flags::LAST)
                .with_body(&body),
        ]
    };
    (0..MESSAGES).map(ticker).collect()
}

/// Trades, a message each.
pub fn trades() -> Vec<Vec<Event>> {
    let (mids, mut numbers) = (mids(STEP_TICKS), Numbers::new(13));
    let trade = |index: usize| {
        let (id, mid) = at(index, &mids);
        let side = if numbers.below(2) == 0 {
            Side::Bid
        } else {
            Side::Ask
        };
        let body = Trade {
            price: mid + side.sign(),
            quantity: 1 + numbers.below(500).cast_signed(),
            trade_id: index as u64 + 1,
            trade_id_final: index as u64 + 1,
            reserved: 0,
        };
        let event = Event::new(EventKind::Trade, id).with_flags(flags::LAST);
        vec![event.with_detail(side as u8).with_body(&body)]
    };
    (0..MESSAGES).map(trade).collect()
}

/// Messages of `LEVELS` levels. What lies between the old and the new touch is deleted first, so that no book crosses.
///
/// # Panics
/// Never: a step of one tick leaves room in every message.
pub fn depths() -> Vec<Vec<Event>> {
    let (mids, mut numbers) = (mids(DEPTH_STEP_TICKS), Numbers::new(14));
    // Going round, the first message of an instrument follows its last one, or the snapshot.
    let last = |index: usize| mids[MESSAGES - INSTRUMENTS + index][index];
    let mut touches: Vec<[i64; 2]> = (0..INSTRUMENTS)
        .map(|index| [last(index), mids[0][index]])
        .collect();
    let depth = |index: usize| {
        let (id, mid) = at(index, &mids);
        let [first, second] = std::mem::replace(&mut touches[id.index()], [mid, mid]);
        let mut levels = Vec::new();
        for price in first.min(second).min(mid)..=first.max(second).max(mid) {
            levels.push((Side::Bid, Level { price, quantity: 0 }));
            levels.push((Side::Ask, Level { price, quantity: 0 }));
        }
        let mut behind = 0;
        while levels.len() < LEVELS {
            behind += 1;
            let mut quantity = || 1 + numbers.below(5000).cast_signed();
            levels.push((
                Side::Bid,
                Level {
                    price: mid - behind,
                    quantity: quantity(),
                },
            ));
            levels.push((
                Side::Ask,
                Level {
                    price: mid + behind,
                    quantity: quantity(),
                },
            ));
        }
        assert!(
            levels.len() == LEVELS && behind > 0,
            "a message deletes more than it may"
        );
        let pairs = levels.chunks(2).enumerate();
        let event = |(place, pair): (usize, &[(Side, Level)])| {
            let is_last = place + 1 == LEVELS / 2;
            let bits = if is_last { flags::LAST } else { 0 };
            Event::book_delta(id, 2 + index as u64, pair).with_flags(bits)
        };
        pairs.map(event).collect()
    };
    (0..MESSAGES).map(depth).collect()
}
