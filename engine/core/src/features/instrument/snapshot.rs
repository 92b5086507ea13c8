//! What is kept of one instrument's state, in the same order for snapshot and hash.

use super::{InstrumentFeatures, Outside, SAMPLES};
use crate::{
    event::Level,
    market::Quote,
    snapshot::{Decoder, Sink, SnapshotError},
};

const _: () = assert!(SAMPLES == 101, "as the error text of load says");

impl InstrumentFeatures {
    /// Writes the exact state: the samples from the newest to the oldest, wherever they stand in the ring.
    pub fn write(&self, out: &mut impl Sink) {
        for level in [self.quote.bid, self.quote.ask] {
            out.i64(level.price);
            out.i64(level.quantity);
        }
        out.i64(self.depth.bid);
        out.i64(self.depth.ask);
        out.bool(self.is_live);
        out.f64(self.log_price);
        self.flows.write(out);
        for clock in [&self.by_time, &self.by_event, &self.by_volume] {
            clock.write(out);
        }
        out.f64(self.bucket_volume);
        out.bool(self.bucket_log_price.is_some());
        out.f64(self.bucket_log_price.unwrap_or(0.0));
        let kept = self.samples.min(SAMPLES as u64);
        out.u64(kept);
        for ticks_ago in 0..kept as usize {
            out.f64(self.sample(ticks_ago));
        }
        out.i64(self.ts_sample_ns);
        out.u64(self.refused_count);
        let outside = &self.outside;
        for value in [
            outside.funding_ppm,
            outside.leader_move_ppm,
            outside.pair_z,
            outside.regime_busy,
        ] {
            out.f64(value);
        }
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let (bid, ask) = (load_level(from)?, load_level(from)?);
        let is_size = bid.quantity >= 0 && ask.quantity >= 0;
        from.expect(is_size, "sizes that are not negative")?;
        self.depth.bid = from.i64()?;
        self.depth.ask = from.i64()?;
        let is_live = from.bool()?;
        let is_quote = !is_live || (bid.price > 0 && bid.price < ask.price);
        from.expect(is_quote, "a quote that is positive and not crossed")?;
        self.quote = Quote { bid, ask };
        self.is_live = is_live;
        self.log_price = from.finite()?;
        self.flows.load(from)?;
        for clock in [&mut self.by_time, &mut self.by_event, &mut self.by_volume] {
            clock.load(from)?;
        }
        self.bucket_volume = from.finite_sum()?;
        let is_known = from.bool()?;
        let log_price = from.finite()?;
        self.bucket_log_price = is_known.then_some(log_price);
        let kept = from.u64()?;
        from.expect(kept <= SAMPLES as u64, "at most 101 samples")?;
        for place in (0..kept as usize).rev() {
            self.ring[place] = from.finite()?;
        }
        self.samples = kept;
        self.ts_sample_ns = from.time_ns()?;
        self.refused_count = from.count()?;
        self.outside = Outside {
            funding_ppm: from.finite()?,
            leader_move_ppm: from.finite()?,
            pair_z: from.finite()?,
            regime_busy: from.finite()?,
        };
        Ok(())
    }
}

fn load_level(from: &mut Decoder<'_>) -> Result<Level, SnapshotError> {
    Ok(Level {
        price: from.i64()?,
        quantity: from.i64()?,
    })
}
