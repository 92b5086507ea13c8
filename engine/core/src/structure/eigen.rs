//! Eigenvalues and eigenvectors of a symmetric matrix by cyclic Jacobi rotations, in slices.
//!
//! Each rotation makes one entry off the diagonal zero; a sweep visits all of them in the order of their rows. The order is
//! fixed, so the bits are too, and the work can stop and go on between any two rotations. Sweeps end when what is left off
//! the diagonal is rounding, or after `SWEEPS_MAX`. See Golub and Van Loan, Matrix Computations, section 8.5.

use alloc::{vec, vec::Vec};

use super::persist::{load_floats, load_index, write_floats};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Most sweeps; matrices of 128 rows converge in about ten.
pub const SWEEPS_MAX: usize = 20;
/// Squares off the diagonal over all squares, at which the rest is rounding.
const REST_MAX: f64 = 1e-30;

/// The eigenvalue problem at hand.
#[derive(Clone, Debug)]
pub struct JacobiEigen {
    count: usize,
    matrix: Vec<f64>,
    /// One eigenvector a row.
    vectors: Vec<f64>,
    /// The next entry to be rotated away.
    row: usize,
    column: usize,
    sweeps: usize,
    is_done: bool,
}

impl JacobiEigen {
    /// For matrices of `count` rows; solved for the zero matrix.
    pub fn new(count: usize) -> Self {
        let mut eigen = Self {
            count,
            matrix: vec![0.0; count * count],
            vectors: vec![0.0; count * count],
            row: 0,
            column: 1,
            sweeps: 0,
            is_done: true,
        };
        eigen.reset_vectors();
        eigen
    }

    fn reset_vectors(&mut self) {
        self.vectors.fill(0.0);
        for index in 0..self.count {
            self.vectors[index * (self.count + 1)] = 1.0;
        }
    }

    /// Begins a new problem. The matrix is symmetric and its entries are finite: the caller sees to it.
    pub fn begin(&mut self, matrix: &[f64]) {
        self.matrix.copy_from_slice(matrix);
        self.reset_vectors();
        self.row = 0;
        self.column = 1;
        self.sweeps = 0;
        self.is_done = self.is_converged();
    }

    /// Does up to this many rotations. True when the problem is solved.
    pub fn work(&mut self, rotations: usize) -> bool {
        for _ in 0..rotations {
            if self.is_done {
                break;
            }
            self.rotate(self.row, self.column);
            self.step();
        }
        self.is_done
    }

    /// Whether values and vectors are those of the matrix.
    pub const fn is_done(&self) -> bool {
        self.is_done
    }

    /// How many eigenvalues there are.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Sweeps that were made.
    pub const fn sweeps(&self) -> usize {
        self.sweeps
    }

    /// An eigenvalue, in no particular order.
    pub fn value(&self, index: usize) -> f64 {
        self.matrix[index * (self.count + 1)]
    }

    /// Its eigenvector, of length 1.
    pub fn vector(&self, index: usize) -> &[f64] {
        &self.vectors[index * self.count..(index + 1) * self.count]
    }

    /// To the next entry above the diagonal.
    fn step(&mut self) {
        self.column += 1;
        if self.column < self.count {
            return;
        }
        self.row += 1;
        self.column = self.row + 1;
        if self.column < self.count {
            return;
        }
        self.row = 0;
        self.column = 1;
        self.sweeps += 1;
        self.is_done = self.sweeps >= SWEEPS_MAX || self.is_converged();
    }

    fn is_converged(&self) -> bool {
        let (mut rest, mut all) = (0.0, 0.0);
        for (index, entry) in self.matrix.iter().enumerate() {
            let square = entry * entry;
            all += square;
            if index % (self.count + 1) != 0 {
                rest += square;
            }
        }
        rest <= REST_MAX * all
    }

    /// Turns the plane of two axes so that their entry off the diagonal becomes zero.
    fn rotate(&mut self, first: usize, second: usize) {
        let count = self.count;
        let entry = self.matrix[first * count + second];
        if libm::fabs(entry) <= f64::MIN_POSITIVE {
            return;
        }
        let ends = (
            self.matrix[first * (count + 1)],
            self.matrix[second * (count + 1)],
        );
        let half = (ends.1 - ends.0) / (2.0 * entry);
        // The smaller of the two angles: it changes least, and the other one need not converge.
        let tangent = if libm::fabs(half) > 1e150 {
            0.5 / half
        } else {
            let root = libm::fabs(half) + libm::sqrt(half * half + 1.0);
            if half < 0.0 { -1.0 / root } else { 1.0 / root }
        };
        let cosine = 1.0 / libm::sqrt(tangent * tangent + 1.0);
        let sine = tangent * cosine;
        turn_rows(&mut self.matrix, count, (first, second), cosine, sine);
        for row in 0..count {
            self.matrix[row * count + first] = self.matrix[first * count + row];
            self.matrix[row * count + second] = self.matrix[second * count + row];
        }
        self.matrix[first * (count + 1)] = ends.0 - tangent * entry;
        self.matrix[second * (count + 1)] = ends.1 + tangent * entry;
        self.matrix[first * count + second] = 0.0;
        self.matrix[second * count + first] = 0.0;
        turn_rows(&mut self.vectors, count, (first, second), cosine, sine);
    }

    /// Writes the exact state, a half-solved problem included.
    pub fn write(&self, out: &mut impl Sink) {
        out.u32(self.row as u32);
        out.u32(self.column as u32);
        out.u32(self.sweeps as u32);
        out.bool(self.is_done);
        write_floats(out, &self.matrix);
        write_floats(out, &self.vectors);
    }

    /// Reads what one of as many rows wrote.
    ///
    /// # Errors
    /// The bytes end, or a value cannot be.
    pub fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.row = load_index(from, self.count)?;
        self.column = load_index(from, self.count)?;
        self.sweeps = load_index(from, SWEEPS_MAX)?;
        self.is_done = from.bool()?;
        let is_place = self.is_done || (self.row < self.column && self.column < self.count);
        from.expect(is_place, "a place above the diagonal")?;
        load_floats(from, &mut self.matrix)?;
        load_floats(from, &mut self.vectors)
    }
}

/// Turns two rows, the first before the second, against each other.
fn turn_rows(matrix: &mut [f64], count: usize, rows: (usize, usize), cosine: f64, sine: f64) {
    let (before, after) = matrix.split_at_mut(rows.1 * count);
    let first = &mut before[rows.0 * count..(rows.0 + 1) * count];
    for (one, other) in first.iter_mut().zip(&mut after[..count]) {
        let turned = cosine * *one - sine * *other;
        *other = sine * *one + cosine * *other;
        *one = turned;
    }
}
