//! Streaming statistics against sums over the whole past, against pandas, and against what theory says.

// Exact zeros and exact sums are what these tests are about.
#![allow(clippy::float_cmp)]

use acth_core::{
    hash::StateHasher,
    stats::{
        Ewma, EwmaCovariance, EwmaPair, LeadLag, SampleEwma, StatsError, VALUE_MAX,
        share_of_half_life,
    },
};
use proptest::{collection::vec, prelude::*};

/// The series of the golden values.
const FIRST: [f64; 8] = [100.0, 101.5, 99.25, 100.75, 103.0, 102.5, 98.0, 100.0];
const SECOND: [f64; 8] = [50.0, 50.5, 49.0, 50.25, 52.0, 51.0, 49.5, 50.5];
/// Golden values: pandas 3.1.1, `Series(FIRST).ewm(halflife=3.5, adjust=False)`, then `.mean()`, `.var(bias=True)`,
/// `.cov(Series(SECOND), bias=True)` and `.corr(Series(SECOND))`. For a constant series, pandas' correlation is NaN
/// and ours 0.
const GOLDEN: [[f64; 4]; 8] = [
    [100.0, 0.0, 0.0, 0.0],
    [
        100.26949696598854,
        0.33161683430578465,
        0.11053894476859488,
        1.0,
    ],
    [
        100.08632940654292,
        0.4252254301174341,
        0.2544359288543024,
        0.8611812413282309,
    ],
    [
        100.20556754744457,
        0.4137445680881291,
        0.2435422843790148,
        0.8753869145130466,
    ],
    [
        100.70762825919365,
        1.4903190853415027,
        1.040807460791581,
        0.9728367152560556,
    ],
    [
        101.0296540899076,
        1.6960508005729524,
        1.0321618794458123,
        0.9491640139419074,
    ],
    [
        100.48533236642434,
        2.7441508344158594,
        1.2692043495577465,
        0.9132116077640704,
    ],
    [
        100.39813529959274,
        2.2858401820157983,
        1.0251623594003991,
        0.8866631501493385,
    ],
];
/// Milliseconds of `FIRST`, and the mean that pandas 3.1.1 gives: `.ewm(halflife='2s', times=...).mean()`.
const GOLDEN_TIMES_MS: [i64; 8] = [0, 250, 1_250, 1_250, 4_000, 4_100, 9_000, 9_500];
const GOLDEN_TIME_MEANS: [f64; 8] = [
    100.0,
    100.78247096312452,
    100.13188565871064,
    100.31609351119249,
    101.48619798900557,
    101.80147420483536,
    99.40833589579469,
    99.66164334874635,
];

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64) {
    let scale = expected.abs().max(1.0);
    assert!(
        (found - expected).abs() <= tolerance * scale,
        "{found} is not {expected}"
    );
}

/// A fixed stream of numbers, nearly normal with variance 1: the sum of twelve uniform ones, less 6.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut sum = -6.0;
        for _ in 0..12 {
            // SplitMix64.
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = self.0;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            sum += ((word ^ (word >> 31)) >> 11) as f64 / (1u64 << 53) as f64;
        }
        sum
    }
}

/// Values at which a careless formula overflows, underflows or divides by zero.
fn odd_value() -> impl Strategy<Value = f64> {
    let edges = [
        0.0,
        -0.0,
        VALUE_MAX,
        -VALUE_MAX,
        1e-160,
        1e-300,
        5e-324,
        1e200,
        f64::NAN,
    ];
    prop_oneof![2 => -1.0..1.0f64, 4 => proptest::sample::select(edges.to_vec()), 1 => any::<f64>()]
}

/// Weighted mean and variance of the first, and covariance with the second, by the definition.
fn brute(first: &[f64], second: &[f64], weights: &[f64]) -> [f64; 3] {
    let total: f64 = weights.iter().sum();
    let mean = |series: &[f64]| -> f64 {
        let terms = series.iter().zip(weights);
        terms.map(|(value, weight)| value * weight).sum::<f64>() / total
    };
    let means = [mean(first), mean(second)];
    let product = |a: &[f64], mean_a: f64, b: &[f64], mean_b: f64| -> f64 {
        let terms = a.iter().zip(b).zip(weights);
        terms
            .map(|((x, y), weight)| weight * (x - mean_a) * (y - mean_b))
            .sum::<f64>()
            / total
    };
    let variance = product(first, means[0], first, means[0]);
    [
        means[0],
        variance,
        product(first, means[0], second, means[1]),
    ]
}

/// Weights of `count` observations when each takes the same share and the first takes all.
fn weights_of_share(share: f64, count: usize) -> Vec<f64> {
    let age_power = |index: usize| (1.0 - share).powi((count - 1 - index) as i32);
    (0..count)
        .map(|index| age_power(index) * if index == 0 { 1.0 } else { share })
        .collect()
}

#[test]
fn the_recursion_is_that_of_pandas() {
    let mut single = SampleEwma::new(3.5).unwrap();
    let mut many = EwmaCovariance::new(2, 3.5).unwrap();
    for (index, [mean, variance, covariance, correlation]) in GOLDEN.into_iter().enumerate() {
        single.update(FIRST[index]);
        many.update(&[FIRST[index], SECOND[index]]);
        assert_near(single.mean(), mean, 1e-13);
        assert_near(single.variance(), variance, 1e-13);
        assert_near(many.mean(0), mean, 1e-13);
        assert_near(many.covariance(0, 0), variance, 1e-13);
        assert_near(many.covariance(0, 1), covariance, 1e-13);
        assert_near(many.correlation(1, 0), correlation, 1e-13);
    }
}

#[test]
fn the_mean_in_event_time_is_that_of_pandas() {
    let mut ewma = Ewma::new(2_000_000_000).unwrap();
    let mut ms_before = 0;
    for (index, mean) in GOLDEN_TIME_MEANS.into_iter().enumerate() {
        ewma.update(
            FIRST[index],
            (GOLDEN_TIMES_MS[index] - ms_before) * 1_000_000,
        );
        ms_before = GOLDEN_TIMES_MS[index];
        assert_near(ewma.mean(), mean, 1e-13);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn event_time_equals_sums_over_the_past(
        half_life_ns in 1i64..10_000,
        rows in vec((-1e3..1e3f64, 0i64..20_000), 1..40),
    ) {
        let mut ewma = Ewma::new(half_life_ns).unwrap();
        let mut values = Vec::new();
        let mut weights: Vec<f64> = Vec::new();
        for (value, elapsed_ns) in rows {
            ewma.update(value, elapsed_ns);
            let decay = (-(elapsed_ns as f64) / half_life_ns as f64).exp2();
            weights.iter_mut().for_each(|weight| *weight *= decay);
            values.push(value);
            weights.push(1.0);
            let [mean, variance, _] = brute(&values, &values, &weights);
            assert_near(ewma.mean(), mean, 1e-10);
            assert_near(ewma.variance(), variance, 1e-9);
            assert_near(ewma.weight(), weights.iter().sum(), 1e-10);
        }
    }

    #[test]
    fn samples_equal_sums_over_the_past(
        half_life in 0.2..50.0f64,
        rows in vec((-1e3..1e3f64, -1e3..1e3f64), 1..40),
    ) {
        let mut single = SampleEwma::new(half_life).unwrap();
        let mut many = EwmaCovariance::new(2, half_life).unwrap();
        let share = share_of_half_life(half_life).unwrap();
        let (first, second): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        for count in 1..=first.len() {
            single.update(first[count - 1]);
            many.update(&[first[count - 1], second[count - 1]]);
            let weights = weights_of_share(share, count);
            let [mean, variance, covariance] = brute(&first[..count], &second[..count], &weights);
            assert_near(single.mean(), mean, 1e-10);
            assert_near(single.variance(), variance, 1e-9);
            assert_near(many.covariance(1, 0), covariance, 1e-9);
        }
    }

    #[test]
    fn each_lag_equals_sums_over_its_pairs(
        lag_max in 0usize..6,
        rows in vec((-1e3..1e3f64, -1e3..1e3f64), 1..20),
    ) {
        let mut lead_lag = LeadLag::new(lag_max, 4.0).unwrap();
        let share = share_of_half_life(4.0).unwrap();
        let (leader, follower): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        for count in 1..=leader.len() {
            lead_lag.update(leader[count - 1], follower[count - 1]);
            for lag in 0..=lag_max.min(count - 1) {
                let weights = weights_of_share(share, count - lag);
                let [_, variance, covariance] =
                    brute(&leader[..count - lag], &follower[lag..count], &weights);
                let pair = lead_lag.pair(lag).unwrap();
                assert_near(pair.variances()[0], variance, 1e-9);
                assert_near(pair.covariance(), covariance, 1e-9);
            }
        }
    }

    #[test]
    fn correlations_stay_within_bounds_and_are_never_nan(
        rows in vec((odd_value(), odd_value()), 1..30),
    ) {
        let mut many = EwmaCovariance::new(2, 3.0).unwrap();
        let mut lead_lag = LeadLag::new(2, 3.0).unwrap();
        let mut ewma = Ewma::new(10).unwrap();
        for (first, second) in rows {
            many.update(&[first, second]);
            lead_lag.update(first, second);
            ewma.update(first, 5);
            for correlation in [many.correlation(0, 1), lead_lag.correlation(1)] {
                prop_assert!((-1.0..=1.0).contains(&correlation));
            }
            prop_assert!(ewma.variance().is_finite() && ewma.z_score(1.0).is_finite());
        }
    }
}

#[test]
fn every_entry_of_the_triangle_is_a_pair_of_its_own() {
    let mut noise = Noise(1);
    let mut many = EwmaCovariance::new(128, 20.0).unwrap();
    let share = share_of_half_life(20.0).unwrap();
    let mut pairs = vec![EwmaPair::default(); 128 * 128];
    for round in 0..50 {
        let sample: Vec<f64> = (0..128).map(|_| noise.next()).collect();
        many.update(&sample);
        for (index, pair) in pairs.iter_mut().enumerate() {
            let share = if round == 0 { 1.0 } else { share };
            pair.update(sample[index / 128], sample[index % 128], share);
        }
    }
    for row in 0..128 {
        for column in 0..=row {
            let pair = pairs[row * 128 + column];
            let found = many.covariance(row, column);
            assert_eq!(
                found.to_bits(),
                pair.covariance().to_bits(),
                "{row} {column}"
            );
            assert_eq!(found.to_bits(), many.covariance(column, row).to_bits());
        }
    }
    assert_eq!(many.correlation(0, 128), 0.0);
    assert_eq!(many.covariance(usize::MAX, 0), 0.0);
}

#[test]
fn a_constant_series_has_no_variance_and_no_correlation() {
    let mut ewma = Ewma::new(1_000).unwrap();
    let mut single = SampleEwma::new(5.0).unwrap();
    let mut many = EwmaCovariance::new(2, 5.0).unwrap();
    let mut lead_lag = LeadLag::new(3, 5.0).unwrap();
    for count in 0..1_000 {
        ewma.update(0.1, 7);
        single.update(0.1);
        many.update(&[0.1, f64::from(count % 7)]);
        lead_lag.update(0.1, f64::from(count % 7));
    }
    assert_eq!(
        (ewma.mean(), ewma.variance(), ewma.z_score(5.0)),
        (0.1, 0.0, 0.0)
    );
    assert_eq!(
        (single.mean(), single.variance(), single.z_score(5.0)),
        (0.1, 0.0, 0.0)
    );
    assert_eq!(many.correlation(0, 1), 0.0);
    assert_eq!(lead_lag.best_lag(), None);
    assert_eq!(lead_lag.pair(0).map(EwmaPair::slope), Some(0.0));
}

#[test]
fn an_autoregressive_series_shows_its_law() {
    let coefficient = 0.8;
    let mut noise = Noise(2);
    let mut single = SampleEwma::new(20_000.0).unwrap();
    let mut lead_lag = LeadLag::new(5, 20_000.0).unwrap();
    let mut value = 0.0;
    for _ in 0..600_000 {
        value = coefficient * value + noise.next();
        single.update(value);
        lead_lag.update(value, value);
    }
    assert_near(single.mean(), 0.0, 0.08);
    assert_near(
        single.variance(),
        1.0 / (1.0 - coefficient * coefficient),
        0.02,
    );
    for lag in 0..=5 {
        assert_near(
            lead_lag.correlation(lag),
            coefficient.powi(lag as i32),
            0.02,
        );
    }
}

#[test]
fn a_planted_lag_is_found_whatever_its_sign() {
    for (planted, sign) in [(0, 1.0), (1, -1.0), (7, 1.0), (16, -1.0)] {
        let mut noise = Noise(3);
        let mut lead_lag = LeadLag::new(16, 500.0).unwrap();
        let leader: Vec<f64> = (0..3_000).map(|_| noise.next()).collect();
        for now in planted..leader.len() {
            let follower = sign * 0.5 * leader[now - planted] + noise.next();
            lead_lag.update(leader[now], follower);
        }
        let best = lead_lag.best_lag().unwrap();
        assert_eq!(best.lag, planted);
        // Signal 0.5 beside noise 1: correlation 0.5 / sqrt(1.25).
        assert_near(best.correlation, sign * 0.447, 0.1);
    }
}

#[test]
fn what_cannot_be_used_is_refused_and_counted() {
    let mut ewma = Ewma::new(10).unwrap();
    let mut single = SampleEwma::new(2.0).unwrap();
    let mut many = EwmaCovariance::new(2, 2.0).unwrap();
    let mut lead_lag = LeadLag::new(1, 2.0).unwrap();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, VALUE_MAX * 2.0] {
        ewma.update(value, 1);
        single.update(value);
        many.update(&[1.0, value]);
        lead_lag.update(value, 1.0);
    }
    many.update(&[1.0]);
    assert_eq!((ewma.refused_count(), single.refused_count()), (4, 4));
    assert_eq!((many.refused_count(), lead_lag.refused_count()), (5, 4));
    assert_eq!((many.count(), lead_lag.count(), single.count()), (0, 0, 0));
    // Refused, yet its time passed: two half-lives leave a quarter.
    ewma.update(1.0, 0);
    ewma.update(f64::NAN, 10);
    ewma.update(1.0, 10);
    assert_eq!(ewma.weight(), 1.25);
}

#[test]
fn impossible_settings_are_errors() {
    assert_eq!(Ewma::new(0).err(), Some(StatsError::HalfLife(0.0)));
    assert_eq!(
        SampleEwma::new(-1.0).err(),
        Some(StatsError::HalfLife(-1.0))
    );
    assert!(share_of_half_life(f64::NAN).is_err());
    assert_eq!(
        EwmaCovariance::new(0, 1.0).err(),
        Some(StatsError::SeriesCount(0))
    );
    assert_eq!(
        EwmaCovariance::new(129, 1.0).err(),
        Some(StatsError::SeriesCount(129))
    );
    assert_eq!(LeadLag::new(65, 1.0).err(), Some(StatsError::Lag(65)));
}

#[test]
fn a_digest_holds_the_exact_state() {
    let digest = |last: f64| {
        let mut hasher = StateHasher::new();
        let mut ewma = Ewma::new(10).unwrap();
        let mut single = SampleEwma::new(2.0).unwrap();
        let mut many = EwmaCovariance::new(3, 2.0).unwrap();
        let mut lead_lag = LeadLag::new(2, 2.0).unwrap();
        let mut hashes = Vec::new();
        for value in [1.0, 2.5, last] {
            ewma.update(value, 3);
            single.update(value);
            many.update(&[value, 1.0, -value]);
            lead_lag.update(value, 1.0);
        }
        ewma.digest(&mut hasher);
        hashes.push(hasher.finish());
        single.digest(&mut hasher);
        hashes.push(hasher.finish());
        many.digest(&mut hasher);
        hashes.push(hasher.finish());
        let mut hasher = StateHasher::new();
        lead_lag.digest(&mut hasher);
        hashes.push(hasher.finish());
        hashes
    };
    let base = digest(3.0);
    assert_eq!(base, digest(3.0));
    let other = digest(3.0 + f64::EPSILON * 2.0);
    assert!(
        base.iter().zip(&other).all(|(a, b)| a != b),
        "{base:?} {other:?}"
    );
}
