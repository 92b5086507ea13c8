//! What the machine takes away: the gaps that one spinning thread sees while nothing of ours runs.
//!
//! A gap is time in which the thread did not run: interrupts, other programs, the host. No figure of a scenario can be
//! better in its tail than this.

use acth_engine::clock::WallClock;
use serde::Serialize;

/// Gaps longer than this count.
const GAP_NS: i64 = 10_000;

/// Gaps seen over all idle windows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Hiccups {
    watched_ns: i64,
    over_count: u64,
    max_ns: i64,
}

/// The same in numbers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct HiccupNumbers {
    /// The longest gap.
    pub(crate) max: i64,
    /// Gaps longer than 10 us, a second.
    pub(crate) over_10us_per_second: f64,
}

impl Hiccups {
    /// Spins for `length_ns` and keeps the gaps.
    pub(crate) fn watch(&mut self, clock: &WallClock, length_ns: i64) {
        let start_ns = clock.now_ns();
        let mut last_ns = start_ns;
        while last_ns - start_ns < length_ns {
            let now_ns = clock.now_ns();
            let gap_ns = now_ns - last_ns;
            self.max_ns = self.max_ns.max(gap_ns);
            self.over_count += u64::from(gap_ns > GAP_NS);
            last_ns = now_ns;
        }
        self.watched_ns += last_ns - start_ns;
    }

    /// What was seen.
    pub(crate) fn numbers(&self) -> HiccupNumbers {
        let seconds = self.watched_ns.max(1) as f64 / 1e9;
        HiccupNumbers {
            max: self.max_ns,
            over_10us_per_second: (self.over_count as f64 / seconds * 10.0).round() / 10.0,
        }
    }
}
