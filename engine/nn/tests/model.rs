//! Models as bytes: they come back as they were, whatever else is refused with its place, and their answers are the plain ones.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use acth_nn::{
    Activation, Dense, Gru, GruMemory, Network,
    model::{
        Blueprint, GruWeights, InferError, InputRange, Layer, Model, ModelError, OutputKind,
        Quantile,
    },
};
use kit::{Numbers, bits};
use proptest::prelude::*;

fn layer(numbers: &mut Numbers, inputs: usize, outputs: usize, activation: Activation) -> Layer {
    Layer {
        activation,
        weights: numbers.some(inputs * outputs),
        biases: numbers.some(outputs),
    }
}

/// Two inputs, five units if recurrent, one hidden layer, a mixture of two.
fn blueprint(is_recurrent: bool) -> Blueprint {
    let numbers = &mut Numbers(5);
    let range = |mean, scale| InputRange {
        mean,
        scale,
        clip: 3.0,
        least: mean - 2.0,
        greatest: mean + 2.0,
    };
    let gru = is_recurrent.then(|| GruWeights {
        inputs: 2,
        weights_input: numbers.some(30),
        weights_hidden: numbers.some(75),
        biases_input: numbers.some(15),
        biases_hidden: numbers.some(15),
    });
    let width = if is_recurrent { 5 } else { 2 };
    Blueprint {
        feature_hash: 0x1234_5678_9abc_def0,
        output_kind: OutputKind::Mixture,
        inputs: vec![range(0.5, 2.0), range(-100.0, 10.0)],
        quantiles: vec![
            Quantile {
                level: 0.05,
                value: -1.5,
            },
            Quantile {
                level: 0.95,
                value: 1.25,
            },
        ],
        gru,
        layers: vec![
            layer(numbers, width, 4, Activation::Tanh),
            layer(numbers, 4, 6, Activation::Identity),
        ],
    }
}

#[test]
fn a_model_comes_back_as_it_was() {
    for is_recurrent in [false, true] {
        let blueprint = blueprint(is_recurrent);
        let model = Model::new(&blueprint).unwrap();
        assert_eq!(Blueprint::decode(model.encode()).unwrap(), blueprint);
        let again = Model::decode(model.encode()).unwrap();
        assert_eq!(again, model);
        assert_eq!(again.encode(), model.encode());
        assert_eq!(model.hidden_count(), if is_recurrent { 5 } else { 0 });
        assert_eq!((model.input_count(), model.output_count()), (2, 6));
    }
}

/// The hash is computed in other languages too: FNV-1a over all bytes before it.
#[test]
fn the_encoding_is_fixed() {
    let model = Model::new(&blueprint(true)).unwrap();
    assert_eq!(
        model.encode().len(),
        40 + 16 + 40 + 16 + 4 * 135 + 4 * 24 + 4 * 30 + 8
    );
    assert_eq!(
        model.hash(),
        0x2a91_48ba_11bb_a82c,
        "found {:#018x}",
        model.hash()
    );
}

#[test]
fn an_inference_is_the_plain_one() {
    let blueprint = blueprint(true);
    let model = Model::new(&blueprint).unwrap();
    let weights = blueprint.gru.as_ref().unwrap();
    let gru = Gru::new(
        2,
        &weights.weights_input,
        &weights.weights_hidden,
        &weights.biases_input,
        &weights.biases_hidden,
    );
    let (gru, mut hidden) = (gru.unwrap(), GruMemory::new(5));
    let [first, second] = &blueprint.layers[..] else {
        panic!("two layers");
    };
    let first = Dense::new(5, &first.weights, &first.biases, first.activation).unwrap();
    let second = Dense::new(4, &second.weights, &second.biases, second.activation).unwrap();
    let mut network = Network::new(vec![first, second]).unwrap();
    let mut memory = model.memory();
    // The second input lies beyond its clip.
    for raw in [[0.0_f32, -100.0], [4.0, -140.0], [0.5, 1e30]] {
        let seen = [
            (raw[0] - 0.5) / 2.0,
            ((raw[1] + 100.0) / 10.0).clamp(-3.0, 3.0),
        ];
        let expected = network.forward(gru.step(&seen, &mut hidden)).to_vec();
        assert_eq!(
            bits(model.infer(&raw, &mut memory).unwrap()),
            bits(&expected)
        );
    }
    assert_eq!(bits(memory.hidden()), bits(hidden.hidden()));
}

#[test]
fn wrong_inputs_leave_the_memory_as_it_was() {
    let model = Model::new(&blueprint(true)).unwrap();
    let other = Model::new(&blueprint(false)).unwrap();
    let mut memory = model.memory();
    model.infer(&[1.0, 2.0], &mut memory).unwrap();
    let before = memory.hidden().to_vec();
    let refused = [
        (
            model.infer(&[1.0], &mut memory).unwrap_err(),
            InferError::Inputs {
                expected: 2,
                found: 1,
            },
        ),
        (
            model.infer(&[1.0, f32::NAN], &mut memory).unwrap_err(),
            InferError::NotFinite { index: 1 },
        ),
        (
            other.infer(&[1.0, 2.0], &mut memory).unwrap_err(),
            InferError::Memory,
        ),
    ];
    for (found, expected) in refused {
        assert_eq!(found, expected);
    }
    assert_eq!(memory.hidden(), before);
}

#[test]
fn what_cannot_be_is_named() {
    let change = |change: fn(&mut Blueprint)| {
        let mut changed = blueprint(true);
        change(&mut changed);
        Model::new(&changed).unwrap_err().to_string()
    };
    type Change = fn(&mut Blueprint);
    let cases: [(Change, &str); 8] = [
        (
            |b| b.inputs[1].scale = 0.0,
            "model input 1: expected a positive scale",
        ),
        (
            |b| b.inputs[0].least = f32::NAN,
            "model input 0: expected a positive scale",
        ),
        (
            |b| b.quantiles.reverse(),
            "model quantile 1: expected rising levels",
        ),
        (
            |b| b.output_kind = OutputKind::Normal,
            "model: 6 outputs cannot be normal",
        ),
        (
            |b| b.layers[1].weights[3] = f32::INFINITY,
            "model layer 1: number 3 is not finite",
        ),
        (
            |b| b.layers.clear(),
            "model: expected 1 to 8 layers, found 0",
        ),
        (
            |b| b.layers[0].biases.truncate(3),
            "model: expected 15 layer weights, found 20",
        ),
        (
            |b| b.gru.as_mut().unwrap().biases_input.truncate(14),
            "model: expected 15 recurrent biases, found 14",
        ),
    ];
    for (case, expected) in cases {
        let found = change(case);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn damage_is_found_wherever_it_is() {
    let bytes = Model::new(&blueprint(true)).unwrap().encode().to_vec();
    for place in 0..bytes.len() {
        for bit in [0, 7] {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(Model::decode(&damaged).is_err(), "byte {place}, bit {bit}");
        }
        assert!(Model::decode(&bytes[..place]).is_err(), "{place} bytes");
    }
    let mut longer = bytes;
    longer.push(0);
    assert!(Model::decode(&longer).is_err());
    let refused = Model::decode(&sealed(longer)).unwrap_err();
    assert!(
        matches!(refused, ModelError::Trailing { left: 1, .. }),
        "{refused}"
    );
    let huge = vec![0; acth_nn::model::MODEL_BYTES_MAX + 1];
    assert!(matches!(
        Model::decode(&huge),
        Err(ModelError::TooLarge { .. })
    ));
}

/// Puts the right hash at the end, so that what lies behind that check is reached.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.len().saturating_sub(8);
    bytes.truncate(end);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    bytes.extend_from_slice(&hash.to_le_bytes());
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut begun = b"ACTHMODL\x01\0\0\0".to_vec();
        begun.extend_from_slice(&bytes);
        for bytes in [bytes, begun] {
            let _ = Model::decode(&bytes);
            let _ = Model::decode(&sealed(bytes));
        }
    }

    #[test]
    fn what_is_taken_has_one_encoding_and_answers(
        changes in prop::collection::vec((0usize..1000, any::<u8>()), 1..4),
        is_recurrent: bool,
    ) {
        let mut bytes = Model::new(&blueprint(is_recurrent)).unwrap().encode().to_vec();
        for (place, value) in changes {
            let place = place % bytes.len();
            bytes[place] = value;
        }
        let bytes = sealed(bytes);
        if let Ok(model) = Model::decode(&bytes) {
            prop_assert_eq!(model.encode(), &bytes[..]);
            let blueprint = Blueprint::decode(&bytes).unwrap();
            let again = Model::new(&blueprint).unwrap();
            prop_assert_eq!(again.encode(), &bytes[..]);
            let mut memory = model.memory();
            for raw in [0.0, f32::MAX, f32::MIN, 1e-30] {
                let inputs = vec![raw; model.input_count()];
                if let Ok(outputs) = model.infer(&inputs, &mut memory) {
                    prop_assert!(outputs.iter().all(|output| output.is_finite()));
                }
            }
        }
    }
}

#[test]
fn densities_are_those_of_the_textbook() {
    let density = |kind: OutputKind, outputs: &[f32], outcome| kind.log_density(outputs, outcome);
    let near = |found: Option<f64>, expected: f64| {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-6, "{found}");
    };
    near(
        density(OutputKind::Normal, &[1.0, 0.0], 1.0),
        -0.918_938_533,
    );
    near(
        density(OutputKind::Normal, &[0.0, libm::logf(4.0)], 2.0),
        -2.112_085_714,
    );
    // Shares .25 and .75 of N(0, 1) and N(2, 4) at 1: ln(.25 * .241970725 + .75 * .176032663).
    let mixture = [0.0, libm::logf(3.0), 0.0, 2.0, 0.0, libm::logf(4.0)];
    near(density(OutputKind::Mixture, &mixture, 1.0), -1.647_569_889);
    assert_eq!(density(OutputKind::Mixture, &mixture[..5], 1.0), None);
    assert_eq!(density(OutputKind::Values, &[1.0], 1.0), None);
    assert_eq!(density(OutputKind::Normal, &[0.0, -1e6], 1.0), None);
}
