//! The levels outside the window: sorted by key, the nearest to the market last.
//!
//! One sorted array would move half of itself at each level that comes or goes. Here it is cut into short blocks, each sorted,
//! in an order that is kept apart:
//!
//! ```text
//!   firsts   [ 12 ][ 95 ][ 410 ]      lowest key of each block: a search reads these first
//!   spans    [ #2 ][ #0 ][ #5  ]      which block of the pool, and how many levels it holds
//! ```
//!
//! A full block is split. The pool has room for twice the levels; when it runs out nevertheless, because levels went away in
//! between, all blocks are packed in one pass. Invariant: no block is empty, and nothing is allocated after construction.

use alloc::{vec, vec::Vec};

/// Levels in a block: a change moves at most so many.
const BLOCK_LEVELS: usize = 64;

/// Where a run of levels lies.
#[derive(Clone, Copy, Debug)]
struct Span {
    block: u16,
    len: u16,
}

/// A level's place: which span, and where in it.
#[derive(Clone, Copy, Debug)]
struct Spot {
    span: usize,
    at: usize,
}

/// Sorted levels, up to the number given first. Keys and quantities lie apart, so that a search reads keys only.
#[derive(Debug)]
pub(super) struct Far<const BLOCK: usize = BLOCK_LEVELS> {
    len: usize,
    firsts: Vec<u64>,
    spans: Vec<Span>,
    /// Blocks in no span.
    free: Vec<u16>,
    keys: Vec<[u64; BLOCK]>,
    quantities: Vec<[i64; BLOCK]>,
}

impl<const BLOCK: usize> Clone for Far<BLOCK> {
    /// Keeps the capacities, which a derived clone would not.
    fn clone(&self) -> Self {
        let mut copy = Self {
            len: self.len,
            firsts: Vec::with_capacity(self.firsts.capacity()),
            spans: Vec::with_capacity(self.spans.capacity()),
            free: Vec::with_capacity(self.free.capacity()),
            keys: self.keys.clone(),
            quantities: self.quantities.clone(),
        };
        copy.firsts.extend_from_slice(&self.firsts);
        copy.spans.extend_from_slice(&self.spans);
        copy.free.extend_from_slice(&self.free);
        copy
    }
}

/// Blocks in the pool of a side with this many levels at most: twice what they fill.
const fn pool_blocks(levels_max: usize, block: usize) -> usize {
    (2 * levels_max).div_ceil(block) + 1
}

/// Bytes that a side's far levels take.
pub(super) const fn far_bytes(levels_max: usize) -> usize {
    let index = size_of::<u64>() + size_of::<Span>() + size_of::<u16>();
    pool_blocks(levels_max, BLOCK_LEVELS) * (BLOCK_LEVELS * 16 + index)
}

impl<const BLOCK: usize> Far<BLOCK> {
    /// Packing leaves an eighth of a block free, so that the next levels do not split it again.
    const PACKED: usize = BLOCK - BLOCK / 8;

    pub(super) fn new(levels_max: usize) -> Self {
        let blocks = pool_blocks(levels_max, BLOCK);
        debug_assert!(blocks <= usize::from(u16::MAX), "a block has a number");
        Self {
            len: 0,
            firsts: Vec::with_capacity(blocks),
            spans: Vec::with_capacity(blocks),
            free: (0..blocks as u16).rev().collect(),
            keys: vec![[0; BLOCK]; blocks],
            quantities: vec![[0; BLOCK]; blocks],
        }
    }

    pub(super) fn clear(&mut self) {
        self.free
            .extend(self.spans.drain(..).map(|span| span.block));
        self.firsts.clear();
        self.len = 0;
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// All levels, the nearest to the market first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, i64)> {
        self.spans.iter().rev().flat_map(|span| {
            let (block, len) = (usize::from(span.block), usize::from(span.len));
            let keys = self.keys[block][..len].iter().rev();
            let quantities = self.quantities[block][..len].iter().rev();
            keys.copied().zip(quantities.copied())
        })
    }

    pub(super) fn last_key(&self) -> Option<u64> {
        let span = self.spans.last()?;
        Some(self.keys[usize::from(span.block)][usize::from(span.len) - 1])
    }

    pub(super) fn quantity_at(&self, key: u64) -> i64 {
        match self.find(key) {
            Ok(spot) => self.quantities[self.block(spot.span)][spot.at],
            Err(_) => 0,
        }
    }

    /// Sets or deletes a level. Returns whether it was there.
    pub(super) fn set(&mut self, key: u64, quantity: i64) -> bool {
        match (self.find(key), quantity) {
            (Ok(spot), 0) => {
                self.remove(spot);
                true
            }
            (Ok(spot), _) => {
                let block = self.block(spot.span);
                self.quantities[block][spot.at] = quantity;
                true
            }
            (Err(_), 0) => false,
            (Err(spot), _) => {
                self.insert(spot, key, quantity);
                false
            }
        }
    }

    /// Adds a level at the end; the caller keeps the order or mends it by `reverse_from`.
    pub(super) fn push(&mut self, key: u64, quantity: i64) {
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
        self.put(Spot { span: last, at }, key, quantity);
        self.spans[last].len += 1;
        self.len += 1;
    }

    /// Takes the last level if its key is at least `key_min`.
    pub(super) fn pop_from(&mut self, key_min: u64) -> Option<(u64, i64)> {
        let span = *self.spans.last()?;
        let (block, at) = (usize::from(span.block), usize::from(span.len) - 1);
        let (key, quantity) = (self.keys[block][at], self.quantities[block][at]);
        if key < key_min {
            return None;
        }
        self.remove(Spot {
            span: self.spans.len() - 1,
            at,
        });
        Some((key, quantity))
    }

    /// Turns round the order of all levels from this place on, counted from the worst.
    pub(super) fn reverse_from(&mut self, place: usize) {
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

    /// Forgets the `count` worst levels.
    pub(super) fn drop_worst(&mut self, count: usize) {
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
            self.quantities[block].copy_within(rest..len, 0);
            self.spans[0].len -= rest as u16;
            self.firsts[0] = self.keys[block][0];
        }
    }

    /// Where a key is, or where it would come.
    fn find(&self, key: u64) -> Result<Spot, Spot> {
        let span = self
            .firsts
            .partition_point(|first| *first <= key)
            .saturating_sub(1);
        let Some(found) = self.spans.get(span) else {
            return Err(Spot { span, at: 0 });
        };
        let keys = &self.keys[usize::from(found.block)][..usize::from(found.len)];
        match keys.binary_search(&key) {
            Ok(at) => Ok(Spot { span, at }),
            Err(at) => Err(Spot { span, at }),
        }
    }

    fn insert(&mut self, spot: Spot, key: u64, quantity: i64) {
        if spot.span == self.spans.len() {
            return self.push(key, quantity);
        }
        if self.span_len(spot.span) == BLOCK {
            return self.insert_into_full(spot, key, quantity);
        }
        let (block, len) = (self.block(spot.span), self.span_len(spot.span));
        self.keys[block].copy_within(spot.at..len, spot.at + 1);
        self.quantities[block].copy_within(spot.at..len, spot.at + 1);
        self.put(spot, key, quantity);
        self.spans[spot.span].len += 1;
        self.firsts[spot.span] = self.keys[block][0];
        self.len += 1;
    }

    /// Splits the block, after packing where the pool has no other; that may give the key another place.
    fn insert_into_full(&mut self, spot: Spot, key: u64, quantity: i64) {
        if self.free.is_empty() {
            self.pack();
        } else {
            self.split(spot.span);
        }
        if let Err(spot) = self.find(key) {
            self.insert(spot, key, quantity);
        }
    }

    /// Moves the upper half of a block into one of its own.
    fn split(&mut self, span: usize) {
        let (lower, len) = (self.block(span), self.span_len(span));
        let kept = len / 2;
        let block = self.take_block();
        let (keys, quantities) = (self.keys[lower], self.quantities[lower]);
        let upper = usize::from(block);
        self.keys[upper][..len - kept].copy_from_slice(&keys[kept..len]);
        self.quantities[upper][..len - kept].copy_from_slice(&quantities[kept..len]);
        self.spans[span].len = kept as u16;
        let len = (len - kept) as u16;
        self.spans.insert(span + 1, Span { block, len });
        self.firsts.insert(span + 1, keys[kept]);
    }

    fn remove(&mut self, spot: Spot) {
        let (block, len) = (self.block(spot.span), self.span_len(spot.span));
        self.len -= 1;
        if len == 1 {
            self.free.push(self.spans.remove(spot.span).block);
            self.firsts.remove(spot.span);
            return;
        }
        self.keys[block].copy_within(spot.at + 1..len, spot.at);
        self.quantities[block].copy_within(spot.at + 1..len, spot.at);
        self.spans[spot.span].len -= 1;
        self.firsts[spot.span] = self.keys[block][0];
    }

    /// A block of the pool. The pool is never empty behind a packing: it has room for twice the levels.
    fn take_block(&mut self) -> u16 {
        if self.free.is_empty() {
            self.pack();
        }
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

    /// Moves the first levels of one block behind those of another, until that holds what a packed one does.
    fn shift_down(&mut self, from: usize, into: usize) {
        let (source, target) = (self.block(from), self.block(into));
        let (source_len, target_len) = (self.span_len(from), self.span_len(into));
        let count = Self::PACKED.saturating_sub(target_len).min(source_len);
        let (keys, quantities) = (self.keys[source], self.quantities[source]);
        self.keys[target][target_len..target_len + count].copy_from_slice(&keys[..count]);
        self.quantities[target][target_len..target_len + count]
            .copy_from_slice(&quantities[..count]);
        self.keys[source].copy_within(count..source_len, 0);
        self.quantities[source].copy_within(count..source_len, 0);
        self.spans[from].len -= count as u16;
        self.spans[into].len += count as u16;
    }

    /// The place of a level counted from the worst; there is one.
    fn spot_of(&self, place: usize) -> Spot {
        let (mut span, mut from_end) = (self.spans.len() - 1, self.len - place);
        while from_end > self.span_len(span) {
            from_end -= self.span_len(span);
            span -= 1;
        }
        let at = self.span_len(span) - from_end;
        Spot { span, at }
    }

    /// The next place towards the market.
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

    /// The next place away from the market, which there is.
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

    fn at(&self, spot: Spot) -> (u64, i64) {
        let block = self.block(spot.span);
        (self.keys[block][spot.at], self.quantities[block][spot.at])
    }

    fn put(&mut self, spot: Spot, key: u64, quantity: i64) {
        let block = self.block(spot.span);
        self.keys[block][spot.at] = key;
        self.quantities[block][spot.at] = quantity;
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

    /// What a ladder does with its far side.
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

    fn check(far: &Far<BLOCK>, map: &BTreeMap<u64, i64>) {
        let levels: Vec<(u64, i64)> = map
            .iter()
            .rev()
            .map(|(key, quantity)| (*key, *quantity))
            .collect();
        assert_eq!(far.iter().collect::<Vec<_>>(), levels);
        assert_eq!(far.len(), map.len());
        assert_eq!(far.last_key(), levels.first().map(|level| level.0));
        assert!(
            far.spans.iter().all(|span| span.len > 0),
            "no block is empty"
        );
        assert_eq!(
            far.spans.len() + far.free.len(),
            pool_blocks(LEVELS_MAX, BLOCK)
        );
        for key in 0..400 {
            assert_eq!(far.quantity_at(key), map.get(&key).copied().unwrap_or(0));
        }
    }

    fn play(far: &mut Far<BLOCK>, map: &mut BTreeMap<u64, i64>, act: &Act) {
        match *act {
            Act::Set(key, quantity) => {
                if map.len() == LEVELS_MAX && !map.contains_key(&key) {
                    return;
                }
                let was_there = map.remove(&key).is_some();
                if quantity != 0 {
                    map.insert(key, quantity);
                }
                assert_eq!(far.set(key, quantity), was_there);
            }
            Act::Push(count) => {
                let count = count.min(LEVELS_MAX - map.len());
                let (place, base) = (
                    far.len(),
                    map.last_key_value().map_or(0, |(key, _)| key + 1),
                );
                for step in (0..count as u64).rev() {
                    far.push(base + step * 3, 9);
                    map.insert(base + step * 3, 9);
                }
                far.reverse_from(place);
            }
            Act::PopFrom(key_min) => {
                let expected = map.split_off(&key_min).into_iter().rev();
                for level in expected {
                    assert_eq!(far.pop_from(key_min), Some(level));
                }
                assert_eq!(far.pop_from(key_min), None);
            }
            Act::DropWorst(count) => {
                let count = count.min(map.len());
                far.drop_worst(count);
                for _ in 0..count {
                    map.pop_first();
                }
            }
            Act::Clear => {
                far.clear();
                map.clear();
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn levels_are_those_of_a_sorted_map(acts in acts()) {
            let (mut far, mut map) = (Far::<BLOCK>::new(LEVELS_MAX), BTreeMap::new());
            let capacity = far.firsts.capacity();
            for act in &acts {
                play(&mut far, &mut map, act);
            }
            check(&far, &map);
            check(&far.clone(), &map);
            prop_assert_eq!(far.firsts.capacity(), capacity);
        }
    }

    #[test]
    fn a_pool_full_of_single_levels_is_packed() {
        let (mut far, mut map) = (Far::<BLOCK>::new(LEVELS_MAX), BTreeMap::new());
        // Each round fills a block up to its split and takes nearly all of it away again.
        for round in 0..200u64 {
            let keys = (0..2 * BLOCK as u64).map(|step| round % 20 * 20 + step);
            for key in keys.clone() {
                play(&mut far, &mut map, &Act::Set(key, key.cast_signed() + 1));
            }
            for key in keys.skip(1).filter(|key| key % 7 != 0) {
                play(&mut far, &mut map, &Act::Set(key, 0));
            }
            check(&far, &map);
        }
    }
}
