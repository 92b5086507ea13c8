//! `acth-bench decode`: our decoder beside a bare scanner and two general parsers, on the hot messages.
//!
//! All turn every price and quantity into an integer. The bare scanner is the floor; see `load::bare` for what it leaves out.

use std::hint::black_box;

use acth_bench::load::{
    bare::Bare,
    frames,
    typed::{Form, Typed, decoder},
};
use acth_wire::binance::Market;

use crate::{
    Failure,
    args::Args,
    contest::{self, Contender},
    hiccup::Hiccups,
    machine::Machine,
    report::{Bar, Report, ratio},
    rows::Rows,
};

/// Frames of one batch; as many sets of them as keep a branch predictor from learning them by heart.
const BATCH: usize = 64;
/// Batches that each contender goes round in.
const SETS: usize = 16;
/// Our decoder may take this many times as long as the bare scanner.
const RATIO_MAX: f64 = 1.3;
/// And must be this many times as fast as a typed general parser.
const TYPED_RATIO_MIN: f64 = 3.5;

/// A kind of hot message.
struct Kind {
    name: &'static str,
    market: Market,
    form: Form,
    frames: Vec<String>,
}

fn kinds() -> Vec<Kind> {
    let count = (BATCH * SETS) as u64;
    let kind = |name, market, form, frames| Kind {
        name,
        market,
        form,
        frames,
    };
    let depth_usdm = |levels| frames::made(count, |numbers| frames::depth_usdm(numbers, levels));
    let depth_spot = |levels| frames::made(count, |numbers| frames::depth_spot(numbers, levels));
    let (spot, usdm) = (Market::Spot, Market::UsdM);
    vec![
        kind("depth-20-usdm", usdm, Form::Depth, depth_usdm(20)),
        kind("depth-20-spot", spot, Form::Depth, depth_spot(20)),
        kind("depth-50-usdm", usdm, Form::Depth, depth_usdm(50)),
        kind("depth-50-spot", spot, Form::Depth, depth_spot(50)),
        kind(
            "bookTicker-usdm",
            usdm,
            Form::Ticker,
            frames::made(count, frames::ticker_usdm),
        ),
        kind(
            "bookTicker-spot",
            spot,
            Form::Ticker,
            frames::made(count, frames::ticker_spot),
        ),
        kind(
            "aggTrade-usdm",
            usdm,
            Form::Print,
            frames::made(count, frames::aggregate_usdm),
        ),
        kind(
            "trade-spot",
            spot,
            Form::Print,
            frames::made(count, frames::trade_spot),
        ),
    ]
}

/// Measures all kinds.
///
/// # Errors
/// When a contender cannot read a frame made for it.
pub(crate) fn measure(args: &Args, machine: &Machine) -> Result<Rows, Failure> {
    let kinds = kinds();
    let length_ns = args.length_ns() / kinds.len() as i64;
    let rows = kinds
        .iter()
        .map(|kind| measure_one(kind, length_ns, machine));
    Ok(Rows {
        scenario: "decode",
        rows: rows.collect::<Result<_, _>>()?,
        machine: machine.clone(),
    })
}

/// Calls `read` with the frames of the next set.
fn batches<'a>(frames: &'a [String], mut read: impl FnMut(&'a str) + 'a) -> impl FnMut() + 'a {
    let mut sets = frames.chunks(BATCH).cycle();
    move || {
        for frame in sets.next().unwrap_or_default() {
            read(black_box(frame));
        }
    }
}

fn measure_one(kind: &Kind, length_ns: i64, machine: &Machine) -> Result<Report, Failure> {
    let Kind {
        name,
        market,
        form,
        ref frames,
    } = *kind;
    let mut bare = Bare::new(form, market == Market::Spot);
    let (mut ours, mut general) = (decoder(market), decoder(market));
    let mut typed = Typed::new(market);
    for frame in frames {
        let read = bare.read(frame).map(<[_]>::len);
        read.ok_or_else(|| format!("{name}: the bare scanner does not know {frame}"))?;
        ours.decode(frame.as_bytes())?;
    }
    let mut contenders = [
        Contender::new(
            "bare scanner",
            BATCH as u64,
            batches(frames, |frame| {
                black_box(bare.read(frame));
            }),
        )?,
        Contender::new(
            "decoder",
            BATCH as u64,
            batches(frames, |frame| {
                let _ = black_box(ours.decode(frame.as_bytes()));
            }),
        )?,
        Contender::new(
            "simd-json typed",
            BATCH as u64,
            batches(frames, |frame| typed.read(form, frame)),
        )?,
        Contender::new(
            "our fallback",
            BATCH as u64,
            batches(frames, |frame| {
                let _ = black_box(general.decode_with_oracle(frame.as_bytes()));
            }),
        )?,
    ];
    let mut hiccups = Hiccups::new()?;
    contest::run(&mut contenders, length_ns, &mut hiccups);
    let [floor, measured, typed, fallback] =
        contenders.map(|contender| (contender.name, contender.record));
    let mut report = Report::new("decode", 0, &floor.1, &measured.1, machine)?
        .with_peer(typed.0, &typed.1)?
        .with_peer(fallback.0, &fallback.1)?
        .with_hiccups(&hiccups)?;
    report.kind = Some(name.to_owned());
    if ours.stats().fallbacks > 0 {
        let warning = "the scanner did not know its frames: these are the fallback's figures";
        report.warnings.push(warning.to_owned());
    }
    let typed_ratio = ratio(typed.1.numbers().p50, report.measured_ns.p50);
    let ratio_p50 = report.ratio_p50;
    let allocations = report.allocations as f64;
    report.bars = vec![
        Bar::at_most("at most 1.3 times the bare scanner", ratio_p50, RATIO_MAX),
        Bar::at_least(
            "at least 3.5 times as fast as simd-json typed",
            typed_ratio,
            TYPED_RATIO_MIN,
        ),
        Bar::at_most("no allocation", allocations, 0.0),
    ];
    Ok(report)
}
