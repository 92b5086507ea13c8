//! `acth-bench apply`: one market message through the core with the built-in strategy, on four instruments.
//!
//! The floor is what any core must do at least: take the message's events out of the memory that they arrived in. Each
//! message is timed by itself, so the tail shows; the two stamps around it are in both figures.

use std::hint::black_box;

use acth_bench::load::{hub::Hub, streams};
use acth_core::event::Event;

use crate::{
    Failure,
    args::Args,
    contest::{self, Contender},
    hiccup::Hiccups,
    machine::Machine,
    report::{Bar, Report},
    rows::Rows,
};

/// Longest median of a message of one event, in ns.
const SINGLE_NS_MAX: f64 = 250.0;
/// Longest median of a message of 20 levels, in ns.
const DEPTH_NS_MAX: f64 = 900.0;

/// Measures all kinds.
///
/// # Errors
/// When the strategy sleeps: its figure would say nothing.
pub(crate) fn measure(args: &Args, machine: &Machine) -> Result<Rows, Failure> {
    let (tickers, trades, depths) = (streams::tickers(), streams::trades(), streams::depths());
    // Trades move no quote, so tickers warm that hub up; depth must be the only source of its quotes.
    let kinds = [
        ("bookTicker", &tickers, vec![&tickers[..]], SINGLE_NS_MAX),
        (
            "trade",
            &trades,
            vec![&tickers[..], &trades[..]],
            SINGLE_NS_MAX,
        ),
        ("depth-20", &depths, vec![&depths[..]], DEPTH_NS_MAX),
    ];
    let length_ns = args.length_ns() / kinds.len() as i64;
    let rows = kinds.iter().map(|(name, load, warming, max_ns)| {
        let mut hub = Hub::warmed(warming);
        let mut report = measure_one(load, &mut hub, length_ns, machine)?;
        if !hub.is_awake() {
            return Err(format!("{name}: a market lost its quote, so the strategy slept").into());
        }
        report.kind = Some((*name).to_owned());
        let (p50, allocations) = (report.measured_ns.p50, report.allocations as f64);
        report.bars = vec![
            Bar::at_most(format!("p50 at most {max_ns} ns"), p50, *max_ns),
            Bar::at_most("no allocation", allocations, 0.0),
        ];
        Ok(report)
    });
    Ok(Rows {
        scenario: "apply",
        rows: rows.collect::<Result<_, Failure>>()?,
        machine: machine.clone(),
    })
}

fn measure_one(
    load: &[Vec<Event>],
    hub: &mut Hub,
    length_ns: i64,
    machine: &Machine,
) -> Result<Report, Failure> {
    let (mut copied, mut applied) = (load.iter().cycle(), load.iter().cycle());
    let mut slot = Event::EMPTY;
    let mut contenders = [
        Contender::new("copy", 1, || {
            for event in copied.next().into_iter().flatten() {
                slot = *black_box(event);
                black_box(&slot);
            }
        })?,
        Contender::new("apply", 1, || {
            if let Some(events) = applied.next() {
                hub.message(black_box(events));
            }
        })?,
    ];
    let mut hiccups = Hiccups::new()?;
    contest::run(&mut contenders, length_ns, &mut hiccups);
    let [floor, measured] = &contenders;
    Report::new("apply", 0, &floor.record, &measured.record, machine)?.with_hiccups(&hiccups)
}
