//! What stands beside the tensors: everything of a model that is no weight, as JSON.

use acth_nn::{
    Activation,
    model::{Blueprint, InputRange, OutputKind, Quantile},
};
use serde::{Deserialize, Serialize};

/// Version of the manifest.
pub(crate) const FORMAT: u32 = 1;

/// Everything of a model that is no weight. Hashes are 16 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the manifest: 1.
    pub format: u32,
    /// What the outputs mean: values, actions, normal or mixture.
    pub output_kind: String,
    /// Hash of the table of features that the inputs are.
    pub feature_hash: String,
    /// Units of the recurrent part; 0 = none.
    pub hidden: usize,
    /// The dense layers, from the inputs or the recurrent part on.
    pub layers: Vec<ManifestLayer>,
    /// Normalisation and training range of each input.
    pub inputs: Vec<ManifestInput>,
    /// Quantiles of the residuals on data that the model was not trained on, by rising level.
    #[serde(default)]
    pub quantiles: Vec<ManifestQuantile>,
    /// Hash of the whole model, weights included; absent where a trainer did not know it. If it is there it must be right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_hash: Option<String>,
}

/// One dense layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestLayer {
    /// How many values it gives.
    pub outputs: usize,
    /// identity, relu or tanh.
    pub activation: String,
}

/// One input; see `acth_nn::model::InputRange`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestInput {
    /// Mean over the training data.
    pub mean: f32,
    /// Deviation over the training data.
    pub scale: f32,
    /// Largest size after normalisation.
    pub clip: f32,
    /// Least value of the training data.
    pub least: f32,
    /// Greatest value of the training data.
    pub greatest: f32,
}

/// One quantile of the residuals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestQuantile {
    /// Share of the residuals at or below.
    pub level: f32,
    /// The residual there.
    pub value: f32,
}

impl Manifest {
    /// Of a blueprint and the hash of its model.
    pub(crate) fn of(blueprint: &Blueprint, model_hash: u64) -> Self {
        let input = |range: &InputRange| ManifestInput {
            mean: range.mean,
            scale: range.scale,
            clip: range.clip,
            least: range.least,
            greatest: range.greatest,
        };
        let quantile = |quantile: &Quantile| ManifestQuantile {
            level: quantile.level,
            value: quantile.value,
        };
        let layers = blueprint.layers.iter().map(|layer| ManifestLayer {
            outputs: layer.biases.len(),
            activation: layer.activation.name().to_owned(),
        });
        Self {
            format: FORMAT,
            output_kind: blueprint.output_kind.name().to_owned(),
            feature_hash: hex(blueprint.feature_hash),
            hidden: blueprint.gru.as_ref().map_or(0, |gru| gru.hidden_count()),
            layers: layers.collect(),
            inputs: blueprint.inputs.iter().map(input).collect(),
            quantiles: blueprint.quantiles.iter().map(quantile).collect(),
            model_hash: Some(hex(model_hash)),
        }
    }

    pub(crate) fn output_kind(&self) -> Option<OutputKind> {
        OutputKind::from_name(&self.output_kind)
    }

    pub(crate) fn inputs(&self) -> Vec<InputRange> {
        let range = |input: &ManifestInput| InputRange {
            mean: input.mean,
            scale: input.scale,
            clip: input.clip,
            least: input.least,
            greatest: input.greatest,
        };
        self.inputs.iter().map(range).collect()
    }

    pub(crate) fn quantiles(&self) -> Vec<Quantile> {
        let quantile = |quantile: &ManifestQuantile| Quantile {
            level: quantile.level,
            value: quantile.value,
        };
        self.quantiles.iter().map(quantile).collect()
    }
}

impl ManifestLayer {
    pub(crate) fn activation(&self) -> Option<Activation> {
        Activation::from_name(&self.activation)
    }
}

/// 16 hexadecimal digits.
pub(crate) fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// The number that 16 hexadecimal digits are.
pub(crate) fn from_hex(text: &str) -> Option<u64> {
    if text.len() != 16 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u64::from_str_radix(text, 16).ok()
}
