//! A model as files: `NAME.safetensors` with the weights and `NAME.json` with the manifest beside it. See `FORMAT.md`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use acth_nn::model::{Blueprint, GruWeights, HIDDEN_MAX, Layer, Model, ModelError, OUTPUTS_MAX};
use safetensors::{Dtype, SafeTensorError, SafeTensors, tensor::TensorView};

use crate::{
    Manifest,
    manifest::{FORMAT, from_hex, hex},
};

/// Most bytes of either file: far more than the largest model takes.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Why files are no model.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file is larger than any model.
    #[error("{}: expected at most {FILE_BYTES_MAX} bytes, found {found}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
    },
    /// The weights' file is not what its format says.
    #[error("{}: no safetensors: {cause}", path.display())]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: SafeTensorError,
    },
    /// The manifest is not what its format says.
    #[error("{}: no manifest of a model: {cause}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: serde_json::Error,
    },
    /// A value of the manifest has no meaning.
    #[error("{}: {field}: `{found}` is not {expected}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// Which.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// A tensor is missing, of another type or shape, or one too many.
    #[error("{}: tensor `{name}`: expected {expected}, found {found}", path.display())]
    Tensor {
        /// The file.
        path: PathBuf,
        /// Which.
        name: String,
        /// What was expected.
        expected: String,
        /// What is there.
        found: String,
    },
    /// What the files say cannot be a model.
    #[error("{}: {cause}", path.display())]
    Model {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: ModelError,
    },
}

/// The manifest's file for these weights.
pub fn manifest_path(weights: &Path) -> PathBuf {
    weights.with_extension("json")
}

/// Reads the model whose weights are in this file, with the manifest beside it.
///
/// # Errors
/// The first thing that is not as it should be, with its file.
pub fn load(weights: &Path) -> Result<Model, FileError> {
    let beside = manifest_path(weights);
    let text = read(&beside)?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|cause| FileError::Manifest {
            path: beside.clone(),
            cause,
        })?;
    let bytes = read(weights)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|cause| FileError::Tensors {
        path: weights.to_owned(),
        cause,
    })?;
    let source = Source {
        weights,
        beside: &beside,
        manifest: &manifest,
        tensors: &tensors,
    };
    let blueprint = source.blueprint()?;
    let model = Model::new(&blueprint).map_err(|cause| FileError::Model {
        path: weights.to_owned(),
        cause,
    })?;
    if let Some(stated) = &manifest.model_hash
        && from_hex(stated) != Some(model.hash())
    {
        return Err(source.field("model_hash", stated.clone(), "the hash of these weights"));
    }
    Ok(model)
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let refuse = |cause| FileError::Io {
        path: path.to_owned(),
        cause,
    };
    let found = fs::metadata(path).map_err(refuse)?.len();
    if found > FILE_BYTES_MAX {
        return Err(FileError::TooLarge {
            path: path.to_owned(),
            found,
        });
    }
    fs::read(path).map_err(refuse)
}

/// Writes a model: weights to this file, the manifest beside it.
///
/// # Errors
/// A file cannot be written.
pub fn save(model: &Model, weights: &Path) -> Result<(), FileError> {
    let refuse_model = |cause| FileError::Model {
        path: weights.to_owned(),
        cause,
    };
    let blueprint = Blueprint::decode(model.encode()).map_err(refuse_model)?;
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut put = |name: String, shape: &[usize], numbers: &[f32]| {
        let bytes = numbers.iter().flat_map(|number| number.to_le_bytes());
        tensors.push((name, shape.to_vec(), bytes.collect()));
    };
    if let Some(gru) = &blueprint.gru {
        let rows = gru.biases_input.len();
        put(
            "gru.weight_ih_l0".into(),
            &[rows, gru.inputs],
            &gru.weights_input,
        );
        put(
            "gru.weight_hh_l0".into(),
            &[rows, rows / 3],
            &gru.weights_hidden,
        );
        put("gru.bias_ih_l0".into(), &[rows], &gru.biases_input);
        put("gru.bias_hh_l0".into(), &[rows], &gru.biases_hidden);
    }
    for (index, layer) in blueprint.layers.iter().enumerate() {
        let outputs = layer.biases.len();
        let shape = [outputs, layer.weights.len() / outputs];
        put(format!("layers.{index}.weight"), &shape, &layer.weights);
        put(format!("layers.{index}.bias"), &[outputs], &layer.biases);
    }
    let refuse = |cause| FileError::Tensors {
        path: weights.to_owned(),
        cause,
    };
    let views = tensors.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes)?;
        Ok((name.as_str(), view))
    });
    let views: Vec<_> = views.collect::<Result<_, _>>().map_err(refuse)?;
    let bytes = safetensors::serialize(views, None).map_err(refuse)?;
    write(weights, &bytes)?;
    let path = manifest_path(weights);
    let manifest = Manifest::of(&blueprint, model.hash());
    let mut text = serde_json::to_vec_pretty(&manifest).map_err(|cause| FileError::Manifest {
        path: path.clone(),
        cause,
    })?;
    text.push(b'\n');
    write(&path, &text)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    fs::write(path, bytes).map_err(|cause| FileError::Io {
        path: path.to_owned(),
        cause,
    })
}

/// Both files, read.
struct Source<'a> {
    weights: &'a Path,
    beside: &'a Path,
    manifest: &'a Manifest,
    tensors: &'a SafeTensors<'a>,
}

impl Source<'_> {
    fn field(&self, field: &'static str, found: String, expected: &'static str) -> FileError {
        FileError::Field {
            path: self.beside.to_owned(),
            field,
            found,
            expected,
        }
    }

    fn blueprint(&self) -> Result<Blueprint, FileError> {
        let manifest = self.manifest;
        if manifest.format != FORMAT {
            return Err(self.field("format", manifest.format.to_string(), "1"));
        }
        let feature_hash = from_hex(&manifest.feature_hash).ok_or_else(|| {
            let expected = "16 hexadecimal digits";
            self.field("feature_hash", manifest.feature_hash.clone(), expected)
        })?;
        let output_kind = manifest.output_kind().ok_or_else(|| {
            let expected = "values, actions, normal or mixture";
            self.field("output_kind", manifest.output_kind.clone(), expected)
        })?;
        self.check_bounds()?;
        let (inputs, hidden) = (manifest.inputs.len(), manifest.hidden);
        let mut count = 0;
        let mut take = |name: &str, shape: &[usize]| {
            count += 1;
            self.tensor(name, shape)
        };
        let gru = if hidden > 0 {
            Some(GruWeights {
                inputs,
                weights_input: take("gru.weight_ih_l0", &[3 * hidden, inputs])?,
                weights_hidden: take("gru.weight_hh_l0", &[3 * hidden, hidden])?,
                biases_input: take("gru.bias_ih_l0", &[3 * hidden])?,
                biases_hidden: take("gru.bias_hh_l0", &[3 * hidden])?,
            })
        } else {
            None
        };
        let mut width = if hidden > 0 { hidden } else { inputs };
        let mut layers = Vec::with_capacity(manifest.layers.len());
        for (index, layer) in manifest.layers.iter().enumerate() {
            let activation = layer.activation().ok_or_else(|| {
                let expected = "identity, relu or tanh";
                self.field("activation", layer.activation.clone(), expected)
            })?;
            let weight = format!("layers.{index}.weight");
            layers.push(Layer {
                activation,
                weights: take(&weight, &[layer.outputs, width])?,
                biases: take(&format!("layers.{index}.bias"), &[layer.outputs])?,
            });
            width = layer.outputs;
        }
        if count != self.tensors.len() {
            return Err(FileError::Tensor {
                path: self.weights.to_owned(),
                name: String::from("all"),
                expected: format!("{count} tensors"),
                found: self.tensors.len().to_string(),
            });
        }
        Ok(Blueprint {
            feature_hash,
            output_kind,
            inputs: manifest.inputs(),
            quantiles: manifest.quantiles(),
            gru,
            layers,
        })
    }

    /// Sizes that products are made of: they must not overflow before the blueprint is checked.
    fn check_bounds(&self) -> Result<(), FileError> {
        let hidden = self.manifest.hidden;
        if hidden > HIDDEN_MAX {
            return Err(self.field("hidden", hidden.to_string(), "a number of units up to 256"));
        }
        let outputs = self.manifest.layers.iter().map(|layer| layer.outputs);
        match outputs.max() {
            Some(most) if most > OUTPUTS_MAX => Err(self.field(
                "outputs",
                most.to_string(),
                "a number of outputs up to 1024",
            )),
            _ => Ok(()),
        }
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, FileError> {
        let refuse = |found: String| FileError::Tensor {
            path: self.weights.to_owned(),
            name: name.to_owned(),
            expected: format!("F32 {shape:?}"),
            found,
        };
        let view = self
            .tensors
            .tensor(name)
            .map_err(|_| refuse(String::from("none")))?;
        if view.dtype() != Dtype::F32 || view.shape() != shape {
            return Err(refuse(format!("{:?} {:?}", view.dtype(), view.shape())));
        }
        let (words, _) = view.data().as_chunks::<4>();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }
}

/// The manifest that would stand beside this model's weights.
///
/// # Errors
/// Never for a model that exists: its own encoding is read.
pub fn manifest_of(model: &Model) -> Result<Manifest, ModelError> {
    let blueprint = Blueprint::decode(model.encode())?;
    Ok(Manifest::of(&blueprint, model.hash()))
}

/// A model's name as people read it: 16 hexadecimal digits.
pub fn name_of(model: &Model) -> String {
    hex(model.hash())
}
