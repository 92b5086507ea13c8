//! How many orders or messages were sent within the last second: a ring of their times.

use alloc::{vec, vec::Vec};

use crate::{
    hash::StateHasher,
    snapshot::{Decoder, Encoder, SnapshotError, Tag},
};

/// Most orders that one window can count; with more the count stays here, above any limit.
pub const ORDER_RATE_MAX: usize = 1024;
/// Length of the window.
pub const ORDER_RATE_WINDOW_NS: i64 = 1_000_000_000;
const SECTION: Tag = Tag(*b"RATE");

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

    /// The times that count, oldest first.
    fn times(&self) -> impl Iterator<Item = i64> {
        (0..self.count).map(|step| self.times[(self.oldest + step) % ORDER_RATE_MAX])
    }

    /// Writes the times that count.
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.section(SECTION);
        out.i64(self.ts_final_ns);
        out.length(self.count);
        self.times().for_each(|time| out.i64(time));
    }

    /// Reads into an empty ring; the oldest time then stands first.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        from.section(SECTION)?;
        self.ts_final_ns = from.i64()?;
        self.count = from.length(ORDER_RATE_MAX, 8)?;
        let mut before = i64::MIN;
        for place in 0..self.count {
            let time = from.time_ns()?;
            from.expect(time >= before, "times of orders in rising order")?;
            self.times[place] = time;
            before = time;
        }
        let is_final_right = self.count == 0 || before == self.ts_final_ns;
        from.expect(is_final_right, "the time of the last order as the latest")
    }

    /// Folds in the times that count.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.word(self.count as u64);
        hasher.signed(self.ts_final_ns);
        self.times().for_each(|time| hasher.signed(time));
    }
}
