//! Numbers as text, without allocation and without floats.

/// Digits of the largest u64.
const DIGITS_MAX: usize = 20;

/// A whole number.
pub(super) fn push_u64(out: &mut String, mut value: u64) {
    let mut digits = [0u8; DIGITS_MAX];
    let mut at = DIGITS_MAX;
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// Milliseconds of a time in ns.
pub(super) fn push_ms(out: &mut String, ts_ns: i64) {
    push_u64(out, (ts_ns / 1_000_000).max(0).cast_unsigned());
}

/// A mantissa with `exponent` decimals in quotes, filled up with zeros to at least `places_min` decimals.
pub(super) fn push_quoted(out: &mut String, mantissa: i64, exponent: u8, places_min: u8) {
    out.push('"');
    if mantissa < 0 {
        out.push('-');
    }
    let scale = 10u64.pow(u32::from(exponent));
    let magnitude = mantissa.unsigned_abs();
    push_u64(out, magnitude / scale);
    let places = exponent.max(places_min);
    if places > 0 {
        out.push('.');
        let mut fraction = magnitude % scale;
        let mut unit = scale;
        for _ in 0..exponent {
            unit /= 10;
            out.push(char::from(b'0' + (fraction / unit) as u8));
            fraction %= unit;
        }
        for _ in exponent..places {
            out.push('0');
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact() {
        let text = |mantissa, exponent, places| {
            let mut out = String::new();
            push_quoted(&mut out, mantissa, exponent, places);
            out
        };
        assert_eq!(text(6_183_763, 2, 8), "\"61837.63000000\"");
        assert_eq!(text(5, 5, 8), "\"0.00005000\"");
        assert_eq!(text(0, 3, 0), "\"0.000\"");
        assert_eq!(text(297, 0, 0), "\"297\"");
        assert_eq!(text(-15, 1, 0), "\"-1.5\"");
        assert_eq!(text(i64::MAX, 12, 0), "\"9223372.036854775807\"");
    }
}
