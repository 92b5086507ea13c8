//! Prices as keys: how many ticks from zero, mirrored for asks, so that the larger key is always the better price.
//!
//! Division by a tick that is fixed in advance: `tick = odd * 2^shift`. Multiplying by the inverse of `odd` modulo
//! 2^64 and rotating right by `shift` maps each multiple of the tick to its quotient, and everything else beyond the
//! largest quotient (Granlund and Montgomery 1994). One multiplication, one rotation and one comparison divide and
//! check at once; the hardware's division takes several times as long.

use crate::event::Side;

/// Largest number of ticks: a price is at most `i64::MAX` and a tick at least 1.
const TICKS_MAX: u64 = i64::MAX as u64;

/// Largest key of either side.
pub(super) const KEY_MAX: u64 = TICKS_MAX;

/// The price grid of one instrument.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    tick: i64,
    /// Inverse of the odd part of the tick modulo 2^64.
    inverse: u64,
    /// How often two divides the tick.
    shift: u32,
    /// Largest quotient of a positive price.
    quotient_max: u64,
}

impl Grid {
    /// The grid with this step; less than 1 counts as 1.
    pub(super) const fn new(tick: i64) -> Self {
        let tick = if tick < 1 { 1 } else { tick };
        let shift = tick.trailing_zeros();
        let odd = (tick >> shift).cast_unsigned();
        Self {
            tick,
            inverse: inverse_of_odd(odd),
            shift,
            quotient_max: TICKS_MAX / tick.cast_unsigned(),
        }
    }

    pub(super) const fn tick(&self) -> i64 {
        self.tick
    }

    /// The key of a price, if it is a positive multiple of the tick.
    #[inline]
    pub(super) const fn key(&self, side: Side, price: i64) -> Option<u64> {
        let product = price.cast_unsigned().wrapping_mul(self.inverse);
        let quotient = product.rotate_right(self.shift);
        // Zero wraps round and is refused by the same comparison.
        if quotient.wrapping_sub(1) >= self.quotient_max {
            return None;
        }
        Some(quotient ^ mirror(side))
    }

    /// The price of a key that `key` made.
    #[inline]
    pub(super) const fn price(&self, side: Side, key: u64) -> i64 {
        (key ^ mirror(side)).cast_signed() * self.tick
    }
}

/// What turns ticks into keys: nothing for bids, all 63 bits flipped for asks.
#[inline]
const fn mirror(side: Side) -> u64 {
    match side {
        Side::Bid => 0,
        Side::Ask => TICKS_MAX,
    }
}

/// Newton's iteration doubles the number of correct low bits; an odd number is its own inverse in the lowest three.
const fn inverse_of_odd(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut correct_bits = 3;
    while correct_bits < u64::BITS {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(inverse)));
        correct_bits *= 2;
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(tick: i64, price: i64) -> Option<u64> {
        (price > 0 && price % tick == 0).then(|| (price / tick) as u64)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn the_key_is_the_quotient(
            tick in prop_oneof![1i64..2_000, 1i64..=i64::MAX, (0u32..63).prop_map(|bits| 1 << bits)],
            count in any::<i64>(),
            offset in -2i64..=2,
        ) {
            let price = count.checked_rem(i64::MAX / tick).unwrap_or(0).wrapping_mul(tick).wrapping_add(offset);
            let grid = Grid::new(tick);
            prop_assert_eq!(grid.key(Side::Bid, price), plain(tick, price));
            for side in [Side::Bid, Side::Ask] {
                if let Some(key) = grid.key(side, price) {
                    prop_assert_eq!(grid.price(side, key), price);
                }
            }
        }
    }

    #[test]
    fn extremes_and_a_tick_below_one() {
        for tick in [1, 2, 10, i64::MAX] {
            let grid = Grid::new(tick);
            for price in [
                i64::MIN,
                i64::MIN + 1,
                -tick,
                -1,
                0,
                1,
                tick,
                i64::MAX - 1,
                i64::MAX,
            ] {
                assert_eq!(
                    grid.key(Side::Bid, price),
                    plain(tick, price),
                    "{tick} {price}"
                );
            }
        }
        assert_eq!(Grid::new(i64::MIN).key(Side::Bid, 7), Some(7));
    }
}
