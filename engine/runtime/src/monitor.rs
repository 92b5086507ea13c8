//! Counters of a run for a progress display on another thread.
//!
//! The core thread stores them once a batch, relaxed: each is right by itself, and they need not agree with each other.
//! Invariant: nothing on the path ever reads them.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use crossbeam::utils::CachePadded;
use serde::Serialize;

/// Counters that the core thread keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Inputs applied.
    pub events: u64,
    /// Decisions journaled.
    pub decisions: u64,
    /// Orders decided.
    pub orders: u64,
    /// Orders that the risk gate refused.
    pub denials: u64,
    /// Fills applied.
    pub fills: u64,
    /// Events that wait in the ingress ring.
    pub lag: u64,
    /// Sequence of the last frame.
    pub last_sequence: u64,
    /// Code of the core's `TradingState`; 0 = it has not said.
    pub trading_state: u8,
}

#[derive(Debug, Default)]
struct Counters {
    events: AtomicU64,
    decisions: AtomicU64,
    orders: AtomicU64,
    denials: AtomicU64,
    fills: AtomicU64,
    lag: AtomicU64,
    last_sequence: AtomicU64,
    trading_state: AtomicU8,
}

/// The counters of a run, shared between its core thread and whoever looks.
#[derive(Debug, Default)]
pub struct Monitor {
    counters: CachePadded<Counters>,
}

impl Monitor {
    /// All zero.
    pub fn new() -> Self {
        Self::default()
    }

    /// The present values.
    pub fn progress(&self) -> Progress {
        let counters = &self.counters;
        Progress {
            events: counters.events.load(Ordering::Relaxed),
            decisions: counters.decisions.load(Ordering::Relaxed),
            orders: counters.orders.load(Ordering::Relaxed),
            denials: counters.denials.load(Ordering::Relaxed),
            fills: counters.fills.load(Ordering::Relaxed),
            lag: counters.lag.load(Ordering::Relaxed),
            last_sequence: counters.last_sequence.load(Ordering::Relaxed),
            trading_state: counters.trading_state.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn store(&self, progress: &Progress) {
        let counters = &self.counters;
        counters.events.store(progress.events, Ordering::Relaxed);
        counters
            .decisions
            .store(progress.decisions, Ordering::Relaxed);
        counters.orders.store(progress.orders, Ordering::Relaxed);
        counters.denials.store(progress.denials, Ordering::Relaxed);
        counters.fills.store(progress.fills, Ordering::Relaxed);
        counters.lag.store(progress.lag, Ordering::Relaxed);
        counters
            .last_sequence
            .store(progress.last_sequence, Ordering::Relaxed);
        counters
            .trading_state
            .store(progress.trading_state, Ordering::Relaxed);
    }
}
