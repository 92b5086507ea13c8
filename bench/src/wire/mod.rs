//! `acth-bench wire`: from the bytes of a book ticker on one socket to the bytes of an order on another.
//!
//! ```text
//!   load thread ── WebSocket frame ──▶ socket ──▶ session, decoder, core, journal, network ──▶ order text ──▶ socket
//!        ▲                                                                                                     │
//!        └──────────────────────────────── the order's bytes, read back ◀──────────────────────────────────────┘
//! ```
//!
//! Everything is real: the venue's session with its handshake, framing, decoding and book keeping, the engine's one loop
//! with its journal, a network of 64-64-64-8 that every message runs through, the order as a request of the venue's
//! WebSocket API, masked, written to a second connection. The machine answers every ticker with an order, so that each
//! message is measured; its features are the last prices.
//!
//! The floor is the same bytes there and back with nothing in between: both sides poll, as the hub does, and one trip is
//! back before the next begins, so there is no queue in it.

mod echo;
mod hub;
mod load;
mod stream;

use acth_engine::clock::WallClock;

use crate::{
    Failure,
    args::Args,
    class::Class,
    floor::Stand,
    hiccup::Hiccups,
    machine::Machine,
    pace::Window,
    placement::Cores,
    record::Record,
    report::{Bar, Report},
};

/// Busy threads: the load, and the hub.
const THREADS: usize = 2;
/// One idle window for every so many parts of a measured one.
const IDLE_PART: i64 = 4;
/// Rates where none is given: more than a venue's busiest stream of one instrument.
const RATES_DEFAULT: [u64; 2] = [1000, 100_000];
/// Own time of a message at the median, at most, in ns.
const OWN_NS_MAX: f64 = 2500.0;
/// The rate that the bars are about.
const BAR_RATE: u64 = 100_000;

/// What one window shows.
pub(crate) struct Taken {
    /// Intended start until the order's bytes were handed to the kernel.
    handed: Record,
    /// Intended start until the load thread has read the order.
    back: Record,
    /// Bytes read until the order's bytes are ready to be handed over: our own part.
    own: Record,
}

impl Taken {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            handed: Record::new()?,
            back: Record::new()?,
            own: Record::new()?,
        })
    }
}

/// Measures all rates.
///
/// # Errors
/// When a socket, the session or the engine fails.
pub(crate) fn measure(args: &Args, machine: &Machine) -> Result<Vec<Report>, Failure> {
    let rates = args.rates_or(&RATES_DEFAULT);
    let rows = rates.iter().map(|rate| measure_one(args, *rate, machine));
    rows.collect()
}

fn measure_one(args: &Args, rate: u64, machine: &Machine) -> Result<Report, Failure> {
    let clock = WallClock::start();
    let cores = Cores::new(args.pin);
    let parts = 1.0 / IDLE_PART as f64 + 2.0;
    let length_ns = args.length_ns() as f64 / f64::from(args.rounds) / parts;
    let stand = Stand {
        clock: &clock,
        cores: &cores,
        wait: args.wait.resolve(cores.count(), THREADS),
        window: Window::even(rate, (length_ns as i64).max(1)),
    };
    let mut hiccups = Hiccups::new()?;
    let (mut floor, mut taken) = (Record::new()?, Taken::new()?);
    let mut class = Class::probe(stand)?;
    for _ in 0..args.rounds {
        hiccups.watch(&clock, stand.window.length_ns / IDLE_PART);
        echo::run(stand, &mut floor)?;
        hub::run(stand, args.journal_dir.as_deref(), &mut taken)?;
        class = class.through(Class::probe(stand)?);
    }
    let mut report = Report::new("wire", rate, &floor, &taken.handed, machine)?
        .with_peer("and read back", &taken.back)?
        .with_peer("our own part", &taken.own)?
        .with_hiccups(&hiccups)?;
    report.placement = class;
    report.wait = stand.wait.name();
    if rate == BAR_RATE {
        report.bars = vec![
            Bar::at_most(
                "bytes to order at p50 at most one bare round trip",
                report.ratio_p50,
                1.0,
            ),
            Bar::at_most(
                "at most 2500 ns of it our own, at p50",
                taken.own.numbers().p50,
                OWN_NS_MAX,
            ),
        ];
    }
    report.bars.push(Bar::at_most(
        "no allocation",
        report.allocations as f64,
        0.0,
    ));
    report.warnings.extend(machine.warning());
    Ok(report)
}
