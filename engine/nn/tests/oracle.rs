//! A model that another program wrote by the description of the format alone, and what that program says it says.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use acth_nn::model::{Model, OutputKind};
use serde_json::Value;

const GOLDEN: &str = include_str!("../../../tests/oracles/model.json");

fn floats(values: &Value) -> Vec<f64> {
    let values = values.as_array().unwrap().iter();
    values.map(|value| value.as_f64().unwrap()).collect()
}

#[test]
fn another_program_writes_the_same_model_and_hears_the_same() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let digits = golden["bytes"].as_str().unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    let model = Model::decode(&bytes).unwrap();
    assert_eq!(
        format!("{:016x}", model.hash()),
        golden["hash"].as_str().unwrap()
    );
    assert_eq!(model.encode(), bytes);
    assert_eq!(
        (model.hidden_count(), model.output_kind()),
        (4, OutputKind::Values)
    );
    let mut memory = model.memory();
    let steps = golden["raw"].as_array().unwrap().iter();
    for (raw, expected) in steps.zip(golden["outputs"].as_array().unwrap()) {
        let raw: Vec<f32> = floats(raw).into_iter().map(|value| value as f32).collect();
        let outputs = model.infer(&raw, &mut memory).unwrap();
        for (output, expected) in outputs.iter().zip(floats(expected)) {
            assert!(
                (f64::from(*output) - expected).abs() < 2e-6,
                "{output}, not {expected}"
            );
        }
    }
}
