//! The golden values of `tests/oracles/structure.py`.

use std::{path::Path, sync::OnceLock};

use serde_json::Value;

pub(crate) fn golden() -> &'static Value {
    static GOLDEN: OnceLock<Value> = OnceLock::new();
    GOLDEN.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let path = root.join("tests/oracles/structure.json");
        let text = std::fs::read_to_string(path).expect("golden values");
        serde_json::from_str(&text).expect("JSON")
    })
}

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

pub(crate) fn index(value: &Value) -> usize {
    value.as_u64().expect("an index") as usize
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// Equal up to `within`, relative to the larger of the expected value and one.
#[track_caller]
pub(crate) fn assert_close(found: f64, expected: f64, within: f64) {
    let scale = expected.abs().max(1.0);
    let is_close = (found - expected).abs() <= within * scale;
    assert!(is_close, "found {found:e}, expected {expected:e}");
}

#[track_caller]
pub(crate) fn assert_all_close(found: &[f64], expected: &[f64], within: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_close(*found, *expected, within);
    }
}
