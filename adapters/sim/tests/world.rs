//! The world repeats itself for one seed, looks like a market, and hides what was planted where estimators find it.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may fail this way")]

use acth_core::{hash::StateHasher, instrument::InstrumentId};
use acth_sim::world::{MessageBody, World, WorldConfig, WorldMessage};

const SECOND_NS: i64 = 1_000_000_000;

/// The first 30 s of seed 11 in the default universe, announcements of funding left out, the same in every build and on every
/// CPU. A deliberate change of the world changes it; print the new value, put it here, and say so in the commit.
const GOLDEN_HASH: u64 = 0x5370_2138_76ce_2ba2;

fn fold(hasher: &mut StateHasher, message: &WorldMessage<'_>) {
    // The debug form names every field, so nothing can be left out of the comparison.
    hasher.bytes(format!("{message:?}").as_bytes());
}

/// The first 10 s of seed 29 in a world of other numbers, as it was before there were seasons and funding.
const GOLDEN_HASH_OTHER: u64 = 0x79a2_fca7_badd_c502;

fn hash_of(seed: u64, slices: i64, seconds: i64) -> u64 {
    hash_of_config(WorldConfig::default(), seed, slices, seconds)
}

fn hash_of_config(config: WorldConfig, seed: u64, slices: i64, seconds: i64) -> u64 {
    let mut world = World::new(config, seed).unwrap();
    let start = world.ts_ns();
    let mut hasher = StateHasher::new();
    for slice in 1..=slices {
        let until = start + seconds * SECOND_NS * slice / slices;
        world.step_until(until, &mut |message| fold(&mut hasher, &message));
    }
    hasher.finish()
}

#[test]
fn same_seed_same_bytes_however_sliced() {
    let first = hash_of(11, 1, 30);
    assert_eq!(first, hash_of(11, 1, 30), "same seed");
    let silent = WorldConfig {
        funding_interval_s: 0,
        ..WorldConfig::default()
    };
    let found = hash_of_config(silent, 11, 1, 30);
    assert_eq!(found, GOLDEN_HASH, "found {found:#x}");
    assert_eq!(first, hash_of(11, 777, 30), "same seed in small steps");
    assert_ne!(first, hash_of(12, 1, 30), "another seed");
}

#[test]
fn a_world_without_seasons_is_what_it_was_before_there_were_any() {
    let mut config = WorldConfig {
        step_ns: 20_000_000,
        funding_interval_s: 0,
        ..WorldConfig::default()
    };
    config.regime.busy_ratio = 4.0;
    config.regime.calm_mean_s = 2.0;
    config.jumps.rate_per_s = 1.0;
    config.flow.maker_delay_ns_max = 90_000_000;
    for lag in &mut config.lags {
        lag.lag_ns = 340_000_000;
    }
    let found = hash_of_config(config, 29, 3, 10);
    assert_eq!(found, GOLDEN_HASH_OTHER, "found {found:#x}");
}

#[test]
#[ignore = "measures"]
fn speed_flat_out() {
    let mut world = World::new(WorldConfig::default(), 1).unwrap();
    let (start, seconds) = (world.ts_ns(), 60);
    let began = std::time::Instant::now();
    let mut count = 0u64;
    world.step_until(start + seconds * SECOND_NS, &mut |_| count += 1);
    let elapsed = began.elapsed().as_secs_f64();
    let (times, rate) = (seconds as f64 / elapsed, count as f64 / elapsed);
    eprintln!("{times:.0} times real time, {rate:.0} messages/s");
}

#[derive(Default)]
struct Counts {
    trades: u64,
    tickers: u64,
    diffs: u64,
    levels: u64,
    spread_ticks: Vec<i64>,
    mid_error: f64,
}

#[test]
fn looks_like_a_market() {
    let mut world = World::new(WorldConfig::default(), 3).unwrap();
    let count = world.instruments().count();
    let mut counts: Vec<Counts> = (0..count).map(|_| Counts::default()).collect();
    let start = world.ts_ns();
    let seconds = 30;
    let mut last_ts = start;
    let mut total = 0u64;
    for slice in 1..=seconds * 100 {
        world.step_until(start + slice * SECOND_NS / 100, &mut |message| {
            assert!(message.ts_ns >= last_ts, "messages are in time order");
            last_ts = message.ts_ns;
            total += 1;
            let row = &mut counts[message.instrument.index()];
            match message.body {
                MessageBody::Trade { .. } => row.trades += 1,
                MessageBody::BookTicker { bid, ask, .. } => {
                    assert!(bid.price < ask.price);
                    row.tickers += 1;
                    row.spread_ticks.push(ask.price - bid.price);
                }
                MessageBody::DepthDiff { bids, asks, .. } => {
                    row.diffs += 1;
                    row.levels += (bids.len() + asks.len()) as u64;
                }
                MessageBody::AggregateTrade { .. } | MessageBody::MarkPrice { .. } => {}
            }
        });
        for (id, instrument) in world.instruments().iter() {
            let book = world.snapshot(id, 1).unwrap();
            let mid = instrument.price_f64(book.bids[0].price + book.asks[0].price) / 2.0;
            let fair = world.fair_price(id).unwrap();
            counts[id.index()].mid_error += ((mid - fair) / fair).powi(2);
        }
    }
    let per_second = total / seconds as u64;
    eprintln!("{per_second} messages a second in all");
    for (id, instrument) in world.instruments().iter() {
        let row = &mut counts[id.index()];
        row.spread_ticks.sort_unstable();
        let at =
            |share: usize| row.spread_ticks[row.spread_ticks.len() * share / 100] / instrument.tick;
        let book = world.snapshot(id, 5_000).unwrap();
        eprintln!(
            "{}: {} trades/s, {} tickers/s, {} diffs/s of {} levels, spread median {} p90 {} p99 {}, depth {}+{}, \
             mid error {:.2} bp",
            instrument.name(),
            row.trades / seconds as u64,
            row.tickers / seconds as u64,
            row.diffs / seconds as u64,
            row.levels / row.diffs,
            at(50),
            at(90),
            at(99),
            book.bids.len(),
            book.asks.len(),
            (row.mid_error / (seconds * 100) as f64).sqrt() * 1e4,
        );
        assert!(row.trades > 0 && row.tickers > 0 && row.diffs > 0);
        assert!(
            (1..=5).contains(&at(50)),
            "median spread of {} ticks",
            at(50)
        );
        assert!(book.bids.len() >= 20 && book.asks.len() >= 20);
        assert!(book.bids.len() <= 200 && book.asks.len() <= 200);
    }
    assert!(
        (2_000..=6_000).contains(&per_second),
        "{per_second} messages a second"
    );
}

/// Log mids of all instruments on a grid.
fn mids(seed: u64, seconds: i64, grid_ns: i64) -> (World, Vec<Vec<f64>>) {
    let mut world = World::new(WorldConfig::default(), seed).unwrap();
    let start = world.ts_ns();
    let mut series = vec![Vec::new(); world.instruments().count()];
    for step in 1..=seconds * SECOND_NS / grid_ns {
        world.step_until(start + step * grid_ns, &mut |_| {});
        for (index, row) in series.iter_mut().enumerate() {
            let book = world.snapshot(InstrumentId(index as u16), 1).unwrap();
            row.push(((book.bids[0].price + book.asks[0].price) as f64).ln());
        }
    }
    (world, series)
}

/// Correlation of the moves of `a` over `window` steps with those of `b`, `shift` steps later.
fn correlation(a: &[f64], b: &[f64], shift: i64, window: usize) -> f64 {
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for index in 0..a.len() - window {
        let later = index as i64 + shift;
        if later < 0 || later as usize + window >= b.len() {
            continue;
        }
        let later = later as usize;
        let (move_a, move_b) = (a[index + window] - a[index], b[later + window] - b[later]);
        ab += move_a * move_b;
        aa += move_a * move_a;
        bb += move_b * move_b;
    }
    ab / (aa * bb).sqrt()
}

#[test]
fn planted_lags_are_in_the_data() {
    let grid_ns = 10_000_000;
    let (world, series) = mids(5, 120, grid_ns);
    let delays = world.truth().delays_ns();
    let mut pairs: Vec<_> = world
        .truth()
        .lags()
        .iter()
        .map(|l| (l.leader, l.follower))
        .collect();
    let find = |venue, symbol| world.instruments().find(venue, symbol).unwrap();
    // Not a configured pair: the lag follows from the chain of leaders.
    pairs.push((
        find("binance-spot", "BTCUSDT"),
        find("binance-spot", "ETHUSDT"),
    ));
    for (leader, follower) in pairs {
        let (a, b) = (&series[leader.index()], &series[follower.index()]);
        let best = (-60..=60i64)
            .max_by(|x, y| correlation(a, b, *x, 10).total_cmp(&correlation(a, b, *y, 10)))
            .unwrap();
        let found_ns = best * grid_ns;
        let planted_ns = delays[follower.index()] - delays[leader.index()];
        eprintln!("{leader:?} leads {follower:?} by {planted_ns} ns, found {found_ns} ns");
        assert!(found_ns > 0, "the leader leads");
        assert!((found_ns - planted_ns).abs() <= 30_000_000, "within 30 ms");
    }
}

#[test]
fn planted_correlation_is_in_the_data() {
    let (world, series) = mids(6, 400, 50_000_000);
    let truth = world.truth();
    let (window, grid_ns) = (40, 50_000_000);
    let mut worst: f64 = 0.0;
    for a in 0..series.len() {
        for b in 0..a {
            let shift = (truth.delays_ns()[b] - truth.delays_ns()[a]) / grid_ns;
            let found = correlation(&series[a], &series[b], shift, window);
            worst = worst.max((found - truth.correlation()[(a, b)]).abs());
        }
    }
    eprintln!("largest difference between planted and found correlation: {worst:.3}");
    assert!(worst < 0.25);
}

#[test]
fn books_never_cross_and_ids_follow_the_rules() {
    let mut world = World::new(WorldConfig::default(), 9).unwrap();
    let start = world.ts_ns();
    let count = world.instruments().count();
    let is_spot: Vec<bool> = world
        .instruments()
        .rows()
        .iter()
        .map(|row| row.venue == "binance-spot")
        .collect();
    let mut last: Vec<u64> = (0..count)
        .map(|index| {
            world
                .snapshot(InstrumentId(index as u16), 0)
                .unwrap()
                .last_update_id
        })
        .collect();
    let mut gaps = 0;
    world.step_until(start + 5 * SECOND_NS, &mut |message| {
        let index = message.instrument.index();
        if let MessageBody::DepthDiff {
            first_id,
            final_id,
            previous_final_id,
            ..
        } = message.body
        {
            assert_eq!(previous_final_id, last[index]);
            assert!(first_id <= final_id && first_id > previous_final_id);
            if is_spot[index] {
                assert_eq!(first_id, previous_final_id + 1);
            } else if first_id > previous_final_id + 1 {
                gaps += 1;
            }
            last[index] = final_id;
        }
    });
    assert!(gaps > 0, "futures ids are shared by all instruments");
    for index in 0..count {
        let book = world.snapshot(InstrumentId(index as u16), 5_000).unwrap();
        assert!(book.bids[0].price < book.asks[0].price);
        assert!(
            book.bids
                .iter()
                .chain(&book.asks)
                .all(|level| level.quantity > 0)
        );
    }
}
