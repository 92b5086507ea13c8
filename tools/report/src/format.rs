//! Numbers and times for people.

use acth_core::money::Money;

const SECOND_NS: i64 = 1_000_000_000;
const DAY_SECONDS: i64 = 86_400;

/// A count in groups of three: `1,234,567`.
pub(crate) fn grouped(count: u64) -> String {
    group(&count.to_string())
}

fn group(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with so many decimal places, in groups of three: `-1,234.50`.
pub(crate) fn number(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return String::from("-");
    }
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let is_zero = text.chars().all(|digit| matches!(digit, '0' | '.'));
    let sign = if value < 0.0 && !is_zero { "-" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{rest}", group(whole))
}

/// Money to the hundredth, in groups of three.
pub(crate) fn cents(money: Money) -> String {
    number(money.to_f64(), 2)
}

/// A share as a percentage.
pub(crate) fn percent(share: f64, digits: usize) -> String {
    format!("{} %", number(share * 100.0, digits))
}

/// A mantissa as a decimal number, without zeros at its end.
pub(crate) fn mantissa(value: i64, exponent: u8) -> String {
    let digits = format!("{:0>1$}", value.unsigned_abs(), usize::from(exponent) + 1);
    let (whole, rest) = digits.split_at(digits.len() - usize::from(exponent));
    let rest = rest.trim_end_matches('0');
    let sign = if value < 0 { "-" } else { "" };
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{rest}", group(whole))
}

/// A time since the start, to the millisecond: `12.345 s`, `3:04.500`, `2:03:04.500`.
pub(crate) fn elapsed(ns: i64) -> String {
    let ms = ns.max(0) / 1_000_000;
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    match minutes {
        0 => format!("{second}.{ms:03} s"),
        1..60 => format!("{minutes}:{second:02}.{ms:03}"),
        _ => format!("{}:{:02}:{second:02}.{ms:03}", minutes / 60, minutes % 60),
    }
}

/// A length of time in a few words: `120 s`, `2 h 5 min`.
pub(crate) fn length(ns: i64) -> String {
    let seconds = ns.max(0) as f64 / SECOND_NS as f64;
    let whole = seconds as i64;
    match whole {
        0..600 => format!("{} s", number(seconds, if whole < 10 { 3 } else { 0 })),
        600..7_200 => format!("{} min {} s", whole / 60, whole % 60),
        7_200..DAY_SECONDS => format!("{} h {} min", whole / 3_600, whole / 60 % 60),
        _ => format!("{} d {} h", whole / DAY_SECONDS, whole / 3_600 % 24),
    }
}

/// A time of the calendar, UTC: `2026-11-26 02:03:04.567`.
pub(crate) fn utc(ns: i64) -> String {
    let ms = ns.div_euclid(1_000_000);
    let seconds = ms.div_euclid(1_000);
    let (day, second) = (
        seconds.div_euclid(DAY_SECONDS),
        seconds.rem_euclid(DAY_SECONDS),
    );
    let (year, month, day) = date(day);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:03}",
        second / 3_600,
        second / 60 % 60,
        second % 60,
        ms.rem_euclid(1_000)
    )
}

/// Year, month and day of a day counted from 1970-01-01.
fn date(mut day: i64) -> (i64, usize, i64) {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    // The calendar repeats after 400 years.
    const ERA_DAYS: i64 = 146_097;
    let mut year = 1970 + 400 * day.div_euclid(ERA_DAYS);
    day = day.rem_euclid(ERA_DAYS);
    loop {
        let length = if is_leap(year) { 366 } else { 365 };
        if day < length {
            break;
        }
        day -= length;
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    for (index, length) in lengths.into_iter().enumerate() {
        if day < length {
            return (year, index + 1, day + 1);
        }
        day -= length;
    }
    (year, 12, 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_signed() {
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(number(-1_234.5, 2), "-1,234.50");
        assert_eq!(number(-0.001, 2), "0.00");
        assert_eq!(number(f64::NAN, 2), "-");
        assert_eq!(mantissa(-6_180_025, 2), "-61,800.25");
        assert_eq!(mantissa(5, 3), "0.005");
        assert_eq!(mantissa(1_200, 2), "12");
        assert_eq!(mantissa(i64::MIN, 0), "-9,223,372,036,854,775,808");
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ns, text) in [
            (0, "1970-01-01 00:00:00.000"),
            (951_782_400_000_000_000, "2000-02-29 00:00:00.000"),
            (1_709_251_199_999_000_000, "2024-02-29 23:59:59.999"),
            (1_735_689_600_000_000_000, "2025-01-01 00:00:00.000"),
            (-1_000_000, "1969-12-31 23:59:59.999"),
        ] {
            assert_eq!(utc(ns), text);
        }
        assert_eq!(elapsed(184_500_000_000), "3:04.500");
        assert_eq!(length(7_500_000_000_000), "2 h 5 min");
    }
}
