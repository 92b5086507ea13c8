//! What a source sees: a sink that adds timers, ends the run when its time is over, and passes events on.
//!
//! With `Clock::Event` the timer's events and the end come from the events' own times, before the event that passes
//! them: the same recording gives the same inputs. With `Clock::Wall` an event is filled in place in its slot, and timer
//! and end are looked at once a duty cycle.

use acth_core::{
    event::Event,
    port::{EventSink, Stopped},
};

use super::timer::Timer;
use crate::{clock::RunClock, config::EngineConfig, control::StopReason};

/// Where events go on to: a ring, or the core itself.
pub(super) trait Intake {
    /// Takes one event; `Stopped` when the run is past taking any.
    fn put_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped>;

    /// Asks for the orderly end of the run.
    fn request_stop(&mut self, reason: StopReason);
}

/// The sink that a source is given.
pub(super) struct Feed<I> {
    pub(super) intake: I,
    clock: RunClock,
    timer: Timer,
    duration_ns: Option<i64>,
    deadline_ns: Option<i64>,
    is_draining: bool,
    /// True once an event was refused: whatever the source answers then is no failure.
    pub(super) has_refused: bool,
}

impl<I: Intake> Feed<I> {
    pub(super) fn new(intake: I, clock: RunClock, config: &EngineConfig) -> Self {
        Self {
            intake,
            clock,
            timer: Timer::new(config.timer_interval_ns),
            duration_ns: config.duration_ns,
            deadline_ns: None,
            is_draining: false,
            has_refused: false,
        }
    }

    /// From now on there are no timers and no end: the source only gives what it owes.
    pub(super) fn start_draining(&mut self) {
        self.is_draining = true;
    }

    /// True when the run goes by its events' own times.
    pub(super) const fn is_event_time(&self) -> bool {
        self.clock.is_event_time()
    }

    /// Once a duty cycle: timer and end by wall time.
    #[inline]
    pub(super) fn tick(&mut self) -> Result<(), Stopped> {
        if self.clock.is_event_time() || self.is_draining {
            return Ok(());
        }
        let now_ns = self.clock.real_ns();
        self.pass_time(now_ns)
    }

    /// Emits what is due up to `now_ns`; `Stopped` when the run's time is over then.
    #[inline]
    fn pass_time(&mut self, now_ns: i64) -> Result<(), Stopped> {
        if let Some(duration_ns) = self.duration_ns {
            let deadline_ns = *self
                .deadline_ns
                .get_or_insert(now_ns.saturating_add(duration_ns));
            if now_ns >= deadline_ns {
                self.intake.request_stop(StopReason::DurationOver);
                self.has_refused = true;
                return Err(Stopped);
            }
        }
        match self.timer.due(now_ns) {
            Some(event) => self.put(&event),
            None => Ok(()),
        }
    }

    fn put(&mut self, event: &Event) -> Result<(), Stopped> {
        self.put_with(|slot| *slot = *event)
    }

    #[inline]
    fn put_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let outcome = self.intake.put_with(fill);
        self.has_refused |= outcome.is_err();
        outcome
    }
}

impl<I: Intake> EventSink for Feed<I> {
    #[inline]
    fn emit_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        if !self.clock.is_event_time() {
            return self.put_with(fill);
        }
        let mut event = Event::EMPTY;
        fill(&mut event);
        if !self.is_draining {
            let time_ns = event.ts_ingress_ns.max(self.clock.now_ns());
            self.pass_time(time_ns)?;
        }
        self.clock.advance(0, event.ts_ingress_ns);
        self.put(&event)
    }

    #[inline]
    fn now_ns(&self) -> i64 {
        self.clock.now_ns()
    }

    #[inline]
    fn stamp_ns(&self) -> Option<i64> {
        self.clock.stamp_ns()
    }
}
