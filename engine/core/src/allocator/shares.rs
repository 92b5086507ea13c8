//! Shares of the capital: what agents earned as losses, weights as shares.
//!
//! The experts are cash, which earns 0, and the agents. Once a period each agent's earnings after costs, per unit of the
//! capital it had, become a loss: `0.5 - clip(earnings / scale, -1, 1) / 2`. The scale is the largest size of any
//! agent's earnings, fading; it at most doubles in a period, so that one wild period is clipped and not the next hour
//! flattened. The bound of the regret holds for these losses, so for earnings in units of the scale of their period.
//!
//! From weights to shares:
//! 1. Floor: every agent gets `share_min`, and what is left is shared out by weight, cash included.
//! 2. Cap: who would have more than `share_max` gets exactly that. The excess goes by weight to cash and to the agents
//!    that have at least the weight of cash: nobody who does worse than doing nothing gets more because another is
//!    capped. This repeats until nobody is above. When all are at the cap, cash takes the rest.

use super::{AllocatorConfig, AllocatorError, EXPERTS_MAX, Hedge};
use crate::{
    snapshot::{Decoder, Sink, SnapshotError},
    stats::VALUE_MAX,
};

/// Most agents: one expert is cash.
pub const AGENTS_MAX: usize = EXPERTS_MAX - 1;
/// Least scale of earnings: a tenth of a part per million of the capital in a period. Less than that is noise.
const SCALE_MIN: f64 = 1e-7;
/// How much the scale can grow in a period.
const SCALE_GROWTH_MAX: f64 = 2.0;
const NS_PER_MS: i64 = 1_000_000;

/// Shares of the capital by what each agent earned; see the module.
#[derive(Clone, Debug, PartialEq)]
pub struct Allocator {
    config: AllocatorConfig,
    agent_count: usize,
    hedge: Hedge,
    /// What is left of the scale after a period.
    scale_decay: f64,
    /// 0 before the first period in which somebody earned or lost.
    scale: f64,
    /// Shares of the agents; a function of the weights.
    shares: [f64; AGENTS_MAX],
    violations: u64,
    refused_count: u64,
}

impl Allocator {
    /// Equal weights over cash and `agent_count` agents.
    ///
    /// # Errors
    /// When a parameter makes no sense.
    pub fn new(config: &AllocatorConfig, agent_count: usize) -> Result<Self, AllocatorError> {
        config.check(agent_count)?;
        let mut allocator = Self {
            config: *config,
            agent_count,
            hedge: Hedge::new(agent_count + 1, config.eta, config.switch_share)?,
            scale_decay: libm::exp2(-1.0 / config.scale_half_life_periods),
            scale: 0.0,
            shares: [0.0; AGENTS_MAX],
            violations: 0,
            refused_count: 0,
        };
        allocator.share_out();
        Ok(allocator)
    }

    /// A period is over: takes what each agent earned after costs, per unit of its capital. Another number of agents, or
    /// a number that is none or beyond `VALUE_MAX`, is refused and counted; the shares stay and it returns false.
    pub fn on_period(&mut self, earnings: &[f64]) -> bool {
        let is_usable = |value: &f64| libm::fabs(*value) <= VALUE_MAX;
        if earnings.len() != self.agent_count || !earnings.iter().all(is_usable) {
            self.refused_count += 1;
            return false;
        }
        let largest = earnings
            .iter()
            .fold(0.0f64, |largest, value| largest.max(libm::fabs(*value)));
        self.move_scale(largest);
        let scale = self.scale();
        let mut losses = [CASH_LOSS; EXPERTS_MAX];
        for (loss, earned) in losses[1..].iter_mut().zip(earnings) {
            *loss = CASH_LOSS - (earned / scale).clamp(-1.0, 1.0) / 2.0;
        }
        self.hedge.update(&losses[..=self.agent_count]);
        self.violations += u64::from(!self.hedge.is_within_bound());
        self.share_out();
        true
    }

    /// The first earnings set the scale; later it falls by its half-life and rises by at most its growth.
    fn move_scale(&mut self, largest: f64) {
        if self.scale > 0.0 {
            let risen = largest.min(self.scale * SCALE_GROWTH_MAX);
            self.scale = risen.max(self.scale * self.scale_decay).max(SCALE_MIN);
        } else if largest > 0.0 {
            self.scale = largest.max(SCALE_MIN);
        }
    }

    /// Shares of the capital, one an agent; with `cash_share` they sum to 1 but for rounding.
    pub fn shares(&self) -> &[f64] {
        &self.shares[..self.agent_count]
    }

    /// One agent's share of the capital; 0 for an agent that there is not.
    pub fn share(&self, agent: usize) -> f64 {
        self.shares().get(agent).copied().unwrap_or(0.0)
    }

    /// The part of the capital that nobody uses.
    pub fn cash_share(&self) -> f64 {
        let used = self.shares().iter().fold(0.0, |sum, share| sum + share);
        (1.0 - used).max(0.0)
    }

    /// Earnings per unit of capital that count as the best (or, negative, the worst) of a period.
    pub fn scale(&self) -> f64 {
        self.scale.max(SCALE_MIN)
    }

    /// The weights behind the shares.
    pub const fn hedge(&self) -> &Hedge {
        &self.hedge
    }

    /// Regret against the best fixed agent or cash, in losses: two units are one period's scale of earnings.
    pub fn regret(&self) -> f64 {
        self.hedge.regret()
    }

    /// What the regret can be at most.
    pub fn bound(&self) -> f64 {
        self.hedge.bound()
    }

    /// Periods after which the regret was beyond its bound: 0, or this code is wrong.
    pub const fn violations(&self) -> u64 {
        self.violations
    }

    /// Periods refused.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Length of a period.
    pub const fn period_ns(&self) -> i64 {
        self.config.period_ms * NS_PER_MS
    }

    fn share_out(&mut self) {
        let rules = Rules {
            floor: self.config.share_min,
            cap: self.config.share_max,
        };
        rules.share_out(self.hedge.weights(), &mut self.shares[..self.agent_count]);
    }

    /// Writes the exact state; shares follow from it.
    pub fn write(&self, out: &mut impl Sink) {
        self.hedge.write(out);
        out.f64(self.scale);
        out.u64(self.violations);
        out.u64(self.refused_count);
    }

    /// Reads what `write` wrote, into one of as many agents.
    ///
    /// # Errors
    /// The bytes end, or hold what `write` cannot have written.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.hedge.load(from)?;
        self.scale = from.finite_sum()?;
        self.violations = from.count()?;
        self.refused_count = from.count()?;
        self.share_out();
        Ok(())
    }
}

/// The loss of an expert that earns nothing.
const CASH_LOSS: f64 = 0.5;

/// How weights become shares.
struct Rules {
    floor: f64,
    cap: f64,
}

impl Rules {
    /// `weights` holds cash and the agents, `shares` the agents.
    fn share_out(&self, weights: &[f64], shares: &mut [f64]) {
        let (cash, weights) = (weights[0], &weights[1..]);
        let left = (1.0 - self.floor * weights.len() as f64).max(0.0);
        for (share, weight) in shares.iter_mut().zip(weights) {
            *share = self.floor + left * weight;
        }
        // Every round caps somebody or is the last.
        let mut is_capped = [false; AGENTS_MAX];
        while self.cap_those_above(shares, &mut is_capped) {
            self.give_out_the_rest(cash, weights, shares, &is_capped);
        }
    }

    /// Returns whether there was anybody.
    fn cap_those_above(&self, shares: &mut [f64], is_capped: &mut [bool]) -> bool {
        let mut is_any = false;
        for (share, is_capped) in shares.iter_mut().zip(is_capped) {
            if !*is_capped && *share > self.cap {
                *share = self.cap;
                *is_capped = true;
                is_any = true;
            }
        }
        is_any
    }

    /// What is left beside the capped and those that do worse than cash goes to the rest of the agents and to cash.
    fn give_out_the_rest(
        &self,
        cash: f64,
        weights: &[f64],
        shares: &mut [f64],
        is_capped: &[bool],
    ) {
        let (mut rest, mut sum) = (1.0, cash);
        let is_receiver = |index: usize| !is_capped[index] && weights[index] >= cash;
        for (index, share) in shares.iter().enumerate() {
            if is_receiver(index) {
                rest -= self.floor;
                sum += weights[index];
            } else {
                rest -= share;
            }
        }
        let rest = rest.max(0.0);
        for (index, share) in shares.iter_mut().enumerate() {
            if is_receiver(index) {
                *share = self.floor + rest * (weights[index] / sum);
            }
        }
    }
}
