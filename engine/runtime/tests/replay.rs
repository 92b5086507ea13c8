//! Replay: one thread and three agree, the first divergence is named, a killed process is no divergence.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod support;

use acth_core::decision::Decision;
use acth_engine::{
    clock::Clock,
    config::ThreadMode,
    control::Control,
    frames::{FrameClass, MANIFEST_KIND, classify},
    manifest::RunManifest,
    monitor::Monitor,
    pipeline::{self, RunOutcome},
    replay::{ReplayError, ReplayOptions, ReplayOutcome, replay},
};
use acth_journal::Reader;
use support::{
    OwnedFrame, config,
    memory::{MemoryFrames, MemoryJournal},
    script,
    toy::Toy,
    venue::venue,
    writer,
};
use zerocopy::FromBytes;

const BOTH: [ThreadMode; 2] = [ThreadMode::Single, ThreadMode::Multi];

fn recorded(threads: ThreadMode, clock: Clock) -> (Vec<OwnedFrame>, RunOutcome<Toy>) {
    let (source, sink) = venue(script(3000));
    let journal = MemoryJournal::new();
    let store = journal.store.clone();
    let mut config = config(threads, clock);
    config.timer_interval_ns = 7_000_000;
    let outcome = pipeline::run(
        &config,
        Toy::default(),
        source,
        sink,
        journal,
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    let frames = std::mem::take(&mut store.lock().unwrap().frames);
    (frames, outcome)
}

fn replay_toy(
    frames: &[OwnedFrame],
    threads: ThreadMode,
    toy: Toy,
) -> Result<ReplayOutcome<Toy>, ReplayError> {
    let build = |manifest: &RunManifest| {
        assert_eq!(manifest.strategy, "toy");
        Ok(toy)
    };
    replay(MemoryFrames::new(frames), build, ReplayOptions { threads })
}

fn replay_both(frames: &[OwnedFrame]) -> [ReplayOutcome<Toy>; 2] {
    BOTH.map(|threads| replay_toy(frames, threads, Toy::default()).unwrap())
}

fn index_of_decision(frames: &[OwnedFrame], number: usize) -> usize {
    let mut decisions = frames
        .iter()
        .enumerate()
        .filter(|(_, frame)| matches!(classify(frame.kind), FrameClass::Decision(_)));
    decisions.nth(number).unwrap().0
}

/// Takes a frame out and closes the gap in the numbers.
fn remove_frame(frames: &mut Vec<OwnedFrame>, index: usize) {
    frames.remove(index);
    frames[index..]
        .iter_mut()
        .for_each(|frame| frame.sequence -= 1);
}

#[test]
fn every_kind_of_run_replays_bit_for_bit() {
    for threads in BOTH {
        for clock in [Clock::Event, Clock::Wall] {
            let (frames, run) = recorded(threads, clock);
            for outcome in replay_both(&frames) {
                assert!(outcome.identical, "{:?}", outcome.first_divergence);
                assert_eq!(outcome.state_hash, run.state_hash);
                assert_eq!(outcome.decision_hash_journaled, run.decision_hash);
                assert_eq!(outcome.decision_hash_recomputed, run.decision_hash);
                assert_eq!(outcome.events, run.events);
                assert_eq!(outcome.decisions, run.decisions);
                assert_eq!(outcome.last_sequence, run.last_sequence);
                assert_eq!(outcome.market_messages, 3000);
                assert_eq!(outcome.book_rows, 3000);
                assert_eq!(outcome.unfinished_decisions, 0);
                assert_eq!(outcome.runs, 1);
            }
        }
    }
}

#[test]
fn a_journal_on_disk_replays() {
    let dir = tempfile::tempdir().unwrap();
    let (source, sink) = venue(script(30_000));
    let run = pipeline::run(
        &config(ThreadMode::Single, Clock::Event),
        Toy::default(),
        source,
        sink,
        writer(dir.path()),
        &Control::new(),
        &Monitor::new(),
    )
    .unwrap();
    for threads in BOTH {
        let reader = Reader::open(dir.path()).unwrap();
        let options = ReplayOptions { threads };
        let outcome = replay(reader, |_| Ok(Toy::default()), options).unwrap();
        assert!(outcome.identical);
        assert_eq!(outcome.state_hash, run.state_hash);
        assert_eq!(outcome.events, run.events);
    }
}

#[test]
fn a_changed_decision_is_named() {
    let (mut frames, run) = recorded(ThreadMode::Single, Clock::Event);
    let index = index_of_decision(&frames, 123);
    frames[index].payload[47] ^= 1;
    for outcome in replay_both(&frames) {
        let divergence = outcome.first_divergence.unwrap();
        assert!(!outcome.identical);
        assert_eq!(divergence.sequence, frames[index].sequence);
        assert_eq!(divergence.cause, frames[index].cause);
        let journaled = Decision::read_from_bytes(&frames[index].payload).unwrap();
        assert_eq!(divergence.journaled, Some(journaled));
        let recomputed = divergence.recomputed.unwrap();
        assert_eq!(recomputed.client_order_id, journaled.client_order_id);
        assert_ne!(recomputed, journaled);
        assert_ne!(outcome.decision_hash_journaled, run.decision_hash);
        assert_eq!(outcome.decision_hash_recomputed, run.decision_hash);
        assert_eq!(outcome.state_hash, run.state_hash);
    }
}

#[test]
fn a_machine_that_decides_otherwise_is_named() {
    let (frames, _) = recorded(ThreadMode::Single, Clock::Event);
    let input = frames
        .iter()
        .filter(|frame| matches!(classify(frame.kind), FrameClass::Input(_)))
        .enumerate()
        .skip(500)
        .find(|(_, frame)| {
            let next = &frames[frame.sequence as usize];
            next.cause == frame.sequence
        });
    let (number, frame) = input.unwrap();
    for threads in BOTH {
        let toy = Toy {
            differs_at: Some(number as u64 + 1),
            ..Toy::default()
        };
        let outcome = replay_toy(&frames, threads, toy).unwrap();
        let divergence = outcome.first_divergence.unwrap();
        assert_eq!(divergence.sequence, frame.sequence + 1);
        assert_eq!(divergence.cause, frame.sequence);
        let (journaled, recomputed) = (
            divergence.journaled.unwrap(),
            divergence.recomputed.unwrap(),
        );
        assert_eq!(recomputed.price, journaled.price + 1);
    }
}

#[test]
fn a_decision_too_few_or_too_many_in_the_journal_is_named() {
    let (frames, _) = recorded(ThreadMode::Single, Clock::Event);
    let index = index_of_decision(&frames, 40);
    let mut fewer = frames.clone();
    remove_frame(&mut fewer, index);
    for outcome in replay_both(&fewer) {
        let divergence = outcome.first_divergence.unwrap();
        assert_eq!(divergence.sequence, frames[index].sequence);
        assert_eq!(divergence.journaled, None);
        assert!(divergence.recomputed.is_some());
    }
    let mut more = frames.clone();
    more.insert(index + 1, frames[index].clone());
    more[index + 1..]
        .iter_mut()
        .for_each(|frame| frame.sequence += 1);
    for outcome in replay_both(&more) {
        let divergence = outcome.first_divergence.unwrap();
        assert_eq!(divergence.sequence, frames[index].sequence + 1);
        assert_eq!(divergence.recomputed, None);
        assert!(divergence.journaled.is_some());
    }
}

#[test]
fn a_process_killed_inside_an_input_is_no_divergence() {
    let (frames, _) = recorded(ThreadMode::Single, Clock::Event);
    // Inside the 64 cancels of `Halt`: the 1000 orders come first.
    let index = index_of_decision(&frames, 1000 + 20);
    let killed = &frames[..index];
    for outcome in replay_both(killed) {
        assert!(outcome.identical);
        assert_eq!(outcome.unfinished_decisions, 44);
        assert_eq!(
            outcome.decision_hash_journaled,
            outcome.decision_hash_recomputed
        );
    }
}

#[test]
fn a_run_that_goes_on_in_the_same_journal_replays_with_it() {
    let (frames, _) = recorded(ThreadMode::Single, Clock::Event);
    let killed = frames[..index_of_decision(&frames, 1000 + 20)].to_vec();
    let machine = replay_both(&killed).map(|outcome| outcome.machine);
    let [machine, _] = machine;
    let journal = MemoryJournal {
        next: killed.len() as u64 + 1,
        ..MemoryJournal::new()
    };
    let store = journal.store.clone();
    store.lock().unwrap().frames = killed;
    let mut config = config(ThreadMode::Single, Clock::Event);
    config.manifest.parent_sequence = Some(1);
    let (source, sink) = venue(script(50));
    let (control, monitor) = (Control::new(), Monitor::new());
    let run = pipeline::run(&config, machine, source, sink, journal, &control, &monitor).unwrap();
    let mut frames = std::mem::take(&mut store.lock().unwrap().frames);
    for outcome in replay_both(&frames) {
        assert!(outcome.identical, "{:?}", outcome.first_divergence);
        assert_eq!((outcome.runs, outcome.unfinished_decisions), (2, 44));
        assert_eq!(outcome.state_hash, run.state_hash);
    }
    let second = frames
        .iter_mut()
        .filter(|frame| frame.kind == MANIFEST_KIND)
        .nth(1)
        .unwrap();
    let mut manifest = RunManifest::from_bytes(&second.payload).unwrap();
    manifest.seed = 5;
    second.payload = manifest.to_bytes().unwrap();
    for threads in BOTH {
        let error = replay_toy(&frames, threads, Toy::default()).unwrap_err();
        assert!(matches!(error, ReplayError::ManifestChanged(_)), "{error}");
    }
}

#[test]
fn what_is_no_frame_of_ours_is_refused() {
    let (frames, _) = recorded(ThreadMode::Single, Clock::Event);
    let refusal = |change: &dyn Fn(&mut Vec<OwnedFrame>)| {
        let mut changed = frames.clone();
        change(&mut changed);
        BOTH.map(|threads| replay_toy(&changed, threads, Toy::default()).unwrap_err())
            .map(|error| error.to_string())
    };
    for (change, sentence) in [
        (
            &(|frames: &mut Vec<_>| frames.clear()) as &dyn Fn(&mut Vec<OwnedFrame>),
            "is empty",
        ),
        (
            &|frames| frames[100].kind = 0x0900,
            "frame 101 of unknown kind 0x0900",
        ),
        (
            &|frames| frames[0].kind = 0x0900,
            "frame 1 of kind 0x0900 where the manifest",
        ),
        (
            &|frames| frames[0].payload.clear(),
            "frame 1: manifest frame",
        ),
        (
            &|frames| frames[2].payload.truncate(63),
            "frame 3 of kind 0x0201: the payload",
        ),
        (
            &|frames| frames[1].payload[56] = 1,
            "frame 2: event kind 3 with a reserved byte",
        ),
        (
            &|frames| frames[1].kind = 0x0101,
            "frame 2 of kind 0x0101: the payload",
        ),
        (
            &|frames| frames[2].kind = 0x0202,
            "frame 3 of kind 0x0202: the payload",
        ),
        (
            &|frames| drop(frames.remove(50)),
            "frame 52 where frame 51 was expected",
        ),
    ] {
        for text in refusal(change) {
            assert!(
                text.contains(sentence),
                "{text:?} does not say {sentence:?}"
            );
        }
    }
    let frames = MemoryFrames::new(&frames);
    let options = ReplayOptions {
        threads: ThreadMode::Single,
    };
    let error = replay::<Toy, _>(frames, |_| Err("unknown strategy".into()), options).unwrap_err();
    assert!(error.to_string().contains("unknown strategy"));
}
