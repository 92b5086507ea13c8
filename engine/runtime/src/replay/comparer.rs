//! Compares decisions with decisions, byte for byte, and names the first that differs.

use acth_core::{
    decision::{DECISIONS_PER_INPUT_MAX, Decision},
    hash::StateHasher,
};
use zerocopy::IntoBytes;

use super::{Divergence, ReplayError};
use crate::{pipeline::fold_decision, resume::Unfinished};

/// What the player tells, in the order of the journal: to the comparer itself, or into a ring on the way to it.
pub(super) trait Findings {
    /// An input was applied: what came before is complete.
    fn input(&mut self, sequence: u64, time_ns: i64) -> Result<(), ReplayError>;

    /// The machine decided this now.
    fn recomputed(&mut self, decision: &Decision) -> Result<(), ReplayError>;

    /// The journal holds this.
    fn journaled(
        &mut self,
        sequence: u64,
        cause: u64,
        decision: &Decision,
    ) -> Result<(), ReplayError>;

    /// A later run starts here: the process before it was killed, or ended in order.
    fn run_started(&mut self) -> Result<(), ReplayError>;
}

/// Which of the findings a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckKind {
    Input,
    Recomputed,
    Journaled,
    RunStarted,
}

/// A finding on its way through a ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    pub(super) kind: CheckKind,
    pub(super) sequence: u64,
    pub(super) cause: u64,
    pub(super) time_ns: i64,
    pub(super) decision: Decision,
}

impl Check {
    pub(super) const EMPTY: Self = Self {
        kind: CheckKind::Input,
        sequence: 0,
        cause: 0,
        time_ns: 0,
        decision: EMPTY_DECISION,
    };
}

const EMPTY_DECISION: Decision = Decision {
    kind: 0,
    side: 0,
    instrument: 0,
    agent: 0,
    verdict: 0,
    client_order_id: 0,
    price: 0,
    quantity: 0,
    order_type: 0,
    time_in_force: 0,
    reason: 0,
    state: 0,
    reserved: [0; 3],
    reference_price: 0,
    signal_bits: 0,
    hash: 0,
};

/// What the comparison came to.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) first_divergence: Option<Divergence>,
    pub(super) hash_journaled: u64,
    pub(super) hash_recomputed: u64,
    pub(super) decisions: u64,
    pub(super) unfinished: u64,
    /// Those of the last input, which the end of the journal left open.
    pub(super) open: Unfinished,
}

pub(super) struct Comparer {
    input_sequence: u64,
    input_time_ns: i64,
    pending: [Decision; DECISIONS_PER_INPUT_MAX],
    pending_count: usize,
    matched_count: usize,
    first_divergence: Option<Divergence>,
    hash_journaled: StateHasher,
    hash_recomputed: StateHasher,
    decisions: u64,
    unfinished: u64,
}

impl Findings for Comparer {
    #[inline]
    fn input(&mut self, sequence: u64, time_ns: i64) -> Result<(), ReplayError> {
        if self.matched_count < self.pending_count {
            self.miss_the_rest();
        }
        self.pending_count = 0;
        self.matched_count = 0;
        self.input_sequence = sequence;
        self.input_time_ns = time_ns;
        Ok(())
    }

    #[inline]
    fn recomputed(&mut self, decision: &Decision) -> Result<(), ReplayError> {
        self.pending[self.pending_count] = *decision;
        self.pending_count += 1;
        Ok(())
    }

    fn journaled(
        &mut self,
        sequence: u64,
        cause: u64,
        decision: &Decision,
    ) -> Result<(), ReplayError> {
        self.decisions += 1;
        fold_decision(&mut self.hash_journaled, sequence, decision);
        let due_sequence = self.next_sequence();
        let is_due = self.matched_count < self.pending_count;
        let recomputed = is_due.then(|| self.pending[self.matched_count]);
        if let Some(due) = &recomputed {
            fold_decision(&mut self.hash_recomputed, due_sequence, due);
            self.matched_count += 1;
        }
        let is_in_place = sequence == due_sequence && cause == self.input_sequence;
        let is_equal = recomputed.is_some_and(|due| due.as_bytes() == decision.as_bytes());
        if !(is_in_place && is_equal) {
            self.diverge(Divergence {
                sequence,
                cause: self.input_sequence,
                journaled: Some(*decision),
                recomputed,
            });
        }
        Ok(())
    }

    fn run_started(&mut self) -> Result<(), ReplayError> {
        self.leave_unfinished();
        Ok(())
    }
}

impl Comparer {
    pub(super) fn new() -> Self {
        Self {
            input_sequence: 0,
            input_time_ns: 0,
            pending: [EMPTY_DECISION; DECISIONS_PER_INPUT_MAX],
            pending_count: 0,
            matched_count: 0,
            first_divergence: None,
            hash_journaled: StateHasher::new(),
            hash_recomputed: StateHasher::new(),
            decisions: 0,
            unfinished: 0,
        }
    }

    /// Takes what came through a ring.
    pub(super) fn take(&mut self, check: &Check) -> Result<(), ReplayError> {
        match check.kind {
            CheckKind::Input => self.input(check.sequence, check.time_ns),
            CheckKind::Recomputed => self.recomputed(&check.decision),
            CheckKind::Journaled => self.journaled(check.sequence, check.cause, &check.decision),
            CheckKind::RunStarted => self.run_started(),
        }
    }

    fn next_sequence(&self) -> u64 {
        self.input_sequence + 1 + self.matched_count as u64
    }

    /// The journal goes on with another input: whatever is left was never journaled.
    #[cold]
    #[inline(never)]
    fn miss_the_rest(&mut self) {
        if self.matched_count < self.pending_count {
            self.diverge(Divergence {
                sequence: self.next_sequence(),
                cause: self.input_sequence,
                journaled: None,
                recomputed: Some(self.pending[self.matched_count]),
            });
        }
        while self.matched_count < self.pending_count {
            let decision = self.pending[self.matched_count];
            let sequence = self.next_sequence();
            fold_decision(&mut self.hash_recomputed, sequence, &decision);
            self.matched_count += 1;
        }
    }

    fn leave_unfinished(&mut self) {
        self.unfinished += (self.pending_count - self.matched_count) as u64;
        self.pending_count = 0;
        self.matched_count = 0;
    }

    fn diverge(&mut self, divergence: Divergence) {
        self.first_divergence.get_or_insert(divergence);
    }

    /// Whether every decision of the last input is in the journal.
    pub(super) fn is_complete(&self) -> bool {
        self.matched_count == self.pending_count
    }

    pub(super) fn first_divergence(&self) -> Option<&Divergence> {
        self.first_divergence.as_ref()
    }

    pub(super) fn finish(mut self) -> Verdict {
        let open = Unfinished {
            cause: self.input_sequence,
            time_ns: self.input_time_ns,
            decisions: self.pending[self.matched_count..self.pending_count].to_vec(),
        };
        self.leave_unfinished();
        Verdict {
            first_divergence: self.first_divergence,
            hash_journaled: self.hash_journaled.finish(),
            hash_recomputed: self.hash_recomputed.finish(),
            decisions: self.decisions,
            unfinished: self.unfinished,
            open,
        }
    }
}
