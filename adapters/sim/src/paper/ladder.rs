//! One side of a displayed book, as the paper venue needs it: what stands there and what our orders took of it.
//!
//! A sorted vector of fixed capacity whose last element is the best: changes near the best move few elements.
//!
//! Invariant: strictly ascending by price times the side's sign; 0 <= consumed <= quantity; never longer than its
//! bound (the worst level gives way).

use acth_core::event::{Level, Side};

/// A displayed level and our own mark on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Row {
    price: i64,
    quantity: i64,
    /// What our marketable orders took since the venue last said something about this level.
    consumed: i64,
}

/// The levels of one side.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    rows: Vec<Row>,
    sign: i64,
    levels_max: usize,
}

impl Ladder {
    pub(super) fn new(side: Side, levels_max: usize) -> Self {
        Self {
            rows: Vec::with_capacity(levels_max),
            sign: side.sign(),
            levels_max,
        }
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
    }

    /// What the venue says about a level; 0 deletes it. Whatever we had consumed there is forgotten.
    pub(super) fn set(&mut self, level: Level) {
        match self.position(level.price) {
            Ok(index) if level.quantity == 0 => {
                self.rows.remove(index);
            }
            Ok(index) => {
                self.rows[index].quantity = level.quantity;
                self.rows[index].consumed = 0;
            }
            Err(_) if level.quantity == 0 => {}
            Err(index) => self.insert(index, level),
        }
    }

    /// What the venue says about its best level: nothing better is left. A repeated quantity is no news.
    pub(super) fn set_best(&mut self, level: Level) {
        if level.quantity == 0 {
            return;
        }
        let key = level.price * self.sign;
        while self
            .rows
            .last()
            .is_some_and(|row| row.price * self.sign > key)
        {
            self.rows.pop();
        }
        let is_known = self
            .rows
            .last()
            .is_some_and(|row| row.price == level.price && row.quantity == level.quantity);
        if !is_known {
            self.set(level);
        }
    }

    /// Best price with something left to take.
    pub(super) fn best_available(&self) -> Option<i64> {
        let mut best_first = self.rows.iter().rev();
        let row = best_first.find(|row| row.quantity > row.consumed)?;
        Some(row.price)
    }

    /// What can be taken at `limit` or better.
    pub(super) fn available(&self, limit: i64) -> i64 {
        let reachable = self
            .rows
            .iter()
            .rev()
            .take_while(|row| self.reaches(row, limit));
        reachable.fold(0i64, |sum, row| {
            sum.saturating_add(row.quantity - row.consumed)
        })
    }

    /// Takes up to `quantity` from the best level that has something left at `limit` or better.
    pub(super) fn take_best(&mut self, limit: i64, quantity: i64) -> Option<Level> {
        let best_first = (0..self.rows.len()).rev();
        for index in best_first {
            let row = self.rows[index];
            if !self.reaches(&row, limit) {
                return None;
            }
            let taken = quantity.min(row.quantity - row.consumed);
            if taken > 0 {
                self.rows[index].consumed += taken;
                return Some(Level {
                    price: row.price,
                    quantity: taken,
                });
            }
        }
        None
    }

    /// The displayed quantity that an order joining at this price queues behind. Beyond the worst known level nothing
    /// is known, so everything may be ahead.
    pub(super) fn queue_at(&self, price: i64) -> i64 {
        match self.rows.first() {
            Some(worst) if worst.price * self.sign <= price * self.sign => {}
            _ => return i64::MAX,
        }
        self.position(price).map_or(0, |index| {
            self.rows[index].quantity - self.rows[index].consumed
        })
    }

    const fn reaches(&self, row: &Row, limit: i64) -> bool {
        row.price * self.sign >= limit * self.sign
    }

    fn insert(&mut self, index: usize, level: Level) {
        let row = Row {
            price: level.price,
            quantity: level.quantity,
            consumed: 0,
        };
        if self.rows.len() < self.levels_max {
            self.rows.insert(index, row);
        } else if index > 0 {
            // Full: the worst level, at the front, gives way to a better one.
            self.rows.remove(0);
            self.rows.insert(index - 1, row);
        }
    }

    fn position(&self, price: i64) -> Result<usize, usize> {
        let key = price * self.sign;
        self.rows
            .binary_search_by(|row| (row.price * self.sign).cmp(&key))
    }
}
