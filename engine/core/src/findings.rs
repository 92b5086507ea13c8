//! What a strategy found out and how its parts fared, in words and numbers for a person: made at the end, or when asked.

use alloc::{string::String, vec::Vec};

use serde::Serialize;

use crate::money::Money;

/// All of it; what a strategy does not have stays empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// Instruments that move together, the strongest first.
    pub edges: Vec<FoundEdge>,
    /// Who leads whom, the strongest first.
    pub leads: Vec<FoundLead>,
    /// Prices that stay together.
    pub pairs: Vec<FoundPair>,
    /// The state of the market as a whole.
    pub regime: Option<FoundRegime>,
    /// The agents in their order; the first is the house, which holds what no agent asked for.
    pub agents: Vec<AgentAccount>,
    /// How capital was shared.
    pub sharing: Option<Sharing>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
}

/// Two instruments that move together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundEdge {
    /// Name of one.
    pub first: String,
    /// Name of the other.
    pub second: String,
    /// Correlation of their returns at the lag, -1 to 1.
    pub correlation: f64,
    /// How far the first is ahead, ms; negative when it is behind.
    pub lag_ms: f64,
}

/// Who leads whom.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundLead {
    /// Name of the instrument ahead.
    pub leader: String,
    /// Name of the one that follows.
    pub follower: String,
    /// How far behind, ms.
    pub lag_ms: f64,
    /// Correlation of the leader's returns with the follower's a lag later.
    pub correlation: f64,
    /// Return of the follower per return of the leader.
    pub beta: f64,
}

/// Two prices that stay together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundPair {
    /// Name of the first.
    pub first: String,
    /// Name of the second.
    pub second: String,
    /// Log price of the first per log price of the second.
    pub slope: f64,
    /// How far they are apart now, standard deviations.
    pub z: f64,
    /// Engle-Granger statistic.
    pub statistic: f64,
}

/// The state of the market.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundRegime {
    /// The most likely state, from calm (0) to hectic.
    pub state: u8,
    /// Chance of each.
    pub probabilities: Vec<f64>,
    /// Changes of the market announced so far.
    pub changes: u64,
}

/// One agent's account.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentAccount {
    /// Its name.
    pub name: String,
    /// Its share of the agents' capital, 0 to 1.
    pub share: f64,
    /// Profit after fees and funding, what is open at the mark.
    pub profit: Money,
    /// Fees paid.
    pub fees: Money,
    /// Funding received; negative = paid.
    pub funding: Money,
    /// Notional traded with the market.
    pub volume: Money,
    /// Notional exchanged with other agents.
    pub crossed: Money,
    /// Fills it had a part of.
    pub fills: u64,
    /// What it would have earned with all of its capital, as a share of it.
    pub shadow_return: f64,
}

/// How capital was shared, and the guarantee that goes with it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sharing {
    /// Share that stays in cash.
    pub cash_share: f64,
    /// How much worse the shares did than the best agent kept throughout, in units of loss.
    pub regret: f64,
    /// What the regret cannot exceed.
    pub bound: f64,
    /// Periods so far.
    pub periods: u64,
    /// Times at which the bound did not hold: 0, or the program is wrong.
    pub violations: u64,
}
