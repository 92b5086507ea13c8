//! What the flusher measured: how far durability was behind, and how long syncs took.
//!
//! Written by the flusher alone, read by whoever prints a summary; each number is right by itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// What the flusher measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlushStats {
    /// Syncs done.
    pub syncs: u64,
    /// Longest sync, ns.
    pub sync_ns_max: u64,
    /// Most frames that the flusher ever found written and not yet durable.
    pub lag_frames_max: u64,
    /// Longest time between the flusher seeing a frame and that frame being durable, ns.
    pub lag_ns_max: u64,
}

#[derive(Debug, Default)]
pub(crate) struct FlushStatsCell {
    syncs: AtomicU64,
    sync_ns_max: AtomicU64,
    lag_frames_max: AtomicU64,
    lag_ns_max: AtomicU64,
}

impl FlushStatsCell {
    pub(crate) fn synced(&self, took_ns: u64) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        self.sync_ns_max.fetch_max(took_ns, Ordering::Relaxed);
    }

    pub(crate) fn lagged_frames(&self, frames: u64) {
        self.lag_frames_max.fetch_max(frames, Ordering::Relaxed);
    }

    pub(crate) fn lagged_ns(&self, lag_ns: u64) {
        self.lag_ns_max.fetch_max(lag_ns, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> FlushStats {
        FlushStats {
            syncs: self.syncs.load(Ordering::Relaxed),
            sync_ns_max: self.sync_ns_max.load(Ordering::Relaxed),
            lag_frames_max: self.lag_frames_max.load(Ordering::Relaxed),
            lag_ns_max: self.lag_ns_max.load(Ordering::Relaxed),
        }
    }
}
