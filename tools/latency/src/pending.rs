//! What waits for its other half, oldest first, in bounded memory.

use std::collections::BTreeMap;

/// Most that wait at once; more than any table of open orders holds.
const PENDING_MAX: usize = 65_536;

/// Halves by key; keys grow with time, so the smallest is the oldest.
#[derive(Debug)]
pub(crate) struct Pending<K, T> {
    waiting: BTreeMap<K, T>,
    /// How many were given up because too many waited.
    pub(crate) lost: u64,
}

impl<K: Ord, T> Pending<K, T> {
    pub(crate) const fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            lost: 0,
        }
    }

    /// Puts a half down; the oldest is given up where there is no room.
    pub(crate) fn put(&mut self, key: K, half: T) {
        if self.waiting.len() >= PENDING_MAX {
            self.waiting.pop_first();
            self.lost += 1;
        }
        self.waiting.insert(key, half);
    }

    /// Takes a half up.
    pub(crate) fn take(&mut self, key: &K) -> Option<T> {
        self.waiting.remove(key)
    }

    /// Forgets all: another run began.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_first_and_is_counted() {
        let mut pending = Pending::new();
        for key in 0..PENDING_MAX as u64 + 3 {
            pending.put(key, key * 2);
        }
        assert_eq!(pending.lost, 3);
        assert_eq!(pending.take(&2), None);
        assert_eq!(pending.take(&3), Some(6));
        assert_eq!(pending.take(&3), None);
        pending.clear();
        assert_eq!(pending.take(&4), None);
    }
}
