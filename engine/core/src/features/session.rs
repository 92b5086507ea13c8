//! What the clock says: the time of the UTC day as a point on a circle, and whether it is the weekend.

use core::f64::consts::TAU;

const NS_PER_DAY: i64 = 86_400_000_000_000;
/// Day 0 of the Unix epoch was a Thursday, the fifth day after a Saturday.
const DAYS_FROM_SATURDAY: i64 = 5;

/// Sine and cosine of the time of the UTC day: midnight is (0, 1), six in the morning (1, 0).
pub fn time_of_day(now_ns: i64) -> [f64; 2] {
    let angle = TAU * (now_ns.rem_euclid(NS_PER_DAY) as f64 / NS_PER_DAY as f64);
    [libm::sin(angle), libm::cos(angle)]
}

/// True on Saturdays and Sundays, UTC.
pub const fn is_weekend(now_ns: i64) -> bool {
    let day = now_ns.div_euclid(NS_PER_DAY);
    (day + DAYS_FROM_SATURDAY).rem_euclid(7) < 2
}
