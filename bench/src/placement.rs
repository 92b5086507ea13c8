//! A core for each busy thread of the floors, chosen as the engine chooses for its own threads.

use acth_engine::placement::{Pin, Placement, allowed_cores};

/// Where threads of one measurement run. Read before any thread is pinned.
#[derive(Clone, Debug)]
pub(crate) struct Cores {
    allowed: Vec<usize>,
    is_pinned: bool,
}

impl Cores {
    /// The cores of this process; threads are pinned to them if wished.
    pub(crate) fn new(is_pinned: bool) -> Self {
        Self {
            allowed: allowed_cores(),
            is_pinned,
        }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.allowed.len()
    }

    /// The core of thread `index` of `busy_threads`: from the last one down, none if there are too few.
    pub(crate) fn of(&self, index: usize, busy_threads: usize) -> Option<usize> {
        if !self.is_pinned || self.allowed.len() < busy_threads {
            return None;
        }
        self.allowed.iter().rev().nth(index).copied()
    }

    /// The same wish for an engine of one thread that stands in the place of thread `index`.
    pub(crate) fn placement_of(&self, index: usize, busy_threads: usize) -> Placement {
        Placement {
            pin: self
                .of(index, busy_threads)
                .map_or(Pin::Off, |core| Pin::Cores(vec![core])),
            ..Placement::none()
        }
    }

    /// The same wish for the engine's threads.
    pub(crate) fn placement(&self) -> Placement {
        Placement {
            pin: if self.is_pinned { Pin::Auto } else { Pin::Off },
            ..Placement::none()
        }
    }
}

/// Pins the calling thread; a refusal leaves it to the kernel, which the placement sentence of the report allows for.
pub(crate) fn settle(core: Option<usize>) {
    if let Some(id) = core {
        let _ = core_affinity::set_for_current(core_affinity::CoreId { id });
    }
}
