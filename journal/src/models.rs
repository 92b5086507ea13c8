//! Models of the words that threads share, checked under every interleaving of a small program, with three preemptions at most:
//! `cargo test -p acth-journal --features loom --lib models`.
//!
//! Each model has a cell that stands for what the word speaks of (the payload of a frame, the content of a device): the checker
//! reports any access to it that the word does not order. With `--features loom,sabotage` every model is run once more with
//! its word's order taken away, and must fail then.
#![allow(clippy::unwrap_used, reason = "a model that cannot go on has failed")]

use std::sync::Arc;

use loom::{cell::UnsafeCell, model::Builder, thread};

use crate::{
    background::Handover,
    commit::{Commit, CommitWord},
    words::{ConditionWord, DurableWatermark, WatermarkRequest, Wish},
};

/// As the test programme has it; 5 for the deep form.
fn preemptions() -> usize {
    let given = std::env::var("ACTH_LOOM_PREEMPTIONS").ok();
    given.and_then(|text| text.parse().ok()).unwrap_or(3)
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = Some(preemptions());
    builder.check(model);
}

/// Something that a word speaks of.
struct Content(UnsafeCell<u64>);

// SAFETY: the checker reports every access that is not ordered.
unsafe impl Sync for Content {}
// SAFETY: as above.
unsafe impl Send for Content {}

impl Content {
    fn new() -> Self {
        Self(UnsafeCell::new(0))
    }

    fn set(&self, value: u64) {
        // SAFETY: the checker reports it when another access is not ordered before or behind this one.
        self.0.with_mut(|content| unsafe { *content = value });
    }

    fn get(&self) -> u64 {
        // SAFETY: as above.
        self.0.with(|content| unsafe { *content })
    }
}

/// A reader that sees the word of a frame sees the frame.
fn commit_word() {
    let frames = Arc::new([0, 1].map(|_| (CommitWord::new(), Content::new())));
    let writer = Arc::clone(&frames);
    let writing = thread::spawn(move || {
        for (number, (word, payload)) in writer.iter().enumerate() {
            payload.set(number as u64 + 7);
            word.publish(Commit {
                frame_bytes: 48,
                crc: number as u32 + 1,
            });
        }
    });
    for (number, (word, payload)) in frames.iter().enumerate() {
        let Some(commit) = word.observe() else {
            // Nothing behind an unwritten word is looked at.
            break;
        };
        assert_eq!((commit.frame_bytes, commit.crc), (48, number as u32 + 1));
        assert_eq!(payload.get(), number as u64 + 7);
    }
    writing.join().unwrap();
}

/// Whoever sees the watermark finds what it speaks of on the device.
fn durable_watermark() {
    let shared = Arc::new((DurableWatermark::new(0), Content::new(), Content::new()));
    let flusher = Arc::clone(&shared);
    let flushing = thread::spawn(move || {
        flusher.1.set(1);
        flusher.0.raise(1);
        flusher.2.set(2);
        flusher.0.raise(2);
    });
    let sequence = shared.0.sequence();
    if sequence >= 1 {
        assert_eq!(shared.1.get(), 1);
    }
    if sequence >= 2 {
        assert_eq!(shared.2.get(), 2);
    }
    let later = shared.0.sequence();
    assert!(later >= sequence, "it never falls");
    flushing.join().unwrap();
}

/// The writer answers each request once, and sees what led to it. The writer is the thread that is begun: the checker does not try a
/// load before another thread's load and store of the same word, so the flusher must be the one that it lets run first.
fn watermark_request() {
    let shared = Arc::new((WatermarkRequest::new(), Content::new(), Content::new()));
    let writer = Arc::clone(&shared);
    let writing = thread::spawn(move || {
        let mut answered = 0;
        for _ in 0..2 {
            let count = writer.0.count();
            assert!(count >= answered, "it never falls");
            if count >= 1 {
                assert_eq!(writer.1.get(), 5);
            }
            if count >= 2 {
                assert_eq!(writer.2.get(), 6);
            }
            answered = count;
        }
    });
    shared.1.set(5);
    shared.0.ask();
    shared.2.set(6);
    shared.0.ask();
    writing.join().unwrap();
    assert_eq!(shared.0.count(), 2, "no request is lost");
}

/// The highest wish counts, and the frame wished for is visible to the flusher.
fn wish() {
    let shared = Arc::new((Wish::new(), Content::new(), Content::new()));
    let wishers = [1u64, 2].map(|sequence| {
        let wisher = Arc::clone(&shared);
        thread::spawn(move || {
            let frame = if sequence == 1 { &wisher.1 } else { &wisher.2 };
            frame.set(sequence);
            wisher.0.raise(sequence);
        })
    });
    match shared.0.sequence() {
        1 => assert_eq!(shared.1.get(), 1),
        2 => assert_eq!(shared.2.get(), 2),
        other => assert_eq!(other, 0),
    }
    for wisher in wishers {
        wisher.join().unwrap();
    }
    assert_eq!(shared.0.sequence(), 2);
}

/// Bits of two threads are both kept, and what led to one is visible to whoever sees it.
fn condition() {
    let shared = Arc::new((ConditionWord::new(), Content::new()));
    let failing = Arc::clone(&shared);
    let failing = thread::spawn(move || {
        failing.1.set(9);
        failing.0.add(ConditionWord::FAILED);
    });
    let stopping = Arc::clone(&shared);
    let stopping = thread::spawn(move || stopping.0.add(ConditionWord::STOPPING));
    if shared.0.has(ConditionWord::FAILED) {
        assert_eq!(shared.1.get(), 9, "the failure was recorded before");
    }
    failing.join().unwrap();
    stopping.join().unwrap();
    let both = ConditionWord::FAILED | ConditionWord::STOPPING;
    assert_eq!(shared.0.bits(), both);
}

/// A segment is begun before it is retired, each arrives once and in order, and behind the watermark that the flusher raises lies what
/// the writer stored in it.
fn segment_handover() {
    handover(false);
}

/// As `segment_handover`; the planted bug hands a segment over before the last store into it.
fn handover(is_early: bool) {
    type Segments = (Handover<u64>, Handover<u64>, DurableWatermark, [Content; 2]);
    let shared: Arc<Segments> = Arc::new((
        Handover::new(2),
        Handover::new(2),
        DurableWatermark::new(0),
        [Content::new(), Content::new()],
    ));
    let flusher = Arc::clone(&shared);
    let flushing = thread::spawn(move || {
        let (mut begun, mut durable) = (0, 0);
        for _ in 0..2 {
            // Retired first, as the flusher looks: what is retired was begun.
            if let Some(retired) = flusher.1.take() {
                if begun < retired {
                    begun = flusher.0.take().unwrap();
                }
                assert_eq!(begun, retired, "begun and retired in one order");
                assert_eq!(flusher.3[retired as usize - 1].get(), retired);
                durable = retired;
                flusher.2.raise(durable);
            } else if begun == durable {
                begun = flusher.0.take().unwrap_or(begun);
            }
        }
        durable
    });
    for segment in 1..=2u64 {
        assert_eq!(shared.0.push(segment), Ok(()));
        if is_early {
            assert_eq!(shared.1.push(segment), Ok(()));
            shared.3[segment as usize - 1].set(segment);
        } else {
            shared.3[segment as usize - 1].set(segment);
            assert_eq!(shared.1.push(segment), Ok(()));
        }
        assert!(shared.2.sequence() <= segment);
    }
    let durable = flushing.join().unwrap();
    assert_eq!(shared.2.sequence(), durable);
}

#[test]
fn models_hold() {
    let _alone = ALONE.lock();
    let models: [fn(); 6] = [
        commit_word,
        durable_watermark,
        watermark_request,
        wish,
        condition,
        segment_handover,
    ];
    for model in models {
        check(model);
    }
}

/// A planted bug is one for the whole process.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

/// Each model must notice that its word has lost its order. One test for all: the planted bug is one for the process.
#[cfg(feature = "sabotage")]
#[test]
fn models_notice_words_without_order() {
    use crate::sabotage::{Bug, plant};
    let _alone = ALONE.lock();
    let models: [(Bug, fn()); 5] = [
        (Bug::RelaxedCommit, commit_word),
        (Bug::RelaxedDurable, durable_watermark),
        (Bug::RelaxedRequest, watermark_request),
        (Bug::RelaxedWish, wish),
        (Bug::RelaxedCondition, condition),
    ];
    for (bug, model) in models {
        plant(Some(bug));
        let found = std::panic::catch_unwind(|| check(model));
        plant(None);
        assert!(found.is_err(), "{bug:?} is not noticed");
        eprintln!("{bug:?}: noticed");
    }
    let found = std::panic::catch_unwind(|| check(|| handover(true)));
    assert!(
        found.is_err(),
        "a segment handed over too early is not noticed"
    );
}
