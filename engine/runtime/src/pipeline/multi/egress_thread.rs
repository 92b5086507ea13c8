//! The egress thread: takes commands, passes them through the last gate, reports what became of each.

use std::convert::Infallible;

use acth_core::{decision::Outbound, event::Event, port::CommandSink};

use crate::{
    control::KillReason,
    error::EngineError,
    pipeline::{BATCH, egress_stage::EgressStage, guarded, multi::desk::Desk, shared::Shared},
    ring::{Consumer, Producer, Taken},
    topology::EGRESS,
    wait::Waiter,
};

/// Runs until the core has dropped its end of the command ring and everything in it is handled; failures go to `shared`.
pub(super) fn run<Snk: CommandSink>(
    stage: &mut EgressStage<'_, Snk>,
    commands: Consumer<Outbound>,
    reports: Producer<Event>,
    shared: &Shared<'_>,
    waiter: Waiter,
) {
    if let Err(message) = guarded(|| pump(stage, commands, reports, shared, waiter)) {
        let error = EngineError::Panicked {
            thread: EGRESS,
            place: "egress",
            message,
        };
        shared.fail(error, KillReason::ThreadPanicked);
    }
}

fn pump<Snk: CommandSink>(
    stage: &mut EgressStage<'_, Snk>,
    mut commands: Consumer<Outbound>,
    mut reports: Producer<Event>,
    shared: &Shared<'_>,
    mut waiter: Waiter,
) {
    let mut durable_waiter = waiter.clone();
    let mut report_waiter = waiter.clone();
    let mut desk = Desk {
        stage,
        reports: &mut reports,
        waiter: &mut report_waiter,
        shared,
    };
    loop {
        desk.stage.cancel_all_if_killed();
        let taken = commands.take(BATCH, |outbound, _| {
            if !desk.stage.is_ready(outbound) {
                desk.flush();
                wait_until_durable(desk.stage, outbound, &mut durable_waiter);
            }
            desk.handle(outbound);
            Ok::<(), Infallible>(())
        });
        desk.flush();
        match taken {
            Ok(Taken::Items(_)) => waiter.reset(),
            Ok(Taken::Empty) => waiter.idle(),
            Ok(Taken::Ended) => return,
            Err(never) => match never {},
        }
    }
}

/// In the gated mode: waits until the command's decision is on stable storage, or until waiting is over. The wait ends with the
/// journal's failure or the kill flag, at the latest.
fn wait_until_durable<Snk: CommandSink>(
    stage: &mut EgressStage<'_, Snk>,
    outbound: &Outbound,
    waiter: &mut Waiter,
) {
    stage.ask_for(outbound);
    while !stage.is_ready(outbound) {
        stage.cancel_all_if_killed();
        waiter.idle();
    }
    waiter.reset();
}
