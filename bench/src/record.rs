//! Latencies of many windows in one histogram.

use hdrhistogram::Histogram;
use serde::Serialize;

/// Highest value told apart: 60 s. What lies above is counted there.
const HIGHEST_NS: u64 = 60_000_000_000;
/// Significant decimal digits kept.
const DIGITS: u8 = 3;

/// Latencies, and how many were asked for.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    histogram: Histogram<u64>,
    recorded_from_ns: i64,
    /// Events that belonged to the windows and never came through.
    pub(crate) missing_count: u64,
}

/// The numbers of a record, in ns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Numbers {
    pub(crate) p50: u64,
    pub(crate) p90: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) max: u64,
}

impl Record {
    /// An empty record with all its memory.
    ///
    /// # Errors
    /// Never with these constant bounds; the histogram cannot know that.
    pub(crate) fn new() -> Result<Self, hdrhistogram::CreationError> {
        let mut histogram = Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS)?;
        // Touches the upper rows now, not in the first stall.
        histogram.saturating_record(HIGHEST_NS);
        histogram.reset();
        Ok(Self {
            histogram,
            recorded_from_ns: 0,
            missing_count: 0,
        })
    }

    /// Events that were meant to start before this time warm up only.
    pub(crate) const fn record_from(&mut self, recorded_from_ns: i64) {
        self.recorded_from_ns = recorded_from_ns;
    }

    /// Counts one event.
    #[inline]
    pub(crate) fn add(&mut self, intended_ns: i64, now_ns: i64) {
        if intended_ns >= self.recorded_from_ns {
            let elapsed_ns = now_ns.saturating_sub(intended_ns).max(0).cast_unsigned();
            self.histogram.saturating_record(elapsed_ns);
        }
    }

    /// How many were counted.
    pub(crate) fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The usual numbers.
    pub(crate) fn numbers(&self) -> Numbers {
        Numbers {
            p50: self.histogram.value_at_quantile(0.5),
            p90: self.histogram.value_at_quantile(0.9),
            p99: self.histogram.value_at_quantile(0.99),
            p999: self.histogram.value_at_quantile(0.999),
            max: self.histogram.max(),
        }
    }
}
