//! How long the gate takes for an order that passes all limits: `cargo run --release --example gate_speed`.

#![allow(clippy::print_stdout, reason = "an example prints")]

use std::{hint::black_box, time::Instant};

use acth_core::{
    currency::Rate,
    event::Side,
    instrument::InstrumentId,
    money::Money,
    risk::{self, Limits, OrderRequest, RiskView, Terms, TradingState},
};

const ROUNDS: usize = 15;
const CHECKS: u32 = 1_000_000;

fn main() {
    let units = Money::from_units;
    let request = OrderRequest::limit(InstrumentId(0), Side::Bid, 6_180_000, 10).by(1);
    let view = RiskView {
        trading_state: TradingState::Active,
        terms: Some(Terms {
            tick: 1,
            lot: 1,
            quantity_min: 1,
            scale: 10_000_000,
        }),
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
        equity: units(1_000_000),
        equity_max: units(1_010_000),
        gross_exposure: units(10_000),
        open_notional: units(5_000),
        net_exposure: units(-2_000),
        open_notional_side: units(3_000),
        venue_exposure: units(9_000),
        agent_exposure: units(8_000),
        base_exposure: units(1_000),
        base_open_side: units(2_000),
        equity_day: units(1_005_000),
        agent_loss: units(300),
        margin_millionths: units(3_000_000_000),
        correlation_ppm: 300_000,
        volume_24h: units(1_000_000_000),
    };
    let limits = Limits::default();
    let mut fastest_ns = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for _ in 0..CHECKS {
            let verdict = risk::check(black_box(&request), black_box(&view), black_box(&limits));
            assert!(black_box(verdict).is_ok());
        }
        let elapsed_ns = start.elapsed().as_nanos() as f64 / f64::from(CHECKS);
        fastest_ns = fastest_ns.min(elapsed_ns);
    }
    println!("{fastest_ns:.1} ns a check");
}
