//! Decimal text against a twin that works on digit strings of any length.

#![allow(clippy::unwrap_used)]

use acth_wire::decimal::{
    DecimalError, EXPONENT_MAX, Fixed, TEXT_BYTES_MAX, parse, parse_nearest, parse_signed, places,
    write,
};
use proptest::prelude::*;

/// The twin: moves the point in the text, strips zeros, and compares with the largest mantissa as text.
fn twin(text: &str, exponent: u8) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let exponent = exponent as usize;
    let (kept, excess) = fraction.split_at(exponent.min(fraction.len()));
    if excess.bytes().any(|byte| byte != b'0') {
        return None;
    }
    let digits = format!("{whole}{kept}{}", "0".repeat(exponent - kept.len()));
    let digits = digits.trim_start_matches('0');
    let largest = i64::MAX.to_string();
    let fits = digits.len() < largest.len()
        || (digits.len() == largest.len() && digits <= largest.as_str());
    fits.then(|| digits.parse().unwrap_or(0))
}

#[test]
fn known_texts() {
    for (text, exponent, mantissa) in [
        ("61800.25", 2, 6_180_025),
        ("61837.63000000", 2, 6_183_763),
        ("0.00000000", 0, 0),
        ("0", 18, 0),
        ("9223372036854775807", 0, i64::MAX),
        ("9.223372036854775807", 18, i64::MAX),
        ("000000000000000000000001.5", 1, 15),
        ("7", 3, 7_000),
    ] {
        assert_eq!(parse(text.as_bytes(), exponent), Ok(mantissa), "{text}");
    }
}

#[test]
fn every_kind_of_error_names_its_place() {
    for (text, exponent, error) in [
        ("", 2, DecimalError::Empty(0)),
        (
            ".",
            2,
            DecimalError::Byte {
                offset: 0,
                found: b'.',
            },
        ),
        (
            ".5",
            2,
            DecimalError::Byte {
                offset: 0,
                found: b'.',
            },
        ),
        ("5.", 2, DecimalError::Empty(2)),
        ("-1", 2, DecimalError::Sign(0)),
        ("+1", 2, DecimalError::Sign(0)),
        ("1-", 2, DecimalError::Sign(1)),
        (
            "1.2.3",
            2,
            DecimalError::Byte {
                offset: 3,
                found: b'.',
            },
        ),
        (
            "1e5",
            2,
            DecimalError::Byte {
                offset: 1,
                found: b'e',
            },
        ),
        (
            " 1",
            2,
            DecimalError::Byte {
                offset: 0,
                found: b' ',
            },
        ),
        (
            "1.234",
            2,
            DecimalError::Excess {
                offset: 4,
                exponent: 2,
            },
        ),
        (
            "1.2300x",
            2,
            DecimalError::Byte {
                offset: 6,
                found: b'x',
            },
        ),
        ("9223372036854775808", 0, DecimalError::Overflow(0)),
        ("99999999999999999999999", 0, DecimalError::Overflow(0)),
        ("10", 18, DecimalError::Overflow(18)),
        ("1", 19, DecimalError::Exponent(19)),
    ] {
        assert_eq!(parse(text.as_bytes(), exponent), Err(error), "{text:?}");
    }
}

#[test]
fn places_are_those_up_to_the_last_digit_that_counts() {
    for (text, count) in [
        ("0.00100000", 3),
        ("1.00", 0),
        ("5", 0),
        ("0.5", 1),
        ("10", 0),
    ] {
        assert_eq!(places(text.as_bytes()), Ok(count), "{text}");
    }
    for text in ["", ".5", "5.", "1.2.3", "-1", "1,5"] {
        assert!(places(text.as_bytes()).is_err(), "{text:?}");
    }
    assert!(places(b"0.0000000000000000001").is_err());
    let one = Fixed::from_text(b"0.00010000").unwrap();
    assert_eq!((one.mantissa, one.exponent), (1, 4));
    assert_eq!((one.rescaled(6), one.rescaled(3)), (Some(100), None));
    assert_eq!(one.to_string(), "0.0001");
}

#[test]
fn the_extremes_fit_the_buffer() {
    for mantissa in [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX] {
        for exponent in 0..=EXPONENT_MAX {
            let mut target = [0; TEXT_BYTES_MAX];
            let text = write(mantissa, exponent, &mut target);
            let digits = text.replace(['.', '-'], "");
            assert_eq!(digits.parse::<u64>().unwrap(), mantissa.unsigned_abs());
            assert_eq!(text.starts_with('-'), mantissa < 0);
        }
    }
    let fixed = |mantissa, exponent| Fixed { mantissa, exponent }.to_string();
    assert_eq!(fixed(-5, 3), "-0.005");
    assert_eq!(fixed(6_180_025, 2), "61800.25");
    assert_eq!(fixed(i64::MIN, 18), "-9.223372036854775808");
}

proptest! {
    #[test]
    fn parse_equals_the_twin(
        text in prop_oneof!["[0-9]{0,22}", "[0-9]{0,20}\\.[0-9]{0,20}", "0{0,5}[0-9]{1,12}\\.[0-9]{0,8}0{0,14}", "[-+0-9.e ]{0,8}"],
        exponent in 0..=EXPONENT_MAX,
    ) {
        prop_assert_eq!(parse(text.as_bytes(), exponent).ok(), twin(&text, exponent), "{}", text);
    }

    #[test]
    fn what_is_written_is_read_again(mantissa in 0..=i64::MAX, exponent in 0..=EXPONENT_MAX) {
        let text = Fixed { mantissa, exponent }.to_string();
        prop_assert_eq!(parse(text.as_bytes(), exponent), Ok(mantissa));
    }
}

#[test]
fn the_nearest_mantissa_is_found_with_halves_up() {
    for (text, exponent, mantissa) in [
        ("61800.24499999", 2, 6_180_024),
        ("61800.245", 2, 6_180_025),
        ("61800.24500001", 2, 6_180_025),
        ("0.4999", 0, 0),
        ("0.5", 0, 1),
        ("9.99", 1, 100),
        ("7", 3, 7_000),
        ("7.1", 3, 7_100),
        ("9223372036854775807.4", 0, i64::MAX),
    ] {
        assert_eq!(
            parse_nearest(text.as_bytes(), exponent),
            Ok(mantissa),
            "{text}"
        );
    }
    for text in [
        "", ".5", "1.", "1.2.3", "1.23x", "-1", "1.2345-", "+1", "1.23456x",
    ] {
        for exponent in [0, 2, 5] {
            assert!(parse_nearest(text.as_bytes(), exponent).is_err(), "{text}");
        }
    }
    let overflow = parse_nearest(b"9223372036854775807.5", 0);
    assert_eq!(overflow, Err(DecimalError::Overflow(0)));
}

#[test]
fn one_minus_sign_is_read() {
    assert_eq!(parse_signed(b"-0.0001", 12), Ok(-100_000_000));
    assert_eq!(parse_signed(b"0.0001", 12), Ok(100_000_000));
    assert_eq!(parse_signed(b"-0", 12), Ok(0));
    for text in ["", "-", "--1", "+1", "-1-", "- 1"] {
        assert!(parse_signed(text.as_bytes(), 12).is_err(), "{text}");
    }
}
