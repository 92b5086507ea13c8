//! Egress where rings lie around it: commands go through the stage, one report of each into the ring back to the core.

use acth_core::{decision::Outbound, event::Event, port::CommandSink};

use crate::{
    control::KillReason,
    error::EngineError,
    pipeline::{egress_stage::EgressStage, shared::Shared},
    ring::Producer,
    wait::Waiter,
};

/// The stage and the way back.
pub(super) struct Desk<'d, 's, 'a, Snk> {
    pub(super) stage: &'d mut EgressStage<'a, Snk>,
    pub(super) reports: &'d mut Producer<Event>,
    pub(super) waiter: &'d mut Waiter,
    pub(super) shared: &'d Shared<'s>,
}

impl<Snk: CommandSink> Desk<'_, '_, '_, Snk> {
    /// One command; it has left when `flush` returns, at the latest.
    #[inline]
    pub(super) fn handle(&mut self, outbound: &Outbound) {
        let (report, error) = self.stage.handle(outbound);
        if let Some(error) = error {
            self.shared
                .fail(EngineError::Sink(error), KillReason::SinkFailed);
        }
        if report.is_some() || self.stage.is_full() {
            self.flush();
        }
        // Behind those of the commands before it.
        if let Some(report) = report {
            publish(self.reports, self.waiter, report);
        }
    }

    /// Lets leave what the sink took.
    #[inline]
    pub(super) fn flush(&mut self) {
        let Self {
            stage,
            reports,
            waiter,
            shared,
        } = self;
        if let Some(error) = stage.flush(|report| publish(reports, waiter, report)) {
            shared.fail(EngineError::Sink(error), KillReason::SinkFailed);
        }
    }
}

/// A core that is gone reads no reports; cancels still go out.
fn publish(reports: &mut Producer<Event>, waiter: &mut Waiter, report: Event) {
    let _ = reports.publish(waiter, |slot| *slot = report, || false);
}
