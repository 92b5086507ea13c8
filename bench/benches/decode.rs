//! Decoding: our scanner, our general parser (the scanner's oracle and fallback), and a plain typed `simd-json` parse.
//!
//! All three turn every price and quantity into an integer mantissa; `simd_json_typed` keeps its buffers. The first
//! thing checked is that the scanner reads each frame itself, since a fallback would be the general parser's figure.

#![allow(missing_docs, reason = "criterion's macros define undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may panic")]
#![forbid(unsafe_code)]

use std::hint::black_box;

use acth_bench::load::{
    frames,
    typed::{Form, Typed, decoder},
};
use acth_wire::binance::{Market, Message};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Frames that each bench goes round in: more than a branch predictor learns by heart.
const FRAMES: u64 = 512;

fn compare(criterion: &mut Criterion, name: &str, market: Market, form: Form, frames: &[String]) {
    let mut scanner = decoder(market);
    for frame in frames {
        let message = scanner.decode(frame.as_bytes()).unwrap();
        let fits = match form {
            Form::Depth => matches!(message, Message::Depth(_)),
            Form::Ticker => matches!(message, Message::Bbo { .. }),
            Form::Print => matches!(message, Message::Trade { .. }),
        };
        assert!(fits, "{frame} became {message:?}");
    }
    assert_eq!(
        scanner.stats().fallbacks,
        0,
        "{name}: the scanner must know its frames"
    );
    let mut general = decoder(market);
    let mut typed = Typed::new(market);
    let mut group = criterion.benchmark_group(format!("decode/{name}"));
    let all_bytes: usize = frames.iter().map(String::len).sum();
    group.throughput(Throughput::Bytes(all_bytes as u64 / frames.len() as u64));
    let mut next = frames.iter().cycle();
    let mut frame = || next.next().unwrap().as_str();
    group.bench_function("scanner", |bencher| {
        bencher.iter(|| {
            black_box(scanner.decode(black_box(frame().as_bytes())).unwrap());
        });
    });
    group.bench_function("simd_json_typed", |bencher| {
        bencher.iter(|| typed.read(form, black_box(frame())));
    });
    group.bench_function("simd_json_oracle", |bencher| {
        bencher.iter(|| {
            black_box(
                general
                    .decode_with_oracle(black_box(frame().as_bytes()))
                    .unwrap(),
            );
        });
    });
    group.finish();
}

fn decode(criterion: &mut Criterion) {
    for count in [20, 50] {
        let usdm = frames::made(FRAMES, |numbers| frames::depth_usdm(numbers, count));
        let spot = frames::made(FRAMES, |numbers| frames::depth_spot(numbers, count));
        let name = |market: &str| format!("depth_{count}_levels_{market}");
        compare(criterion, &name("usdm"), Market::UsdM, Form::Depth, &usdm);
        compare(criterion, &name("spot"), Market::Spot, Form::Depth, &spot);
    }
    let rows = [
        (
            "bookTicker_usdm",
            Market::UsdM,
            Form::Ticker,
            frames::made(FRAMES, frames::ticker_usdm),
        ),
        (
            "bookTicker_spot",
            Market::Spot,
            Form::Ticker,
            frames::made(FRAMES, frames::ticker_spot),
        ),
        (
            "trade_spot",
            Market::Spot,
            Form::Print,
            frames::made(FRAMES, frames::trade_spot),
        ),
        (
            "aggTrade_usdm",
            Market::UsdM,
            Form::Print,
            frames::made(FRAMES, frames::aggregate_usdm),
        ),
    ];
    for (name, market, form, made) in &rows {
        compare(criterion, name, *market, *form, made);
    }
}

criterion_group!(benches, decode);
criterion_main!(benches);
