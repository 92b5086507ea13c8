//! Volatility of the log price on three clocks: seconds, changes of the top, and traded volume.
//!
//! On each clock it is the root of the mean squared return, fading. A return enters with what passed on its clock, and
//! the mean is the sum of squares over the sum of what passed: uneven steps count as they should.

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Half-life on the clock of seconds.
pub(super) const HALF_LIFE_TIME_S: f64 = 30.0;
/// Half-life on the clock of quotes.
pub(super) const HALF_LIFE_QUOTES: f64 = 200.0;
/// Half-life on the clock of volume, in buckets completed.
pub(super) const HALF_LIFE_BUCKETS: f64 = 50.0;

/// Sum of squared returns and of what passed on the clock meanwhile.
#[derive(Clone, Copy, Debug, Default)]
pub struct MeanSquare {
    squares: f64,
    passed: f64,
}

impl MeanSquare {
    /// Takes a return over `passed` units of the clock; the past keeps `decay` of its weight.
    #[inline]
    pub fn update(&mut self, log_return: f64, passed: f64, decay: f64) {
        self.squares = self.squares * decay + log_return * log_return;
        self.passed = self.passed * decay + passed;
    }

    /// The root of the mean square per unit of the clock; 0 while nothing passed.
    pub fn root(&self) -> f64 {
        if self.passed > 0.0 {
            libm::sqrt(self.squares / self.passed)
        } else {
            0.0
        }
    }

    /// Writes the exact state.
    pub fn write(&self, out: &mut impl Sink) {
        out.f64(self.squares);
        out.f64(self.passed);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or a sum is negative or not finite.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.squares = from.finite_sum()?;
        self.passed = from.finite_sum()?;
        Ok(())
    }
}

/// What is left of a weight after one of `half_life` steps.
pub(super) fn decay_of_step(half_life: f64) -> f64 {
    libm::exp2(-1.0 / half_life)
}
