//! What the machine takes away: the gaps that one spinning thread sees while nothing of ours runs.
//!
//! A gap is time in which the thread did not run: interrupts, other programs, the host. No figure of a scenario can be
//! better in its tail than this. Told as what an open loop would meet: of events that are due every microsecond, how long does each wait for the
//! thread? In a gap of 1 ms the first one waits 1 ms, the next 999 us, and so on.

use acth_engine::clock::WallClock;
use serde::Serialize;

use crate::{
    Failure,
    record::{Numbers, Record},
};

/// Gaps longer than this are told as a rate.
const GAP_NS: i64 = 10_000;
/// Distance of the imagined events.
const EVENT_EVERY_NS: i64 = 1000;

/// Gaps seen over all idle windows.
#[derive(Debug)]
pub(crate) struct Hiccups {
    record: Record,
    watched_ns: i64,
    over_count: u64,
}

/// The same in numbers.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct HiccupNumbers {
    /// How long an event at any moment would have waited for the thread.
    #[serde(flatten)]
    pub(crate) wait: Numbers,
    /// Gaps longer than 10 us, a second.
    pub(crate) over_10us_per_second: f64,
}

impl Hiccups {
    /// None seen yet.
    ///
    /// # Errors
    /// As `Record::new`.
    pub(crate) fn new() -> Result<Self, Failure> {
        Ok(Self {
            record: Record::new()?,
            watched_ns: 0,
            over_count: 0,
        })
    }

    /// Spins for `length_ns` and keeps the gaps.
    pub(crate) fn watch(&mut self, clock: &WallClock, length_ns: i64) {
        let start_ns = clock.now_ns();
        let (mut last_ns, mut due_ns) = (start_ns, start_ns);
        while last_ns - start_ns < length_ns {
            let now_ns = clock.now_ns();
            self.over_count += u64::from(now_ns - last_ns > GAP_NS);
            while due_ns <= now_ns {
                self.record.add_batch(now_ns - due_ns, 1);
                due_ns += EVENT_EVERY_NS;
            }
            last_ns = now_ns;
        }
        self.watched_ns += last_ns - start_ns;
    }

    /// What was seen.
    pub(crate) fn numbers(&self) -> HiccupNumbers {
        let seconds = self.watched_ns.max(1) as f64 / 1e9;
        HiccupNumbers {
            wait: self.record.numbers(),
            over_10us_per_second: (self.over_count as f64 / seconds * 10.0).round() / 10.0,
        }
    }

    /// All gaps, for a file.
    pub(crate) const fn record(&self) -> &Record {
        &self.record
    }
}
