//! The normal distribution: how sure a score makes us, and which score makes sure enough.

/// Steps of the bisection: each halves an interval of 64.
const BISECTIONS: usize = 64;

/// Chance that a standard normal value is below `score`.
pub fn normal_below(score: f64) -> f64 {
    0.5 * libm::erfc(-score * core::f64::consts::FRAC_1_SQRT_2)
}

/// The score that a standard normal value exceeds in size with this chance, within 1e-12; chances from 1e-300 to 1.
pub fn two_sided_score(chance: f64) -> f64 {
    let (mut low, mut high) = (0.0f64, 64.0f64);
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (low + high);
        if libm::erfc(middle * core::f64::consts::FRAC_1_SQRT_2) > chance {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The chance for each of `trials` tests that makes any of them fire with the chance `total` (Sidak).
pub fn chance_of_each(total: f64, trials: f64) -> f64 {
    -libm::expm1(libm::log1p(-total) / trials.max(1.0))
}
