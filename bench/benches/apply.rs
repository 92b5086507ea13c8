//! The core: one market message through markets, strategy and gate, on four instruments; and the gate alone.
//!
//! Every order that the strategy places is refused by a made-up venue at once, so that none stays open for ever; that
//! report is part of the time of the message that caused it. Prices walk and return, so that going round in the stream
//! shows no jump.

#![allow(missing_docs, reason = "criterion's macros define undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may panic")]
#![forbid(unsafe_code)]

use std::hint::black_box;

use acth_bench::load::{
    hub::{Hub, instruments},
    streams,
};
use acth_core::{
    currency::Rate,
    event::{Event, Side},
    instrument::InstrumentId,
    money::Money,
    risk::{self, Limits, OrderRequest, RiskView, Terms, TradingState},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

fn apply(criterion: &mut Criterion) {
    let streams = [
        ("bookTicker", streams::tickers()),
        ("trade", streams::trades()),
        ("depth_20_levels", streams::depths()),
    ];
    let mut group = criterion.benchmark_group("apply_basis_lead_lag_4_instruments");
    group.throughput(Throughput::Elements(1));
    for (name, stream) in &streams {
        // Trades move no quote, so tickers warm that hub up; depth must be the only source of its quotes.
        let warming: &[&[Vec<Event>]] = match *name {
            "trade" => &[&streams[0].1, stream],
            _ => &[stream],
        };
        let mut hub = Hub::warmed(warming);
        let mut next = stream.iter().cycle();
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                if let Some(events) = next.next() {
                    hub.message(black_box(events));
                }
            });
        });
        assert!(
            hub.is_awake(),
            "{name}: a market lost its quote, so the strategy slept"
        );
        eprintln!("{name}: {} orders", hub.order_count());
    }
    let mut hub = Hub::warmed(&[&streams[0].1]);
    group.bench_function("timer", |bencher| bencher.iter(|| hub.timer()));
    group.finish();
}

fn gate(criterion: &mut Criterion) {
    let instruments = instruments();
    let request = OrderRequest::limit(InstrumentId(0), Side::Bid, 6_180_000, 10).by(1);
    let view = RiskView {
        trading_state: TradingState::Active,
        terms: instruments.get(InstrumentId(0)).map(Terms::of),
        rate: Rate::ONE,
        decisions_room: 64,
        is_id_used: false,
        position: 5,
        open_bid_quantity: 3,
        open_ask_quantity: 2,
        own_opposite_price: Some(6_180_500),
        reference_price: 6_180_000,
        best_bid: 6_179_999,
        best_ask: 6_180_001,
        is_book_live: true,
        quote_age_ns: 1000,
        open_orders: 4,
        open_orders_instrument: 2,
        orders_last_second: 5,
        messages_last_second: 9,
        venue_messages_last_second: 7,
        equity: Money::from_units(1_000_000),
        equity_max: Money::from_units(1_010_000),
        gross_exposure: Money::from_units(10_000),
        open_notional: Money::from_units(5000),
        net_exposure: Money::from_units(-2000),
        open_notional_side: Money::from_units(3000),
        venue_exposure: Money::from_units(9000),
        agent_exposure: Money::from_units(8000),
        base_exposure: Money::from_units(1000),
        base_open_side: Money::from_units(2000),
        equity_day: Money::from_units(1_005_000),
        agent_loss: Money::from_units(300),
        margin_millionths: Money::from_units(3_000_000_000),
        correlation_ppm: 300_000,
        volume_24h: Money::from_units(1_000_000_000),
    };
    let limits = Limits::default();
    assert_eq!(risk::check(&request, &view, &limits), Ok(()));
    let mut group = criterion.benchmark_group("risk_gate");
    group.bench_function("check_of_an_order_that_passes_all_limits", |bencher| {
        bencher.iter(|| risk::check(black_box(&request), black_box(&view), black_box(&limits)));
    });
    group.finish();
}

criterion_group!(benches, apply, gate);
criterion_main!(benches);
