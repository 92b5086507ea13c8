//! Chains of slots in the order in which they were added: linked lists by index, O(1) to add and to take out.

use alloc::{vec, vec::Vec};

/// No slot.
pub(super) const NONE: u16 = u16::MAX;

/// The oldest and the newest slot of one chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    pub(super) oldest: u16,
    pub(super) newest: u16,
    pub(super) count: u16,
}

impl Chain {
    pub(super) const EMPTY: Self = Self {
        oldest: NONE,
        newest: NONE,
        count: 0,
    };
}

/// Neighbours of every slot in one family of chains; a slot is in at most one chain of a family.
#[derive(Clone, Debug)]
pub(super) struct Links {
    older: Vec<u16>,
    newer: Vec<u16>,
}

impl Links {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            older: vec![NONE; slots],
            newer: vec![NONE; slots],
        }
    }

    /// Adds a slot behind the newest.
    pub(super) fn push(&mut self, chain: &mut Chain, slot: u16) {
        self.older[slot as usize] = chain.newest;
        self.newer[slot as usize] = NONE;
        if chain.newest == NONE {
            chain.oldest = slot;
        } else {
            self.newer[chain.newest as usize] = slot;
        }
        chain.newest = slot;
        chain.count += 1;
    }

    /// Takes a slot out, wherever it stands.
    pub(super) fn remove(&mut self, chain: &mut Chain, slot: u16) {
        let (older, newer) = (self.older[slot as usize], self.newer[slot as usize]);
        if older == NONE {
            chain.oldest = newer;
        } else {
            self.newer[older as usize] = newer;
        }
        if newer == NONE {
            chain.newest = older;
        } else {
            self.older[newer as usize] = older;
        }
        chain.count -= 1;
    }

    /// The slots of a chain, oldest first.
    pub(super) fn walk(&self, chain: Chain) -> impl Iterator<Item = usize> {
        let mut next = chain.oldest;
        core::iter::from_fn(move || {
            if next == NONE {
                return None;
            }
            let slot = next as usize;
            next = self.newer[slot];
            Some(slot)
        })
    }
}
