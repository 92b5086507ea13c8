//! The finest decimals of a recording, where no catalogue knows the instrument: one pass over the whole file.
//!
//! Prices stand after `"p":`, `"b":` and `"a":` and first in a pair `["price","quantity"]`; quantities after `"q":`,
//! `"B":` and `"A":` and second in a pair. Zeros at the end do not count.

use std::sync::{Arc, atomic::AtomicU64};

use acth_core::port::PortError;

use super::{CaptureSpec, lines::LineReader};

/// Decimal places that were seen in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decimals {
    /// Of prices.
    pub price: u8,
    /// Of quantities.
    pub quantity: u8,
}

/// Reads a whole recording and returns the most decimal places that its prices and quantities use.
///
/// # Errors
/// When the file is damaged.
pub fn infer_decimals(spec: &CaptureSpec) -> Result<Decimals, PortError> {
    let mut lines = LineReader::open(&spec.path, Arc::new(AtomicU64::new(0)))?;
    let mut decimals = Decimals::default();
    while lines.advance()? {
        scan(lines.frame(), &mut decimals);
    }
    Ok(decimals)
}

/// Looks at every quoted text of a frame and at the few bytes before it that say what it is.
fn scan(frame: &[u8], decimals: &mut Decimals) {
    let mut rest_first = 0;
    while let Some(open) = position(frame, rest_first) {
        let Some(close) = position(frame, open + 1) else {
            return;
        };
        let text = &frame[open + 1..close];
        rest_first = close + 1;
        match &frame[..open] {
            [.., b'"', b'p' | b'b' | b'a', b'"', b':'] | [.., b'['] => {
                raise(&mut decimals.price, text);
            }
            [.., b'"', b'q' | b'B' | b'A', b'"', b':'] => raise(&mut decimals.quantity, text),
            [.., b'"', b','] if frame.get(close + 1) == Some(&b']') => {
                raise(&mut decimals.quantity, text);
            }
            _ => {}
        }
    }
}

fn position(frame: &[u8], first: usize) -> Option<usize> {
    let offset = frame.get(first..)?.iter().position(|&byte| byte == b'"')?;
    Some(first + offset)
}

/// Raises `places` to the decimals of `text`, if it is a plain decimal.
fn raise(places: &mut u8, text: &[u8]) {
    let mut parts = text.split(|&byte| byte == b'.');
    let (Some(whole), Some(fraction), None) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let are_digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return;
    }
    let zeros = fraction.iter().rev().take_while(|&&byte| byte == b'0');
    let used = fraction.len() - zeros.count();
    *places = (*places).max(u8::try_from(used).unwrap_or(u8::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanned(frame: &str) -> (u8, u8) {
        let mut decimals = Decimals::default();
        scan(frame.as_bytes(), &mut decimals);
        (decimals.price, decimals.quantity)
    }

    #[test]
    fn each_form_of_message_is_understood() {
        assert_eq!(
            scanned(r#"{"u":1,"b":"1.250","B":"3.1","a":"1.30","A":"4"}"#),
            (2, 1)
        );
        assert_eq!(
            scanned(r#"{"e":"trade","p":"0.00010","q":"2.5000"}"#),
            (4, 1)
        );
        let depth = r#"{"b":[["7.5","8.125"],["7.25","0"]],"a":[["9.0","1.0000001"]]}"#;
        assert_eq!(scanned(depth), (2, 7));
        assert_eq!(scanned(r#"{"bids":[["1.001","2.01"]],"asks":[]}"#), (3, 2));
    }

    #[test]
    fn what_is_no_price_is_passed_over() {
        assert_eq!(
            scanned(r#"{"stream":"a@b","data":{"x":"1.23456","p":"1.2.3"}}"#),
            (0, 0)
        );
        assert_eq!(scanned(r#"{"p":"12"#), (0, 0));
    }
}
