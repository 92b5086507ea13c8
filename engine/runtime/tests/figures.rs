//! Figures of this machine, printed: `cargo test --release -p acth-engine --test figures -- --ignored --nocapture`.
//! They assert nothing about speed, since a shared machine has none of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::{convert::Infallible, thread, time::Instant};

use acth_core::{
    decision::{Decision, DecisionKind, Decisions, Outbound},
    event::{Event, EventKind},
    port::{CommandSink, EventSink, EventSource, PortError, Progress},
};
use acth_engine::{
    clock::{Clock, WallClock},
    config::ThreadMode,
    control::Control,
    latency::Latency,
    machine::Machine,
    monitor::Monitor,
    pipeline,
    replay::{ReplayOptions, replay},
    ring::{Taken, ring},
    wait::{WaitChoice, WaitStrategy},
};
use acth_journal::{JournalOptions, Reader, Writer};
use support::{config, trade};

/// Answers every trade with one order.
struct Answering {
    answers: bool,
}

impl Machine for Answering {
    fn apply(&mut self, sequence: u64, _: i64, event: &Event, decisions: &mut Decisions) {
        if self.answers && event.kind == EventKind::Trade as u8 {
            let pushed = decisions.push(Decision {
                kind: DecisionKind::PlaceOrder as u8,
                client_order_id: sequence,
                ..Decision::default()
            });
            assert!(pushed);
        }
    }

    fn state_hash(&self) -> u64 {
        0
    }
}

/// One trade every `gap_ns` of real time, stamped when it is due.
struct Paced {
    left: u64,
    gap_ns: i64,
    due_ns: i64,
}

impl EventSource for Paced {
    fn poll(&mut self, sink: &mut impl EventSink) -> Result<Progress, PortError> {
        if self.left == 0 {
            return Ok(Progress::Ended);
        }
        let now_ns = sink.now_ns();
        if self.due_ns == 0 {
            self.due_ns = now_ns;
        }
        if now_ns < self.due_ns {
            return Ok(Progress::Idle);
        }
        let due_ns = self.due_ns;
        let outcome = sink.emit_with(|slot| *slot = trade(0, 1).at(due_ns, due_ns));
        self.due_ns += self.gap_ns;
        self.left -= 1;
        Ok(if outcome.is_ok() {
            Progress::Busy
        } else {
            Progress::Ended
        })
    }
}

struct Nowhere;

impl CommandSink for Nowhere {
    fn submit(&mut self, _: &Outbound) -> Result<(), PortError> {
        Ok(())
    }
}

fn big_writer(dir: &std::path::Path) -> Writer {
    Writer::create(dir, &JournalOptions::default()).unwrap()
}

fn paced_run(threads: ThreadMode, wait: WaitStrategy, gap_ns: i64, count: u64) -> Latency {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(threads, Clock::Wall);
    config.wait = WaitChoice::Fixed(wait);
    config.reduces_when_behind = false;
    let source = Paced {
        left: count,
        gap_ns,
        due_ns: 0,
    };
    let outcome = pipeline::run(
        &config,
        Answering { answers: true },
        source,
        Nowhere,
        big_writer(dir.path()),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    outcome.latency
}

#[test]
#[ignore = "prints figures of this machine"]
fn hop() {
    const COUNT: u64 = 1_000_000;
    let (mut there, mut there_out) = ring(4096, [0u64; 8]).unwrap();
    let (mut back, mut back_out) = ring(4096, [0u64; 8]).unwrap();
    let echo = thread::spawn(move || {
        loop {
            let taken = there_out.take(64, |item, _| {
                back.try_publish(|slot| *slot = *item).map_err(drop)
            });
            if matches!(taken, Ok(Taken::Ended) | Err(())) {
                return;
            }
        }
    });
    let clock = WallClock::start();
    let mut histogram = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 1 << 40, 3).unwrap();
    for item in 0..COUNT {
        let start_ns = clock.now_ns();
        there.try_publish(|slot| slot[0] = item).unwrap();
        while back_out.take(64, |_, _| Ok::<(), Infallible>(())) == Ok(Taken::Empty) {}
        histogram.saturating_record((clock.now_ns() - start_ns) as u64);
    }
    drop(there);
    echo.join().unwrap();
    eprintln!(
        "ring round trip (two hops): p50 {} p90 {} p99 {} ns",
        histogram.value_at_quantile(0.5),
        histogram.value_at_quantile(0.9),
        histogram.value_at_quantile(0.99)
    );
}

#[test]
#[ignore = "prints figures of this machine"]
fn pipelines() {
    for (threads, wait) in [
        (ThreadMode::Single, WaitStrategy::Spin),
        (ThreadMode::Single, WaitStrategy::Park),
        (ThreadMode::Multi, WaitStrategy::Spin),
        (ThreadMode::Multi, WaitStrategy::Yield),
        (ThreadMode::Multi, WaitStrategy::Park),
    ] {
        for gap_ns in [100_000, 10_000] {
            let latency = paced_run(threads, wait, gap_ns, 2_000_000_000 / gap_ns as u64);
            eprintln!("{threads:?} {wait:?}, one event every {gap_ns} ns:\n{latency}");
        }
    }
}

#[test]
#[ignore = "prints figures of this machine"]
fn replays() {
    const COUNT: i64 = 3_000_000;
    let dir = tempfile::tempdir().unwrap();
    let (source, _) = support::venue::venue((0..COUNT).map(|index| trade(index, 1)).collect());
    let start = Instant::now();
    pipeline::run(
        &config(ThreadMode::Single, Clock::Event),
        support::toy::Toy::default(),
        source,
        Nowhere,
        big_writer(dir.path()),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    let elapsed = start.elapsed().as_secs_f64();
    eprintln!(
        "single run in event time: {:.1} M events/s",
        COUNT as f64 / elapsed / 1e6
    );
    for _ in 0..3 {
        let (start, mut count) = (Instant::now(), 0);
        let mut reader = Reader::open(dir.path()).unwrap();
        while reader.next().unwrap().is_some() {
            count += 1;
        }
        let elapsed = start.elapsed().as_secs_f64();
        eprintln!(
            "reading alone: {:.1} M frames/s",
            f64::from(count) / elapsed / 1e6
        );
    }
    for threads in [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi] {
        for _ in 0..3 {
            let reader = Reader::open(dir.path()).unwrap();
            let build = |_: &_| Ok(Answering { answers: false });
            let outcome = replay(reader, build, ReplayOptions { threads }).unwrap();
            let rate = outcome.book_rows as f64 / outcome.elapsed.as_secs_f64() / 1e6;
            eprintln!("replay {threads:?}, empty machine: {rate:.1} M rows/s");
        }
        for _ in 0..3 {
            let reader = Reader::open(dir.path()).unwrap();
            let build = |_: &_| Ok(support::toy::Toy::default());
            let outcome = replay(reader, build, ReplayOptions { threads }).unwrap();
            assert!(outcome.identical);
            let rate = outcome.book_rows as f64 / outcome.elapsed.as_secs_f64() / 1e6;
            eprintln!("replay {threads:?}: {rate:.1} M rows/s");
        }
    }
}
