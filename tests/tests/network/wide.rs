//! Thirty-two instruments traded through books, fills and latencies: what is found of what was planted.

use acth_core::strategies::agent_network::AgentNetworkConfig;
use acth_sim::world::{World, WorldConfig};

use super::played::{play, tell};

/// Correlation from which a pair counts as planted, and below which it counts as none.
const PLANTED: f64 = 0.5;
const NONE: f64 = 0.05;

#[test]
fn the_planted_graph_is_found_while_trading() {
    let config = WorldConfig::preset("wide").unwrap();
    let world = World::new(config.clone(), 2).unwrap();
    let truth = world.truth();
    let played = play(config, 2, 600, &AgentNetworkConfig::default());
    tell("wide", &played);
    let structure = played.core.strategy().structure();
    let count = world.instruments().count();
    let mut edges = vec![false; count * count];
    for edge in structure.edges() {
        edges[edge.first * count + edge.second] = true;
    }
    let (mut hits, mut misses, mut false_ones) = (0.0, 0.0, 0.0);
    for first in 0..count {
        for second in first + 1..count {
            let planted = truth.correlation()[(first, second)].abs();
            let is_found = edges[first * count + second];
            // What lies between is an edge to some and none to others.
            if planted >= PLANTED {
                hits += f64::from(u8::from(is_found));
                misses += f64::from(u8::from(!is_found));
            } else if planted <= NONE {
                false_ones += f64::from(u8::from(is_found));
            }
        }
    }
    let f1 = 2.0 * hits / (2.0 * hits + misses + false_ones);
    let lags = truth.lags();
    let right = lags.iter().filter(|lag| {
        let found = structure.leader_of(lag.follower.index());
        // The leader itself, or whoever leads it too: the delay behind the news is what counts.
        found.is_some_and(|lead| {
            let delays = truth.delays_ns();
            let planted = delays[lag.follower.index()] - delays[lead.leader];
            (planted - lead.lag_ns).abs() <= 60_000_000
        })
    });
    let right = right.count();
    eprintln!(
        "  F1 {f1:.3}: {hits} found, {misses} missed, {false_ones} false; {right} of {} lags right, {} pairs",
        lags.len(),
        structure.pairs().len()
    );
    assert!(f1 >= 0.95, "{f1}");
    assert!(right * 10 >= lags.len() * 9, "{right} of {}", lags.len());
    let portfolio = played.core.portfolio();
    assert!(portfolio.equity() > portfolio.cash_at_start());
}
