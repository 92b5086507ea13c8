//! No allocation on the core's thread after warm-up, with everything real: the embedded world through three threads,
//! the recordings through one loop, the shipped strategy, the risk gate and the journal.
//!
//! A thread-local counter in the allocator of this program counts; the machine around the core reads it. The only
//! unsafe code here is the allocator's passing on.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    path::PathBuf,
};

use acth::config::Config;
use acth_core::{
    config::CoreConfig,
    core::Core,
    decision::Decisions,
    event::Event,
    instrument::Instruments,
    port::EventSource,
    strategies::{
        agent_network::{AgentNetwork, AgentNetworkConfig},
        basis_lead_lag::{BasisLeadLag, BasisLeadLagConfig},
    },
    strategy::Strategy,
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    control::Control,
    machine::Machine,
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
use acth_tests::recordings;
use acth_venues::{
    binance::catalogue,
    capture::{CaptureSource, CaptureSpec, Pace},
};

/// Counts what each thread asks of the system's allocator.
struct Counting;

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count_one() {
    // A thread that is ending has no counter any more; it is not measured either.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches a thread-local cell without
// destructor, which allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count_one();
        // SAFETY: the caller's promises about `layout` are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `alloc` or `realloc` here, that is from `System`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count_one();
        // SAFETY: `pointer` came from `System` with this layout; `size` is the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations() -> u64 {
    COUNT.with(Cell::get)
}

/// The core, with the counter of its thread read around every input.
struct Watched<S> {
    core: Core<S>,
    warm_up: u64,
    /// Plants one allocation at this input, to see that it would be seen.
    leak_at: Option<u64>,
    applied: u64,
    decided: u64,
    /// Inside `apply`, after the warm-up.
    inside: u64,
    /// From the last input of the warm-up to the latest one: rings, journal and source, as far as they are on this
    /// thread, and the machine.
    at_warm: u64,
    all: u64,
}

impl<S: Strategy> Watched<S> {
    fn new(config: &CoreConfig, parameters: &S::Config, warm_up: u64) -> Self {
        let strategy = S::new(parameters, &config.instruments).unwrap();
        Self {
            core: Core::new(config, strategy).unwrap(),
            warm_up,
            leak_at: None,
            applied: 0,
            decided: 0,
            inside: 0,
            at_warm: 0,
            all: 0,
        }
    }
}

impl<S: Strategy + Send> Machine for Watched<S> {
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        let before = allocations();
        Machine::apply(&mut self.core, sequence, ts_core_ns, event, decisions);
        if self.leak_at == Some(self.applied) {
            drop(std::hint::black_box(Box::new(self.applied)));
        }
        self.applied += 1;
        if self.applied == self.warm_up {
            self.at_warm = allocations();
        } else if self.applied > self.warm_up && self.core.trading_state().name() == "Active" {
            // Once halted, the run is being ended; that may allocate.
            self.decided += decisions.as_slice().len() as u64;
            self.inside += allocations() - before;
            self.all = allocations() - self.at_warm;
        }
    }

    fn state_hash(&self) -> u64 {
        Machine::state_hash(&self.core)
    }
}

fn run<S: Strategy + Send, Src: EventSource + Send>(
    threads: ThreadMode,
    machine: Watched<S>,
    instruments: &Instruments,
    source: Src,
) -> Watched<S> {
    let dir = tempfile::tempdir().unwrap();
    // Small segments: the change from one to the next is measured as well.
    let options = JournalOptions {
        segment_bytes: 8 << 20,
        ..JournalOptions::default()
    };
    let writer = Writer::create(dir.path().join("j"), &options).unwrap();
    let manifest = RunManifest::new(1, threads, Clock::Event, S::NAME);
    let config = EngineConfig::new(threads, Clock::Event, manifest);
    let (sink, state) = paper::channel(paper::PaperConfig::default(), instruments);
    let venue = paper::PaperVenue::new(source, state);
    let (control, monitor) = (Control::new(), Monitor::new());
    pipeline::run(&config, machine, venue, sink, writer, &control, &monitor)
        .unwrap()
        .machine
}

fn embedded_world<S: Strategy + Send>(parameters: &S::Config, leak_at: Option<u64>) -> Watched<S> {
    let world = World::new(WorldConfig::default(), 7).unwrap();
    let instruments = world.instruments().clone();
    let config = Config::default().core(instruments.rows().to_vec()).unwrap();
    let mut machine = Watched::new(&config, parameters, 100_000);
    machine.leak_at = leak_at;
    let source = WorldSource::new(world, WorldSourceConfig::lasting(60_000_000_000));
    run(ThreadMode::Multi, machine, &instruments, source)
}

fn tell<S>(name: &str, seen: &Watched<S>) {
    eprintln!(
        "{name}: {} inputs, {} of them warm-up, {} decisions behind it: {} allocations applying, {} in all on the thread",
        seen.applied, seen.warm_up, seen.decided, seen.inside, seen.all
    );
}

#[test]
fn three_threads_on_the_embedded_world() {
    let seen = embedded_world::<BasisLeadLag>(&BasisLeadLagConfig::default(), None);
    tell("embedded world, core thread", &seen);
    assert!(seen.applied > 2 * seen.warm_up, "{}", seen.applied);
    assert!(seen.decided > 100, "{}", seen.decided);
    assert_eq!((seen.inside, seen.all), (0, 0));
}

/// Features, structure, agents, netting, execution and the allocator, by quotes, trades, orders and timers.
#[test]
fn the_network_of_agents_on_the_embedded_world() {
    let seen = embedded_world::<AgentNetwork>(&AgentNetworkConfig::default(), None);
    tell("network of agents, core thread", &seen);
    assert!(seen.applied > 2 * seen.warm_up, "{}", seen.applied);
    assert!(seen.decided > 100, "{}", seen.decided);
    assert_eq!((seen.inside, seen.all), (0, 0));
}

#[test]
fn one_planted_allocation_is_seen() {
    let parameters = BasisLeadLagConfig::default();
    let seen = embedded_world::<BasisLeadLag>(&parameters, Some(150_000));
    assert_eq!((seen.inside, seen.all), (1, 1));
}

fn recorded(files: &[PathBuf], warm_up: u64) -> Watched<BasisLeadLag> {
    let specs: Vec<CaptureSpec> = files
        .iter()
        .map(|file| CaptureSpec::parse(file.to_str().unwrap()))
        .collect();
    let known = catalogue::for_captures(&specs, &[]).unwrap();
    let config = Config::default()
        .core(known.instruments.rows().to_vec())
        .unwrap();
    let source = CaptureSource::open(&specs, &known.instruments, Pace::FlatOut, 1).unwrap();
    let machine = Watched::new(&config, &BasisLeadLagConfig::default(), warm_up);
    run(ThreadMode::Single, machine, &known.instruments, source)
}

/// Reading, unpacking, decoding, keeping the books, deciding and journaling: all of it is on the one thread.
#[test]
fn one_loop_on_the_recordings() {
    let Some(files) = recordings() else { return };
    let seen = recorded(&files, 100_000);
    tell("recordings, single loop", &seen);
    assert!(seen.applied > 700_000, "{}", seen.applied);
    assert!(seen.decided > 100, "{}", seen.decided);
    assert_eq!((seen.inside, seen.all), (0, 0));
}
