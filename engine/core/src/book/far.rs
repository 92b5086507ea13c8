//! The levels outside the window: sorted by key, the nearest to the market last, where most changes of them fall.

use alloc::vec::Vec;

/// A sorted array that never grows beyond its first capacity. Keys and quantities lie apart, so that a search reads
/// keys only.
#[derive(Debug)]
pub(super) struct Far {
    keys: Vec<u64>,
    quantities: Vec<i64>,
}

impl Clone for Far {
    /// Keeps the capacity, which a derived clone would not.
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.keys.capacity());
        copy.keys.extend_from_slice(&self.keys);
        copy.quantities.extend_from_slice(&self.quantities);
        copy
    }
}

impl Far {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            keys: Vec::with_capacity(capacity),
            quantities: Vec::with_capacity(capacity),
        }
    }

    pub(super) fn clear(&mut self) {
        self.keys.clear();
        self.quantities.clear();
    }

    pub(super) const fn len(&self) -> usize {
        self.keys.len()
    }

    /// The level at a place, counted from the worst.
    pub(super) fn get(&self, place: usize) -> (u64, i64) {
        (self.keys[place], self.quantities[place])
    }

    pub(super) fn last_key(&self) -> Option<u64> {
        self.keys.last().copied()
    }

    pub(super) fn quantity_at(&self, key: u64) -> i64 {
        match self.keys.binary_search(&key) {
            Ok(place) => self.quantities[place],
            Err(_) => 0,
        }
    }

    /// Sets or deletes a level. Returns whether it was there.
    pub(super) fn set(&mut self, key: u64, quantity: i64) -> bool {
        match (self.keys.binary_search(&key), quantity) {
            (Ok(place), 0) => {
                self.keys.remove(place);
                self.quantities.remove(place);
                true
            }
            (Ok(place), _) => {
                self.quantities[place] = quantity;
                true
            }
            (Err(_), 0) => false,
            (Err(place), _) => {
                debug_assert!(self.keys.len() < self.keys.capacity(), "never reallocated");
                self.keys.insert(place, key);
                self.quantities.insert(place, quantity);
                false
            }
        }
    }

    /// Adds a level at the end; the caller keeps the order or mends it by `reverse_from`.
    pub(super) fn push(&mut self, key: u64, quantity: i64) {
        debug_assert!(self.keys.len() < self.keys.capacity(), "never reallocated");
        self.keys.push(key);
        self.quantities.push(quantity);
    }

    /// Takes the last level if its key is at least `key_min`.
    pub(super) fn pop_from(&mut self, key_min: u64) -> Option<(u64, i64)> {
        let key = self.keys.pop_if(|key| *key >= key_min)?;
        let quantity = self.quantities.pop()?;
        Some((key, quantity))
    }

    pub(super) fn reverse_from(&mut self, place: usize) {
        self.keys[place..].reverse();
        self.quantities[place..].reverse();
    }

    /// Forgets the `count` worst levels.
    pub(super) fn drop_worst(&mut self, count: usize) {
        self.keys.drain(..count);
        self.quantities.drain(..count);
    }
}
