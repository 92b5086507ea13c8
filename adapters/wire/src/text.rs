//! Text that is written into bytes that are there already: no check of a capacity, no call for a few bytes.
//!
//! Invariant: what does not fit is left out and said by `finish`, so a caller that reckoned its room wrong cannot send half a text
//! unawares.

use crate::decimal::{EXPONENT_MAX, POWERS_OF_TEN};

/// Most digits of 64 bits.
pub(crate) const DIGITS_MAX: usize = 20;

/// The pairs of digits from 00 to 99, one after the other.
const PAIRS: [[u8; 2]; 100] = pairs();

const fn pairs() -> [[u8; 2]; 100] {
    let mut pairs = [[0; 2]; 100];
    let mut index = 0;
    while index < pairs.len() {
        pairs[index] = [b'0' + (index / 10) as u8, b'0' + (index % 10) as u8];
        index += 1;
    }
    pairs
}

/// Writes the last `target.len()` digits of `value`, with leading zeros where it has fewer.
#[inline]
fn fill(mut value: u64, target: &mut [u8]) {
    let (odd, pairs) = target.as_rchunks_mut::<2>();
    for pair in pairs.iter_mut().rev() {
        *pair = PAIRS[(value % 100) as usize];
        value /= 100;
    }
    if let [digit] = odd {
        *digit = b'0' + (value % 10) as u8;
    }
}

/// How many digits `value` has; 1 for zero.
#[inline]
fn digit_count(value: u64) -> usize {
    value.checked_ilog10().unwrap_or(0) as usize + 1
}

/// The digits of a number, to be written more than once.
#[derive(Clone, Copy)]
pub(crate) struct Digits {
    bytes: [u8; DIGITS_MAX],
    count: usize,
}

impl Digits {
    #[inline]
    pub(crate) fn of(value: u64) -> Self {
        let count = digit_count(value);
        let mut bytes = [b'0'; DIGITS_MAX];
        fill(value, &mut bytes[..count]);
        Self { bytes, count }
    }
}

/// The place behind what was written so far.
pub(crate) struct Text<'a> {
    bytes: &'a mut [u8],
    length: usize,
    is_whole: bool,
}

impl<'a> Text<'a> {
    pub(crate) fn over(bytes: &'a mut [u8]) -> Self {
        Self {
            bytes,
            length: 0,
            is_whole: true,
        }
    }

    /// How many bytes were written, if all were.
    pub(crate) fn finish(self) -> Option<usize> {
        self.is_whole.then_some(self.length)
    }

    /// The next `count` bytes.
    #[inline(always)]
    fn room(&mut self, count: usize) -> &mut [u8] {
        let first = self.length;
        if count > self.bytes.len() - first {
            self.is_whole = false;
            return &mut [];
        }
        self.length += count;
        &mut self.bytes[first..first + count]
    }

    /// Bytes whose number the compiler knows: a few stores.
    #[inline(always)]
    pub(crate) fn fixed<const COUNT: usize>(&mut self, bytes: &[u8; COUNT]) {
        if let Some(room) = self.room(COUNT).first_chunk_mut::<COUNT>() {
            *room = *bytes;
        }
    }

    /// Any bytes.
    #[inline]
    pub(crate) fn any(&mut self, bytes: &[u8]) {
        let room = self.room(bytes.len());
        if room.len() == bytes.len() {
            room.copy_from_slice(bytes);
        }
    }

    /// A number that was made before: all of its bytes are stored, which is one length for all, and what is too many is written over.
    #[inline]
    pub(crate) fn digits(&mut self, digits: &Digits) {
        let wide = self.bytes[self.length..].first_chunk_mut::<DIGITS_MAX>();
        match wide {
            Some(room) => {
                *room = digits.bytes;
                self.length += digits.count;
            }
            None => self.any(&digits.bytes[..digits.count]),
        }
    }

    /// A number without sign.
    #[inline]
    pub(crate) fn number(&mut self, value: u64) {
        fill(value, self.room(digit_count(value)));
    }

    /// As `decimal::write` would write it.
    #[inline]
    pub(crate) fn decimal(&mut self, mantissa: i64, exponent: u8) {
        if mantissa < 0 {
            self.fixed(b"-");
        }
        let places = exponent.min(EXPONENT_MAX);
        let (value, unit) = (mantissa.unsigned_abs(), POWERS_OF_TEN[usize::from(places)]);
        self.number(value / unit);
        if places > 0 {
            self.fixed(b".");
            fill(value % unit, self.room(usize::from(places)));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use proptest::prelude::*;

    use super::*;
    use crate::decimal::{self, TEXT_BYTES_MAX};

    fn text(write: impl FnOnce(&mut Text<'_>)) -> String {
        let mut bytes = [b'?'; 64];
        let mut text = Text::over(&mut bytes);
        write(&mut text);
        let length = text.finish().unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    }

    #[test]
    fn every_length_of_a_number_is_written() {
        let powers = POWERS_OF_TEN.iter().flat_map(|power| [*power - 1, *power]);
        for value in powers.chain([u64::MAX - 1, u64::MAX]) {
            assert_eq!(text(|text| text.number(value)), value.to_string());
            let digits = Digits::of(value);
            assert_eq!(text(|text| text.digits(&digits)), value.to_string());
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let writes: [fn(&mut Text<'_>); 5] = [
            |text| text.fixed(b"12345"),
            |text| text.any(b"12345"),
            |text| text.number(12_345),
            |text| text.digits(&Digits::of(12_345)),
            |text| text.decimal(-123, 2),
        ];
        for (index, write) in writes.into_iter().enumerate() {
            for room in 0..5_usize {
                let mut bytes = [0; 4];
                let mut text = Text::over(&mut bytes[..room.min(4)]);
                write(&mut text);
                assert_eq!(text.finish(), None, "{index} in {room}");
            }
            let mut bytes = [0; 5];
            let mut text = Text::over(&mut bytes);
            write(&mut text);
            assert_eq!(text.finish(), Some(5), "{index}");
        }
    }

    proptest! {
        #[test]
        fn decimals_are_those_of_the_general_writer(mantissa: i64, shift in 0_u32..63, exponent: u8) {
            let mantissa = mantissa >> shift;
            let mut target = [0; TEXT_BYTES_MAX];
            let general = decimal::write(mantissa, exponent, &mut target).to_owned();
            prop_assert_eq!(text(|text| text.decimal(mantissa, exponent)), general);
            let value = mantissa.unsigned_abs();
            prop_assert_eq!(text(|text| text.number(value)), value.to_string());
        }
    }
}
