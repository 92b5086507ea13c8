//! How fast a recording is played.
//!
//! Pauses are real time: the clock of a run over recordings is that of the recordings themselves, which stands still
//! while nothing is played.

use std::{fmt, time::Instant};

/// The speed of a recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// As fast as the sink takes it.
    FlatOut,
    /// With the pauses that were recorded.
    AsRecorded,
    /// With the recorded pauses divided by this factor; a factor that is not a positive number plays flat out.
    Times(f64),
}

/// A monotonic clock, ns since any moment.
pub(super) type PaceClock = Box<dyn Fn() -> i64 + Send>;

/// Real time.
fn real_time() -> PaceClock {
    let start = Instant::now();
    Box::new(move || i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX))
}

/// Tells when a recorded moment is due.
pub(super) struct Pacer {
    clock: PaceClock,
    /// Run time per recorded time; `None` = everything is due at once.
    stretch: Option<f64>,
    /// Recorded time and clock of the first line.
    origin_ns: Option<(i64, i64)>,
}

impl Pacer {
    pub(super) fn new(pace: Pace) -> Self {
        let stretch = match pace {
            Pace::FlatOut => None,
            Pace::AsRecorded => Some(1.0),
            Pace::Times(factor) => (factor.is_finite() && factor > 0.0).then(|| 1.0 / factor),
        };
        Self {
            clock: real_time(),
            stretch,
            origin_ns: None,
        }
    }

    /// By another clock.
    pub(super) fn set_clock(&mut self, clock: PaceClock) {
        self.clock = clock;
    }

    /// True when a line recorded at `ts_recorded_ns` is due. The clock is read only if the pace needs one.
    pub(super) fn is_due(&mut self, ts_recorded_ns: i64) -> bool {
        let Some(stretch) = self.stretch else {
            return true;
        };
        let now_ns = (self.clock)();
        let (recorded_first_ns, run_first_ns) =
            *self.origin_ns.get_or_insert((ts_recorded_ns, now_ns));
        let since_recorded_ns = ts_recorded_ns.saturating_sub(recorded_first_ns);
        let since_run_ns = now_ns.saturating_sub(run_first_ns);
        since_run_ns as f64 >= since_recorded_ns as f64 * stretch
    }
}

impl fmt::Debug for Pacer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pacer")
            .field("stretch", &self.stretch)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    };

    use super::*;

    fn pacer(pace: Pace) -> (Pacer, Arc<AtomicI64>) {
        let now_ns = Arc::new(AtomicI64::new(50_000));
        let mut pacer = Pacer::new(pace);
        let clock = Arc::clone(&now_ns);
        pacer.set_clock(Box::new(move || clock.load(Ordering::Relaxed)));
        (pacer, now_ns)
    }

    #[test]
    fn flat_out_never_asks_the_clock() {
        let mut pacer = Pacer::new(Pace::FlatOut);
        pacer.set_clock(Box::new(|| panic!("the clock was asked")));
        assert!(pacer.is_due(5));
    }

    #[test]
    fn pauses_are_kept_or_divided() {
        for (pace, due_ns) in [(Pace::AsRecorded, 50_400), (Pace::Times(4.0), 50_100)] {
            let (mut pacer, now_ns) = pacer(pace);
            assert!(pacer.is_due(1_000), "the first line is due at once");
            now_ns.store(due_ns - 1, Ordering::Relaxed);
            assert!(!pacer.is_due(1_400));
            now_ns.store(due_ns, Ordering::Relaxed);
            assert!(pacer.is_due(1_400));
        }
    }

    #[test]
    fn a_factor_without_meaning_plays_flat_out() {
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let (mut pacer, _) = pacer(Pace::Times(factor));
            assert!(pacer.is_due(i64::MIN) && pacer.is_due(i64::MAX));
        }
    }

    #[test]
    fn real_time_goes_on_by_itself() {
        let mut pacer = Pacer::new(Pace::AsRecorded);
        assert!(pacer.is_due(0) && !pacer.is_due(1_000_000_000_000));
        while !pacer.is_due(1_000) {}
    }
}
