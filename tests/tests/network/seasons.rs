//! A world in which another kind of agent earns every few minutes: capital has to follow.

use acth_core::strategies::agent_network::AgentNetworkConfig;
use acth_sim::world::WorldConfig;

use super::played::{Period, Played, play, tell};

/// Length of a season of the preset, s.
const SEASON_S: f64 = 150.0;
/// Seasons that are played: three rounds of four.
const SEASONS: usize = 12;

/// What fixed or given shares would have earned in a season, as a share of all capital.
fn earned_in(played: &Played, season: usize, shares: impl Fn(&Period) -> Vec<f64>) -> f64 {
    let is_in = |period: &&Period| (period.seconds / SEASON_S) as usize == season;
    let dot = |period: &Period| -> f64 {
        let parts = period.earned.iter().zip(shares(period));
        parts.map(|(earned, share)| earned * share).sum()
    };
    played.periods.iter().filter(is_in).map(dot).sum()
}

/// The earnings of a season: of the shares that were in force, of equal ones, of each agent alone.
struct Season {
    hub: f64,
    equal: f64,
    alone: Vec<f64>,
}

impl Season {
    fn of(played: &Played, season: usize, count: usize) -> Self {
        let only = |agent: usize| {
            move |_: &Period| {
                let mut shares = vec![0.0; count];
                shares[agent] = 1.0;
                shares
            }
        };
        Self {
            hub: earned_in(played, season, |period| period.shares.clone()),
            equal: earned_in(played, season, |_| vec![1.0 / count as f64; count]),
            alone: (0..count)
                .map(|agent| earned_in(played, season, only(agent)))
                .collect(),
        }
    }

    /// The best fixed shares within the allocator's own floor and cap, chosen with hindsight; nothing where all lose.
    fn best(&self, floor: f64, cap: f64) -> f64 {
        let mut order: Vec<f64> = self.alone.clone();
        order.sort_by(|one, other| other.total_cmp(one));
        let sum: f64 = order.iter().sum();
        let mut left: f64 = 1.0 - floor * order.len() as f64;
        let mut earned = floor * sum;
        for agent in order {
            let more = left.min(cap - floor);
            earned += more * agent.max(0.0);
            left -= more;
        }
        earned
    }
}

/// Plays one seed and prints what everyone earned; hub and best of all seasons.
fn seasons_of(seed: u64) -> (f64, f64) {
    let parameters = AgentNetworkConfig::default();
    let world = WorldConfig::preset("seasons").unwrap();
    let seconds = (SEASON_S * SEASONS as f64) as i64;
    let played = play(world, seed, seconds, &parameters);
    tell(&format!("seasons, seed {seed}"), &played);
    let names = &parameters.agents;
    let (floor, cap) = (
        parameters.allocator.share_min,
        parameters.allocator.share_max,
    );
    let percent = |values: &[f64]| -> String {
        let words = values.iter().map(|value| format!("{:9.3}", 100.0 * value));
        words.collect()
    };
    eprintln!(
        "  earned, % of capital: hub, best fixed shares, equal shares; alone: {}",
        names.join(", ")
    );
    let mut sums = vec![0.0; 3 + names.len()];
    for number in 0..SEASONS {
        let season = Season::of(&played, number, names.len());
        let mut row = vec![season.hub, season.best(floor, cap), season.equal];
        row.extend(season.alone);
        sums.iter_mut()
            .zip(&row)
            .for_each(|(sum, value)| *sum += value);
        eprintln!("  season {number:>2} {}", percent(&row));
    }
    eprintln!("  all       {}", percent(&sums));
    let findings = played.core.findings();
    assert_eq!(
        findings.sharing.unwrap().violations,
        0,
        "the bound of the regret"
    );
    assert_eq!(findings.agents[0].fills, 0, "every fill was somebody's");
    let portfolio = played.core.portfolio();
    assert!(
        portfolio.equity() > portfolio.cash_at_start(),
        "real profit after costs"
    );
    assert!(sums[0] > 2.0 * sums[2], "far better than equal shares");
    (sums[0], sums[1])
}

#[test]
fn capital_follows_the_seasons() {
    let (mut hub, mut best) = (0.0, 0.0);
    for seed in 3..=5 {
        let (earned, possible) = seasons_of(seed);
        eprintln!(
            "  hub earned {:.1} % of the best",
            100.0 * earned / possible
        );
        hub += earned;
        best += possible;
    }
    eprintln!("all seeds: {:.1} %", 100.0 * hub / best);
    assert!(hub >= 0.8 * best, "{hub} of {best}");
}
