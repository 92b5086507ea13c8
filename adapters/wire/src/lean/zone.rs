//! Days, and the clocks that their rows go by.

use core::fmt;

/// Nanoseconds of an hour.
const HOUR_NS: i64 = 3_600_000_000_000;
/// Nanoseconds of a day.
const DAY_NS: i64 = 24 * HOUR_NS;
/// Years whose midnights fit in nanoseconds since 1970 with room to spare.
const YEARS: core::ops::RangeInclusive<i64> = 1970..=2199;

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: i64,
    month: i64,
    day: i64,
}

/// The clock of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Universal time.
    Utc,
    /// Five hours behind universal time the whole year, without summer time.
    EasternStandard,
    /// New York: five hours behind universal time, four in summer.
    ///
    /// Summer is from the second Sunday of March to the first of November; before 2007 from the first Sunday of April
    /// to the last of October. The days of the change count as wholly new time: no market is open before 2 o'clock.
    NewYork,
}

impl Day {
    /// Reads `YYYYMMDD`. `None` for anything that is no day of the years 1970 to 2199.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = text.parse().ok()?;
        let day = Self {
            year: number / 10_000,
            month: number / 100 % 100,
            day: number % 100,
        };
        let is_month = YEARS.contains(&day.year) && (1..=12).contains(&day.month);
        (is_month && (1..=day.days_of_month()).contains(&day.day)).then_some(day)
    }

    const fn days_of_month(self) -> i64 {
        match self.month {
            2 if self.is_leap_year() => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }

    const fn is_leap_year(self) -> bool {
        self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0)
    }

    /// Days since 1970-01-01.
    ///
    /// Counted in years that begin in March, so that the leap day comes last: the days before a month are then
    /// `(153 month + 2) / 5`.
    const fn since_epoch(self) -> i64 {
        let (year, month) = if self.month > 2 {
            (self.year, self.month - 3)
        } else {
            (self.year - 1, self.month + 9)
        };
        let leap_days = year / 4 - year / 100 + year / 400;
        let days = year * 365 + leap_days + (153 * month + 2) / 5 + self.day - 1;
        // Days from 0000-03-01 to 1970-01-01.
        days - 719_468
    }

    /// 0 = Sunday.
    const fn weekday(self) -> i64 {
        (self.since_epoch() + 4).rem_euclid(7)
    }

    /// The day of the month on which the n-th Sunday falls, counted from 1.
    const fn sunday(self, count: i64) -> i64 {
        let first = Self { day: 1, ..self };
        1 + (7 - first.weekday()) % 7 + 7 * (count - 1)
    }

    const fn sunday_final(self) -> i64 {
        let fifth = self.sunday(5);
        if fifth > self.days_of_month() {
            fifth - 7
        } else {
            fifth
        }
    }

    const fn is_new_york_summer(self) -> bool {
        let is_new_rule = self.year >= 2007;
        match self.month {
            3 => is_new_rule && self.day >= self.sunday(2),
            4 => is_new_rule || self.day >= self.sunday(1),
            5..=9 => true,
            10 => is_new_rule || self.day < self.sunday_final(),
            11 => is_new_rule && self.day < self.sunday(1),
            _ => false,
        }
    }
}

impl fmt::Display for Day {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}",
            self.year, self.month, self.day
        )
    }
}

impl Zone {
    /// When the day began on this clock, nanoseconds since 1970 in universal time.
    pub const fn midnight_utc_ns(self, day: Day) -> i64 {
        let behind_hours = match self {
            Self::Utc => 0,
            Self::EasternStandard => 5,
            Self::NewYork if day.is_new_york_summer() => 4,
            Self::NewYork => 5,
        };
        day.since_epoch() * DAY_NS + behind_hours * HOUR_NS
    }
}
