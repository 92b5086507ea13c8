//! `acth-bench agents`: one input through the core with 32 instruments, five agents and a 64-64-64-8 network that is asked at
//! every quote.
//!
//! The inputs are a recorded stretch of the simulated world `wide` with the core's timer, in its order; each is timed by
//! itself. Rows: all inputs, and of these the changes of a book inside a message, the ends of messages (quotes, trades and
//! tickers: agents are asked), and the timers. The floor is what any core must do at least: take the event out of the
//! memory that it arrived in.

use std::hint::black_box;

use acth_bench::load::network::{Hub, Tape};
use acth_core::event::{Event, EventKind, flags};
use acth_engine::clock::WallClock;

use crate::{
    Failure, allocations,
    args::Args,
    hiccup::Hiccups,
    machine::Machine,
    record::Record,
    report::{Bar, Report},
    rows::Rows,
};

/// Longest median of one input, in ns.
const INPUT_NS_MAX: f64 = 2_000.0;
/// Simulated seconds that warm up: the structure has found its leaders and pairs by then.
const WARM_UP_SECONDS: usize = 60;
/// Simulated seconds that are measured, for each second of the figure.
const SECONDS_PER_SECOND: f64 = 10.0;
/// Inputs between two looks at the machine alone.
const HICCUP_EVERY: usize = 100_000;
const HICCUP_NS: i64 = 5_000_000;

/// What an input is, for the rows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inside,
    Whole,
    Timer,
}

fn kind_of(event: &Event) -> Kind {
    if event.kind == EventKind::TimerFired as u8 {
        Kind::Timer
    } else if event.kind == EventKind::BookDelta as u8 && !event.has(flags::LAST) {
        Kind::Inside
    } else {
        Kind::Whole
    }
}

/// Measures all kinds.
///
/// # Errors
/// When the agents sleep: the figure would say nothing.
pub(crate) fn measure(args: &Args, machine: &Machine) -> Result<Rows, Failure> {
    let measured_seconds = (args.duration * SECONDS_PER_SECOND).max(5.0);
    let seconds = WARM_UP_SECONDS as i64 + measured_seconds as i64;
    let tape = Tape::record("wide", seconds);
    let first = tape.events.len() * WARM_UP_SECONDS / seconds as usize;
    let mut hub = Hub::new(&tape.instruments);
    for event in &tape.events[..first] {
        hub.message(event);
    }
    let before = (hub.order_count, hub.choice_count);
    let mut floor = Record::new()?;
    let mut records = [
        Record::new()?,
        Record::new()?,
        Record::new()?,
        Record::new()?,
    ];
    let mut hiccups = Hiccups::new()?;
    let clock = WallClock::start();
    for (index, event) in tape.events[first..].iter().enumerate() {
        if index % HICCUP_EVERY == 0 {
            hiccups.watch(&clock, HICCUP_NS);
        }
        let begin_ns = clock.now_ns();
        let slot = *black_box(event);
        black_box(&slot);
        let copied_ns = clock.now_ns();
        let allocated = allocations::of_this_thread();
        hub.message(black_box(event));
        let allocated = allocations::of_this_thread() - allocated;
        let elapsed_ns = clock.now_ns() - copied_ns;
        floor.add_batch(copied_ns - begin_ns, 1);
        for row in [0, 1 + kind_of(event) as usize] {
            records[row].add_batch(elapsed_ns, 1);
            records[row].allocations += allocated;
        }
    }
    let acted = (hub.order_count - before.0, hub.choice_count - before.1);
    if acted.0 == 0 || acted.1 == 0 {
        return Err(format!(
            "{} orders and {} choices: the agents slept",
            acted.0, acted.1
        )
        .into());
    }
    eprintln!(
        "agents: {} inputs of {measured_seconds:.0} simulated seconds, {} orders, {} choices of the policy",
        tape.events.len() - first,
        acted.0,
        acted.1
    );
    let names = ["all inputs", "book change", "quote or trade", "timer"];
    let rows = names.iter().zip(&records).map(|(name, record)| {
        let mut report =
            Report::new("agents", 0, &floor, record, machine)?.with_hiccups(&hiccups)?;
        report.kind = Some((*name).to_owned());
        let (p50, allocated) = (report.measured_ns.p50, report.allocations as f64);
        report.bars = vec![Bar::at_most("no allocation", allocated, 0.0)];
        if *name != "timer" {
            report.bars.push(Bar::at_most(
                format!("p50 at most {INPUT_NS_MAX} ns"),
                p50,
                INPUT_NS_MAX,
            ));
        }
        Ok(report)
    });
    Ok(Rows {
        scenario: "agents",
        rows: rows.collect::<Result<_, Failure>>()?,
        machine: machine.clone(),
    })
}
