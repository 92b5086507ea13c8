//! How the outside stops a run: a request, a signal, or the kill flag.
//!
//! Invariant: the kill flag only ever goes up. Egress reads it before every send; once it is up no order leaves, cancels
//! still do, and no code in this process takes it down again. Egress then asks the venue to cancel everything, without the
//! core, which may be the part that no longer moves.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
};

use serde::Serialize;

/// Why the kill flag is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[repr(u8)]
pub enum KillReason {
    /// A person or a watchdog outside the engine.
    Operator = 1,
    /// The egress ring stayed full for too long.
    EgressFull = 2,
    /// A thread panicked.
    ThreadPanicked = 3,
    /// The journal cannot go on.
    JournalFailed = 4,
    /// The source of events cannot go on.
    SourceFailed = 5,
    /// The sink of commands cannot go on.
    SinkFailed = 6,
    /// The core broke a rule of the engine.
    CoreFailed = 7,
    /// The same input, computed a second time from the journal, gave another decision.
    Diverged = 8,
}

impl KillReason {
    const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Operator,
            2 => Self::EgressFull,
            3 => Self::ThreadPanicked,
            4 => Self::JournalFailed,
            5 => Self::SourceFailed,
            6 => Self::SinkFailed,
            7 => Self::CoreFailed,
            8 => Self::Diverged,
            _ => return None,
        })
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[repr(u8)]
pub enum StopReason {
    /// Its time was over.
    DurationOver = 1,
    /// The source had no more events.
    SourceEnded = 2,
    /// `Control::request_stop`.
    Requested = 3,
    /// SIGINT or SIGTERM.
    Signal = 4,
    /// Something failed; the error says what.
    Failed = 5,
}

impl StopReason {
    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::DurationOver,
            2 => Self::SourceEnded,
            3 => Self::Requested,
            4 => Self::Signal,
            5 => Self::Failed,
            _ => return None,
        })
    }
}

/// The signals that end a run.
const SIGNALS: [i32; 2] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];

/// How many controls of this process hear signals, and the flag that is up while none does. A handler once installed
/// stays; without the flag a process would ignore Ctrl-C after its first run had ended.
struct Listeners {
    count: usize,
    is_idle: Option<Arc<AtomicBool>>,
}

static LISTENERS: Mutex<Listeners> = Mutex::new(Listeners {
    count: 0,
    is_idle: None,
});

impl Listeners {
    /// One more control hears signals: none of them ends the process by itself now.
    fn join(&mut self) -> io::Result<()> {
        let is_idle = match &self.is_idle {
            Some(is_idle) => Arc::clone(is_idle),
            None => {
                let is_idle = Arc::new(AtomicBool::new(false));
                for signal in SIGNALS {
                    let flag = Arc::clone(&is_idle);
                    signal_hook::flag::register_conditional_default(signal, flag)?;
                }
                self.is_idle = Some(Arc::clone(&is_idle));
                is_idle
            }
        };
        self.count += 1;
        is_idle.store(false, Ordering::Release);
        Ok(())
    }

    /// One control less: after the last one signals end the process again.
    fn leave(&mut self) {
        self.count = self.count.saturating_sub(1);
        if let Some(is_idle) = &self.is_idle {
            is_idle.store(self.count == 0, Ordering::Release);
        }
    }
}

/// The handles that other threads and signal handlers hold on a run.
#[derive(Debug, Default)]
pub struct Control {
    stop: AtomicBool,
    kill_code: AtomicU8,
    has_cancelled_all: AtomicBool,
    signal: Arc<AtomicBool>,
    handlers: Vec<signal_hook::SigId>,
    hears_signals: bool,
}

impl Control {
    /// A control that hears no signals: tests, and runs inside other programs.
    pub fn new() -> Self {
        Self::default()
    }

    /// A control that SIGINT and SIGTERM stop: the first in order, the second without waiting for reports.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn with_signals() -> io::Result<Self> {
        let mut control = Self::new();
        let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.join()?;
        control.hears_signals = true;
        drop(listeners);
        for signal in SIGNALS {
            let handler = signal_hook::flag::register(signal, Arc::clone(&control.signal))?;
            control.handlers.push(handler);
        }
        Ok(control)
    }

    /// Asks the run to end in order.
    pub fn request_stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Raises the kill flag; the first reason stays.
    pub fn kill(&self, reason: KillReason) {
        let raised =
            self.kill_code
                .compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire);
        if raised.is_ok() {
            tracing::error!(?reason, "kill flag raised: no further order leaves");
        }
    }

    /// Why the kill flag is up, if it is.
    #[inline]
    pub fn kill_reason(&self) -> Option<KillReason> {
        KillReason::from_code(self.kill_code.load(Ordering::Acquire))
    }

    /// True once egress has asked the venue to cancel everything because the kill flag is up.
    pub fn has_cancelled_all(&self) -> bool {
        self.has_cancelled_all.load(Ordering::Acquire)
    }

    pub(crate) fn confirm_cancel_all(&self) {
        self.has_cancelled_all.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn is_killed(&self) -> bool {
        self.kill_code.load(Ordering::Acquire) != 0
    }

    #[inline]
    pub(crate) fn is_stop_requested(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// True once for every signal noticed; two that arrive between two looks count as one.
    #[inline]
    pub(crate) fn take_signal(&self) -> bool {
        self.signal.load(Ordering::Acquire) && self.signal.swap(false, Ordering::AcqRel)
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        for handler in self.handlers.drain(..) {
            signal_hook::low_level::unregister(handler);
        }
        if self.hears_signals {
            let mut listeners = LISTENERS.lock().unwrap_or_else(PoisonError::into_inner);
            listeners.leave();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_kill_reason_stays() {
        let control = Control::new();
        assert_eq!(control.kill_reason(), None);
        control.kill(KillReason::EgressFull);
        control.kill(KillReason::Operator);
        assert_eq!(control.kill_reason(), Some(KillReason::EgressFull));
    }

    #[test]
    fn codes_read_back() {
        for code in 1..=8 {
            assert_eq!(KillReason::from_code(code).unwrap() as u8, code);
        }
        for code in 1..=5 {
            assert_eq!(StopReason::from_code(code).unwrap() as u8, code);
        }
        assert!(KillReason::from_code(9).is_none() && StopReason::from_code(0).is_none());
    }
}
