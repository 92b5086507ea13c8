//! One user's sequence through the model of a slot: the model is shared, what the sequence has left behind is not.

use alloc::vec::Vec;

use acth_nn::model::{HIDDEN_MAX, Memory};

use super::{InferError, Model, ModelSlots};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// One user's sequence through the model of a slot. Each agent, or each of its instruments, has one of its own.
///
/// After a promotion the sequence begins anew at the next inference: what another model has left behind means nothing to the present one.
#[derive(Clone, Debug)]
pub struct Inference {
    slot: usize,
    memory: Option<Memory>,
    /// From a snapshot, until the model is met again.
    kept: Kept,
    refused_count: u64,
}

#[derive(Clone, Debug, Default)]
struct Kept {
    model_hash: u64,
    hidden: Vec<f32>,
}

impl Inference {
    /// Nothing seen yet.
    pub fn new(slot: usize) -> Self {
        Self {
            slot,
            memory: None,
            kept: Kept::default(),
            refused_count: 0,
        }
    }

    /// The slot whose model it uses.
    pub const fn slot(&self) -> usize {
        self.slot
    }

    /// Inferences that gave no answer although there was a model: wrong or not finite inputs.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Forgets the sequence, for a series that begins anew.
    pub fn clear(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.clear();
        }
        self.kept.hidden.fill(0.0);
    }

    /// Makes room for the model of the slot, which allocates; call it in `on_model`. An inference does it otherwise.
    pub fn prepare(&mut self, models: &ModelSlots) {
        if let Some(model) = models.get(self.slot) {
            self.prepare_for(model);
        }
    }

    fn prepare_for(&mut self, model: &Model) {
        let is_ready = |memory: &Memory| memory.model_hash() == model.hash();
        if self.memory.as_ref().is_some_and(is_ready) {
            return;
        }
        let mut memory = model.memory();
        if self.memory.is_none() && self.kept.model_hash == model.hash() {
            // Of another size only if two models had one hash: then it begins anew.
            let _ = memory.set_hidden(&self.kept.hidden);
        }
        self.memory = Some(memory);
        self.kept = Kept::default();
    }

    /// The outputs of the slot's model for these inputs; `None` without a model, and when it gives no answer, which is counted.
    #[inline]
    pub fn infer<'m>(&'m mut self, models: &ModelSlots, inputs: &[f32]) -> Option<&'m [f32]> {
        let model = models.get(self.slot)?;
        self.prepare_for(model);
        let outcome: Result<&[f32], InferError> = model.infer(inputs, self.memory.as_mut()?);
        self.refused_count += u64::from(outcome.is_err());
        outcome.ok()
    }

    /// Writes the exact state; the slot is a parameter.
    pub fn write(&self, out: &mut impl Sink) {
        let (model_hash, hidden) = match &self.memory {
            Some(memory) => (memory.model_hash(), memory.hidden()),
            None => (self.kept.model_hash, self.kept.hidden.as_slice()),
        };
        out.u64(model_hash);
        out.length(hidden.len());
        hidden.iter().for_each(|&value| out.f32(value));
        out.u64(self.refused_count);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what no sequence leaves behind.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        let model_hash = from.u64()?;
        let count = from.length(HIDDEN_MAX, 4)?;
        let mut hidden = Vec::with_capacity(count);
        for _ in 0..count {
            let value = f32::from_bits(from.u32()?);
            from.expect((-1.0..=1.0).contains(&value), "a memory from -1 to 1")?;
            hidden.push(value);
        }
        self.memory = None;
        self.kept = Kept { model_hash, hidden };
        self.refused_count = from.count()?;
        Ok(())
    }
}
