//! The models in use: a bounded number of slots, each with room for a model that is coming in.
//!
//! ```text
//! ModelPart ... ModelPart ── received bytes ──┐
//!                                             ├── ModelPromoted ── live ── previous
//! previous (a roll-back needs no parts) ──────┘
//! ```
//!
//! A part that does not continue what was received, or that is beyond a bound, is refused and counted. A promotion names size and hash:
//! what was received must have both. Promoting the previous model again is the roll-back; its bytes need not come in again.
//!
//! Invariant: memory for what comes in is reserved at the start. Only a promotion allocates, and a restore; both are rare and
//! neither happens while an order waits on it.

use alloc::vec::Vec;

use acth_nn::model::{MODEL_BYTES_MAX, Model};

use crate::{
    event::{ModelPart, ModelPromoted},
    hash::StateHasher,
    snapshot::{Decoder, Encoder, SnapshotError},
};

/// How many models may be in use at once.
pub const MODEL_SLOTS: usize = 8;

/// What became of a promotion; `verdict` of a `ModelChanged`. The number is the code on disk and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum ModelVerdict {
    /// The model is in use.
    Accepted = 0,
    /// There is no such slot.
    NoSlot = 1,
    /// Not as many bytes came in as the promotion names.
    Length = 2,
    /// The bytes that came in have another hash.
    Hash = 3,
    /// The bytes are no model.
    Undecodable = 4,
}

impl ModelVerdict {
    /// The verdict with this code, if there is one.
    pub const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            0 => Self::Accepted,
            1 => Self::NoSlot,
            2 => Self::Length,
            3 => Self::Hash,
            4 => Self::Undecodable,
            _ => return None,
        })
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::NoSlot => "no_slot",
            Self::Length => "length",
            Self::Hash => "hash",
            Self::Undecodable => "undecodable",
        }
    }
}

/// Where an accepted model came from; `reason` of a `ModelChanged`. The number is the code on disk and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub enum ModelOrigin {
    /// From the parts that came in.
    Received = 1,
    /// It was in use before the present one.
    Previous = 2,
    /// It was in use already: nothing changed.
    Live = 3,
}

impl ModelOrigin {
    /// The origin with this code, if there is one.
    pub const fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            1 => Self::Received,
            2 => Self::Previous,
            3 => Self::Live,
            _ => return None,
        })
    }

    /// The name used in dumps and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Previous => "previous",
            Self::Live => "live",
        }
    }
}

/// One slot.
#[derive(Debug, Default)]
struct Slot {
    received: Vec<u8>,
    /// Hash of `received` as far as it goes.
    received_hash: StateHasher,
    live: Option<Model>,
    previous: Option<Model>,
}

/// The models in use.
#[derive(Debug)]
pub struct ModelSlots {
    slots: [Slot; MODEL_SLOTS],
    refused_count: u64,
}

impl Default for ModelSlots {
    fn default() -> Self {
        Self::new()
    }
}

impl ModelSlots {
    /// No model yet. Reserves all memory that parts need; it becomes present only where parts are written.
    pub fn new() -> Self {
        let mut slots = Self {
            slots: Default::default(),
            refused_count: 0,
        };
        for slot in &mut slots.slots {
            slot.received.reserve_exact(MODEL_BYTES_MAX);
        }
        slots
    }

    /// The model in use in a slot.
    #[inline]
    pub fn get(&self, slot: usize) -> Option<&Model> {
        self.slots.get(slot)?.live.as_ref()
    }

    /// The models in use, with their slots.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Model)> {
        let live = |(index, slot): (usize, _)| Some((index, Slot::live(slot)?));
        self.slots.iter().enumerate().filter_map(live)
    }

    /// The model that was in use in a slot before the present one: what a roll-back returns to.
    pub fn previous(&self, slot: usize) -> Option<&Model> {
        self.slots.get(slot)?.previous.as_ref()
    }

    /// Bytes of the model that is coming in.
    pub fn received_bytes(&self, slot: usize) -> usize {
        self.slots.get(slot).map_or(0, |slot| slot.received.len())
    }

    /// Parts refused because they were out of order or beyond a bound.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Takes in a part of `count` bytes. False, and counted, when it is refused.
    pub fn receive(&mut self, part: &ModelPart, count: usize) -> bool {
        let taken = self.slots.get_mut(part.slot as usize);
        let is_taken = taken.is_some_and(|slot| slot.receive(part, count));
        self.refused_count += u64::from(!is_taken);
        is_taken
    }

    /// Puts a model into use. Allocates when it was received.
    ///
    /// # Errors
    /// Why it was refused; then the model in use stays, and what was received too, except when it is no model.
    pub fn promote(&mut self, promoted: &ModelPromoted) -> Result<ModelOrigin, ModelVerdict> {
        let slot = self.slots.get_mut(promoted.slot as usize);
        slot.ok_or(ModelVerdict::NoSlot)?.promote(promoted)
    }

    /// Folds in what can change a later decision. Slots that nothing ever came into add nothing.
    pub fn digest(&self, hash: &mut StateHasher) {
        for (index, slot) in self.slots.iter().enumerate() {
            if !slot.is_untouched() {
                hash.word(index as u64);
                slot.digest(hash);
            }
        }
    }

    /// Writes the models and what was received.
    pub(crate) fn save(&self, out: &mut Encoder) {
        out.u64(self.refused_count);
        for slot in &self.slots {
            out.bytes(&slot.received);
            for model in [&slot.live, &slot.previous] {
                out.bytes(model.as_ref().map_or(&[], Model::encode));
            }
        }
    }

    /// Reads what `save` wrote.
    pub(crate) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.refused_count = from.count()?;
        for slot in &mut self.slots {
            let received = from.bytes(MODEL_BYTES_MAX)?;
            slot.received.clear();
            slot.received.extend_from_slice(received);
            slot.received_hash = hash_of(&slot.received);
            slot.live = load_model(from)?;
            slot.previous = load_model(from)?;
        }
        Ok(())
    }
}

fn load_model(from: &mut Decoder<'_>) -> Result<Option<Model>, SnapshotError> {
    let bytes = from.bytes(MODEL_BYTES_MAX)?;
    if bytes.is_empty() {
        return Ok(None);
    }
    let model = Model::decode(bytes).map_err(|_| from.invalid("a whole model"))?;
    Ok(Some(model))
}

fn hash_of(bytes: &[u8]) -> StateHasher {
    let mut hash = StateHasher::new();
    fold(&mut hash, bytes);
    hash
}

/// Byte by byte: how the bytes were cut into parts makes no difference.
fn fold(hash: &mut StateHasher, bytes: &[u8]) {
    bytes.iter().for_each(|&byte| hash.word(u64::from(byte)));
}

impl Slot {
    const fn live(&self) -> Option<&Model> {
        self.live.as_ref()
    }

    const fn is_untouched(&self) -> bool {
        self.received.is_empty() && self.live.is_none() && self.previous.is_none()
    }

    fn receive(&mut self, part: &ModelPart, count: usize) -> bool {
        let Some(bytes) = part.bytes.get(..count) else {
            return false;
        };
        let offset = part.offset as usize;
        // The first part begins anew, whatever was received of another model.
        let is_next = offset == 0 || offset == self.received.len();
        if !is_next || offset + count > MODEL_BYTES_MAX {
            return false;
        }
        if offset == 0 {
            self.forget();
        }
        self.received.extend_from_slice(bytes);
        fold(&mut self.received_hash, bytes);
        true
    }

    fn forget(&mut self) {
        self.received.clear();
        self.received_hash = StateHasher::new();
    }

    fn promote(&mut self, promoted: &ModelPromoted) -> Result<ModelOrigin, ModelVerdict> {
        let is_meant = |model: &Model| {
            model.hash() == promoted.hash && model.encode().len() == promoted.byte_count as usize
        };
        if self.live.as_ref().is_some_and(is_meant) {
            self.forget();
            return Ok(ModelOrigin::Live);
        }
        if self.previous.as_ref().is_some_and(is_meant) {
            core::mem::swap(&mut self.live, &mut self.previous);
            self.forget();
            return Ok(ModelOrigin::Previous);
        }
        if self.received.len() != promoted.byte_count as usize {
            return Err(ModelVerdict::Length);
        }
        let model = match Model::decode(&self.received) {
            Ok(model) if model.hash() == promoted.hash => model,
            Ok(_) => return Err(ModelVerdict::Hash),
            Err(_) => {
                self.forget();
                return Err(ModelVerdict::Undecodable);
            }
        };
        self.forget();
        self.previous = self.live.replace(model);
        Ok(ModelOrigin::Received)
    }

    fn digest(&self, hash: &mut StateHasher) {
        for model in [&self.live, &self.previous] {
            hash.word(model.as_ref().map_or(0, Model::hash));
        }
        hash.word(self.received.len() as u64);
        hash.word(self.received_hash.finish());
    }
}
