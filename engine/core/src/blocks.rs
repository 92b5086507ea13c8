//! Sorted entries in short blocks, bounded: what a side of a book holds beyond its window, and a displayed book as a whole.
//!
//! The largest key is the best. One sorted array would move half of itself at each entry that comes or goes. Here it is cut into
//! short blocks, each sorted, in an order that is kept apart:
//!
//! ```text
//!   firsts   [ 12 ][ 95 ][ 410 ]      lowest key of each block: a search reads these first
//!   spans    [ #2 ][ #0 ][ #5  ]      which block of the pool, and how many entries it holds
//! ```
//!
//! A full block is split. The pool has room for twice the entries; when it runs out nevertheless, because entries went away in
//! between, all blocks are packed in one pass. Invariant: no block is empty, and nothing is allocated after construction.

use alloc::{vec, vec::Vec};

/// Entries in a block: a change moves at most so many.
const BLOCK_ENTRIES: usize = 64;

/// Where a run of entries lies.
#[derive(Clone, Copy, Debug)]
struct Span {
    block: u16,
    len: u16,
}

/// An entry's place: which span, and where in it.
#[derive(Clone, Copy, Debug)]
struct Spot {
    span: usize,
    at: usize,
}

/// Sorted entries, up to a bound that the caller keeps. Keys and values lie apart, so that a search reads keys only.
#[derive(Debug)]
pub struct SortedBlocks<V, const BLOCK: usize = BLOCK_ENTRIES> {
    len: usize,
    /// The span that was changed last: changes that come together lie together.
    finger: usize,
    firsts: Vec<u64>,
    spans: Vec<Span>,
    /// Blocks in no span.
    free: Vec<u16>,
    keys: Vec<[u64; BLOCK]>,
    values: Vec<[V; BLOCK]>,
}

impl<V: Copy, const BLOCK: usize> Clone for SortedBlocks<V, BLOCK> {
    /// Keeps the capacities, which a derived clone would not.
    fn clone(&self) -> Self {
        let mut copy = Self {
            len: self.len,
            finger: self.finger,
            firsts: Vec::with_capacity(self.firsts.capacity()),
            spans: Vec::with_capacity(self.spans.capacity()),
            free: Vec::with_capacity(self.free.capacity()),
            keys: self.keys.clone(),
            values: self.values.clone(),
        };
        copy.firsts.extend_from_slice(&self.firsts);
        copy.spans.extend_from_slice(&self.spans);
        copy.free.extend_from_slice(&self.free);
        copy
    }
}

/// Blocks in the pool for so many entries at most: twice what they fill.
const fn pool_blocks(entries_max: usize, block: usize) -> usize {
    (2 * entries_max).div_ceil(block) + 1
}

/// Bytes that so many entries of whole numbers take.
pub(crate) const fn block_bytes(entries_max: usize) -> usize {
    let index = size_of::<u64>() + size_of::<Span>() + size_of::<u16>();
    pool_blocks(entries_max, BLOCK_ENTRIES) * (BLOCK_ENTRIES * 16 + index)
}

impl<V: Copy + Default, const BLOCK: usize> SortedBlocks<V, BLOCK> {
    /// Packing leaves an eighth of a block free, so that the next entries do not split it again.
    const PACKED: usize = BLOCK - BLOCK / 8;

    /// Room for so many entries; the caller never puts in more.
    ///
    /// # Panics
    /// With more than two million entries.
    pub fn new(entries_max: usize) -> Self {
        let blocks = pool_blocks(entries_max, BLOCK);
        assert!(blocks <= usize::from(u16::MAX), "every block has a number");
        Self {
            len: 0,
            finger: 0,
            firsts: Vec::with_capacity(blocks),
            spans: Vec::with_capacity(blocks),
            free: (0..blocks as u16).rev().collect(),
            keys: vec![[0; BLOCK]; blocks],
            values: vec![[V::default(); BLOCK]; blocks],
        }
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.free
            .extend(self.spans.drain(..).map(|span| span.block));
        self.firsts.clear();
        self.len = 0;
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All entries, the largest key first.
    pub fn iter(&self) -> impl Iterator<Item = (u64, V)> {
        self.spans.iter().rev().flat_map(|span| {
            let (block, len) = (usize::from(span.block), usize::from(span.len));
            let keys = self.keys[block][..len].iter().rev();
            let values = self.values[block][..len].iter().rev();
            keys.copied().zip(values.copied())
        })
    }

    /// The smallest key.
    pub fn first_key(&self) -> Option<u64> {
        self.firsts.first().copied()
    }

    /// The entry with the largest key.
    pub fn last(&self) -> Option<(u64, V)> {
        let last = self.spans.len().checked_sub(1)?;
        let at = self.span_len(last) - 1;
        Some(self.at(Spot { span: last, at }))
    }

    /// The value at a key.
    pub fn get(&self, key: u64) -> Option<V> {
        let spot = self.find(key).ok()?;
        Some(self.values[self.block(spot.span)][spot.at])
    }

    /// The value at a key, to change it.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        let spot = self.find_near(key).ok()?;
        let block = self.block(spot.span);
        Some(&mut self.values[block][spot.at])
    }

    /// Sets the value at a key. Returns whether there was one.
    pub fn set(&mut self, key: u64, value: V) -> bool {
        match self.find_near(key) {
            Ok(spot) => {
                let block = self.block(spot.span);
                self.values[block][spot.at] = value;
                true
            }
            Err(spot) => {
                self.insert(spot, key, value);
                false
            }
        }
    }

    /// Forgets the value at a key. Returns whether there was one.
    pub fn remove(&mut self, key: u64) -> bool {
        let found = self.find_near(key);
        if let Ok(spot) = found {
            self.take_out(spot);
        }
        found.is_ok()
    }

    /// Adds an entry at the end; the caller keeps the order or mends it by `reverse_from`.
    pub(crate) fn push(&mut self, key: u64, value: V) {
        let has_room = self
            .spans
            .last()
            .is_some_and(|span| usize::from(span.len) < BLOCK);
        if !has_room {
            let block = self.take_block();
            self.spans.push(Span { block, len: 0 });
            self.firsts.push(key);
        }
        let last = self.spans.len() - 1;
        let at = usize::from(self.spans[last].len);
        self.put(Spot { span: last, at }, key, value);
        self.spans[last].len += 1;
        self.len += 1;
    }

    /// Takes the last entry if its key is at least `key_min`.
    pub fn pop_from(&mut self, key_min: u64) -> Option<(u64, V)> {
        let last = self.last().filter(|(key, _)| *key >= key_min)?;
        let span = self.spans.len() - 1;
        let at = self.span_len(span) - 1;
        self.take_out(Spot { span, at });
        Some(last)
    }

    /// Turns round the order of all entries from this place on, counted from the first.
    pub(crate) fn reverse_from(&mut self, place: usize) {
        if place >= self.len {
            return;
        }
        let mut low = self.spot_of(place);
        let first_span = low.span;
        let mut high = Spot {
            span: self.spans.len() - 1,
            at: self.span_len(self.spans.len() - 1) - 1,
        };
        for _ in 0..(self.len - place) / 2 {
            let (of_low, of_high) = (self.at(low), self.at(high));
            self.put(low, of_high.0, of_high.1);
            self.put(high, of_low.0, of_low.1);
            (low, high) = (self.behind(low), self.before(high));
        }
        for span in first_span..self.spans.len() {
            self.firsts[span] = self.keys[self.block(span)][0];
        }
    }

    /// Forgets the `count` entries with the smallest keys; so many there are.
    pub fn drop_first(&mut self, count: usize) {
        self.len -= count;
        let (mut whole, mut rest) = (0, count);
        while rest > 0 && rest >= self.span_len(whole) {
            rest -= self.span_len(whole);
            whole += 1;
        }
        self.free
            .extend(self.spans.drain(..whole).map(|span| span.block));
        self.firsts.drain(..whole);
        if rest > 0 {
            let (block, len) = (self.block(0), self.span_len(0));
            self.keys[block].copy_within(rest..len, 0);
            self.values[block].copy_within(rest..len, 0);
            self.spans[0].len -= rest as u16;
            self.firsts[0] = self.keys[block][0];
        }
    }

    /// Where a key is, or where it would come; looked for first where the last change was.
    fn find_near(&mut self, key: u64) -> Result<Spot, Spot> {
        let is_near = self
            .firsts
            .get(self.finger)
            .is_some_and(|first| *first <= key)
            && self
                .firsts
                .get(self.finger + 1)
                .is_none_or(|first| key < *first);
        if !is_near {
            self.finger = self.span_of(key);
        }
        self.find_in(self.finger, key)
    }

    /// As `find_near`, without a change.
    fn find(&self, key: u64) -> Result<Spot, Spot> {
        self.find_in(self.span_of(key), key)
    }

    /// The span that a key belongs to.
    fn span_of(&self, key: u64) -> usize {
        let behind = self.firsts.partition_point(|first| *first <= key);
        behind.saturating_sub(1)
    }

    fn find_in(&self, span: usize, key: u64) -> Result<Spot, Spot> {
        let Some(found) = self.spans.get(span) else {
            return Err(Spot { span, at: 0 });
        };
        let keys = &self.keys[usize::from(found.block)][..usize::from(found.len)];
        match keys.binary_search(&key) {
            Ok(at) => Ok(Spot { span, at }),
            Err(at) => Err(Spot { span, at }),
        }
    }

    fn insert(&mut self, spot: Spot, key: u64, value: V) {
        if spot.span == self.spans.len() {
            return self.push(key, value);
        }
        if self.span_len(spot.span) == BLOCK {
            return self.insert_into_full(spot, key, value);
        }
        let (block, len) = (self.block(spot.span), self.span_len(spot.span));
        self.keys[block].copy_within(spot.at..len, spot.at + 1);
        self.values[block].copy_within(spot.at..len, spot.at + 1);
        self.put(spot, key, value);
        self.spans[spot.span].len += 1;
        self.firsts[spot.span] = self.keys[block][0];
        self.len += 1;
    }

    /// Splits the block, after packing where the pool has no other; that may give the key another place.
    fn insert_into_full(&mut self, spot: Spot, key: u64, value: V) {
        if self.free.is_empty() {
            self.pack();
        } else {
            self.split(spot.span);
        }
        if let Err(spot) = self.find(key) {
            self.insert(spot, key, value);
        }
    }

    /// Moves the upper half of a block into one of its own.
    fn split(&mut self, span: usize) {
        let (lower, len) = (self.block(span), self.span_len(span));
        let kept = len / 2;
        let block = self.take_block();
        let (keys, values) = (self.keys[lower], self.values[lower]);
        let upper = usize::from(block);
        self.keys[upper][..len - kept].copy_from_slice(&keys[kept..len]);
        self.values[upper][..len - kept].copy_from_slice(&values[kept..len]);
        self.spans[span].len = kept as u16;
        let len = (len - kept) as u16;
        self.spans.insert(span + 1, Span { block, len });
        self.firsts.insert(span + 1, keys[kept]);
    }

    fn take_out(&mut self, spot: Spot) {
        let (block, len) = (self.block(spot.span), self.span_len(spot.span));
        self.len -= 1;
        if len == 1 {
            self.free.push(self.spans.remove(spot.span).block);
            self.firsts.remove(spot.span);
            return;
        }
        self.keys[block].copy_within(spot.at + 1..len, spot.at);
        self.values[block].copy_within(spot.at + 1..len, spot.at);
        self.spans[spot.span].len -= 1;
        self.firsts[spot.span] = self.keys[block][0];
    }

    /// A block of the pool. The pool is never empty behind a packing: it has room for twice the entries.
    fn take_block(&mut self) -> u16 {
        if self.free.is_empty() {
            self.pack();
        }
        debug_assert!(!self.free.is_empty(), "no more entries than were said");
        self.free.pop().unwrap_or_default()
    }

    /// Fills each block from those behind it.
    #[cold]
    #[inline(never)]
    fn pack(&mut self) {
        let mut into = 0;
        for from in 1..self.spans.len() {
            self.shift_down(from, into);
            if self.spans[from].len > 0 {
                into += 1;
                self.spans.swap(into, from);
            }
        }
        self.free
            .extend(self.spans.drain(into + 1..).map(|span| span.block));
        self.firsts.clear();
        for span in &self.spans {
            self.firsts.push(self.keys[usize::from(span.block)][0]);
        }
    }

    /// Moves the first entries of one block behind those of another, until that holds what a packed one does.
    fn shift_down(&mut self, from: usize, into: usize) {
        let (source, target) = (self.block(from), self.block(into));
        let (source_len, target_len) = (self.span_len(from), self.span_len(into));
        let count = Self::PACKED.saturating_sub(target_len).min(source_len);
        let (keys, values) = (self.keys[source], self.values[source]);
        self.keys[target][target_len..target_len + count].copy_from_slice(&keys[..count]);
        self.values[target][target_len..target_len + count].copy_from_slice(&values[..count]);
        self.keys[source].copy_within(count..source_len, 0);
        self.values[source].copy_within(count..source_len, 0);
        self.spans[from].len -= count as u16;
        self.spans[into].len += count as u16;
    }

    /// The place of an entry counted from the first; there is one.
    fn spot_of(&self, place: usize) -> Spot {
        let (mut span, mut from_end) = (self.spans.len() - 1, self.len - place);
        while from_end > self.span_len(span) {
            from_end -= self.span_len(span);
            span -= 1;
        }
        let at = self.span_len(span) - from_end;
        Spot { span, at }
    }

    /// The next place.
    fn behind(&self, spot: Spot) -> Spot {
        if spot.at + 1 < self.span_len(spot.span) {
            return Spot {
                at: spot.at + 1,
                ..spot
            };
        }
        Spot {
            span: spot.span + 1,
            at: 0,
        }
    }

    /// The place before, which there is.
    fn before(&self, spot: Spot) -> Spot {
        if spot.at > 0 {
            return Spot {
                at: spot.at - 1,
                ..spot
            };
        }
        let span = spot.span - 1;
        Spot {
            span,
            at: self.span_len(span) - 1,
        }
    }

    fn at(&self, spot: Spot) -> (u64, V) {
        let block = self.block(spot.span);
        (self.keys[block][spot.at], self.values[block][spot.at])
    }

    fn put(&mut self, spot: Spot, key: u64, value: V) {
        let block = self.block(spot.span);
        self.keys[block][spot.at] = key;
        self.values[block][spot.at] = value;
    }

    #[inline]
    fn block(&self, span: usize) -> usize {
        usize::from(self.spans[span].block)
    }

    #[inline]
    fn span_len(&self, span: usize) -> usize {
        usize::from(self.spans[span].len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;
    use proptest::prelude::*;

    const LEVELS_MAX: usize = 60;
    const BLOCK: usize = 8;

    /// What the sides of books do.
    #[derive(Clone, Debug)]
    enum Act {
        Set(u64, i64),
        /// The window moves up: these many levels come, each nearer to the market than all.
        Push(usize),
        /// The window moves down to this share of the keys.
        PopFrom(u64),
        DropWorst(usize),
        Clear,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let act = prop_oneof![
            30 => (0u64..400, 0i64..4).prop_map(|(key, quantity)| Act::Set(key, quantity)),
            3 => (1usize..30).prop_map(Act::Push),
            3 => (0u64..1000).prop_map(Act::PopFrom),
            1 => (0usize..60).prop_map(Act::DropWorst),
            1 => Just(Act::Clear),
        ];
        prop::collection::vec(act, 0..400)
    }

    fn check(blocks: &SortedBlocks<i64, BLOCK>, map: &BTreeMap<u64, i64>) {
        let levels: Vec<(u64, i64)> = map
            .iter()
            .rev()
            .map(|(key, quantity)| (*key, *quantity))
            .collect();
        assert_eq!(blocks.iter().collect::<Vec<_>>(), levels);
        assert_eq!(blocks.len(), map.len());
        assert_eq!(blocks.last(), levels.first().copied());
        assert_eq!(blocks.first_key(), levels.last().map(|level| level.0));
        assert!(
            blocks.spans.iter().all(|span| span.len > 0),
            "no block is empty"
        );
        assert_eq!(
            blocks.spans.len() + blocks.free.len(),
            pool_blocks(LEVELS_MAX, BLOCK)
        );
        for key in 0..400 {
            assert_eq!(blocks.get(key), map.get(&key).copied());
        }
    }

    fn play(blocks: &mut SortedBlocks<i64, BLOCK>, map: &mut BTreeMap<u64, i64>, act: &Act) {
        match *act {
            Act::Set(key, quantity) => {
                if map.len() == LEVELS_MAX && !map.contains_key(&key) {
                    return;
                }
                let was_there = map.remove(&key).is_some();
                if quantity != 0 {
                    map.insert(key, quantity);
                }
                let was_found = if quantity == 0 {
                    blocks.remove(key)
                } else {
                    blocks.set(key, quantity)
                };
                assert_eq!(was_found, was_there);
            }
            Act::Push(count) => {
                let count = count.min(LEVELS_MAX - map.len());
                let (place, base) = (
                    blocks.len(),
                    map.last_key_value().map_or(0, |(key, _)| key + 1),
                );
                for step in (0..count as u64).rev() {
                    blocks.push(base + step * 3, 9);
                    map.insert(base + step * 3, 9);
                }
                blocks.reverse_from(place);
            }
            Act::PopFrom(key_min) => {
                let expected = map.split_off(&key_min).into_iter().rev();
                for level in expected {
                    assert_eq!(blocks.pop_from(key_min), Some(level));
                }
                assert_eq!(blocks.pop_from(key_min), None);
            }
            Act::DropWorst(count) => {
                let count = count.min(map.len());
                blocks.drop_first(count);
                for _ in 0..count {
                    map.pop_first();
                }
            }
            Act::Clear => {
                blocks.clear();
                map.clear();
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn levels_are_those_of_a_sorted_map(acts in acts()) {
            let (mut blocks, mut map) = (SortedBlocks::<i64, BLOCK>::new(LEVELS_MAX), BTreeMap::new());
            let capacity = blocks.firsts.capacity();
            for act in &acts {
                play(&mut blocks, &mut map, act);
            }
            check(&blocks, &map);
            check(&blocks.clone(), &map);
            prop_assert_eq!(blocks.firsts.capacity(), capacity);
        }
    }

    #[test]
    fn a_pool_full_of_single_levels_is_packed() {
        let (mut blocks, mut map) = (SortedBlocks::<i64, BLOCK>::new(LEVELS_MAX), BTreeMap::new());
        // Each round fills a block up to its split and takes nearly all of it away again.
        for round in 0..200u64 {
            let keys = (0..2 * BLOCK as u64).map(|step| round % 20 * 20 + step);
            for key in keys.clone() {
                play(&mut blocks, &mut map, &Act::Set(key, key.cast_signed() + 1));
            }
            for key in keys.skip(1).filter(|key| key % 7 != 0) {
                play(&mut blocks, &mut map, &Act::Set(key, 0));
            }
            check(&blocks, &map);
        }
    }
}
