//! A run that is stuck must not be kept alive: the watchdog is fed by what the core does, not by a thread that is idle anyway.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::{
    os::unix::net::UnixDatagram,
    path::PathBuf,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use acth::notify::{Environment, Notifier};
use acth_core::{
    decision::{Decisions, Outbound},
    event::{Event, EventKind},
    port::{CommandSink, EventSink, EventSource, PortError, Progress},
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    control::Control,
    machine::Machine,
    manifest::RunManifest,
    monitor::Monitor,
    pipeline,
    placement::Placement,
    wait::{WaitChoice, WaitStrategy},
};
use acth_journal::{JournalOptions, Writer};

const WATCHDOG: Duration = Duration::from_millis(120);
const TIMER: Duration = Duration::from_millis(10);
/// How long whoever gets stuck is stuck.
const STUCK: Duration = Duration::from_millis(1200);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sticks {
    Nothing,
    Core,
    Ingress,
}

/// Sleeps once, in the middle of the run.
struct Sticky {
    is_due: bool,
    start: Instant,
}

impl Sticky {
    fn new(is_due: bool) -> Self {
        Self {
            is_due,
            start: Instant::now(),
        }
    }

    fn maybe(&mut self) {
        if self.is_due && self.start.elapsed() > Duration::from_millis(300) {
            self.is_due = false;
            thread::sleep(STUCK);
        }
    }
}

impl Machine for Sticky {
    fn apply(&mut self, _: u64, _: i64, event: &Event, _: &mut Decisions) {
        if event.kind == EventKind::TimerFired as u8 {
            self.maybe();
        }
    }

    fn state_hash(&self) -> u64 {
        0
    }
}

impl EventSource for Sticky {
    fn poll(&mut self, _: &mut impl EventSink) -> Result<Progress, PortError> {
        self.maybe();
        Ok(Progress::Idle)
    }
}

struct Nowhere;

impl CommandSink for Nowhere {
    fn submit(&mut self, _: &Outbound) -> Result<(), PortError> {
        Ok(())
    }
}

/// A word and when it came, ms.
type Word = (u128, String);

/// Collects words until the run says that it is stopping.
fn listen(path: &PathBuf) -> JoinHandle<Vec<Word>> {
    let socket = UnixDatagram::bind(path).unwrap();
    let start = Instant::now();
    thread::spawn(move || {
        let mut words = Vec::new();
        let mut buffer = [0; 1024];
        loop {
            let count = socket.recv(&mut buffer).unwrap();
            let word = String::from_utf8_lossy(&buffer[..count]).into_owned();
            let is_last = word.starts_with("STOPPING=1");
            words.push((start.elapsed().as_millis(), word));
            if is_last {
                return words;
            }
        }
    })
}

/// The words of a run of two seconds.
fn words(threads: ThreadMode, sticks: Sticks) -> Vec<Word> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("notify");
    let listening = listen(&path);
    let manifest = RunManifest::new(1, threads, Clock::Wall, "sticky");
    let mut config = EngineConfig::new(threads, Clock::Wall, manifest);
    config.placement = Placement::none();
    config.wait = WaitChoice::Fixed(WaitStrategy::Park);
    config.timer_interval_ns = TIMER.as_nanos() as i64;
    config.duration_ns = Some(2_000_000_000);
    let monitor = Arc::new(Monitor::new());
    let environment = Environment {
        socket: Some(path.into_os_string()),
        watchdog: Some(WATCHDOG),
    };
    let notifier = Notifier::start(&environment, Arc::clone(&monitor), TIMER);
    pipeline::run(
        &config,
        Sticky::new(sticks == Sticks::Core),
        Sticky::new(sticks == Sticks::Ingress),
        Nowhere,
        Writer::create(dir.path().join("journal"), &JournalOptions::default()).unwrap(),
        &Control::new(),
        &monitor,
    )
    .unwrap();
    notifier.unwrap().unwrap().stop();
    listening.join().unwrap()
}

/// The longest time without food from the first word to the last, ms.
fn longest_hunger(words: &[Word]) -> u128 {
    let is_food = |word: &str| word == "WATCHDOG=1" || word == "READY=1";
    let fed = words.iter().filter(|(_, word)| is_food(word));
    let last = words.last().map(|(at, _)| *at);
    let times: Vec<u128> = fed.map(|(at, _)| *at).chain(last).collect();
    times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .max()
        .unwrap()
}

#[test]
fn a_run_that_moves_is_fed_and_one_that_is_stuck_starves() {
    for threads in [ThreadMode::Single, ThreadMode::Multi] {
        let moving = words(threads, Sticks::Nothing);
        assert_eq!(moving[0].1, "READY=1", "{moving:?}");
        let hunger = longest_hunger(&moving);
        assert!(hunger < STUCK.as_millis() / 2, "{hunger} ms: {moving:?}");
        for sticks in [Sticks::Core, Sticks::Ingress] {
            let stuck = words(threads, sticks);
            let hunger = longest_hunger(&stuck);
            // Ingress alone is noticed when no input has come for the watchdog's own time; the timer is one.
            let least = (STUCK - 2 * WATCHDOG).as_millis();
            assert!(
                hunger >= least,
                "{threads:?} {sticks:?}: {hunger} ms: {stuck:?}"
            );
        }
    }
}
