//! Change points against plain NumPy.

use acth_core::structure::change::{Cusum, Prior, RUN_MAX, RunLengths, Shift};

use crate::{
    golden::{assert_all_close, assert_close, golden, index, list, number, numbers},
    random::Random,
};

fn golden_prior() -> Prior {
    let prior = numbers(&golden()["run_lengths"]["prior"]);
    Prior {
        mean: prior[0],
        mean_weight: prior[1],
        shape: prior[2],
        scale: prior[3],
    }
}

#[test]
fn run_lengths_equal_numpy_beyond_the_bound_too() {
    let case = &golden()["run_lengths"];
    let mut runs = RunLengths::new(number(&case["run"]), golden_prior()).expect("sound");
    let short = numbers(&case["short"]);
    let values = numbers(&case["values"]);
    assert!(values.len() > RUN_MAX + 50, "long enough to be cut");
    let mut compared = 0;
    for (step, value) in values.into_iter().enumerate() {
        runs.update(value);
        assert_eq!(runs.most_likely(), index(&case["modes"][step]), "{step}");
        assert_close(runs.shorter_than(10), short[step], 1e-9);
        for kept in list(&case["chances"]) {
            if index(&kept["index"]) == step {
                let expected = numbers(&kept["chances"]);
                let found = &runs.chances()[..expected.len()];
                assert_all_close(found, &expected, 1e-9);
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 7);
    assert_eq!(runs.chances().len(), RUN_MAX + 1);
}

#[test]
fn cusum_equals_numpy() {
    let case = &golden()["cusum"];
    let (drift, threshold) = (number(&case["drift"]), number(&case["threshold"]));
    let mut cusum = Cusum::new(drift, threshold).expect("sound");
    let mut alarms = Vec::new();
    for (step, value) in numbers(&case["values"]).into_iter().enumerate() {
        if let Some(shift) = cusum.update(value) {
            alarms.push((step, if shift == Shift::Up { 1 } else { -1 }));
        }
        assert_all_close(&cusum.sums(), &numbers(&case["sums"][step]), 1e-12);
    }
    let expected: Vec<(usize, i64)> = list(&case["alarms"])
        .iter()
        .map(|alarm| (index(&alarm[0]), alarm[1].as_i64().expect("a direction")))
        .collect();
    assert!(!expected.is_empty());
    assert_eq!(alarms, expected);
    assert_eq!(cusum.alarm_count(), expected.len() as u64);
}

#[test]
fn wild_values_leave_finite_chances() {
    let mut runs = RunLengths::new(100.0, golden_prior()).expect("sound");
    let mut cusum = Cusum::new(0.5, 4.0).expect("sound");
    let mut random = Random::new(8);
    let wild = [1e100, -1e100, 0.0, f64::NAN, f64::NEG_INFINITY, 1e101];
    for step in 0..1_000 {
        let value = if step % 5 == 0 {
            wild[random.below(wild.len())]
        } else {
            random.normal()
        };
        runs.update(value);
        cusum.update(value);
        let sum: f64 = runs.chances().iter().sum();
        assert_close(sum, 1.0, 1e-9);
        assert!(cusum.sums().iter().all(|sum| sum.is_finite()));
    }
    assert!(runs.refused_count() > 50);
    assert_eq!(runs.refused_count(), cusum.refused_count());
}

#[test]
fn parameters_that_make_no_sense_are_refused() {
    let prior = golden_prior();
    assert!(RunLengths::new(1.0, prior).is_none());
    assert!(RunLengths::new(f64::NAN, prior).is_none());
    assert!(
        RunLengths::new(
            9.0,
            Prior {
                scale: 0.0,
                ..prior
            }
        )
        .is_none()
    );
    assert!(Cusum::new(-0.1, 4.0).is_none());
    assert!(Cusum::new(0.1, f64::NAN).is_none());
}
