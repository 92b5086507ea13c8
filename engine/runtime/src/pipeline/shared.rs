//! What the threads of a run share: the gate, the wish to stop, the phase, and what went wrong.
//!
//! Every word here is written rarely and read often, so its line stays shared between the caches. The lists behind a lock
//! are touched at start and on failure only.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
};

use super::egress_stage::Gate;
use crate::{
    control::{Control, KillReason, StopReason},
    error::EngineError,
    journal::{Journal, JournalEnd},
    monitor::{Monitor, RunStage},
};

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Events flow.
    Running = 0,
    /// Halted: the source gives what it owes.
    Draining = 1,
    /// Nothing is taken any more.
    Done = 2,
}

pub(super) struct Shared<'a> {
    pub(super) control: &'a Control,
    pub(super) monitor: &'a Monitor,
    pub(super) gate: Gate,
    stop_code: AtomicU8,
    phase: AtomicU8,
    is_behind: AtomicBool,
    drain_requested: AtomicU64,
    drain_done: AtomicU64,
    failures: Mutex<Vec<EngineError>>,
    warnings: Mutex<Vec<String>>,
}

impl<'a> Shared<'a> {
    pub(super) fn new(control: &'a Control, monitor: &'a Monitor) -> Self {
        Self {
            control,
            monitor,
            gate: Gate::default(),
            stop_code: AtomicU8::new(0),
            phase: AtomicU8::new(Phase::Running as u8),
            is_behind: AtomicBool::new(false),
            drain_requested: AtomicU64::new(0),
            drain_done: AtomicU64::new(0),
            failures: Mutex::default(),
            warnings: Mutex::default(),
        }
    }

    /// Asks for the end; the first reason stays.
    pub(super) fn request_stop(&self, reason: StopReason) {
        let _ =
            self.stop_code
                .compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Why the run is to end, if it is; looks at the control and its signals too.
    #[inline]
    pub(super) fn stop_reason(&self) -> Option<StopReason> {
        if self.control.is_stop_requested() {
            self.request_stop(StopReason::Requested);
        }
        if self.control.take_signal() {
            self.request_stop(StopReason::Signal);
        }
        StopReason::from_code(self.stop_code.load(Ordering::Acquire))
    }

    /// Something failed: no order leaves any more and the run ends with this error.
    pub(super) fn fail(&self, error: EngineError, reason: KillReason) {
        self.control.kill(reason);
        tracing::error!("{error}");
        lock(&self.failures).push(error);
        self.request_stop(StopReason::Failed);
    }

    /// Closes the journal; what it was then, or nothing when that failed.
    pub(super) fn seal(&self, journal: impl Journal) -> JournalEnd {
        match journal.seal() {
            Ok(end) => end,
            Err(fault) => {
                self.fail(EngineError::Journal(fault), KillReason::JournalFailed);
                JournalEnd::default()
            }
        }
    }

    pub(super) fn warn(&self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        tracing::info!("{sentence}");
        lock(&self.warnings).push(sentence);
    }

    pub(super) fn take_failures(&self) -> Vec<EngineError> {
        std::mem::take(&mut lock(&self.failures))
    }

    pub(super) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.warnings))
    }

    #[inline]
    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Running,
            1 => Phase::Draining,
            _ => Phase::Done,
        }
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        if phase != Phase::Running {
            self.monitor.set_stage(RunStage::Ending);
        }
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Ingress found its ring full.
    pub(super) fn set_behind(&self) {
        if !self.is_behind.load(Ordering::Relaxed) {
            self.is_behind.store(true, Ordering::Release);
        }
    }

    #[inline]
    pub(super) fn is_behind(&self) -> bool {
        self.is_behind.load(Ordering::Acquire)
    }

    /// The core wants to know that a drain begun after this owes nothing more.
    pub(super) fn request_drain(&self, number: u64) {
        self.drain_requested.store(number, Ordering::Release);
    }

    pub(super) fn drain_requested(&self) -> u64 {
        self.drain_requested.load(Ordering::Acquire)
    }

    /// A drain begun after request `number` owes nothing; its events are published.
    pub(super) fn confirm_drain(&self, number: u64) {
        self.drain_done.store(number, Ordering::Release);
    }

    pub(super) fn drain_done(&self) -> u64 {
        self.drain_done.load(Ordering::Acquire)
    }
}

/// A list stays usable after a panic elsewhere: it is only ever pushed to.
fn lock<T>(list: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}
