//! A world in which there is nothing to find.

use acth_core::strategies::agent_network::AgentNetworkConfig;
use acth_sim::world::WorldConfig;

use super::played::{play, tell};

#[test]
fn without_structure_the_hub_stays_small() {
    let world = WorldConfig::preset("walks").unwrap();
    let played = play(world, 5, 900, &AgentNetworkConfig::default());
    tell("walks", &played);
    for chunk in played.periods.chunks(100) {
        let mean = chunk.iter().map(|p| p.gross).sum::<f64>() / chunk.len() as f64;
        eprintln!("gross {:.4}", mean);
    }
}
