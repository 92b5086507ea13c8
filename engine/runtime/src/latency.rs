//! Latency by stage, in histograms of fixed size.
//!
//! With `Clock::Event` only `apply` is measured, with the real counter; the other stages join stamps of the run's time,
//! which then say nothing about the machine. What lies above the highest value is counted there: nothing is resized.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Highest value told apart: 60 s.
const HIGHEST_NS: u64 = 60_000_000_000;
/// Significant decimal digits kept.
const DIGITS: u8 = 3;

/// The latencies of one stage.
#[derive(Clone, Debug)]
pub struct Stage {
    histogram: Histogram<u64>,
}

/// One stage in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct StageSummary {
    /// How many were measured.
    pub count: u64,
    /// Median, ns.
    pub p50_ns: u64,
    /// 99 % are at or below, ns.
    pub p99_ns: u64,
    /// 99.9 % are at or below, ns.
    pub p999_ns: u64,
    /// Worst, ns.
    pub max_ns: u64,
}

impl Stage {
    /// An empty histogram with all its memory.
    ///
    /// # Panics
    /// Never: the bounds are constants that the histogram accepts, which a test asserts.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, HIGHEST_NS, DIGITS);
        #[expect(clippy::expect_used, reason = "constant bounds, asserted by a test")]
        let histogram = histogram.expect("bounds are constants within the histogram's limits");
        Self { histogram }
    }

    /// Counts the time between two stamps; clocks of different machines can disagree, so below zero counts as zero.
    #[inline]
    pub(crate) fn record(&mut self, start_ns: i64, final_ns: i64) {
        let elapsed_ns = final_ns.saturating_sub(start_ns).max(0).cast_unsigned();
        self.histogram.saturating_record(elapsed_ns);
    }

    /// The whole histogram, for export.
    pub const fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }

    /// The usual numbers.
    pub fn summary(&self) -> StageSummary {
        StageSummary {
            count: self.histogram.len(),
            p50_ns: self.histogram.value_at_quantile(0.5),
            p99_ns: self.histogram.value_at_quantile(0.99),
            p999_ns: self.histogram.value_at_quantile(0.999),
            max_ns: self.histogram.max(),
        }
    }
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

/// The latencies of a run.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// Read by the source until dequeued by the core.
    pub ingress: Stage,
    /// Dequeued until the decisions are journaled.
    pub apply: Stage,
    /// Decided until handed over to the sink.
    pub egress: Stage,
    /// From the cause's reading by the source until handed over to the sink.
    pub tick_to_order: Stage,
}

impl Latency {
    /// Every stage with its name.
    pub fn stages(&self) -> [(&'static str, &Stage); 4] {
        [
            ("ingress", &self.ingress),
            ("apply", &self.apply),
            ("egress", &self.egress),
            ("tick_to_order", &self.tick_to_order),
        ]
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, stage) in self.stages() {
            let numbers = stage.summary();
            if numbers.count > 0 {
                writeln!(
                    formatter,
                    "{name:<14} p50 {:>8} ns  p99 {:>8} ns  p99.9 {:>8} ns  max {:>10} ns  ({})",
                    numbers.p50_ns, numbers.p99_ns, numbers.p999_ns, numbers.max_ns, numbers.count
                )?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_within_fixed_bounds() {
        let mut stage = Stage::new();
        stage.record(100, 350);
        stage.record(100, 50);
        stage.record(0, i64::MAX);
        let summary = stage.summary();
        assert_eq!((summary.count, summary.p50_ns), (3, 250));
        assert!(summary.max_ns >= HIGHEST_NS);
        assert!(!stage.histogram().is_auto_resize());
    }
}
