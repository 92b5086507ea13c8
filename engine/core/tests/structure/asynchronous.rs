//! Covariance of asynchronous prices against a double loop over all intervals, and against the Epps effect.

use acth_core::structure::HayashiYoshida;
use proptest::{collection::vec, prelude::*};

use crate::{golden::assert_close, random::Random};

/// All ticks of one series: time and log price.
type Ticks = Vec<(i64, f64)>;

/// The definition: products of all returns whose intervals overlap, each faded since the later of their ends.
fn brute_force(first: &Ticks, second: &Ticks, half_life_ns: f64, now_ns: i64) -> f64 {
    let mut sum = 0.0;
    for one in first.windows(2) {
        for other in second.windows(2) {
            let is_overlap = one[0].0 < other[1].0 && other[0].0 < one[1].0;
            if is_overlap {
                let age = (now_ns - one[1].0.max(other[1].0)) as f64;
                let weight = (-age / half_life_ns).exp2();
                sum += weight * (one[1].1 - one[0].1) * (other[1].1 - other[0].1);
            }
        }
    }
    sum
}

/// Ticks of several series in the order of their times: series, time step, price step.
fn series_of(steps: &[(usize, i64, f64)], count: usize) -> (Vec<(usize, i64, f64)>, Vec<Ticks>) {
    let (mut now_ns, mut prices) = (0, vec![4.0; count]);
    let mut ticks = vec![Ticks::new(); count];
    let mut all = Vec::new();
    for (series, elapsed_ns, change) in steps {
        now_ns += elapsed_ns;
        prices[*series] += change;
        ticks[*series].push((now_ns, prices[*series]));
        all.push((*series, now_ns, prices[*series]));
    }
    (all, ticks)
}

proptest! {
    #[test]
    fn covariances_equal_the_double_loop(
        steps in vec((0usize..3, 1i64..50, -0.1f64..0.1), 0..120),
        half_life_ns in prop_oneof![Just(f64::INFINITY), 20.0..2_000.0],
        wait_ns in 0i64..100,
    ) {
        let (all, ticks) = series_of(&steps, 3);
        let mut found = HayashiYoshida::new(3, half_life_ns).expect("sound");
        for (series, ts_ns, price) in &all {
            prop_assert!(found.update(*series, *ts_ns, *price));
        }
        let now_ns = all.last().map_or(0, |last| last.1) + wait_ns;
        for first in 0..3 {
            for second in 0..3 {
                let expected = if first == second {
                    // A return overlaps with itself alone.
                    ticks[first].windows(2).map(|pair| {
                        let weight = (-((now_ns - pair[1].0) as f64) / half_life_ns).exp2();
                        weight * (pair[1].1 - pair[0].1).powi(2)
                    }).sum()
                } else {
                    brute_force(&ticks[first], &ticks[second], half_life_ns, now_ns)
                };
                assert_close(found.covariance(first, second, now_ns), expected, 1e-12);
            }
        }
    }
}

/// One world of two correlated walks seen at 10 % and 5 % of their steps: the estimate and the one from last prices.
fn sampled_world(seed: u64) -> (f64, f64) {
    let (steps, rho) = (20_000i64, 0.6f64);
    let mut random = Random::new(seed);
    let mut found = HayashiYoshida::new(2, f64::INFINITY).expect("sound");
    let (mut prices, mut seen) = ([0.0; 2], [0.0; 2]);
    let (mut before, mut moments) = ([0.0; 2], [0.0; 3]);
    for step in 0..steps {
        let (common, own) = (random.normal(), random.normal());
        prices[0] += common * 1e-4;
        prices[1] += (rho * common + (1.0 - rho * rho).sqrt() * own) * 1e-4;
        for (series, chance) in [(0, 0.10), (1, 0.05)] {
            if random.uniform() < chance {
                found.update(series, step, prices[series]);
                seen[series] = prices[series];
            }
        }
        if step % 10 == 9 {
            let moves = [seen[0] - before[0], seen[1] - before[1]];
            moments[0] += moves[0] * moves[0];
            moments[1] += moves[0] * moves[1];
            moments[2] += moves[1] * moves[1];
            before = seen;
        }
    }
    let last_price = moments[1] / (moments[0] * moments[2]).sqrt();
    (found.correlation(0, 1, steps), last_price)
}

#[test]
fn rare_quotes_do_not_hide_a_correlation() {
    let seeds = 40;
    let (mut total, mut last_price) = (0.0, 0.0);
    for seed in 0..seeds {
        let (one, other) = sampled_world(seed);
        total += one / f64::from(seeds as u32);
        last_price += other / f64::from(seeds as u32);
    }
    eprintln!("true 0.6, found {total:.3}, by last prices {last_price:.3}");
    assert!((total - 0.6).abs() < 0.025, "{total}");
    assert!(last_price < 0.4, "the Epps effect: {last_price}");
}

#[test]
fn what_is_no_price_is_refused_and_counted() {
    let mut found = HayashiYoshida::new(2, 1e9).expect("sound");
    let refused = [
        (2, 0, 1.0),
        (0, -1, 1.0),
        (0, 0, f64::NAN),
        (0, 0, f64::INFINITY),
        (0, 0, -1e4),
    ];
    for (index, ts_ns, price) in refused {
        assert!(!found.update(index, ts_ns, price));
    }
    assert_eq!(found.refused_count(), 5);
    assert_eq!(found.price(0), None);
    assert!(HayashiYoshida::new(0, 1e9).is_err());
    assert!(HayashiYoshida::new(129, 1e9).is_err());
    assert!(HayashiYoshida::new(2, 0.0).is_err());
    assert!(HayashiYoshida::new(2, f64::NAN).is_err());
}

#[test]
fn a_long_silence_forgets_without_a_trace() {
    let mut found = HayashiYoshida::new(2, 1.0).expect("sound");
    for step in 0..10 {
        found.update(step % 2, step as i64, step as f64);
    }
    let later_ns = i64::MAX;
    assert_close(found.covariance(0, 0, later_ns), 0.0, 0.0);
    assert_close(found.correlation(0, 1, later_ns), 0.0, 0.0);
    assert_close(found.weight(0, later_ns), 0.0, 0.0);
}
