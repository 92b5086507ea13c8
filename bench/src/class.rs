//! Where the host has put the two cores of a window: near each other or far apart.
//!
//! A hypervisor moves virtual cores without a word, and every hand-over then costs three times as much. So each window is
//! classed by a cache line that goes there and back, before and after it, and figures of different classes never mix.

use std::fmt;

use serde::Serialize;

use crate::{
    Failure,
    floor::{Stand, line},
    pace::Window,
    record::Record,
};

/// Round trip up to which two cores share a cache, in ns.
const NEAR_NS: f64 = 220.0;
/// Round trip up to which both threads ran at the same time at all, in ns.
const FAR_NS: f64 = 1000.0;
/// The probe's window: lines that leave one another time, also where one takes half a microsecond.
const PROBE: Window = Window::even(500_000, 10_000_000);

/// A class of windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Class {
    /// Both cores share a cache.
    Near,
    /// They do not.
    Far,
    /// The threads took turns: the machine was busy, or it has one core.
    Turns,
    /// The class changed within the round.
    Moved,
    /// One thread only: nothing to class.
    Alone,
}

impl Class {
    /// All classes, in the order of reports.
    pub(crate) const ALL: [Self; 5] =
        [Self::Near, Self::Far, Self::Turns, Self::Moved, Self::Alone];

    /// Looks now.
    ///
    /// # Errors
    /// As `Record::new`.
    pub(crate) fn probe(stand: Stand<'_>) -> Result<Self, Failure> {
        let mut record = Record::new()?;
        let stand = Stand {
            window: PROBE,
            ..stand
        };
        line::run(stand, &mut record);
        let round_trip_ns = record.numbers().p50;
        Ok(if round_trip_ns <= NEAR_NS {
            Self::Near
        } else if round_trip_ns <= FAR_NS {
            Self::Far
        } else {
            Self::Turns
        })
    }

    /// The class of a round that began as this and ended as `after`.
    pub(crate) fn through(self, after: Self) -> Self {
        if self == after { self } else { Self::Moved }
    }

    /// Whether all of its windows ran on cores that lay the same way throughout: only there a bar says something about the code.
    pub(crate) const fn is_steady(self) -> bool {
        matches!(self, Self::Near | Self::Far)
    }

    /// Its name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Near => "near",
            Self::Far => "far",
            Self::Turns => "turns",
            Self::Moved => "moved",
            Self::Alone => "alone",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.name())
    }
}
