//! What agents tell one another: for each agent and instrument the log return that it expects.
//!
//! Agents speak in the order of their registration and hear what was said last, by those before them at this input and
//! by those after them at an earlier one. That order is part of the machine, so a replay hears the same.

use alloc::{vec, vec::Vec};

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most agents of one hub, and so the width of what a model sees of the bus.
pub const AGENTS_MAX: usize = 12;

/// Largest log return that an agent may expect; what is beyond counts as this.
const EXPECTED_MAX: f64 = 0.1;

/// The last word of every agent on every instrument.
#[derive(Clone, Debug)]
pub struct Signals {
    /// `[instrument][agent]`, `AGENTS_MAX` a row: what one instrument's readers need lies together.
    expected: Vec<[f64; AGENTS_MAX]>,
    published_count: u64,
}

impl Signals {
    /// Silence on `instrument_count` instruments.
    pub fn new(instrument_count: usize) -> Self {
        Self {
            expected: vec![[0.0; AGENTS_MAX]; instrument_count],
            published_count: 0,
        }
    }

    /// Agent `agent` expects this log return of an instrument; NaN counts as no opinion.
    pub fn publish(&mut self, agent: usize, index: usize, expected: f64) {
        let bounded = if expected.is_nan() {
            0.0
        } else {
            expected.clamp(-EXPECTED_MAX, EXPECTED_MAX)
        };
        let place = &mut self.expected[index][agent];
        if place.to_bits() != bounded.to_bits() {
            *place = bounded;
            self.published_count += 1;
        }
    }

    /// What an agent expects of an instrument, log return; 0 = no opinion.
    pub fn of(&self, agent: usize, index: usize) -> f64 {
        self.expected[index][agent]
    }

    /// What all agents expect of an instrument, in their order.
    pub fn row(&self, index: usize) -> &[f64; AGENTS_MAX] {
        &self.expected[index]
    }

    /// How often an opinion changed.
    pub const fn published_count(&self) -> u64 {
        self.published_count
    }

    /// Writes all.
    pub fn write(&self, out: &mut impl Sink) {
        out.u64(self.published_count);
        for row in &self.expected {
            row.iter().for_each(|expected| out.f64(*expected));
        }
    }

    /// Reads what as many instruments wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what cannot have been said.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.published_count = from.count()?;
        for row in &mut self.expected {
            for expected in row {
                *expected = from.f64()?;
                let is_possible = (-EXPECTED_MAX..=EXPECTED_MAX).contains(expected);
                from.expect(is_possible, "an expected return within its bounds")?;
            }
        }
        Ok(())
    }
}
