//! One side of a displayed book, as the paper venue needs it: what stands there and what our orders took of it.
//!
//! Sorted in short blocks by price times the side's sign, the best last.
//!
//! Invariant: 0 <= consumed <= quantity; never more levels than the bound (the worst gives way).

use acth_core::{
    blocks::SortedBlocks,
    event::{Level, Side},
};

/// A displayed level and our own mark on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shown {
    quantity: i64,
    /// What our marketable orders took since the venue last said something about this level.
    consumed: i64,
}

impl Shown {
    const fn left(self) -> i64 {
        self.quantity - self.consumed
    }
}

/// The levels of one side.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    levels: SortedBlocks<Shown>,
    sign: i64,
    levels_max: usize,
}

/// Turns signed numbers into unsigned ones of the same order.
const SIGN_BIT: u64 = 1 << 63;

impl Ladder {
    pub(super) fn new(side: Side, levels_max: usize) -> Self {
        Self {
            levels: SortedBlocks::new(levels_max),
            sign: side.sign(),
            levels_max,
        }
    }

    pub(super) fn clear(&mut self) {
        self.levels.clear();
    }

    /// What the venue says about a level; 0 deletes it. Whatever we had consumed there is forgotten.
    pub(super) fn set(&mut self, level: Level) {
        let key = self.key(level.price);
        let shown = Shown {
            quantity: level.quantity,
            consumed: 0,
        };
        if level.quantity == 0 {
            self.levels.remove(key);
        } else if let Some(known) = self.levels.get_mut(key) {
            *known = shown;
        } else {
            self.insert(key, shown);
        }
    }

    /// What the venue says about its best level: nothing better is left. A repeated quantity is no news.
    pub(super) fn set_best(&mut self, level: Level) {
        if level.quantity == 0 {
            return;
        }
        let key = self.key(level.price);
        while key < u64::MAX && self.levels.pop_from(key + 1).is_some() {}
        let is_known = self
            .levels
            .last()
            .is_some_and(|(best, shown)| best == key && shown.quantity == level.quantity);
        if !is_known {
            self.set(level);
        }
    }

    /// Best price with something left to take.
    pub(super) fn best_available(&self) -> Option<i64> {
        let mut best_first = self.levels.iter();
        let (key, _) = best_first.find(|(_, shown)| shown.left() > 0)?;
        Some(self.price(key))
    }

    /// What can be taken at `limit` or better.
    pub(super) fn available(&self, limit: i64) -> i64 {
        let limit = self.key(limit);
        let reachable = self.levels.iter().take_while(|(key, _)| *key >= limit);
        reachable.fold(0i64, |sum, (_, shown)| sum.saturating_add(shown.left()))
    }

    /// Takes up to `quantity` from the best level that has something left at `limit` or better.
    pub(super) fn take_best(&mut self, limit: i64, quantity: i64) -> Option<Level> {
        let limit = self.key(limit);
        let (key, shown) = self
            .levels
            .iter()
            .take_while(|(key, _)| *key >= limit)
            .find(|(_, shown)| quantity.min(shown.left()) > 0)?;
        let taken = quantity.min(shown.left());
        self.levels.get_mut(key)?.consumed += taken;
        Some(Level {
            price: self.price(key),
            quantity: taken,
        })
    }

    /// The displayed quantity that an order joining at this price queues behind. Beyond the worst known level nothing
    /// is known, so everything may be ahead.
    pub(super) fn queue_at(&self, price: i64) -> i64 {
        let key = self.key(price);
        match self.levels.first_key() {
            Some(worst) if worst <= key => {}
            _ => return i64::MAX,
        }
        self.levels.get(key).map_or(0, Shown::left)
    }

    /// Full, the worst level gives way to a better one; a worse one is not kept.
    fn insert(&mut self, key: u64, shown: Shown) {
        if self.levels.len() == self.levels_max {
            if self.levels.first_key().is_none_or(|worst| key < worst) {
                return;
            }
            self.levels.drop_first(1);
        }
        self.levels.set(key, shown);
    }

    const fn key(&self, price: i64) -> u64 {
        (price * self.sign).cast_unsigned() ^ SIGN_BIT
    }

    const fn price(&self, key: u64) -> i64 {
        (key ^ SIGN_BIT).cast_signed() * self.sign
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEVELS_MAX: usize = 70;

    /// The plain algorithm: levels in a vector, the best first.
    #[derive(Default)]
    struct Plain(Vec<(i64, Shown)>);

    impl Plain {
        fn set(&mut self, sign: i64, level: Level) {
            let worse = |price: i64| price * sign < level.price * sign;
            self.0
                .retain(|(price, _)| *price != level.price || level.quantity != 0);
            let shown = Shown {
                quantity: level.quantity,
                consumed: 0,
            };
            if let Some(known) = self.0.iter_mut().find(|(price, _)| *price == level.price) {
                known.1 = shown;
            } else if level.quantity != 0 {
                let at = self.0.iter().position(|(price, _)| worse(*price));
                self.0
                    .insert(at.unwrap_or(self.0.len()), (level.price, shown));
                self.0.truncate(LEVELS_MAX);
            }
        }

        fn set_best(&mut self, sign: i64, level: Level) {
            if level.quantity == 0 {
                return;
            }
            self.0
                .retain(|(price, _)| price * sign <= level.price * sign);
            let best = self.0.first();
            if best.is_none_or(|(price, shown)| {
                (*price, shown.quantity) != (level.price, level.quantity)
            }) {
                self.set(sign, level);
            }
        }

        fn take_best(&mut self, sign: i64, limit: i64, quantity: i64) -> Option<Level> {
            let reached = self
                .0
                .iter_mut()
                .filter(|(price, _)| price * sign >= limit * sign);
            let (price, shown) = reached.into_iter().find(|(_, shown)| shown.left() > 0)?;
            let quantity = quantity.min(shown.left());
            shown.consumed += quantity;
            Some(Level {
                price: *price,
                quantity,
            })
        }

        fn queue_at(&self, sign: i64, price: i64) -> i64 {
            if self
                .0
                .last()
                .is_none_or(|(worst, _)| worst * sign > price * sign)
            {
                return i64::MAX;
            }
            let found = self.0.iter().find(|(known, _)| *known == price);
            found.map_or(0, |(_, shown)| shown.left())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_side_equals_the_plain_one(
            is_bid in any::<bool>(),
            acts in prop::collection::vec((0u8..8, 1i64..160, 0i64..6), 0..500),
        ) {
            let side = if is_bid { Side::Bid } else { Side::Ask };
            let sign = side.sign();
            let (mut ladder, mut plain) = (Ladder::new(side, LEVELS_MAX), Plain::default());
            for (act, price, quantity) in acts {
                let level = Level { price, quantity };
                match act {
                    0 => {
                        // Near the best of an even spread, or most of the side would go at once.
                        let price = if is_bid { 140 + price / 8 } else { 20 - price / 8 };
                        ladder.set_best(Level { price, quantity });
                        plain.set_best(sign, Level { price, quantity });
                    }
                    1 if quantity > 0 => {
                        let taken = ladder.take_best(price, quantity);
                        prop_assert_eq!(taken, plain.take_best(sign, price, quantity));
                    }
                    _ => {
                        ladder.set(level);
                        plain.set(sign, level);
                    }
                }
                prop_assert_eq!(ladder.queue_at(price), plain.queue_at(sign, price));
                let reached = plain.0.iter().filter(|(known, _)| known * sign >= price * sign);
                prop_assert_eq!(ladder.available(price), reached.map(|(_, shown)| shown.left()).sum::<i64>());
                let best = plain.0.iter().find(|(_, shown)| shown.left() > 0);
                prop_assert_eq!(ladder.best_available(), best.map(|(price, _)| *price));
            }
        }
    }
}
