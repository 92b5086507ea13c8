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
        shared::{Phase, Shared},
    },
    ring::Producer,
    topology::INGRESS,
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

impl Intake for RingIntake<'_> {
    #[inline]
    fn put_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let shared = self.shared;
        let gives_up = || {
            shared.set_behind();
            shared.phase() == Phase::Done
        };
        self.ring
            .publish(&mut self.waiter, fill, gives_up)
            .map_err(|_| Stopped)
    }

    fn request_stop(&mut self, reason: StopReason) {
        self.shared.request_stop(reason);
    }
}

/// Runs until the phase is `Done`; failures go to `shared`.
pub(super) fn run<Src: EventSource>(
    feed: &mut Feed<RingIntake<'_>>,
    mut source: Src,
    shared: &Shared<'_>,
    mut waiter: Waiter,
) {
    let outcome = guarded(|| {
        trade(feed, &mut source, shared, &mut waiter);
        drain(feed, &mut source, shared, &mut waiter);
    });
    if let Err(message) = outcome {
        let error = EngineError::Panicked {
            thread: INGRESS,
            place: "source",
            message,
        };
        shared.fail(error, KillReason::ThreadPanicked);
    }
}

fn trade<Src: EventSource>(
    feed: &mut Feed<RingIntake<'_>>,
    source: &mut Src,
    shared: &Shared<'_>,
    waiter: &mut Waiter,
) {
    while shared.phase() == Phase::Running {
        // A refusal has asked for the end already, or the core is gone: the phase will change.
        if feed.has_refused || feed.tick().is_err() {
            return wait_for_phase(shared, waiter);
        }
        match source.poll(feed) {
            Ok(Progress::Busy) => waiter.reset(),
            Ok(Progress::Idle) => waiter.idle(),
            Ok(Progress::Ended) => {
                shared.request_stop(StopReason::SourceEnded);
                return wait_for_phase(shared, waiter);
            }
            Err(error) => {
                if !feed.has_refused {
                    shared.fail(EngineError::Source(error), KillReason::SourceFailed);
                }
                return wait_for_phase(shared, waiter);
            }
        }
    }
}

fn wait_for_phase(shared: &Shared<'_>, waiter: &mut Waiter) {
    while shared.phase() == Phase::Running {
        waiter.idle();
    }
}

fn drain<Src: EventSource>(
    feed: &mut Feed<RingIntake<'_>>,
    source: &mut Src,
    shared: &Shared<'_>,
    waiter: &mut Waiter,
) {
    feed.start_draining();
    while shared.phase() == Phase::Draining {
        let requested = shared.drain_requested();
        match source.drain(feed) {
            Ok(Progress::Busy) => waiter.reset(),
            Ok(Progress::Idle) => waiter.idle(),
            Ok(Progress::Ended) => {
                shared.confirm_drain(requested);
                waiter.idle();
            }
            Err(error) => {
                shared.fail(EngineError::Source(error), KillReason::SourceFailed);
                return;
            }
        }
    }
}
