//! Eigenvalue clipping: what random data would show as well is replaced by its mean.
//!
//! Eigenvalues of a correlation matrix of `count` independent series from `samples` samples lie between the edges of
//! Marchenko and Pastur, `(1 -+ sqrt(count / samples))^2`. Those between the edges become their common mean, which keeps the
//! trace; then the diagonal is brought back to one (after Laloux, Cizeau, Bouchaud and Potters, 1999, Phys. Rev. Lett. 83).
//!
//! The usual rule clips everything below the upper edge. But small eigenvalues are the other side of strong factors: three
//! series of correlation 0.75 have 2.5, 0.25 and 0.25, and to raise the small ones to the mean of all noise would halve the
//! correlation. So what lies below the lower edge is kept too. A matrix put together pair by pair may have eigenvalues
//! below zero; they are raised to `VALUE_MIN`, so the clipped matrix is a correlation matrix again.

use super::eigen::JacobiEigen;

/// Least eigenvalue of a clipped matrix.
pub const VALUE_MIN: f64 = 1e-6;

/// The smallest and the largest eigenvalue that independent series would show.
pub fn noise_edges(count: usize, samples: f64) -> [f64; 2] {
    let root = libm::sqrt(count as f64 / samples.max(1.0));
    // With fewer samples than series there are eigenvalues of zero: nothing lies below noise.
    let lower = (1.0 - root).max(0.0);
    [lower * lower, (1.0 + root) * (1.0 + root)]
}

/// Which eigenvalues are noise, and what they become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clipping {
    /// Eigenvalues from the first to the second are noise.
    pub edges: [f64; 2],
    /// Their mean; 1 when there are none.
    pub level: f64,
    /// How many lie above.
    pub factor_count: usize,
    /// How many lie above or below.
    pub kept_count: usize,
}

impl Clipping {
    /// For a solved problem of a correlation matrix.
    pub fn new(eigen: &JacobiEigen, samples: f64) -> Self {
        let count = eigen.count();
        let edges = noise_edges(count, samples);
        let (mut sum, mut factor_count, mut kept_count) = (0.0, 0, 0);
        for index in 0..count {
            let value = eigen.value(index);
            factor_count += usize::from(value > edges[1]);
            if is_noise(value, edges) {
                sum += value;
            } else {
                kept_count += 1;
            }
        }
        let clipped_count = count - kept_count;
        let level = if clipped_count > 0 {
            (sum / clipped_count as f64).max(VALUE_MIN)
        } else {
            1.0
        };
        Self {
            edges,
            level,
            factor_count,
            kept_count,
        }
    }

    /// How far a kept eigenvalue lies from the level; none for noise.
    fn excess(&self, value: f64) -> Option<f64> {
        (!is_noise(value, self.edges)).then(|| value.max(VALUE_MIN) - self.level)
    }

    /// Roots of the clipped matrix's diagonal.
    pub fn roots(&self, eigen: &JacobiEigen, roots: &mut [f64]) {
        roots.fill(self.level);
        for index in 0..eigen.count() {
            let Some(excess) = self.excess(eigen.value(index)) else {
                continue;
            };
            for (root, component) in roots.iter_mut().zip(eigen.vector(index)) {
                *root += excess * component * component;
            }
        }
        for root in roots {
            *root = libm::sqrt(root.max(0.0));
        }
    }

    /// One row of the clipped matrix, its diagonal not yet brought back to one.
    pub fn row(&self, eigen: &JacobiEigen, row: usize, out: &mut [f64]) {
        out.fill(0.0);
        out[row] = self.level;
        for index in 0..eigen.count() {
            let Some(excess) = self.excess(eigen.value(index)) else {
                continue;
            };
            let vector = eigen.vector(index);
            let scale = excess * vector[row];
            for (entry, component) in out.iter_mut().zip(vector) {
                *entry += scale * component;
            }
        }
    }
}

fn is_noise(value: f64, edges: [f64; 2]) -> bool {
    value >= edges[0] && value <= edges[1]
}

/// Brings one row to a diagonal of one, given the roots of the whole diagonal; the rest stays between -1 and 1 and shrinks
/// towards 0 by `intensity`.
pub fn normalise_row(row: usize, entries: &mut [f64], roots: &[f64], intensity: f64) {
    for (column, (entry, root)) in entries.iter_mut().zip(roots).enumerate() {
        let scale = roots[row] * root;
        *entry = if row == column {
            1.0
        } else if scale > 0.0 {
            (1.0 - intensity) * (*entry / scale).clamp(-1.0, 1.0)
        } else {
            0.0
        };
    }
}
