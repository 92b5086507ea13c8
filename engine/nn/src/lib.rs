//! Small neural networks whose floats come out the same on every CPU and in every build.
//!
//! Every sum has one order: the bias first, then the inputs from the first to the last. The fast form keeps it by letting
//! the lanes of a vector be outputs, never parts of one sum, so the compiler may use vectors as wide as it likes and the
//! bits stay those of the plain loop. Transcendentals come from `libm`; nothing is fused.
//!
//! Invariant: no allocation after construction; the same input gives the same bits, whatever the batch or the machine.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod dense;
mod gru;
pub mod model;
mod network;
mod softmax;
pub mod train;

pub use self::{
    dense::{Activation, Dense, LANES},
    gru::{Gru, GruMemory, sigmoid},
    network::{Network, Values},
    softmax::{log_sum_exp, softmax},
};

/// Why a layer or a network cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// A layer without inputs or outputs.
    #[error("a layer needs at least one input and one output, found {inputs} and {outputs}")]
    Empty {
        /// Inputs given.
        inputs: usize,
        /// Outputs given.
        outputs: usize,
    },
    /// The weights are not one for each pair of input and output.
    #[error("expected {expected} weights, found {found}")]
    Weights {
        /// Inputs times outputs.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A weight or bias that is no finite number.
    #[error("weight or bias {index} is not finite")]
    NotFinite {
        /// Its place: weights first, then biases.
        index: usize,
    },
    /// Biases that are not three a unit, the same for input and memory.
    #[error("expected three biases a unit for input and memory, found {input} and {hidden}")]
    Gates {
        /// Those of the input.
        input: usize,
        /// Those of the memory.
        hidden: usize,
    },
    /// No layer at all.
    #[error("a network needs at least one layer")]
    NoLayer,
    /// A layer that does not take what the one before it gives.
    #[error("layer {layer} takes {takes} inputs, the layer before it gives {gives}")]
    Join {
        /// Its place, from 0.
        layer: usize,
        /// Its inputs.
        takes: usize,
        /// Outputs of the layer before.
        gives: usize,
    },
}
