//! The pass over journals written by hand, with durations that a test can spell out.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};

use acth_core::{
    decision::{Decision, DecisionKind},
    event::{
        BookState, CommandSent, Event, EventKind, Level, OrderReport, ReportReason, Side,
        before_ns, decode_code, decode_ns, flags,
    },
    instrument::InstrumentId,
};
use acth_engine::{
    clock::Clock,
    config::ThreadMode,
    frames::{MANIFEST_KIND, decision_kind, input_kind},
    manifest::RunManifest,
};
use acth_journal::{JournalOptions, Writer};
use acth_latency::{By, LatencyError, Measured, MessageKind, SAMPLES_MIN, Stage, fit, measure};
use acth_sim::paper::Split;
use serde_json::{Value, json};
use zerocopy::IntoBytes;

const START_NS: i64 = 1_700_000_000_000_000_000;
const SPOT: InstrumentId = InstrumentId(0);
const PERP: InstrumentId = InstrumentId(1);

fn instrument(venue: &str) -> Value {
    json!({
        "venue": venue, "symbol": "BTCUSDT", "base": "BTC", "quote": "USDT",
        "asset_class": "crypto", "contract": "spot", "price_exponent": 2,
        "quantity_exponent": 5, "tick": 1, "lot": 1, "quantity_min": 1,
        "maker_fee_ppm": 0, "taker_fee_ppm": 0,
    })
}

/// A journal in the making.
struct Script {
    path: PathBuf,
    writer: Writer,
}

impl Script {
    fn new(dir: &Path, clock: Clock) -> Self {
        let path = dir.join("journal");
        // A few hundred frames a segment.
        let options = JournalOptions {
            segment_bytes: 1 << 16,
            ..JournalOptions::default()
        };
        let writer = Writer::create(&path, &options).unwrap();
        let mut script = Self { path, writer };
        script.manifest(clock);
        script
    }

    fn manifest(&mut self, clock: Clock) {
        let mut manifest = RunManifest::new(7, ThreadMode::Single, clock, "toy");
        manifest.core = json!({"core": {"instruments": [instrument("spot"), instrument("perp")]}});
        let bytes = manifest.to_bytes().unwrap();
        self.writer
            .append(MANIFEST_KIND, START_NS, 0, &bytes)
            .unwrap();
    }

    /// An input that the core took at this time; gives its sequence.
    fn input(&mut self, ts_core_ns: i64, event: Event) -> u64 {
        event.check().unwrap();
        let kind = input_kind(event.kind);
        let bytes = event.as_bytes();
        self.writer
            .append(kind, START_NS + ts_core_ns, 0, bytes)
            .unwrap()
    }

    /// A command that followed from the input `cause`; gives its sequence.
    fn command(&mut self, cause: u64, kind: DecisionKind, id: InstrumentId, order: u64) -> u64 {
        let decision = Decision {
            kind: kind as u8,
            instrument: id.0,
            client_order_id: order,
            ..Decision::default()
        };
        let kind = decision_kind(kind as u8);
        let bytes = decision.as_bytes();
        self.writer.append(kind, START_NS, cause, bytes).unwrap()
    }

    fn measure(self) -> Measured {
        self.writer.seal().unwrap();
        measure(self.path.as_path(), &mut |done, total| {
            assert!(done <= total)
        })
        .unwrap()
    }
}

fn bbo(id: InstrumentId, ts_venue_ns: i64, ts_ingress_ns: i64) -> Event {
    Event::new(EventKind::Bbo, id).at(START_NS + ts_venue_ns, START_NS + ts_ingress_ns)
}

fn depth(ts_ingress_ns: i64, bits: u8) -> Event {
    let level = Level {
        price: 1,
        quantity: 1,
    };
    Event::book_delta(SPOT, 1, &[(Side::Bid, level)])
        .at(START_NS, START_NS + ts_ingress_ns)
        .with_flags(bits)
        .with_decode_code(decode_code(400))
}

fn book_state(state: BookState) -> Event {
    Event::new(EventKind::BookStateChanged, SPOT)
        .at(0, START_NS)
        .with_detail(state as u8)
}

/// The report that command `sequence` left at `sent`, decided and published that long before.
fn sent(sequence: u64, order: u64, times: (i64, i64, i64, i64)) -> Event {
    let (ingress_ns, decided_ns, published_ns, egress_ns) = times;
    let stamp = |ns: i64| if ns == 0 { 0 } else { START_NS + ns };
    let body = CommandSent {
        sequence,
        client_order_id: order,
        ts_egress_ns: START_NS + egress_ns,
        ts_cause_ingress_ns: START_NS + ingress_ns,
        decided_before_ns: before_ns(stamp(decided_ns), START_NS + egress_ns),
        published_before_ns: before_ns(stamp(published_ns), START_NS + egress_ns),
    };
    Event::new(EventKind::CommandSent, SPOT)
        .at(0, START_NS + egress_ns)
        .with_body(&body)
}

fn answer(kind: EventKind, reason: ReportReason, order: u64, times: (i64, i64)) -> Event {
    let body = OrderReport {
        client_order_id: order,
        venue_order_id: 0,
        reserved: [0; 3],
    };
    Event::new(kind, SPOT)
        .at(START_NS + times.0, START_NS + times.1)
        .with_detail(reason as u8)
        .with_body(&body)
}

/// Count and largest value of a row, ns; zero where there is none.
fn row(measured: &Measured, stage: Stage, venue: &str, kind: MessageKind) -> (u64, u64) {
    let rows = measured.rows(By::Kind);
    let found = rows.iter().find(|row| {
        row.stage == stage && row.venue.as_deref() == Some(venue) && row.kind == Some(kind)
    });
    found.map_or((0, 0), |row| (row.histogram.len(), row.histogram.max()))
}

#[test]
fn every_stage_of_one_order_is_what_its_stamps_say() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = Script::new(dir.path(), Clock::Wall);
    let tick = bbo(SPOT, 0, 1_000).with_decode_code(decode_code(40));
    let cause = script.input(1_100, tick);
    let place = script.command(cause, DecisionKind::PlaceOrder, PERP, 5);
    script.input(1_900, sent(place, 5, (1_000, 1_350, 1_400, 1_800)));
    let accepted = answer(
        EventKind::OrderAccepted,
        ReportReason::None,
        5,
        (1_950, 2_300),
    );
    let cause = script.input(2_310, accepted);
    let cancel = script.command(cause, DecisionKind::CancelOrder, PERP, 5);
    script.input(3_500, sent(cancel, 5, (2_300, 2_500, 2_600, 3_000)));
    let cancelled = answer(
        EventKind::OrderCancelled,
        ReportReason::Requested,
        5,
        (3_100, 3_700),
    );
    script.input(3_800, cancelled);
    let measured = script.measure();
    let tick = |stage| row(&measured, stage, "spot", MessageKind::Bbo);
    let order = |stage| row(&measured, stage, "perp", MessageKind::Bbo);
    let cancel = |stage| row(&measured, stage, "perp", MessageKind::OrderReport);
    let decoded_ns = decode_ns(decode_code(40)).unwrap().unsigned_abs();
    assert_eq!(tick(Stage::Feed), (1, 1_000));
    assert_eq!(tick(Stage::Decode), (1, decoded_ns));
    assert_eq!(tick(Stage::Queue), (1, 100 - decoded_ns));
    assert_eq!(tick(Stage::Ingress), (1, 100));
    assert_eq!(order(Stage::Apply), (1, 250));
    assert_eq!(order(Stage::Publish), (1, 50));
    assert_eq!(order(Stage::Send), (1, 400));
    assert_eq!(order(Stage::TickToOrder), (1, 800));
    assert_eq!(order(Stage::OrderLeg), (1, 150));
    assert_eq!(order(Stage::ReportLeg), (1, 350));
    assert_eq!(order(Stage::OrderAck), (1, 500));
    assert_eq!(order(Stage::CancelAck), (0, 0));
    assert_eq!(cancel(Stage::CancelAck), (1, 700));
    assert_eq!(cancel(Stage::OrderAck), (0, 0));
    assert_eq!(measured.frames, 8);
    assert_eq!(measured.sequences, Some((1, 8)));
    assert_eq!((measured.unstamped, measured.lost), (0, 0));
}

#[test]
fn an_answer_before_the_report_of_sending_counts_and_a_withheld_order_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = Script::new(dir.path(), Clock::Wall);
    let cause = script.input(1_100, bbo(SPOT, 0, 1_000));
    let first = script.command(cause, DecisionKind::PlaceOrder, SPOT, 5);
    script.command(cause, DecisionKind::PlaceOrder, SPOT, 6);
    let rejected = answer(
        EventKind::OrderRejected,
        ReportReason::NoMarket,
        5,
        (1_500, 1_700),
    );
    script.input(1_800, rejected);
    script.input(1_900, sent(first, 5, (1_000, 1_200, 1_300, 1_400)));
    let withheld = answer(
        EventKind::OrderRejected,
        ReportReason::Withheld,
        6,
        (0, 1_700),
    );
    script.input(1_950, withheld);
    let measured = script.measure();
    let of = |stage| row(&measured, stage, "spot", MessageKind::Bbo);
    assert_eq!(of(Stage::OrderAck), (1, 300));
    assert_eq!(of(Stage::OrderLeg), (1, 100));
    assert_eq!(of(Stage::TickToOrder), (1, 400));
}

#[test]
fn a_message_counts_once_and_not_while_it_waits_for_its_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = Script::new(dir.path(), Clock::Wall);
    script.input(10, book_state(BookState::Syncing));
    // A snapshot of two events, and a change that waited for it.
    let snapshot = flags::SNAPSHOT | flags::CLEAR;
    script.input(1_500, depth(1_000, snapshot));
    script.input(1_600, depth(1_000, flags::SNAPSHOT | flags::LAST));
    script.input(1_700, depth(1_000, flags::LAST));
    script.input(1_800, book_state(BookState::Live));
    script.input(2_500, depth(2_000, 0));
    script.input(2_600, depth(2_000, flags::LAST));
    let measured = script.measure();
    assert_eq!(
        row(&measured, Stage::Ingress, "spot", MessageKind::Snapshot),
        (1, 600)
    );
    assert_eq!(
        row(&measured, Stage::Ingress, "spot", MessageKind::Depth),
        (1, 600)
    );
    assert_eq!(
        row(&measured, Stage::Decode, "spot", MessageKind::Depth).0,
        1
    );
}

#[test]
fn an_old_journal_lacks_the_stages_that_nobody_stamped_and_event_time_those_of_the_machine() {
    for clock in [Clock::Wall, Clock::Event] {
        let dir = tempfile::tempdir().unwrap();
        let mut script = Script::new(dir.path(), clock);
        let cause = script.input(1_100, bbo(SPOT, 0, 1_000));
        let place = script.command(cause, DecisionKind::PlaceOrder, SPOT, 5);
        script.input(1_900, sent(place, 5, (1_000, 0, 0, 1_800)));
        let accepted = answer(
            EventKind::OrderAccepted,
            ReportReason::None,
            5,
            (1_950, 2_300),
        );
        script.input(2_310, accepted);
        let measured = script.measure();
        let of = |stage| row(&measured, stage, "spot", MessageKind::Bbo).0;
        let is_wall = u64::from(clock == Clock::Wall);
        assert_eq!(measured.has_event_time(), clock == Clock::Event);
        assert_eq!(measured.unstamped, is_wall);
        assert_eq!((of(Stage::Feed), of(Stage::OrderAck)), (1, 1));
        assert_eq!(of(Stage::Decode), 0);
        assert_eq!(
            (of(Stage::Apply), of(Stage::Publish), of(Stage::Send)),
            (0, 0, 0)
        );
        assert_eq!(
            (of(Stage::Queue), of(Stage::TickToOrder)),
            (is_wall, is_wall)
        );
    }
}

#[test]
fn what_one_run_left_open_is_no_half_of_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = Script::new(dir.path(), Clock::Wall);
    let cause = script.input(1_100, bbo(SPOT, 0, 1_000));
    let place = script.command(cause, DecisionKind::PlaceOrder, SPOT, 5);
    script.input(1_900, sent(place, 5, (1_000, 1_200, 1_300, 1_400)));
    script.manifest(Clock::Wall);
    let late = answer(
        EventKind::OrderAccepted,
        ReportReason::None,
        5,
        (0, 9_000_000),
    );
    script.input(9_100_000, late);
    let measured = script.measure();
    assert_eq!(
        row(&measured, Stage::OrderAck, "spot", MessageKind::Bbo).0,
        0
    );
    assert_eq!(measured.runs.len(), 2);
}

/// A hundred orders at spot with these ways there and back, ns.
fn orders(dir: &Path, ways: impl Fn(i64) -> (i64, i64)) -> Measured {
    let mut script = Script::new(dir, Clock::Wall);
    for index in 0..100_i64 {
        let at_ns = index * 1_000_000;
        let order = 10 + index.unsigned_abs();
        let cause = script.input(at_ns + 100, bbo(SPOT, at_ns, at_ns + 50));
        let place = script.command(cause, DecisionKind::PlaceOrder, SPOT, order);
        let egress_ns = at_ns + 200;
        script.input(
            egress_ns,
            sent(place, order, (at_ns, at_ns + 120, at_ns + 130, egress_ns)),
        );
        let (there_ns, back_ns) = ways(index);
        let acted_ns = egress_ns + there_ns;
        let times = (acted_ns, acted_ns + back_ns);
        let accepted = answer(EventKind::OrderAccepted, ReportReason::None, order, times);
        script.input(times.1 + 10, accepted);
    }
    script.measure()
}

#[test]
fn a_fit_gives_the_quantiles_of_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    let measured = orders(dir.path(), |index| (1_000 + index, 500));
    let fitted = fit(&measured, "here", 100).unwrap();
    fitted.model.check().unwrap();
    assert_eq!(fitted.model.venues.len(), 1);
    assert!(fitted.notes[0].contains("perp is left out: 0 acknowledged orders"));
    let venue = &fitted.model.venues["spot"];
    assert_eq!((venue.samples, venue.split), (100, Split::Measured));
    // Of 100 ways from 1,000 to 1,099 ns: the value below which, or at which, that share lies.
    let percent = [
        0.0, 1.0, 5.0, 25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0,
    ];
    let order_ns = [
        1_000, 1_000, 1_004, 1_024, 1_049, 1_074, 1_089, 1_094, 1_098, 1_099, 1_099,
    ];
    assert_eq!(fitted.model.percent, percent);
    assert_eq!(venue.order_ns, order_ns);
    assert!(
        fit(&measured, "here", SAMPLES_MIN).is_ok(),
        "a hundred are enough"
    );
    assert!(venue.report_ns.iter().all(|ns| *ns == 500));
    assert_eq!((venue.feed_samples, venue.feed_ns[4]), (100, 50));
    assert_eq!(
        fitted.model.fitted_from.last_sequence,
        measured.sequences.unwrap().1
    );
}

#[test]
fn a_venue_clock_that_contradicts_ours_is_split_in_halves() {
    let dir = tempfile::tempdir().unwrap();
    // Once its clock is a microsecond behind.
    let ways = |index| {
        if index == 50 {
            (-400, 1_900)
        } else {
            (1_000, 500)
        }
    };
    let fitted = fit(&orders(dir.path(), ways), "here", 100).unwrap();
    let venue = &fitted.model.venues["spot"];
    assert_eq!(venue.split, Split::Halves);
    assert!(
        venue.order_ns.iter().all(|ns| *ns == 750),
        "{:?}",
        venue.order_ns
    );
    assert_eq!(venue.order_ns, venue.report_ns);
    assert!(
        fitted
            .notes
            .iter()
            .any(|note| note.contains("half of the whole"))
    );
}

#[test]
fn a_message_without_a_time_of_the_venue_has_no_way_to_us() {
    let dir = tempfile::tempdir().unwrap();
    let mut script = Script::new(dir.path(), Clock::Wall);
    let timeless = Event::new(EventKind::Bbo, SPOT).at(0, START_NS + 50);
    script.input(100, timeless);
    script.input(200, timeless.with_flags(flags::TS_MISSING));
    let rows = script.measure().rows(By::Stage);
    let is_feed = |row: &acth_latency::Row| row.stage == Stage::Feed;
    assert!(!rows.iter().any(is_feed), "only what both clocks tell");
    assert!(!rows.is_empty());
}

#[test]
fn a_journal_of_several_segments_is_measured_to_its_end() {
    for (clock, is_event_time) in [(Clock::Wall, false), (Clock::Event, true)] {
        let dir = tempfile::tempdir().unwrap();
        let mut script = Script::new(dir.path(), clock);
        let mut last = 0;
        for index in 0..2_000 {
            let at_ns = index * 1_000;
            last = script.input(at_ns + 100, bbo(SPOT, at_ns, at_ns + 50));
        }
        let segments = std::fs::read_dir(&script.path).unwrap().count();
        assert!(segments > 3, "{segments} files");
        let measured = script.measure();
        assert_eq!(measured.sequences, Some((1, last)));
        assert_eq!(measured.has_event_time(), is_event_time);
        assert_eq!(measured.has_wall_time(), !is_event_time);
    }
}

#[test]
fn too_few_orders_are_no_model() {
    let dir = tempfile::tempdir().unwrap();
    let measured = orders(dir.path(), |_| (1_000, 500));
    let refusal = fit(&measured, "here", 101).unwrap_err();
    assert!(matches!(refusal, LatencyError::TooFew(_)));
    assert_eq!(
        refusal.to_string(),
        "here: too few acknowledged orders to fit from: spot has 100, perp has 0; at least 101 of one venue are needed"
    );
}
