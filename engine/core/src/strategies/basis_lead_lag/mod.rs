//! Spot-perpetual basis and cross-asset lead-lag on microprices.
//!
//! For every instrument the strategy keeps the log of its microprice, now and at the last timer ticks. Two things
//! predict where it goes next, as a log return:
//!
//! - *lead-lag*: what its leader has moved within the lag, the instrument has yet to follow:
//!   `beta x (leader now - leader a lag ago)`. Who leads whom, by how many ticks, and beta are measured: the sampled
//!   returns of all pairs enter running correlations at several lags, and the follower's leader is the instrument
//!   whose *earlier* returns go best with its own.
//! - *basis*: a perpetual and the spot of the same base belong together; the distance between their logs reverts to
//!   its slow mean. Which of the two does how much of the way is measured too: the slope of each one's return on the
//!   distance a tick before (an error-correction model).
//!
//! With the sum beyond the cost of getting in and out it enters: at once (immediate-or-cancel) when the prediction
//! pays for taking on both sides, else by resting at the touch (post-only), which needs a clearer prediction because
//! resting orders are filled most readily when they are wrong. It leaves when the prediction is gone, the stop is
//! hit or the holding time is over. Sizes come from the risk per trade.
//!
//! Invariant: one open order per instrument; nothing happens in an instrument without a live quote.

mod config;
mod predict;
mod snapshot;
mod tracked;
mod trade;

use alloc::vec::Vec;

pub use self::config::BasisLeadLagConfig;
use self::{
    config::{check, refuse_statistics},
    tracked::{Leader, Tracked},
};
use crate::{
    prelude::*,
    stats::{LeadLag, share_of_half_life},
};

/// Instruments considered as leader or follower; pairs beyond would cost the timer too much time.
const STRUCTURE_INSTRUMENTS_MAX: usize = 16;

/// The strategy; see the module.
#[derive(Debug)]
pub struct BasisLeadLag {
    config: BasisLeadLagConfig,
    tracked: Vec<Tracked>,
    /// Cross-correlations, row = leader, column = follower.
    structure: Vec<LeadLag>,
    structure_count: usize,
    /// Share of a new tick in the corrections' running slopes.
    share: f64,
    ticks: u64,
}

impl Strategy for BasisLeadLag {
    type Config = BasisLeadLagConfig;
    const NAME: &'static str = "basis-lead-lag";

    fn new(config: &Self::Config, instruments: &Instruments) -> Result<Self, StrategyError> {
        check(config)?;
        let structure_count = instruments.count().min(STRUCTURE_INSTRUMENTS_MAX);
        let tracked = instruments
            .iter()
            .map(|(id, _)| Tracked::new(config, id, instruments));
        let pair = |_| LeadLag::new(config.lag_ticks_max, config.structure_half_life_ticks);
        let structure = (0..structure_count * structure_count).map(pair);
        Ok(Self {
            config: *config,
            tracked: tracked
                .collect::<Result<_, _>>()
                .map_err(refuse_statistics)?,
            structure: structure
                .collect::<Result<_, _>>()
                .map_err(refuse_statistics)?,
            structure_count,
            share: share_of_half_life(config.structure_half_life_ticks)
                .map_err(refuse_statistics)?,
            ticks: 0,
        })
    }

    fn on_book(&mut self, ctx: &mut Context<'_>, instrument: InstrumentId) {
        if !self.observe(ctx, instrument) {
            return;
        }
        if self.ticks < self.config.warm_up_ticks {
            return;
        }
        self.act(ctx, instrument.index());
        for follower in 0..self.structure_count {
            let leader = self.tracked[follower].leader;
            if leader.is_some_and(|leader| leader.index == instrument.index()) {
                self.act(ctx, follower);
            }
        }
    }

    fn on_order(&mut self, ctx: &mut Context<'_>, update: &OrderUpdate) {
        let tracked = &mut self.tracked[update.instrument.index()];
        if update.state.is_final() && tracked.resting == Some(update.id) {
            tracked.resting = None;
        }
        let Some(fill) = update.fill else { return };
        let held = ctx.position(update.instrument).quantity;
        if held.signum() == update.side.sign() {
            tracked.ts_entered_ns = ctx.now_ns();
            tracked.entry_price = fill.price;
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        self.ticks += 1;
        let row = ctx.returns_row();
        self.remember_tick(row);
        let count = self.structure_count;
        for leader in 0..count {
            for follower in 0..count {
                if leader != follower {
                    self.structure[leader * count + follower].update(row[leader], row[follower]);
                }
            }
        }
        // One follower a tick: its leader is chosen anew in bounded time.
        if count > 0 && self.ticks >= self.config.warm_up_ticks {
            let follower = (self.ticks % count as u64) as usize;
            self.tracked[follower].leader = self.choose_leader(follower);
        }
    }

    fn digest(&self, hash: &mut StateHasher) {
        hash.word(self.ticks);
        for tracked in &self.tracked {
            hash.float(tracked.log_price);
            hash.word(u64::from(tracked.is_live));
            for ago in 0..=self.config.lag_ticks_max {
                hash.float(tracked.past[self.past_index(ago)]);
            }
            tracked.correction.digest(hash);
            hash.float(tracked.distance_before);
            tracked.basis.digest(hash);
            hash.signed(tracked.ts_basis_ns);
            hash.signed(tracked.ts_entered_ns);
            hash.signed(tracked.entry_price);
            hash.word(tracked.resting.map_or(0, |id| id.0));
            hash.signed(tracked.ts_rested_ns);
            let leader = tracked.leader.unwrap_or(Leader {
                index: 999,
                lag_ticks: 0,
                beta: 0.0,
            });
            hash.word(leader.index as u64 | (leader.lag_ticks as u64) << 32);
            hash.float(leader.beta);
        }
        for pair in &self.structure {
            pair.digest(hash);
        }
    }

    fn save(&self, out: &mut Encoder) {
        self.save_state(out);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.load_state(from)
    }
}

impl BasisLeadLag {
    /// Who leads `follower`, by how many timer ticks, and the return per return; for reports.
    pub fn leader_of(&self, follower: InstrumentId) -> Option<(InstrumentId, usize, f64)> {
        let leader = self.tracked.get(follower.index())?.leader?;
        Some((
            InstrumentId(leader.index as u16),
            leader.lag_ticks,
            leader.beta,
        ))
    }
}
