//! Panics, errors, a failing journal, a slow sink, signals: trading stops, the journal is sealed, the error says where.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use acth_core::{
    decision::{Decision, DecisionKind},
    event::{Event, EventView, OperatorAction, OperatorReason},
};
use acth_engine::{
    clock::Clock,
    config::ThreadMode,
    control::{Control, KillReason, StopReason},
    error::EngineError,
    frames::{FrameClass, classify},
    monitor::Monitor,
    pipeline,
};
use acth_journal::Tail;
use support::{
    OwnedFrame, config,
    memory::MemoryJournal,
    read_all, script,
    toy::{BURST, PRICE_BURST, PRICE_PANIC, Toy},
    trade,
    venue::{Sink, SinkFault, Source, SourceFault, venue},
    writer,
};
use zerocopy::FromBytes;

const EACH: [ThreadMode; 3] = [ThreadMode::Single, ThreadMode::Dual, ThreadMode::Multi];

/// Runs on a real journal, expects an error, and gives it with the frames of the sealed journal.
fn run_failing(
    threads: ThreadMode,
    source: Source,
    sink: Sink,
    control: &Control,
) -> (EngineError, Vec<OwnedFrame>) {
    let dir = tempfile::tempdir().unwrap();
    let mut config = config(threads, Clock::Wall);
    config.ring_slots = 64;
    config.reduces_when_behind = false;
    let error = pipeline::run(
        &config,
        Toy::default(),
        source,
        sink,
        writer(dir.path()),
        control,
        &Monitor::new(),
    )
    .unwrap_err();
    let (frames, tail) = read_all(dir.path());
    assert_eq!(tail, Tail::Sealed, "{threads:?}: {error}");
    (error, frames)
}

fn commands(frames: &[OwnedFrame]) -> Vec<(OperatorAction, OperatorReason)> {
    let inputs = frames
        .iter()
        .filter(|frame| matches!(classify(frame.kind), FrameClass::Input(_)));
    inputs
        .filter_map(
            |frame| match Event::read_from_bytes(&frame.payload).unwrap().view() {
                EventView::OperatorCommanded { action, reason } => action.zip(reason),
                _ => None,
            },
        )
        .collect()
}

const STOP: (OperatorAction, OperatorReason) = (OperatorAction::Stop, OperatorReason::Unspecified);

/// The run went through both phases of its end, the first of which began with `closing`.
fn assert_both_phases(frames: &[OwnedFrame], closing: (OperatorAction, OperatorReason)) {
    let commands = commands(frames);
    assert_eq!(commands[commands.len() - 2..], [closing, STOP]);
    let last = Decision::read_from_bytes(&frames.last().unwrap().payload).unwrap();
    assert_eq!(last.kind(), Some(DecisionKind::StateHashed));
}

/// Nothing failed: the next run may go on.
fn assert_orderly_end(frames: &[OwnedFrame]) {
    assert_both_phases(frames, (OperatorAction::End, OperatorReason::Unspecified));
}

/// Something failed: a person must look before the next run goes on.
fn assert_halted_end(frames: &[OwnedFrame]) {
    assert_both_phases(frames, (OperatorAction::Halt, OperatorReason::KillFlag));
}

#[test]
fn a_panic_in_the_machine_seals_the_journal_and_names_the_thread() {
    for threads in EACH {
        let mut events = script(100);
        events.push(trade(100, PRICE_PANIC));
        let (source, sink) = venue(events);
        let control = Control::new();
        let (error, frames) = run_failing(threads, source, sink, &control);
        let text = error.to_string();
        assert!(
            text.contains("planted in the machine") && text.contains("core"),
            "{text}"
        );
        assert!(text.contains("acth-"), "{text}");
        assert_eq!(control.kill_reason(), Some(KillReason::ThreadPanicked));
        // The input that broke it is the last frame: journaled before it was applied.
        let last = Event::read_from_bytes(&frames.last().unwrap().payload).unwrap();
        assert!(matches!(last.view(), EventView::Trade(body) if body.price == PRICE_PANIC));
    }
}

#[test]
fn a_panic_in_the_source_still_ends_in_order() {
    for threads in EACH {
        let (mut source, sink) = venue(script(100));
        source.fault = SourceFault::Panic;
        let (error, frames) = run_failing(threads, source, sink, &Control::new());
        let text = error.to_string();
        assert!(text.contains("in source: planted in the source"), "{text}");
        assert_halted_end(&frames);
    }
}

#[test]
fn a_panic_in_the_sink_still_ends_in_order() {
    for threads in EACH {
        let (mut source, mut sink) = venue(script(100));
        source.fault = SourceFault::Endless;
        sink.fault = SinkFault::Panic;
        let (error, frames) = run_failing(threads, source, sink, &Control::new());
        let text = error.to_string();
        assert!(text.contains("in egress: planted in the sink"), "{text}");
        assert_halted_end(&frames);
    }
}

#[test]
fn errors_of_the_ports_end_the_run_in_order() {
    for threads in EACH {
        let (mut source, sink) = venue(script(100));
        source.fault = SourceFault::Error;
        let control = Control::new();
        let (error, frames) = run_failing(threads, source, sink, &control);
        assert_eq!(error.to_string(), "source: file 3: planted error");
        assert_eq!(control.kill_reason(), Some(KillReason::SourceFailed));
        assert_halted_end(&frames);

        let (mut source, mut sink) = venue(script(100));
        source.fault = SourceFault::Endless;
        sink.fault = SinkFault::Error;
        let (error, frames) = run_failing(threads, source, sink, &Control::new());
        assert_eq!(error.to_string(), "sink: session 1: planted refusal");
        assert_halted_end(&frames);
    }
}

#[test]
fn an_event_that_no_reader_would_accept_never_reaches_the_journal() {
    for threads in EACH {
        let (mut source, sink) = venue(script(100));
        source.fault = SourceFault::BadEvent;
        let (error, frames) = run_failing(threads, source, sink, &Control::new());
        assert!(matches!(error, EngineError::Event(_)), "{error}");
        assert_halted_end(&frames);
        for frame in &frames {
            if matches!(classify(frame.kind), FrameClass::Input(_)) {
                Event::read_from_bytes(&frame.payload)
                    .unwrap()
                    .check()
                    .unwrap();
            }
        }
    }
}

#[test]
fn a_journal_that_cannot_go_on_ends_the_run() {
    for threads in EACH {
        let journal = MemoryJournal {
            ill_at: Some(50),
            ..MemoryJournal::new()
        };
        let (error, store) = run_in_memory(threads, &journal);
        assert!(
            error.to_string().contains("no space for the next segment"),
            "{error}"
        );
        let store = store.lock().unwrap();
        assert!(store.is_sealed);
        assert_halted_end(&store.frames);

        let journal = MemoryJournal {
            fails_at: Some(50),
            ..MemoryJournal::new()
        };
        let (error, store) = run_in_memory(threads, &journal);
        assert!(
            error.to_string().contains("planted append failure"),
            "{error}"
        );
        let store = store.lock().unwrap();
        assert!(store.is_sealed);
        assert_eq!(store.frames.len(), 49);
    }
}

#[test]
fn a_sequence_taken_by_something_else_ends_the_run() {
    for threads in EACH {
        let journal = MemoryJournal {
            skips: Some(3),
            ..MemoryJournal::new()
        };
        let (error, _) = run_in_memory(threads, &journal);
        assert!(
            matches!(
                error,
                EngineError::Sequence {
                    expected: 3,
                    came: 4
                }
            ),
            "{error}"
        );
    }
}

type Store = std::sync::Arc<std::sync::Mutex<support::memory::Store>>;

fn run_in_memory(threads: ThreadMode, journal: &MemoryJournal) -> (EngineError, Store) {
    let (mut source, sink) = venue(script(1000));
    source.fault = SourceFault::Endless;
    let error = pipeline::run(
        &config(threads, Clock::Wall),
        Toy::default(),
        source,
        sink,
        journal.clone(),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap_err();
    (error, journal.store.clone())
}

#[test]
fn a_sink_that_does_not_keep_up_raises_the_kill_flag() {
    // 240 orders at 20 ms each against a ring of 64 and a patience of one second.
    let events = (0..4).map(|index| trade(index, PRICE_BURST)).collect();
    let (mut source, mut sink) = venue(events);
    source.fault = SourceFault::Endless;
    sink.fault = SinkFault::Slow;
    let sent = sink.sent.clone();
    let control = Control::new();
    let (error, frames) = run_failing(ThreadMode::Multi, source, sink, &control);
    assert!(matches!(error, EngineError::EgressFull(_)), "{error}");
    assert_eq!(control.kill_reason(), Some(KillReason::EgressFull));
    assert_eq!(commands(&frames).last(), Some(&STOP));
    assert!(sent.lock().unwrap().len() < 4 * BURST);
}

/// Signals reach every run of the process: tests that raise or count them take turns.
static SIGNALS: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn a_signal_ends_the_run_in_order() {
    let _turn = SIGNALS.lock();
    for threads in EACH {
        let dir = tempfile::tempdir().unwrap();
        let (mut source, sink) = venue(script(30));
        source.fault = SourceFault::Endless;
        let control = Control::with_signals().unwrap();
        let monitor = Monitor::new();
        let outcome = std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                let config = config(threads, Clock::Wall);
                let journal = writer(dir.path());
                let toy = Toy::default();
                pipeline::run(&config, toy, source, sink, journal, &control, &monitor)
            });
            while monitor.progress().events < 30 {
                std::thread::yield_now();
            }
            signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
            run.join().unwrap().unwrap()
        });
        assert_eq!(outcome.stop_reason, StopReason::Signal);
        assert!(outcome.machine.open.is_empty());
        let (frames, tail) = read_all(dir.path());
        assert_eq!(tail, Tail::Sealed);
        assert_orderly_end(&frames);
    }
}

#[test]
fn a_second_signal_does_not_wait_for_reports() {
    let _turn = SIGNALS.lock();
    for threads in EACH {
        let dir = tempfile::tempdir().unwrap();
        let (mut source, sink) = venue(script(30));
        source.fault = SourceFault::OwesForEver;
        let control = Control::with_signals().unwrap();
        let monitor = Monitor::new();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                let mut config = config(threads, Clock::Wall);
                config.grace_ns = 60_000_000_000;
                let journal = writer(dir.path());
                let toy = Toy::default();
                pipeline::run(&config, toy, source, sink, journal, &control, &monitor)
            });
            while monitor.progress().events < 30 {
                std::thread::yield_now();
            }
            control.request_stop();
            std::thread::sleep(std::time::Duration::from_millis(100));
            assert!(!run.is_finished(), "the source still owes something");
            signal_hook::low_level::raise(signal_hook::consts::SIGINT).unwrap();
            let outcome = run.join().unwrap().unwrap();
            assert_eq!(outcome.stop_reason, StopReason::Requested);
        });
        assert_eq!(read_all(dir.path()).1, Tail::Sealed);
    }
}

/// Run again by itself in a child process: without a run, a signal ends it as it ends any process.
#[test]
fn after_a_run_signals_end_the_process_again() {
    const CHILD: &str = "ACTH_SIGNAL_CHILD";
    if std::env::var_os(CHILD).is_some() {
        drop(Control::with_signals().unwrap());
        let second = Control::with_signals().unwrap();
        signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
        drop(second);
        eprintln!("survived");
        signal_hook::low_level::raise(signal_hook::consts::SIGTERM).unwrap();
        eprintln!("immortal");
        return;
    }
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "after_a_run_signals_end_the_process_again",
        ])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("survived") && !text.contains("immortal"),
        "{text}"
    );
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    assert_eq!(signal, Some(signal_hook::consts::SIGTERM));
}
