//! Covariance matrices from few samples, drawn towards a multiple of the identity.
//!
//! - `ledoit_wolf`: Ledoit and Wolf, 2004, "A well-conditioned estimator for large-dimensional covariance matrices",
//!   J. Multivariate Analysis 88. Its intensity is estimated from the fourth moments of the samples.
//! - `oas_intensity`: Chen, Wiesel, Eldar and Hero, 2010, "Shrinkage algorithms for MMSE covariance estimation", IEEE
//!   Trans. Signal Processing 58(10), equation 23. It needs nothing but the matrix and the number of samples.
//!
//! Both give `(1 - intensity) * covariance + intensity * mean variance * identity`. Matrices are stored row after row.

use super::persist::is_usable;

/// Intensity of the shrinkage that minimises the expected squared error for Gaussian samples, 0 to 1; 1 where it
/// cannot be told. `matrix` is a covariance of `count` series from `samples` samples.
pub fn oas_intensity(matrix: &[f64], count: usize, samples: f64) -> f64 {
    let dimension = count as f64;
    let (mut trace, mut squares) = (0.0, 0.0);
    for (index, entry) in matrix[..count * count].iter().enumerate() {
        squares += entry * entry;
        if index % (count + 1) == 0 {
            trace += entry;
        }
    }
    let mean_square = squares / (dimension * dimension);
    let mean = trace / dimension;
    let numerator = mean_square + mean * mean;
    let denominator = (samples + 1.0) * (mean_square - mean * mean / dimension);
    if denominator > 0.0 && numerator < denominator {
        numerator / denominator
    } else {
        1.0
    }
}

/// Shrinks a covariance matrix in place.
pub fn shrink(matrix: &mut [f64], count: usize, intensity: f64) {
    let trace: f64 = (0..count).map(|index| matrix[index * (count + 1)]).sum();
    let added = intensity * trace / count as f64;
    for (index, entry) in matrix[..count * count].iter_mut().enumerate() {
        *entry *= 1.0 - intensity;
        if index % (count + 1) == 0 {
            *entry += added;
        }
    }
}

/// The shrunk covariance of samples, row after row of `count` values, into `matrix` of `count * count`. Gives the
/// intensity; none, and the matrix untouched, when a value is unusable, a length is wrong or there is no sample.
pub fn ledoit_wolf(samples: &[f64], count: usize, matrix: &mut [f64]) -> Option<f64> {
    let is_whole = count > 0 && !samples.is_empty() && samples.len().is_multiple_of(count);
    if !is_whole || matrix.len() != count * count || !samples.iter().all(|v| is_usable(*v)) {
        return None;
    }
    let number = (samples.len() / count) as f64;
    let dimension = count as f64;
    // Sum of all squared products of centred values: how much the entries of one sample's matrix scatter.
    let mut fourth = 0.0;
    matrix.fill(0.0);
    for first in 0..count {
        let first_mean = mean_of(samples, count, first);
        for second in 0..=first {
            let second_mean = mean_of(samples, count, second);
            let (mut sum, mut square_sum) = (0.0, 0.0);
            for row in samples.chunks_exact(count) {
                let product = (row[first] - first_mean) * (row[second] - second_mean);
                sum += product;
                square_sum += product * product;
            }
            matrix[first * count + second] = sum / number;
            matrix[second * count + first] = sum / number;
            fourth += if first == second {
                square_sum
            } else {
                2.0 * square_sum
            };
        }
    }
    let trace: f64 = (0..count).map(|index| matrix[index * (count + 1)]).sum();
    let squares: f64 = matrix.iter().map(|entry| entry * entry).sum();
    let mean = trace / dimension;
    let distance = (squares - dimension * mean * mean) / dimension;
    let scatter = (fourth / number - squares) / (dimension * number);
    let intensity = if scatter <= 0.0 || distance <= 0.0 {
        0.0
    } else {
        scatter.min(distance) / distance
    };
    shrink(matrix, count, intensity);
    Some(intensity)
}

fn mean_of(samples: &[f64], count: usize, column: usize) -> f64 {
    let rows = samples.chunks_exact(count);
    let number = rows.len() as f64;
    rows.map(|row| row[column]).sum::<f64>() / number
}
