//! What the stage stamps cost: the same messages through the same feed with and without the stamp `decoded`, and a command with and without
//! the stamp `published`, piece by piece in turn, so that what the machine does to one it does to the other.
//!
//! Every round measures each variant once over some thousand messages; printed are the medians of all rounds and of their differences,
//! in ns a message or a command. The counter steps in tens of ns, a piece takes a hundred us.

#![allow(clippy::unwrap_used, reason = "a bench may panic")]
#![allow(clippy::print_stdout, reason = "a bench prints what it found")]
#![forbid(unsafe_code)]

use std::hint::black_box;

use acth_bench::load::{frames, numbers::Numbers};
use acth_core::{
    decision::Outbound,
    event::{CommandSent, Event, before_ns},
    instrument::Instruments,
    port::{EventSink, Stopped},
};
use acth_engine::clock::WallClock;
use acth_venues::binance::{Market, catalogue, feed::Feed};

/// Frames that a piece goes round in.
const FRAMES: u64 = 512;
/// Messages, or commands, of one piece.
const PIECE: usize = 2048;
/// Rounds; the first tenth warms up and is not counted.
const ROUNDS: usize = 2000;

/// Takes events as a ring slot would, and gives the clock for stamps or does not.
struct Slot {
    event: Event,
    clock: WallClock,
    is_stamping: bool,
}

impl EventSink for Slot {
    #[inline]
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        fill(&mut self.event);
        black_box(&self.event);
        Ok(())
    }

    #[inline]
    fn now_ns(&self) -> i64 {
        self.clock.now_ns()
    }

    #[inline]
    fn stamp_ns(&self) -> Option<i64> {
        self.is_stamping.then(|| self.clock.now_ns())
    }
}

/// Medians of both variants and of their difference, ns a piece.
fn compare(clock: &WallClock, mut piece: impl FnMut(bool)) -> [f64; 3] {
    let mut found: [Vec<i64>; 3] = Default::default();
    for round in 0..ROUNDS {
        let mut elapsed_ns = [0; 2];
        // Each variant is first every other time.
        for turn in 0..2 {
            let is_stamping = (round + turn) % 2 == 1;
            let start_ns = clock.now_ns();
            piece(is_stamping);
            elapsed_ns[usize::from(is_stamping)] = clock.now_ns() - start_ns;
        }
        if round >= ROUNDS / 10 {
            let [without, with] = elapsed_ns;
            for (list, value) in found.iter_mut().zip([without, with, with - without]) {
                list.push(value);
            }
        }
    }
    found.map(|mut values| {
        values.sort_unstable();
        values[values.len() / 2] as f64 / PIECE as f64
    })
}

fn show(name: &str, [without, with, difference]: [f64; 3]) {
    println!(
        "{name:<26} without {without:>7.1} ns   with {with:>7.1} ns   difference {difference:>6.1} ns"
    );
}

fn messages(clock: &WallClock, frame: impl Fn(&mut Numbers) -> String) -> [f64; 3] {
    let frames = frames::made(FRAMES, frame);
    let row = catalogue::built_in(Market::Spot, "BTCUSDT").unwrap();
    let instruments = Instruments::new(vec![row]).unwrap();
    let mut feed = Feed::new(Market::Spot, &instruments, 1).unwrap();
    let mut sink = Slot {
        event: Event::EMPTY,
        clock: clock.clone(),
        is_stamping: false,
    };
    compare(clock, |is_stamping| {
        sink.is_stamping = is_stamping;
        // One read of the clock a read of the socket, as a session does; here for a whole piece, so that it costs nothing.
        let ts_ingress_ns = sink.now_ns();
        for frame in frames.iter().cycle().take(PIECE) {
            let bytes = black_box(frame.as_bytes());
            feed.on_frame(bytes, ts_ingress_ns, &mut sink).unwrap();
        }
    })
}

fn commands(clock: &WallClock) -> [f64; 3] {
    let mut slot = Outbound::default();
    compare(clock, |is_stamping| {
        for sequence in 0..PIECE as u64 {
            slot = Outbound {
                sequence,
                ts_decided_ns: 1,
                ..black_box(slot)
            };
            if is_stamping {
                slot.ts_published_ns = clock.now_ns();
            }
            let mut sent = CommandSent {
                sequence,
                ts_egress_ns: 1_000,
                ..CommandSent::default()
            };
            if is_stamping {
                let slot = black_box(&slot);
                sent.decided_before_ns = before_ns(slot.ts_decided_ns, sent.ts_egress_ns);
                sent.published_before_ns = before_ns(slot.ts_published_ns, sent.ts_egress_ns);
            }
            black_box(sent);
        }
    })
}

fn main() {
    let clock = WallClock::start();
    let read = compare(&clock, |is_stamping| {
        for _ in 0..PIECE {
            if black_box(is_stamping) {
                black_box(clock.now_ns());
            }
        }
    });
    show("one read of the clock", read);
    show("bookTicker, decoded", messages(&clock, frames::ticker_spot));
    show("trade, decoded", messages(&clock, frames::trade_spot));
    show("command, published", commands(&clock));
}
