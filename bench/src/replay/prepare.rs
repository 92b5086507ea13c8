//! What is replayed: a journal written by the engine itself from two recordings, or from the simulated world.

use std::path::{Path, PathBuf};

use acth_core::{
    config::{AccountConfig, CoreConfig},
    core::Core,
    event::{BookState, Event, EventView, flags},
    instrument::Instruments,
    money::Money,
    port::{EventSink, EventSource, PortError, Progress, Stopped},
    prelude::{NoConfig, Strategy},
    risk::Limits,
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    control::Control,
    manifest::RunManifest,
    monitor::Monitor,
    pipeline,
};
use acth_journal::{JournalOptions, Writer};
use acth_sim::{
    paper,
    source::{WorldSource, WorldSourceConfig},
    world::{World, WorldConfig},
};
use acth_venues::{
    binance::catalogue,
    capture::{CaptureSource, CaptureSpec, Pace},
};

use super::strategy::TopFive;
use crate::Failure;

/// The recordings inside the folder of recorded data.
pub(crate) const RECORDINGS: [&str; 2] = [
    "crypto/binance/usdm/btcusdt_20240808.gz",
    "crypto/binance/usdm/ethusdt_20240808.gz",
];
/// Number of the hub in client order ids.
const HUB_ID: u16 = 1;
/// Cash of the hub, units of the account currency.
const CASH_UNITS: i64 = 1_000_000;
/// Half-life of the correlations, samples.
const HALF_LIFE_SAMPLES: f64 = 600.0;
/// Where there is no recording: seed of the simulated world and its length, which gives about as many rows.
const WORLD_SEED: u64 = 7;
const WORLD_NS: i64 = 180_000_000_000;

/// The recordings below this folder, if all of them are there.
pub(crate) fn recordings(data: &Path) -> Option<Vec<PathBuf>> {
    let paths = RECORDINGS.iter().map(|name| data.join(name));
    let paths: Vec<PathBuf> = paths.filter(|path| path.is_file()).collect();
    (paths.len() == RECORDINGS.len()).then_some(paths)
}

/// The core that writes the journal and the one that replays it.
pub(crate) fn build(instruments: &Instruments) -> Result<Core<TopFive>, Failure> {
    let config = CoreConfig {
        hub_id: HUB_ID,
        cash: Money::from_units(CASH_UNITS),
        instruments: instruments.clone(),
        limits: Limits::default(),
        correlation_half_life_samples: HALF_LIFE_SAMPLES,
        account: AccountConfig::default(),
    };
    let strategy = TopFive::new(&NoConfig::default(), instruments)?;
    Ok(Core::new(&config, strategy)?)
}

/// Writes the journal of one run over the recordings, or over the simulated world where `files` is none.
pub(crate) fn write(path: &Path, files: Option<&[PathBuf]>) -> Result<Instruments, Failure> {
    let Some(files) = files else {
        let world = World::new(WorldConfig::default(), WORLD_SEED)?;
        let instruments = world.instruments().clone();
        let source = WorldSource::new(world, WorldSourceConfig::lasting(WORLD_NS));
        run(path, &instruments, source)?;
        return Ok(instruments);
    };
    let specs = files
        .iter()
        .map(|file| CaptureSpec::of_frames(file.clone(), None));
    let specs: Vec<CaptureSpec> = specs.collect();
    let instruments = catalogue::for_captures(&specs, &[])?.instruments;
    let source = CaptureSource::open(&specs, &instruments, Pace::FlatOut, 1)?;
    run(path, &instruments, source)?;
    Ok(instruments)
}

fn run(
    path: &Path,
    instruments: &Instruments,
    source: impl EventSource + Send,
) -> Result<(), Failure> {
    let manifest = RunManifest::new(HUB_ID, ThreadMode::Single, Clock::Event, TopFive::NAME);
    let config = EngineConfig::new(ThreadMode::Single, Clock::Event, manifest);
    let writer = Writer::create(path, &JournalOptions::default())?;
    let (sink, state) = paper::channel(paper::PaperConfig::default(), instruments);
    let venue = paper::PaperVenue::new(DepthAndTrades::of(source, instruments), state);
    pipeline::run(
        &config,
        build(instruments)?,
        venue,
        sink,
        writer,
        &Control::new(),
        &Monitor::new(),
    )?;
    Ok(())
}

/// Where an instrument's book stands, as far as the filter has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joined {
    /// Before its snapshot.
    No,
    /// The snapshot is passing or has passed.
    Snapshot,
    /// The feed has said that it is live.
    Live,
}

/// Lets through what other engines are given: depth from an instrument's snapshot on, and trades. Left out are tickers, and
/// what was recorded before the snapshot, which the feed holds back and joins to it.
struct DepthAndTrades<S> {
    source: S,
    joined: Vec<Joined>,
}

impl<S> DepthAndTrades<S> {
    fn of(source: S, instruments: &Instruments) -> Self {
        let joined = vec![Joined::No; instruments.count()];
        Self { source, joined }
    }
}

impl<S: EventSource> EventSource for DepthAndTrades<S> {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let joined = &mut self.joined;
        self.source.poll(&mut Filter { sink, joined })
    }

    fn drain(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let joined = &mut self.joined;
        self.source.drain(&mut Filter { sink, joined })
    }
}

struct Filter<'a, S> {
    sink: &'a mut S,
    joined: &'a mut [Joined],
}

impl<S> Filter<'_, S> {
    fn passes(&mut self, event: &Event) -> bool {
        let joined = &mut self.joined[event.instrument_id().index()];
        match event.view() {
            EventView::Bbo(_) => false,
            EventView::Trade(_) => *joined != Joined::No,
            EventView::BookDelta(_) if event.has(flags::SNAPSHOT) => {
                *joined = Joined::Snapshot;
                true
            }
            EventView::BookDelta(_) => *joined == Joined::Live,
            EventView::BookStateChanged(_) => {
                *joined = match BookState::from_code(event.detail) {
                    Some(BookState::Live) => Joined::Live,
                    _ => Joined::No,
                };
                true
            }
            _ => true,
        }
    }
}

impl<S: EventSink> EventSink for Filter<'_, S> {
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let mut event = Event::EMPTY;
        fill(&mut event);
        if self.passes(&event) {
            self.sink.emit(&event)
        } else {
            Ok(())
        }
    }

    fn now_ns(&self) -> i64 {
        self.sink.now_ns()
    }
}
