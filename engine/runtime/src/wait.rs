//! How an idle thread waits.
//!
//! Spinning answers fastest and uses up its core; on a machine with fewer cores than busy threads it starves the very
//! thread it waits for. `WaitChoice::Auto` counts cores and says in one sentence what it chose.

use std::{hint, thread, time::Duration};

use serde::{Deserialize, Serialize};

/// How an idle thread waits for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitStrategy {
    /// Looks again at once: for isolated cores.
    Spin,
    /// Looks again after a pause instruction, which leaves a sibling hyperthread some room.
    SpinHint,
    /// Gives its time slice away between looks.
    Yield,
    /// Looks a little, gives its slice away a little, then sleeps for tens of microseconds.
    Park,
}

impl WaitStrategy {
    /// The name used in logs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spin => "spin",
            Self::SpinHint => "spin-hint",
            Self::Yield => "yield",
            Self::Park => "park",
        }
    }
}

/// A wait strategy, or the wish to have one chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitChoice {
    /// By the number of free cores.
    Auto,
    /// This one, whatever the machine.
    Fixed(WaitStrategy),
}

impl WaitChoice {
    /// The strategy for `busy_threads` on `cores`, and the sentence that explains it.
    pub fn resolve(self, cores: usize, busy_threads: usize) -> (WaitStrategy, String) {
        let strategy = match self {
            Self::Fixed(strategy) => strategy,
            Self::Auto if cores > busy_threads => WaitStrategy::SpinHint,
            Self::Auto if cores == busy_threads => WaitStrategy::Yield,
            Self::Auto => WaitStrategy::Park,
        };
        let by = match self {
            Self::Fixed(_) => "as configured",
            Self::Auto => "chosen by the number of cores",
        };
        let sentence = format!(
            "Idle threads wait by {}, {by}: {busy_threads} busy threads, {cores} cores.",
            strategy.name()
        );
        (strategy, sentence)
    }
}

/// Looks without a pause before `Park` gives its slice away.
const PARK_SPINS: u32 = 64;
/// Looks with a given-away slice before `Park` sleeps.
const PARK_YIELDS: u32 = 64;
/// One sleep of `Park`; the kernel adds about as much again.
const PARK_SLEEP: Duration = Duration::from_micros(50);

/// The waiting of one thread: counts its idle looks in a row.
#[derive(Clone, Debug)]
pub struct Waiter {
    strategy: WaitStrategy,
    idle_count: u32,
}

impl Waiter {
    /// A waiter that has just been busy.
    pub const fn new(strategy: WaitStrategy) -> Self {
        Self {
            strategy,
            idle_count: 0,
        }
    }

    /// True for a strategy that never gives the core away.
    pub(crate) const fn spins(&self) -> bool {
        matches!(self.strategy, WaitStrategy::Spin | WaitStrategy::SpinHint)
    }

    /// Work was found.
    #[inline]
    pub fn reset(&mut self) {
        self.idle_count = 0;
    }

    /// No work was found: waits as the strategy says.
    #[inline]
    pub fn idle(&mut self) {
        match self.strategy {
            WaitStrategy::Spin => {}
            WaitStrategy::SpinHint => hint::spin_loop(),
            WaitStrategy::Yield => thread::yield_now(),
            WaitStrategy::Park => self.park(),
        }
    }

    fn park(&mut self) {
        self.idle_count = self.idle_count.saturating_add(1);
        if self.idle_count <= PARK_SPINS {
            hint::spin_loop();
        } else if self.idle_count <= PARK_SPINS + PARK_YIELDS {
            thread::yield_now();
        } else {
            thread::sleep(PARK_SLEEP);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auto_never_starves_itself() {
        let strategy = |cores, threads| WaitChoice::Auto.resolve(cores, threads).0;
        assert_eq!(strategy(4, 3), WaitStrategy::SpinHint);
        assert_eq!(strategy(3, 3), WaitStrategy::Yield);
        assert_eq!(strategy(2, 3), WaitStrategy::Park);
        assert_eq!(strategy(2, 1), WaitStrategy::SpinHint);
        assert_eq!(strategy(1, 1), WaitStrategy::Yield);
        let fixed = WaitChoice::Fixed(WaitStrategy::Spin).resolve(1, 3);
        assert_eq!(fixed.0, WaitStrategy::Spin);
        assert!(fixed.1.contains("as configured"));
    }

    #[test]
    fn every_strategy_returns() {
        for strategy in [
            WaitStrategy::Spin,
            WaitStrategy::SpinHint,
            WaitStrategy::Yield,
            WaitStrategy::Park,
        ] {
            let mut waiter = Waiter::new(strategy);
            for _ in 0..(PARK_SPINS + PARK_YIELDS + 3) {
                waiter.idle();
            }
            waiter.reset();
            assert_eq!(waiter.idle_count, 0);
        }
    }
}
