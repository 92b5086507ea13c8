//! Intended start times: an even grid from the start of a window, whatever happened to the events before.

/// Events that one look sends at most, so that returning ones are seen in between.
pub(crate) const BURST_MAX: usize = 64;
/// Part of a window that is not recorded: caches, predictors and page tables warm up then.
const WARM_UP_PARTS: i64 = 10;
/// A window that cannot keep its rate is given up after this multiple of its length, plus `GRACE_NS`.
const OVERTIME_FACTOR: i64 = 3;
/// Time that even the shortest window is given beyond its length.
const GRACE_NS: i64 = 500_000_000;

/// One window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// Events a second.
    pub(crate) rate_per_second: u64,
    /// Its length.
    pub(crate) length_ns: i64,
}

/// The grid of one window, and how far it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    window: Window,
    start_ns: i64,
    sent_count: u64,
}

impl Window {
    /// How many events belong to it; at least one.
    pub(crate) fn event_count(&self) -> u64 {
        let exact = u128::from(self.length_ns.unsigned_abs()) * u128::from(self.rate_per_second);
        u64::try_from(exact / 1_000_000_000)
            .unwrap_or(u64::MAX)
            .max(1)
    }
}

impl Pace {
    /// A window that begins at `start_ns`.
    pub(crate) const fn new(window: Window, start_ns: i64) -> Self {
        Self {
            window,
            start_ns,
            sent_count: 0,
        }
    }

    /// The intended start of the next event, if it is due and belongs to the window.
    #[inline]
    pub(crate) fn due(&self, now_ns: i64) -> Option<i64> {
        let intended_ns = self.intended_ns(self.sent_count);
        (intended_ns <= now_ns && !self.is_done()).then_some(intended_ns)
    }

    /// The next event was sent.
    #[inline]
    pub(crate) const fn advance(&mut self) {
        self.sent_count += 1;
    }

    /// True when every event of the window was sent.
    #[inline]
    pub(crate) fn is_done(&self) -> bool {
        self.sent_count >= self.window.event_count()
    }

    /// How many were sent.
    pub(crate) const fn sent_count(&self) -> u64 {
        self.sent_count
    }

    /// Latencies count from here on.
    pub(crate) const fn recorded_from_ns(&self) -> i64 {
        self.start_ns + self.window.length_ns / WARM_UP_PARTS
    }

    /// A window that lasts beyond this cannot keep its rate.
    pub(crate) const fn deadline_ns(&self) -> i64 {
        self.start_ns + OVERTIME_FACTOR * self.window.length_ns + GRACE_NS
    }

    fn intended_ns(&self, index: u64) -> i64 {
        let offset = u128::from(index) * 1_000_000_000 / u128::from(self.window.rate_per_second);
        self.start_ns
            .saturating_add_unsigned(u64::try_from(offset).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_events_keep_their_intended_start() {
        let window = Window {
            rate_per_second: 3,
            length_ns: 1_000_000_000,
        };
        let mut pace = Pace::new(window, 1000);
        let mut intended = Vec::new();
        // One look, far too late: all three are due at once, each from its own place on the grid.
        while let Some(intended_ns) = pace.due(5_000_000_000) {
            intended.push(intended_ns - 1000);
            pace.advance();
        }
        assert_eq!(intended, [0, 333_333_333, 666_666_666]);
        assert!(pace.is_done());
        assert_eq!(Pace::new(window, 1000).due(999), None);
    }
}
