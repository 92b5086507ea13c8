//! Why bytes or a blueprint are no model, and why a model gives no answer.

use super::OutputKind;
use crate::ShapeError;

/// Why bytes or a blueprint are no model; the first thing found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Too many bytes.
    #[error("expected a model of at most {max} bytes, found {found}")]
    TooLarge {
        /// How many there are.
        found: usize,
        /// The bound.
        max: usize,
    },
    /// The bytes end too early.
    #[error("model {part}: expected {needed} more bytes at byte {offset}, found {left}")]
    Truncated {
        /// What was being read.
        part: &'static str,
        /// Where.
        offset: usize,
        /// How many bytes it takes.
        needed: usize,
        /// How many there are.
        left: usize,
    },
    /// More bytes than the model has.
    #[error("model: expected its end at byte {offset}, found {left} more bytes")]
    Trailing {
        /// Where it ends.
        offset: usize,
        /// How many follow.
        left: usize,
    },
    /// The bytes do not begin as a model does.
    #[error("model header: no model begins with these bytes")]
    Magic,
    /// Another version of the format.
    #[error("model header: expected format {expected}, found {found}")]
    Version {
        /// What this version reads.
        expected: u32,
        /// What stands there.
        found: u32,
    },
    /// The content differs from what was written.
    #[error("model: the content hashes to {found:016x}, its end says {expected:016x}")]
    Hash {
        /// As the last eight bytes say.
        expected: u64,
        /// As computed.
        found: u64,
    },
    /// A code without a meaning, or a reserved byte that is not zero.
    #[error("model {part}: unknown code {code} at byte {offset}")]
    Code {
        /// What was being read.
        part: &'static str,
        /// What stands there.
        code: u32,
        /// Where.
        offset: usize,
    },
    /// A size beyond its bound.
    #[error("model: expected {min} to {max} {what}, found {found}")]
    Bound {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// At least.
        min: usize,
        /// At most.
        max: usize,
    },
    /// Parts that do not fit each other.
    #[error("model: expected {expected} {what}, found {found}")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        found: usize,
        /// How many the other parts ask for.
        expected: usize,
    },
    /// The outputs are not as many as their meaning asks for.
    #[error("model: {count} outputs cannot be {kind}")]
    Outputs {
        /// The meaning.
        kind: OutputKind,
        /// How many.
        count: usize,
    },
    /// An input's normalisation or range that cannot be.
    #[error("model input {index}: expected a positive scale and clip and an ordered, finite range")]
    Input {
        /// Which.
        index: usize,
    },
    /// A quantile that is out of order or not finite.
    #[error("model quantile {index}: expected rising levels between 0 and 1 and rising values")]
    Quantile {
        /// Which.
        index: usize,
    },
    /// A weight or bias that is not finite or too large.
    #[error("model {part} {index}: number {place} is not finite or too large")]
    Number {
        /// Of what.
        part: &'static str,
        /// Which of those.
        index: usize,
        /// Its place: weights first, then biases.
        place: usize,
    },
    /// The layers do not fit.
    #[error(transparent)]
    Shape(#[from] ShapeError),
}

/// Why a model gave no answer. The memory is as it was, except after `Output`, where it is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InferError {
    /// The memory was made for another model.
    #[error("the memory belongs to another model")]
    Memory,
    /// Another number of inputs.
    #[error("expected {expected} inputs, found {found}")]
    Inputs {
        /// What the model takes.
        expected: usize,
        /// What came.
        found: usize,
    },
    /// An input that is no finite number.
    #[error("input {index} is not finite")]
    NotFinite {
        /// Which.
        index: usize,
    },
    /// Weights that, with these inputs, lead beyond what a float can hold.
    #[error("output {index} is not finite")]
    Output {
        /// Which.
        index: usize,
    },
}
