//! The periodic timer, in the run's time.
//!
//! Due times lie on multiples of the interval since the Unix epoch. Whatever was missed is made up for by one firing at
//! the latest due time, never by a burst. With the same events it fires at the same places.

use acth_core::{
    event::{Event, EventKind, TimerFired, flags},
    instrument::InstrumentId,
};

#[derive(Clone, Debug)]
pub(super) struct Timer {
    interval_ns: i64,
    next_due_ns: Option<i64>,
    fired_count: u64,
}

impl Timer {
    /// A timer that starts with the first time it is shown; an interval of 0 or less never fires.
    pub(super) const fn new(interval_ns: i64) -> Self {
        Self {
            interval_ns,
            next_due_ns: None,
            fired_count: 0,
        }
    }

    /// The event to emit before anything of `now_ns`, if one is due.
    #[inline]
    pub(super) fn due(&mut self, now_ns: i64) -> Option<Event> {
        match self.next_due_ns {
            Some(next_due_ns) if now_ns < next_due_ns => None,
            _ => self.fire_or_start(now_ns),
        }
    }

    fn fire_or_start(&mut self, now_ns: i64) -> Option<Event> {
        if self.interval_ns <= 0 {
            self.next_due_ns = Some(i64::MAX);
            return None;
        }
        let latest_due_ns = now_ns - now_ns.rem_euclid(self.interval_ns);
        let is_first = self.next_due_ns.is_none();
        self.next_due_ns = Some(latest_due_ns.saturating_add(self.interval_ns));
        if is_first {
            return None;
        }
        self.fired_count += 1;
        let body = TimerFired {
            ts_due_ns: latest_due_ns,
            interval_ns: self.interval_ns,
            count: self.fired_count,
            reserved: [0; 2],
        };
        let event = Event::new(EventKind::TimerFired, InstrumentId(0))
            .at(0, latest_due_ns)
            .with_flags(flags::TS_MISSING)
            .with_body(&body);
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due_ns(timer: &mut Timer, now_ns: i64) -> Option<i64> {
        timer.due(now_ns).map(|event| event.ts_ingress_ns)
    }

    #[test]
    fn fires_on_the_grid_without_bursts() {
        let mut timer = Timer::new(100);
        assert_eq!(due_ns(&mut timer, 250), None);
        assert_eq!(due_ns(&mut timer, 299), None);
        assert_eq!(due_ns(&mut timer, 300), Some(300));
        assert_eq!(due_ns(&mut timer, 300), None);
        assert_eq!(due_ns(&mut timer, 955), Some(900));
        assert_eq!(due_ns(&mut timer, 999), None);
        assert_eq!(due_ns(&mut timer, 1001), Some(1000));
        assert_eq!(timer.fired_count, 3);
    }

    #[test]
    fn no_interval_never_fires() {
        let mut timer = Timer::new(0);
        assert!(
            [0, 5, i64::MAX - 1]
                .into_iter()
                .all(|now_ns| timer.due(now_ns).is_none())
        );
    }
}
