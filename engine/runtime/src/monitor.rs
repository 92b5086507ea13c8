//! Counters of a run for a progress display on another thread.
//!
//! The core thread stores them once a batch, relaxed: each is right by itself, and they need not agree with each other.
//! Beside them it holds what a watchdog needs: where the run is, and the core's duty cycles, which go on while nothing happens.
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

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RunStage {
    /// Not trading yet: recovery, rings, threads.
    Starting = 0,
    /// The core takes events.
    Trading = 1,
    /// The core cancels what is open, takes what is owed, and ends.
    Ending = 2,
}

/// The counters of a run, shared between its core thread and whoever looks.
#[derive(Debug, Default)]
pub struct Monitor {
    counters: CachePadded<Counters>,
    /// On a line of its own: stored in every duty cycle, busy or not.
    turns: CachePadded<AtomicU64>,
    stage: AtomicU8,
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

    /// Looks of the core at its surroundings so far, one every few duty cycles. A core that is stuck counts no more.
    pub fn turns(&self) -> u64 {
        self.turns.load(Ordering::Relaxed)
    }

    /// Where the run is.
    pub fn stage(&self) -> RunStage {
        match self.stage.load(Ordering::Acquire) {
            0 => RunStage::Starting,
            1 => RunStage::Trading,
            _ => RunStage::Ending,
        }
    }

    /// Duty cycles went by; only the core's thread calls this, so a load and a store are enough.
    #[inline]
    pub(crate) fn turn(&self) {
        let turns = self.turns.load(Ordering::Relaxed);
        self.turns.store(turns.wrapping_add(1), Ordering::Relaxed);
    }

    pub(crate) fn set_stage(&self, stage: RunStage) {
        self.stage.store(stage as u8, Ordering::Release);
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
