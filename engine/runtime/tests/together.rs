//! Commands that come together leave together: the sink is flushed behind a bounded number of them, and none is said to have left
//! before.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use acth_core::{
    decision::Outbound,
    event::{CommandSent, Event, EventKind, EventView},
    port::{CommandSink, PortError},
};
use acth_engine::{
    clock::Clock, config::ThreadMode, control::Control, error::EngineError, frames,
    monitor::Monitor, pipeline,
};
use support::{
    config, inputs, read_all, script,
    toy::Toy,
    trade,
    venue::{Sink, venue},
    writer,
};

const EACH: [ThreadMode; 3] = [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi];
/// What a flush takes.
const WRITE: Duration = Duration::from_millis(10);

/// Keeps what it takes until it is flushed.
struct Keeping {
    inner: Sink,
    kept: Vec<Outbound>,
    /// How many commands each flush let leave.
    writes: Arc<Mutex<Vec<usize>>>,
    is_broken: bool,
}

impl CommandSink for Keeping {
    fn submit(&mut self, outbound: &Outbound) -> Result<(), PortError> {
        self.kept.push(*outbound);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PortError> {
        self.writes.lock().unwrap().push(self.kept.len());
        std::thread::sleep(WRITE);
        if self.is_broken {
            return Err(PortError::new("session 1", "planted end of the connection"));
        }
        self.kept
            .drain(..)
            .try_for_each(|outbound| self.inner.submit(&outbound))
    }
}

/// What a run left behind.
struct Left {
    outcome: Result<(), EngineError>,
    writes: Vec<usize>,
    sent: Vec<CommandSent>,
    refused_count: usize,
}

fn run(threads: ThreadMode, clock: Clock, is_broken: bool) -> Left {
    let dir = tempfile::tempdir().unwrap();
    let (source, inner) = venue(script(120));
    let writes = Arc::new(Mutex::new(Vec::new()));
    let sink = Keeping {
        inner,
        kept: Vec::new(),
        writes: Arc::clone(&writes),
        is_broken,
    };
    let outcome = pipeline::run(
        &config(threads, clock),
        Toy::default(),
        source,
        sink,
        writer(dir.path()),
        &Control::new(),
        &Monitor::new(),
    );
    let events = inputs(dir.path());
    let sent = events.iter().filter_map(|event| match event.view() {
        EventView::CommandSent(sent) => Some(*sent),
        _ => None,
    });
    let refused = |event: &&Event| event.kind == EventKind::OrderRejected as u8;
    Left {
        outcome: outcome.map(drop),
        writes: writes.lock().unwrap().clone(),
        sent: sent.collect(),
        refused_count: events.iter().filter(refused).count(),
    }
}

#[test]
fn a_command_is_reported_as_sent_when_it_has_left() {
    for threads in EACH {
        let left = run(threads, Clock::Wall, false);
        left.outcome.unwrap();
        assert_eq!(
            left.writes.iter().sum::<usize>(),
            left.sent.len(),
            "{threads:?}"
        );
        for sent in &left.sent {
            let waited_ns = u128::from(sent.decided_before_ns);
            assert!(waited_ns >= WRITE.as_nanos(), "{threads:?}: {sent:?}");
        }
    }
}

#[test]
fn what_comes_together_leaves_together_and_never_too_much() {
    for threads in EACH {
        let left = run(threads, Clock::Wall, false);
        let most = left.writes.iter().max().unwrap();
        assert!((2..=16).contains(most), "{threads:?}: {:?}", left.writes);
    }
}

/// What follows from an event must not depend on how many were read together.
#[test]
fn in_event_time_the_loop_lets_every_command_leave_at_once() {
    let left = run(ThreadMode::Single, Clock::Event, false);
    // Every third of 120 trades places an order; the cancels of the end answer one event and leave together.
    let (orders, cancels) = left.writes.split_at(40);
    assert!(orders.iter().all(|count| *count == 1), "{orders:?}");
    assert_eq!(cancels, [16, 16, 8]);
    assert_eq!(left.sent.len(), 80);
}

/// A source may give much in one poll: an order does not wait for all of it.
#[test]
fn an_order_waits_for_a_few_events_at_most() {
    let dir = tempfile::tempdir().unwrap();
    // The first trade places the only order.
    let (mut source, sink) = venue((0..200).map(|index| trade(index, index.min(1))).collect());
    source.per_poll = 1_000;
    let (config, control) = (config(ThreadMode::Single, Clock::Wall), Control::new());
    let writer = writer(dir.path());
    pipeline::run(
        &config,
        Toy::default(),
        source,
        sink,
        writer,
        &control,
        &Monitor::new(),
    )
    .unwrap();
    let (frames, _) = read_all(dir.path());
    let kinds: Vec<u16> = frames.iter().map(|frame| frame.kind).collect();
    let place_of = |kind: EventKind| {
        let wanted = frames::input_kind(kind as u8);
        kinds.iter().position(|found| *found == wanted).unwrap()
    };
    let waited = place_of(EventKind::CommandSent) - place_of(EventKind::Trade);
    // The trade that led to it, its decision, and 15 trades more.
    assert_eq!(waited, 17);
}

#[test]
fn what_may_have_left_counts_as_sent() {
    for threads in EACH {
        let left = run(threads, Clock::Wall, true);
        let error = left.outcome.unwrap_err().to_string();
        assert_eq!(error, "sink: session 1: planted end of the connection");
        assert!(
            left.sent.len() >= left.writes[0],
            "{threads:?}: {} of {:?}, {} refused",
            left.sent.len(),
            left.writes,
            left.refused_count
        );
    }
}
