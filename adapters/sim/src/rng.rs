//! Seeded randomness of the simulated world.
//!
//! Every draw is integer arithmetic, exact float arithmetic or `libm`, so one seed gives one world on any CPU.
//! Each actor of the world owns a stream of its own: adding an actor does not disturb the draws of the others.

use rand_core::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Odd constant that spreads stream numbers over the seed space.
const STREAM_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Random {
    generator: Xoshiro256PlusPlus,
    /// The second normal of the last pair drawn.
    spare_normal: Option<f64>,
}

impl Random {
    /// Stream number `stream` of the world with this seed.
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mixed = seed ^ (stream.wrapping_add(1)).wrapping_mul(STREAM_FACTOR);
        Self {
            generator: Xoshiro256PlusPlus::seed_from_u64(mixed),
            spare_normal: None,
        }
    }

    /// Uniform on [0, 1), in steps of 2^-53.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// A whole number below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.generator.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Standard normal, by the polar method.
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare_normal.take() {
            return spare;
        }
        loop {
            let first = 2.0 * self.unit() - 1.0;
            let second = 2.0 * self.unit() - 1.0;
            let square = first * first + second * second;
            if square < 1.0 && square > 0.0 {
                let scale = libm::sqrt(-2.0 * libm::log(square) / square);
                self.spare_normal = Some(second * scale);
                return first * scale;
            }
        }
    }

    /// Waiting time of a Poisson process, in ns, at least 1.
    pub(crate) fn wait_ns(&mut self, rate_per_s: f64) -> i64 {
        let seconds = -libm::log(1.0 - self.unit()) / rate_per_s;
        ((seconds * 1e9) as i64).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_asked_for() {
        let mut random = Random::new(1, 0);
        let count = 100_000;
        let (mut sum, mut squares, mut wait) = (0.0, 0.0, 0.0);
        for _ in 0..count {
            let normal = random.normal();
            sum += normal;
            squares += normal * normal;
            wait += random.wait_ns(10.0) as f64;
        }
        let count = f64::from(count);
        assert!((sum / count).abs() < 0.02);
        assert!((squares / count - 1.0).abs() < 0.02);
        assert!((wait / count / 1e8 - 1.0).abs() < 0.02);
    }

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, stream| Random::new(seed, stream).below(u64::MAX);
        assert_eq!(draw(7, 3), draw(7, 3));
        assert_ne!(draw(7, 3), draw(7, 4));
        assert_ne!(draw(7, 3), draw(8, 3));
    }
}
