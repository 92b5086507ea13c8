//! What a snapshot costs: `cargo run --release --example snapshot_speed`.
//!
//! Eight instruments with 1,000 levels a side, the built-in strategy after a minute of timers, orders open and ended.
//! Rounds alternate, and the fastest round of each counts: the others were disturbed.

#![allow(clippy::print_stdout)]
#![allow(clippy::unwrap_used, reason = "a measurement may panic")]

use std::time::{Duration, Instant};

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::{Core, Input},
    decision::{DecisionKind, Decisions},
    event::{
        Bbo, BookState, Event, EventKind, Level, OrderFilled, OrderReport, ReportReason, Side,
        flags,
    },
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    risk::Limits,
    strategies::basis_lead_lag::{BasisLeadLag, BasisLeadLagConfig},
    strategy::Strategy,
};

const INSTRUMENTS: u16 = 8;
const LEVELS: i64 = 1_000;
const TIMERS: i64 = 600;
const ROUNDS: usize = 30;

fn config() -> CoreConfig {
    let row = |index: u16| Instrument {
        venue: format!("sim-{}", index % 2),
        symbol: format!("S{}", index / 2),
        base: format!("S{}", index / 2),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: if index.is_multiple_of(2) {
            Contract::Spot
        } else {
            Contract::Perpetual
        },
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    };
    CoreConfig {
        hub_id: 1,
        cash: Money::from_units(10_000_000),
        instruments: Instruments::new((0..INSTRUMENTS).map(row).collect()).unwrap(),
        limits: Limits {
            orders_per_second: 1024,
            order_notional_max: Money::from_units(1_000_000),
            correlation_ppm: 1_000_000,
            ..Limits::default()
        },
        correlation_half_life_samples: 300.0,
        account: AccountConfig::default(),
    }
}

fn strategy(config: &CoreConfig) -> BasisLeadLag {
    let eager = BasisLeadLagConfig {
        take_edge_ppm: -1_000.0,
        ..BasisLeadLagConfig::default()
    };
    BasisLeadLag::new(&eager, &config.instruments).unwrap()
}

/// A core and the place in history where it stands.
struct Bench {
    core: Core<BasisLeadLag>,
    decisions: Decisions,
    sequence: u64,
    ts_ns: i64,
}

impl Bench {
    /// Applies an event; every other order is filled at once, the rest is refused.
    fn apply(&mut self, event: &Event) {
        let mut events = vec![*event];
        while let Some(event) = events.pop() {
            self.decisions.clear();
            self.ts_ns += 100_000;
            let input = Input {
                sequence: self.sequence,
                ts_core_ns: self.ts_ns,
                event: &event,
            };
            self.core.apply(input, &mut self.decisions);
            self.sequence += 1 + self.decisions.as_slice().len() as u64;
            for decision in self.decisions.as_slice() {
                if decision.kind() != Some(DecisionKind::PlaceOrder) {
                    continue;
                }
                let id = decision.client_order_id;
                events.push(if id.is_multiple_of(2) {
                    let body = OrderFilled {
                        client_order_id: id,
                        price: decision.price,
                        quantity: decision.quantity,
                        fee: 0,
                        execution_id: id,
                    };
                    Event::new(EventKind::OrderFilled, decision.instrument_id()).with_body(&body)
                } else {
                    let body = OrderReport {
                        client_order_id: id,
                        venue_order_id: 0,
                        reserved: [0; 3],
                    };
                    Event::new(EventKind::OrderRejected, decision.instrument_id())
                        .with_detail(ReportReason::NoMarket as u8)
                        .with_body(&body)
                });
            }
        }
    }
}

fn level(price: i64, quantity: i64) -> Level {
    Level { price, quantity }
}

fn warmed_up(config: &CoreConfig) -> Bench {
    let mut bench = Bench {
        core: Core::new(config, strategy(config)).unwrap(),
        decisions: Decisions::new(),
        sequence: 1,
        ts_ns: 1_700_000_000_000_000_000,
    };
    for id in (0..INSTRUMENTS).map(InstrumentId) {
        for step in 1..=LEVELS {
            let levels = [
                (Side::Bid, level(1_000_000 - 7 * step, 500 + step)),
                (Side::Ask, level(1_000_000 + 7 * step, 500 + step)),
            ];
            bench.apply(&Event::book_delta(id, 1, &levels).with_flags(flags::LAST));
        }
        let live = Event::new(EventKind::BookStateChanged, id);
        bench.apply(&live.with_detail(BookState::Live as u8));
    }
    for timer in 0..TIMERS {
        for id in (0..INSTRUMENTS).map(InstrumentId) {
            let mid = 1_000_000 + (timer * (3 + i64::from(id.0)) % 101) * 2;
            let body = Bbo {
                bid: level(mid - 1, 900),
                ask: level(mid + 1, 1_100),
                update_id: 2,
            };
            bench.apply(&Event::new(EventKind::Bbo, id).with_body(&body));
        }
        bench.ts_ns += 100_000_000;
        bench.apply(&Event::new(EventKind::TimerFired, InstrumentId(0)));
    }
    bench
}

fn main() {
    let config = config();
    let bench = warmed_up(&config);
    let mut bytes = Vec::new();
    let [mut encode, mut restore, mut build] = [Duration::MAX; 3];
    for _ in 0..ROUNDS {
        let start = Instant::now();
        bench.core.encode_snapshot(&mut bytes);
        encode = encode.min(start.elapsed());
        let start = Instant::now();
        let fresh = Core::new(&config, strategy(&config)).unwrap();
        build = build.min(start.elapsed());
        drop(fresh);
        let start = Instant::now();
        let restored = Core::restore(&config, strategy(&config), &bytes).unwrap();
        restore = restore.min(start.elapsed());
        assert_eq!(restored.state_hash(), bench.core.state_hash());
    }
    let stats = bench.core.stats();
    println!(
        "state    {} orders placed, {} fills",
        stats.orders, stats.fills
    );
    println!("snapshot {} bytes", bytes.len());
    println!("encode   {} us", encode.as_micros());
    println!(
        "restore  {} us, of which {} us build the empty core",
        restore.as_micros(),
        build.as_micros()
    );
}
