//! How fast a recording is played.

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

/// Tells when a recorded moment is due, against the clock of the run.
#[derive(Debug)]
pub(super) struct Pacer {
    /// Run time per recorded time; `None` = everything is due at once.
    stretch: Option<f64>,
    /// Recorded and run time of the first line.
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
            stretch,
            origin_ns: None,
        }
    }

    /// True when a line recorded at `ts_recorded_ns` is due at `now_ns`, asked only if the pace needs a clock.
    pub(super) fn is_due(&mut self, ts_recorded_ns: i64, now_ns: impl FnOnce() -> i64) -> bool {
        let Some(stretch) = self.stretch else {
            return true;
        };
        let now_ns = now_ns();
        let (recorded_first_ns, run_first_ns) =
            *self.origin_ns.get_or_insert((ts_recorded_ns, now_ns));
        let since_recorded_ns = ts_recorded_ns.saturating_sub(recorded_first_ns);
        let since_run_ns = now_ns.saturating_sub(run_first_ns);
        since_run_ns as f64 >= since_recorded_ns as f64 * stretch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_out_never_asks_the_clock() {
        let mut pacer = Pacer::new(Pace::FlatOut);
        assert!(pacer.is_due(5, || panic!("the clock was asked")));
    }

    #[test]
    fn pauses_are_kept_or_divided() {
        let mut plain = Pacer::new(Pace::AsRecorded);
        let mut fast = Pacer::new(Pace::Times(4.0));
        for pacer in [&mut plain, &mut fast] {
            assert!(
                pacer.is_due(1_000, || 50_000),
                "the first line is due at once"
            );
        }
        assert!(!plain.is_due(1_400, || 50_399));
        assert!(plain.is_due(1_400, || 50_400));
        assert!(!fast.is_due(1_400, || 50_099));
        assert!(fast.is_due(1_400, || 50_100));
    }

    #[test]
    fn a_factor_without_meaning_plays_flat_out() {
        for factor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            let mut pacer = Pacer::new(Pace::Times(factor));
            assert!(pacer.is_due(i64::MIN, || 0) && pacer.is_due(i64::MAX, || 0));
        }
    }
}
