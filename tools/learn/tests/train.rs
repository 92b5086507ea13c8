//! Training: losses lead where they should, small nets learn real things, and the same every time.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_learn::{
    hmm::{BENCHMARK, Hmm},
    loss::{expectation, loss},
    random::Random,
    train::{Series, TrainConfig, TrainError, evaluate, train},
};
use acth_nn::{Activation, model::OutputKind, train::Topology};

const KINDS: [(OutputKind, usize); 5] = [
    (OutputKind::Values, 2),
    (OutputKind::Actions, 4),
    (OutputKind::Normal, 2),
    (OutputKind::Mixture, 3),
    (OutputKind::Mixture, 9),
];

#[test]
fn gradients_of_losses_are_those_of_small_differences() {
    let mut random = Random::new(5);
    for (kind, count) in KINDS {
        for _ in 0..50 {
            let mut outputs: Vec<f32> = (0..count).map(|_| random.uniform()).collect();
            let outcome = match kind {
                OutputKind::Values => vec![random.uniform(), random.uniform()],
                OutputKind::Actions => vec![random.below(count) as f32],
                _ => vec![2.0 * random.uniform()],
            };
            let mut gradient = vec![0.0; count];
            loss(kind, &outputs, &outcome, &mut gradient).unwrap();
            for index in 0..count {
                let mut at = |change: f32| {
                    let before = outputs[index];
                    outputs[index] = before + change;
                    let found = loss(kind, &outputs, &outcome, &mut vec![0.0; count]).unwrap();
                    outputs[index] = before;
                    found
                };
                let expected = (at(1e-3) - at(-1e-3)) / 2e-3;
                let found = f64::from(gradient[index]);
                assert!(
                    (found - expected).abs() < 2e-3,
                    "{kind}, {index}: {found}, not {expected}"
                );
            }
        }
    }
    assert_eq!(
        loss(OutputKind::Actions, &[0.0; 2], &[2.0], &mut [0.0; 2]),
        None
    );
    assert_eq!(
        loss(OutputKind::Normal, &[0.0, -1e9], &[2.0], &mut [0.0; 2]),
        None
    );
    assert_eq!(
        expectation(OutputKind::Mixture, &[0.0, 0.0, 1.0, 3.0, 0.0, 0.0]),
        Some(2.0)
    );
    assert_eq!(expectation(OutputKind::Actions, &[0.0, 0.0]), None);
}

fn config(topology: Topology, output_kind: OutputKind) -> TrainConfig {
    TrainConfig {
        topology,
        output_kind,
        feature_hash: 1,
        seed: 3,
        window: 50,
        batch: 8,
        epochs: 30,
        patience: 30,
        rate: 1e-2,
    }
}

/// Noise whose size is the input: a net that says how sure it is must find both mean and deviation.
fn uneven(steps: usize, seed: u64) -> Series {
    let mut random = Random::new(seed);
    let mut series = Series::default();
    for _ in 0..steps {
        let size = 10.0 + 5.0 * random.unit();
        series.inputs.push(size as f32);
        let deviation = if size < 12.5 { 0.1 } else { 1.0 };
        series
            .outcomes
            .push((0.5 * size + deviation * random.normal()) as f32);
    }
    series
}

#[test]
fn a_small_net_learns_a_mean_and_a_deviation() {
    let topology = Topology {
        inputs: 1,
        hidden: 0,
        layers: vec![(8, Activation::Tanh), (2, Activation::Identity)],
    };
    let config = TrainConfig {
        window: 5,
        epochs: 40,
        ..config(topology, OutputKind::Normal)
    };
    let trained = train(
        &config,
        &uneven(4_000, 1),
        &uneven(1_000, 2),
        &mut |_, _| {},
    )
    .unwrap();
    // The entropy of the noise: half of ln(2 pi e), and ln .1 half of the time.
    let best = 1.418_938_5 + 0.5 * libm::log(0.1);
    let found = evaluate(&trained.model, &uneven(4_000, 3)).unwrap();
    // With one deviation for all inputs nothing is better than 1.077; a smooth net cannot follow the jump of the deviation altogether.
    assert!(found < best + 0.2, "{found}, at best {best}");
    let again = train(
        &config,
        &uneven(4_000, 1),
        &uneven(1_000, 2),
        &mut |_, _| {},
    )
    .unwrap();
    assert_eq!(again.model.hash(), trained.model.hash());
    let [range] = trained.model.inputs() else {
        panic!("one input");
    };
    assert!((range.mean - 12.5).abs() < 0.1 && (range.scale - 1.443).abs() < 0.05);
    assert!(range.least >= 10.0 && range.greatest <= 15.0);
    let median = trained.model.quantiles()[4];
    assert!(
        (median.level - 0.5).abs() < 1e-6 && median.value.abs() < 0.2,
        "{median:?}"
    );
}

/// The memory is needed: the outcome is the input of three steps before.
#[test]
fn a_recurrent_net_remembers() {
    let series = |seed| {
        let mut random = Random::new(seed);
        let inputs: Vec<f32> = (0..6_000).map(|_| random.below(2) as f32).collect();
        let outcome = |step: usize| if step < 3 { 0.0 } else { inputs[step - 3] };
        Series {
            outcomes: (0..6_000).map(outcome).collect(),
            inputs,
        }
    };
    let topology = Topology {
        inputs: 1,
        hidden: 10,
        layers: vec![(2, Activation::Identity)],
    };
    let config = config(topology, OutputKind::Actions);
    let trained = train(&config, &series(1), &series(2), &mut |_, _| {}).unwrap();
    // Without memory nothing is better than ln 2 = .693.
    let found = evaluate(&trained.model, &series(3)).unwrap();
    assert!(found < 0.05, "{found}");
}

#[test]
fn what_cannot_be_trained_is_named() {
    let topology = Topology {
        inputs: 2,
        hidden: 0,
        layers: vec![(1, Activation::Identity)],
    };
    let config = config(topology, OutputKind::Values);
    let good = Series {
        inputs: vec![0.5; 200],
        outcomes: vec![1.0; 100],
    };
    let refusal = |config: &TrainConfig, series: &Series| {
        train(config, series, &good, &mut |_, _| {})
            .unwrap_err()
            .to_string()
    };
    assert!(train(&config, &good, &good, &mut |_, _| {}).is_ok());
    let short = Series {
        inputs: vec![0.5; 40],
        outcomes: vec![1.0; 20],
    };
    assert!(refusal(&config, &short).contains("at least one window"));
    let uneven = Series {
        inputs: vec![0.5; 200],
        outcomes: vec![1.0; 99],
    };
    assert!(refusal(&config, &uneven).contains("as many inputs and outcomes"));
    let mut wrong = good.clone();
    wrong.outcomes[3] = f32::NAN;
    assert!(refusal(&config, &wrong).contains("finite numbers"));
    let zero = TrainConfig { batch: 0, ..config };
    assert_eq!(refusal(&zero, &good), TrainError::Sizes.to_string());
}

/// The filter beside the sum over all paths of the chain.
#[test]
fn the_filter_is_the_sum_over_all_paths() {
    let Hmm { stay, mean } = BENCHMARK;
    let observations = BENCHMARK.sample(9, 4);
    let likelihood = |count: usize| {
        let path = |bits: u32| {
            let state = |step: usize| (bits >> step) & 1;
            let mut product = 0.5;
            for (step, &value) in observations.iter().enumerate().take(count) {
                if step > 0 {
                    product *= if state(step) == state(step - 1) {
                        stay
                    } else {
                        1.0 - stay
                    };
                }
                let distance = f64::from(value) - if state(step) == 1 { mean } else { -mean };
                product *= libm::exp(-0.5 * distance * distance) / 2.506_628_274_631;
            }
            product
        };
        (0..1u32 << count).map(path).sum::<f64>()
    };
    let expected = -(libm::log(likelihood(9)) - libm::log(likelihood(1))) / 8.0;
    let found = BENCHMARK.filter_nll(&observations);
    assert!((found - expected).abs() < 1e-10, "{found}, not {expected}");
}
