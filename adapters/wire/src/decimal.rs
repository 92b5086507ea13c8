//! Decimal text and integer mantissas, exactly.
//!
//! Venues send prices and quantities as text such as `61800.25`. At exponent 2 that is the mantissa 6180025. `parse`
//! reads such text, `Fixed` and `write` turn a mantissa back into text. No float is involved on either way.
//!
//! Invariant: `parse` answers the exact value or an error. Digits beyond the exponent are accepted only when they are
//! zero: anything else means that the instrument's exponent is out of date, and rounding would hide it.

use core::fmt;

/// Largest exponent: 10^18 is the largest power of ten in an i64.
pub const EXPONENT_MAX: u8 = 18;

/// Most bytes that `write` needs: a sign, 20 digits with a leading zero, a point.
pub const TEXT_BYTES_MAX: usize = 22;

/// Powers of ten up to `EXPONENT_MAX`.
pub(crate) const POWERS_OF_TEN: [u64; EXPONENT_MAX as usize + 1] = powers_of_ten();

const fn powers_of_ten() -> [u64; EXPONENT_MAX as usize + 1] {
    let mut powers = [1; EXPONENT_MAX as usize + 1];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
}

/// Why a text is no decimal at the wanted exponent. Offsets count bytes from the start of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// No digit at all, or none before or after the point.
    #[error("byte {0}: expected a digit, found the end")]
    Empty(usize),
    /// A plus or minus sign.
    #[error("byte {0}: expected an unsigned decimal, found a sign")]
    Sign(usize),
    /// A byte that is neither digit nor the one point allowed.
    #[error("byte {offset}: expected a digit, found {found:#04x}")]
    Byte {
        /// Where.
        offset: usize,
        /// What stands there.
        found: u8,
    },
    /// A digit other than zero that the exponent has no place for.
    #[error("byte {offset}: expected at most {exponent} decimal places, found another digit")]
    Excess {
        /// Where the digit stands.
        offset: usize,
        /// The exponent asked for.
        exponent: u8,
    },
    /// The mantissa does not fit in an i64.
    #[error("expected a mantissa below 2^63 at exponent {0}")]
    Overflow(u8),
    /// The exponent itself is out of range.
    #[error("expected an exponent of at most 18, found {0}")]
    Exponent(u8),
}

/// Reads unsigned decimal text as a mantissa at `exponent`.
///
/// # Errors
/// `DecimalError` for anything that is not digits with at most one point between digits, or does not fit exactly.
pub fn parse(text: &[u8], exponent: u8) -> Result<i64, DecimalError> {
    if exponent > EXPONENT_MAX {
        return Err(DecimalError::Exponent(exponent));
    }
    let mut mantissa: u64 = 0;
    let mut places: Option<u8> = None;
    let mut expects_digit = true;
    for (offset, &byte) in text.iter().enumerate() {
        if byte == b'.' && places.is_none() && !expects_digit {
            places = Some(0);
            expects_digit = true;
            continue;
        }
        let digit = digit_at(text, offset)?;
        expects_digit = false;
        if places == Some(exponent) {
            if digit != 0 {
                return Err(DecimalError::Excess { offset, exponent });
            }
            continue;
        }
        places = places.map(|count| count + 1);
        mantissa = push_digit(mantissa, digit).ok_or(DecimalError::Overflow(exponent))?;
    }
    if expects_digit {
        return Err(DecimalError::Empty(text.len()));
    }
    let missing = exponent - places.unwrap_or(0);
    mantissa
        .checked_mul(POWERS_OF_TEN[missing as usize])
        .and_then(|scaled| i64::try_from(scaled).ok())
        .ok_or(DecimalError::Overflow(exponent))
}

/// Reads unsigned decimal text as the mantissa at `exponent` that is nearest to it, halves up. For numbers that a venue prints
/// finer than its prices are and that no order is made of, such as a mark price; `parse` is for all others.
///
/// # Errors
/// As `parse`, without `Excess`.
pub fn parse_nearest(text: &[u8], exponent: u8) -> Result<i64, DecimalError> {
    let point = text.iter().position(|&byte| byte == b'.');
    let kept = point.map_or(text.len(), |at| {
        // Without decimal places the point goes too.
        let places = usize::from(exponent);
        text.len()
            .min(at + if places == 0 { 0 } else { places + 1 })
    });
    if let Some(at) = point {
        for offset in at + 1..text.len() {
            digit_at(text, offset)?;
        }
        if at + 1 == text.len() {
            return Err(DecimalError::Empty(text.len()));
        }
    }
    let mantissa = parse(&text[..kept], exponent)?;
    let mut rest = text[kept..].iter().filter(|byte| byte.is_ascii_digit());
    let is_up = rest.next().is_some_and(|&digit| digit >= b'5');
    mantissa
        .checked_add(i64::from(is_up))
        .ok_or(DecimalError::Overflow(exponent))
}

/// Reads decimal text that may have a minus sign; else as `parse`.
///
/// # Errors
/// As `parse`; offsets count from behind the sign.
pub fn parse_signed(text: &[u8], exponent: u8) -> Result<i64, DecimalError> {
    match text.strip_prefix(b"-") {
        Some(magnitude) => parse(magnitude, exponent).map(|mantissa| -mantissa),
        None => parse(text, exponent),
    }
}

fn digit_at(text: &[u8], offset: usize) -> Result<u64, DecimalError> {
    match text[offset] {
        byte @ b'0'..=b'9' => Ok(u64::from(byte - b'0')),
        b'+' | b'-' => Err(DecimalError::Sign(offset)),
        found => Err(DecimalError::Byte { offset, found }),
    }
}

fn push_digit(mantissa: u64, digit: u64) -> Option<u64> {
    mantissa.checked_mul(10)?.checked_add(digit)
}

/// How many decimal places a text needs: those up to its last digit that is not zero. `0.00100000` needs 3.
///
/// # Errors
/// As `parse`; `Excess` when it needs more than `EXPONENT_MAX`.
pub fn places(text: &[u8]) -> Result<u8, DecimalError> {
    // The value is of no interest here and may be large: only its form is checked.
    let point = text.iter().position(|&byte| byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[..0]),
    };
    for offset in (0..text.len()).filter(|&offset| Some(offset) != point) {
        digit_at(text, offset)?;
    }
    if whole.is_empty() || (point.is_some() && fraction.is_empty()) {
        return Err(DecimalError::Empty(whole.len().min(text.len())));
    }
    let needed = fraction
        .iter()
        .rposition(|&byte| byte != b'0')
        .map_or(0, |index| index + 1);
    if needed > EXPONENT_MAX as usize {
        return Err(DecimalError::Excess {
            offset: whole.len() + 1 + EXPONENT_MAX as usize,
            exponent: EXPONENT_MAX,
        });
    }
    Ok(needed as u8)
}

/// Writes `mantissa` at `exponent` into `target` and returns the text: exactly `exponent` decimal places, a minus sign
/// where needed. An exponent above `EXPONENT_MAX` is written as `EXPONENT_MAX`.
pub fn write(mantissa: i64, exponent: u8, target: &mut [u8; TEXT_BYTES_MAX]) -> &str {
    let exponent = exponent.min(EXPONENT_MAX) as usize;
    let mut rest = mantissa.unsigned_abs();
    let mut start = TEXT_BYTES_MAX;
    let mut digits = 0;
    while rest > 0 || digits <= exponent {
        if digits == exponent && exponent > 0 {
            start -= 1;
            target[start] = b'.';
        }
        start -= 1;
        target[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        digits += 1;
    }
    if mantissa < 0 {
        start -= 1;
        target[start] = b'-';
    }
    // Only ASCII was written, so the empty fallback is never taken.
    core::str::from_utf8(&target[start..]).unwrap_or_default()
}

/// A mantissa that is displayed as decimal text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fixed {
    /// The number without its point.
    pub mantissa: i64,
    /// How many decimal places it has.
    pub exponent: u8,
}

impl Fixed {
    /// The exact value of a text, with no more places than it needs.
    ///
    /// # Errors
    /// As `parse` and `places`.
    pub fn from_text(text: &[u8]) -> Result<Self, DecimalError> {
        let exponent = places(text)?;
        Ok(Self {
            mantissa: parse(text, exponent)?,
            exponent,
        })
    }

    /// The mantissa of the same value at another exponent, if it has an exact one.
    pub fn rescaled(self, exponent: u8) -> Option<i64> {
        if exponent > EXPONENT_MAX || self.exponent > EXPONENT_MAX {
            return None;
        }
        let factor = POWERS_OF_TEN[exponent.abs_diff(self.exponent) as usize].cast_signed();
        if exponent >= self.exponent {
            self.mantissa.checked_mul(factor)
        } else {
            (self.mantissa % factor == 0).then(|| self.mantissa / factor)
        }
    }
}

impl fmt::Display for Fixed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut target = [0; TEXT_BYTES_MAX];
        formatter.write_str(write(self.mantissa, self.exponent, &mut target))
    }
}
