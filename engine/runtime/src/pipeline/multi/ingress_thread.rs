//! The ingress thread: polls the source, keeps the timer, fills the ingress ring in place.

use acth_core::{
    event::Event,
    port::{EventSource, Progress, Stopped},
};

use crate::{
    control::{KillReason, StopReason},
    error::EngineError,
    pipeline::{
        feed::{Feed, Intake},
        guarded,
        rarely::Rarely,
        shared::{Phase, Shared},
    },
    ring::Producer,
    wait::Waiter,
};

/// The ingress ring as the feed sees it.
pub(super) struct RingIntake<'a> {
    ring: Producer<Event>,
    shared: &'a Shared<'a>,
    waiter: Waiter,
}

impl<'a> RingIntake<'a> {
    pub(super) fn new(ring: Producer<Event>, shared: &'a Shared<'a>, waiter: Waiter) -> Self {
        Self {
            ring,
            shared,
            waiter,
        }
    }
}

/// What a thread does between two looks at its source.
pub(super) trait Duty: Intake {
    /// True when there was anything to do.
    #[inline]
    fn duty(&mut self) -> bool {
        false
    }
}

impl Duty for RingIntake<'_> {}

impl RingIntake<'_> {
    /// As `put_with`; calls `meanwhile` again and again while the ring is full.
    #[inline]
    pub(super) fn put_while(
        &mut self,
        fill: impl FnOnce(&mut Event),
        mut meanwhile: impl FnMut(),
    ) -> Result<(), Stopped> {
        let shared = self.shared;
        let gives_up = || {
            shared.set_behind();
            meanwhile();
            shared.phase() == Phase::Done
        };
        self.ring
            .publish(&mut self.waiter, fill, gives_up)
            .map_err(|_| Stopped)
    }
}

impl Intake for RingIntake<'_> {
    #[inline]
    fn put_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        self.put_while(fill, || {})
    }

    fn request_stop(&mut self, reason: StopReason) {
        self.shared.request_stop(reason);
    }
}

/// Runs until the phase is `Done`; failures go to `shared`.
pub(super) fn run<I: Duty, Src: EventSource>(
    feed: &mut Feed<I>,
    mut source: Src,
    shared: &Shared<'_>,
    mut waiter: Waiter,
    thread: &'static str,
) {
    let outcome = guarded(|| {
        trade(feed, &mut source, shared, &mut waiter);
        drain(feed, &mut source, shared, &mut waiter);
    });
    if let Err(message) = outcome {
        let error = EngineError::Panicked {
            thread,
            place: "source",
            message,
        };
        shared.fail(error, KillReason::ThreadPanicked);
    }
}

fn trade<I: Duty, Src: EventSource>(
    feed: &mut Feed<I>,
    source: &mut Src,
    shared: &Shared<'_>,
    waiter: &mut Waiter,
) {
    let mut rarely = Rarely::new(waiter, feed.is_event_time());
    while shared.phase() == Phase::Running {
        // A refusal has asked for the end already, or the core is gone: the phase will change.
        if feed.has_refused || (rarely.is_due() && feed.tick().is_err()) {
            return wait_for_phase(feed, shared, waiter);
        }
        match source.poll(feed) {
            Ok(Progress::Busy) => {
                feed.intake.duty();
                waiter.reset();
            }
            Ok(Progress::Idle) => rest(feed, waiter),
            Ok(Progress::Ended) => {
                shared.request_stop(StopReason::SourceEnded);
                return wait_for_phase(feed, shared, waiter);
            }
            Err(error) => {
                if !feed.has_refused {
                    shared.fail(EngineError::Source(error), KillReason::SourceFailed);
                }
                return wait_for_phase(feed, shared, waiter);
            }
        }
    }
}

fn wait_for_phase<I: Duty>(feed: &mut Feed<I>, shared: &Shared<'_>, waiter: &mut Waiter) {
    while shared.phase() == Phase::Running {
        rest(feed, waiter);
    }
}

/// Nothing came from the source: the other duty, or a wait.
#[inline]
fn rest<I: Duty>(feed: &mut Feed<I>, waiter: &mut Waiter) {
    if feed.intake.duty() {
        waiter.reset();
    } else {
        waiter.idle();
    }
}

fn drain<I: Duty, Src: EventSource>(
    feed: &mut Feed<I>,
    source: &mut Src,
    shared: &Shared<'_>,
    waiter: &mut Waiter,
) {
    feed.start_draining();
    while shared.phase() == Phase::Draining {
        let requested = shared.drain_requested();
        match source.drain(feed) {
            Ok(Progress::Busy) => {
                feed.intake.duty();
                waiter.reset();
            }
            Ok(Progress::Idle) => rest(feed, waiter),
            Ok(Progress::Ended) => {
                shared.confirm_drain(requested);
                rest(feed, waiter);
            }
            Err(error) => {
                shared.fail(EngineError::Source(error), KillReason::SourceFailed);
                return;
            }
        }
    }
}
