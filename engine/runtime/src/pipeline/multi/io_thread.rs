//! The thread of the dual mode that does both edges: it polls the source and, between two looks at it, hands over commands.
//!
//! Whatever would wait elsewhere goes on with the other edge here: while the ingress ring is full commands still leave, and
//! a command that waits for durability is held back while the source is read. So neither edge can stop the core's other one.

use std::{collections::VecDeque, convert::Infallible};

use acth_core::{
    decision::Outbound,
    event::Event,
    port::{CommandSink, EventSource, Stopped},
};

use super::{
    desk::Desk,
    ingress_thread::{self, Duty, RingIntake},
};
use crate::{
    control::{KillReason, StopReason},
    error::EngineError,
    pipeline::{
        BATCH,
        egress_stage::EgressStage,
        feed::{Feed, Intake},
        guarded,
        shared::{Phase, Shared},
    },
    ring::{Consumer, Producer, Taken},
    topology::IO,
    wait::Waiter,
};

/// The egress edge, polled.
pub(super) struct EgressDuty<'a, Snk> {
    pub(super) stage: EgressStage<'a, Snk>,
    /// `None` once the core sends no more, or the sink has panicked.
    rings: Option<Rings>,
    /// Commands that wait for durability, in order; never more than the ring holds.
    held: VecDeque<Outbound>,
    held_max: usize,
    shared: &'a Shared<'a>,
    report_waiter: Waiter,
}

struct Rings {
    commands: Consumer<Outbound>,
    reports: Producer<Event>,
}

impl<'a, Snk: CommandSink> EgressDuty<'a, Snk> {
    pub(super) fn new(
        stage: EgressStage<'a, Snk>,
        commands: Consumer<Outbound>,
        reports: Producer<Event>,
        held_max: usize,
        shared: &'a Shared<'a>,
        report_waiter: Waiter,
    ) -> Self {
        Self {
            stage,
            rings: Some(Rings { commands, reports }),
            held: VecDeque::with_capacity(held_max),
            held_max,
            shared,
            report_waiter,
        }
    }

    /// Hands over what may leave now. True when there was anything. A panic of the sink ends this edge, not the thread.
    #[inline]
    fn cycle(&mut self) -> bool {
        if self.rings.is_none() {
            return false;
        }
        guarded(|| self.pump()).unwrap_or_else(|message| {
            self.rings = None;
            let error = EngineError::Panicked {
                thread: IO,
                place: "egress",
                message,
            };
            self.shared.fail(error, KillReason::ThreadPanicked);
            true
        })
    }

    fn pump(&mut self) -> bool {
        let Self {
            stage,
            rings,
            held,
            held_max,
            shared,
            report_waiter,
        } = self;
        let Some(Rings { commands, reports }) = rings else {
            return false;
        };
        let mut desk = Desk {
            stage,
            reports,
            waiter: report_waiter,
            shared,
        };
        let mut is_busy = desk.stage.cancel_all_if_killed();
        while let Some(outbound) = held.front()
            && desk.stage.is_ready(outbound)
        {
            let outbound = *outbound;
            held.pop_front();
            desk.handle(&outbound);
            is_busy = true;
        }
        let room = BATCH.min((*held_max - held.len()) as u64);
        if room == 0 {
            desk.flush();
            return is_busy;
        }
        let taken = commands.take(room, |outbound, _| {
            if held.is_empty() && desk.stage.is_ready(outbound) {
                desk.handle(outbound);
            } else {
                desk.stage.ask_for(outbound);
                held.push_back(*outbound);
            }
            Ok::<(), Infallible>(())
        });
        desk.flush();
        match taken {
            Ok(Taken::Items(_)) => is_busy = true,
            Ok(Taken::Empty) => {}
            Ok(Taken::Ended) if held.is_empty() => *rings = None,
            Ok(Taken::Ended) => {}
            Err(never) => match never {},
        }
        is_busy
    }
}

/// The ingress ring as the feed sees it, with the other edge beside it.
pub(super) struct IoIntake<'a, Snk> {
    ring: RingIntake<'a>,
    pub(super) egress: EgressDuty<'a, Snk>,
}

impl<'a, Snk> IoIntake<'a, Snk> {
    pub(super) const fn new(ring: RingIntake<'a>, egress: EgressDuty<'a, Snk>) -> Self {
        Self { ring, egress }
    }
}

impl<Snk: CommandSink> Intake for IoIntake<'_, Snk> {
    #[inline]
    fn put_with(&mut self, fill: impl FnOnce(&mut Event)) -> Result<(), Stopped> {
        let egress = &mut self.egress;
        self.ring.put_while(fill, || {
            egress.cycle();
        })
    }

    fn request_stop(&mut self, reason: StopReason) {
        self.ring.request_stop(reason);
    }
}

impl<Snk: CommandSink> Duty for IoIntake<'_, Snk> {
    #[inline]
    fn duty(&mut self) -> bool {
        self.egress.cycle()
    }
}

/// Runs until the phase is `Done` and the core has dropped its end of the command ring; failures go to `shared`.
pub(super) fn run<Src: EventSource, Snk: CommandSink>(
    feed: &mut Feed<IoIntake<'_, Snk>>,
    source: Src,
    shared: &Shared<'_>,
    mut waiter: Waiter,
) {
    ingress_thread::run(feed, source, shared, waiter.clone(), IO);
    while feed.intake.egress.rings.is_some() {
        if feed.intake.duty() {
            waiter.reset();
        } else {
            waiter.idle();
        }
    }
    debug_assert!(shared.phase() != Phase::Running);
}
