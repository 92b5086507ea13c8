//! Where each instrument goes next: what is remembered at every tick, and what follows from it.

use super::{
    BasisLeadLag,
    tracked::{Leader, PAST_TICKS},
};
use crate::{prelude::*, stats::EwmaPair};

impl BasisLeadLag {
    /// Takes in a new quote. False when there is none to act on.
    pub(super) fn observe(&mut self, ctx: &Context<'_>, instrument: InstrumentId) -> bool {
        let index = instrument.index();
        let quote = ctx.quote(instrument);
        self.tracked[index].is_live = quote.is_some();
        let Some(quote) = quote else { return false };
        let now_ns = ctx.now_ns();
        // A mantissa's constant factor shifts the log by a constant, which no difference below sees, except the
        // basis, whose slow mean takes it up.
        let log_price = libm::log(quote.microprice());
        let tracked = &mut self.tracked[index];
        tracked.log_price = log_price;
        if let Some(partner) = tracked.partner
            && self.tracked[partner].is_live
        {
            let perpetual = if self.tracked[index].is_perpetual {
                index
            } else {
                partner
            };
            let distance = self.basis_distance(perpetual);
            let tracked = &mut self.tracked[perpetual];
            tracked.basis.update(distance, now_ns - tracked.ts_basis_ns);
            tracked.ts_basis_ns = now_ns;
        }
        true
    }

    /// Log of the perpetual minus log of its spot.
    pub(super) fn basis_distance(&self, perpetual: usize) -> f64 {
        let spot = self.tracked[perpetual].partner.unwrap_or(perpetual);
        self.tracked[perpetual].log_price - self.tracked[spot].log_price
    }

    /// The predicted log return of one instrument.
    pub(super) fn predict(&self, index: usize) -> f64 {
        self.predict_lead_lag(index) + self.predict_basis(index)
    }

    /// What the leader has moved within the lag. Nothing while its price a lag ago is unknown.
    pub(super) fn predict_lead_lag(&self, index: usize) -> f64 {
        let Some(leader) = self.tracked[index].leader else {
            return 0.0;
        };
        let other = &self.tracked[leader.index];
        // The newest tick is less than one period old: a lag of one tick began at the tick before it.
        let before = other.past[self.past_index(leader.lag_ticks)];
        if !other.is_live || before == 0.0 {
            return 0.0;
        }
        leader.beta * (other.log_price - before)
    }

    /// Its own part of the way back to the mean of the basis, when that is far enough away.
    pub(super) fn predict_basis(&self, index: usize) -> f64 {
        let tracked = &self.tracked[index];
        let Some(partner) = tracked.partner else {
            return 0.0;
        };
        let distance = self.basis_deviation(index);
        let perpetual = if tracked.is_perpetual { index } else { partner };
        let deviation = self.tracked[perpetual].basis.deviation();
        if deviation <= 0.0 || libm::fabs(distance) < self.config.basis_z_min * deviation {
            return 0.0;
        }
        // A wide basis pulls the perpetual down and the spot up.
        let pull = |index: usize| {
            let slope = self.tracked[index].correction.slope();
            let towards = if self.tracked[index].is_perpetual {
                -slope
            } else {
                slope
            };
            towards.max(0.0)
        };
        let total = pull(index) + pull(partner);
        if total <= 0.0 {
            return 0.0;
        }
        let way = distance * pull(index) / total;
        if tracked.is_perpetual { -way } else { way }
    }

    /// Distance of the basis of this pair from its slow mean; 0 while either half has no quote.
    pub(super) fn basis_deviation(&self, index: usize) -> f64 {
        let tracked = &self.tracked[index];
        let Some(partner) = tracked.partner else {
            return 0.0;
        };
        if !tracked.is_live || !self.tracked[partner].is_live {
            return 0.0;
        }
        let perpetual = if tracked.is_perpetual { index } else { partner };
        self.basis_distance(perpetual) - self.tracked[perpetual].basis.mean()
    }

    /// Where in the ring the price of `ago` ticks before the newest tick stands.
    pub(super) const fn past_index(&self, ago: usize) -> usize {
        (self.ticks as usize + PAST_TICKS - ago) % PAST_TICKS
    }

    /// Takes down the prices of this tick and what each return says about the pull of the basis.
    pub(super) fn remember_tick(&mut self, row: &[f64]) {
        let newest = self.past_index(0);
        for (index, &own_return) in row.iter().enumerate() {
            let distance = self.basis_deviation(index);
            let share = self.share;
            let tracked = &mut self.tracked[index];
            tracked.past[newest] = if tracked.is_live {
                tracked.log_price
            } else {
                0.0
            };
            if tracked.distance_before != 0.0 {
                tracked
                    .correction
                    .update(tracked.distance_before, own_return, share);
            }
            tracked.distance_before = distance;
        }
    }

    /// The instrument whose earlier returns go best with the follower's, if any does well enough.
    pub(super) fn choose_leader(&self, follower: usize) -> Option<Leader> {
        let count = self.structure_count;
        let mut best: Option<(f64, Leader)> = None;
        for index in (0..count).filter(|&index| index != follower) {
            let pair = &self.structure[index * count + follower];
            let Some(found) = pair.best_lag() else {
                continue;
            };
            if found.lag == 0 || found.correlation < self.config.leader_correlation_min {
                continue;
            }
            let beta = pair.pair(found.lag).map_or(0.0, EwmaPair::slope);
            if best.is_none_or(|(record, _)| found.correlation > record) {
                best = Some((
                    found.correlation,
                    Leader {
                        index,
                        lag_ticks: found.lag,
                        beta,
                    },
                ));
            }
        }
        best.map(|(_, leader)| leader)
    }
}
