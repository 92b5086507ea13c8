//! Runs of a toy machine in every thread mode: order of history, both phases of the end, timers, determinism.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use std::collections::HashMap;

use acth_core::{
    decision::{Decision, DecisionKind, Outbound},
    event::{Event, EventKind, EventView, OperatorAction, OperatorReason},
};
use acth_engine::{
    clock::Clock,
    config::{EngineConfig, ThreadMode},
    control::{Control, KillReason, StopReason},
    frames::{self, FrameClass},
    manifest::RunManifest,
    monitor::Monitor,
    pipeline::{self, RunOutcome},
};
use acth_journal::Tail;
use support::{
    OwnedFrame, START_NS, STEP_NS, config, read_all, script,
    toy::Toy,
    trade,
    venue::{SourceFault, venue},
    writer,
};
use zerocopy::FromBytes;

const EACH: [ThreadMode; 3] = [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi];
const ALL: [(ThreadMode, Clock); 6] = [
    (ThreadMode::Single, Clock::Event),
    (ThreadMode::Single, Clock::Wall),
    (ThreadMode::Dual, Clock::Event),
    (ThreadMode::Dual, Clock::Wall),
    (ThreadMode::Multi, Clock::Event),
    (ThreadMode::Multi, Clock::Wall),
];

struct Run {
    outcome: RunOutcome<Toy>,
    frames: Vec<OwnedFrame>,
    tail: Tail,
    sent: Vec<Outbound>,
}

fn run_script(config: &EngineConfig, events: Vec<Event>) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let (source, sink) = venue(events);
    let sent = sink.sent.clone();
    let monitor = Monitor::new();
    let outcome = pipeline::run(
        config,
        Toy::default(),
        source,
        sink,
        writer(dir.path()),
        &Control::new(),
        &monitor,
    )
    .unwrap();
    assert_eq!(monitor.progress().events, outcome.events);
    assert_eq!(monitor.progress().last_sequence, outcome.last_sequence);
    let (frames, tail) = read_all(dir.path());
    let sent = sent.lock().unwrap().clone();
    Run {
        outcome,
        frames,
        tail,
        sent,
    }
}

fn inputs(frames: &[OwnedFrame]) -> Vec<Event> {
    frames
        .iter()
        .filter(|frame| matches!(frames::classify(frame.kind), FrameClass::Input(_)))
        .map(|frame| Event::read_from_bytes(&frame.payload).unwrap())
        .collect()
}

fn decisions(frames: &[OwnedFrame]) -> Vec<(u64, Decision)> {
    frames
        .iter()
        .filter(|frame| matches!(frames::classify(frame.kind), FrameClass::Decision(_)))
        .map(|frame| {
            (
                frame.sequence,
                Decision::read_from_bytes(&frame.payload).unwrap(),
            )
        })
        .collect()
}

/// Manifest first, decisions right behind their input, ids as predicted, `Stop` last.
fn assert_order_of_history(frames: &[OwnedFrame]) {
    assert_eq!(frames::classify(frames[0].kind), FrameClass::Manifest);
    assert!(RunManifest::from_bytes(&frames[0].payload).is_ok());
    let mut input = 0;
    for pair in frames.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence + 1);
        assert!(pair[1].time_ns >= pair[0].time_ns || pair[0].sequence == 1);
        match frames::classify(pair[1].kind) {
            FrameClass::Input(_) => input = pair[1].sequence,
            FrameClass::Decision(_) => assert_eq!(pair[1].cause, input),
            other => panic!("{other:?}"),
        }
    }
    for (sequence, decision) in decisions(frames) {
        if decision.kind() == Some(DecisionKind::PlaceOrder) {
            assert_eq!(decision.client_order_id & 0xffff_ffff_ffff, sequence);
        }
    }
    let last = *inputs(frames).last().unwrap();
    assert!(matches!(
        last.view(),
        EventView::OperatorCommanded {
            action: Some(OperatorAction::Stop),
            reason: Some(OperatorReason::Unspecified),
        }
    ));
    let (_, last) = *decisions(frames).last().unwrap();
    assert_eq!(last.kind(), Some(DecisionKind::StateHashed));
}

#[test]
fn every_mode_keeps_the_order_of_history_and_ends_in_two_phases() {
    for (threads, clock) in ALL {
        let run = run_script(&config(threads, clock), script(3000));
        assert_eq!(run.tail, Tail::Sealed, "{threads:?} {clock:?}");
        assert_order_of_history(&run.frames);
        let toy = &run.outcome.machine;
        assert_eq!(toy.actions, [OperatorAction::End, OperatorAction::Stop]);
        assert_eq!(run.outcome.stop_reason, StopReason::SourceEnded);
        // 1000 orders; `End` cancels as many as one input may.
        assert_eq!(run.outcome.orders, 1000);
        assert_eq!(toy.sent + run.outcome.withheld, 1000 + 64);
        assert_eq!(run.outcome.decisions, 1000 + 64 + 1);
        assert_eq!(run.sent.len() as u64, toy.sent);
        let cancelled = inputs(&run.frames)
            .iter()
            .filter(|event| event.kind == EventKind::OrderCancelled as u8)
            .count();
        assert_eq!(cancelled, 64, "the drain waits for what was cancelled");
    }
}

#[test]
fn no_command_leaves_without_its_journaled_intent() {
    for threads in EACH {
        let run = run_script(&config(threads, Clock::Wall), script(600));
        let journaled: HashMap<_, _> = decisions(&run.frames).into_iter().collect();
        assert!(run.sent.len() >= 200);
        for outbound in &run.sent {
            assert_eq!(journaled[&outbound.sequence], outbound.decision);
        }
        let confirmed: Vec<_> = inputs(&run.frames)
            .iter()
            .filter_map(|event| match event.view() {
                EventView::CommandSent(sent) => Some((sent.sequence, sent.client_order_id)),
                _ => None,
            })
            .collect();
        let sent: Vec<_> = run
            .sent
            .iter()
            .map(|outbound| (outbound.sequence, outbound.decision.client_order_id))
            .collect();
        assert_eq!(confirmed, sent);
    }
}

#[test]
fn the_same_source_gives_the_same_journal_byte_for_byte() {
    let mut config = config(ThreadMode::Single, Clock::Event);
    config.timer_interval_ns = 10 * STEP_NS;
    let first = run_script(&config, script(2000));
    let second = run_script(&config, script(2000));
    assert_eq!(first.frames, second.frames);
    assert_eq!(first.outcome.decision_hash, second.outcome.decision_hash);
    assert_eq!(first.outcome.state_hash, second.outcome.state_hash);
    // The hash can tell: another script, another hash.
    let third = run_script(&config, script(1999));
    assert_ne!(first.outcome.decision_hash, third.outcome.decision_hash);
}

#[test]
fn event_time_timers_come_before_the_event_that_passes_them() {
    for threads in EACH {
        let mut config = config(threads, Clock::Event);
        config.timer_interval_ns = 10 * STEP_NS;
        // A gap of 35 steps: one firing makes up for three.
        let events = (0..25).chain(60..65).map(|index| trade(index, 1)).collect();
        let run = run_script(&config, events);
        let steps: Vec<_> = inputs(&run.frames)
            .iter()
            .filter(|event| event.kind != EventKind::OperatorCommanded as u8)
            .map(|event| (event.kind, (event.ts_ingress_ns - START_NS) / STEP_NS))
            .collect();
        let timers: Vec<_> = steps
            .iter()
            .filter(|(kind, _)| *kind == EventKind::TimerFired as u8)
            .map(|(_, step)| *step)
            .collect();
        assert_eq!(timers, [10, 20, 60]);
        for pair in steps.windows(2) {
            assert!(pair[0].1 <= pair[1].1, "{pair:?}");
            // The event of the due time itself comes after the timer.
            let is_late = pair[1].0 == EventKind::TimerFired as u8 && pair[0].1 == pair[1].1;
            assert!(!is_late, "{pair:?}");
        }
        assert_eq!(run.outcome.machine.timers, 3);
    }
}

#[test]
fn event_time_ends_before_the_event_that_passes_the_duration() {
    for threads in EACH {
        let mut config = config(threads, Clock::Event);
        config.duration_ns = Some(100 * STEP_NS);
        let run = run_script(&config, (0..500).map(|index| trade(index, 1)).collect());
        assert_eq!(run.outcome.stop_reason, StopReason::DurationOver);
        assert_eq!(run.outcome.events, 100 + 2);
        assert_order_of_history(&run.frames);
    }
}

#[test]
fn wall_time_fires_timers_and_ends_by_itself() {
    for threads in EACH {
        let dir = tempfile::tempdir().unwrap();
        let mut config = config(threads, Clock::Wall);
        config.timer_interval_ns = 5_000_000;
        config.duration_ns = Some(200_000_000);
        let (mut source, sink) = venue(script(30));
        source.fault = SourceFault::Endless;
        let outcome = pipeline::run(
            &config,
            Toy::default(),
            source,
            sink,
            writer(dir.path()),
            &Control::new(),
            &Monitor::new(),
        )
        .unwrap();
        assert_eq!(outcome.stop_reason, StopReason::DurationOver);
        // Forty are due; a busy machine may miss some but never fires more often than due.
        assert!(
            (5..=41).contains(&outcome.machine.timers),
            "{}",
            outcome.machine.timers
        );
        assert!(outcome.latency.tick_to_order.summary().count >= 10);
        assert!(outcome.latency.apply.summary().count == outcome.events);
    }
}

#[test]
fn a_killed_hub_sends_cancels_only() {
    for threads in EACH {
        let dir = tempfile::tempdir().unwrap();
        let (mut source, sink) = venue(script(30));
        source.fault = SourceFault::Endless;
        let sent = sink.sent.clone();
        let control = Control::new();
        control.kill(KillReason::Operator);
        let monitor = Monitor::new();
        let outcome = std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                pipeline::run(
                    &config(threads, Clock::Wall),
                    Toy::default(),
                    source,
                    sink,
                    writer(dir.path()),
                    &control,
                    &monitor,
                )
            });
            while monitor.progress().events < 30 {
                std::thread::yield_now();
            }
            control.request_stop();
            run.join().unwrap().unwrap()
        });
        let toy = &outcome.machine;
        // Once for the kill, once for the end.
        let halt = OperatorAction::Halt;
        assert_eq!(toy.actions, [halt, halt, OperatorAction::Stop]);
        assert_eq!(outcome.orders, 10);
        assert_eq!(toy.rejected, 10, "the core learns that they never left");
        assert!(toy.open.is_empty());
        let sent = sent.lock().unwrap();
        assert!(
            sent.iter()
                .all(|outbound| outbound.decision.kind() == Some(DecisionKind::CancelOrder))
        );
    }
}

#[test]
fn a_kill_in_the_middle_lets_the_cancels_of_open_orders_out() {
    for threads in EACH {
        let dir = tempfile::tempdir().unwrap();
        let (mut source, sink) = venue(script(30));
        source.fault = SourceFault::Endless;
        let sent = sink.sent.clone();
        let control = Control::new();
        let monitor = Monitor::new();
        let outcome = std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                pipeline::run(
                    &config(threads, Clock::Wall),
                    Toy::default(),
                    source,
                    sink,
                    writer(dir.path()),
                    &control,
                    &monitor,
                )
            });
            // 30 trades, 10 sent, 10 accepted.
            while monitor.progress().events < 50 {
                std::thread::yield_now();
            }
            control.kill(KillReason::Operator);
            // Halt, 10 cancels sent, 10 orders cancelled.
            while monitor.progress().events < 71 {
                std::thread::yield_now();
            }
            control.request_stop();
            run.join().unwrap().unwrap()
        });
        assert!(outcome.machine.open.is_empty());
        let kinds: Vec<_> = sent
            .lock()
            .unwrap()
            .iter()
            .map(|outbound| outbound.decision.kind())
            .collect();
        assert_eq!(kinds[..10], [Some(DecisionKind::PlaceOrder); 10]);
        assert_eq!(kinds[10..], [Some(DecisionKind::CancelOrder); 10]);
    }
}

#[test]
fn a_core_that_is_behind_its_source_is_told_to_reduce_once() {
    for (clock, reduces, expected_count) in [
        (Clock::Wall, true, 1),
        (Clock::Wall, false, 0),
        (Clock::Event, true, 0),
    ] {
        let mut config = config(ThreadMode::Multi, clock);
        config.ring_slots = 64;
        config.reduces_when_behind = reduces;
        // Far more than the ring holds, as fast as it goes.
        let run = run_script(&config, (0..200_000).map(|index| trade(index, 1)).collect());
        let actions = &run.outcome.machine.actions;
        let count = actions
            .iter()
            .filter(|action| **action == OperatorAction::Reduce)
            .count();
        assert_eq!(count, expected_count, "{clock:?} {reduces}");
        let is_reduction = |event: &&Event| {
            let (action, reason) = (OperatorAction::Reduce, OperatorReason::IngressBehind);
            matches!(event.view(), EventView::OperatorCommanded { action: a, reason: r }
                if a == Some(action) && r == Some(reason))
        };
        let inputs = inputs(&run.frames);
        assert_eq!(inputs.iter().filter(is_reduction).count(), expected_count);
        assert_eq!(run.outcome.events as usize, 200_000 + 2 + expected_count);
    }
}

#[test]
fn the_end_waits_for_a_source_that_reports_late() {
    for (threads, clock) in ALL {
        let dir = tempfile::tempdir().unwrap();
        let (mut source, sink) = venue(script(30));
        source.fault = SourceFault::OwesLate;
        let mut config = config(threads, clock);
        config.grace_ns = 20_000_000_000;
        let toy = Toy::default();
        let journal = writer(dir.path());
        let (control, monitor) = (Control::new(), Monitor::new());
        let outcome = pipeline::run(&config, toy, source, sink, journal, &control, &monitor);
        let outcome = outcome.unwrap();
        assert!(outcome.machine.open.is_empty(), "{threads:?} {clock:?}");
        assert_order_of_history(&read_all(dir.path()).0);
    }
}
