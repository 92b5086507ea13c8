//! Findings on their way through a ring to the comparer's thread.

use acth_core::decision::Decision;

use super::{
    ReplayError,
    comparer::{Check, CheckKind, Findings},
};
use crate::{ring::Producer, wait::Waiter};

pub(super) struct Sender {
    pub(super) checks: Producer<Check>,
    pub(super) waiter: Waiter,
}

impl Sender {
    fn send(&mut self, check: &Check) -> Result<(), ReplayError> {
        self.checks
            .publish(&mut self.waiter, |slot| *slot = *check, || false)
            .map_err(|_| ReplayError::Interrupted)
    }
}

impl Findings for Sender {
    fn input(&mut self, sequence: u64, time_ns: i64) -> Result<(), ReplayError> {
        self.send(&Check {
            kind: CheckKind::Input,
            sequence,
            time_ns,
            ..Check::EMPTY
        })
    }

    fn recomputed(&mut self, decision: &Decision) -> Result<(), ReplayError> {
        self.send(&Check {
            kind: CheckKind::Recomputed,
            decision: *decision,
            ..Check::EMPTY
        })
    }

    fn journaled(
        &mut self,
        sequence: u64,
        cause: u64,
        decision: &Decision,
    ) -> Result<(), ReplayError> {
        self.send(&Check {
            kind: CheckKind::Journaled,
            sequence,
            cause,
            decision: *decision,
            ..Check::EMPTY
        })
    }

    fn run_started(&mut self) -> Result<(), ReplayError> {
        self.send(&Check {
            kind: CheckKind::RunStarted,
            ..Check::EMPTY
        })
    }
}
