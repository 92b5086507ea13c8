//! A session that was cut off at any frame goes on: from any snapshot the recovered state is that of an uninterrupted replay, nothing
//! is sent twice, no fill is lost or counted twice, no order is left hanging, and the whole journal replays identically.
//!
//! The session trades in event time on the simulated world with a strategy that keeps orders resting. `ACTH_CUTS` says at how many
//! places it is cut (40), `ACTH_SEED` repeats a series.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::Core,
    decision::{Decision, DecisionKind},
    event::{CommandSent, Event, EventKind, EventView},
    hash::StateHasher,
    instrument::Instruments,
    money::Money,
    prelude::*,
    risk::Limits,
    snapshot::{Decoder, Encoder, SnapshotError},
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    control::Control,
    frames::{FrameClass, classify},
    manifest::RunManifest,
    monitor::Monitor,
    pipeline::{self, RunOutcome},
    recover::{Recovered, recover, start},
    replay::{ReplayOptions, Stepped, Stepper, replay},
    resume::{Rearm, Resume, first_inputs, was_sent},
    snapshot,
};
use acth_journal::{Frame, JournalOptions, Place, Reader, Writer};
use acth_sim::{
    paper::{self, PaperConfig, PaperVenue},
    source::{WorldSource, WorldSourceConfig},
    world::{World, WorldConfig},
};
use acth_tests::random::Random;
use zerocopy::FromBytes;

const WORLD_SEED: u64 = 11;
const START_NS: i64 = 1_700_000_000_000_000_000;
const FIRST_RUN_NS: i64 = 20_000_000_000;
const SECOND_RUN_NS: i64 = 3_000_000_000;
/// The hub was away for this long.
const AWAY_NS: i64 = 1_000_000_000;
const CUTS_DEFAULT: u64 = 40;
/// Ticks that an order may rest.
const REST_TICKS: u64 = 5;

/// Keeps one order resting on each side of every instrument, and renews them.
struct Rester {
    tick_count: u64,
    placed: Vec<u64>,
}

impl Strategy for Rester {
    type Config = NoConfig;
    const NAME: &'static str = "rester";

    fn new(_: &NoConfig, instruments: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self {
            tick_count: 0,
            placed: vec![0; instruments.count()],
        })
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        self.tick_count += 1;
        let ids: Vec<InstrumentId> = ctx.instruments().iter().map(|(id, _)| id).collect();
        for id in ids {
            let old: Vec<_> = ctx.open_orders(id).map(|order| order.id).collect();
            let is_time = self.tick_count > self.placed[id.index()] + REST_TICKS;
            if is_time {
                for order in &old {
                    ctx.cancel(*order);
                }
            }
            let Some(quote) = ctx.quote(id) else { continue };
            if old.is_empty() {
                let quantity = ctx.instrument(id).quantity_min;
                let bid = OrderRequest::limit(id, Side::Bid, quote.bid.price, quantity);
                let ask = OrderRequest::limit(id, Side::Ask, quote.ask.price, quantity);
                let _ = ctx.place(bid.post_only());
                let _ = ctx.place(ask.post_only());
                self.placed[id.index()] = self.tick_count;
            }
        }
    }

    fn digest(&self, hash: &mut StateHasher) {
        hash.word(self.tick_count);
        self.placed.iter().for_each(|tick| hash.word(*tick));
    }

    fn save(&self, out: &mut Encoder) {
        out.u64(self.tick_count);
        self.placed.iter().for_each(|tick| out.u64(*tick));
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.tick_count = from.u64()?;
        for tick in &mut self.placed {
            *tick = from.u64()?;
        }
        Ok(())
    }
}

fn world(ts_now_ns: i64) -> World {
    let config = WorldConfig {
        ts_start_ns: START_NS,
        ..WorldConfig::default()
    };
    let mut world = World::new(config, WORLD_SEED).unwrap();
    world.step_until(ts_now_ns, &mut |_| {});
    world
}

fn core_config(instruments: &Instruments) -> CoreConfig {
    CoreConfig {
        hub_id: 1,
        cash: Money::from_units(100_000_000),
        instruments: instruments.clone(),
        limits: Limits::default(),
        correlation_half_life_samples: 600.0,
        account: AccountConfig::default(),
    }
}

fn build(instruments: &Instruments, state: Option<&[u8]>) -> Result<Core<Rester>, String> {
    let config = core_config(instruments);
    let strategy = Rester::new(&NoConfig::default(), instruments).map_err(|e| e.to_string())?;
    match state {
        None => Core::new(&config, strategy).map_err(|e| e.to_string()),
        Some(bytes) => Core::restore(&config, strategy, bytes).map_err(|e| e.to_string()),
    }
}

fn engine_config(duration_ns: i64, resume: Resume) -> EngineConfig {
    let mut manifest = RunManifest::new(1, ThreadMode::Single, Clock::Event, Rester::NAME);
    manifest.started_ns = START_NS;
    let mut config = EngineConfig::new(ThreadMode::Single, Clock::Event, manifest);
    config.duration_ns = Some(duration_ns);
    config.resume = resume;
    config
}

fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: 1 << 20,
        ..JournalOptions::default()
    }
}

/// The session that will be cut.
fn first_run(dir: &Path) -> Instruments {
    let world = world(START_NS);
    let instruments = world.instruments().clone();
    let source = WorldSource::new(world, WorldSourceConfig::lasting(FIRST_RUN_NS));
    let (sink, state) = paper::channel(PaperConfig::default(), &instruments);
    let outcome = pipeline::run(
        &engine_config(FIRST_RUN_NS, Resume::default()),
        build(&instruments, None).unwrap(),
        PaperVenue::new(source, state),
        sink,
        Writer::create(dir, &options()).unwrap(),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    assert!(outcome.fills > 20, "{} fills", outcome.fills);
    assert!(outcome.orders > 100, "{} orders", outcome.orders);
    instruments
}

/// Copies the first frames of a journal into another that is left as a killed process leaves it.
fn cut(source: &Path, target: &Path, frames: u64) -> i64 {
    let mut reader = Reader::open(source).unwrap();
    let mut writer = Writer::create(target, &options()).unwrap();
    let mut time_ns = START_NS;
    for _ in 0..frames {
        let frame = reader.next().unwrap().unwrap();
        time_ns = time_ns.max(frame.time_ns);
        writer
            .append(frame.kind, frame.time_ns, frame.cause, frame.payload)
            .unwrap();
    }
    time_ns
}

/// Writes a snapshot somewhere in the first `frames` frames, as the snapshotter would.
fn write_snapshot(dir: &Path, instruments: &Instruments, frames: u64) {
    let place = Place::from(dir);
    let begun = start(&place, 0, |_, state| build(instruments, state)).unwrap();
    let (manifest, mut reader) = (begun.start.manifest.clone(), begun.reader);
    let mut stepper = Stepper::new(begun.start);
    while stepper.last_sequence() < frames || !stepper.is_complete() {
        if stepper.step(&mut reader).unwrap() == Stepped::Nothing {
            return;
        }
    }
    snapshot::write(&place, stepper.machine(), &manifest, &reader, 0).unwrap();
}

/// Recovers and goes on for a while, as the command does.
fn go_on(
    dir: &Path,
    instruments: &Instruments,
    cut_ns: i64,
) -> (RunOutcome<Core<Rester>>, u64, bool) {
    let place = Place::from(dir);
    let recovered: Recovered<Core<Rester>> =
        recover(&place, |_, state| build(instruments, state)).unwrap();
    let straight = replay(
        Reader::open(dir).unwrap(),
        |_| build(instruments, None),
        ReplayOptions {
            threads: ThreadMode::Single,
        },
    )
    .unwrap();
    assert!(straight.identical);
    assert_eq!(
        recovered.state_hash, straight.state_hash,
        "snapshot and tail give the state of an uninterrupted replay"
    );
    assert_eq!(recovered.unfinished, straight.open);
    let now_ns = cut_ns + AWAY_NS;
    let (writer, recovery) = Writer::open(dir, &options()).unwrap();
    assert_eq!(recovery.last_sequence, recovered.last_sequence);
    let resume = Resume {
        unfinished: recovered.unfinished.clone(),
        inputs: first_inputs(&recovered.machine, now_ns, Rearm::AfterOrderlyEnd),
    };
    let (sink, mut state) = paper::channel(PaperConfig::default(), instruments);
    let at_the_venue = recovered.machine.open_orders().filter(|o| was_sent(o));
    state.restore(at_the_venue, writer.run_id(), now_ns);
    let source = WorldSource::new(world(now_ns), WorldSourceConfig::lasting(SECOND_RUN_NS));
    let used = recovered.snapshot_sequence.unwrap_or(0);
    let was_inside = !recovered.unfinished.decisions.is_empty();
    let outcome = pipeline::run(
        &engine_config(SECOND_RUN_NS, resume),
        recovered.machine,
        PaperVenue::new(source, state),
        sink,
        writer,
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    (outcome, used, was_inside)
}

/// What the frames of a journal say happened.
#[derive(Default)]
struct Story {
    placed: BTreeSet<u64>,
    sent: BTreeMap<u64, u32>,
    executions: BTreeSet<(u16, u64)>,
    bought: BTreeMap<u16, i64>,
    withheld: u64,
}

impl Story {
    fn of(dir: &Path) -> Self {
        let mut story = Self::default();
        let mut reader = Reader::open(dir).unwrap();
        let mut sides = BTreeMap::new();
        while let Some(frame) = reader.next().unwrap() {
            match classify(frame.kind) {
                FrameClass::Decision(DecisionKind::PlaceOrder) => {
                    let decision = Decision::read_from_bytes(frame.payload).unwrap();
                    assert!(
                        story.placed.insert(decision.client_order_id),
                        "one id, one order"
                    );
                    assert_eq!(
                        decision.client_order_id & ((1 << 48) - 1),
                        frame.sequence,
                        "an id is the sequence of its decision"
                    );
                    sides.insert(decision.client_order_id, decision.side().unwrap().sign());
                }
                FrameClass::Input(kind) => story.take(kind, &frame, &sides),
                _ => {}
            }
        }
        story
    }

    fn take(&mut self, kind: EventKind, frame: &Frame<'_>, sides: &BTreeMap<u64, i64>) {
        let event = Event::read_from_bytes(frame.payload).unwrap();
        match event.view() {
            EventView::CommandSent(sent) => self.count_sent(sent),
            EventView::OrderFilled(fill) => {
                let is_new = self
                    .executions
                    .insert((event.instrument, fill.execution_id));
                assert!(is_new, "execution {} twice", fill.execution_id);
                *self.bought.entry(event.instrument).or_default() +=
                    fill.quantity * sides[&fill.client_order_id];
            }
            _ if kind == EventKind::OrderRejected && event.detail == 11 => self.withheld += 1,
            _ => {}
        }
    }

    fn count_sent(&mut self, sent: &CommandSent) {
        *self.sent.entry(sent.sequence).or_default() += 1;
    }

    fn check(&self, outcome: &RunOutcome<Core<Rester>>, what: &str) {
        assert!(
            self.sent.values().all(|count| *count == 1),
            "{what}: sent once"
        );
        let core = &outcome.machine;
        assert_eq!(core.open_order_count(), 0, "{what}: nothing is left open");
        for (id, _) in core.instruments().iter() {
            let held = core.portfolio().position(id).quantity;
            let bought = self.bought.get(&id.0).copied().unwrap_or(0);
            assert_eq!(held, bought, "{what}: every fill is in the books, once");
        }
        assert_eq!(core.stats().strange_reports, 0, "{what}");
    }
}

/// Sequences of the decisions to place an order.
fn order_frames(dir: &Path) -> Vec<u64> {
    let mut reader = Reader::open(dir).unwrap();
    let mut found = Vec::new();
    while let Some(frame) = reader.next().unwrap() {
        if classify(frame.kind) == FrameClass::Decision(DecisionKind::PlaceOrder) {
            found.push(frame.sequence);
        }
    }
    found
}

fn cut_count() -> u64 {
    let given = std::env::var("ACTH_CUTS").ok();
    given.map_or(CUTS_DEFAULT, |text| {
        text.parse().expect("ACTH_CUTS is a count")
    })
}

#[test]
fn a_session_cut_off_anywhere_goes_on() {
    let mut random = Random::for_test("restart");
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    let instruments = first_run(&whole);
    let last = acth_journal::verify(&whole, &mut |_, _| {})
        .unwrap()
        .last_sequence;
    let (count, mut unfinished, mut from_snapshot, mut withheld) = (cut_count(), 0, 0, 0);
    let orders = order_frames(&whole);
    for index in 0..count {
        // Half of the cuts lie inside an input that led to orders, or before their sending was confirmed.
        let frames = match index % 2 {
            0 => 2 + random.below(last - 2),
            _ => orders[random.below(orders.len() as u64) as usize] - 1 + random.below(3),
        };
        let target = dir.path().join(format!("cut-{index}"));
        let cut_ns = cut(&whole, &target, frames);
        if index % 4 != 0 {
            write_snapshot(&target, &instruments, 1 + random.below(frames));
        }
        let what = format!("cut {index} behind frame {frames}");
        let (outcome, used, was_inside) = go_on(&target, &instruments, cut_ns);
        from_snapshot += u64::from(used > 0);
        let story = Story::of(&target);
        story.check(&outcome, &what);
        withheld += story.withheld;
        let again = replay(
            Reader::open(&target).unwrap(),
            |_| build(&instruments, None),
            ReplayOptions {
                threads: ThreadMode::Single,
            },
        )
        .unwrap();
        assert!(again.identical, "{what}: {:?}", again.first_divergence);
        assert_eq!(again.state_hash, outcome.state_hash, "{what}");
        assert_eq!((again.runs, again.unfinished_decisions), (2, 0), "{what}");
        unfinished += u64::from(was_inside);
        std::fs::remove_dir_all(&target).unwrap();
    }
    eprintln!(
        "{count} cuts, {from_snapshot} recovered from a snapshot, {unfinished} inside an input, {withheld} orders withheld, 0 sent \
         twice, 0 fills lost: at 95 % confidence fewer than 3/{count} = {:.4} of all cuts go wrong",
        3.0 / count as f64
    );
    assert!(from_snapshot > 0 && withheld > 0 && unfinished > 0);
}
