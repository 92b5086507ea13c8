//! The egress thread: takes commands, passes them through the last gate, reports what became of each.

use std::convert::Infallible;

use acth_core::{decision::Outbound, event::Event, port::CommandSink};

use crate::{
    control::KillReason,
    error::EngineError,
    pipeline::{BATCH, egress_stage::EgressStage, guarded, shared::Shared},
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
    let mut report_waiter = waiter.clone();
    let mut durable_waiter = waiter.clone();
    loop {
        stage.cancel_all_if_killed();
        let taken = commands.take(BATCH, |outbound, _| {
            wait_until_durable(stage, outbound, &mut durable_waiter);
            let (report, error) = stage.handle(outbound);
            if let Some(error) = error {
                shared.fail(EngineError::Sink(error), KillReason::SinkFailed);
            }
            // A core that is gone reads no reports; cancels still go out.
            let _ = reports.publish(&mut report_waiter, |slot| *slot = report, || false);
            Ok::<(), Infallible>(())
        });
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
    if stage.is_ready(outbound) {
        return;
    }
    stage.ask_for(outbound);
    while !stage.is_ready(outbound) {
        stage.cancel_all_if_killed();
        waiter.idle();
    }
    waiter.reset();
}
