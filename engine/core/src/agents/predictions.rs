//! What the models say of each instrument: worked out once, read by every agent that asks.

use alloc::{vec, vec::Vec};

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most models that speak at a time.
pub const SLOTS: usize = 8;
/// Most outputs of a model that agents look at.
pub const OUTPUTS_MAX: usize = 8;

/// The last word of one model on one instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prediction {
    /// Its outputs; those beyond `count` are 0.
    pub outputs: [f32; OUTPUTS_MAX],
    /// How many outputs it has; 0 = it said nothing yet.
    pub count: u8,
    /// True while what it sees is unlike what it was trained on.
    pub is_muted: bool,
    /// When it was asked, ns since the Unix epoch.
    pub ts_ns: i64,
    /// Hash of what it saw.
    pub observation_hash: u64,
    /// Hash of the model.
    pub model_hash: u64,
}

/// The last words of all models.
#[derive(Clone, Debug)]
pub struct Predictions {
    /// `[slot][instrument]`.
    rows: Vec<Prediction>,
    instrument_count: usize,
}

impl Predictions {
    /// Silence.
    pub fn new(instrument_count: usize) -> Self {
        Self {
            rows: vec![Prediction::default(); SLOTS * instrument_count],
            instrument_count,
        }
    }

    /// What the model of a slot said last; None while it said nothing, or is muted.
    pub fn of(&self, slot: usize, index: usize) -> Option<&Prediction> {
        let row = self.rows.get(slot * self.instrument_count + index)?;
        (row.count > 0 && !row.is_muted).then_some(row)
    }

    /// Takes a word down.
    pub fn set(&mut self, slot: usize, index: usize, prediction: Prediction) {
        self.rows[slot * self.instrument_count + index] = prediction;
    }

    /// When the model of a slot was asked last about an instrument; 0 = never.
    pub fn ts_ns(&self, slot: usize, index: usize) -> i64 {
        self.rows[slot * self.instrument_count + index].ts_ns
    }

    /// Forgets what one slot said: another model speaks from now on.
    pub fn forget(&mut self, slot: usize) {
        let first = slot * self.instrument_count;
        self.rows[first..first + self.instrument_count].fill(Prediction::default());
    }

    /// Writes all.
    pub fn write(&self, out: &mut impl Sink) {
        for row in &self.rows {
            out.u8(row.count);
            if row.count == 0 {
                continue;
            }
            row.outputs.iter().for_each(|output| out.f32(*output));
            out.bool(row.is_muted);
            out.i64(row.ts_ns);
            out.u64(row.observation_hash);
            out.u64(row.model_hash);
        }
    }

    /// Reads what as many instruments wrote.
    ///
    /// # Errors
    /// The bytes end, or a count cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for row in &mut self.rows {
            *row = Prediction::default();
            row.count = from.u8()?;
            from.expect(usize::from(row.count) <= OUTPUTS_MAX, "at most 8 outputs")?;
            if row.count == 0 {
                continue;
            }
            for output in &mut row.outputs {
                *output = f32::from_bits(from.u32()?);
            }
            row.is_muted = from.bool()?;
            row.ts_ns = from.time_ns()?;
            row.observation_hash = from.u64()?;
            row.model_hash = from.u64()?;
        }
        Ok(())
    }
}
