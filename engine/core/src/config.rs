//! What the core is built from; the run manifest keeps it, so that a journal can be replayed from itself alone.

use alloc::{string::String, vec::Vec};

use serde::{Deserialize, Serialize};

use crate::{
    fees::VenueFees,
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
    /// The account, and what differs by instrument or venue.
    #[serde(default)]
    pub account: AccountConfig,
}

/// The account, and what differs by instrument or venue. Empty: one currency, the same limits for all, no tiers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountConfig {
    /// The currency that equity is reckoned in; empty = what most instruments are paid in.
    pub currency: String,
    /// What other currencies are worth at the start; until a rate is known nothing may grow in a currency.
    pub rates: Vec<StartRate>,
    /// Limits of single instruments, in place of the hub's.
    pub instrument_limits: Vec<InstrumentLimits>,
    /// Fees that fall with volume.
    pub fees: Vec<VenueFees>,
}

/// What one unit of a currency is worth in the account's: `mantissa / 10^exponent`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StartRate {
    /// The currency.
    pub currency: String,
    /// Mantissa of the rate; positive.
    pub mantissa: i64,
    /// Its decimal places; at most 18.
    pub exponent: u32,
}

/// The limits of one instrument.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentLimits {
    /// `venue:symbol`.
    pub instrument: String,
    /// All of its limits.
    pub limits: Limits,
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
    /// Limits are given for an instrument that is not traded.
    #[error("limits of `{0}`: no such instrument")]
    UnknownInstrument(String),
    /// A rate is given for a currency in which nothing is paid, or for the account's own; or it is no rate.
    #[error(
        "rate of `{0}`: expected a positive rate of a currency that instruments are paid in, other than the account's"
    )]
    Rate(String),
    /// Fees are given for a venue that is not traded at, or their tiers do not rise.
    #[error("fees of `{0}`: expected a venue that is traded at, and tiers of rising volume")]
    Fees(String),
}
