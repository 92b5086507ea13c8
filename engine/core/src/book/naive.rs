//! The plain book: a sorted map per side. Slow, obvious, and what the fast one is compared with.

use alloc::collections::BTreeMap;

use super::{LEVELS_PER_SIDE_MAX, evicted_at_once};
use crate::{
    event::{Level, Side},
    hash::StateHasher,
};

/// A book with the same interface and the same rules as `super::Book`.
#[derive(Clone, Debug)]
pub struct Book {
    tick: i64,
    levels_max: usize,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    refused_count: u64,
    evicted_count: u64,
}

impl Book {
    /// As `super::Book::new`.
    pub fn new(tick: i64) -> Self {
        Self::with_bound(tick, LEVELS_PER_SIDE_MAX)
    }

    /// As `super::Book::with_bound`.
    pub fn with_bound(tick: i64, levels_max: usize) -> Self {
        Self {
            tick: tick.max(1),
            levels_max: levels_max.max(1),
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            refused_count: 0,
            evicted_count: 0,
        }
    }

    /// Forgets all levels. The counters stay.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }

    /// Sets the quantity that stands at a price; 0 deletes the level, which need not exist.
    pub fn set(&mut self, side: Side, level: Level) {
        if level.price <= 0 || level.price % self.tick != 0 || level.quantity < 0 {
            self.refused_count += 1;
            return;
        }
        let levels = match side {
            Side::Bid => &mut self.bids,
            Side::Ask => &mut self.asks,
        };
        if level.quantity == 0 {
            levels.remove(&level.price);
            return;
        }
        levels.insert(level.price, level.quantity);
        if levels.len() > self.levels_max {
            for _ in 0..evicted_at_once(self.levels_max) {
                let _worst = match side {
                    Side::Bid => levels.pop_first(),
                    Side::Ask => levels.pop_last(),
                };
                self.evicted_count += 1;
            }
        }
    }

    /// The best level of a side.
    pub fn best(&self, side: Side) -> Option<Level> {
        self.levels(side).next()
    }

    /// What stands at a price; 0 when nothing does.
    pub fn quantity_at(&self, side: Side, price: i64) -> i64 {
        self.side(side).get(&price).copied().unwrap_or(0)
    }

    /// Copies the best levels, best first, and says how many.
    pub fn top(&self, side: Side, out: &mut [Level]) -> usize {
        let count = out.len().min(self.depth(side));
        for (slot, level) in out.iter_mut().zip(self.levels(side)) {
            *slot = level;
        }
        count
    }

    /// All levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> {
        let levels = self.side(side).iter();
        let (bids, asks) = match side {
            Side::Bid => (Some(levels.rev()), None),
            Side::Ask => (None, Some(levels)),
        };
        let best_first = bids.into_iter().flatten().chain(asks.into_iter().flatten());
        best_first.map(|(&price, &quantity)| Level { price, quantity })
    }

    /// How many levels a side has.
    pub fn depth(&self, side: Side) -> usize {
        self.side(side).len()
    }

    /// True when the best bid is at or above the best ask.
    pub fn is_crossed(&self) -> bool {
        match (self.best(Side::Bid), self.best(Side::Ask)) {
            (Some(bid), Some(ask)) => bid.price >= ask.price,
            _ => false,
        }
    }

    /// As `super::Book::digest`, word for word.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.signed(self.tick);
        hasher.word(self.refused_count);
        hasher.word(self.evicted_count);
        for side in [Side::Bid, Side::Ask] {
            hasher.word(self.depth(side) as u64);
            for level in self.levels(side) {
                hasher.signed(level.price);
                hasher.signed(level.quantity);
            }
        }
    }

    /// Levels that were given and are not kept: refused or evicted.
    pub const fn dropped_count(&self) -> u64 {
        self.refused_count + self.evicted_count
    }

    /// Levels refused: price not a positive multiple of the tick, or quantity negative.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Levels forgotten because a side outgrew its bound, the worst first.
    pub const fn evicted_count(&self) -> u64 {
        self.evicted_count
    }

    fn side(&self, side: Side) -> &BTreeMap<i64, i64> {
        match side {
            Side::Bid => &self.bids,
            Side::Ask => &self.asks,
        }
    }
}
