//! The snapshotter: a reader of the journal that runs the same machine some frames behind, and writes its state down from time to
//! time.
//!
//! The core thread does nothing for it. On the way it proves the promise of replay while the run goes on: every decision is
//! computed a second time, and the first that differs raises the kill flag. Invariant: a snapshot is taken only behind a
//! frame whose input has all its decisions in the journal.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use acth_journal::{Place, Reader};

use crate::{
    clock::WallClock,
    control::{Control, KillReason},
    machine::Snapshot,
    manifest::RunManifest,
    recover::{self, RecoverError},
    replay::{ReplayError, ReplayStart, Stepped, Stepper},
    snapshot,
};

/// How long it sleeps when it has caught up.
const IDLE_SLEEP: Duration = Duration::from_millis(5);
/// Frames between two looks at the wish to stop.
const LOOK_FRAMES: u64 = 1024;

/// When snapshots are taken: whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotPace {
    /// After this time, if there were new frames.
    pub time: Duration,
    /// After this many frames.
    pub frames: u64,
}

/// What it did so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotterReport {
    /// Snapshots written.
    pub snapshots: u64,
    /// Frames followed and found as they should be.
    pub frames: u64,
    /// What ended it before its time.
    pub failure: Option<String>,
}

#[derive(Debug, Default)]
struct Words {
    is_stopped: AtomicBool,
    snapshots: AtomicU64,
    frames: AtomicU64,
}

/// A running snapshotter.
#[derive(Debug)]
pub struct Snapshotter {
    words: Arc<Words>,
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl Snapshotter {
    /// Follows the journal from its newest good snapshot, or from its first frame as soon as there is one. `build` makes the
    /// machine from a manifest and, if there is one, a snapshot's bytes.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub fn start<M: Snapshot + Send + 'static>(
        place: Place,
        build: impl FnMut(&RunManifest, Option<&[u8]>) -> Result<M, String> + Send + 'static,
        pace: SnapshotPace,
        control: &Arc<Control>,
    ) -> std::io::Result<Self> {
        let words = Arc::new(Words::default());
        let (thread_words, control) = (Arc::clone(&words), Arc::clone(control));
        let thread = thread::Builder::new()
            .name("snapshotter".to_owned())
            .spawn(move || {
                let Some((start, reader)) = find_start(&place, build, &thread_words)? else {
                    return Ok(());
                };
                let taken_sequence = start.sequence;
                let follower = Follower {
                    place,
                    stepper: Stepper::new(start),
                    reader,
                    pace,
                    clock: WallClock::start(),
                    words: thread_words,
                    control,
                    taken_at: Instant::now(),
                    taken_sequence,
                };
                follower.run()
            })?;
        Ok(Self {
            words,
            thread: Some(thread),
        })
    }

    /// Ends it and says what it did.
    pub fn stop(mut self) -> SnapshotterReport {
        self.words.is_stopped.store(true, Ordering::Release);
        let ended = self.thread.take().map(JoinHandle::join);
        let failure = match ended {
            Some(Ok(Err(sentence))) => Some(sentence),
            Some(Err(_)) => Some(String::from("the snapshotter panicked")),
            Some(Ok(Ok(()))) | None => None,
        };
        SnapshotterReport {
            snapshots: self.words.snapshots.load(Ordering::Relaxed),
            frames: self.words.frames.load(Ordering::Relaxed),
            failure,
        }
    }
}

/// Waits until the journal has a run to follow; `None` when it was stopped before.
fn find_start<M>(
    place: &Place,
    mut build: impl FnMut(&RunManifest, Option<&[u8]>) -> Result<M, String>,
    words: &Words,
) -> Result<Option<(ReplayStart<M>, Reader)>, String> {
    while !words.is_stopped.load(Ordering::Acquire) {
        match recover::start(place, u64::MAX, &mut build) {
            Ok(begun) => return Ok(Some((begun.start, begun.reader))),
            Err(RecoverError::Replay(ReplayError::Empty)) => thread::sleep(IDLE_SLEEP),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(None)
}

struct Follower<M> {
    place: Place,
    stepper: Stepper<M>,
    reader: Reader,
    pace: SnapshotPace,
    clock: WallClock,
    words: Arc<Words>,
    control: Arc<Control>,
    taken_at: Instant,
    taken_sequence: u64,
}

impl<M: Snapshot> Follower<M> {
    fn run(mut self) -> Result<(), String> {
        while !self.words.is_stopped.load(Ordering::Acquire) {
            let stepped = self.follow().map_err(|error| error.to_string())?;
            if let Some(divergence) = self.stepper.first_divergence() {
                let sentence = format!(
                    "the same input gave another decision at frame {} when it was computed a second time",
                    divergence.sequence
                );
                self.control.kill(KillReason::Diverged);
                return Err(sentence);
            }
            match stepped {
                Stepped::Frame => self.take_if_due()?,
                Stepped::Nothing => thread::sleep(IDLE_SLEEP),
            }
        }
        Ok(())
    }

    /// Up to `LOOK_FRAMES` frames, and on to the next place where a snapshot may be taken.
    fn follow(&mut self) -> Result<Stepped, ReplayError> {
        let mut count = 0;
        while count < LOOK_FRAMES || !self.stepper.is_complete() {
            if self.stepper.step(&mut self.reader)? == Stepped::Nothing {
                return Ok(Stepped::Nothing);
            }
            count += 1;
            self.words.frames.fetch_add(1, Ordering::Relaxed);
            if self.is_due() && self.stepper.is_complete() {
                break;
            }
        }
        Ok(Stepped::Frame)
    }

    fn is_due(&self) -> bool {
        let new_frames = self.stepper.last_sequence() - self.taken_sequence;
        new_frames >= self.pace.frames
            || (new_frames > 0 && self.taken_at.elapsed() >= self.pace.time)
    }

    /// To be called right behind a frame: a watermark frame read since would have moved the chain on.
    fn take_if_due(&mut self) -> Result<(), String> {
        if !(self.is_due() && self.stepper.is_complete()) {
            return Ok(());
        }
        let written = snapshot::write(
            &self.place,
            self.stepper.machine(),
            self.stepper.manifest(),
            &self.reader,
            self.clock.now_ns(),
        );
        written.map_err(|fault| fault.to_string())?;
        self.taken_at = Instant::now();
        self.taken_sequence = self.stepper.last_sequence();
        self.words.snapshots.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}
