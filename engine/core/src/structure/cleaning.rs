//! From raw to clean correlations, one slice at a time: fill the matrix, solve its eigenvalues, clip what is noise, shrink,
//! publish. Then from the start.

use alloc::{vec, vec::Vec};

use super::{
    clipping::{Clipping, normalise_row},
    eigen::JacobiEigen,
    hayashi_yoshida::HayashiYoshida,
    persist::{load_float, load_floats, load_index, load_weight, write_floats},
    shrinkage::oas_intensity,
};
use crate::snapshot::{Decoder, Sink, SnapshotError};

/// Entries of a matrix that one slice fills or publishes.
const SLICE_ENTRIES: usize = 2_048;
/// Products that one slice of the clipping adds up.
const SLICE_PRODUCTS: usize = 32_768;

/// What the next slice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Fill = 0,
    Solve = 1,
    Clip = 2,
    Publish = 3,
}

impl Phase {
    const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Fill),
            1 => Some(Self::Solve),
            2 => Some(Self::Clip),
            3 => Some(Self::Publish),
            _ => None,
        }
    }
}

/// The pipeline and what it published last.
#[derive(Clone, Debug)]
pub(super) struct Cleaning {
    count: usize,
    rotations: usize,
    phase: Phase,
    /// The row whose turn it is.
    row: usize,
    /// Being filled, then being clipped.
    matrix: Vec<f64>,
    eigen: JacobiEigen,
    samples: f64,
    intensity: f64,
    clean: Vec<f64>,
    /// Share of all variance in the strongest common factor, and factors above the noise, as of `clean`.
    first_share: f64,
    factor_count: usize,
    published_count: u64,
    /// Scratch.
    decays: Vec<f64>,
    roots: Vec<f64>,
}

impl Cleaning {
    pub(super) fn new(count: usize, rotations: usize) -> Self {
        let mut clean = vec![0.0; count * count];
        for index in 0..count {
            clean[index * (count + 1)] = 1.0;
        }
        Self {
            count,
            rotations,
            phase: Phase::Fill,
            row: 0,
            matrix: clean.clone(),
            eigen: JacobiEigen::new(count),
            samples: 0.0,
            intensity: 0.0,
            clean,
            first_share: 0.0,
            factor_count: 0,
            published_count: 0,
            decays: vec![0.0; count],
            roots: vec![0.0; count],
        }
    }

    /// Does one slice.
    pub(super) fn work(&mut self, ticks: &HayashiYoshida, now_ns: i64) {
        match self.phase {
            Phase::Fill => self.fill(ticks, now_ns),
            Phase::Solve => {
                if self.eigen.work(self.rotations) {
                    self.to(Phase::Clip);
                }
            }
            Phase::Clip => self.clip(),
            Phase::Publish => self.publish(),
        }
    }

    const fn to(&mut self, phase: Phase) {
        self.phase = phase;
        self.row = 0;
    }

    fn next_rows(&self, rows: usize) -> core::ops::Range<usize> {
        self.row..(self.row + rows.max(1)).min(self.count)
    }

    fn fill(&mut self, ticks: &HayashiYoshida, now_ns: i64) {
        let count = self.count;
        let rows = self.next_rows(SLICE_ENTRIES / count);
        ticks.weigh(now_ns, &mut self.decays, &mut self.roots);
        for first in rows.clone() {
            for second in 0..=first {
                let entry = ticks.weighed_correlation(first, second, &self.decays, &self.roots);
                self.matrix[first * count + second] = entry;
                self.matrix[second * count + first] = entry;
            }
        }
        self.row = rows.end;
        if self.row < count {
            return;
        }
        // Returns that overlap by chance carry about half of what returns at common times would.
        let weights = (0..count).map(|index| ticks.weight(index, now_ns));
        self.samples = weights.sum::<f64>() / count as f64;
        self.intensity = oas_intensity(&self.matrix, count, self.samples);
        self.eigen.begin(&self.matrix);
        self.to(Phase::Solve);
    }

    fn clip(&mut self) {
        let count = self.count;
        let clipping = Clipping::new(&self.eigen, self.samples);
        let rows = self.next_rows(SLICE_PRODUCTS / (count * clipping.kept_count.max(1)));
        for row in rows.clone() {
            let out = &mut self.matrix[row * count..(row + 1) * count];
            clipping.row(&self.eigen, row, out);
        }
        self.row = rows.end;
        if self.row == count {
            self.to(Phase::Publish);
        }
    }

    fn publish(&mut self) {
        let count = self.count;
        // Rows already done have a diagonal of one: the roots come from the eigenvectors, the same in every slice.
        let clipping = Clipping::new(&self.eigen, self.samples);
        clipping.roots(&self.eigen, &mut self.roots);
        let rows = self.next_rows(SLICE_ENTRIES / count);
        for row in rows.clone() {
            let entries = &mut self.matrix[row * count..(row + 1) * count];
            normalise_row(row, entries, &self.roots, self.intensity);
        }
        self.row = rows.end;
        if self.row < count {
            return;
        }
        core::mem::swap(&mut self.matrix, &mut self.clean);
        self.factor_count = clipping.factor_count;
        let values = (0..count).map(|index| self.eigen.value(index));
        self.first_share = values.fold(0.0, f64::max) / count as f64;
        self.published_count += 1;
        self.to(Phase::Fill);
    }

    pub(super) fn correlation(&self, first: usize, second: usize) -> f64 {
        if first >= self.count || second >= self.count {
            return 0.0;
        }
        self.clean[first * self.count + second]
    }

    pub(super) const fn first_share(&self) -> f64 {
        self.first_share
    }

    pub(super) const fn factor_count(&self) -> usize {
        self.factor_count
    }

    pub(super) const fn published_count(&self) -> u64 {
        self.published_count
    }

    pub(super) fn write(&self, out: &mut impl Sink) {
        out.u8(self.phase as u8);
        out.u32(self.row as u32);
        out.f64(self.samples);
        out.f64(self.intensity);
        out.f64(self.first_share);
        out.u32(self.factor_count as u32);
        out.u64(self.published_count);
        write_floats(out, &self.matrix);
        write_floats(out, &self.clean);
        self.eigen.write(out);
    }

    pub(super) fn load(&mut self, from: &mut Decoder<'_>) -> Result<(), SnapshotError> {
        self.phase = from.code(Phase::from_code, "a phase of the cleaning")?;
        self.row = load_index(from, self.count)?;
        self.samples = load_weight(from)?;
        self.intensity = load_float(from)?;
        self.first_share = load_float(from)?;
        self.factor_count = load_index(from, self.count)?;
        self.published_count = from.count()?;
        load_floats(from, &mut self.matrix)?;
        load_floats(from, &mut self.clean)?;
        self.eigen.load(from)
    }
}
