//! Each season shows what it is configured for, and no price jumps when one turns into the next.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod estimate;

use acth_core::{event::Side, instrument::InstrumentId};
use acth_sim::world::{
    MessageBody, SeasonConfig, VENUE_SPOT, VENUE_USDM, World, WorldConfig, WorldError,
};
use estimate::{SECOND_NS, Sampled, correlation, deviation};

/// A season of the preset without the seconds in which it settles.
const fn span(season: i64) -> (i64, i64) {
    (season * 150 + 30, season * 150 + 149)
}

fn sampled(seed: u64) -> Sampled {
    Sampled::new(WorldConfig::preset("seasons").unwrap(), seed, 600)
}

#[test]
fn truth_tells_which_season_holds() {
    let world = World::new(WorldConfig::preset("seasons").unwrap(), 1).unwrap();
    let (truth, start) = (world.truth(), world.ts_ns());
    let name_at = |seconds: i64| {
        let (_, season) = truth.season_at(start + seconds * SECOND_NS).unwrap();
        season.name.as_str()
    };
    let names = [0, 149, 150, 300, 450, 599, 600, 750].map(name_at);
    let expected = [
        "leaders", "leaders", "premiums", "crowds", "trends", "trends", "leaders", "premiums",
    ];
    assert_eq!(names, expected);
    assert_eq!(truth.delays_ns_at(start), truth.delays_ns());
    let later = truth.delays_ns_at(start + 151 * SECOND_NS);
    assert!(later.iter().all(|delay_ns| *delay_ns == 0));
    let plain = World::new(WorldConfig::default(), 1).unwrap();
    assert!(plain.truth().season_at(plain.ts_ns()).is_none());
}

#[test]
fn followers_follow_only_where_lags_hold() {
    let world = sampled(31);
    for lag in world.world.truth().lags() {
        for season in 0..4 {
            let leads = world.shifted(lag.leader.index(), span(season), 5, 1, 0);
            let follows = |shift| {
                let moves = world.shifted(lag.follower.index(), span(season), 5, 1, shift);
                correlation(&leads, &moves)
            };
            let best = (0..=60).max_by(|a, b| follows(*a).total_cmp(&follows(*b)));
            let expected = if season == 0 {
                lag.lag_ns / world.step_ns
            } else {
                0
            };
            assert_eq!(best, Some(expected as usize), "season {season}, {lag:?}");
        }
    }
}

#[test]
fn premiums_are_wide_in_their_season() {
    let world = sampled(32);
    let (spot, usdm) = (
        world.id(VENUE_SPOT, "ETHUSDT"),
        world.id(VENUE_USDM, "ETHUSDT"),
    );
    let delays_ns = world.world.truth().delays_ns();
    let lag = ((delays_ns[spot] - delays_ns[usdm]) / world.step_ns) as usize;
    let premium = |season: i64| {
        let (first, last) = span(season);
        let lag = if season == 0 { lag } else { 0 };
        let at = (first as usize * 100)..(last as usize * 100);
        let gap = at.map(|step| world.logs[usdm][step] - world.logs[spot][step + lag]);
        deviation(&gap.collect::<Vec<_>>())
    };
    let found = [0, 1, 2, 3].map(premium);
    eprintln!("deviation of the premium by season: {found:.6?}");
    // 1e-4 times 0.1, 4, 0.1 and 0.1; some 10 independent samples of each.
    assert!((2e-4..7e-4).contains(&found[1]));
    for quiet in [found[0], found[2], found[3]] {
        assert!(quiet > 5e-6 && quiet < 4e-5);
    }
}

/// What the doc of `SeasonConfig::momentum` says.
fn planted_autocorrelation(momentum: f64) -> f64 {
    let coupling = momentum * (1.0 + momentum / 2.0);
    0.3996 * coupling / (1.0 + 0.7358 * coupling)
}

/// One asset whose moves are all its own, in one season for good.
fn own_world(momentum: f64) -> WorldConfig {
    let mut config = WorldConfig::preset("walks").unwrap();
    config.seasons = vec![SeasonConfig {
        momentum,
        ..SeasonConfig::default()
    }];
    config
}

#[test]
fn own_moves_go_on_or_come_back_as_much_as_configured() {
    for momentum in [2.0, 0.5, 0.0, -0.5, -0.9] {
        let world = Sampled::new(own_world(momentum), 33, 400);
        let estimates = (0..world.logs.len()).map(|index| {
            let moves = world.moves(index, (5, 400), 100);
            correlation(&moves[..moves.len() - 1], &moves[1..])
        });
        let found = estimates.sum::<f64>() / world.logs.len() as f64;
        let planted = planted_autocorrelation(momentum);
        eprintln!("momentum {momentum}: planted {planted:.3}, found {found:.3}");
        // 16 assets with 394 samples each: a standard error of 0.0126.
        assert!((found - planted).abs() < 0.04);
        let long: f64 = (0..world.logs.len())
            .map(|index| {
                let (slow, fast) = (
                    world.moves(index, (5, 400), 1_000),
                    world.moves(index, (5, 400), 1),
                );
                deviation(&slow) / deviation(&fast) / 1_000f64.sqrt()
            })
            .sum::<f64>()
            / world.logs.len() as f64;
        // Over ten seconds most of the sequel has come: the walk is wider by nearly 1 + momentum.
        let coupling = momentum * (1.0 + momentum / 2.0);
        let expected = (1.0 + 2.0 * coupling * (1.0 - 0.1)).sqrt();
        assert!(
            (long / expected - 1.0).abs() < 0.15,
            "{long} for {expected}"
        );
    }
}

#[test]
fn trends_are_in_the_trend_season_only() {
    let world = sampled(34);
    let mean = |season: i64| {
        let estimates = (0..world.logs.len()).map(|index| {
            let moves = world.moves(index, span(season), 100);
            correlation(&moves[..moves.len() - 1], &moves[1..])
        });
        estimates.sum::<f64>() / world.logs.len() as f64
    };
    let found = [0, 1, 2, 3].map(mean);
    eprintln!("autocorrelation of one-second moves by season: {found:.3?}");
    assert!(found[3] > 0.12);
    for quiet in &found[..3] {
        assert!(quiet.abs() < 0.15 && found[3] - quiet > 0.1);
    }
}

/// Pairs of a past and a future move.
type Pairs = (Vec<f64>, Vec<f64>);

/// Standard deviation of what the past says about the future by the best straight line, parts per million, by season.
fn foreseen_ppm(pairs: impl Fn((i64, i64)) -> Pairs) -> [f64; 4] {
    [0, 1, 2, 3].map(|season| {
        let (mut past, mut future) = (Vec::new(), Vec::new());
        for cycle in 0..CYCLES {
            let (first, last) = span(season);
            let (earlier, later) = pairs((first + cycle * 600, last + cycle * 600));
            // The later moves are fewer by their shift.
            past.extend(&earlier[..later.len()]);
            future.extend(later);
        }
        1e6 * correlation(&past, &future).abs() * deviation(&future)
    })
}

/// Repetitions of all seasons: each estimate has eight minutes.
const CYCLES: i64 = 4;

/// What plain agents foresee in the fair values, each in every season, before costs.
#[test]
fn each_season_pays_its_own_agent() {
    let config = WorldConfig::preset("seasons").unwrap();
    let world = Sampled::new(config, 38, CYCLES * 600);
    let (spot, usdm) = (
        world.id(VENUE_SPOT, "ETHUSDT"),
        world.id(VENUE_USDM, "ETHUSDT"),
    );
    let leader = world.id(VENUE_USDM, "BTCUSDT");
    // Ethereum's perpetual follows bitcoin's 300 ms later.
    let followed = foreseen_ppm(|span_s| {
        let past = world.shifted(leader, span_s, 30, 1, 0);
        (past, world.shifted(usdm, span_s, 30, 1, 30))
    });
    // How the premium changes within eight seconds, by the premium now.
    let converged = foreseen_ppm(|(first, last)| {
        let gap = |at: i64| world.logs[usdm][at as usize] - world.logs[spot][at as usize];
        let range = first * 100..last * 100 - 800;
        let past = range.clone().map(gap).collect();
        (past, range.map(|at| gap(at + 800) - gap(at)).collect())
    });
    let each = (0..world.logs.len()).map(|index| {
        foreseen_ppm(|span_s| {
            let past = world.shifted(index, span_s, 100, 10, 0);
            (past, world.shifted(index, span_s, 100, 10, 100))
        })
    });
    let count = world.logs.len() as f64;
    let carried = each.fold([0.0; 4], |mut sum, row| {
        sum.iter_mut()
            .zip(row)
            .for_each(|(sum, found)| *sum += found / count);
        sum
    });
    eprintln!("ppm foreseen by followers of leaders: {followed:.1?}");
    eprintln!("ppm foreseen by traders of premiums:  {converged:.1?}");
    eprintln!("ppm foreseen by momentum:             {carried:.1?}");
    // The fees of a round trip, of both legs where there are two.
    for (row, season, cost_ppm) in [
        (followed, 0, 10.0),
        (converged, 1, 20.0),
        (carried, 3, 10.0),
    ] {
        assert!(row[season] > 2.0 * cost_ppm, "{row:?}");
        for other in (0..4).filter(|other| *other != season) {
            // A spot that follows its perpetual shows a gap too: in the first season that is the followers' gain.
            let is_lag = (season, other) == (1, 0);
            assert!(row[season] > 2.0 * row[other], "{row:?}");
            assert!(row[other] < cost_ppm || is_lag, "{row:?}");
        }
    }
}

#[test]
fn no_price_jumps_when_a_season_turns() {
    let mut config = WorldConfig::preset("seasons").unwrap();
    config.jumps.rate_per_s = 0.0;
    config.regime.busy_ratio = 1.0;
    for season in &mut config.seasons {
        season.seconds = 10;
        season.lag_factor *= 2.0;
        season.volatility_factor = 1.0;
    }
    let world = Sampled::new(config, 35, 120);
    for row in &world.logs {
        let moves: Vec<f64> = row.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let usual = deviation(&moves);
        for turn in (1_000..12_000).step_by(1_000) {
            // More than five deviations of a step that holds two moves, as it may while a lag glides.
            let around = &moves[turn - 10..turn + 500];
            let largest = around.iter().fold(0.0f64, |most, x| most.max(x.abs()));
            assert!(largest < 7.5 * usual, "{largest} at {turn}, usual {usual}");
        }
    }
}

/// Noise traders and what a maker would have kept of each trade one second later, by season.
struct Flow {
    trades: u64,
    /// Sum over trades of the aggressor's loss against the fair price a second later, parts per million.
    kept_ppm: f64,
}

fn flows(seed: u64) -> [Flow; 4] {
    let mut world = World::new(WorldConfig::preset("seasons").unwrap(), seed).unwrap();
    let start = world.ts_ns();
    let instruments = world.instruments().clone();
    let mut open: Vec<(usize, f64, Side)> = Vec::new();
    [0, 1, 2, 3].map(|season| {
        let mut flow = Flow {
            trades: 0,
            kept_ppm: 0.0,
        };
        for second in span(season).0..span(season).1 {
            world.step_until(start + second * SECOND_NS, &mut |_| {});
            for (index, price, side) in open.drain(..) {
                let fair = world.fair_price(InstrumentId(index as u16)).unwrap();
                flow.kept_ppm += 1e6 * side.sign() as f64 * (price / fair - 1.0);
                flow.trades += 1;
            }
            world.step_until(
                start + (second + 1) * SECOND_NS - SECOND_NS / 2,
                &mut |message| {
                    if let MessageBody::AggregateTrade {
                        price, aggressor, ..
                    } = message.body
                    {
                        let row = instruments.get(message.instrument).unwrap();
                        open.push((message.instrument.index(), row.price_f64(price), aggressor));
                    }
                },
            );
        }
        open.clear();
        flow
    })
}

#[test]
fn makers_keep_most_in_the_crowds() {
    let found = flows(36);
    let kept = found
        .each_ref()
        .map(|flow| flow.kept_ppm / flow.trades as f64);
    let trades = found.each_ref().map(|flow| flow.trades);
    eprintln!("ppm kept by the maker of a trade, by season: {kept:.2?}, of {trades:?} trades");
    assert!(kept[2] > 1.0, "a maker earns in the crowds");
    for other in [0, 1, 3] {
        assert!(kept[2] > kept[other] + 1.0);
    }
}

#[test]
fn the_rates_of_takers_follow_at_once() {
    let mut config = WorldConfig::default();
    let season = |noise_factor| SeasonConfig {
        seconds: 5,
        noise_factor,
        informed_factor: 0.01,
        ..SeasonConfig::default()
    };
    config.seasons = vec![season(0.01), season(10.0)];
    let mut world = World::new(config, 37).unwrap();
    let start = world.ts_ns();
    let mut counts = [0u64; 20];
    for half in 0..20 {
        world.step_until(start + (half + 1) * SECOND_NS / 2, &mut |message| {
            counts[half as usize] +=
                u64::from(matches!(message.body, MessageBody::AggregateTrade { .. }));
        });
    }
    eprintln!("trades by half second: {counts:?}");
    // 8 instruments with 0.05 and 50 noise takers a second; waits of 20 s that were not stretched would keep the second
    // half empty too.
    assert!(counts[..10].iter().sum::<u64>() < 40);
    assert!(counts[10..].iter().all(|count| *count > 100));
}

#[test]
fn seasons_that_cannot_be_simulated_are_refused() {
    let refused = |change: fn(&mut SeasonConfig)| {
        let mut config = WorldConfig::default();
        let mut season = SeasonConfig::default();
        change(&mut season);
        config.seasons = vec![season];
        matches!(World::new(config, 1), Err(WorldError::Value { .. }))
    };
    assert!(!refused(|_| {}));
    assert!(refused(|season| season.seconds = 0));
    assert!(refused(|season| season.momentum = f64::NAN));
    assert!(refused(|season| season.momentum = -1.0));
    assert!(refused(|season| season.noise_factor = 0.0));
    assert!(refused(|season| season.lag_factor = -0.1));
    assert!(refused(|season| season.volatility_factor = f64::INFINITY));
    assert!(!refused(|season| season.lag_factor = 10.0));
    let season = SeasonConfig {
        seconds: 1,
        ..SeasonConfig::default()
    };
    let uneven = WorldConfig {
        step_ns: 7_000_000,
        lags: Vec::new(),
        seasons: vec![season],
        ..WorldConfig::default()
    };
    assert!(World::new(uneven, 1).is_err(), "a season ends on the grid");
}
