//! A model: a network with all that its use needs, as one run of bytes.
//!
//! Beside the weights a model knows how its inputs are normalised, which features they are (a hash of the feature table), in what
//! range it saw them while it was trained, what its outputs mean and how far they were off on data that it had not seen. The bytes are
//! canonical: one model has one encoding (`FORMAT.md` beside this crate), and the hash at their end is its name everywhere.
//!
//! A model never changes and is shared; what a sequence has left behind, and the room to work in, is a `Memory` of the caller's own.
//!
//! Invariant: `Model::decode` panics on no bytes and allocates nothing that the bytes do not justify; a model that exists holds finite
//! numbers only, and an inference gives finite outputs or an error.

mod blueprint;
mod decode;
mod encode;
mod error;
mod infer;
mod output;

use alloc::{boxed::Box, vec::Vec};

pub use self::{
    blueprint::{Blueprint, GruWeights, InputRange, Layer, Quantile},
    error::{InferError, ModelError},
    infer::Memory,
    output::OutputKind,
};
use crate::{Dense, Gru, Network};

/// Most bytes of an encoded model.
pub const MODEL_BYTES_MAX: usize = 256 * 1024;
/// Most inputs of a model.
pub const INPUTS_MAX: usize = 1024;
/// Most outputs of a layer.
pub const OUTPUTS_MAX: usize = 1024;
/// Most units of the recurrent part.
pub const HIDDEN_MAX: usize = 256;
/// Most dense layers.
pub const LAYERS_MAX: usize = 8;
/// Most quantiles of residuals.
pub const QUANTILES_MAX: usize = 64;
/// Largest size of any number in a model: far beyond what training gives, and small enough that sums stay finite.
pub const NUMBER_MAX: f32 = 1e6;

/// A model ready for use.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    bytes: Box<[u8]>,
    hash: u64,
    feature_hash: u64,
    output_kind: OutputKind,
    inputs: Vec<InputRange>,
    quantiles: Vec<Quantile>,
    gru: Option<Gru>,
    network: Network,
}

impl Model {
    /// The model of a blueprint.
    ///
    /// # Errors
    /// The first thing in it that cannot be.
    pub fn new(blueprint: &Blueprint) -> Result<Self, ModelError> {
        blueprint.check()?;
        let bytes = encode::encode(blueprint)?;
        Self::build(blueprint, bytes.into_boxed_slice())
    }

    /// The model that these bytes are.
    ///
    /// # Errors
    /// The first thing in them that cannot be, with its place.
    pub fn decode(bytes: &[u8]) -> Result<Self, ModelError> {
        let blueprint = Blueprint::decode(bytes)?;
        Self::build(&blueprint, bytes.into())
    }

    /// Of a blueprint that was checked and its encoding.
    fn build(blueprint: &Blueprint, bytes: Box<[u8]>) -> Result<Self, ModelError> {
        let gru = blueprint.gru.as_ref().map(GruWeights::build).transpose()?;
        let mut inputs = blueprint.network_inputs();
        let mut layers = Vec::with_capacity(blueprint.layers.len());
        for layer in &blueprint.layers {
            layers.push(Dense::new(
                inputs,
                &layer.weights,
                &layer.biases,
                layer.activation,
            )?);
            inputs = layer.biases.len();
        }
        Ok(Self {
            hash: encode::trailing_hash(&bytes),
            bytes,
            feature_hash: blueprint.feature_hash,
            output_kind: blueprint.output_kind,
            inputs: blueprint.inputs.clone(),
            quantiles: blueprint.quantiles.clone(),
            gru,
            network: Network::new(layers)?,
        })
    }

    /// Its encoding, the hash at its end included.
    pub fn encode(&self) -> &[u8] {
        &self.bytes
    }

    /// Its name: the hash of its encoding.
    pub const fn hash(&self) -> u64 {
        self.hash
    }

    /// Hash of the table of features that it was trained on; whoever feeds it compares this with the table in use.
    pub const fn feature_hash(&self) -> u64 {
        self.feature_hash
    }

    /// What its outputs mean.
    pub const fn output_kind(&self) -> OutputKind {
        self.output_kind
    }

    /// How many values it takes.
    pub const fn input_count(&self) -> usize {
        self.inputs.len()
    }

    /// How many values it gives.
    pub fn output_count(&self) -> usize {
        self.network.outputs()
    }

    /// Units of its recurrent part; 0 without one.
    pub fn hidden_count(&self) -> usize {
        self.gru.as_ref().map_or(0, Gru::hidden_count)
    }

    /// How each input is normalised and in what range it was trained on.
    pub fn inputs(&self) -> &[InputRange] {
        &self.inputs
    }

    /// Quantiles of its residuals on data that it was not trained on, by rising level.
    pub fn quantiles(&self) -> &[Quantile] {
        &self.quantiles
    }
}
