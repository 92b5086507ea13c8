//! Reading: no bytes whatever make it panic, and nothing is reserved that the bytes do not justify.

use alloc::vec::Vec;

use super::{
    Blueprint, GruWeights, HIDDEN_MAX, INPUTS_MAX, InputRange, LAYERS_MAX, Layer, MODEL_BYTES_MAX,
    ModelError, OUTPUTS_MAX, OutputKind, QUANTILES_MAX, Quantile,
    encode::{HASH_BYTES, KIND_DENSE, KIND_GRU, MAGIC, VERSION, content_hash, trailing_hash},
};
use crate::Activation;

impl Blueprint {
    /// The blueprint that these bytes are.
    ///
    /// # Errors
    /// The first thing in them that cannot be, with its place.
    pub fn decode(bytes: &[u8]) -> Result<Self, ModelError> {
        if bytes.len() > MODEL_BYTES_MAX {
            return Err(ModelError::TooLarge {
                found: bytes.len(),
                max: MODEL_BYTES_MAX,
            });
        }
        let mut reader = Reader {
            bytes: &bytes[..bytes.len().saturating_sub(HASH_BYTES)],
            offset: 0,
            part: "header",
        };
        let header = Header::read(&mut reader)?;
        let (expected, found) = (trailing_hash(bytes), content_hash(reader.bytes));
        if found != expected {
            return Err(ModelError::Hash { expected, found });
        }
        let blueprint = header.read_rest(&mut reader)?;
        reader.finish()?;
        blueprint.check()?;
        Ok(blueprint)
    }
}

/// The counts that everything after them depends on.
struct Header {
    output_kind: OutputKind,
    feature_hash: u64,
    inputs: usize,
    hidden: usize,
    layers: usize,
    quantiles: usize,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ModelError> {
        if reader.array::<8>()? != MAGIC {
            return Err(ModelError::Magic);
        }
        let found = reader.word()?;
        if found != VERSION {
            return Err(ModelError::Version {
                expected: VERSION,
                found,
            });
        }
        let kind = reader.code(|code| matches!(code, KIND_DENSE | KIND_GRU).then_some(code))?;
        let output_kind = reader.code(OutputKind::from_code)?;
        reader.zeros::<2>()?;
        let feature_hash = u64::from_le_bytes(reader.array()?);
        let inputs = reader.count("inputs", 1, INPUTS_MAX)?;
        let (least, most) = if kind == KIND_GRU {
            (1, HIDDEN_MAX)
        } else {
            (0, 0)
        };
        Ok(Self {
            output_kind,
            feature_hash,
            inputs,
            hidden: reader.count("hidden units", least, most)?,
            layers: reader.count("layers", 1, LAYERS_MAX)?,
            quantiles: reader.count("quantiles", 0, QUANTILES_MAX)?,
        })
    }

    fn read_rest(self, reader: &mut Reader<'_>) -> Result<Blueprint, ModelError> {
        reader.part = "topology";
        let mut shapes = Vec::with_capacity(self.layers);
        for _ in 0..self.layers {
            let outputs = reader.count("outputs", 1, OUTPUTS_MAX)?;
            let activation = reader.code(Activation::from_code)?;
            reader.zeros::<3>()?;
            shapes.push((outputs, activation));
        }
        reader.part = "inputs";
        let inputs = reader.rows(self.inputs, |[mean, scale, clip, least, greatest]| {
            InputRange {
                mean,
                scale,
                clip,
                least,
                greatest,
            }
        })?;
        reader.part = "quantiles";
        let quantiles = reader.rows(self.quantiles, |[level, value]| Quantile { level, value })?;
        reader.part = "recurrent part";
        let gru = (self.hidden > 0)
            .then(|| self.read_gru(reader))
            .transpose()?;
        reader.part = "layers";
        let mut width = if self.hidden > 0 {
            self.hidden
        } else {
            self.inputs
        };
        let mut layers = Vec::with_capacity(self.layers);
        for (outputs, activation) in shapes {
            layers.push(Layer {
                activation,
                weights: reader.numbers(outputs * width)?,
                biases: reader.numbers(outputs)?,
            });
            width = outputs;
        }
        Ok(Blueprint {
            feature_hash: self.feature_hash,
            output_kind: self.output_kind,
            inputs,
            quantiles,
            gru,
            layers,
        })
    }

    fn read_gru(&self, reader: &mut Reader<'_>) -> Result<GruWeights, ModelError> {
        let rows = 3 * self.hidden;
        Ok(GruWeights {
            inputs: self.inputs,
            weights_input: reader.numbers(rows * self.inputs)?,
            weights_hidden: reader.numbers(rows * self.hidden)?,
            biases_input: reader.numbers(rows)?,
            biases_hidden: reader.numbers(rows)?,
        })
    }
}

/// Takes values from the bytes before the hash.
struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
    part: &'static str,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Result<&[u8], ModelError> {
        let left = self.bytes.len() - self.offset;
        if count > left {
            return Err(ModelError::Truncated {
                part: self.part,
                offset: self.offset,
                needed: count,
                left,
            });
        }
        let start = self.offset;
        self.offset += count;
        Ok(&self.bytes[start..self.offset])
    }

    fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], ModelError> {
        let mut array = [0; COUNT];
        array.copy_from_slice(self.take(COUNT)?);
        Ok(array)
    }

    fn word(&mut self) -> Result<u32, ModelError> {
        self.array().map(u32::from_le_bytes)
    }

    fn count(&mut self, what: &'static str, min: usize, max: usize) -> Result<usize, ModelError> {
        let found = self.word()? as usize;
        if (min..=max).contains(&found) {
            return Ok(found);
        }
        Err(ModelError::Bound {
            what,
            found,
            min,
            max,
        })
    }

    fn code<T>(&mut self, from_code: impl FnOnce(u8) -> Option<T>) -> Result<T, ModelError> {
        let offset = self.offset;
        let [code] = self.array()?;
        from_code(code).ok_or(ModelError::Code {
            part: self.part,
            code: u32::from(code),
            offset,
        })
    }

    fn zeros<const COUNT: usize>(&mut self) -> Result<(), ModelError> {
        for _ in 0..COUNT {
            self.code(|code| (code == 0).then_some(()))?;
        }
        Ok(())
    }

    fn numbers(&mut self, count: usize) -> Result<Vec<f32>, ModelError> {
        let bytes = self.take(4 * count)?;
        let (words, _) = bytes.as_chunks::<4>();
        Ok(words.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }

    fn rows<const WIDTH: usize, T>(
        &mut self,
        count: usize,
        row: impl Fn([f32; WIDTH]) -> T,
    ) -> Result<Vec<T>, ModelError> {
        let numbers = self.numbers(count * WIDTH)?;
        let (rows, _) = numbers.as_chunks::<WIDTH>();
        Ok(rows.iter().map(|numbers| row(*numbers)).collect())
    }

    fn finish(&self) -> Result<(), ModelError> {
        let left = self.bytes.len() - self.offset;
        if left == 0 {
            return Ok(());
        }
        Err(ModelError::Trailing {
            offset: self.offset,
            left,
        })
    }
}
