//! What the outputs of a model mean, and the densities that follow from them.

use core::fmt;

/// ln(2 pi).
const LOG_TWO_PI: f64 = 1.837_877_066_409_345_3;

/// What the outputs of a model mean. The number is the code in its encoding and is never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum OutputKind {
    /// One prediction an output.
    Values = 1,
    /// One score an action: the value of taking it, or a logit.
    Actions = 2,
    /// A normal distribution: mean, then log of the variance.
    Normal = 3,
    /// A mixture of k normal distributions: k logits of the shares, k means, k logs of the variances.
    Mixture = 4,
}

impl OutputKind {
    /// The kind with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Values,
            2 => Self::Actions,
            3 => Self::Normal,
            4 => Self::Mixture,
            _ => return None,
        })
    }

    /// The name used in manifests and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Actions => "actions",
            Self::Normal => "normal",
            Self::Mixture => "mixture",
        }
    }

    /// The kind with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Values, Self::Actions, Self::Normal, Self::Mixture];
        all.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether this many outputs can have this meaning.
    pub const fn is_count(self, count: usize) -> bool {
        match self {
            Self::Values | Self::Actions => count >= 1,
            Self::Normal => count == 2,
            Self::Mixture => count >= 3 && count.is_multiple_of(3),
        }
    }

    /// Log density of `outcome` under a distribution that these outputs describe, in nats; `None` for the other meanings, for another
    /// number of outputs and for what is not finite.
    pub fn log_density(self, outputs: &[f32], outcome: f64) -> Option<f64> {
        if !self.is_count(outputs.len()) {
            return None;
        }
        let density = match self {
            Self::Normal => log_normal(f64::from(outputs[0]), f64::from(outputs[1]), outcome),
            Self::Mixture => log_mixture(outputs, outcome),
            Self::Values | Self::Actions => return None,
        };
        density.is_finite().then_some(density)
    }
}

impl fmt::Display for OutputKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

fn log_normal(mean: f64, log_variance: f64, outcome: f64) -> f64 {
    let distance = outcome - mean;
    -0.5 * (LOG_TWO_PI + log_variance + distance * distance * libm::exp(-log_variance))
}

/// `ln(sum over k of share_k * density_k)`, the components from the first to the last.
fn log_mixture(outputs: &[f32], outcome: f64) -> f64 {
    let count = outputs.len() / 3;
    let logit = |index: usize| f64::from(outputs[index]);
    let term = |index: usize| {
        let (mean, log_variance) = (outputs[count + index], outputs[2 * count + index]);
        logit(index) + log_normal(f64::from(mean), f64::from(log_variance), outcome)
    };
    log_sum_exp(count, term) - log_sum_exp(count, logit)
}

/// As `crate::log_sum_exp`, over the values of a function.
fn log_sum_exp(count: usize, value: impl Fn(usize) -> f64) -> f64 {
    let mut largest = f64::NEG_INFINITY;
    for index in 0..count {
        let value = value(index);
        largest = if value > largest { value } else { largest };
    }
    if !largest.is_finite() {
        return largest;
    }
    let mut sum = 0.0;
    for index in 0..count {
        sum += libm::exp(value(index) - largest);
    }
    largest + libm::log(sum)
}
