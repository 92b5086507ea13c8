//! What the core is built from; the run manifest keeps it, so that a journal can be replayed from itself alone.

use serde::{Deserialize, Serialize};

use crate::{
    instrument::Instruments,
    money::Money,
    risk::{Limits, LimitsError},
    stats::StatsError,
};

/// Configuration of the core.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreConfig {
    /// Number of this hub; part of every client order id.
    pub hub_id: u16,
    /// Cash at the start, in the account currency.
    pub cash: Money,
    /// The instruments, in the order of their ids.
    pub instruments: Instruments,
    /// Limits of the risk gate.
    pub limits: Limits,
    /// Half-life of a row of sampled returns in the correlation estimate, counted in rows (timer ticks).
    pub correlation_half_life_samples: f64,
}

/// A core cannot be built from its configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum CoreError {
    /// A limit cannot be meant.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// A parameter of the statistics makes no sense.
    #[error("correlation_half_life_samples: {0}")]
    Stats(#[from] StatsError),
    /// There is nothing to trade.
    #[error("no instruments: expected at least one")]
    NoInstruments,
}
