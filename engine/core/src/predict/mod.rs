//! What predicts: models that came in as inputs, regressions that learn as they go, and what keeps both honest.
//!
//! - `ModelSlots`: the models in use, received in parts, promoted by an input, kept in snapshots.
//! - `Inference`: one user's sequence through the model of a slot.
//! - `Guard`: whether a model's inputs are still like those that it was trained on.
//! - `Intervals`: how far an outcome may be from its prediction, with a coverage that holds for every series.
//! - `Rls`: a linear regression that learns with every outcome.
//!
//! Invariant: nothing here reads a clock or a file, and nothing that is not finite is ever stored.

mod guard;
mod inference;
mod intervals;
mod rls;
mod slots;

pub use acth_nn::model::{
    InferError, InputRange, MODEL_BYTES_MAX, Model, ModelError, OutputKind, Quantile,
};

pub use self::{
    guard::{Guard, GuardConfig, GuardError, GuardVerdict},
    inference::Inference,
    intervals::{INTERVAL_WINDOW_MAX, Intervals, IntervalsError},
    rls::{Prediction, RLS_INPUTS_MAX, RLS_VALUE_MAX, Rls, RlsError},
    slots::{MODEL_SLOTS, ModelOrigin, ModelSlots, ModelVerdict},
};
