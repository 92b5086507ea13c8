//! The two clocks of a run.
//!
//! Wall: the time-stamp counter mapped to Unix time once, at the start, and never corrected afterwards, so it never
//! steps or runs backwards (a read costs about 10 ns); `counter` measures its rate. Event: the time of the run is the `ts_ingress_ns` of the current
//! event, so the same recording gives the same journal, byte for byte, however fast it is played.
//!
//! Invariant: with `Event`, no reading of a real clock ever reaches the journal.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::counter::{Bracket, Rate};

/// Which clock a run goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Real time: live and paper trading.
    Wall,
    /// The time of the events: recordings and simulations in process.
    Event,
}

/// The time-stamp counter as Unix time. Copies agree with each other on all threads.
#[derive(Clone, Debug)]
pub struct WallClock {
    counter: quanta::Clock,
    rate: Rate,
    anchor_raw: u64,
    anchor_ns: i64,
}

impl WallClock {
    /// Measures the counter and takes the anchor. Takes up to 300 ms once a process.
    pub fn start() -> Self {
        let counter = quanta::Clock::new();
        let rate = Rate::measured(&counter);
        Self::anchored(counter, rate)
    }

    /// As `start`, for measuring short times only: within some ten millionths, and without the measuring.
    pub(crate) fn start_rough() -> Self {
        let counter = quanta::Clock::new();
        let rate = Rate::rough(&counter);
        Self::anchored(counter, rate)
    }

    fn anchored(counter: quanta::Clock, rate: Rate) -> Self {
        let anchor = Bracket::narrowest(|| {
            let before = counter.raw();
            let age = SystemTime::now().duration_since(UNIX_EPOCH);
            Bracket {
                before,
                ns: age.map_or(0, |age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX)),
                after: counter.raw(),
            }
        });
        Self {
            counter,
            rate,
            anchor_raw: anchor.tick(),
            anchor_ns: anchor.ns,
        }
    }

    /// ns since the Unix epoch.
    #[inline]
    pub fn now_ns(&self) -> i64 {
        // A core whose counter is some ticks behind reads the anchor itself at worst.
        let ticks = self.counter.raw().saturating_sub(self.anchor_raw);
        let elapsed_ns = self.rate.ns(ticks);
        self.anchor_ns.saturating_add_unsigned(elapsed_ns)
    }
}

/// The clock of one run on one thread: the run's own time and, always, real time for measuring.
#[derive(Clone, Debug)]
pub(crate) struct RunClock {
    choice: Clock,
    wall: WallClock,
    last_ns: i64,
}

impl RunClock {
    pub(crate) fn new(choice: Clock, wall: WallClock) -> Self {
        Self {
            choice,
            wall,
            last_ns: 0,
        }
    }

    pub(crate) const fn is_event_time(&self) -> bool {
        matches!(self.choice, Clock::Event)
    }

    /// Real time: for histograms and grace times, never for a journal of event time.
    #[inline]
    pub(crate) fn real_ns(&self) -> i64 {
        self.wall.now_ns()
    }

    /// Real time for a stamp in the journal: none in event time.
    #[inline]
    pub(crate) fn stamp_ns(&self) -> Option<i64> {
        match self.choice {
            Clock::Wall => Some(self.wall.now_ns()),
            Clock::Event => None,
        }
    }

    /// The present in the run's time, without moving it.
    #[inline]
    pub(crate) fn now_ns(&self) -> i64 {
        match self.choice {
            Clock::Wall => self.wall.now_ns().max(self.last_ns),
            Clock::Event => self.last_ns,
        }
    }

    /// Moves the run's time on to an event, given the real time of the moment; it never goes back.
    #[inline]
    pub(crate) fn advance(&mut self, real_ns: i64, ts_ingress_ns: i64) -> i64 {
        let candidate_ns = match self.choice {
            Clock::Wall => real_ns,
            Clock::Event => ts_ingress_ns,
        };
        self.last_ns = self.last_ns.max(candidate_ns);
        self.last_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wall_time_is_near_the_system_clock_and_never_falls() {
        let clock = WallClock::start();
        let mut last_ns = clock.now_ns();
        for _ in 0..100_000 {
            let now_ns = clock.now_ns();
            assert!(now_ns >= last_ns);
            last_ns = now_ns;
        }
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let difference_ns = unix.as_nanos() as i64 - clock.now_ns();
        assert!(
            difference_ns.abs() < 100_000_000,
            "off by {difference_ns} ns"
        );
    }

    #[test]
    fn event_time_follows_events_and_never_falls() {
        let mut clock = RunClock::new(Clock::Event, WallClock::start());
        assert_eq!(clock.now_ns(), 0);
        assert_eq!(clock.advance(999, 50), 50);
        assert_eq!(clock.advance(999, 40), 50);
        assert_eq!(clock.now_ns(), 50);
        assert_eq!(clock.stamp_ns(), None);
    }

    #[test]
    fn wall_time_gives_stamps() {
        let clock = RunClock::new(Clock::Wall, WallClock::start());
        let before_ns = clock.real_ns();
        assert!(clock.stamp_ns().unwrap() >= before_ns);
    }
}
