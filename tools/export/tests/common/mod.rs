//! A small journal with an event of every kind, at the ends of what its numbers can be.

use std::path::{Path, PathBuf};

use acth_core::{
    decision::{Decision, DecisionKind, OrderType, TimeInForce},
    event::{
        Bbo, BookStateChanged, BookStateReason, CommandSent, Event, EventKind, FundingSettled,
        Level, MarkFunding, OperatorAction, OperatorCommand, OperatorReason, OrderFilled,
        OrderReport, RateChanged, ReportReason, Side, TimerFired, Trade, flags,
    },
    instrument::InstrumentId,
    risk::Denial,
};
use acth_engine::{
    clock::Clock,
    config::ThreadMode,
    frames::{MANIFEST_KIND, decision_kind, input_kind},
    manifest::RunManifest,
};
use acth_export::{ExportOptions, Exported, export};
use acth_journal::{JournalOptions, Writer};
use serde_json::{Value, json};
use zerocopy::IntoBytes;

/// Frames of the journal, one of them of an unknown kind.
pub(crate) const FRAMES: u64 = 28;
/// Time of the first frame.
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_001;

fn instrument(symbol: &str, price_exponent: u8, quantity_exponent: u8) -> Value {
    json!({
        "venue": "venue,\"quoted\"", "symbol": symbol, "base": "BTC", "quote": "USDT",
        "asset_class": "crypto", "contract": "spot", "price_exponent": price_exponent,
        "quantity_exponent": quantity_exponent, "tick": 1, "lot": 1, "quantity_min": 1,
        "maker_fee_ppm": 0, "taker_fee_ppm": 0,
    })
}

fn events() -> Vec<Event> {
    let (first, second) = (InstrumentId(0), InstrumentId(1));
    let of = |kind, id| Event::new(kind, id).at(START_NS - 5, START_NS - 3);
    let level = |price, quantity| Level { price, quantity };
    let report = OrderReport {
        client_order_id: u64::MAX,
        venue_order_id: 0,
        reserved: [0; 3],
    };
    let reported = |kind, reason| of(kind, first).with_body(&report).with_detail(reason as u8);
    let deltas = [
        (Side::Bid, level(i64::MIN, i64::MAX)),
        (Side::Ask, level(i64::MAX, 0)),
    ];
    vec![
        Event::book_delta(first, u64::MAX, &deltas)
            .at(i64::MAX, i64::MIN)
            .with_flags(flags::SNAPSHOT | flags::LAST),
        Event::book_delta(second, 0, &deltas[..1])
            .at(0, 1)
            .with_decode_code(77),
        of(EventKind::Bbo, second).with_body(&Bbo {
            bid: level(6_180_025, 3),
            ask: level(6_180_026, 4),
            update_id: 0,
        }),
        of(EventKind::Trade, first)
            .with_detail(Side::Ask as u8)
            .with_body(&Trade {
                price: i64::MIN,
                quantity: i64::MAX,
                trade_id: 1 << 63,
                trade_id_final: u64::MAX,
                reserved: 0,
            }),
        of(EventKind::BookStateChanged, first)
            .with_detail(3)
            .with_body(&BookStateChanged {
                reason: BookStateReason::Gap as u64,
                expected_id: 7,
                received_id: 9,
                reserved: [0; 2],
            }),
        reported(EventKind::OrderAccepted, ReportReason::None),
        reported(EventKind::OrderRejected, ReportReason::BadIncrement),
        reported(EventKind::OrderCancelled, ReportReason::Requested),
        reported(EventKind::CancelRejected, ReportReason::AlreadyDone),
        of(EventKind::OrderFilled, second)
            .with_flags(flags::MAKER)
            .with_body(&OrderFilled {
                client_order_id: 1,
                price: i64::MAX,
                quantity: i64::MAX,
                fee: i64::MIN,
                execution_id: 5,
            }),
        of(EventKind::CommandSent, first).with_body(&CommandSent {
            sequence: 15,
            client_order_id: 15,
            ts_egress_ns: START_NS,
            ts_cause_ingress_ns: 0,
            decided_before_ns: 1_250,
            published_before_ns: u32::MAX,
        }),
        of(EventKind::TimerFired, first).with_body(&TimerFired {
            ts_due_ns: START_NS,
            interval_ns: i64::MAX,
            count: 3,
            reserved: [0; 2],
        }),
        of(EventKind::OperatorCommanded, first)
            .with_detail(OperatorAction::Halt as u8)
            .with_body(&OperatorCommand::because(OperatorReason::DiskFull)),
        of(EventKind::ConnectionChanged, first).with_detail(1),
        Event::model_part(u32::MAX, 64, &[0, 255, 16]).at(START_NS - 5, START_NS - 3),
        Event::model_promoted(7, 67, u64::MAX).at(START_NS - 5, START_NS - 3),
        of(EventKind::FundingSettled, second).with_body(&FundingSettled {
            rate: -100_000_000,
            price: 0,
            reserved: [0; 3],
        }),
        of(EventKind::RateChanged, first).with_body(&RateChanged {
            mantissa: 1_085_000,
            currency: 1,
            exponent: 6,
            reserved: [0; 3],
        }),
        of(EventKind::MarkFunding, second)
            .with_decode_code(77)
            .with_body(&MarkFunding {
                mark_price: i64::MAX,
                index_price: 0,
                rate: -62_500_000,
                ts_next_ns: START_NS,
                reserved: 0,
            }),
    ]
}

fn decisions() -> Vec<Decision> {
    let placed = Decision {
        kind: DecisionKind::PlaceOrder as u8,
        side: Side::Bid as u8,
        instrument: 1,
        agent: 2,
        client_order_id: (1 << 63) | 16,
        price: i64::MIN,
        quantity: i64::MAX,
        order_type: OrderType::PostOnly as u8,
        time_in_force: TimeInForce::GoodTillCancelled as u8,
        reason: u16::MAX,
        reference_price: i64::MAX,
        signal_bits: (-0.125f64).to_bits(),
        ..Decision::default()
    };
    vec![
        placed,
        Decision {
            signal_bits: f64::NAN.to_bits(),
            ..placed
        },
        Decision {
            kind: DecisionKind::CancelOrder as u8,
            price: 0,
            quantity: 0,
            ..placed
        },
        Decision {
            kind: DecisionKind::OrderDenied as u8,
            verdict: Denial::Halted.code(),
            ..placed
        },
        Decision {
            kind: DecisionKind::TradingStateChanged as u8,
            reason: 1,
            state: 1,
            ..Decision::default()
        },
        Decision {
            kind: DecisionKind::StateHashed as u8,
            hash: 0xab,
            ..Decision::default()
        },
        Decision {
            kind: DecisionKind::ModelChanged as u8,
            verdict: 2,
            state: 7,
            hash: 0xcd,
            ..Decision::default()
        },
    ]
}

/// Writes the journal.
pub(crate) fn journal(dir: &Path) -> PathBuf {
    let path = dir.join("journal");
    let options = JournalOptions {
        segment_bytes: 8192,
        ..JournalOptions::default()
    };
    let mut writer = Writer::create(&path, &options).unwrap();
    let mut manifest = RunManifest::new(7, ThreadMode::Single, Clock::Event, "toy");
    let rows = [instrument("BTCUSDT", 2, 5), instrument("ETHUSDT", 3, 4)];
    manifest.core = json!({"core": {"instruments": rows}});
    let bytes = manifest.to_bytes().unwrap();
    writer.append(MANIFEST_KIND, START_NS, 0, &bytes).unwrap();
    for (index, event) in events().iter().enumerate() {
        let kind = input_kind(event.kind);
        let time_ns = START_NS + index as i64;
        writer.append(kind, time_ns, 0, event.as_bytes()).unwrap();
    }
    for decision in decisions() {
        let kind = decision_kind(decision.kind);
        let bytes = decision.as_bytes();
        writer.append(kind, START_NS + 100, 14, bytes).unwrap();
    }
    writer.append(0x7777, i64::MIN, u64::MAX, &[0xfe]).unwrap();
    assert_eq!(writer.next_sequence() - 1, FRAMES);
    writer.seal().unwrap();
    path
}

/// Exports without a word about the progress.
pub(crate) fn exported(journal: &Path, output: &Path, options: &ExportOptions) -> Exported {
    export(journal, output, options, &mut |_, _| {}).unwrap()
}

/// Names in a directory, sorted.
pub(crate) fn names(dir: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
