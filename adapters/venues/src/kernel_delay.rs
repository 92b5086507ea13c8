//! How long bytes lay in the kernel before a session read them.

use std::fmt;

use hdrhistogram::Histogram;

/// Longest time told apart: a minute. What is longer counts as that.
const LONGEST_NS: u64 = 60_000_000_000;
/// Significant decimal digits kept.
const DIGITS: u8 = 2;

/// Times between a packet's arrival in the kernel and the read that brought it. Only stamped reads are counted; of a read that
/// brought several packets, the last one's.
#[derive(Clone)]
pub struct KernelDelay(Histogram<u64>);

impl fmt::Debug for KernelDelay {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KernelDelay")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}

impl KernelDelay {
    /// Nothing counted, with all its memory.
    ///
    /// # Panics
    /// Never: the bounds are constants that the histogram accepts, which a test asserts.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LONGEST_NS, DIGITS);
        #[expect(clippy::expect_used, reason = "constant bounds, asserted by a test")]
        let histogram = histogram.expect("bounds are constants within the histogram's limits");
        Self(histogram)
    }

    #[inline]
    pub(crate) fn record(&mut self, waited_ns: u64) {
        self.0.saturating_record(waited_ns);
    }

    /// Adds what another session counted.
    pub fn add(&mut self, other: &Self) {
        // Equal bounds always add.
        let _ = self.0.add(&other.0);
    }

    /// How many reads were counted.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that this share of the reads did not exceed, ns.
    pub fn at_quantile_ns(&self, quantile: f64) -> u64 {
        self.0.value_at_quantile(quantile)
    }

    /// The longest, ns.
    pub fn max_ns(&self) -> u64 {
        self.0.max()
    }
}

impl Default for KernelDelay {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_within_fixed_bounds_and_adds() {
        let mut delay = KernelDelay::new();
        [0, 1_000, u64::MAX]
            .into_iter()
            .for_each(|ns| delay.record(ns));
        let mut sum = KernelDelay::new();
        sum.add(&delay);
        sum.add(&delay);
        assert_eq!(sum.count(), 6);
        assert!((1_000..1_020).contains(&sum.at_quantile_ns(0.5)));
        assert!(sum.max_ns() >= LONGEST_NS);
    }
}
