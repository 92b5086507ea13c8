//! Intended start times: an even grid from the start of a window, or recorded arrivals, whatever happened to the events
//! before.

/// Events that one look sends at most, so that returning ones are seen in between.
pub(crate) const BURST_MAX: usize = 64;
/// Part of a window that is not recorded: caches, predictors and page tables warm up then.
const WARM_UP_PARTS: i64 = 10;
/// A window that cannot keep its rate is given up after this multiple of its length, plus `GRACE_NS`.
const OVERTIME_FACTOR: i64 = 3;
/// Time that even the shortest window is given beyond its length.
const GRACE_NS: i64 = 500_000_000;

/// When events are due within a window.
#[derive(Clone, Copy, Debug)]
enum Grid {
    /// So many a second, evenly.
    Even { rate_per_second: u64 },
    /// At these distances from the start of the window, in ns.
    Recorded(&'static [i64]),
}

/// One window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    grid: Grid,
    /// Its length.
    pub(crate) length_ns: i64,
}

/// The grid of one window, and how far it is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    window: Window,
    start_ns: i64,
    event_count: u64,
    sent_count: u64,
    /// Intended start of the next event, kept: working it out takes as long as a hand-over.
    next_ns: i64,
}

impl Window {
    /// So many events a second for so long.
    pub(crate) const fn even(rate_per_second: u64, length_ns: i64) -> Self {
        Self {
            grid: Grid::Even { rate_per_second },
            length_ns,
        }
    }

    /// Events at these distances from its start, in order; at least one.
    pub(crate) const fn recorded(offsets_ns: &'static [i64], length_ns: i64) -> Self {
        Self {
            grid: Grid::Recorded(offsets_ns),
            length_ns,
        }
    }

    /// The same window with no more events a second than this.
    pub(crate) const fn at_most(self, rate_max: u64) -> Self {
        match self.grid {
            Grid::Even { rate_per_second } if rate_per_second > rate_max => {
                Self::even(rate_max, self.length_ns)
            }
            _ => self,
        }
    }

    /// How many events belong to it; at least one.
    #[inline]
    pub(crate) fn event_count(&self) -> u64 {
        match self.grid {
            Grid::Even { rate_per_second } => {
                let exact = u128::from(self.length_ns.unsigned_abs()) * u128::from(rate_per_second);
                let whole = u64::try_from(exact / 1_000_000_000);
                whole.unwrap_or(u64::MAX).max(1)
            }
            Grid::Recorded(offsets_ns) => offsets_ns.len() as u64,
        }
    }

    /// Intended start of event `index`, from the start of the window.
    #[inline]
    fn offset_ns(&self, index: u64) -> i64 {
        match self.grid {
            Grid::Even { rate_per_second } => {
                let exact = u128::from(index) * 1_000_000_000 / u128::from(rate_per_second);
                i64::try_from(exact).unwrap_or(i64::MAX)
            }
            Grid::Recorded(offsets_ns) => offsets_ns.get(index as usize).copied().unwrap_or(0),
        }
    }
}

impl Pace {
    /// A window that begins at `start_ns`.
    pub(crate) fn new(window: Window, start_ns: i64) -> Self {
        Self {
            window,
            start_ns,
            event_count: window.event_count(),
            sent_count: 0,
            next_ns: start_ns.saturating_add(window.offset_ns(0)),
        }
    }

    /// The intended start of the next event, if it is due and belongs to the window.
    #[inline]
    pub(crate) fn due(&self, now_ns: i64) -> Option<i64> {
        (self.next_ns <= now_ns && !self.is_done()).then_some(self.next_ns)
    }

    /// The next event was sent.
    #[inline]
    pub(crate) fn advance(&mut self) {
        self.sent_count += 1;
        self.next_ns = self
            .start_ns
            .saturating_add(self.window.offset_ns(self.sent_count));
    }

    /// True when every event of the window was sent.
    #[inline]
    pub(crate) const fn is_done(&self) -> bool {
        self.sent_count >= self.event_count
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_events_keep_their_intended_start() {
        let window = Window::even(3, 1_000_000_000);
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

    #[test]
    fn recorded_arrivals_keep_their_distances() {
        let window = Window::recorded(&[0, 5, 5, 900], 1000);
        assert_eq!(window.event_count(), 4);
        let mut pace = Pace::new(window, 100);
        let mut intended = Vec::new();
        while let Some(intended_ns) = pace.due(105) {
            intended.push(intended_ns);
            pace.advance();
        }
        assert_eq!(intended, [100, 105, 105]);
        assert!(!pace.is_done());
    }
}
