//! The grid against the contrast that it stands for: covariance of one series with the other shifted in time, over all
//! overlapping intervals, without any grid. It is the better estimator for few and rare quotes; the grid is the one that
//! 32 lags of all pairs can afford.

use crate::world::{NS_PER_MS, Planted, Weather, World, alone, structure};

type Ticks = Vec<(i64, f64)>;

/// Sum of the products of all returns of `first` with those of `second` that overlap once `second` is moved back by the
/// lag.
fn shifted_contrast(first: &Ticks, second: &Ticks, lag_ns: i64) -> f64 {
    let (mut begin, mut end, mut sum) = (0, 0, 0.0);
    for pair in first.windows(2) {
        // The last tick of the second at or before the start, and the first at or after the end of the interval.
        while begin + 1 < second.len() && second[begin + 1].0 - lag_ns <= pair[0].0 {
            begin += 1;
        }
        while end + 1 < second.len() && second[end].0 - lag_ns < pair[1].0 {
            end += 1;
        }
        sum += (pair[1].1 - pair[0].1) * (second[end].1 - second[begin].1);
    }
    sum
}

#[test]
fn the_grid_comes_near_the_contrast_that_it_stands_for() {
    let (mut by_grid, mut by_contrast, worlds) = (0, 0, 60);
    let (mut near, mut sum) = (0, 0);
    for seed in 0..worlds {
        let lag_ms = 50 * (seed as i64 % 21 - 10);
        // Of correlation 0.49, one quoted half as often as the other: either can miss.
        let one = Planted {
            group: Some(0),
            loading: 0.7,
            lag_ms: (-lag_ms).max(0),
            ..alone(60.0)
        };
        let other = Planted {
            lag_ms: lag_ms.max(0),
            quote_ms: 120.0,
            ..one
        };
        let mut structure = structure(2);
        let mut world = World::new(500 + seed, vec![one, other], Weather::default(), 120);
        let mut ticks = [Ticks::new(), Ticks::new()];
        world.run_and_tell(&mut structure, 120_000, |index, now_ns, price| {
            ticks[index].push((now_ns, price));
        });
        let lags = -16..=16i64;
        let contrast = |lag: i64| shifted_contrast(&ticks[0], &ticks[1], lag * 50 * NS_PER_MS);
        let best = lags
            .max_by(|one, other| contrast(*one).abs().total_cmp(&contrast(*other).abs()))
            .expect("lags");
        by_contrast += i32::from(best * 50 == lag_ms);
        let peak = structure.lags().peak(0, 1, 3).expect("known");
        let error = peak.lag - (lag_ms / 50) as i32;
        by_grid += i32::from(error == 0);
        near += i32::from(error.abs() <= 1);
        sum += error;
    }
    eprintln!(
        "of {worlds}: grid {by_grid}, {near} within a step, sum {sum}; contrast {by_contrast}"
    );
    assert!(by_contrast > 50, "the oracle itself: {by_contrast}");
    assert!(by_grid >= 44, "{by_grid} of {worlds} to the step");
    assert!(near >= 56, "{near} of {worlds} within a step");
    assert!(sum.abs() <= 12, "drawn to one side by {sum} steps in all");
}
