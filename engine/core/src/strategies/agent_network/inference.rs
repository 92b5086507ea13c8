//! Asking the models: what they are shown, when they are asked, and whether what they see is like what they know.
//!
//! A model is asked once an instrument and interval, whoever reads the answer. What a recurrent one remembers is kept
//! for each instrument.

use alloc::{vec, vec::Vec};

use crate::{
    agents::{AGENTS_MAX, OUTPUTS_MAX, Prediction, Predictions, SLOTS, Signals},
    features::{FEATURE_COUNT, Features, feature_table_hash},
    hash::StateHasher,
    predict::{Guard, GuardConfig, GuardError, GuardVerdict, Inference, ModelSlots, OutputKind},
    snapshot::{Decoder, Sink, SnapshotError},
    structure::Structure,
};

/// What a model is shown of one instrument: its features, those of its leader (zeros without one), what every agent
/// expects of it in parts per million.
pub const OBSERVATION_COUNT: usize = 2 * FEATURE_COUNT + AGENTS_MAX;

/// Names the columns of an observation: the table of features and how it is put together. A model's manifest must carry it.
pub const fn observation_hash() -> u64 {
    let layout = (OBSERVATION_COUNT as u64) << 32 | AGENTS_MAX as u64;
    feature_table_hash() ^ layout.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// One observation.
pub type Observation = [f32; OBSERVATION_COUNT];

/// What an observation is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sources<'a> {
    pub(super) features: &'a Features,
    pub(super) structure: &'a Structure,
    pub(super) signals: &'a Signals,
    pub(super) now_ns: i64,
}

impl Sources<'_> {
    /// Puts the observation of an instrument together.
    pub(super) fn observe(&self, index: usize, out: &mut Observation) {
        let mut row = [0.0f32; FEATURE_COUNT];
        self.features.vector(index, self.now_ns, &mut row);
        out[..FEATURE_COUNT].copy_from_slice(&row);
        row.fill(0.0);
        if let Some(lead) = self.structure.leader_of(index) {
            self.features.vector(lead.leader, self.now_ns, &mut row);
        }
        out[FEATURE_COUNT..2 * FEATURE_COUNT].copy_from_slice(&row);
        let expected = self.signals.row(index);
        for (place, value) in out[2 * FEATURE_COUNT..].iter_mut().zip(expected) {
            *place = (*value * 1e6) as f32;
        }
    }
}

fn hash_of(observation: &Observation) -> u64 {
    let mut hash = StateHasher::new();
    for pair in observation.chunks_exact(2) {
        hash.word(u64::from(pair[0].to_bits()) | u64::from(pair[1].to_bits()) << 32);
    }
    hash.finish()
}

const _: () = assert!(OBSERVATION_COUNT.is_multiple_of(2));

/// Which models may speak, and what each remembers of every instrument.
#[derive(Debug)]
pub(super) struct Questions {
    interval_ns: i64,
    /// Whether a slot's model fits the observation.
    fits: [bool; SLOTS],
    /// `[slot][instrument]`.
    memories: Vec<Inference>,
    /// `[slot][instrument]`.
    guards: Vec<Guard>,
    instrument_count: usize,
    observation: Observation,
}

impl Questions {
    pub(super) fn new(interval_ms: i64, instrument_count: usize) -> Result<Self, GuardError> {
        let slots = (0..SLOTS).flat_map(|slot| (0..instrument_count).map(move |_| slot));
        let guard = Guard::new(GuardConfig::default())?;
        Ok(Self {
            interval_ns: interval_ms * 1_000_000,
            fits: [false; SLOTS],
            memories: slots.map(Inference::new).collect(),
            guards: vec![guard; SLOTS * instrument_count],
            instrument_count,
            observation: [0.0; OBSERVATION_COUNT],
        })
    }

    /// The model of a slot is another one: does it fit, and is there room for what it remembers?
    pub(super) fn look(&mut self, models: &ModelSlots, slot: usize) {
        self.fits[slot] = models.get(slot).is_some_and(|model| {
            model.input_count() == OBSERVATION_COUNT
                && model.output_count() <= OUTPUTS_MAX
                && model.output_kind() == OutputKind::Actions
                && model.feature_hash() == observation_hash()
        });
        let first = slot * self.instrument_count;
        let rows = first..first + self.instrument_count;
        self.guards[rows.clone()].iter_mut().for_each(Guard::clear);
        if self.fits[slot] {
            for memory in &mut self.memories[rows] {
                memory.prepare(models);
            }
        }
    }

    /// True when the model of this slot may be asked.
    pub(super) fn fits(&self, slot: usize) -> bool {
        self.fits[slot]
    }

    /// True when any model may be asked.
    pub(super) fn are_there(&self) -> bool {
        self.fits.contains(&true)
    }

    /// Asks the models that are due about one instrument.
    pub(super) fn ask(
        &mut self,
        models: &ModelSlots,
        sources: &Sources<'_>,
        index: usize,
        predictions: &mut Predictions,
    ) {
        let now_ns = sources.now_ns;
        let mut seen = None;
        for slot in 0..SLOTS {
            let asked_ns = predictions.ts_ns(slot, index);
            let is_young = asked_ns != 0 && now_ns - asked_ns < self.interval_ns;
            if !self.fits[slot] || is_young {
                continue;
            }
            let observation_hash = *seen.get_or_insert_with(|| {
                sources.observe(index, &mut self.observation);
                hash_of(&self.observation)
            });
            let place = slot * self.instrument_count + index;
            let memory = &mut self.memories[place];
            let Some(model) = models.get(slot) else {
                continue;
            };
            let verdict = self.guards[place].update(model.inputs(), &self.observation);
            let Some(answer) = memory.infer(models, &self.observation) else {
                continue;
            };
            let mut outputs = [0.0; OUTPUTS_MAX];
            outputs[..answer.len()].copy_from_slice(answer);
            let prediction = Prediction {
                outputs,
                count: answer.len() as u8,
                is_muted: verdict == GuardVerdict::Mute,
                ts_ns: now_ns,
                observation_hash,
                model_hash: model.hash(),
            };
            predictions.set(slot, index, prediction);
        }
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        for slot in 0..SLOTS {
            out.bool(self.fits[slot]);
            if self.fits[slot] {
                let first = slot * self.instrument_count;
                for place in first..first + self.instrument_count {
                    self.memories[place].write(out);
                    self.guards[place].write(out);
                }
            }
        }
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        for slot in 0..SLOTS {
            self.fits[slot] = from.bool()?;
            if self.fits[slot] {
                let first = slot * self.instrument_count;
                for place in first..first + self.instrument_count {
                    self.memories[place].load(from)?;
                    self.guards[place].load(from)?;
                }
            }
        }
        Ok(())
    }
}
