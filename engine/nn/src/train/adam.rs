//! Adam: each number moves by its mean gradient over the root of its mean squared gradient.
//!
//! ```text
//!   m = b1 m + (1 - b1) g        v = b2 v + (1 - b2) g^2
//!   p = p - rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
//! ```
//!
//! Kingma and Ba, arXiv 1412.6980. Before it, the gradient is cut to a largest length, as recurrent parts need.

use alloc::vec::Vec;

/// How fast and how steadily to learn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamConfig {
    /// Size of a step.
    pub rate: f32,
    /// What is kept of the mean gradient.
    pub mean_kept: f32,
    /// What is kept of the mean squared gradient.
    pub square_kept: f32,
    /// Keeps the divisor from zero.
    pub epsilon: f32,
    /// Largest length of a gradient; a longer one is shortened to it.
    pub length_max: f32,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            rate: 1e-3,
            mean_kept: 0.9,
            square_kept: 0.999,
            epsilon: 1e-8,
            length_max: 1.0,
        }
    }
}

/// The state of the optimiser.
#[derive(Clone, Debug)]
pub struct Adam {
    config: AdamConfig,
    means: Vec<f32>,
    squares: Vec<f32>,
    mean_weight: f32,
    square_weight: f32,
}

impl Adam {
    /// For this many numbers.
    pub fn new(config: AdamConfig, count: usize) -> Self {
        Self {
            config,
            means: alloc::vec![0.0; count],
            squares: alloc::vec![0.0; count],
            mean_weight: 1.0,
            square_weight: 1.0,
        }
    }

    /// Sets the size of later steps.
    pub const fn set_rate(&mut self, rate: f32) {
        self.config.rate = rate;
    }

    /// Moves the numbers against their gradients. False, and nothing moves, when a gradient is not finite.
    #[must_use]
    pub fn step(&mut self, parameters: &mut [f32], gradients: &[f32]) -> bool {
        let config = &self.config;
        let mut square = 0.0;
        for gradient in gradients {
            square += gradient * gradient;
        }
        let length = libm::sqrtf(square);
        if !length.is_finite() {
            return false;
        }
        let scale = if length > config.length_max {
            config.length_max / length
        } else {
            1.0
        };
        self.mean_weight *= config.mean_kept;
        self.square_weight *= config.square_kept;
        let (mean_share, square_share) = (1.0 - self.mean_weight, 1.0 - self.square_weight);
        let state = self.means.iter_mut().zip(&mut self.squares);
        for ((parameter, gradient), (mean, square)) in
            parameters.iter_mut().zip(gradients).zip(state)
        {
            let gradient = scale * gradient;
            *mean = config.mean_kept * *mean + (1.0 - config.mean_kept) * gradient;
            *square =
                config.square_kept * *square + (1.0 - config.square_kept) * gradient * gradient;
            let deviation = libm::sqrtf(*square / square_share) + config.epsilon;
            *parameter -= config.rate * (*mean / mean_share) / deviation;
        }
        true
    }
}
