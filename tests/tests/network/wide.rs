//! Thirty-two instruments: what is found of what was planted.

use acth_core::strategies::agent_network::AgentNetworkConfig;
use acth_sim::world::WorldConfig;

use super::played::{play, tell};

#[test]
fn thirty_two_instruments() {
    let world = WorldConfig::preset("wide").unwrap();
    let played = play(world, 2, 300, &AgentNetworkConfig::default());
    tell("wide", &played);
    let findings = played.core.findings();
    eprintln!(
        "{} edges, {} leads, {} pairs",
        findings.edges.len(),
        findings.leads.len(),
        findings.pairs.len()
    );
}
