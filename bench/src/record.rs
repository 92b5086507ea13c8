//! Times of many windows in one histogram.

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::Failure;

/// Parts of a nanosecond that are told apart: a batch gives each of its messages a share.
const PARTS_PER_NS: u64 = 100;
/// Highest time told apart: 60 s. What lies above is counted there.
const HIGHEST_PARTS: u64 = 60_000_000_000 * PARTS_PER_NS;
/// Significant decimal digits kept.
const DIGITS: u8 = 3;

/// Times, and how many were asked for.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    histogram: Histogram<u64>,
    recorded_from_ns: i64,
    /// Events that belonged to the windows and never came through.
    pub(crate) missing_count: u64,
    /// Allocations of the measured thread while it was measured.
    pub(crate) allocations: u64,
}

/// The numbers of a record, in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Numbers {
    pub(crate) p50: f64,
    pub(crate) p90: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

impl Record {
    /// An empty record with all its memory.
    ///
    /// # Errors
    /// Never with these constant bounds; the histogram cannot know that.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut histogram = Histogram::new_with_bounds(1, HIGHEST_PARTS, DIGITS)?;
        // Touches the upper rows now, not in the first stall.
        histogram.saturating_record(HIGHEST_PARTS);
        histogram.reset();
        Ok(Self {
            histogram,
            recorded_from_ns: 0,
            missing_count: 0,
            allocations: 0,
        })
    }

    /// Events that were meant to start before this time warm up only.
    pub(crate) const fn record_from(&mut self, recorded_from_ns: i64) {
        self.recorded_from_ns = recorded_from_ns;
    }

    /// True for an event that counts.
    #[inline]
    pub(crate) const fn counts(&self, intended_ns: i64) -> bool {
        intended_ns >= self.recorded_from_ns
    }

    /// Counts one event.
    #[inline]
    pub(crate) fn add(&mut self, intended_ns: i64, now_ns: i64) {
        if self.counts(intended_ns) {
            self.add_batch(now_ns.saturating_sub(intended_ns), 1);
        }
    }

    /// Counts one batch of `count` equal messages that took `elapsed_ns` together: their share each.
    #[inline]
    pub(crate) fn add_batch(&mut self, elapsed_ns: i64, count: u64) {
        let parts = elapsed_ns.max(0).cast_unsigned() * PARTS_PER_NS / count;
        self.histogram.saturating_record(parts);
    }

    /// Takes over what another record counted.
    ///
    /// # Errors
    /// Never: all records have the same bounds; the histogram cannot know that.
    pub(crate) fn merge(&mut self, other: &Self) -> Result<(), Failure> {
        self.histogram.add(&other.histogram)?;
        self.missing_count += other.missing_count;
        self.allocations += other.allocations;
        Ok(())
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.histogram.reset();
        (self.missing_count, self.allocations) = (0, 0);
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The usual numbers.
    pub(crate) fn numbers(&self) -> Numbers {
        let ns = |parts: u64| {
            let ns = parts as f64 / PARTS_PER_NS as f64;
            // Tenths below a microsecond say something, above it they are the histogram's own steps.
            if ns < 1000.0 {
                (ns * 10.0).round() / 10.0
            } else {
                ns.round()
            }
        };
        let at = |quantile: f64| ns(self.histogram.value_at_quantile(quantile));
        Numbers {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p999: at(0.999),
            max: ns(self.histogram.max()),
        }
    }

    /// The histogram in whole ns, for other programs.
    ///
    /// # Errors
    /// Never with these constant bounds.
    pub(crate) fn in_ns(&self) -> Result<Histogram<u64>, Failure> {
        let highest_ns = HIGHEST_PARTS / PARTS_PER_NS;
        let mut target = Histogram::new_with_bounds(1, highest_ns, DIGITS)?;
        for step in self.histogram.iter_recorded() {
            let ns = step.value_iterated_to().div_ceil(PARTS_PER_NS);
            target.saturating_record_n(ns.max(1), step.count_at_value());
        }
        Ok(target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_a_batch_are_told_apart() {
        let mut record = Record::new().unwrap();
        record.add_batch(1234, 100);
        record.record_from(50);
        record.add(49, 5000);
        record.add(50, 150);
        assert_eq!(record.count(), 2);
        let numbers = record.numbers();
        assert!((numbers.p50 - 12.3).abs() < 0.06, "{numbers:?}");
        assert!((numbers.max - 100.0).abs() < 0.2, "{numbers:?}");
        let mut twice = record.clone();
        twice.merge(&record).unwrap();
        assert_eq!(twice.count(), 4);
        assert_eq!(twice.in_ns().unwrap().len(), 4);
        // Rounded up to whole ns, never down.
        assert!((100..=101).contains(&twice.in_ns().unwrap().max()));
        twice.clear();
        assert_eq!(twice.count(), 0);
    }
}
