//! Parameters of the network of agents, and which of them cannot be meant.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

use serde::{Deserialize, Serialize};

use super::AgentNetwork;
use crate::{
    agents::{AGENTS_MAX, KIND_NAMES, KindsConfig},
    allocator::AllocatorConfig,
    strategy::{Strategy, StrategyError},
    structure::StructureConfig,
};

/// Parameters of `AgentNetwork`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AgentNetworkConfig {
    /// Names of the agents, in the order in which they speak.
    pub agents: Vec<String>,
    /// Share of equity that all agents together may use as capital, parts per million.
    pub capital_ppm: u32,
    /// Fixed shares of capital in the agents' order instead of the allocator's; empty = the allocator decides.
    pub fixed_shares: Vec<f64>,
    /// How targets become orders.
    pub execution: ExecutionConfig,
    /// What belongs together.
    pub structure: StructureConfig,
    /// Who gets how much.
    pub allocator: AllocatorConfig,
    /// The agents' own parameters, a section a kind.
    pub kinds: KindsConfig,
    /// Least time between two questions to a model about one instrument, milliseconds.
    pub infer_ms: i64,
}

/// How targets become orders.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExecutionConfig {
    /// A difference between target and position below this share of equity is left alone, parts per million.
    pub order_ppm_min: u32,
    /// Shortest life of a resting order, so that the queue is not left for nothing, milliseconds.
    pub rest_ms_min: i64,
    /// After this long a way out improves on the touch, milliseconds.
    pub improve_ms: i64,
    /// After this long a way out crosses the spread, milliseconds.
    pub cross_ms: i64,
    /// Largest share of the traded volume that a child order takes.
    pub participation: f64,
    /// Time between two children of a large target, milliseconds.
    pub child_ms: i64,
    /// How long a group or a quote waits after a refusal of the gate, milliseconds.
    pub denied_ms: i64,
    /// Most orders per second that quoting may use.
    pub quotes_per_second: u32,
    /// How far a quote may lie from where it is wanted before it is moved, ticks.
    pub requote_ticks: i64,
    /// What an edge must exceed the cost of crossing by, parts per million.
    pub margin_ppm: f64,
    /// How long an order takes to the venue where agents are measured by what they would have earned, microseconds.
    pub shadow_us: i64,
}

impl Default for AgentNetworkConfig {
    fn default() -> Self {
        Self {
            agents: KIND_NAMES.iter().map(|name| name.to_string()).collect(),
            capital_ppm: 500_000,
            fixed_shares: Vec::new(),
            execution: ExecutionConfig::default(),
            structure: StructureConfig::default(),
            allocator: AllocatorConfig::default(),
            kinds: KindsConfig::default(),
            infer_ms: 100,
        }
    }
}

impl Default for ExecutionConfig {
    fn default() -> Self {
        Self {
            order_ppm_min: 200,
            rest_ms_min: 200,
            improve_ms: 1_000,
            cross_ms: 3_000,
            participation: 0.2,
            child_ms: 500,
            denied_ms: 1_000,
            quotes_per_second: 20,
            requote_ticks: 2,
            margin_ppm: 1.0,
            shadow_us: 1_000,
        }
    }
}

/// An error of this strategy.
pub(super) fn refuse(cause: impl core::fmt::Display) -> StrategyError {
    StrategyError {
        strategy: String::from(AgentNetwork::NAME),
        cause: format!("{cause}"),
    }
}

/// Refuses parameters that make no sense, apart from those that agents and statistics check themselves.
pub(super) fn check(config: &AgentNetworkConfig) -> Result<(), StrategyError> {
    if config.agents.is_empty() || config.agents.len() > AGENTS_MAX {
        let count = config.agents.len();
        return Err(refuse(format!(
            "agents: expected 1 to {AGENTS_MAX} names, not {count}"
        )));
    }
    for (place, name) in config.agents.iter().enumerate() {
        if config.agents[..place].contains(name) {
            return Err(refuse(format!("agents: `{name}` is named twice")));
        }
    }
    let shares = &config.fixed_shares;
    let sum: f64 = shares.iter().sum();
    let are_shares = shares.iter().all(|share| (0.0..=1.0).contains(share)) && sum <= 1.0 + 1e-9;
    if !shares.is_empty() && (shares.len() != config.agents.len() || !are_shares) {
        return Err(refuse(
            "fixed_shares: expected one share for each agent, together at most 1",
        ));
    }
    let execution = &config.execution;
    let times = [
        ("rest_ms_min", execution.rest_ms_min),
        ("improve_ms", execution.improve_ms),
        ("cross_ms", execution.cross_ms),
        ("child_ms", execution.child_ms),
        ("denied_ms", execution.denied_ms),
        ("requote_ticks", execution.requote_ticks),
        ("infer_ms", config.infer_ms),
        ("shadow_us", execution.shadow_us / 1_000),
    ];
    for (field, value) in times {
        if !(0..=3_600_000).contains(&value) {
            return Err(refuse(format!(
                "{field}: expected 0 to 3600000, not {value}"
            )));
        }
    }
    if !(execution.participation > 0.0 && execution.participation <= 1.0) {
        return Err(refuse("participation: expected above 0 and at most 1"));
    }
    if config.capital_ppm > 100_000_000 {
        return Err(refuse("capital_ppm: expected at most 100000000"));
    }
    Ok(())
}
