//! A hidden Markov chain with normal observations, and its Bayes filter: a problem of prediction whose best answer is known.
//!
//! Two states; each step stays with probability `stay`. The observation is normal around `-mean` or `mean` with variance 1. The filter
//! keeps the probability of the second state; no prediction of the next observation can do better on average.

use crate::random::Random;

/// ln(2 pi) / 2.
const HALF_LOG_TWO_PI: f64 = 0.918_938_533_204_672_7;

/// The chain.
#[derive(Clone, Copy, Debug)]
pub struct Hmm {
    /// Probability of staying in a state for one more step.
    pub stay: f64,
    /// Mean of the observation in the second state; the first one's is its negative.
    pub mean: f64,
}

/// The chain of the benchmark: stays with .98, means -.5 and .5.
pub const BENCHMARK: Hmm = Hmm {
    stay: 0.98,
    mean: 0.5,
};

impl Hmm {
    /// Observations of this many steps.
    pub fn sample(&self, steps: usize, seed: u64) -> Vec<f32> {
        let mut random = Random::new(seed);
        let mut is_second = random.unit() < 0.5;
        let mut step = || {
            is_second ^= random.unit() >= self.stay;
            let mean = if is_second { self.mean } else { -self.mean };
            (mean + random.normal()) as f32
        };
        (0..steps).map(|_| step()).collect()
    }

    /// Mean negative log likelihood, nats, of every observation but the first, predicted by the filter from all before it.
    pub fn filter_nll(&self, observations: &[f32]) -> f64 {
        let density = |value: f64, mean: f64| {
            libm::exp(-0.5 * (value - mean) * (value - mean) - HALF_LOG_TWO_PI)
        };
        let (mut second, mut sum) = (0.5, 0.0);
        for (step, &value) in observations.iter().enumerate() {
            let value = f64::from(value);
            let densities = [density(value, -self.mean), density(value, self.mean)];
            let total = (1.0 - second) * densities[0] + second * densities[1];
            if step > 0 {
                sum -= libm::log(total);
            }
            let after = second * densities[1] / total;
            second = after * self.stay + (1.0 - after) * (1.0 - self.stay);
        }
        sum / (observations.len().max(2) - 1) as f64
    }
}
