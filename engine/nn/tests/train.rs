//! Learning: forward as the model, gradients as differences have them, bits that were written down once, and steps that lead down.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use acth_nn::{
    Activation,
    model::{Blueprint, InputRange, Model, OutputKind},
    train::{Adam, AdamConfig, Tape, Topology, Trainee},
};
use kit::{Numbers, bits, fold};

const STEPS: usize = 7;

fn topologies() -> Vec<Topology> {
    let topology = |inputs, hidden, layers: &[(usize, Activation)]| Topology {
        inputs,
        hidden,
        layers: layers.to_vec(),
    };
    vec![
        topology(2, 0, &[(3, Activation::Identity)]),
        topology(3, 0, &[(5, Activation::Tanh), (2, Activation::Identity)]),
        topology(
            3,
            0,
            &[
                (6, Activation::Relu),
                (4, Activation::Tanh),
                (1, Activation::Identity),
            ],
        ),
        topology(1, 2, &[(1, Activation::Identity)]),
        topology(2, 5, &[(4, Activation::Tanh), (3, Activation::Identity)]),
    ]
}

fn trainee(numbers: &mut Numbers, topology: Topology) -> Trainee {
    let mut trainee = Trainee::new(topology).unwrap();
    trainee.initialise(|| numbers.next());
    trainee
}

#[test]
fn forward_has_the_bits_of_the_model() {
    let numbers = &mut Numbers(3);
    for topology in topologies() {
        let trainee = trainee(numbers, topology.clone());
        let range = InputRange {
            mean: 0.0,
            scale: 1.0,
            clip: 10.0,
            least: -1.0,
            greatest: 1.0,
        };
        let model = Model::new(&Blueprint {
            feature_hash: 1,
            output_kind: OutputKind::Values,
            inputs: vec![range; topology.inputs],
            quantiles: Vec::new(),
            gru: trainee.gru_weights(),
            layers: trainee.layers(),
        });
        let model = model.unwrap();
        let inputs = numbers.some(STEPS * topology.inputs);
        let mut tape = Tape::new(&trainee, STEPS);
        let outputs = trainee.forward(&inputs, &mut tape).to_vec();
        let mut memory = model.memory();
        let mut expected = Vec::new();
        for values in inputs.chunks(topology.inputs) {
            expected.extend_from_slice(model.infer(values, &mut memory).unwrap());
        }
        assert_eq!(bits(&outputs), bits(&expected), "{topology:?}");
    }
}

/// The loss of these tests: outputs times fixed numbers, and half of their squares.
fn loss(trainee: &Trainee, inputs: &[f32], factors: &[f32], tape: &mut Tape) -> f64 {
    let outputs = trainee.forward(inputs, tape).iter().zip(factors);
    let terms =
        outputs.map(|(output, factor)| f64::from(*output) * f64::from(factor + output / 2.0));
    terms.sum()
}

#[test]
fn gradients_are_those_of_small_differences() {
    let numbers = &mut Numbers(8);
    for topology in topologies() {
        let mut trainee = trainee(numbers, topology.clone());
        let inputs = numbers.some(STEPS * topology.inputs);
        let factors = numbers.some(STEPS * trainee.outputs());
        let mut tape = Tape::new(&trainee, STEPS);
        let outputs = trainee.forward(&inputs, &mut tape).iter().zip(&factors);
        let output_gradients: Vec<f32> = outputs.map(|(output, factor)| factor + output).collect();
        let mut gradients = vec![0.0; trainee.parameters().len()];
        trainee.backward(&inputs, &output_gradients, &tape, &mut gradients);
        for (place, &gradient) in gradients.iter().enumerate() {
            let mut at = |change: f32| {
                let before = trainee.parameters()[place];
                trainee.parameters_mut()[place] = before + change;
                let loss = loss(&trainee, &inputs, &factors, &mut tape);
                trainee.parameters_mut()[place] = before;
                loss
            };
            let expected = (at(5e-3) - at(-5e-3)) / 1e-2;
            let error = (f64::from(gradient) - expected).abs();
            let bound = 1e-3 + 1e-3 * expected.abs();
            assert!(
                error < bound,
                "{topology:?}, number {place}: {gradient}, not {expected}"
            );
        }
    }
}

#[test]
fn gradients_and_steps_keep_their_bits() {
    let numbers = &mut Numbers(21);
    let mut trainee = trainee(numbers, topologies().remove(4));
    let mut adam = Adam::new(AdamConfig::default(), trainee.parameters().len());
    let mut tape = Tape::new(&trainee, STEPS);
    for _ in 0..200 {
        let inputs = numbers.some(STEPS * 2);
        let output_gradients = trainee.forward(&inputs, &mut tape).to_vec();
        let mut gradients = vec![0.0; trainee.parameters().len()];
        trainee.backward(&inputs, &output_gradients, &tape, &mut gradients);
        assert!(adam.step(trainee.parameters_mut(), &gradients));
    }
    let found = fold(trainee.parameters());
    assert_eq!(found, 0x448b_be43_bd86_b16e, "found {found:#018x}");
}

/// The first two steps by hand: the first one has the size of the rate, whatever the gradient.
#[test]
fn a_step_of_adam_is_the_formula() {
    let config = AdamConfig {
        rate: 0.1,
        length_max: 1e9,
        ..AdamConfig::default()
    };
    let (mut adam, mut parameters) = (Adam::new(config, 2), [1.0, -1.0]);
    assert!(adam.step(&mut parameters, &[2.0, -0.5]));
    assert!((parameters[0] - 0.9).abs() < 1e-6 && (parameters[1] + 0.9).abs() < 1e-6);
    assert!(adam.step(&mut parameters, &[-1.0, -0.5]));
    // m = .9 * .2 - .1 = .08, over .19; v = .999 * .004 + .001 = .004996, over .001999.
    let expected = 0.9 - 0.1 * (0.08 / 0.19) / (0.004_996_f32 / 0.001_999).sqrt();
    assert!((parameters[0] - expected).abs() < 1e-5, "{parameters:?}");
    let before = parameters;
    assert!(!adam.step(&mut parameters, &[f32::NAN, 0.0]));
    assert_eq!(bits(&parameters), bits(&before));
    let config = AdamConfig {
        length_max: 1.0,
        ..config
    };
    // Cut to length 1, a long gradient is as a short one of its direction.
    let mut ends = [[1.0, 1.0]; 2];
    for (end, gradients) in ends.iter_mut().zip([[30.0, 40.0], [0.6, 0.8]]) {
        let mut adam = Adam::new(config, 2);
        assert!(adam.step(end, &gradients) && adam.step(end, &[0.1, 0.1]));
    }
    assert!((ends[0][0] - ends[1][0]).abs() < 1e-6, "{ends:?}");
}
