//! The core: one market message through markets, strategy and gate, on four instruments; and the gate alone.
//!
//! Every order that the strategy places is refused by a made-up venue at once, so that none stays open for ever; that
//! report is part of the time of the message that caused it. Prices walk and return, so that going round in the stream
//! shows no jump.

#![allow(missing_docs, reason = "criterion's macros define undocumented items")]
#![allow(clippy::unwrap_used, reason = "a bench may panic")]
#![forbid(unsafe_code)]

mod support;

use std::hint::black_box;

use acth_core::{
    config::CoreConfig,
    core::{Core, Input},
    decision::{DecisionKind, Decisions},
    event::{
        Bbo, BookState, BookStateChanged, BookStateReason, Event, EventKind, Level, OrderReport,
        ReportReason, Side, TimerFired, Trade, flags,
    },
    instrument::{AssetClass, Contract, Instrument, InstrumentId, Instruments},
    money::Money,
    risk::{self, Limits, OrderRequest, RiskView, Terms, TradingState},
    strategies::basis_lead_lag::{BasisLeadLag, BasisLeadLagConfig},
    strategy::Strategy,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use support::Numbers;

/// Two pairs of spot and perpetual.
const INSTRUMENTS: usize = 4;
/// Messages that a stream goes round in.
const MESSAGES: usize = 8192;
/// Time between two messages.
const STEP_NS: i64 = 1_000_000;
/// Messages between two timers while warming up.
const TIMER_EVERY: usize = 100;
/// Levels of a depth message.
const LEVELS: usize = 20;
/// Longest step of the depth stream: the most that its messages have room to delete for.
const DEPTH_STEP_TICKS: u64 = 1;
/// Longest step of the other streams.
const STEP_TICKS: u64 = 20;
/// Start of the stream's time.
const START_NS: i64 = 1_700_000_000_000_000_000;

fn instrument(venue: &str, symbol: &str, base: &str, contract: Contract) -> Instrument {
    Instrument {
        venue: venue.into(),
        symbol: symbol.into(),
        base: base.into(),
        quote: "USDT".into(),
        asset_class: AssetClass::Crypto,
        contract,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 100,
    }
}

fn instruments() -> Instruments {
    let rows = vec![
        instrument("spot", "BTCUSDT", "BTC", Contract::Spot),
        instrument("perpetual", "BTCUSDT", "BTC", Contract::Perpetual),
        instrument("spot", "ETHUSDT", "ETH", Contract::Spot),
        instrument("perpetual", "ETHUSDT", "ETH", Contract::Perpetual),
    ];
    Instruments::new(rows).unwrap()
}

/// A core, the number of its next input, and its time.
struct Hub {
    core: Core<BasisLeadLag>,
    decisions: Decisions,
    sequence: u64,
    now_ns: i64,
    timer_count: u64,
    order_count: u64,
}

impl Hub {
    fn new() -> Self {
        let config = CoreConfig {
            hub_id: 1,
            cash: Money::from_units(1_000_000),
            instruments: instruments(),
            limits: Limits::default(),
            correlation_half_life_samples: 300.0,
        };
        let strategy = BasisLeadLag::new(&BasisLeadLagConfig::default(), &config.instruments);
        Self {
            core: Core::new(&config, strategy.unwrap()).unwrap(),
            decisions: Decisions::new(),
            sequence: 0,
            now_ns: START_NS,
            timer_count: 0,
            order_count: 0,
        }
    }

    #[inline]
    fn step(&mut self, event: &Event) {
        self.sequence += 1;
        self.decisions.clear();
        let input = Input {
            sequence: self.sequence,
            ts_core_ns: self.now_ns,
            event,
        };
        self.core.apply(input, &mut self.decisions);
        // Decisions take sequences of the journal too.
        self.sequence += self.decisions.as_slice().len() as u64;
    }

    /// One message of one or more events, and the venue's refusals of what follows from it.
    #[inline]
    fn message(&mut self, events: &[Event]) {
        self.now_ns += STEP_NS;
        for event in events {
            self.step(event);
            if !self.decisions.as_slice().is_empty() {
                self.refuse_orders();
            }
        }
    }

    #[cold]
    fn refuse_orders(&mut self) {
        let decisions = self.decisions.as_slice().to_vec();
        for decision in decisions {
            if decision.kind() != Some(DecisionKind::PlaceOrder) {
                continue;
            }
            self.order_count += 1;
            let body = OrderReport {
                client_order_id: decision.client_order_id,
                venue_order_id: 0,
                reserved: [0; 3],
            };
            let report = Event::new(EventKind::OrderRejected, decision.instrument_id())
                .with_detail(ReportReason::PostOnlyCross as u8)
                .with_body(&body);
            self.step(&report);
        }
    }

    fn timer(&mut self) {
        self.timer_count += 1;
        let body = TimerFired {
            ts_due_ns: self.now_ns,
            interval_ns: STEP_NS * TIMER_EVERY as i64,
            count: self.timer_count,
            reserved: [0; 2],
        };
        self.message(&[Event::new(EventKind::TimerFired, InstrumentId(0)).with_body(&body)]);
    }

    /// Books live, statistics warm: the whole stream once, with timers.
    fn warmed(streams: &[&[Vec<Event>]]) -> Self {
        let mut hub = Self::new();
        for index in 0..INSTRUMENTS {
            hub.message(&snapshot(index));
        }
        for index in 0..MESSAGES {
            for stream in streams {
                hub.message(&stream[index]);
            }
            if index % TIMER_EVERY == 0 {
                hub.timer();
            }
        }
        hub
    }
}

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
fn snapshot(index: usize) -> Vec<Event> {
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

fn tickers() -> Vec<Vec<Event>> {
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

fn trades() -> Vec<Vec<Event>> {
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
fn depths() -> Vec<Vec<Event>> {
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

fn apply(criterion: &mut Criterion) {
    let streams = [
        ("bookTicker", tickers()),
        ("trade", trades()),
        ("depth_20_levels", depths()),
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
        let alive = (0..INSTRUMENTS).all(|index| {
            let market = hub.core.market(InstrumentId(index as u16));
            market.is_some_and(|market| market.quote().is_some())
        });
        assert!(
            alive,
            "{name}: a market lost its quote, so the strategy slept"
        );
        eprintln!(
            "{name}: {} orders in {} inputs",
            hub.order_count, hub.sequence
        );
    }
    let mut hub = Hub::warmed(&[&streams[0].1]);
    group.bench_function("timer", |bencher| bencher.iter(|| hub.timer()));
    group.finish();
}

fn gate(criterion: &mut Criterion) {
    let instruments = instruments();
    let request = OrderRequest::limit(InstrumentId(0), Side::Bid, 6_180_000, 10);
    let view = RiskView {
        trading_state: TradingState::Active,
        terms: instruments.get(InstrumentId(0)).map(Terms::of),
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
        equity: Money::from_units(1_000_000),
        equity_max: Money::from_units(1_010_000),
        gross_exposure: Money::from_units(10_000),
        open_notional: Money::from_units(5000),
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
