//! A toy machine, a scripted source with a paper venue, and journals in memory.

#![allow(dead_code, reason = "each test file uses its own part")]

pub(crate) mod memory;
pub(crate) mod toy;
pub(crate) mod venue;

use acth_core::{
    event::{Event, EventKind, Trade},
    instrument::InstrumentId,
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    frames::{self, FrameClass},
    manifest::RunManifest,
    placement::Placement,
};
use acth_journal::{JournalOptions, Reader, Tail, Writer};
use zerocopy::FromBytes;

/// Start of the scripts' time.
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_000;
/// Time between two events of a script.
pub(crate) const STEP_NS: i64 = 1_000_000;

/// A configuration for tests: nothing pinned.
pub(crate) fn config(threads: ThreadMode, clock: Clock) -> EngineConfig {
    let mut manifest = RunManifest::new(toy::HUB_ID, threads, clock, "toy");
    manifest.started_ns = START_NS;
    let mut config = EngineConfig::new(threads, clock, manifest);
    config.placement = Placement::none();
    config.timer_interval_ns = 0;
    config
}

/// A trade with this price; see `toy::Toy` for what prices mean.
pub(crate) fn trade(index: i64, price: i64) -> Event {
    let body = Trade {
        price,
        quantity: 1,
        trade_id: index as u64 + 1,
        trade_id_final: index as u64 + 1,
        reserved: 0,
    };
    let ts_ns = START_NS + index * STEP_NS;
    Event::new(EventKind::Trade, InstrumentId(0))
        .at(ts_ns, ts_ns)
        .with_detail(1)
        .with_body(&body)
}

/// Trades at ordinary prices: every third one makes the toy place an order.
pub(crate) fn script(count: i64) -> Vec<Event> {
    (0..count).map(|index| trade(index, index % 3)).collect()
}

/// One frame, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnedFrame {
    pub(crate) sequence: u64,
    pub(crate) time_ns: i64,
    pub(crate) cause: u64,
    pub(crate) kind: u16,
    pub(crate) payload: Vec<u8>,
}

/// A new journal with small segments in `dir`.
pub(crate) fn writer(dir: &std::path::Path) -> Writer {
    let options = JournalOptions {
        segment_bytes: 1 << 20,
        ..JournalOptions::default()
    };
    Writer::create(dir, &options).unwrap()
}

/// Every input of a journal on disk.
pub(crate) fn inputs(dir: &std::path::Path) -> Vec<Event> {
    let (frames, _) = read_all(dir);
    let inputs = frames
        .iter()
        .filter(|frame| matches!(frames::classify(frame.kind), FrameClass::Input(_)));
    inputs
        .map(|frame| Event::read_from_bytes(&frame.payload).unwrap())
        .collect()
}

/// Every frame of a journal on disk, and how it ends.
pub(crate) fn read_all(dir: &std::path::Path) -> (Vec<OwnedFrame>, Tail) {
    let mut reader = Reader::open(dir).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        frames.push(OwnedFrame {
            sequence: frame.sequence,
            time_ns: frame.time_ns,
            cause: frame.cause,
            kind: frame.kind,
            payload: frame.payload.to_vec(),
        });
    }
    (frames, reader.tail())
}
