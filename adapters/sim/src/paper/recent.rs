//! Which client order ids were used: a sorted vector of fixed capacity that forgets its smallest half when full.
//!
//! Ids grow with the journal's sequence, so the smallest are the oldest and adding is nearly always a push.

/// Ids that were used.
#[derive(Clone, Debug)]
pub(super) struct RecentIds {
    ids: Vec<u64>,
    ids_max: usize,
}

impl RecentIds {
    pub(super) fn new(ids_max: usize) -> Self {
        let ids_max = ids_max.max(2);
        Self {
            ids: Vec::with_capacity(ids_max),
            ids_max,
        }
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.ids.binary_search(&id).is_ok()
    }

    /// Remembers an id; false when it was there already.
    pub(super) fn insert(&mut self, id: u64) -> bool {
        if self.contains(id) {
            return false;
        }
        if self.ids.len() == self.ids_max {
            self.ids.drain(..self.ids_max / 2);
        }
        let index = self.ids.partition_point(|known| *known < id);
        self.ids.insert(index, id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_within_its_bound() {
        let mut recent = RecentIds::new(4);
        for id in [5, 1, 3, 2] {
            assert!(recent.insert(id));
        }
        assert!(!recent.insert(3));
        assert!(recent.insert(9), "full: the smallest half goes");
        assert!(!recent.contains(1) && !recent.contains(2));
        assert!(recent.contains(3) && recent.contains(5) && recent.contains(9));
    }
}
