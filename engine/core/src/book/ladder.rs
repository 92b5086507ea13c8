//! One side of a book, by key: the larger key is the better price.

use alloc::boxed::Box;

use crate::blocks::SortedBlocks;

use super::{
    PAGE_TICKS, evicted_at_once,
    grid::KEY_MAX,
    occupancy::{Occupancy, boxed_array},
};

/// Levels of one side: a window of ticks near the market and sorted blocks beyond it.
///
/// Invariants:
/// - a key in `[base, base + TICKS)` is stored in slot `key % TICKS`; a free slot holds quantity 0;
/// - all keys in `far` are below `base`;
/// - `depth` counts window and far together; when it is not 0, `best` is the largest key and lies in the window.
#[derive(Clone, Debug)]
pub(super) struct Ladder<const PAGES: usize> {
    base: u64,
    best: u64,
    depth: usize,
    levels_max: usize,
    evicted_count: u64,
    occupancy: Occupancy<PAGES>,
    quantities: Box<[[i64; PAGE_TICKS]; PAGES]>,
    far: SortedBlocks<i64>,
}

impl<const PAGES: usize> Ladder<PAGES> {
    /// Ticks in the window.
    const TICKS: u64 = (PAGES * PAGE_TICKS) as u64;
    /// Where a new window puts the best: this far above its lower edge, a quarter below its upper edge, because
    /// levels lie behind the best and only its improvements ahead of it.
    const BEST_OFFSET: u64 = Self::TICKS / 4 * 3;
    /// A change beyond the lower edge but this near the best moves the window. The gap to `BEST_OFFSET` is how far
    /// the market drifts between two moves.
    const NEAR_TICKS: u64 = Self::TICKS / 2;

    pub(super) fn new(levels_max: usize) -> Self {
        Self {
            base: 0,
            best: 0,
            depth: 0,
            levels_max,
            evicted_count: 0,
            occupancy: Occupancy::new(),
            quantities: boxed_array([0; PAGE_TICKS]),
            // One more than the bound: a level is inserted before the worst ones go.
            far: SortedBlocks::new(levels_max + 1),
        }
    }

    #[inline]
    pub(super) const fn depth(&self) -> usize {
        self.depth
    }

    pub(super) const fn evicted_count(&self) -> u64 {
        self.evicted_count
    }

    #[inline]
    pub(super) fn best(&self) -> Option<(u64, i64)> {
        (self.depth != 0).then(|| (self.best, self.quantity_in_window(self.best)))
    }

    #[inline]
    pub(super) fn quantity_at(&self, key: u64) -> i64 {
        if self.is_in_window(key) {
            self.quantity_in_window(key)
        } else {
            self.far.get(key).unwrap_or(0)
        }
    }

    pub(super) const fn levels_max(&self) -> usize {
        self.levels_max
    }

    /// The lower edge of the window.
    pub(super) const fn base(&self) -> u64 {
        self.base
    }

    /// Begins to fill an empty side whose window lies at `base`. False when no window can lie there.
    pub(super) const fn start_load(&mut self, evicted_count: u64, base: u64) -> bool {
        self.evicted_count = evicted_count;
        self.base = base;
        base <= KEY_MAX
    }

    /// Adds the next worse level; the caller keeps to that order and to the bound. False when the best level does not lie
    /// in the window.
    pub(super) fn load_level(&mut self, key: u64, quantity: i64) -> bool {
        let is_in_window = self.is_in_window(key);
        if self.depth == 0 {
            self.best = key;
        }
        self.depth += 1;
        if is_in_window {
            self.store(key, quantity);
        } else {
            self.far.push(key, quantity);
        }
        self.is_in_window(self.best)
    }

    /// The far levels came best first and are kept worst first.
    pub(super) fn end_load(&mut self) {
        self.far.reverse_from(0);
    }

    /// Sets the quantity at a key; 0 deletes.
    #[inline(always)]
    pub(super) fn set(&mut self, key: u64, quantity: i64) {
        if self.is_in_window(key) {
            self.set_in_window(key, quantity);
        } else {
            self.set_outside(key, quantity);
        }
    }

    pub(super) fn clear(&mut self) {
        let mut cursor = self.best_in_window();
        while let Some(key) = cursor {
            cursor = self.next_worse(key);
            self.store(key, 0);
        }
        self.far.clear();
        self.depth = 0;
        self.best = 0;
    }

    /// All levels, best first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, i64)> {
        let mut key_before = u64::MAX;
        let slots = self.occupancy.down_from(Self::slot(self.best));
        let near = slots.map_while(move |(page, bit)| {
            let key = self.key_of((page * PAGE_TICKS + bit) as u64);
            // Round the ring come the best keys again: these are not below.
            let is_worse = key < key_before;
            key_before = key;
            is_worse.then(|| (key, self.quantities[page % PAGES][bit % PAGE_TICKS]))
        });
        near.chain(self.far.iter())
    }

    #[inline]
    const fn is_in_window(&self, key: u64) -> bool {
        key.wrapping_sub(self.base) < Self::TICKS
    }

    #[inline]
    fn best_in_window(&self) -> Option<u64> {
        (self.depth != 0).then_some(self.best)
    }

    #[inline]
    const fn slot(key: u64) -> usize {
        (key % Self::TICKS) as usize
    }

    /// The key of the window that a slot holds.
    #[inline]
    const fn key_of(&self, slot: u64) -> u64 {
        self.base + (slot.wrapping_sub(self.base) % Self::TICKS)
    }

    #[inline]
    fn quantity_in_window(&self, key: u64) -> i64 {
        let slot = Self::slot(key);
        self.quantities[slot / PAGE_TICKS % PAGES][slot % PAGE_TICKS]
    }

    /// Writes a slot of the window; returns whether it was occupied. Leaves `depth` and `best` to the caller.
    #[inline]
    fn store(&mut self, key: u64, quantity: i64) -> bool {
        let slot = Self::slot(key);
        self.quantities[slot / PAGE_TICKS % PAGES][slot % PAGE_TICKS] = quantity;
        self.occupancy.put(slot, quantity != 0)
    }

    #[inline(always)]
    fn set_in_window(&mut self, key: u64, quantity: i64) {
        let was_there = self.store(key, quantity);
        let is_there = quantity != 0;
        self.depth = self.depth + usize::from(is_there) - usize::from(was_there);
        if is_there {
            self.best = self.best.max(key);
            if self.depth > self.levels_max {
                self.evict();
            }
        } else if key == self.best && was_there {
            self.find_best();
        }
    }

    /// After the best level was deleted: the next one, from the far blocks if the window is empty.
    #[inline(never)]
    fn find_best(&mut self) {
        if let Some(key) = self.next_worse(self.best) {
            self.best = key;
        } else if let Some((key, _)) = self.far.last() {
            self.best = key;
            self.move_window(base_for(key, Self::BEST_OFFSET));
        } else {
            self.best = 0;
        }
    }

    /// The next occupied key of the window below `key`, which lies in the window.
    #[inline]
    fn next_worse(&self, key: u64) -> Option<u64> {
        let found = self.occupancy.below(Self::slot(key));
        let slot = found.or_else(|| self.occupancy.highest())?;
        // Beyond the lower edge the ring goes on with the best keys: these are not below.
        let candidate = self.key_of(slot as u64);
        (candidate < key).then_some(candidate)
    }

    #[cold]
    #[inline(never)]
    fn set_outside(&mut self, key: u64, quantity: i64) {
        if self.depth == 0 {
            if quantity != 0 {
                self.base = base_for(key, Self::BEST_OFFSET);
                self.set_in_window(key, quantity);
            }
        } else if key > self.best {
            if quantity != 0 {
                self.move_window(base_for(key, Self::BEST_OFFSET));
                self.set_in_window(key, quantity);
            }
        } else if self.best - key < Self::NEAR_TICKS {
            self.move_window(base_for(self.best, Self::BEST_OFFSET));
            self.set_in_window(key, quantity);
        } else {
            let was_there = if quantity == 0 {
                self.far.remove(key)
            } else {
                self.far.set(key, quantity)
            };
            self.depth = self.depth + usize::from(quantity != 0) - usize::from(was_there);
            if self.depth > self.levels_max {
                self.evict();
            }
        }
    }

    /// Moves the window. Levels that it leaves behind go to the far blocks; those it reaches come from there. Levels
    /// above the new window there must be none.
    fn move_window(&mut self, base: u64) {
        if base > self.base {
            let first_place = self.far.len();
            let mut cursor = if self.best < base {
                Some(self.best)
            } else {
                self.next_worse(base)
            };
            while let Some(key) = cursor {
                cursor = self.next_worse(key);
                self.far.push(key, self.quantity_in_window(key));
                self.store(key, 0);
            }
            self.far.reverse_from(first_place);
        }
        self.base = base;
        while let Some((key, quantity)) = self.far.pop_from(base) {
            self.store(key, quantity);
        }
    }

    /// Forgets the worst levels of a side that outgrew its bound. All but the best go through the far blocks, where
    /// the worst lie first; that costs a pass over the side, once in many insertions.
    #[cold]
    #[inline(never)]
    fn evict(&mut self) {
        let count = evicted_at_once(self.levels_max);
        self.move_window(self.best);
        self.far.drop_first(count);
        self.depth -= count;
        self.evicted_count += count as u64;
        self.move_window(base_for(self.best, Self::BEST_OFFSET));
    }
}

/// The lower edge of a window that holds `best` at its usual place.
const fn base_for(best: u64, offset: u64) -> u64 {
    best.saturating_sub(offset)
}
