//! Who leads whom: correlation of a follower's return now with a leader's returns some samples ago.

use alloc::{vec, vec::Vec};

use super::{EwmaPair, StatsError, is_usable, share_of_half_life};
use crate::{
    hash::StateHasher,
    snapshot::{Decoder, Encoder, SnapshotError},
};

/// Largest lag, in samples.
pub const LAG_MAX: usize = 64;

/// The lag with the strongest correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeadLagBest {
    /// How many samples the leader is ahead.
    pub lag: usize,
    /// The correlation at that lag.
    pub correlation: f64,
}

/// Running correlations at the lags 0 to `lag_max` of two series that are sampled together.
///
/// Each lag is a pair of its own, `(leader[now - lag], follower[now])`, that starts as soon as both exist. A lag of 0
/// is the plain correlation. For the other direction use a second one with the series exchanged.
#[derive(Clone, Debug)]
pub struct LeadLag {
    share: f64,
    /// One pair a lag.
    pairs: Vec<EwmaPair>,
    /// The leader's last returns; `newest` is the place of the one of now, older ones follow backwards.
    past: Vec<f64>,
    newest: usize,
    count: u64,
    refused_count: u64,
}

impl LeadLag {
    /// No sample yet; weights halve every `half_life_samples` samples.
    ///
    /// # Errors
    /// When `lag_max` is above `LAG_MAX`, or the half-life is not positive and finite.
    pub fn new(lag_max: usize, half_life_samples: f64) -> Result<Self, StatsError> {
        if lag_max > LAG_MAX {
            return Err(StatsError::Lag(lag_max));
        }
        Ok(Self {
            share: share_of_half_life(half_life_samples)?,
            pairs: vec![EwmaPair::default(); lag_max + 1],
            past: vec![0.0; lag_max + 1],
            newest: 0,
            count: 0,
            refused_count: 0,
        })
    }

    /// Takes the returns of one sample. If either is NaN or beyond `VALUE_MAX`, both are refused and counted.
    pub fn update(&mut self, leader: f64, follower: f64) {
        if !is_usable(leader) || !is_usable(follower) {
            self.refused_count += 1;
            return;
        }
        self.newest = if self.newest + 1 == self.past.len() {
            0
        } else {
            self.newest + 1
        };
        self.past[self.newest] = leader;
        // Newest first: from `newest` down to the start, then from the end.
        let (recent, older) = self.past.split_at(self.newest + 1);
        let by_lag = recent.iter().rev().chain(older.iter().rev());
        for ((lag, pair), past) in (0u64..).zip(&mut self.pairs).zip(by_lag) {
            if lag > self.count {
                break;
            }
            let share = if lag == self.count { 1.0 } else { self.share };
            pair.update(*past, follower, share);
        }
        self.count += 1;
    }

    /// Largest lag.
    pub const fn lag_max(&self) -> usize {
        self.pairs.len() - 1
    }

    /// How many samples were taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Samples refused because a return was NaN or beyond `VALUE_MAX`.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// The moments at a lag: the leader first. None beyond the largest lag.
    pub fn pair(&self, lag: usize) -> Option<&EwmaPair> {
        self.pairs.get(lag)
    }

    /// The correlation at a lag; 0 while nothing is known, or beyond the largest lag.
    pub fn correlation(&self, lag: usize) -> f64 {
        self.pairs.get(lag).map_or(0.0, EwmaPair::correlation)
    }

    /// The lag whose correlation is strongest, whatever its sign; the smallest among equals. None while all are 0.
    pub fn best_lag(&self) -> Option<LeadLagBest> {
        let mut best = None;
        let mut strength = 0.0;
        for (lag, pair) in self.pairs.iter().enumerate() {
            let correlation = pair.correlation();
            if libm::fabs(correlation) > strength {
                strength = libm::fabs(correlation);
                best = Some(LeadLagBest { lag, correlation });
            }
        }
        best
    }

    /// Folds in the exact state; past returns from the newest to the oldest.
    pub fn digest(&self, hasher: &mut StateHasher) {
        hasher.float(self.share);
        hasher.word(self.pairs.len() as u64);
        self.pairs.iter().for_each(|pair| pair.digest(hasher));
        self.past_by_age().for_each(|past| hasher.float(past));
        hasher.word(self.count);
        hasher.word(self.refused_count);
    }

    /// The leader's last returns, newest first.
    fn past_by_age(&self) -> impl Iterator<Item = f64> {
        let (recent, older) = self.past.split_at(self.newest + 1);
        recent.iter().rev().chain(older.iter().rev()).copied()
    }

    /// Writes the exact state, past returns from the newest to the oldest; share and lags are parameters.
    pub fn save(&self, out: &mut Encoder) {
        out.u64(self.count);
        out.u64(self.refused_count);
        self.past_by_age().for_each(|past| out.f64(past));
        self.pairs.iter().for_each(|pair| pair.save(out));
    }

    /// Reads what one of as many lags wrote; the newest return then stands last in the ring.
    ///
    /// # Errors
    /// The bytes end, or a count cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.count = from.count()?;
        self.refused_count = from.count()?;
        self.newest = self.past.len() - 1;
        for past in self.past.iter_mut().rev() {
            *past = from.f64()?;
        }
        self.pairs.iter_mut().try_for_each(|pair| pair.load(from))
    }
}
