//! Writing: a checked blueprint as its one encoding.

use alloc::vec::Vec;

use super::{Blueprint, GruWeights, MODEL_BYTES_MAX, ModelError};

/// The first bytes of every model.
pub(super) const MAGIC: [u8; 8] = *b"ACTHMODL";
/// Version of the encoding.
pub(super) const VERSION: u32 = 1;
/// Code of a model that has dense layers only.
pub(super) const KIND_DENSE: u8 = 1;
/// Code of a model with a recurrent part before its dense layers.
pub(super) const KIND_GRU: u8 = 2;
/// Bytes of the hash at the end.
pub(super) const HASH_BYTES: usize = 8;

/// FNV-1a, 64 bits: simple enough to be written again in any language. It finds damage and tells models apart; it is no defence
/// against a person who forges one.
pub(super) fn content_hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The hash that stands at the end; 0 of bytes too short to have one.
pub(super) fn trailing_hash(bytes: &[u8]) -> u64 {
    bytes
        .last_chunk::<HASH_BYTES>()
        .map_or(0, |hash| u64::from_le_bytes(*hash))
}

/// The encoding of a blueprint that was checked.
pub(super) fn encode(blueprint: &Blueprint) -> Result<Vec<u8>, ModelError> {
    let mut out = Writer(Vec::new());
    let gru = blueprint.gru.as_ref();
    out.0.extend_from_slice(&MAGIC);
    out.count(VERSION as usize);
    let kind = if gru.is_some() { KIND_GRU } else { KIND_DENSE };
    out.0
        .extend_from_slice(&[kind, blueprint.output_kind as u8, 0, 0]);
    out.0
        .extend_from_slice(&blueprint.feature_hash.to_le_bytes());
    out.count(blueprint.inputs.len());
    out.count(gru.map_or(0, GruWeights::hidden_count));
    out.count(blueprint.layers.len());
    out.count(blueprint.quantiles.len());
    for layer in &blueprint.layers {
        out.count(layer.biases.len());
        out.0.extend_from_slice(&[layer.activation.code(), 0, 0, 0]);
    }
    for input in &blueprint.inputs {
        out.numbers(&[
            input.mean,
            input.scale,
            input.clip,
            input.least,
            input.greatest,
        ]);
    }
    for quantile in &blueprint.quantiles {
        out.numbers(&[quantile.level, quantile.value]);
    }
    if let Some(gru) = gru {
        out.numbers(&gru.weights_input);
        out.numbers(&gru.weights_hidden);
        out.numbers(&gru.biases_input);
        out.numbers(&gru.biases_hidden);
    }
    for layer in &blueprint.layers {
        out.numbers(&layer.weights);
        out.numbers(&layer.biases);
    }
    let hash = content_hash(&out.0);
    out.0.extend_from_slice(&hash.to_le_bytes());
    if out.0.len() > MODEL_BYTES_MAX {
        return Err(ModelError::TooLarge {
            found: out.0.len(),
            max: MODEL_BYTES_MAX,
        });
    }
    Ok(out.0)
}

struct Writer(Vec<u8>);

impl Writer {
    /// Counts lie within their bounds, which `Blueprint::check` has seen.
    fn count(&mut self, count: usize) {
        self.0.extend_from_slice(&(count as u32).to_le_bytes());
    }

    fn numbers(&mut self, numbers: &[f32]) {
        for number in numbers {
            self.0.extend_from_slice(&number.to_le_bytes());
        }
    }
}
