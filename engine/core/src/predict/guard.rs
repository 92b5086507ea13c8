//! Is the world still the one that the model was trained in? A guard that silences a model whose inputs look like none that it has seen.
//!
//! Two measures, each faded over the observations:
//!
//! - *distance*: the mean over the inputs of `((input - mean) / scale)^2`, with mean and scale of the training data. It is near 1 there.
//! - *outside*: the share of the inputs beyond the least and greatest value of the training data. It is 0 there.
//!
//! Above the upper bound of either the model is mute; it speaks again when both are at or below their lower bounds (hysteresis, so that it does not
//! flicker). It begins mute: nothing was seen yet.
//!
//! Invariant: an input that is no finite number counts as outside and as far as can be; no measure is ever infinite.

use acth_nn::model::InputRange;

use super::rls::finite;
use crate::{
    snapshot::{Decoder, Sink, SnapshotError},
    stats::{StatsError, share_of_half_life},
};

/// Largest distance of one input: beyond it further is not worse.
const DISTANCE_MAX: f64 = 1e6;

/// Whether what a model says may be used. The number is the code on disk and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum GuardVerdict {
    /// It may.
    Speak = 1,
    /// It may not: its inputs are not like those that it was trained on.
    Mute = 2,
}

impl GuardVerdict {
    /// The verdict with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Speak),
            2 => Some(Self::Mute),
            _ => None,
        }
    }
}

/// When a model falls silent and when it speaks again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GuardConfig {
    /// Half-life of an observation, counted in observations.
    pub half_life_samples: f64,
    /// Distance above which the model is mute.
    pub distance_mute: f64,
    /// Distance at or below which it may speak again.
    pub distance_speak: f64,
    /// Share of inputs outside above which the model is mute.
    pub outside_mute: f64,
    /// Share of inputs outside at or below which it may speak again.
    pub outside_speak: f64,
}

impl Default for GuardConfig {
    /// For a dozen inputs and more: in the training data the faded distance stays well below 3.
    fn default() -> Self {
        Self {
            half_life_samples: 20.0,
            distance_mute: 4.0,
            distance_speak: 3.0,
            outside_mute: 0.1,
            outside_speak: 0.05,
        }
    }
}

/// Why a guard cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum GuardError {
    /// The half-life makes no sense.
    #[error("guard: {0}")]
    HalfLife(#[from] StatsError),
    /// A bound is negative, not a number, or the lower one is above the upper one.
    #[error(
        "guard: {what} must lie in order from 0 on, not {speak} to speak and {mute} to be mute"
    )]
    Bounds {
        /// Of what.
        what: &'static str,
        /// The lower bound.
        speak: f64,
        /// The upper bound.
        mute: f64,
    },
}

/// The guard of one series of inputs.
#[derive(Clone, Debug)]
pub struct Guard {
    config: GuardConfig,
    share: f64,
    distance: f64,
    outside: f64,
    is_begun: bool,
    verdict: GuardVerdict,
    muted_count: u64,
}

impl Guard {
    /// A guard that has seen nothing and therefore mutes.
    ///
    /// # Errors
    /// A parameter is out of its range.
    pub fn new(config: GuardConfig) -> Result<Self, GuardError> {
        let bounds = [
            ("distances", config.distance_speak, config.distance_mute),
            ("shares outside", config.outside_speak, config.outside_mute),
        ];
        for (what, speak, mute) in bounds {
            if !(speak >= 0.0 && mute >= speak && mute.is_finite()) {
                return Err(GuardError::Bounds { what, speak, mute });
            }
        }
        Ok(Self {
            share: share_of_half_life(config.half_life_samples)?,
            config,
            distance: 0.0,
            outside: 0.0,
            is_begun: false,
            verdict: GuardVerdict::Mute,
            muted_count: 0,
        })
    }

    /// Looks at the inputs of an inference, beside the ranges that the model keeps (`Model::inputs`). Missing or excess inputs count as outside.
    pub fn update(&mut self, ranges: &[InputRange], inputs: &[f32]) -> GuardVerdict {
        let (distance, outside) = measure(ranges, inputs);
        let share = if self.is_begun { self.share } else { 1.0 };
        self.is_begun = true;
        self.distance += share * (distance - self.distance);
        self.outside += share * (outside - self.outside);
        let config = &self.config;
        let is_strange = self.distance > config.distance_mute || self.outside > config.outside_mute;
        let is_familiar =
            self.distance <= config.distance_speak && self.outside <= config.outside_speak;
        let verdict = if is_strange {
            GuardVerdict::Mute
        } else if is_familiar {
            GuardVerdict::Speak
        } else {
            self.verdict
        };
        let is_muted = verdict == GuardVerdict::Mute && self.verdict == GuardVerdict::Speak;
        self.muted_count += u64::from(is_muted);
        self.verdict = verdict;
        verdict
    }

    /// Begins anew, mute, after another model was promoted.
    pub fn clear(&mut self) {
        self.distance = 0.0;
        self.outside = 0.0;
        self.is_begun = false;
        self.verdict = GuardVerdict::Mute;
    }

    /// Whether the model may be listened to.
    pub const fn verdict(&self) -> GuardVerdict {
        self.verdict
    }

    /// The faded distance; near 1 in the training data.
    pub const fn distance(&self) -> f64 {
        self.distance
    }

    /// The faded share of inputs outside the training range.
    pub const fn outside(&self) -> f64 {
        self.outside
    }

    /// How often it fell silent after it had spoken.
    pub const fn muted_count(&self) -> u64 {
        self.muted_count
    }

    /// Writes the exact state; the parameters are not part of it.
    pub fn write(&self, out: &mut impl Sink) {
        out.f64(self.distance);
        out.f64(self.outside);
        out.bool(self.is_begun);
        out.u8(self.verdict as u8);
        out.u64(self.muted_count);
    }

    /// Reads what `write` wrote, into a guard with the same parameters.
    ///
    /// # Errors
    /// The bytes end, or hold what no guard stores.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.distance = finite(from)?;
        self.outside = finite(from)?;
        self.is_begun = from.bool()?;
        self.verdict = from.code(GuardVerdict::from_code, "a verdict of a guard")?;
        self.muted_count = from.count()?;
        Ok(())
    }
}

/// Distance and share outside of one observation.
fn measure(ranges: &[InputRange], inputs: &[f32]) -> (f64, f64) {
    let count = ranges.len().max(inputs.len());
    let strangers = count - ranges.len().min(inputs.len());
    let mut distance = strangers as f64 * DISTANCE_MAX;
    let mut outside = strangers as f64;
    for (range, &input) in ranges.iter().zip(inputs) {
        let normal = (f64::from(input) - f64::from(range.mean)) / f64::from(range.scale);
        let square = normal * normal;
        distance += if square <= DISTANCE_MAX {
            square
        } else {
            DISTANCE_MAX
        };
        if !(range.least <= input && input <= range.greatest) {
            outside += 1.0;
        }
    }
    match count {
        0 => (0.0, 0.0),
        _ => (distance / count as f64, outside / count as f64),
    }
}
