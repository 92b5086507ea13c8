//! Compares decisions with decisions, byte for byte, and names the first that differs.

use acth_core::{
    decision::{DECISIONS_PER_INPUT_MAX, Decision},
    hash::StateHasher,
};
use zerocopy::IntoBytes;

use super::Divergence;
use crate::{pipeline::fold_decision, resume::Unfinished};

/// What the comparer is told, in the order of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckKind {
    /// An input was applied: what came before is complete.
    Input,
    /// The machine decided this now.
    Recomputed,
    /// The journal holds this.
    Journaled,
    /// A later run starts here: the process before it was killed, or ended in order.
    RunStarted,
}

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

    #[inline]
    pub(super) fn take(&mut self, check: &Check) {
        match check.kind {
            CheckKind::Input => {
                self.close_input();
                self.input_sequence = check.sequence;
                self.input_time_ns = check.time_ns;
            }
            CheckKind::Recomputed => {
                self.pending[self.pending_count] = check.decision;
                self.pending_count += 1;
            }
            CheckKind::Journaled => self.compare(check),
            CheckKind::RunStarted => self.leave_unfinished(),
        }
    }

    fn next_sequence(&self) -> u64 {
        self.input_sequence + 1 + self.matched_count as u64
    }

    fn compare(&mut self, check: &Check) {
        self.decisions += 1;
        fold_decision(&mut self.hash_journaled, check.sequence, &check.decision);
        let sequence = self.next_sequence();
        let is_due = self.matched_count < self.pending_count;
        let recomputed = is_due.then(|| self.pending[self.matched_count]);
        if let Some(decision) = recomputed {
            fold_decision(&mut self.hash_recomputed, sequence, &decision);
            self.matched_count += 1;
        }
        let is_in_place = check.sequence == sequence && check.cause == self.input_sequence;
        let is_equal =
            recomputed.is_some_and(|decision| decision.as_bytes() == check.decision.as_bytes());
        if !(is_in_place && is_equal) {
            self.diverge(Divergence {
                sequence: check.sequence,
                cause: self.input_sequence,
                journaled: Some(check.decision),
                recomputed,
            });
        }
    }

    /// The journal goes on with another input: whatever is left was never journaled.
    #[inline]
    fn close_input(&mut self) {
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
        self.pending_count = 0;
        self.matched_count = 0;
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
