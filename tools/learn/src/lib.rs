//! Models from data: a trainer that gives the same model every time, and the files that models are kept in.
//!
//! - `files`: a model as safetensors beside a JSON manifest, the names of the tensors as the usual trainers give them (`FORMAT.md`).
//! - `train`: supervised prediction, from a series of inputs and outcomes to a model with normalisation, ranges and residuals.
//! - `loss`: what each meaning of the outputs is trained by.
//! - `hmm`: a problem whose best answer is known, and that answer.
//!
//! Invariant: one seed, configuration and series give one model, bit for bit, on every machine.

#![forbid(unsafe_code)]

pub mod files;
pub mod hmm;
pub mod loss;
mod manifest;
pub mod random;
pub mod train;

pub use self::manifest::Manifest;
