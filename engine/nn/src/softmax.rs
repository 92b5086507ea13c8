//! Shares out of scores: the exponentials of all, over their sum, added up from the first to the last.

/// The largest of these, the first among equals; -infinity of none.
fn largest(values: &[f32]) -> f32 {
    let mut largest = f32::NEG_INFINITY;
    for &value in values {
        largest = if value > largest { value } else { largest };
    }
    largest
}

/// `ln(exp(a) + exp(b) + ...)` without overflow, for finite values; -infinity of none.
pub fn log_sum_exp(values: &[f32]) -> f32 {
    let largest = largest(values);
    if !largest.is_finite() {
        return largest;
    }
    let mut sum = 0.0;
    for &value in values {
        sum += libm::expf(value - largest);
    }
    largest + libm::logf(sum)
}

/// Replaces finite scores by shares that add up to 1; greater scores get greater shares.
pub fn softmax(values: &mut [f32]) {
    let largest = largest(values);
    let mut sum = 0.0;
    for value in &mut *values {
        *value = libm::expf(*value - largest);
        sum += *value;
    }
    for value in values {
        *value /= sum;
    }
}
