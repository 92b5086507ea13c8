//! Journals in memory: one that fails on demand, and frames that a test can change before they are replayed.

use std::sync::{Arc, Mutex};

use acth_engine::journal::{FrameView, Frames, Journal, JournalEnd, JournalFault};
use acth_journal::Condition;

use super::OwnedFrame;

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) frames: Vec<OwnedFrame>,
    pub(crate) is_sealed: bool,
}

/// Keeps frames where the test can see them.
#[derive(Clone, Default)]
pub(crate) struct MemoryJournal {
    pub(crate) store: Arc<Mutex<Store>>,
    /// Appends fail from this sequence on.
    pub(crate) fails_at: Option<u64>,
    /// Ill from this sequence on.
    pub(crate) ill_at: Option<u64>,
    /// Skips this sequence: something else took it.
    pub(crate) skips: Option<u64>,
    pub(crate) next: u64,
}

impl MemoryJournal {
    pub(crate) fn new() -> Self {
        Self {
            next: 1,
            ..Self::default()
        }
    }
}

impl Journal for MemoryJournal {
    fn next_sequence(&self) -> u64 {
        self.next
    }

    fn append(
        &mut self,
        kind: u16,
        time_ns: i64,
        cause: u64,
        payload: &[u8],
    ) -> Result<u64, JournalFault> {
        if self.fails_at.is_some_and(|at| self.next >= at) {
            return Err("planted append failure".into());
        }
        if self.skips == Some(self.next) {
            self.next += 1;
        }
        let sequence = self.next;
        self.next += 1;
        self.store.lock().unwrap().frames.push(OwnedFrame {
            sequence,
            time_ns,
            cause,
            kind,
            payload: payload.to_vec(),
        });
        Ok(sequence)
    }

    fn poll_health(&mut self) -> Result<Condition, JournalFault> {
        if self.ill_at.is_some_and(|at| self.next >= at) {
            return Err("planted: no space for the next segment".into());
        }
        Ok(Condition::default())
    }

    fn seal(self) -> Result<JournalEnd, JournalFault> {
        self.store.lock().unwrap().is_sealed = true;
        Ok(JournalEnd::default())
    }
}

/// Gives frames back.
pub(crate) struct MemoryFrames {
    frames: Vec<OwnedFrame>,
    next: usize,
}

impl MemoryFrames {
    pub(crate) fn new(frames: &[OwnedFrame]) -> Self {
        Self {
            frames: frames.to_vec(),
            next: 0,
        }
    }
}

impl Frames for MemoryFrames {
    fn next(&mut self) -> Result<Option<FrameView<'_>>, JournalFault> {
        let frame = self.frames.get(self.next);
        self.next += 1;
        Ok(frame.map(|frame| FrameView {
            sequence: frame.sequence,
            time_ns: frame.time_ns,
            cause: frame.cause,
            kind: frame.kind,
            payload: &frame.payload,
        }))
    }
}
