//! A world in which another kind of agent earns every few minutes.

use acth_core::strategies::agent_network::AgentNetworkConfig;
use acth_sim::world::WorldConfig;

use super::played::{Period, play, tell};

/// Length of a season of the preset, s.
const SEASON_S: f64 = 150.0;
/// Seasons that are played: three rounds of four.
const SEASONS: usize = 12;

fn earned_in(periods: &[Period], season: usize, shares: impl Fn(&Period) -> Vec<f64>) -> f64 {
    let is_in = |period: &&Period| (period.seconds / SEASON_S) as usize == season;
    let dot = |period: &Period| -> f64 {
        let shares = shares(period);
        period
            .earned
            .iter()
            .zip(&shares)
            .map(|(earned, share)| earned * share)
            .sum()
    };
    periods.iter().filter(is_in).map(dot).sum()
}

#[test]
fn the_hub_follows_the_seasons() {
    let parameters = AgentNetworkConfig::default();
    let world = WorldConfig::preset("seasons").unwrap();
    let seconds = (SEASON_S * SEASONS as f64) as i64;
    let played = play(world, 3, seconds, &parameters);
    tell("seasons", &played);
    let count = parameters.agents.len();
    let alone = |agent: usize| {
        move |_: &Period| {
            (0..count)
                .map(|a| f64::from(u8::from(a == agent)))
                .collect::<Vec<f64>>()
        }
    };
    for season in 0..SEASONS {
        let hub = earned_in(&played.periods, season, |period| period.shares.clone());
        let equal = earned_in(&played.periods, season, |_| vec![1.0 / count as f64; count]);
        let each: Vec<String> = (0..count)
            .map(|agent| {
                format!(
                    "{} {:.3}",
                    parameters.agents[agent],
                    100.0 * earned_in(&played.periods, season, alone(agent))
                )
            })
            .collect();
        let last = played
            .periods
            .iter()
            .filter(|p| ((p.seconds / SEASON_S) as usize) == season)
            .last()
            .unwrap();
        let shares: Vec<String> = last.shares.iter().map(|s| format!("{:.2}", s)).collect();
        eprintln!(
            "season {season}: hub {:.3} %, equal {:.3} %; {}; shares {}",
            100.0 * hub,
            100.0 * equal,
            each.join(", "),
            shares.join(" ")
        );
    }
}
