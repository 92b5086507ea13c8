//! How much of what somebody expects comes true: the slope of outcomes on expectations, fading.
//!
//! `trust = sum(expected x outcome) / sum(expected^2)`, both sums fading with every outcome: large expectations weigh
//! more, as they do in what is traded on them. Below 0 it counts as 0, above 1 as 1. At first there is trust: a start value
//! that a few outcomes outweigh.

use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Size of an expectation that counts as one: two hundred-thousandths of the price.
const UNIT: f64 = 2e-5;
/// Largest expectation or outcome, in these units.
const SIZE_MAX: f64 = 100.0;
/// Weight of the trust at the start, in outcomes of one unit.
const START: f64 = 5.0;

/// Trust in one source of expectations; see the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trust {
    kept: f64,
    product: f64,
    square: f64,
}

impl Trust {
    /// Full trust, of which an outcome leaves the share `kept`, 0 to 1.
    pub fn new(kept: f64) -> Self {
        Self {
            kept: kept.clamp(0.0, 1.0),
            product: START,
            square: START,
        }
    }

    /// What came of an expectation, both as log returns. What is not finite is left out.
    pub fn learn(&mut self, expected: f64, outcome: f64) {
        if !(expected.is_finite() && outcome.is_finite()) {
            return;
        }
        let expected = (expected / UNIT).clamp(-SIZE_MAX, SIZE_MAX);
        let outcome = (outcome / UNIT).clamp(-SIZE_MAX, SIZE_MAX);
        self.product = self.kept * self.product + expected * outcome;
        self.square = self.kept * self.square + expected * expected;
    }

    /// The share of an expectation that may be believed, 0 to 1.
    pub fn share(&self) -> f64 {
        if self.square > 0.0 {
            (self.product / self.square).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Writes the exact state; `kept` is a parameter.
    pub fn write(&self, out: &mut impl Sink) {
        out.f64(self.product);
        out.f64(self.square);
    }

    /// Reads what `write` wrote.
    ///
    /// # Errors
    /// The bytes end, or hold what cannot have been learned.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.product = from.finite()?;
        self.square = from.finite()?;
        from.expect(self.square >= 0.0, "a square that is not negative")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_true_is_believed_and_what_does_not_is_not() {
        let mut trust = Trust::new(0.9);
        assert!((trust.share() - 1.0).abs() < 1e-15);
        for _ in 0..100 {
            trust.learn(1e-4, 0.5e-4);
        }
        assert!((trust.share() - 0.5).abs() < 1e-3, "{}", trust.share());
        for _ in 0..100 {
            trust.learn(1e-4, -1e-4);
        }
        assert!(trust.share() == 0.0);
        trust.learn(f64::NAN, 1.0);
        for _ in 0..100 {
            trust.learn(-1e-4, -2e-4);
        }
        assert!((trust.share() - 1.0).abs() < 1e-15, "never more than all");
    }

    #[test]
    fn large_expectations_weigh_more() {
        let mut trust = Trust::new(1.0);
        trust.learn(1e-3, 0.0);
        for _ in 0..10 {
            trust.learn(1e-5, 1e-5);
        }
        assert!(trust.share() < 0.01, "{}", trust.share());
    }
}
