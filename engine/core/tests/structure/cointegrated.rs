//! Engle and Granger's test against statsmodels, the wandering hedge ratio against matrices in NumPy.

use acth_core::structure::{
    cointegration::{Line, critical_values, dickey_fuller, engle_granger, p_value},
    hedge::KalmanHedge,
};

use crate::{
    golden::{assert_all_close, assert_close, golden, index, list, number, numbers},
    random::Random,
};

#[test]
fn the_test_equals_statsmodels() {
    for case in list(&golden()["cointegration"]["cases"]) {
        let (first, second) = (numbers(&case["first"]), numbers(&case["second"]));
        let mut residuals = vec![0.0; first.len()];
        let lags = index(&case["lags"]);
        let found = engle_granger(&first, &second, lags, &mut residuals).expect("an answer");
        assert_close(found.line.slope, number(&case["slope"]), 1e-12);
        assert_close(found.line.intercept, number(&case["intercept"]), 1e-12);
        assert_close(found.statistic, number(&case["statistic"]), 1e-10);
        assert_close(found.p_value, number(&case["p_value"]), 1e-10);
        let critical = critical_values(first.len() - 1);
        assert_all_close(&critical, &numbers(&case["critical"]), 1e-12);
        let spread = numbers(&case["spread"]);
        if !spread.is_empty() {
            let statistic = dickey_fuller(&spread, lags).expect("an answer");
            assert_close(statistic, number(&case["spread_statistic"]), 1e-10);
        }
    }
}

#[test]
fn chances_and_critical_values_equal_mackinnons() {
    let all = &golden()["cointegration"];
    let statistics = numbers(&all["statistics"]);
    let found: Vec<f64> = statistics.into_iter().map(p_value).collect();
    assert_all_close(&found, &numbers(&all["p_values"]), 1e-12);
    assert_all_close(&critical_values(500), &numbers(&all["critical_500"]), 1e-12);
    assert_close(p_value(-19.0), 0.0, 0.0);
}

#[test]
fn independent_walks_pass_at_the_rate_of_the_test() {
    let mut random = Random::new(5);
    let (rows, trials) = (300, 2_000);
    let mut residuals = vec![0.0; rows];
    let mut walk = || {
        let mut level = 0.0;
        let step = || {
            level += random.normal();
            level
        };
        core::iter::repeat_with(step).take(rows).collect::<Vec<_>>()
    };
    let mut passed = 0;
    for _ in 0..trials {
        let (first, second) = (walk(), walk());
        let found = engle_granger(&first, &second, 1, &mut residuals).expect("an answer");
        passed += u32::from(found.p_value < 0.05);
    }
    let rate = f64::from(passed) / f64::from(trials);
    assert!((0.035..0.07).contains(&rate), "{rate} of 0.05");
}

#[test]
fn what_has_no_answer_has_none() {
    let line: Vec<f64> = (0..50).map(f64::from).collect();
    let flat = [1.0; 50];
    assert_eq!(Line::fit(&line, &flat), None);
    assert_eq!(Line::fit(&flat, &line), None);
    assert_eq!(Line::fit(&line, &line[1..]), None);
    assert_eq!(dickey_fuller(&flat, 1), None);
    assert_eq!(dickey_fuller(&line[..5], 1), None);
    let mut residuals = [0.0; 50];
    assert_eq!(engle_granger(&line, &line, 1, &mut residuals), None);
}

#[test]
fn the_filter_equals_matrices() {
    let case = &golden()["kalman"];
    let mut hedge = KalmanHedge::new([1.0, 0.0], [0.5, 0.25], [1e-3, 2e-3], 0.04).expect("sound");
    let points = numbers(&case["x"]).into_iter().zip(numbers(&case["y"]));
    let scores = numbers(&case["scores"]);
    for ((step, (x, y)), state) in points.enumerate().zip(list(&case["states"])) {
        assert!(hedge.update(y, x));
        assert_all_close(&[hedge.slope(), hedge.intercept()], &numbers(state), 1e-12);
        assert_close(hedge.z(), scores[step], 1e-12);
    }
}

#[test]
fn the_gain_of_a_local_level_is_the_golden_ratio() {
    let mut hedge = KalmanHedge::new([0.0, 0.0], [0.0, 5.0], [0.0, 2.0], 2.0).expect("sound");
    for step in 0..200 {
        assert!(hedge.update(f64::from(step % 7), 0.0));
    }
    assert_close(hedge.gain()[1], 0.618_033_988_749_894_9, 1e-12);
    assert_close(hedge.gain()[0], 0.0, 0.0);
}

#[test]
fn the_filter_refuses_what_is_no_number() {
    let mut hedge = KalmanHedge::new([1.0, 0.0], [1.0; 2], [0.0; 2], 1.0).expect("sound");
    let before = hedge;
    assert!(!hedge.update(f64::NAN, 0.0));
    assert!(!hedge.update(0.0, f64::INFINITY));
    assert!(!hedge.update(1e200, 0.0));
    assert_eq!(hedge, before);
    assert_eq!(
        KalmanHedge::new([f64::NAN, 0.0], [1.0; 2], [0.0; 2], 1.0),
        None
    );
    assert_eq!(KalmanHedge::new([0.0; 2], [-1.0, 1.0], [0.0; 2], 1.0), None);
}
