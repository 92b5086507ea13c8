//! Parameters of the strategy, and which of them cannot be meant.

use alloc::{format, string::String};

use serde::{Deserialize, Serialize};

use super::BasisLeadLag;
use crate::{
    stats::{LAG_MAX, StatsError},
    strategy::{Strategy, StrategyError},
};

/// Parameters of `BasisLeadLag`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BasisLeadLagConfig {
    /// Half-life of mean and variance of the basis.
    pub basis_half_life_ms: i64,
    /// Half-life of the cross-correlations, in timer ticks.
    pub structure_half_life_ticks: f64,
    /// Longest lag considered, in timer ticks.
    pub lag_ticks_max: usize,
    /// Timer ticks before the first order.
    pub warm_up_ticks: u64,
    /// Least correlation with the leader's earlier returns.
    pub leader_correlation_min: f64,
    /// Least distance of the basis from its mean, in standard deviations.
    pub basis_z_min: f64,
    /// What a prediction must promise beyond its costs for an order that takes, in parts per million of the price.
    pub take_edge_ppm: f64,
    /// The same for an order that rests.
    pub rest_edge_ppm: f64,
    /// Size of one position, in parts per million of equity.
    pub position_share_ppm: i64,
    /// Loss at which a position is closed, in parts per million of the price.
    pub stop_ppm: i64,
    /// Longest time a position is held.
    pub hold_ms_max: i64,
    /// Shortest life of a resting order, so that the queue is not left for nothing.
    pub rest_ms_min: i64,
    /// Whether spot instruments may be sold short.
    pub short_spot: bool,
}

impl Default for BasisLeadLagConfig {
    fn default() -> Self {
        Self {
            basis_half_life_ms: 30_000,
            structure_half_life_ticks: 300.0,
            lag_ticks_max: 5,
            warm_up_ticks: 50,
            leader_correlation_min: 0.1,
            basis_z_min: 1.5,
            take_edge_ppm: 5.0,
            rest_edge_ppm: 40.0,
            position_share_ppm: 50_000,
            stop_ppm: 1_000,
            hold_ms_max: 5_000,
            rest_ms_min: 200,
            short_spot: true,
        }
    }
}

pub(super) fn refuse_statistics(cause: StatsError) -> StrategyError {
    StrategyError {
        strategy: String::from(BasisLeadLag::NAME),
        cause: format!("{cause}"),
    }
}

/// Refuses parameters that make no sense.
pub(super) fn check(config: &BasisLeadLagConfig) -> Result<(), StrategyError> {
    let positive = [
        ("basis_half_life_ms", config.basis_half_life_ms),
        ("position_share_ppm", config.position_share_ppm),
        ("stop_ppm", config.stop_ppm),
        ("hold_ms_max", config.hold_ms_max),
        ("lag_ticks_max", config.lag_ticks_max as i64),
    ];
    let refuse = |cause: String| {
        Err(StrategyError {
            strategy: BasisLeadLag::NAME.into(),
            cause,
        })
    };
    for (name, value) in positive {
        if value <= 0 {
            return refuse(format!("{name} must be positive, not {value}"));
        }
    }
    if config.lag_ticks_max > LAG_MAX {
        return refuse(format!("lag_ticks_max must be at most {LAG_MAX}"));
    }
    if config.structure_half_life_ticks.is_nan() || config.structure_half_life_ticks <= 0.0 {
        return refuse(String::from("structure_half_life_ticks must be positive"));
    }
    Ok(())
}
