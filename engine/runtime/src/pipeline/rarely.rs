//! How often a spinning loop looks at what seldom changes.
//!
//! Control, signals, the journal's health and the clock's timers cost a loop about as much as a look at its ring, and an
//! event that arrives meanwhile waits. A loop that spins passes in tens of nanoseconds, so every so many passes are soon
//! enough; one that gives its time slice away or sleeps looks every time.

use crate::wait::Waiter;

/// Passes of a spinning loop between two looks: some microseconds at most while idle.
const PASSES: u32 = 16;

/// Counts passes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rarely {
    every: u32,
    passed: u32,
}

impl Rarely {
    /// For a loop that waits by `waiter`. In event time every pass looks: what is seen must not depend on counting.
    pub(super) const fn new(waiter: &Waiter, is_event_time: bool) -> Self {
        let every = if waiter.spins() && !is_event_time {
            PASSES
        } else {
            1
        };
        // The first pass looks.
        Self {
            every,
            passed: every,
        }
    }

    /// The next pass looks: something has just changed.
    pub(super) const fn soon(&mut self) {
        self.passed = self.every;
    }

    /// Counts one pass; true when it should look.
    #[inline]
    pub(super) const fn is_due(&mut self) -> bool {
        self.passed += 1;
        let is_due = self.passed >= self.every;
        if is_due {
            self.passed = 0;
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::WaitStrategy;

    #[test]
    fn only_a_spinning_loop_in_wall_time_skips_looks() {
        let looks = |strategy, is_event_time| {
            let mut rarely = Rarely::new(&Waiter::new(strategy), is_event_time);
            (0..160).filter(|_| rarely.is_due()).count()
        };
        assert_eq!(looks(WaitStrategy::Spin, false), 10);
        assert_eq!(looks(WaitStrategy::SpinHint, false), 10);
        assert_eq!(looks(WaitStrategy::SpinHint, true), 160);
        assert_eq!(looks(WaitStrategy::Yield, false), 160);
        assert_eq!(looks(WaitStrategy::Park, false), 160);
    }
}
