//! Which of a few states the market is in: the filter of a hidden Markov model with Gaussian emissions.
//!
//! One step moves the probabilities by the transition matrix, multiplies each by the density of the observation and
//! divides by the sum, which is the likelihood of the observation given the past (Hamilton, 1989, Econometrica 57).

use super::{
    config::STATES_MAX,
    persist::{is_usable, load_floats, write_floats},
};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Least probability of a state: one that was ruled out must be able to come back.
const PROBABILITY_MIN: f64 = 1e-300;

/// The states: how each looks, and how they follow each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HmmStates {
    /// How many there are, 2 to 4.
    pub count: usize,
    /// Mean of an observation in each.
    pub means: [f64; STATES_MAX],
    /// Its standard deviation in each; positive.
    pub deviations: [f64; STATES_MAX],
    /// Row by row: chance of the column's state after the row's; each row adds up to 1.
    pub transitions: [[f64; STATES_MAX]; STATES_MAX],
    /// Chances before the first observation.
    pub initial: [f64; STATES_MAX],
}

impl HmmStates {
    /// `count` states in equal distances that stay with the chance `stay`, so that observations have mean 0 and
    /// variance 1: 0.64 of it between the states, 0.36 within.
    pub fn spread(count: usize, stay: f64) -> Self {
        let number = count as f64;
        let step = 0.8 * libm::sqrt(12.0 / (number * number - 1.0));
        let mut states = Self {
            count,
            means: [0.0; STATES_MAX],
            deviations: [0.6; STATES_MAX],
            transitions: [[0.0; STATES_MAX]; STATES_MAX],
            initial: [0.0; STATES_MAX],
        };
        for row in 0..count {
            states.means[row] = step * (row as f64 - 0.5 * (number - 1.0));
            states.initial[row] = 1.0 / number;
            for column in 0..count {
                states.transitions[row][column] = if row == column {
                    stay
                } else {
                    (1.0 - stay) / (number - 1.0)
                };
            }
        }
        states
    }

    /// Whether these are chances, and deviations that can be divided by.
    fn is_sound(&self) -> bool {
        let range = 0..self.count;
        let adds_up = |chances: &[f64; STATES_MAX]| {
            let sum: f64 = chances[..self.count].iter().sum();
            chances[..self.count].iter().all(|chance| *chance >= 0.0)
                && libm::fabs(sum - 1.0) < 1e-9
        };
        (2..=STATES_MAX).contains(&self.count)
            && range.clone().all(|state| {
                let deviation = self.deviations[state];
                (1e-100..=1e100).contains(&deviation) && is_usable(self.means[state])
            })
            && range.clone().all(|state| adds_up(&self.transitions[state]))
            && adds_up(&self.initial)
    }
}

/// The filter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HmmFilter {
    states: HmmStates,
    probabilities: [f64; STATES_MAX],
    count: u64,
    refused_count: u64,
}

impl HmmFilter {
    /// Before the first observation; none unless the states make sense.
    pub fn new(states: HmmStates) -> Option<Self> {
        states.is_sound().then_some(Self {
            states,
            probabilities: states.initial,
            count: 0,
            refused_count: 0,
        })
    }

    /// Takes an observation. Gives the logarithm of its likelihood given the past; none, and nothing but a counter
    /// changed, for an unusable one.
    pub fn update(&mut self, value: f64) -> Option<f64> {
        if !is_usable(value) {
            self.refused_count += 1;
            return None;
        }
        let number = self.states.count;
        let prior = if self.count == 0 {
            self.states.initial
        } else {
            self.predicted()
        };
        let mut logs = [0.0; STATES_MAX];
        let mut largest = f64::NEG_INFINITY;
        for state in 0..number {
            let deviation = self.states.deviations[state];
            let score = (value - self.states.means[state]) / deviation;
            logs[state] = -0.5 * score * score - libm::log(deviation) - HALF_LOG_TWO_PI
                + libm::log(prior[state].max(PROBABILITY_MIN));
            largest = largest.max(logs[state]);
        }
        // An observation so far out that its density has no logarithm says nothing about the state.
        if !largest.is_finite() {
            self.refused_count += 1;
            return None;
        }
        let mut sum = 0.0;
        for log in &mut logs[..number] {
            *log = libm::exp(*log - largest);
            sum += *log;
        }
        for (probability, density) in self.probabilities.iter_mut().zip(logs).take(number) {
            *probability = density / sum;
        }
        self.count += 1;
        Some(largest + libm::log(sum))
    }

    /// Chances of each state at the next observation.
    pub fn predicted(&self) -> [f64; STATES_MAX] {
        let mut prior = [0.0; STATES_MAX];
        for (row, probability) in self.probabilities[..self.states.count].iter().enumerate() {
            let transitions = self.states.transitions[row];
            for (entry, chance) in prior.iter_mut().zip(transitions) {
                *entry += probability * chance;
            }
        }
        prior
    }

    /// Chances of each state now.
    pub const fn probabilities(&self) -> [f64; STATES_MAX] {
        self.probabilities
    }

    /// The most likely state, the first among equals.
    pub fn state(&self) -> usize {
        let mut best = 0;
        for state in 1..self.states.count {
            if self.probabilities[state] > self.probabilities[best] {
                best = state;
            }
        }
        best
    }

    /// Observations taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Observations refused.
    pub const fn refused_count(&self) -> u64 {
        self.refused_count
    }

    /// Writes the exact state; the model is a parameter.
    pub fn write(&self, out: &mut impl Sink) {
        write_floats(out, &self.probabilities);
        out.u64(self.count);
        out.u64(self.refused_count);
    }

    /// Reads what one of the same model wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        load_floats(from, &mut self.probabilities)?;
        let are_chances = self.probabilities.iter().all(|p| (0.0..=1.0).contains(p));
        from.expect(are_chances, "chances from 0 to 1")?;
        self.count = from.count()?;
        self.refused_count = from.count()?;
        Ok(())
    }
}

/// Half the logarithm of two pi.
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_8;
