//! A world in which there is nothing to find: the hub loses no more than it pays, and bets less and less.

use acth_core::strategies::agent_network::AgentNetworkConfig;
use acth_sim::world::WorldConfig;

use super::played::{Period, play, tell};

fn mean_gross(periods: &[Period]) -> f64 {
    periods.iter().map(|period| period.gross).sum::<f64>() / periods.len() as f64
}

/// What the share of agents that trade is, all but those who found nothing and sit still.
fn mean_risked(periods: &[Period]) -> f64 {
    let risked = |period: &Period| -> f64 {
        let acting = period.shares.iter().zip(&period.earned);
        acting
            .filter(|(_, earned)| earned.abs() > 0.0)
            .map(|(share, _)| share)
            .sum()
    };
    periods.iter().map(risked).sum::<f64>() / periods.len() as f64
}

#[test]
fn without_structure_the_hub_loses_no_more_than_its_costs() {
    let world = WorldConfig::preset("walks").unwrap();
    let played = play(world, 5, 900, &AgentNetworkConfig::default());
    tell("walks", &played);
    let portfolio = played.core.portfolio();
    let lost = (portfolio.cash_at_start() - portfolio.equity()).to_f64();
    // Fees, and the half spread that each traded unit of money crosses on average: the smallest tick of these instruments
    // is more than one part per million of the price.
    let costs = portfolio.fees().to_f64() + portfolio.volume().to_f64() * 5e-6;
    let third = played.periods.len() / 3;
    let (first, last) = (&played.periods[..third], &played.periods[2 * third..]);
    eprintln!(
        "  lost {lost:.2} of costs of {costs:.2}; gross exposure {:.4} -> {:.4}, share that trades {:.3} -> {:.3}",
        mean_gross(first),
        mean_gross(last),
        mean_risked(first),
        mean_risked(last)
    );
    let findings = played.core.findings();
    eprintln!(
        "  {} edges, {} leads, {} pairs",
        findings.edges.len(),
        findings.leads.len(),
        findings.pairs.len()
    );
    assert!(findings.leads.is_empty(), "{:?}", findings.leads);
    assert!(lost <= costs, "lost {lost}, costs {costs}");
    assert!(mean_risked(last) < 0.5 * mean_risked(first).max(0.1));
    assert!(mean_gross(last) <= mean_gross(first));
}
