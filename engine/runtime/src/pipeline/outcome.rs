//! What a run came to.

use crate::{
    control::StopReason, journal::JournalEnd, latency::Latency, monitor::Progress,
    topology::Topology,
};

/// What a run came to. The journal is sealed.
#[derive(Debug)]
pub struct RunOutcome<M> {
    /// The machine after its last input.
    pub machine: M,
    /// Inputs applied.
    pub events: u64,
    /// Decisions journaled.
    pub decisions: u64,
    /// Orders decided.
    pub orders: u64,
    /// Orders that the risk gate refused.
    pub denials: u64,
    /// Fills applied.
    pub fills: u64,
    /// Commands that egress held back or could not send.
    pub withheld: u64,
    /// Fold over the sequence and bytes of every decision.
    pub decision_hash: u64,
    /// The machine's own hash after its last input.
    pub state_hash: u64,
    /// Sequence of the last frame.
    pub last_sequence: u64,
    /// What the journal was when it was closed.
    pub journal: JournalEnd,
    /// By stage.
    pub latency: Latency,
    /// Sentences for whoever reads the summary.
    pub warnings: Vec<String>,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// Its threads.
    pub topology: Topology,
}

/// What the threads of a run leave behind.
pub(super) struct Remains<M> {
    pub(super) machine: M,
    pub(super) journal_end: JournalEnd,
    pub(super) progress: Progress,
    pub(super) withheld: u64,
    pub(super) decision_hash: u64,
    pub(super) latency: Latency,
}

impl<M: crate::machine::Machine> Remains<M> {
    pub(super) fn into_outcome(
        self,
        stop_reason: StopReason,
        warnings: Vec<String>,
        topology: Topology,
    ) -> RunOutcome<M> {
        RunOutcome {
            state_hash: self.machine.state_hash(),
            machine: self.machine,
            events: self.progress.events,
            decisions: self.progress.decisions,
            orders: self.progress.orders,
            denials: self.progress.denials,
            fills: self.progress.fills,
            withheld: self.withheld,
            decision_hash: self.decision_hash,
            last_sequence: self.progress.last_sequence,
            journal: self.journal_end,
            latency: self.latency,
            warnings,
            stop_reason,
            topology,
        }
    }
}
