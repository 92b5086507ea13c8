//! What writer, preparer and flusher share, and the handle through which others wait for durability.

use std::{
    sync::{Arc, OnceLock, PoisonError},
    thread::Thread,
};

use crossbeam::utils::CachePadded;

use super::Handover;
use crate::{
    bounds::{PREPARED_SEGMENTS, RETIRED_SEGMENTS_MAX},
    directory::Directory,
    error::JournalError,
    segment::{Segment, WritableSegment},
    stats::{FlushStats, FlushStatsCell},
    sync::Mutex,
    words::{ConditionWord, DurableWatermark, WatermarkRequest, Wish},
};

/// A full segment, the last sequence in it and its length.
pub(crate) struct Retired {
    pub(crate) segment: WritableSegment,
    pub(crate) last_sequence: u64,
    pub(crate) used_bytes: usize,
}

/// The words that an append looks at, on one line: it changes about once a sync.
pub(crate) struct Words {
    pub(crate) durable: DurableWatermark,
    pub(crate) request: WatermarkRequest,
    pub(crate) condition: ConditionWord,
}

pub(crate) struct Shared {
    pub(crate) words: CachePadded<Words>,
    pub(crate) wish: CachePadded<Wish>,
    pub(crate) prepared: Handover<WritableSegment>,
    pub(crate) begun: Handover<Arc<Segment>>,
    pub(crate) retired: Handover<Retired>,
    pub(crate) flusher: OnceLock<Thread>,
    pub(crate) stats: FlushStatsCell,
    directory: Directory,
    failure: Mutex<Option<JournalError>>,
}

impl Shared {
    pub(crate) fn new(directory: Directory, durable_sequence: u64) -> Self {
        Self {
            words: CachePadded::new(Words {
                durable: DurableWatermark::new(durable_sequence),
                request: WatermarkRequest::new(),
                condition: ConditionWord::new(),
            }),
            wish: CachePadded::new(Wish::new()),
            prepared: Handover::new(PREPARED_SEGMENTS),
            begun: Handover::new(RETIRED_SEGMENTS_MAX),
            retired: Handover::new(RETIRED_SEGMENTS_MAX),
            flusher: OnceLock::new(),
            stats: FlushStatsCell::default(),
            directory,
            failure: Mutex::new(None),
        }
    }

    /// Records why, then raises the flag. The first reason stays.
    pub(crate) fn fail(&self, error: JournalError) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert(error);
        drop(failure);
        self.words.condition.add(ConditionWord::FAILED);
    }

    /// A sync failed: says so in the directory as well, so that no later process takes what it reads back for durable.
    pub(crate) fn fail_sync(&self, error: JournalError) {
        let durable = self.words.durable.sequence();
        self.directory.mark_failed_sync(&error, durable);
        self.fail(error);
    }

    #[cold]
    pub(crate) fn failure(&self) -> JournalError {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone().unwrap_or(JournalError::HelperStopped)
    }
}

/// A handle on how durable a journal is, for the thread that sends: it waits until a decision is on the device, and the
/// summary tells what was measured. Cheap to clone.
#[derive(Clone)]
pub struct Durability {
    pub(crate) shared: Arc<Shared>,
}

impl std::fmt::Debug for Durability {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Durability")
            .field("sequence", &self.sequence())
            .finish_non_exhaustive()
    }
}

impl Durability {
    /// Highest sequence known to be on stable storage.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.shared.words.durable.sequence()
    }

    /// Asks for a sync of everything up to this sequence as soon as possible. A system call, made by the caller's thread, when
    /// the flusher sleeps.
    pub fn ask(&self, sequence: u64) {
        self.shared.wish.raise(sequence);
        if let Some(thread) = self.shared.flusher.get() {
            thread.unpark();
        }
    }

    /// Whether the journal has failed: what is not durable now will never be.
    #[inline]
    pub fn has_failed(&self) -> bool {
        self.shared.words.condition.has(ConditionWord::FAILED)
    }

    /// What the flusher measured so far.
    pub fn stats(&self) -> FlushStats {
        self.shared.stats.read()
    }
}
