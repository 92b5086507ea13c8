//! Every preset runs, can be served, and holds what its name promises.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

mod estimate;

use std::collections::BTreeSet;

use acth_core::instrument::InstrumentId;
use acth_sim::world::{MessageBody, PRESETS, VENUE_SPOT, VENUE_USDM, World, WorldConfig};
use estimate::{SECOND_NS, Sampled, correlation};

#[test]
fn every_preset_runs_a_minute_with_trades_and_whole_books() {
    for (name, _) in PRESETS {
        let mut world = World::new(WorldConfig::preset(name).unwrap(), 3).unwrap();
        let count = world.instruments().count();
        let (mut trades, mut tickers) = (vec![0u64; count], vec![0u64; count]);
        let start = world.ts_ns();
        let began = std::time::Instant::now();
        let mut total = 0u64;
        world.step_until(start + 60 * SECOND_NS, &mut |message| {
            total += 1;
            match message.body {
                MessageBody::Trade { .. } => trades[message.instrument.index()] += 1,
                MessageBody::BookTicker { bid, ask, .. } => {
                    assert!(bid.price < ask.price);
                    tickers[message.instrument.index()] += 1;
                }
                _ => {}
            }
        });
        let times = 60.0 / began.elapsed().as_secs_f64();
        eprintln!(
            "{name}: {count} instruments, {} messages/s, {times:.0} times real time",
            total / 60
        );
        for (id, row) in world.instruments().iter() {
            let book = world.snapshot(id, 5_000).unwrap();
            assert!(
                trades[id.index()] > 60,
                "{}: trades once a second",
                row.name()
            );
            assert!(
                tickers[id.index()] > 600,
                "{}: quotes ten times a second",
                row.name()
            );
            assert!(
                book.bids.len() >= 15 && book.asks.len() >= 15,
                "{} has depth",
                row.name()
            );
            let mid = row.price_f64(book.bids[0].price + book.asks[0].price) / 2.0;
            let fair = world.fair_price(id).unwrap();
            assert!(
                (mid / fair - 1.0).abs() < 1e-3,
                "{}: {mid} for {fair}",
                row.name()
            );
            let spread_ppm = 1e6 * row.price_f64(book.asks[0].price - book.bids[0].price) / fair;
            let tick_ppm = 1e6 * row.price_f64(row.tick) / fair;
            assert!(
                (0.05..50.0).contains(&tick_ppm),
                "{}: a tick of {tick_ppm} ppm",
                row.name()
            );
            assert!(
                spread_ppm < 200.0,
                "{}: a spread of {spread_ppm} ppm",
                row.name()
            );
            assert!(
                [VENUE_SPOT, VENUE_USDM].contains(&row.venue.as_str()),
                "can be served"
            );
        }
    }
    assert_eq!(WorldConfig::preset("default"), Some(WorldConfig::default()));
    assert_eq!(WorldConfig::preset("nowhere"), None);
}

#[test]
fn wide_is_wide() {
    let world = World::new(WorldConfig::preset("wide").unwrap(), 1).unwrap();
    let rows = world.instruments().rows();
    assert_eq!(rows.len(), 32);
    let classes: BTreeSet<u8> = rows.iter().map(|row| row.asset_class as u8).collect();
    assert_eq!(classes.len(), 5);
    let lags = world.truth().lags();
    assert_eq!(lags.len(), 19);
    let is_in_range = |lag_ns: i64| (50_000_000..=500_000_000).contains(&lag_ns);
    assert!(lags.iter().all(|lag| is_in_range(lag.lag_ns)));
    let pairs = rows.iter().filter(|row| {
        row.venue == VENUE_USDM && world.instruments().find(VENUE_SPOT, &row.symbol).is_some()
    });
    assert_eq!(pairs.count(), 8);
}

/// The shift in steps at which the follower's moves resemble the leader's most.
fn best_shift(world: &Sampled, leader: usize, follower: usize, span_s: (i64, i64)) -> usize {
    let leads = world.shifted(leader, span_s, 2, 1, 0);
    let at = |shift| correlation(&leads, &world.shifted(follower, span_s, 2, 1, shift));
    (0..=70).max_by(|a, b| at(*a).total_cmp(&at(*b))).unwrap()
}

#[test]
fn the_lags_of_wide_are_in_its_fair_values() {
    let world = Sampled::new(WorldConfig::preset("wide").unwrap(), 21, 120);
    for lag in world.world.truth().lags() {
        let (leader, follower) = (lag.leader.index(), lag.follower.index());
        let found_ns = best_shift(&world, leader, follower, (1, 119)) as i64 * world.step_ns;
        assert_eq!(
            found_ns, lag.lag_ns,
            "{:?} behind {:?}",
            lag.follower, lag.leader
        );
    }
}

#[test]
fn the_correlations_of_wide_are_in_its_fair_values() {
    let world = Sampled::new(WorldConfig::preset("wide").unwrap(), 22, 600);
    let truth = world.world.truth();
    let delay = |index: usize| (truth.delays_ns()[index] / world.step_ns) as usize;
    let moves: Vec<Vec<f64>> = (0..32)
        .map(|index| world.shifted(index, (1, 598), 20, 20, delay(index)))
        .collect();
    let (mut worst, mut strong) = (0.0f64, 0);
    for row in 0..32 {
        for column in 0..row {
            // The series differ in length by the delays; zip cuts the longer one.
            let found = correlation(&moves[row], &moves[column]);
            let planted = truth.correlation()[(row, column)];
            worst = worst.max((found - planted).abs());
            strong += usize::from(found.abs() > 0.5);
        }
    }
    eprintln!("largest difference {worst:.3}; {strong} pairs beyond one half");
    assert!(worst < 0.15);
    assert!(strong > 40);
}

#[test]
fn the_pairs_of_wide_stay_together() {
    let world = Sampled::new(WorldConfig::preset("wide").unwrap(), 23, 600);
    let rows = world.world.instruments();
    for (id, row) in rows.iter().filter(|(_, row)| row.venue == VENUE_USDM) {
        let Some(spot) = rows.find(VENUE_SPOT, &row.symbol) else {
            continue;
        };
        let (perpetual, spot) = (&world.logs[id.index()], &world.logs[spot.index()]);
        let gap: Vec<f64> = perpetual.iter().zip(spot).map(|(a, b)| a - b).collect();
        // A lag adds what the leader moves meanwhile; the premium is at most 2e-4.
        let away = estimate::deviation(&gap);
        let travelled = perpetual.last().unwrap() - perpetual[0];
        assert!(away > 1e-5 && away < 5e-4, "{}: {away}", row.name());
        assert!(
            gap.iter().all(|gap| gap.abs() < 5e-3),
            "{}: {travelled}",
            row.name()
        );
    }
}

#[test]
fn there_is_nothing_to_find_in_walks() {
    let seconds = 300;
    let world = Sampled::new(WorldConfig::preset("walks").unwrap(), 24, seconds);
    let count = world.logs.len();
    assert_eq!(count, 16);
    let span_s = (0, seconds - 1);
    let (mut worst, mut own) = (0.0f64, 0.0f64);
    for a in 0..count {
        let leads = world.shifted(a, span_s, 5, 5, 0);
        for b in 0..count {
            for shift in (0..=60).step_by(5) {
                if a == b && shift == 0 {
                    continue;
                }
                let found = correlation(&leads, &world.shifted(b, span_s, 5, 5, shift)).abs();
                let slot = if a == b { &mut own } else { &mut worst };
                *slot = slot.max(found);
            }
        }
    }
    eprintln!("largest of all cross- and autocorrelations: {worst:.3} and {own:.3}");
    // 5,980 samples: a standard error of 0.013; 4.5 of them for the largest of 3,300 estimates.
    assert!(worst < 0.058 && own < 0.052);
    let step = world
        .logs
        .iter()
        .map(|row| estimate::deviation(row))
        .all(|away| away > 0.0);
    assert!(step, "all of them move");
}

#[test]
fn the_venues_offer_a_choice() {
    let world = World::new(WorldConfig::preset("venues").unwrap(), 1).unwrap();
    let rows = world.instruments();
    for symbol in ["BTCUSDT", "ETHUSDT"] {
        let on = |venue| rows.get(rows.find(venue, symbol).unwrap()).unwrap();
        let (thin, deep) = (on(VENUE_SPOT), on(VENUE_USDM));
        assert!(thin.tick < deep.tick && thin.taker_fee_ppm < deep.taker_fee_ppm);
        assert!(deep.maker_fee_ppm < thin.maker_fee_ppm);
    }
    let sampled = Sampled::new(WorldConfig::preset("venues").unwrap(), 25, 120);
    let (spot, usdm) = (
        sampled.id(VENUE_SPOT, "BTCUSDT"),
        sampled.id(VENUE_USDM, "BTCUSDT"),
    );
    let gap = sampled.logs[usdm]
        .iter()
        .zip(&sampled.logs[spot])
        .map(|(a, b)| a - b);
    let dear = gap.clone().filter(|gap| *gap > 0.0).count() as f64 / gap.count() as f64;
    assert!(
        (0.25..0.75).contains(&dear),
        "each venue is the cheaper one at times: {dear}"
    );
    assert!(sampled.world.fair_price(InstrumentId(0)).is_some());
}

/// Fair prices every 10 ms: a price in euros is the price in USDT over the euro's, as both were a lag ago.
#[test]
fn prices_in_euros_close_the_triangle_but_for_their_lag() {
    let mut world = World::new(WorldConfig::preset("currencies").unwrap(), 31).unwrap();
    let id = |symbol: &str| world.instruments().find(VENUE_SPOT, symbol).unwrap();
    let euro = id("EURUSDT");
    let triangles = [("BTC", 25), ("ETH", 35)].map(|(base, lag_steps)| {
        let (straight, in_euros) = (id(&format!("{base}USDT")), id(&format!("{base}EUR")));
        (straight, in_euros, lag_steps)
    });
    let count = world.instruments().count();
    let (start, mut history) = (world.ts_ns(), Vec::new());
    let mut worst_now = 0.0f64;
    for step in 1..=6_000i64 {
        world.step_until(start + step * SECOND_NS / 100, &mut |_| {});
        let fair = |index| world.fair_price(InstrumentId(index as u16)).unwrap();
        history.push((0..count).map(fair).collect::<Vec<f64>>());
        for (straight, in_euros, lag_steps) in triangles {
            let Some(then) = (history.len() - 1).checked_sub(lag_steps) else {
                continue;
            };
            let now = &history[history.len() - 1];
            let away = |row: &[f64]| {
                let cross = now[in_euros.index()] * row[euro.index()];
                (cross / row[straight.index()] - 1.0).abs()
            };
            assert!(away(&history[then]) < 1e-9, "step {step}: {}", away(now));
            worst_now = worst_now.max(away(now));
        }
    }
    assert!(worst_now > 1e-5, "the lag is worth something: {worst_now}");
}
