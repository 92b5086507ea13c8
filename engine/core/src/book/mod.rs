//! The order book by price level (L2): what stands at each price of one instrument, and the best of it at once.
//!
//! A venue sends absolute quantities: `set` stores one, a quantity of zero deletes the level. The plain algorithm is
//! a sorted map per side (`naive`, the twin that tests compare with). This one spends its memory where the market is:
//!
//! ```text
//!   worse prices                                             better prices
//!   ── far: sorted blocks ─┤├──────────── window, 32,768 ticks ────────────┤
//!   nearest the market last  one quantity a tick, a bit for "occupied"   ^best
//! ```
//!
//! - Prices become keys first (`grid`): ticks from zero, mirrored for asks, so that on both sides the larger key is
//!   the better price and one `Ladder` serves both. Division by the tick is one multiplication and exact.
//! - The window is a ring indexed by the low bits of the key. Moving it moves only the levels that enter or leave.
//! - The best key is cached. Only deleting the best level searches, in two levels of bits.
//!
//! Invariant: no allocation after construction. Every level is in the window or in the far blocks, never in both;
//! every far level is worse than the window; a side that is not empty has its best level in the window.
//!
//! What a book refuses or forgets it counts (`refused_count`, `evicted_count`; `dropped_count` is their sum):
//! - refused: a price that is not a positive multiple of the tick, or a negative quantity. The book stays as it was.
//! - evicted: a side grew beyond `LEVELS_PER_SIDE_MAX`, and its worst levels were forgotten. What is evicted depends
//!   only on the levels, never on where the window lies.
//!
//! Measured alternatives stand in the crate's DESIGN.md.

mod grid;
mod ladder;
#[cfg(any(test, feature = "twins"))]
pub mod naive;
mod occupancy;

use crate::{
    blocks::block_bytes,
    event::{Level, Side},
    hash::StateHasher,
    snapshot::{Decoder, Encoder, SnapshotError, Tag},
};
use grid::Grid;
use ladder::Ladder;

/// Ticks on one page of the window: the bits of a word.
pub const PAGE_TICKS: usize = 64;
/// Pages of a side's window: 32,768 ticks hold 90-99 % of the changes recorded at the finest real ticks (BTC and ETH,
/// 0.01 and 0.10). Half as many hold 79 % for spot BTC; twice as many take half as much memory again for 2 % more.
pub const WINDOW_PAGES: usize = 512;
/// Most levels that a side keeps. Real books of BTC perpetuals reach 5,000 within minutes.
pub const LEVELS_PER_SIDE_MAX: usize = 16_384;
/// A side that grows beyond its bound forgets this part of it at once, so that a full book stays cheap.
pub const EVICTED_PART: usize = 16;

/// Bytes that a book with the default bounds takes: quantities, bits and far blocks of both sides.
pub const BOOK_BYTES: usize =
    2 * (WINDOW_PAGES * (PAGE_TICKS + 1) * 8 + block_bytes(LEVELS_PER_SIDE_MAX + 1));
const SECTION: Tag = Tag(*b"BOOK");
const _: () = assert!(BOOK_BYTES < 2 << 20, "128 books fit into 256 MiB");

/// Bytes of one level in a snapshot.
const LEVEL_BYTES: usize = 16;

/// How many of its worst levels a side forgets when it outgrows `levels_max`.
const fn evicted_at_once(levels_max: usize) -> usize {
    let part = levels_max / EVICTED_PART;
    if part == 0 { 1 } else { part }
}

/// The book of one instrument. `PAGES` sets the width of the window; leave it at its default.
#[derive(Clone, Debug)]
pub struct Book<const PAGES: usize = WINDOW_PAGES> {
    grid: Grid,
    ladders: [Ladder<PAGES>; 2],
    refused_count: u64,
}

impl Book {
    /// An empty book whose prices are multiples of `tick`, a price mantissa. Instruments are checked to have a
    /// positive tick; anything less counts as 1.
    pub fn new(tick: i64) -> Self {
        Self::with_bound(tick, LEVELS_PER_SIDE_MAX)
    }
}

impl<const PAGES: usize> Book<PAGES> {
    /// An empty book that keeps at most `levels_max` levels a side (at least 1).
    pub fn with_bound(tick: i64, levels_max: usize) -> Self {
        let ladder = Ladder::new(levels_max.max(1));
        Self {
            grid: Grid::new(tick),
            ladders: [ladder.clone(), ladder],
            refused_count: 0,
        }
    }

    /// Forgets all levels. The counters stay.
    #[cold]
    #[inline(never)]
    pub fn clear(&mut self) {
        for ladder in &mut self.ladders {
            ladder.clear();
        }
    }

    /// Sets the quantity that stands at a price; 0 deletes the level, which need not exist.
    // Always: saving and restoring registers took as long as the change itself.
    #[inline(always)]
    pub fn set(&mut self, side: Side, level: Level) {
        match self.grid.key(side, level.price) {
            Some(key) if level.quantity >= 0 => {
                self.ladders[index(side)].set(key, level.quantity);
            }
            _ => self.refused_count += 1,
        }
    }

    /// The best level of a side.
    #[inline]
    pub fn best(&self, side: Side) -> Option<Level> {
        let (key, quantity) = self.ladders[index(side)].best()?;
        Some(self.level(side, key, quantity))
    }

    /// What stands at a price; 0 when nothing does.
    #[inline]
    pub fn quantity_at(&self, side: Side, price: i64) -> i64 {
        match self.grid.key(side, price) {
            Some(key) => self.ladders[index(side)].quantity_at(key),
            None => 0,
        }
    }

    /// Copies the best levels, best first, and says how many.
    pub fn top(&self, side: Side, out: &mut [Level]) -> usize {
        let mut count = 0;
        for (slot, level) in out.iter_mut().zip(self.levels(side)) {
            *slot = level;
            count += 1;
        }
        count
    }

    /// All levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> {
        self.ladders[index(side)]
            .iter()
            .map(move |(key, quantity)| self.level(side, key, quantity))
    }

    /// How many levels a side has.
    #[inline]
    pub fn depth(&self, side: Side) -> usize {
        self.ladders[index(side)].depth()
    }

    /// True when the best bid is at or above the best ask.
    #[inline]
    pub fn is_crossed(&self) -> bool {
        match (self.best(Side::Bid), self.best(Side::Ask)) {
            (Some(bid), Some(ask)) => bid.price >= ask.price,
            _ => false,
        }
    }

    /// Folds in the levels, best first, and the counters. Books with the same levels and counters give the same
    /// words, wherever their windows lie.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.signed(self.grid.tick());
        hasher.word(self.refused_count);
        hasher.word(self.evicted_count());
        for side in [Side::Bid, Side::Ask] {
            hasher.word(self.depth(side) as u64);
            for level in self.levels(side) {
                hasher.signed(level.price);
                hasher.signed(level.quantity);
            }
        }
    }

    /// Writes the levels, best first, where each window lies, and the counters.
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.section(SECTION);
        out.u64(self.refused_count);
        for side in [Side::Bid, Side::Ask] {
            let ladder = &self.ladders[index(side)];
            out.u64(ladder.evicted_count());
            out.u64(ladder.base());
            out.length(ladder.depth());
            for level in self.levels(side) {
                out.i64(level.price);
                out.i64(level.quantity);
            }
        }
    }

    /// Reads into an empty book of the same tick and bounds.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        self.refused_count = from.count()?;
        for side in [Side::Bid, Side::Ask] {
            let (evicted_count, base) = (from.count()?, from.u64()?);
            let ladder = &mut self.ladders[index(side)];
            let is_base = ladder.start_load(evicted_count, base);
            from.expect(is_base, "a window within the range of keys")?;
            let mut key_before = u64::MAX;
            for _ in 0..from.length(ladder.levels_max(), LEVEL_BYTES)? {
                let (price, quantity) = (from.i64()?, from.i64()?);
                let key = self.grid.key(side, price);
                let key = key.ok_or_else(|| from.invalid("a positive multiple of the tick"))?;
                from.expect(quantity > 0, "a positive quantity")?;
                from.expect(key < key_before, "levels from the best to the worst")?;
                key_before = key;
                let is_placed = ladder.load_level(key, quantity);
                from.expect(is_placed, "the best level within the window")?;
            }
            ladder.end_load();
        }
        Ok(())
    }

    /// Levels that were given and are not kept: refused or evicted. Clearing does not reset it.
    pub const fn dropped_count(&self) -> u64 {
        self.refused_count + self.evicted_count()
    }

    /// Levels refused: price not a positive multiple of the tick, or quantity negative.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Levels forgotten because a side outgrew its bound, the worst first.
    pub const fn evicted_count(&self) -> u64 {
        self.ladders[0].evicted_count() + self.ladders[1].evicted_count()
    }

    #[inline]
    fn level(&self, side: Side, key: u64, quantity: i64) -> Level {
        Level {
            price: self.grid.price(side, key),
            quantity,
        }
    }
}

#[inline]
const fn index(side: Side) -> usize {
    match side {
        Side::Bid => 0,
        Side::Ask => 1,
    }
}
