//! The inputs that bring a model into use at the start of a run: its parts, then its promotion, as far as the core needs them.
//!
//! They are journaled as all inputs are, so a replay needs no file, and a restart sends nothing that the core still has.

use acth_core::{
    event::{Event, MODEL_PART_BYTES, flags},
    predict::{Model, ModelSlots},
};

/// The inputs after which `model` is in use in this slot of a core that has these models. None when it is already; the promotion alone when the
/// core still has it as the one before.
pub fn model_inputs(slot: u32, model: &Model, models: &ModelSlots, now_ns: i64) -> Vec<Event> {
    let is_this = |other: Option<&Model>| other.is_some_and(|other| other.hash() == model.hash());
    if is_this(models.get(slot as usize)) {
        return Vec::new();
    }
    let bytes = model.encode();
    let promoted = Event::model_promoted(slot, bytes.len() as u32, model.hash());
    let mut inputs = Vec::new();
    if !is_this(models.previous(slot as usize)) {
        let parts = (0..)
            .step_by(MODEL_PART_BYTES)
            .zip(bytes.chunks(MODEL_PART_BYTES));
        inputs.extend(parts.map(|(offset, part)| Event::model_part(slot, offset, part)));
    }
    inputs.push(promoted);
    for input in &mut inputs {
        *input = input.at(0, now_ns).with_flags(flags::TS_MISSING);
    }
    inputs
}
