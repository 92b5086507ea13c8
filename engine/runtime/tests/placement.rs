//! What the kernel was asked for a run's threads, seen from inside them: children of a busy thread must not inherit its
//! policy, its niceness or its core; memory must be present before the first event.
//!
//! Where the system permits none of it the tests say so and look at nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may panic, and says what it leaves out"
)]

mod support;

use std::thread;

use acth_core::{
    decision::{Decisions, Outbound},
    event::Event,
    port::{CommandSink, EventSink, EventSource, PortError, Progress},
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    control::Control,
    machine::Machine,
    monitor::Monitor,
    pipeline::{self, RunOutcome},
    placement::{Pin, Placement, Scheduling, allowed_cores, release_current},
    wait::{WaitChoice, WaitStrategy},
};
use support::{config, trade, writer};

/// Numbers of the fields of `stat` as the manual counts them.
const FAULTS: usize = 10;
const NICE: usize = 19;
const POLICY: usize = 41;
/// Policies as the kernel numbers them.
const OTHER: i64 = 0;
const FIFO: i64 = 1;

/// A field of the calling thread's own `stat`.
fn own_stat(field: usize) -> i64 {
    let text = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, behind_name) = text.rsplit_once(')').unwrap();
    let word = behind_name.split_ascii_whitespace().nth(field - 3);
    word.unwrap().parse().unwrap()
}

/// How a thread is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Placed {
    nice: i64,
    policy: i64,
    cores: Vec<usize>,
}

impl Placed {
    fn own() -> Self {
        Self {
            nice: own_stat(NICE),
            policy: own_stat(POLICY),
            cores: allowed_cores(),
        }
    }
}

/// At its first poll starts two threads, one of which releases itself, as helpers of a session do.
#[derive(Default)]
struct Spawning {
    allowed: Vec<usize>,
    own: Option<Placed>,
    child: Option<Placed>,
    released: Option<Placed>,
}

impl EventSource for Spawning {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        let allowed = self.allowed.clone();
        self.own = Some(Placed::own());
        self.child = thread::spawn(Placed::own).join().ok();
        let released = thread::spawn(move || {
            release_current(&allowed);
            Placed::own()
        });
        self.released = released.join().ok();
        let _ = sink.emit(&trade(0, 1));
        Ok(Progress::Ended)
    }
}

struct Nowhere;

impl CommandSink for Nowhere {
    fn submit(&mut self, _: &Outbound) -> Result<(), PortError> {
        Ok(())
    }
}

fn run<M: Machine + Send>(
    config: &EngineConfig,
    machine: M,
    source: impl EventSource + Send,
) -> RunOutcome<M> {
    let dir = tempfile::tempdir().unwrap();
    pipeline::run(
        config,
        machine,
        source,
        Nowhere,
        writer(dir.path()),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap()
}

fn parked(threads: ThreadMode, placement: Placement) -> EngineConfig {
    let mut config = config(threads, Clock::Wall);
    // Nothing may spin at real-time priority on a machine that others use.
    config.wait = WaitChoice::Fixed(WaitStrategy::Park);
    config.placement = placement;
    config
}

/// What a busy thread and its children saw, in one run with this scheduling.
fn spawn_from_a_busy_thread(scheduling: Scheduling) -> (Spawning, Vec<String>) {
    let allowed = allowed_cores();
    let core = *allowed.last().unwrap();
    let placement = Placement {
        pin: Pin::Cores(vec![core]),
        scheduling,
        ..Placement::none()
    };
    let mut source = Spawning {
        allowed,
        ..Spawning::default()
    };
    let config = parked(ThreadMode::Single, placement);
    let outcome = run(&config, Untouched::new(0), &mut source);
    (source, outcome.warnings)
}

#[test]
fn children_of_a_busy_thread_are_ordinary_threads() {
    let cases = [
        (Scheduling::Nice, -20, OTHER),
        (Scheduling::Fifo(5), 0, FIFO),
    ];
    for (scheduling, nice, policy) in cases {
        let (source, warnings) = spawn_from_a_busy_thread(scheduling);
        let own = source.own.unwrap();
        assert_eq!(own.cores.len(), 1, "the busy thread is pinned");
        if (own.nice, own.policy) != (nice, policy) {
            println!("not permitted here: {warnings:?}");
            assert!(
                warnings
                    .iter()
                    .any(|sentence| sentence.contains("keeps its ordinary priority"))
            );
            continue;
        }
        let child = source.child.unwrap();
        assert_eq!((child.nice, child.policy), (0, OTHER), "{scheduling:?}");
        let released = source.released.unwrap();
        assert_eq!((released.nice, released.policy), (0, OTHER));
        assert_eq!(released.cores, source.allowed, "a helper may run anywhere");
    }
}

#[test]
fn whoever_asks_for_fifo_is_warned_and_nobody_else() {
    let is_warning = |sentence: &String| sentence.contains("47 ms");
    let (_, warnings) = spawn_from_a_busy_thread(Scheduling::Fifo(1));
    assert!(warnings.iter().any(is_warning), "{warnings:?}");
    let (_, warnings) = spawn_from_a_busy_thread(Scheduling::Nice);
    assert!(!warnings.iter().any(is_warning), "{warnings:?}");
}

const PAGE_BYTES: usize = 4096;

/// A machine with memory that it has reserved and never written, as books do for levels to come.
struct Untouched {
    reserved: Vec<u8>,
    faults: i64,
}

impl Untouched {
    fn new(pages: usize) -> Self {
        Self {
            reserved: Vec::with_capacity(pages * PAGE_BYTES),
            faults: 0,
        }
    }
}

impl Machine for Untouched {
    fn apply(&mut self, _: u64, _: i64, _: &Event, _: &mut Decisions) {
        if self.reserved.is_empty() {
            let before = own_stat(FAULTS);
            self.reserved.resize(self.reserved.capacity(), 1);
            self.faults = own_stat(FAULTS) - before;
        }
    }

    fn state_hash(&self) -> u64 {
        0
    }
}

/// Page faults of the first event's use of reserved memory.
fn faults_of_first_use(threads: ThreadMode, touch_memory: bool, pages: usize) -> i64 {
    let placement = Placement {
        touch_memory,
        ..Placement::none()
    };
    let outcome = run(
        &parked(threads, placement),
        Untouched::new(pages),
        Spawning::default(),
    );
    outcome.machine.faults
}

#[test]
fn memory_is_present_before_the_first_event() {
    // More than the allocator ever keeps for reuse: every run gets fresh memory.
    const PAGES: usize = 9000;
    for threads in [ThreadMode::Single, ThreadMode::Multi] {
        let untouched = faults_of_first_use(threads, false, PAGES);
        let touched = faults_of_first_use(threads, true, PAGES);
        println!(
            "{threads:?}: {untouched} faults of {PAGES} pages, {touched} with memory touched before"
        );
        // Large pages make fewer faults of the same memory; where the kernel always gives them there is nothing to see.
        if untouched < PAGES as i64 / 2 {
            println!("the kernel gives large pages here");
            continue;
        }
        assert!(touched < 10, "{touched} faults");
    }
}
