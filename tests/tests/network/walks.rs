//! A world in which there is nothing to find: the hub loses no more than it pays, and bets less and less.

use acth_core::strategies::agent_network::AgentNetworkConfig;
use acth_sim::world::WorldConfig;

use super::played::{Period, play, tell};

fn mean_gross(periods: &[Period]) -> f64 {
    periods.iter().map(|period| period.gross).sum::<f64>() / periods.len() as f64
}

/// What equity moved from period to period, as a variance of the whole.
fn variance(periods: &[Period]) -> f64 {
    let moves = periods
        .windows(2)
        .map(|pair| pair[1].equity - pair[0].equity);
    moves.map(|moved| moved * moved).sum()
}

const SEED_FIRST: u64 = 5;

/// How many worlds: three, or as many as `ACTH_WALKS` says.
fn seed_count() -> u64 {
    let asked = std::env::var("ACTH_WALKS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(3)
}

#[test]
fn without_structure_the_hub_loses_no_more_than_its_costs() {
    let (mut lost, mut costs, mut noise) = (0.0, 0.0, 0.0);
    let (mut early, mut late) = (0.0, 0.0);
    let worlds = seed_count() as f64;
    for seed in SEED_FIRST..SEED_FIRST + seed_count() {
        let world = WorldConfig::preset("walks").unwrap();
        let played = play(world, seed, 900, &AgentNetworkConfig::default());
        tell(&format!("walks, seed {seed}"), &played);
        let portfolio = played.core.portfolio();
        lost += (portfolio.cash_at_start() - portfolio.equity()).to_f64();
        costs += played.costs;
        noise += variance(&played.periods);
        let third = played.periods.len() / 3;
        early += mean_gross(&played.periods[..third]) / worlds;
        late += mean_gross(&played.periods[2 * third..]) / worlds;
        let findings = played.core.findings();
        assert!(findings.leads.is_empty(), "{:?}", findings.leads);
        assert!(findings.edges.is_empty(), "{:?}", findings.edges);
    }
    let error = noise.sqrt();
    eprintln!(
        "lost {lost:.2} +- {error:.2} at costs of {costs:.2}; gross exposure {early:.4} -> {late:.4}"
    );
    // Two standard errors of what positions moved by chance.
    assert!(
        lost <= costs + 2.0 * error,
        "lost {lost} +- {error}, costs {costs}"
    );
    assert!(late < early, "exposure {early} -> {late}");
}
