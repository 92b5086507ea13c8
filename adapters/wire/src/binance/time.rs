//! Venue times: milliseconds, or microseconds on connections that asked for them.

/// Largest millisecond count whose nanoseconds fit in an i64 (year 2262).
const MILLISECONDS_MAX: u64 = i64::MAX as u64 / 1_000_000;
/// Largest microsecond count whose nanoseconds fit in an i64.
const MICROSECONDS_MAX: u64 = i64::MAX as u64 / 1_000;
/// Smallest number of 16 digits: from here on a time counts microseconds.
const SIXTEEN_DIGITS: u64 = 1_000_000_000_000_000;

/// A venue time as ns since the Unix epoch. Times of up to 13 digits count milliseconds, of 16 digits microseconds;
/// anything else is no time of this venue.
#[inline]
pub(super) fn ts_ns(time: u64) -> Option<i64> {
    if time <= MILLISECONDS_MAX {
        return Some((time * 1_000_000).cast_signed());
    }
    if (SIXTEEN_DIGITS..=MICROSECONDS_MAX).contains(&time) {
        return Some((time * 1_000).cast_signed());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_units_are_told_apart_by_their_digits() {
        assert_eq!(ts_ns(1_723_161_256_298), Some(1_723_161_256_298_000_000));
        assert_eq!(
            ts_ns(1_723_161_256_298_123),
            Some(1_723_161_256_298_123_000)
        );
        assert_eq!(ts_ns(0), Some(0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert_eq!(ts_ns(MILLISECONDS_MAX + 1), None);
        assert_eq!(ts_ns(SIXTEEN_DIGITS - 1), None);
        assert_eq!(ts_ns(MICROSECONDS_MAX + 1), None);
        assert_eq!(ts_ns(u64::MAX), None);
    }
}
