//! What goes wrong on purpose, by a seed of its own: clients must survive it.

use acth_core::instrument::InstrumentId;
use serde::{Deserialize, Serialize};

use crate::{
    rng::Random,
    world::{BookSnapshot, World},
};

/// Random stream of the faults, far from those of the world.
const STREAM: u64 = 1 << 40;

/// How often what goes wrong. All zero by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FaultConfig {
    /// Seed of the faults.
    pub seed: u64,
    /// Diffs that are never sent, parts per million.
    pub skip_diff_ppm: u32,
    /// REST books that are as old as the venue itself, parts per million.
    pub stale_snapshot_ppm: u32,
    /// Time after which all streams are cut; 0 = never.
    pub disconnect_every_ms: u64,
}

/// Decides what goes wrong.
#[derive(Debug)]
pub(super) struct Faults {
    config: FaultConfig,
    random: Random,
    /// The books when the venue opened.
    first_books: Vec<BookSnapshot>,
}

impl Faults {
    pub(super) fn new(config: FaultConfig, world: &World) -> Self {
        let ids = world.instruments().iter().map(|(id, _)| id);
        let book = |id| world.snapshot(id, usize::MAX).unwrap_or_default();
        Self {
            config,
            random: Random::new(config.seed, STREAM),
            first_books: ids.map(book).collect(),
        }
    }

    /// True when this diff gets lost.
    pub(super) fn skips_diff(&mut self) -> bool {
        self.happens(self.config.skip_diff_ppm)
    }

    /// An old book in place of the present one, if that goes wrong now.
    pub(super) fn snapshot(&mut self, id: InstrumentId, limit: usize) -> Option<BookSnapshot> {
        if !self.happens(self.config.stale_snapshot_ppm) {
            return None;
        }
        let mut book = self.first_books.get(id.index())?.clone();
        book.bids.truncate(limit);
        book.asks.truncate(limit);
        Some(book)
    }

    fn happens(&mut self, ppm: u32) -> bool {
        ppm > 0 && self.random.below(1_000_000) < u64::from(ppm)
    }
}
