//! Cross-correlations folded in batches against plain sums over all rows.

use acth_core::structure::{BATCH_ROWS, CrossLags};

use crate::{golden::assert_close, random::Random};

/// Correlation of `first` with `second` `lag` rows later, each product faded since the row of the second.
fn brute_force(rows: &[[f64; 3]], first: usize, second: usize, lag: usize, half_life: f64) -> f64 {
    let weight = |row: usize| (-((rows.len() - 1 - row) as f64) / half_life).exp2();
    let square = |series: usize| -> f64 {
        (0..rows.len())
            .map(|row| weight(row) * rows[row][series] * rows[row][series])
            .sum()
    };
    let products: f64 = (lag..rows.len())
        .map(|row| weight(row) * rows[row - lag][first] * rows[row][second])
        .sum();
    products / (square(first) * square(second)).sqrt()
}

fn random_rows(seed: u64, count: usize) -> Vec<[f64; 3]> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| core::array::from_fn(|_| random.normal()))
        .collect()
}

#[test]
fn folding_in_slices_equals_plain_sums() {
    let rows = random_rows(11, 10 * BATCH_ROWS);
    for (leaders, half_life) in [(3, 40.0), (1, 40.0), (2, f64::INFINITY)] {
        let mut lags = CrossLags::new(3, 5, half_life).expect("sound");
        for row in &rows {
            lags.push(|out| out.copy_from_slice(row));
            lags.fold(leaders);
        }
        while lags.fold(leaders) {}
        for first in 0..3 {
            for second in 0..3 {
                for lag in 0..=5usize {
                    let expected = brute_force(&rows, first, second, lag, half_life);
                    let found = lags.correlation(first, second, lag as i32);
                    assert_close(found, expected, 1e-12);
                    let mirrored = lags.correlation(second, first, -(lag as i32));
                    assert_close(mirrored, expected, 1e-12);
                }
            }
        }
    }
}

#[test]
fn no_row_is_lost_when_timers_stay_away() {
    let rows = random_rows(12, 40 * BATCH_ROWS);
    let (mut eager, mut lazy) = (
        CrossLags::new(3, 8, 100.0).expect("sound"),
        CrossLags::new(3, 8, 100.0).expect("sound"),
    );
    for row in &rows {
        eager.push(|out| out.copy_from_slice(row));
        eager.fold(3);
        lazy.push(|out| out.copy_from_slice(row));
    }
    while eager.fold(3) {}
    while lazy.fold(1) {}
    for lag in -8..=8 {
        let (one, other) = (eager.correlation(0, 2, lag), lazy.correlation(0, 2, lag));
        assert_eq!(one.to_bits(), other.to_bits(), "lag {lag}");
    }
}

#[test]
fn a_peak_has_its_place_its_sign_and_its_sum() {
    let mut rows = random_rows(13, 200 * BATCH_ROWS);
    for row in (4..rows.len()).rev() {
        // The third follows the first four rows later, upside down, and smeared over two rows.
        rows[row][2] += -2.0 * rows[row - 4][0] - 1.0 * rows[row - 3][0];
    }
    let mut lags = CrossLags::new(3, 8, 1e6).expect("sound");
    for row in &rows {
        lags.push(|out| out.copy_from_slice(row));
        lags.fold(3);
    }
    let peak = lags.peak(0, 2, 1).expect("known");
    assert_eq!(peak.lag, 4);
    assert!(peak.correlation < -0.75, "{peak:?}");
    // Put together again: three parts of the first series, one of its own.
    let planted = -3.0 / 10.0_f64.sqrt();
    assert!((peak.total - planted).abs() < 0.02, "{peak:?}");
    assert!(peak.score > 40.0, "{peak:?}");
    let mirrored = lags.peak(2, 0, 1).expect("known");
    assert_eq!(mirrored.lag, -4);
    assert_close(mirrored.correlation, peak.correlation, 1e-12);
    let none = lags.peak(0, 1, 1).expect("known");
    assert!(none.score < 4.5, "{none:?}");
    assert_eq!(lags.peak(1, 1, 1), None);
    assert_eq!(lags.peak(0, 3, 1), None);
}

/// The score of independent series is what it says: about one in twenty is beyond 1.96 at one lag, even where both are
/// wild at the same time and both repeat themselves.
#[test]
fn scores_of_independent_series_are_standard_normal() {
    for (is_wild, memory) in [(false, 0.0), (true, 0.0), (false, 0.6)] {
        let (mut beyond, trials) = (0, 1_000);
        for seed in 0..trials {
            let mut random = Random::new(seed);
            let mut lags = CrossLags::new(2, 4, 300.0).expect("sound");
            let mut values = [0.0; 2];
            for row in 0..1_600 {
                let scale = if is_wild && row / 20 % 4 == 0 {
                    4.0
                } else {
                    1.0
                };
                for value in &mut values {
                    *value = memory * *value + scale * random.normal();
                }
                lags.push(|out| out.copy_from_slice(&values));
                lags.fold(2);
            }
            let certainty = lags.certainty(0, 1);
            beyond += i32::from(lags.correlation(0, 1, 0).abs() * certainty > 1.96);
        }
        let rate = f64::from(beyond) / trials as f64;
        eprintln!("wild {is_wild}, memory {memory}: {rate} beyond 1.96");
        assert!(
            (0.025..0.075).contains(&rate),
            "{rate} for {is_wild}, {memory}"
        );
    }
}
