//! From key to slot: a hash table of fixed size with linear probing. It is never iterated, so its inner order
//! decides nothing; removal shifts the followers back, so there are no tombstones and no slow decay.

use alloc::{vec, vec::Vec};

/// A key that can be spread over 64 bits.
pub(super) trait Key: Copy + Eq + Default {
    fn spread(self) -> u64;
}

/// Odd multiplier with well-spread bits (2^64 over the golden ratio).
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Key for u64 {
    fn spread(self) -> u64 {
        self.wrapping_mul(FACTOR)
    }
}

impl Key for (u64, u64) {
    fn spread(self) -> u64 {
        (self.0.wrapping_mul(FACTOR).rotate_left(32) ^ self.1).wrapping_mul(FACTOR)
    }
}

/// No slot: the place is free.
const FREE: u16 = u16::MAX;

/// A map from keys to slots, at most half full.
#[derive(Clone, Debug)]
pub(super) struct Index<K> {
    keys: Vec<K>,
    slots: Vec<u16>,
    /// Shift that keeps as many upper bits of a spread key as places need.
    shift: u32,
}

impl<K: Key> Index<K> {
    /// Room for `keys_max` keys.
    pub(super) fn new(keys_max: usize) -> Self {
        let places = (keys_max * 2).next_power_of_two();
        Self {
            keys: vec![K::default(); places],
            slots: vec![FREE; places],
            shift: 64 - places.trailing_zeros(),
        }
    }

    fn home(&self, key: K) -> usize {
        (key.spread() >> self.shift) as usize
    }

    fn after(&self, place: usize) -> usize {
        (place + 1) & (self.slots.len() - 1)
    }

    /// The place of a key, or the free place where it would go. Ends because half of the places are free.
    fn place(&self, key: K) -> usize {
        let mut place = self.home(key);
        while self.slots[place] != FREE && self.keys[place] != key {
            place = self.after(place);
        }
        place
    }

    /// The slot of a key.
    pub(super) fn get(&self, key: K) -> Option<usize> {
        let slot = self.slots[self.place(key)];
        (slot != FREE).then_some(slot as usize)
    }

    /// Sets the slot of a key. The caller keeps the number of keys within `keys_max`.
    pub(super) fn set(&mut self, key: K, slot: u16) {
        let place = self.place(key);
        self.keys[place] = key;
        self.slots[place] = slot;
    }

    /// Forgets a key.
    pub(super) fn remove(&mut self, key: K) {
        let mut hole = self.place(key);
        if self.slots[hole] == FREE {
            return;
        }
        let mask = self.slots.len() - 1;
        let mut place = self.after(hole);
        while self.slots[place] != FREE {
            // A follower may move into the hole unless its home lies behind the hole.
            let distance_home = place.wrapping_sub(self.home(self.keys[place])) & mask;
            let distance_hole = place.wrapping_sub(hole) & mask;
            if distance_home >= distance_hole {
                self.keys[hole] = self.keys[place];
                self.slots[hole] = self.slots[place];
                hole = place;
            }
            place = self.after(place);
        }
        self.slots[hole] = FREE;
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// A key whose home is one of three neighbours, so that every chain of followers collides and wraps.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
    struct Crowded(u8);

    impl Key for Crowded {
        fn spread(self) -> u64 {
            // The last place of 32, the first and the second.
            match self.0 % 3 {
                0 => u64::MAX,
                1 => 0,
                _ => 1 << (64 - 5),
            }
        }
    }

    /// A search steps over every place, so it finds the free ones however the others are crowded.
    #[test]
    fn a_search_in_a_full_index_ends() {
        let mut index = Index::new(16);
        let keys = || (0u8..48).step_by(3).map(Crowded);
        for (slot, key) in keys().enumerate() {
            index.set(key, slot as u16);
        }
        assert_eq!(index.get(Crowded(48)), None);
        assert!(keys().map(|key| index.get(key)).eq((0..16).map(Some)));
    }

    proptest! {
        #[test]
        fn crowded_index_equals_a_map(steps in prop::collection::vec((0u8..24, any::<bool>()), 1..200)) {
            let mut index = Index::new(16);
            let mut twin = BTreeMap::new();
            for (number, (key, is_removal)) in steps.into_iter().enumerate() {
                let key = Crowded(key);
                if is_removal {
                    index.remove(key);
                    twin.remove(&key);
                } else if twin.len() < 16 {
                    index.set(key, number as u16);
                    twin.insert(key, number);
                }
                for key in (0..24).map(Crowded) {
                    prop_assert_eq!(index.get(key), twin.get(&key).copied());
                }
            }
        }
    }
}
