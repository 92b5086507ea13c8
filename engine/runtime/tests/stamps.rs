//! The stage stamps of a command: there with the wall clock in both thread modes, in order, and absent in event time.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use acth_core::event::{CommandSent, EventView};
use acth_engine::{clock::Clock, config::ThreadMode, control::Control, monitor::Monitor, pipeline};
use support::{
    config, inputs, script,
    toy::Toy,
    venue::{SinkFault, venue},
    writer,
};

/// What came back of every command that left.
fn sent(threads: ThreadMode, clock: Clock, fault: SinkFault) -> Vec<CommandSent> {
    let dir = tempfile::tempdir().unwrap();
    let (source, mut sink) = venue(script(12));
    sink.fault = fault;
    pipeline::run(
        &config(threads, clock),
        Toy::default(),
        source,
        sink,
        writer(dir.path()),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    let sent: Vec<CommandSent> = inputs(dir.path())
        .iter()
        .filter_map(|event| match event.view() {
            EventView::CommandSent(sent) => Some(*sent),
            _ => None,
        })
        .collect();
    assert!(!sent.is_empty());
    sent
}

#[test]
fn every_command_of_a_run_by_the_wall_says_when_it_was_decided_and_published() {
    for threads in [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi] {
        for sent in sent(threads, Clock::Wall, SinkFault::None) {
            let decided_ns = sent.ts_decided_ns().expect("stamped");
            let published_ns = sent.ts_published_ns().expect("stamped");
            // A distance of no time at all is kept as 1 ns.
            assert!(decided_ns <= published_ns + 1, "{threads:?}: {sent:?}");
            assert!(published_ns < sent.ts_egress_ns, "{threads:?}: {sent:?}");
        }
    }
}

#[test]
fn a_slow_sink_shows_between_published_and_sent() {
    for threads in [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi] {
        for sent in sent(threads, Clock::Wall, SinkFault::Slow) {
            assert!(
                sent.published_before_ns >= 20_000_000,
                "{threads:?}: {sent:?}"
            );
        }
    }
}

#[test]
fn nothing_that_a_real_clock_says_enters_a_journal_in_event_time() {
    for threads in [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi] {
        for sent in sent(threads, Clock::Event, SinkFault::None) {
            let stamps = (sent.decided_before_ns, sent.published_before_ns);
            assert_eq!(stamps, (0, 0), "{threads:?}");
        }
    }
}
