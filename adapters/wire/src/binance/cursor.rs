//! A place in a frame, and the few readers that the scanner is built of.
//!
//! The plain algorithm is a loop over bytes. The tricks: a run of up to eight digits is found and valued as one 64-bit
//! word (exclusive or with '0' in all bytes, find the first that is no digit, shift it out, join pairs, quadruples and
//! octuples by three multiplications); a decimal of up to eight bytes is one such word with its point cut out; in a
//! longer one the places beyond the exponent are dropped by a shift instead of a division. Words are read with
//! `first_chunk`, which the compiler turns into one checked load. What each trick gained: `DESIGN.md`.
//!
//! Invariant: a reader accepts no text that a JSON parser would refuse or read differently. What it does not accept it
//! reports as a `Stop`, and the frame goes to the general parser.

use crate::decimal::{self, POWERS_OF_TEN};

use super::symbols::{Key, SYMBOL_BYTES_MAX, length_word};

/// The place where the scanner gave up and what it expected there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stop {
    /// Bytes from the place to the end of the frame.
    pub(super) rest_bytes: usize,
    /// What should stand there.
    pub(super) expected: &'static str,
}

pub(super) type Scan<T> = Result<T, Stop>;

/// What is left of a frame.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

/// Decimal places of the numbers of one field, with what the fast path needs.
#[derive(Clone, Copy)]
pub(super) struct Scale {
    exponent: u8,
    /// 10 to the power of the exponent; 0 where the fast path does not apply.
    power: u64,
}

/// Longest run of digits that one word holds.
const WORD_DIGITS: usize = 8;
/// Longest decimal text that the slow path looks for the end of.
const DECIMAL_BYTES_MAX: usize = 40;

impl Scale {
    #[inline]
    pub(super) fn new(exponent: u8) -> Self {
        let power = if exponent as usize <= WORD_DIGITS {
            POWERS_OF_TEN[exponent as usize]
        } else {
            0
        };
        Self { exponent, power }
    }
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(super) const fn new(frame: &'a [u8]) -> Self {
        Self { rest: frame }
    }

    #[inline]
    pub(super) const fn stop(&self, expected: &'static str) -> Stop {
        Stop {
            rest_bytes: self.rest.len(),
            expected,
        }
    }

    /// Steps over `text` if it stands here.
    #[inline(always)]
    pub(super) fn skip(&mut self, text: &'static str) -> bool {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Steps over `text`, which must stand here.
    #[inline(always)]
    pub(super) fn literal(&mut self, text: &'static str) -> Scan<()> {
        if self.skip(text) {
            Ok(())
        } else {
            Err(self.stop(text))
        }
    }

    /// The frame must end here.
    #[inline(always)]
    pub(super) fn end(&self) -> Scan<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.stop("the end of the frame"))
        }
    }

    /// One of two bytes; true for the first.
    #[inline(always)]
    pub(super) fn either(&mut self, first: u8, second: u8, expected: &'static str) -> Scan<bool> {
        match self.rest.split_first() {
            Some((&byte, rest)) if byte == first || byte == second => {
                self.rest = rest;
                Ok(byte == first)
            }
            _ => Err(self.stop(expected)),
        }
    }

    /// `true` or `false`.
    #[inline(always)]
    pub(super) fn boolean(&mut self) -> Scan<bool> {
        if self.skip("true") {
            Ok(true)
        } else if self.skip("false") {
            Ok(false)
        } else {
            Err(self.stop("true or false"))
        }
    }

    /// Text up to its closing quote, which is stepped over. Only printable ASCII without escapes is accepted.
    #[inline(always)]
    pub(super) fn text(&mut self) -> Scan<&'a [u8]> {
        let mut length = 0;
        let text = self.rest;
        while let Some(word) = word_at(text, length) {
            let ends = quote_or_special(word);
            if ends != 0 {
                length += first_byte(ends);
                break;
            }
            length += 8;
        }
        while text.get(length).is_some_and(|&byte| is_plain(byte)) {
            length += 1;
        }
        if text.get(length) != Some(&b'"') {
            return Err(self.stop("plain text and a closing quote"));
        }
        self.rest = &text[length + 1..];
        Ok(&text[..length])
    }

    /// A symbol and its closing quote, as the key of the table of symbols. Which bytes it holds does not matter here:
    /// only a symbol of the table is accepted in the end.
    #[inline(always)]
    pub(super) fn symbol(&mut self) -> Scan<Key> {
        let mut key = Key::default();
        let mut length = 0;
        for slot in &mut key {
            let Some(word) = word_at(self.rest, length) else {
                break;
            };
            let quotes = zero_bytes(word ^ every(b'"'));
            if quotes != 0 {
                let count = first_byte(quotes);
                *slot = low_bytes(word, count);
                length += count;
                if length == 0 || length > SYMBOL_BYTES_MAX {
                    break;
                }
                key[2] |= length_word(length);
                self.rest = &self.rest[length + 1..];
                return Ok(key);
            }
            *slot = word;
            length += 8;
        }
        Err(self.stop("a symbol of at most 23 bytes"))
    }

    /// An unsigned JSON number of at most 19 digits.
    #[inline(always)]
    pub(super) fn unsigned(&mut self) -> Scan<u64> {
        let Some(word) = word_at(self.rest, 0) else {
            return self.unsigned_plain();
        };
        let (high, digits) = digit_run(word);
        if high < WORD_DIGITS {
            if high == 0 || (high > 1 && digits & 0xff == 0) {
                return Err(self.stop("an unsigned number"));
            }
            self.rest = &self.rest[high..];
            return Ok(join(align(digits, high)));
        }
        let Some(word) = word_at(self.rest, WORD_DIGITS) else {
            return self.unsigned_plain();
        };
        let (low, low_digits) = digit_run(word);
        if low == WORD_DIGITS || digits & 0xff == 0 {
            return self.unsigned_plain();
        }
        self.rest = &self.rest[WORD_DIGITS + low..];
        Ok(join(digits) * POWERS_OF_TEN[low] + join(align(low_digits, low)))
    }

    /// The same byte by byte, for the end of the frame and for long numbers.
    #[cold]
    fn unsigned_plain(&mut self) -> Scan<u64> {
        let count = self.rest.iter().take_while(|byte| byte.is_ascii_digit());
        let count = count.take(20).count();
        let digits = &self.rest[..count];
        if count == 0 || count > 19 || (count > 1 && digits[0] == b'0') {
            return Err(self.stop("an unsigned number"));
        }
        self.rest = &self.rest[count..];
        let push = |value: u64, &byte: &u8| value * 10 + u64::from(byte - b'0');
        Ok(digits.iter().fold(0, push))
    }

    /// A decimal text with its closing quote, as a mantissa.
    #[inline(always)]
    pub(super) fn decimal(&mut self, scale: Scale) -> Scan<i64> {
        let text = self.rest;
        let (Some(word), Some(&eighth), true) = (word_at(text, 0), text.get(8), scale.power > 0)
        else {
            return self.decimal_plain(scale);
        };
        let quotes = zero_bytes(word ^ every(b'"'));
        let value = if quotes != 0 {
            let end = first_byte(quotes);
            short_mantissa(low_bytes(word ^ every(b'0'), end), end, scale).map(|value| (value, end))
        } else if eighth == b'"' {
            short_mantissa(word ^ every(b'0'), 8, scale).map(|value| (value, 8))
        } else {
            long_mantissa(text, word, scale)
        };
        let Some((value, end)) = value else {
            return self.decimal_plain(scale);
        };
        self.rest = &text[end + 1..];
        Ok(value)
    }

    /// A decimal text with its closing quote, as the mantissa nearest to it. Once a second for an instrument, so without tricks.
    pub(super) fn decimal_nearest(&mut self, exponent: u8) -> Scan<i64> {
        let read = |text: &[u8]| decimal::parse_nearest(text, exponent).ok();
        self.quoted(read, "a decimal and a closing quote")
    }

    /// The same, exact and with or without a minus sign.
    pub(super) fn decimal_signed(&mut self, exponent: u8) -> Scan<i64> {
        let read = |text: &[u8]| decimal::parse_signed(text, exponent).ok();
        self.quoted(read, "an exact decimal and a closing quote")
    }

    /// What `read` makes of the bytes up to a near quote, which is stepped over.
    fn quoted(
        &mut self,
        read: impl FnOnce(&[u8]) -> Option<i64>,
        expected: &'static str,
    ) -> Scan<i64> {
        let window = &self.rest[..self.rest.len().min(DECIMAL_BYTES_MAX)];
        let length = window.iter().position(|&byte| byte == b'"');
        let value = length.and_then(|length| Some((length, read(&window[..length])?)));
        let Some((length, value)) = value else {
            return Err(self.stop(expected));
        };
        self.rest = &self.rest[length + 1..];
        Ok(value)
    }

    /// `decimal` by the general reader, for long numbers, large exponents and the end of the frame.
    #[cold]
    fn decimal_plain(&mut self, scale: Scale) -> Scan<i64> {
        let read = |text: &[u8]| decimal::parse(text, scale.exponent).ok();
        self.quoted(read, "an exact decimal and a closing quote")
    }
}

/// The mantissa of a decimal of `length` bytes, at most eight: `values` holds them less '0', zero above. The point is cut
/// out of the word, so that all digits are joined at once.
#[inline(always)]
fn short_mantissa(values: u64, length: usize, scale: Scale) -> Option<i64> {
    let marks = not_digits(values);
    if marks == 0 {
        return (length > 0).then(|| (join(align(values, length)) * scale.power).cast_signed());
    }
    let whole_count = first_byte(marks);
    let below = below_first(marks);
    let places = length.wrapping_sub(whole_count + 1);
    let unused = usize::from(scale.exponent).wrapping_sub(places);
    let digits = (values & below) | ((values >> 8) & !below);
    let is_point = (values >> (8 * whole_count)) & 0xff == u64::from(b'.' ^ b'0');
    if !is_point || whole_count == 0 || places == 0 || not_digits(digits) != 0 {
        return None;
    }
    let factor = SHORT_POWERS.get(unused)?;
    Some((join(align(digits, length - 1)) * factor).cast_signed())
}

/// Powers of ten that a short number can be multiplied with and still fit.
const SHORT_POWERS: [u64; WORD_DIGITS + 1] = {
    let mut powers = [1; WORD_DIGITS + 1];
    let mut index = 0;
    while index < powers.len() {
        powers[index] = POWERS_OF_TEN[index];
        index += 1;
    }
    powers
};

/// The mantissa of a longer decimal and the place of its closing quote, if it has at most eight digits on each side of
/// the point and fits the scale exactly. `word` holds the first eight bytes.
#[inline(always)]
fn long_mantissa(text: &[u8], word: u64, scale: Scale) -> Option<(i64, usize)> {
    let (whole_count, whole_digits) = digit_run(word);
    let (count, digits) = digit_run(word_at(text, whole_count + 1)?);
    let end = whole_count + 1 + count;
    let half = 4 * scale.exponent;
    let is_excess = (digits >> half) >> half != 0;
    let is_formed = text[whole_count] == b'.' && text.get(end) == Some(&b'"');
    if whole_count == 0 || count == 0 || !is_formed || is_excess {
        return None;
    }
    let whole = join(align(whole_digits, whole_count)) * scale.power;
    let fraction = join(align(digits, scale.exponent as usize));
    Some(((whole + fraction).cast_signed(), end))
}

/// Eight bytes from `offset` on as a little-endian word: the first byte is the lowest.
#[inline(always)]
fn word_at(bytes: &[u8], offset: usize) -> Option<u64> {
    let chunk = bytes.get(offset..)?.first_chunk::<8>()?;
    Some(u64::from_le_bytes(*chunk))
}

/// A word of eight equal bytes.
#[inline(always)]
const fn every(byte: u8) -> u64 {
    byte as u64 * 0x0101_0101_0101_0101
}

/// The high bit of each byte.
const HIGH_BITS: u64 = every(0x80);

/// Marks by its high bit the first byte that is zero; marks above the first may be false.
#[inline(always)]
const fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(every(1)) & !word & HIGH_BITS
}

/// Marks by its high bit the first byte that is a quote, a backslash, a control character or not ASCII.
#[inline(always)]
const fn quote_or_special(word: u64) -> u64 {
    let control = word.wrapping_sub(every(0x20)) & !word & HIGH_BITS;
    zero_bytes(word ^ every(b'"')) | zero_bytes(word ^ every(b'\\')) | control | (word & HIGH_BITS)
}

#[inline]
const fn is_plain(byte: u8) -> bool {
    byte >= b' ' && byte < 0x80 && byte != b'"' && byte != b'\\'
}

/// Index of the lowest marked byte.
#[inline(always)]
const fn first_byte(marks: u64) -> usize {
    (marks.trailing_zeros() / 8) as usize
}

/// The lowest `count` bytes, fewer than eight; the others zero.
#[inline(always)]
const fn low_bytes(word: u64, count: usize) -> u64 {
    word & ((1 << (8 * count)) - 1)
}

/// Marks by its high bit the first byte, '0' already subtracted by exclusive or, that is no digit. A carry out of one
/// byte needs a byte that is itself no digit, so the first mark is always right.
#[inline(always)]
const fn not_digits(values: u64) -> u64 {
    (values.wrapping_add(every(0x76)) | values) & HIGH_BITS
}

/// All bits below the byte of the first mark.
#[inline(always)]
const fn below_first(marks: u64) -> u64 {
    ((marks & marks.wrapping_neg()) >> 7).wrapping_sub(1)
}

/// How many of the bytes, from the lowest on, are digits; and their values, the others zero.
#[inline(always)]
const fn digit_run(word: u64) -> (usize, u64) {
    let values = word ^ every(b'0');
    let marks = not_digits(values);
    if marks == 0 {
        return (WORD_DIGITS, values);
    }
    (first_byte(marks), values & below_first(marks))
}

/// Moves `count` digits, 0 to 8, to the top of the word, so that zeros stand in front of the number. Half the distance
/// twice: the whole one is 64 for no digit, too far for one shift.
#[inline(always)]
const fn align(digits: u64, count: usize) -> u64 {
    let half = 32 - 4 * count;
    (digits << half) << half
}

/// The value of eight digits, the lowest byte being the first digit.
#[inline(always)]
const fn join(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10 * 256 + 1) >> 8;
    let quads = (pairs & 0x00ff_00ff_00ff_00ff).wrapping_mul(100 * 65_536 + 1) >> 16;
    (quads & 0x0000_ffff_0000_ffff).wrapping_mul(10_000 * (1 << 32) + 1) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        for padding in ["", "}", ",\"x\":12345678901234567890"] {
            for length in 1..=19 {
                let text = &"1234567890123456789"[..length];
                let frame = format!("{text}{padding}");
                let mut cursor = Cursor::new(frame.as_bytes());
                assert_eq!(cursor.unsigned().unwrap(), text.parse::<u64>().unwrap());
                assert_eq!(cursor.rest, padding.as_bytes());
            }
        }
        for bad in [
            "",
            "x1234567",
            "01",
            "0123456789",
            "01234567890123456",
            "-1234567",
        ] {
            assert!(Cursor::new(bad.as_bytes()).unsigned().is_err(), "{bad}");
            let frame = format!("{bad}}}}}}}}}}}}}}}}}}}}}");
            assert!(Cursor::new(frame.as_bytes()).unsigned().is_err(), "{bad}");
        }
    }

    #[test]
    fn text_ends_at_the_first_quote_and_takes_no_special_byte() {
        for length in 0..20 {
            for special in ['"', '\\', '\n', '\u{1f}', 'é', '\0'] {
                let frame = format!("{}{special}tail of the frame\"", "a".repeat(length));
                let text = Cursor::new(frame.as_bytes()).text();
                assert_eq!(text.is_ok(), special == '"', "{frame:?}");
                assert!(text.is_err() || text.unwrap().len() == length);
            }
        }
    }
}
