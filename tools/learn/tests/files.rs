//! Models as files: they come back as they were, and files that are no models are refused by name.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{fs, path::Path};

use acth_learn::{
    Manifest,
    files::{load, manifest_path, save},
};
use acth_nn::{
    Activation,
    model::{Blueprint, InputRange, Model, OutputKind, Quantile},
    train::{Topology, Trainee},
};
use proptest::prelude::*;
use safetensors::SafeTensors;
use tempfile::tempdir;

fn model(hidden: usize, seed: u64) -> Model {
    let mut random = acth_learn::random::Random::new(seed);
    let topology = Topology {
        inputs: 3,
        hidden,
        layers: vec![(4, Activation::Relu), (2, Activation::Identity)],
    };
    let mut trainee = Trainee::new(topology).unwrap();
    trainee.initialise(|| random.uniform());
    let mut range = || {
        let mean = random.uniform() * 1e5;
        InputRange {
            mean,
            scale: 1e-7 + random.unit() as f32,
            clip: 8.0,
            least: mean - 1.0 / 3.0,
            greatest: mean + 1.0 / 3.0,
        }
    };
    let blueprint = Blueprint {
        feature_hash: u64::MAX - 5,
        output_kind: OutputKind::Normal,
        inputs: vec![range(), range(), range()],
        quantiles: vec![Quantile {
            level: 0.1,
            value: -1e-9,
        }],
        gru: trainee.gru_weights(),
        layers: trainee.layers(),
    };
    Model::new(&blueprint).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_model_comes_back_bit_for_bit(hidden in 0usize..6, seed: u64) {
        let dir = tempdir().unwrap();
        let path = dir.path().join("some.safetensors");
        let model = model(hidden, seed);
        save(&model, &path).unwrap();
        let again = load(&path).unwrap();
        prop_assert_eq!(again.encode(), model.encode());
    }
}

/// The names and shapes that other programs read and write.
#[test]
fn tensors_have_the_usual_names() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("some.safetensors");
    save(&model(5, 1), &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    assert_eq!(tensors.len(), 8);
    assert_eq!(shape("gru.weight_ih_l0"), [15, 3]);
    assert_eq!(shape("gru.weight_hh_l0"), [15, 5]);
    assert_eq!(shape("gru.bias_ih_l0"), [15]);
    assert_eq!(shape("gru.bias_hh_l0"), [15]);
    assert_eq!(shape("layers.0.weight"), [4, 5]);
    assert_eq!(shape("layers.0.bias"), [4]);
    assert_eq!(shape("layers.1.weight"), [2, 4]);
    assert_eq!(shape("layers.1.bias"), [2]);
}

fn refusal(path: &Path, change: impl FnOnce(&mut Manifest)) -> String {
    let beside = manifest_path(path);
    let text = fs::read(&beside).unwrap();
    let mut manifest: Manifest = serde_json::from_slice(&text).unwrap();
    change(&mut manifest);
    fs::write(&beside, serde_json::to_vec(&manifest).unwrap()).unwrap();
    let refusal = load(path).unwrap_err().to_string();
    fs::write(&beside, text).unwrap();
    assert!(refusal.contains("some."), "{refusal}");
    refusal
}

#[test]
fn what_does_not_fit_is_named() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("some.safetensors");
    let refused = load(&path).unwrap_err().to_string();
    assert!(refused.contains("some.json"), "{refused}");
    save(&model(2, 1), &path).unwrap();
    type Change = fn(&mut Manifest);
    let cases: [(Change, &str); 9] = [
        (|m| m.format = 2, "format: `2` is not 1"),
        (|m| m.feature_hash.push('0'), "is not 16 hexadecimal digits"),
        (
            |m| m.output_kind = "odd".into(),
            "output_kind: `odd` is not values,",
        ),
        (
            |m| m.hidden = 3,
            "tensor `gru.weight_ih_l0`: expected F32 [9, 3], found F32 [6, 3]",
        ),
        (|m| m.hidden = usize::MAX, "hidden: "),
        (|m| m.layers[0].outputs = usize::MAX, "outputs: "),
        (
            |m| m.layers[0].activation = "selu".into(),
            "activation: `selu` is not identity",
        ),
        (
            |m| m.inputs[1].scale = 0.0,
            "model input 1: expected a positive scale",
        ),
        (|m| m.inputs[1].mean += 1e3, "model_hash: "),
    ];
    for (change, expected) in cases {
        let found = refusal(&path, change);
        assert!(found.contains(expected), "{found}");
    }
    let found = refusal(&path, |m| m.layers.truncate(1));
    assert!(
        found.contains("tensor `all`: expected 6 tensors, found 8"),
        "{found}"
    );
    let bytes = fs::read(&path).unwrap();
    for damaged in [&bytes[..bytes.len() - 4], &bytes[..5], b"text"] {
        fs::write(&path, damaged).unwrap();
        let refused = load(&path).unwrap_err().to_string();
        assert!(refused.contains("no safetensors"), "{refused}");
    }
    fs::write(&path, vec![0; 5 << 20]).unwrap();
    assert!(
        load(&path)
            .unwrap_err()
            .to_string()
            .contains("expected at most")
    );
    fs::write(&path, &bytes).unwrap();
    fs::write(manifest_path(&path), "{\"format\": 1, \"colour\": 2}").unwrap();
    assert!(
        load(&path)
            .unwrap_err()
            .to_string()
            .contains("no manifest of a model")
    );
}
