//! How fast the time-stamp counter runs, and what the system's clocks said at one of its ticks.
//!
//! Whoever reads two clocks one after the other may be interrupted in between, and is off by as much: 20 us over a fifth of a second
//! are 100 millionths, nine seconds a day. So the other clock is read between two readings of the counter, again and again, and the
//! narrowest pair counts.

use std::{
    sync::OnceLock,
    thread,
    time::{Duration, Instant},
};

/// Time between the two readings that the rate follows from: with brackets of 50 ns it is good for half a millionth.
const APART: Duration = Duration::from_millis(100);
/// How often a reading is tried.
const TRIES: usize = 64;
/// Bits behind the point of a rate.
const SHIFT: u32 = 40;

/// A clock, read between two readings of the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bracket {
    pub(crate) before: u64,
    pub(crate) ns: i64,
    pub(crate) after: u64,
}

impl Bracket {
    /// The narrowest of some tries.
    pub(crate) fn narrowest(mut read: impl FnMut() -> Self) -> Self {
        let mut best = read();
        for _ in 1..TRIES {
            let next = read();
            if next.width() < best.width() {
                best = next;
            }
        }
        best
    }

    /// The tick that the clock's time belongs to.
    pub(crate) const fn tick(&self) -> u64 {
        self.before + self.width() / 2
    }

    const fn width(&self) -> u64 {
        self.after.saturating_sub(self.before)
    }
}

/// ns a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(u64);

impl Rate {
    /// The rate that the counter's own library found in some milliseconds: good enough for measuring short times.
    pub(crate) fn rough(counter: &quanta::Clock) -> Self {
        // ns of 2^40 ticks.
        Self(counter.delta_as_nanos(0, 1 << SHIFT))
    }

    /// The counter against the system's steady clock, whose own rate follows the time servers. Takes a tenth of a second once a process.
    pub(crate) fn measured(counter: &quanta::Clock) -> Self {
        static MEASURED: OnceLock<Rate> = OnceLock::new();
        *MEASURED.get_or_init(|| {
            let start = Instant::now();
            let read = || {
                let before = counter.raw();
                let ns = i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX);
                Bracket {
                    before,
                    ns,
                    after: counter.raw(),
                }
            };
            let first = Bracket::narrowest(read);
            thread::sleep(APART);
            Self::between(first, Bracket::narrowest(read)).unwrap_or_else(|| Self::rough(counter))
        })
    }

    /// None when either clock stood still or ran backwards, or a rate that no counter has.
    fn between(first: Bracket, last: Bracket) -> Option<Self> {
        let ticks = last.tick().checked_sub(first.tick())?;
        let ns = u64::try_from(last.ns.checked_sub(first.ns)?).ok()?;
        let rate = (u128::from(ns) << SHIFT).checked_div(u128::from(ticks))?;
        let rate = u64::try_from(rate).ok()?;
        (rate > 0).then_some(Self(rate))
    }

    /// So many ticks in ns.
    #[inline]
    pub(crate) const fn ns(self, ticks: u64) -> u64 {
        ((ticks as u128 * self.0 as u128) >> SHIFT) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_reading_does_not_count() {
        // Every reading takes 40 ticks, but the sixth, whose clock was read 50,000 ticks late, and the ninth, which was not interrupted.
        let mut count = 0;
        let best = Bracket::narrowest(|| {
            count += 1;
            let before = 1000 * count;
            let (ns, width) = match count {
                6 => (50_000, 50_040),
                9 => (9, 30),
                _ => (i64::MAX, 40),
            };
            Bracket {
                before,
                ns,
                after: before + width,
            }
        });
        assert_eq!((best.ns, best.tick()), (9, 9015));
        assert_eq!(count, TRIES as u64);
    }

    #[test]
    fn a_rate_is_ns_over_ticks() {
        let at = |tick: u64, ns| Bracket {
            before: tick - 10,
            ns,
            after: tick + 10,
        };
        // 2.5 ticks a ns.
        let rate = Rate::between(at(1000, 5), at(250_001_000, 100_000_005)).unwrap();
        let day_ns = 86_400_000_000_000;
        let off_ns = rate.ns(day_ns / 2 * 5).abs_diff(day_ns);
        assert!(off_ns < 1_000_000, "{off_ns}");
        assert_eq!(Rate::between(at(1000, 5), at(1000, 9)), None);
        assert_eq!(Rate::between(at(1000, 5), at(900, 9)), None);
        assert_eq!(Rate::between(at(1000, 5), at(9000, 4)), None);
        assert_eq!(Rate::between(at(1000, 5), at(9000, 5)), None);
    }

    #[test]
    fn the_counter_keeps_up_with_the_steady_clock() {
        let counter = quanta::Clock::new();
        let rate = Rate::measured(&counter);
        let start = Instant::now();
        let read = || {
            let before = counter.raw();
            let ns = start.elapsed().as_nanos() as i64;
            Bracket {
                before,
                ns,
                after: counter.raw(),
            }
        };
        let first = Bracket::narrowest(read);
        thread::sleep(Duration::from_millis(300));
        let last = Bracket::narrowest(read);
        let off_ns = |rate: Rate| (last.ns - first.ns) - rate.ns(last.tick() - first.tick()) as i64;
        let library_ns = off_ns(Rate::rough(&counter));
        let off_ns = off_ns(rate);
        eprintln!("off by {off_ns} ns in 300 ms; the library's own rate by {library_ns} ns");
        // Ten millionths: several times what two brackets of a busy machine are off by.
        assert!(off_ns.abs() < 3000, "off by {off_ns} ns in 300 ms");
    }
}
