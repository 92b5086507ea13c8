//! What a snapshot keeps of the strategy: the fields that `digest` folds, in the same order.

use super::{
    BasisLeadLag,
    tracked::{Leader, Tracked},
};
use crate::prelude::*;

impl BasisLeadLag {
    pub(super) fn save_state(&self, out: &mut Encoder) {
        out.length(self.config.lag_ticks_max);
        out.u64(self.ticks);
        for tracked in &self.tracked {
            for ago in 0..=self.config.lag_ticks_max {
                out.f64(tracked.past[self.past_index(ago)]);
            }
            tracked.save(out);
        }
        self.structure.iter().for_each(|pair| pair.save(out));
    }

    /// Into a strategy of the same instruments; another number of lags is refused.
    pub(super) fn load_state(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let lags = from.length(self.config.lag_ticks_max, 8)?;
        from.expect(
            lags == self.config.lag_ticks_max,
            "the lag_ticks_max of the configuration",
        )?;
        self.ticks = from.count()?;
        for index in 0..self.tracked.len() {
            for ago in 0..=lags {
                let place = self.past_index(ago);
                self.tracked[index].past[place] = from.f64()?;
            }
            self.tracked[index].load(from)?;
            if let Some(leader) = self.tracked[index].leader {
                let is_leader = leader.index < self.structure_count;
                from.expect(is_leader, "a leader among the instruments considered")?;
                let is_lag = (1..=lags).contains(&leader.lag_ticks);
                from.expect(is_lag, "a lag from 1 to lag_ticks_max")?;
            }
        }
        self.structure
            .iter_mut()
            .try_for_each(|pair| pair.load(from))
    }
}

impl Tracked {
    /// Everything but the past prices, which the strategy's count of ticks orders.
    fn save(&self, out: &mut Encoder) {
        out.f64(self.log_price);
        out.bool(self.is_live);
        self.correction.save(out);
        out.f64(self.distance_before);
        self.basis.save(out);
        out.i64(self.ts_basis_ns);
        out.i64(self.ts_entered_ns);
        out.i64(self.entry_price);
        out.u64(self.resting.map_or(0, |id| id.0));
        out.i64(self.ts_rested_ns);
        out.bool(self.leader.is_some());
        if let Some(leader) = self.leader {
            out.u32(leader.index as u32);
            out.u32(leader.lag_ticks as u32);
            out.f64(leader.beta);
        }
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.log_price = from.f64()?;
        self.is_live = from.bool()?;
        self.correction.load(from)?;
        self.distance_before = from.f64()?;
        self.basis.load(from)?;
        self.ts_basis_ns = from.time_ns()?;
        self.ts_entered_ns = from.time_ns()?;
        self.entry_price = from.i64()?;
        // No order has the id 0: its sequence is behind at least the input that led to it.
        let resting = from.u64()?;
        self.resting = (resting != 0).then_some(ClientOrderId(resting));
        self.ts_rested_ns = from.time_ns()?;
        self.leader = if from.bool()? {
            Some(Leader {
                index: from.u32()? as usize,
                lag_ticks: from.u32()? as usize,
                beta: from.f64()?,
            })
        } else {
            None
        };
        Ok(())
    }
}
