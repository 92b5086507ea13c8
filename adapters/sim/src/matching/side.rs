//! The price levels of one side, in a vector whose last element is the best.
//!
//! Invariant: strictly ascending by price times the side's sign; never longer than its bound.

use acth_core::event::{Level, Side};

use super::NONE;

/// One price level: total quantity and both ends of its FIFO list of orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct LevelRow {
    pub(super) price: i64,
    pub(super) quantity: i64,
    /// Oldest order; trades first.
    pub(super) head: u32,
    /// Youngest order.
    pub(super) tail: u32,
}

impl LevelRow {
    pub(super) const fn level(&self) -> Level {
        Level {
            price: self.price,
            quantity: self.quantity,
        }
    }
}

/// The levels of one side.
#[derive(Clone, Debug)]
pub(super) struct SideLevels {
    rows: Vec<LevelRow>,
    sign: i64,
    levels_max: usize,
}

impl SideLevels {
    pub(super) fn new(side: Side, levels_max: usize) -> Self {
        Self {
            rows: Vec::with_capacity(levels_max),
            sign: side.sign(),
            levels_max,
        }
    }

    pub(super) const fn count(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn best(&self) -> Option<&LevelRow> {
        self.rows.last()
    }

    pub(super) fn best_first(&self) -> impl Iterator<Item = &LevelRow> {
        self.rows.iter().rev()
    }

    pub(super) fn find(&self, price: i64) -> Option<&LevelRow> {
        self.position(price).ok().map(|index| &self.rows[index])
    }

    pub(super) fn find_mut(&mut self, price: i64) -> Option<&mut LevelRow> {
        self.position(price).ok().map(|index| &mut self.rows[index])
    }

    pub(super) fn has_room_for(&self, price: i64) -> bool {
        self.rows.len() < self.levels_max || self.position(price).is_ok()
    }

    pub(super) fn find_or_insert(&mut self, price: i64) -> &mut LevelRow {
        let index = match self.position(price) {
            Ok(index) => index,
            Err(index) => {
                let row = LevelRow {
                    price,
                    quantity: 0,
                    head: NONE,
                    tail: NONE,
                };
                self.rows.insert(index, row);
                index
            }
        };
        &mut self.rows[index]
    }

    pub(super) fn remove(&mut self, price: i64) {
        if let Ok(index) = self.position(price) {
            self.rows.remove(index);
        }
    }

    fn position(&self, price: i64) -> Result<usize, usize> {
        let key = price * self.sign;
        self.rows
            .binary_search_by(|row| (row.price * self.sign).cmp(&key))
    }
}
