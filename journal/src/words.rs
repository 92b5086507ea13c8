//! The words that the writer shares with its background threads, each owned by one type whose methods state the ordering.
//!
//! Who writes what: the durable watermark and the request are written by the flusher alone, the wish by whoever waits for
//! durability, the condition by every background thread. `models.rs` checks each of them, with the commit word and the
//! hand-over of segments, under every interleaving of a small program.

use crate::{
    sabotage::Bug,
    sync::{AtomicU8, AtomicU64, Ordering, acquire, release},
};

/// Highest sequence known to be on stable storage.
#[derive(Debug)]
pub(crate) struct DurableWatermark(AtomicU64);

impl DurableWatermark {
    pub(crate) fn new(sequence: u64) -> Self {
        Self(AtomicU64::new(sequence))
    }

    /// Release: the sync came before.
    pub(crate) fn raise(&self, sequence: u64) {
        self.0.store(sequence, release(Bug::RelaxedDurable));
    }

    /// Acquire; on x86-64 a plain load.
    #[inline]
    pub(crate) fn sequence(&self) -> u64 {
        self.0.load(acquire(Bug::RelaxedDurable))
    }
}

/// How often the flusher has asked for a watermark frame that ends the page in use. The writer remembers which request it
/// has answered.
#[derive(Debug)]
pub(crate) struct WatermarkRequest(AtomicU64);

impl WatermarkRequest {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// One more request. Release: what led to it is visible to whoever answers it.
    pub(crate) fn ask(&self) {
        let count = self.0.load(Ordering::Relaxed);
        self.0.store(count + 1, release(Bug::RelaxedRequest));
    }

    /// Acquire; on x86-64 a plain load.
    #[inline]
    pub(crate) fn count(&self) -> u64 {
        self.0.load(acquire(Bug::RelaxedRequest))
    }
}

/// Highest sequence that somebody waits for.
#[derive(Debug)]
pub(crate) struct Wish(AtomicU64);

impl Wish {
    pub(crate) fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Release: the frame wished for was published before. Several may wish; the highest counts.
    pub(crate) fn raise(&self, sequence: u64) {
        self.0.fetch_max(sequence, release(Bug::RelaxedWish));
    }

    /// Acquire: frames up to this one are visible.
    pub(crate) fn sequence(&self) -> u64 {
        self.0.load(acquire(Bug::RelaxedWish))
    }
}

/// What is not as it should be; bits are only ever added. Zero is the ordinary state, so that health is one load.
#[derive(Debug)]
pub(crate) struct ConditionWord(AtomicU8);

impl ConditionWord {
    /// The journal cannot go on; the failure says why.
    pub(crate) const FAILED: u8 = 1;
    /// Free space is below the low mark.
    pub(crate) const SPACE_LOW: u8 = 1 << 1;
    /// Free space is below the hard mark.
    pub(crate) const SPACE_OUT: u8 = 1 << 2;
    /// Frames waited longer for a sync than the bound allows by far.
    pub(crate) const BEHIND: u8 = 1 << 3;
    /// The background threads are to end.
    pub(crate) const STOPPING: u8 = 1 << 4;
    /// The last act of the flusher: every retired segment is on the device.
    pub(crate) const ALL_SYNCED: u8 = 1 << 5;

    pub(crate) fn new() -> Self {
        Self(AtomicU8::new(0))
    }

    /// Release: what led to it is visible to whoever sees the bit.
    pub(crate) fn add(&self, bits: u8) {
        self.0.fetch_or(bits, release(Bug::RelaxedCondition));
    }

    /// Acquire; on x86-64 a plain load.
    #[inline]
    pub(crate) fn bits(&self) -> u8 {
        self.0.load(acquire(Bug::RelaxedCondition))
    }

    /// Whether any of these is up.
    #[inline]
    pub(crate) fn has(&self, bits: u8) -> bool {
        self.bits() & bits != 0
    }
}
