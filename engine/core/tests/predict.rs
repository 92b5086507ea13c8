//! Predictors: beside closed forms and another program's numbers, and what holds for every series.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_core::{
    config::CoreConfig,
    core::{Core, Input},
    decision::Decisions,
    event::{Event, EventKind},
    predict::{
        Guard, GuardConfig, GuardVerdict, InputRange, Intervals, RLS_VALUE_MAX, Rls, RlsError,
    },
    prelude::*,
    risk::Limits,
};
use proptest::prelude::{Just, ProptestConfig, prop, prop_assert, prop_oneof, proptest};
use serde_json::Value;

const GOLDEN: &str = include_str!("../../../tests/oracles/predict.json");

/// splitmix64, and normal numbers from sums of twelve.
struct Numbers(u64);

impl Numbers {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

fn list(value: &Value) -> Vec<f64> {
    let numbers = value.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

fn near(found: &[f64], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(
            (found - expected).abs() <= bound,
            "{found} is not {expected}"
        );
    }
}

/// Solves `a x = b` by elimination with pivots.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let count = b.len();
    for place in 0..count {
        let size = |row: &usize| a[*row][place].abs();
        let pivot = (place..count)
            .max_by(|x, y| size(x).total_cmp(&size(y)))
            .unwrap();
        a.swap(place, pivot);
        b.swap(place, pivot);
        for row in place + 1..count {
            let factor = a[row][place] / a[place][place];
            let (above, below) = a.split_at_mut(row);
            for (value, pivot) in below[0].iter_mut().zip(&above[place]).skip(place) {
                *value -= factor * pivot;
            }
            b[row] -= factor * b[place];
        }
    }
    for place in (0..count).rev() {
        let rest: f64 = (place + 1..count)
            .map(|column| a[place][column] * b[column])
            .sum();
        b[place] = (b[place] - rest) / a[place][place];
    }
    b
}

#[test]
fn without_forgetting_it_is_ridge_regression() {
    let (mut numbers, count, ridge) = (Numbers(3), 6, 0.1);
    let mut rls = Rls::new(count, 1.0, ridge).unwrap();
    let mut gram = vec![vec![0.0; count]; count];
    let mut moment = vec![0.0; count];
    (0..count).for_each(|index| gram[index][index] = ridge);
    for _ in 0..500 {
        let x: Vec<f64> = (0..count).map(|_| numbers.normal()).collect();
        let y = x
            .iter()
            .enumerate()
            .map(|(i, x)| (i as f64 - 2.5) * x)
            .sum::<f64>()
            + numbers.normal();
        rls.update(&x, y).unwrap();
        for row in 0..count {
            moment[row] += x[row] * y;
            (0..count).for_each(|column| gram[row][column] += x[row] * x[column]);
        }
    }
    near(rls.weights(), &solve(gram, moment), 1e-12);
    assert!(
        (rls.noise_variance() - 1.0).abs() < 0.15,
        "{}",
        rls.noise_variance()
    );
}

#[test]
fn another_program_finds_the_same_weights() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let golden = &golden["regression"];
    let ridge = golden["ridge"].as_f64().unwrap();
    let run = |kept: f64| {
        let mut rls = Rls::new(4, kept, ridge).unwrap();
        for (x, y) in golden["x"]
            .as_array()
            .unwrap()
            .iter()
            .zip(list(&golden["y"]))
        {
            rls.update(&list(x), y).unwrap();
        }
        rls
    };
    near(run(1.0).weights(), &list(&golden["plain"]), 1e-12);
    let faded = run(golden["kept"].as_f64().unwrap());
    near(faded.weights(), &list(&golden["faded"]), 1e-12);
    let found = faded.predict(&list(&golden["probe"])).unwrap();
    let expected = [&golden["value"], &golden["variance"]].map(|value| value.as_f64().unwrap());
    near(&[found.value, found.variance], &expected, 1e-11);
}

/// One input stands still for a million steps: its row of the matrix must not grow, and one surprise must not throw the weights away.
#[test]
fn it_does_not_wind_up() {
    let mut rls = Rls::new(2, 0.9, 1.0).unwrap();
    let mut numbers = Numbers(5);
    for _ in 0..1000 {
        let x = [numbers.normal(), numbers.normal()];
        rls.update(&x, x[0] - x[1]).unwrap();
    }
    for _ in 0..100_000 {
        rls.update(&[1.0, 0.0], 1.0).unwrap();
    }
    near(rls.weights(), &[1.0, -1.0], 1e-3);
    // Noise of the outcome times gain: with a matrix that grew without end the gain would be 1.
    rls.update(&[0.0, 0.01], 1.0).unwrap();
    near(&rls.weights()[1..], &[-1.0], 0.05);
    assert_eq!((rls.refused_count(), rls.reset_count()), (0, 0));
}

#[test]
fn it_follows_a_world_that_changes_and_tells_how_sure_it_is() {
    let (mut rls, mut numbers) = (Rls::new(2, 0.99, 0.01).unwrap(), Numbers(9));
    let mut squares = 0.0;
    let mut expected = 0.0;
    for step in 0..4000 {
        let x = [1.0, numbers.normal()];
        let slope = if step < 2000 { 1.0 } else { -1.0 };
        let before = rls
            .update(&x, slope * x[1] + 0.5 * numbers.normal())
            .unwrap();
        if step >= 3000 {
            let error = rls.predict(&[0.0, 1.0]).unwrap().value + 1.0;
            squares += error * error;
            expected += before.variance;
        }
    }
    assert!(squares / 1000.0 < 0.01, "{}", squares / 1000.0);
    let variance = expected / 1000.0;
    assert!((variance - 0.25).abs() < 0.05, "{variance}");
}

#[test]
fn what_no_regression_can_use_is_refused_and_counted() {
    assert_eq!(Rls::new(0, 1.0, 1.0).unwrap_err(), RlsError::Inputs(0));
    assert!(Rls::new(65, 1.0, 1.0).is_err() && Rls::new(1, 1.01, 1.0).is_err());
    assert!(Rls::new(1, f64::NAN, 1.0).is_err() && Rls::new(1, 1.0, 0.0).is_err());
    let mut rls = Rls::new(2, 0.9, 1.0).unwrap();
    let before = rls.clone();
    let wrong: [(&[f64], f64); 5] = [
        (&[1.0], 1.0),
        (&[1.0, f64::NAN], 1.0),
        (&[1.0, 1.0], f64::INFINITY),
        (&[2.0 * RLS_VALUE_MAX, 1.0], 1.0),
        (&[], 0.0),
    ];
    for (inputs, outcome) in wrong {
        assert_eq!(rls.update(inputs, outcome), None);
    }
    assert_eq!((rls.refused_count(), rls.weights()), (5, before.weights()));
    assert_eq!(rls.predict(&[1.0]), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn nothing_infinite_is_ever_stored(
        rows in prop::collection::vec((prop::array::uniform3(extreme()), extreme()), 1..60),
        kept in 0.5f64..=1.0,
    ) {
        let mut rls = Rls::new(3, kept, 1e-9).unwrap();
        for (x, y) in rows {
            rls.update(&x, y);
            prop_assert!(rls.weights().iter().all(|weight| weight.is_finite()));
            prop_assert!(rls.noise_variance() >= 0.0 && rls.noise_variance().is_finite());
            if let Some(prediction) = rls.predict(&x) {
                prop_assert!(prediction.value.is_finite() && prediction.variance.is_finite());
            }
        }
    }

    /// The bound of the method, for every series: residuals are chosen to be bad.
    #[test]
    fn misses_stay_within_the_bound_for_every_series(
        residuals in prop::collection::vec(prop_oneof![Just(0.0), -10.0f64..10.0, Just(1e9)], 1..800),
        rate in 0.005f64..0.2,
        coverage in 0.5f64..0.99,
    ) {
        let mut intervals = Intervals::new(coverage, rate, 20).unwrap();
        for residual in &residuals {
            intervals.update(*residual).unwrap();
        }
        let aim = 1.0 - coverage;
        let misses = intervals.misses() as f64 / residuals.len() as f64;
        let bound = (aim.max(1.0 - aim) + rate) / (rate * residuals.len() as f64);
        prop_assert!((misses - aim).abs() <= bound + 1e-9, "{misses} of {aim}, bound {bound}");
    }
}

fn extreme() -> impl proptest::strategy::Strategy<Value = f64> {
    let huge = RLS_VALUE_MAX;
    prop_oneof![
        -1.0f64..1.0,
        Just(0.0),
        Just(huge),
        Just(-huge),
        Just(1e-12),
        Just(f64::NAN)
    ]
}

#[test]
fn another_program_finds_the_same_half_widths() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let golden = &golden["intervals"];
    let number = |name: &str| golden[name].as_f64().unwrap();
    let window = golden["window"].as_u64().unwrap() as usize;
    let mut intervals = Intervals::new(number("coverage"), number("rate"), window).unwrap();
    let widths = golden["half_widths"].as_array().unwrap();
    for (residual, width) in list(&golden["residuals"]).into_iter().zip(widths) {
        assert_eq!(
            intervals.half_width(),
            width.as_f64(),
            "{}",
            intervals.outcomes()
        );
        intervals.update(residual).unwrap();
    }
    assert_eq!(intervals.misses(), golden["misses"].as_u64().unwrap());
}

#[test]
fn nine_of_ten_are_covered_also_while_the_world_drifts() {
    let (mut numbers, steps) = (Numbers(31), 20_000);
    for drift in [0.0, 9.0] {
        let mut intervals = Intervals::new(0.9, 0.01, 500).unwrap();
        for step in 0..steps {
            // The noise grows tenfold, and falls back at once half way.
            let phase = (step % (steps / 2)) as f64 / (steps / 2) as f64;
            intervals
                .update((1.0 + drift * phase) * numbers.normal())
                .unwrap();
        }
        let coverage = intervals.coverage();
        assert!((coverage - 0.9).abs() <= 0.01, "drift {drift}: {coverage}");
    }
    // The width that is right for normal noise: 1.645 deviations.
    let mut intervals = Intervals::new(0.9, 0.001, 4000).unwrap();
    for _ in 0..20_000 {
        intervals.update(numbers.normal());
    }
    let (least, greatest) = intervals.around(5.0).unwrap();
    near(&[least, greatest], &[5.0 - 1.645, 5.0 + 1.645], 0.15);
    assert_eq!(intervals.update(f64::NAN), None);
    assert_eq!(intervals.refused_count(), 1);
}

fn ranges() -> Vec<InputRange> {
    let range = |mean, scale| InputRange {
        mean,
        scale,
        clip: 10.0,
        least: mean - 4.0 * scale,
        greatest: mean + 4.0 * scale,
    };
    vec![range(0.0, 1.0), range(100.0, 5.0), range(-3.0, 0.1)]
}

fn inputs(numbers: &mut Numbers, shift: f64) -> Vec<f32> {
    let raw = ranges().into_iter().map(|range| {
        let normal = numbers.normal() + shift;
        range.mean + range.scale * normal as f32
    });
    raw.collect()
}

#[test]
fn a_model_falls_silent_in_another_world_and_speaks_again_in_its_own() {
    let (ranges, mut numbers) = (ranges(), Numbers(41));
    let mut guard = Guard::new(GuardConfig::default()).unwrap();
    assert_eq!(guard.verdict(), GuardVerdict::Mute);
    let mut silent = 0;
    for _ in 0..5_000 {
        let verdict = guard.update(&ranges, &inputs(&mut numbers, 0.0));
        silent += u64::from(verdict == GuardVerdict::Mute);
    }
    assert!(silent < 50, "{silent} of 5000 in its own world");
    let before = guard.muted_count();
    let found =
        (1..100).find(|_| guard.update(&ranges, &inputs(&mut numbers, 3.0)) == GuardVerdict::Mute);
    assert!(found.is_some_and(|steps| steps < 30), "{found:?}");
    assert_eq!(guard.muted_count(), before + 1);
    let found = (1..1000)
        .find(|_| guard.update(&ranges, &inputs(&mut numbers, 0.0)) == GuardVerdict::Speak);
    assert!(found.is_some_and(|steps| steps < 100), "{found:?}");
    for strange in [f32::NAN, f32::INFINITY, f32::MAX] {
        guard.update(&ranges, &[strange, 100.0, -3.0]);
        assert!(guard.distance().is_finite() && guard.verdict() == GuardVerdict::Mute);
    }
    guard.clear();
    guard.update(&ranges, &[0.0]);
    assert!(guard.outside() > 0.6 && guard.verdict() == GuardVerdict::Mute);
}

/// Between the two bounds the verdict stays what it was.
#[test]
fn the_guard_does_not_flicker() {
    let config = GuardConfig {
        half_life_samples: 1e-3,
        distance_mute: 4.0,
        distance_speak: 1.0,
        outside_mute: 1.0,
        outside_speak: 1.0,
    };
    let mut guard = Guard::new(config).unwrap();
    let range = &ranges()[..1];
    let script = [
        (1.5, GuardVerdict::Mute),
        (0.5, GuardVerdict::Speak),
        (1.5, GuardVerdict::Speak),
        (2.5, GuardVerdict::Mute),
        (1.5, GuardVerdict::Mute),
        (0.9, GuardVerdict::Speak),
    ];
    for (input, expected) in script {
        assert_eq!(guard.update(range, &[input]), expected, "{input}");
    }
    let wrong = GuardConfig {
        distance_speak: 5.0,
        ..config
    };
    assert!(Guard::new(wrong).is_err());
}

/// All three in a strategy, fed by the timer.
#[derive(Debug)]
struct Kept {
    rls: Rls,
    intervals: Intervals,
    guard: Guard,
}

impl Strategy for Kept {
    type Config = NoConfig;
    const NAME: &'static str = "kept";

    fn new(_: &NoConfig, _: &Instruments) -> Result<Self, StrategyError> {
        Ok(Self {
            rls: Rls::new(2, 0.97, 0.1).unwrap(),
            intervals: Intervals::new(0.8, 0.05, 16).unwrap(),
            guard: Guard::new(GuardConfig::default()).unwrap(),
        })
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>) {
        let mut numbers = Numbers(ctx.now_ns().cast_unsigned());
        let row = [numbers.normal(), numbers.normal()];
        let outcome = if ctx.now_ns() % 11 == 0 {
            f64::NAN
        } else {
            row[0] + numbers.normal()
        };
        if let Some(expected) = self.rls.update(&row, outcome) {
            self.intervals.update(outcome - expected.value);
        }
        self.guard.update(&ranges()[..2], &[row[0] as f32, 100.0]);
    }

    fn digest(&self, hash: &mut StateHasher) {
        self.rls.write(hash);
        self.intervals.write(hash);
        self.guard.write(hash);
    }

    fn save(&self, out: &mut Encoder) {
        self.rls.write(out);
        self.intervals.write(out);
        self.guard.write(out);
    }

    fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.rls.load(from)?;
        self.intervals.load(from)?;
        self.guard.load(from)
    }
}

fn config() -> CoreConfig {
    let instrument = Instrument {
        venue: "sim".into(),
        symbol: "BTC".into(),
        base: "BTC".into(),
        quote: "USD".into(),
        asset_class: AssetClass::Crypto,
        contract: Contract::Perpetual,
        price_exponent: 2,
        quantity_exponent: 3,
        tick: 1,
        lot: 1,
        quantity_min: 1,
        maker_fee_ppm: 0,
        taker_fee_ppm: 0,
    };
    CoreConfig {
        hub_id: 1,
        cash: Money::from_units(1_000),
        instruments: Instruments::new(vec![instrument]).unwrap(),
        limits: Limits::default(),
        correlation_half_life_samples: 100.0,
        account: acth_core::config::AccountConfig::default(),
    }
}

fn step(core: &mut Core<Kept>, number: u64) -> u64 {
    let input = Input {
        sequence: number,
        ts_core_ns: number.cast_signed(),
        event: &Event::new(EventKind::TimerFired, InstrumentId(0)),
    };
    core.apply(input, &mut Decisions::new());
    core.state_hash()
}

/// Restored from bytes at every step, and again for the bytes to be the same.
#[test]
fn what_is_kept_goes_on_as_it_would_have() {
    let fresh = || Kept::new(&NoConfig {}, &config().instruments).unwrap();
    let mut core = Core::new(&config(), fresh()).unwrap();
    let (mut bytes, mut again) = (Vec::new(), Vec::new());
    for number in 1..200 {
        core.encode_snapshot(&mut bytes);
        let mut copy = Core::restore(&config(), fresh(), &bytes).unwrap();
        copy.encode_snapshot(&mut again);
        assert_eq!(again, bytes, "step {number}");
        assert_eq!(step(&mut copy, number), step(&mut core, number));
        assert_eq!(step(&mut copy, number + 1), {
            let mut other = Core::restore(&config(), fresh(), &bytes).unwrap();
            step(&mut other, number);
            step(&mut other, number + 1)
        });
    }
    let kept = core.strategy();
    assert!(kept.rls.refused_count() > 10 && kept.intervals.misses() > 10);
}
