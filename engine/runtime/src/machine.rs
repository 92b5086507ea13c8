//! The state machine that the runtime drives.
//!
//! The deterministic core implements this trait; a toy of ten lines does too, so that threads, rings, shutdown and
//! replay can be tested without any trading logic.

use acth_core::{
    core::{Core, Input},
    decision::Decisions,
    event::Event,
    strategy::Strategy,
};

/// A pure state machine: the same inputs in the same order give the same decisions, bit for bit.
pub trait Machine {
    /// Applies one input. `decisions` is empty on entry; decision `k` will be journaled at `sequence + 1 + k`.
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions);

    /// A digest of the whole state.
    fn state_hash(&self) -> u64;
}

/// A machine whose whole state can be written down, so that a restart need not replay all that came before.
pub trait Snapshot: Machine {
    /// Replaces the content of `out` by a snapshot of the whole state.
    fn encode_snapshot(&self, out: &mut Vec<u8>);
}

impl<S: Strategy> Snapshot for Core<S> {
    fn encode_snapshot(&self, out: &mut Vec<u8>) {
        Self::encode_snapshot(self, out);
    }
}

impl<S: Strategy> Machine for Core<S> {
    #[inline]
    fn apply(&mut self, sequence: u64, ts_core_ns: i64, event: &Event, decisions: &mut Decisions) {
        Self::apply(
            self,
            Input {
                sequence,
                ts_core_ns,
                event,
            },
            decisions,
        );
    }

    fn state_hash(&self) -> u64 {
        Self::state_hash(self)
    }
}
