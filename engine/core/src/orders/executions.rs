//! Which fills were applied: a ring of the latest, so that a repeated report counts once.
//!
//! A fill is known by (order, execution id): the two sides of a trade with ourselves may carry one id. A fill that
//! is repeated after `EXECUTIONS_MAX` others is no longer recognised; it is then an overfill or an unknown order
//! unless the order is still open with enough left.

use alloc::{vec, vec::Vec};

use super::index::Index;
use crate::{
    decision::ClientOrderId,
    hash::StateHasher,
    snapshot::{Decoder, Encoder, SnapshotError, Tag},
};

/// Fills remembered: about 16 for every open order.
pub const EXECUTIONS_MAX: usize = 4096;

const SECTION: Tag = Tag(*b"EXEC");

/// The latest fills.
#[derive(Clone, Debug)]
pub(super) struct Executions {
    ring: Vec<(u64, u64)>,
    index: Index<(u64, u64)>,
    /// Fills ever recorded.
    recorded: u64,
    /// Fold of all that was recorded, in order; the ring is a function of it.
    history: StateHasher,
}

impl Executions {
    pub(super) fn new() -> Self {
        Self {
            ring: vec![(0, 0); EXECUTIONS_MAX],
            index: Index::new(EXECUTIONS_MAX),
            recorded: 0,
            history: StateHasher::new(),
        }
    }

    pub(super) fn contains(&self, id: ClientOrderId, execution_id: u64) -> bool {
        self.index.get((id.0, execution_id)).is_some()
    }

    /// Records a fill that is not contained; the oldest makes room.
    pub(super) fn record(&mut self, id: ClientOrderId, execution_id: u64) {
        let key = (id.0, execution_id);
        let place = place_of(self.recorded);
        if self.recorded >= EXECUTIONS_MAX as u64 {
            self.index.remove(self.ring[place]);
        }
        self.ring[place] = key;
        self.index.set(key, place as u16);
        self.recorded += 1;
        self.history.word(key.0);
        self.history.word(key.1);
    }

    /// Writes the ring, oldest first.
    pub(super) fn save(&self, out: &mut Encoder) {
        out.section(SECTION);
        out.u64(self.recorded);
        out.u64(self.history.state());
        for number in self.recorded - self.kept()..self.recorded {
            let (id, execution_id) = self.ring[place_of(number)];
            out.u64(id);
            out.u64(execution_id);
        }
    }

    /// Reads into an empty ring and indexes it anew.
    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        self.recorded = from.count()?;
        self.history = StateHasher::resume(from.u64()?);
        for number in self.recorded - self.kept()..self.recorded {
            let key = (from.u64()?, from.u64()?);
            let is_new = self.index.get(key).is_none();
            from.expect(is_new, "a fill that is remembered once")?;
            self.ring[place_of(number)] = key;
            self.index.set(key, place_of(number) as u16);
        }
        Ok(())
    }

    /// How many fills are remembered.
    fn kept(&self) -> u64 {
        self.recorded.min(EXECUTIONS_MAX as u64)
    }

    pub(super) fn digest(&self, hasher: &mut StateHasher) {
        hasher.word(self.recorded);
        hasher.word(self.history.finish());
    }
}

/// Where in the ring the fill with this number stands.
const fn place_of(number: u64) -> usize {
    (number % EXECUTIONS_MAX as u64) as usize
}
