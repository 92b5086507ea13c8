//! How many orders were placed within the last second: a ring of their times.

use alloc::{vec, vec::Vec};

use crate::hash::StateHasher;

/// Most orders that one window can count; with more the count stays here, above any limit.
pub const ORDER_RATE_MAX: usize = 1024;
/// Length of the window.
pub const ORDER_RATE_WINDOW_NS: i64 = 1_000_000_000;

/// The times of the latest orders.
#[derive(Clone, Debug)]
pub struct OrderRate {
    times: Vec<i64>,
    /// Place of the oldest.
    oldest: usize,
    count: usize,
    /// Times may step back between sources; an order then counts from the latest time seen.
    ts_final_ns: i64,
}

impl Default for OrderRate {
    fn default() -> Self {
        Self::new()
    }
}

impl OrderRate {
    /// No order yet. The only place that allocates.
    pub fn new() -> Self {
        Self {
            times: vec![0; ORDER_RATE_MAX],
            oldest: 0,
            count: 0,
            ts_final_ns: i64::MIN,
        }
    }

    /// Orders placed less than one window before `now_ns`; older ones are forgotten.
    pub fn count(&mut self, now_ns: i64) -> u32 {
        while self.count > 0
            && now_ns.saturating_sub(self.times[self.oldest]) >= ORDER_RATE_WINDOW_NS
        {
            self.oldest = (self.oldest + 1) % ORDER_RATE_MAX;
            self.count -= 1;
        }
        self.count as u32
    }

    /// Records an order placed at `now_ns`.
    pub fn record(&mut self, now_ns: i64) {
        self.ts_final_ns = self.ts_final_ns.max(now_ns);
        let place = (self.oldest + self.count) % ORDER_RATE_MAX;
        self.times[place] = self.ts_final_ns;
        if self.count == ORDER_RATE_MAX {
            self.oldest = (self.oldest + 1) % ORDER_RATE_MAX;
        } else {
            self.count += 1;
        }
    }

    /// Folds in the times that count.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.word(self.count as u64);
        hasher.signed(self.ts_final_ns);
        for step in 0..self.count {
            hasher.signed(self.times[(self.oldest + step) % ORDER_RATE_MAX]);
        }
    }
}
