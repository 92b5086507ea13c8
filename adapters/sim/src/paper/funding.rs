//! When funding is due at the paper venue.
//!
//! Invariant: every funding time between the first moment and the present is taken once, in its order.

use super::PaperConfig;

/// The next funding time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Funding {
    /// 0 = there is none.
    interval_ns: i64,
    /// Not known before the first moment.
    ts_next_ns: Option<i64>,
}

impl Funding {
    pub(super) const fn new(config: &PaperConfig) -> Self {
        let is_on = config.funding_rate != 0 && config.funding_interval_ns > 0;
        Self {
            interval_ns: if is_on { config.funding_interval_ns } else { 0 },
            ts_next_ns: None,
        }
    }

    /// The next funding time, if it has come by `ts_now_ns` and nothing else (`ts_other_ns`) comes before it. The end of time, to
    /// which a venue is drained, is no moment at which anything is charged.
    pub(super) fn take_due(&mut self, ts_now_ns: i64, ts_other_ns: i64) -> Option<i64> {
        if self.interval_ns == 0 || ts_now_ns == i64::MAX {
            return None;
        }
        let after_now = || {
            let passed_ns = ts_now_ns.rem_euclid(self.interval_ns);
            ts_now_ns.saturating_add(self.interval_ns - passed_ns)
        };
        let due_ns = *self.ts_next_ns.get_or_insert_with(after_now);
        if due_ns > ts_now_ns || due_ns > ts_other_ns {
            return None;
        }
        self.ts_next_ns = Some(due_ns.saturating_add(self.interval_ns));
        Some(due_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn funding(rate: i64, interval_ns: i64) -> Funding {
        Funding::new(&PaperConfig {
            funding_rate: rate,
            funding_interval_ns: interval_ns,
            ..PaperConfig::default()
        })
    }

    #[test]
    fn each_time_comes_once_and_after_what_was_before_it() {
        let mut due = funding(1, 100);
        // A venue that opens at a funding time has missed it.
        assert_eq!(due.take_due(300, i64::MAX), None);
        assert_eq!(due.take_due(399, i64::MAX), None);
        assert_eq!(
            due.take_due(650, 380),
            None,
            "what is due before it comes first"
        );
        assert_eq!(due.take_due(650, 400), Some(400));
        assert_eq!(due.take_due(650, i64::MAX), Some(500));
        assert_eq!(due.take_due(650, i64::MAX), Some(600));
        assert_eq!(due.take_due(650, i64::MAX), None);
        assert_eq!(due.take_due(i64::MAX, i64::MAX), None);
        assert_eq!(due.take_due(700, i64::MAX), Some(700));
    }

    #[test]
    fn without_a_rate_or_an_interval_nothing_is_ever_due() {
        for mut none in [funding(0, 100), funding(1, 0), funding(1, -5)] {
            for ts_ns in [1, 100, 1_000] {
                assert_eq!(none.take_due(ts_ns, i64::MAX), None);
            }
        }
    }
}
