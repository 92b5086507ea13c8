//! Parameters of the allocator, and which of them cannot be meant.

use serde::{Deserialize, Serialize};

use super::{AGENTS_MAX, HedgeError};

/// Parameters of `Allocator`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AllocatorConfig {
    /// Learning rate: how strongly one period moves the weights. `sqrt(8 ln N / T)` is best for `T` periods.
    pub eta: f64,
    /// Part of all weight that is dealt out evenly after every period, so that a new best agent is found soon.
    pub switch_share: f64,
    /// Least share of the capital of every agent: who gets nothing earns nothing and is never found out.
    pub share_min: f64,
    /// Largest share of the capital of one agent.
    pub share_max: f64,
    /// Length of a period.
    pub period_ms: i64,
    /// Half-life of the scale of earnings, in periods.
    pub scale_half_life_periods: f64,
}

impl Default for AllocatorConfig {
    fn default() -> Self {
        Self {
            eta: 3.0,
            switch_share: 0.005,
            share_min: 0.01,
            share_max: 0.9,
            period_ms: 1_000,
            scale_half_life_periods: 600.0,
        }
    }
}

/// Why an allocator cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum AllocatorError {
    /// The weights' own parameters make no sense.
    #[error("allocator: {0}")]
    Hedge(#[from] HedgeError),
    /// There is nobody to give capital to, or there are too many.
    #[error("allocator: {0} agents, expected 1 to 15")]
    AgentCount(usize),
    /// The floors of all agents together are more than the capital, or negative.
    #[error(
        "allocator: share_min must be at least 0 and at most 1 / {agent_count} agents, not {share_min}"
    )]
    ShareMin {
        /// What was given.
        share_min: f64,
        /// How many agents share the capital.
        agent_count: usize,
    },
    /// The cap is below the floor or above the whole.
    #[error("allocator: share_max must be from share_min ({share_min}) to 1, not {share_max}")]
    ShareMax {
        /// The floor.
        share_min: f64,
        /// What was given.
        share_max: f64,
    },
    /// The period is not positive or longer than a year.
    #[error("allocator: period_ms must be from 1 to 31536000000, not {0}")]
    Period(i64),
    /// The half-life of the scale makes no sense.
    #[error("allocator: scale_half_life_periods must be positive and finite, not {0}")]
    ScaleHalfLife(f64),
}

/// A year: what a person may have meant at most.
const PERIOD_MS_MAX: i64 = 31_536_000_000;
const _: () = assert!(AGENTS_MAX == 15, "as the error text says");

impl AllocatorConfig {
    /// Refuses what cannot be meant.
    pub(super) fn check(&self, agent_count: usize) -> Result<(), AllocatorError> {
        if !(1..=AGENTS_MAX).contains(&agent_count) {
            return Err(AllocatorError::AgentCount(agent_count));
        }
        let (share_min, share_max) = (self.share_min, self.share_max);
        // Written so that a number that is none fails.
        if !(share_min >= 0.0 && share_min * agent_count as f64 <= 1.0) {
            return Err(AllocatorError::ShareMin {
                share_min,
                agent_count,
            });
        }
        if !(share_max >= share_min && share_max > 0.0 && share_max <= 1.0) {
            return Err(AllocatorError::ShareMax {
                share_min,
                share_max,
            });
        }
        if !(1..=PERIOD_MS_MAX).contains(&self.period_ms) {
            return Err(AllocatorError::Period(self.period_ms));
        }
        let half_life = self.scale_half_life_periods;
        if !(half_life > 0.0 && half_life.is_finite()) {
            return Err(AllocatorError::ScaleHalfLife(half_life));
        }
        Ok(())
    }
}
