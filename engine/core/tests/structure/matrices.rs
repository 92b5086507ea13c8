//! Shrinkage against scikit-learn, eigenvalues and clipping against NumPy.

use acth_core::structure::{
    clipping::{Clipping, noise_edges, normalise_row},
    eigen::JacobiEigen,
    shrinkage::{ledoit_wolf, oas_intensity, shrink},
};

use crate::{
    golden::{assert_all_close, assert_close, golden, index, list, number, numbers},
    random::Random,
};

#[test]
fn shrinkage_equals_scikit_learn() {
    for case in list(&golden()["shrinkage"]) {
        let count = index(&case["columns"]);
        let samples = numbers(&case["samples"]);
        let mut matrix = vec![0.0; count * count];
        let intensity = ledoit_wolf(&samples, count, &mut matrix).expect("usable");
        assert_close(intensity, number(&case["ledoit_wolf_intensity"]), 1e-12);
        assert_all_close(&matrix, &numbers(&case["ledoit_wolf"]), 1e-12);

        let mut matrix = numbers(&case["covariance"]);
        let rows = index(&case["rows"]) as f64;
        let intensity = oas_intensity(&matrix, count, rows);
        assert_close(intensity, number(&case["oas_intensity"]), 1e-12);
        shrink(&mut matrix, count, intensity);
        assert_all_close(&matrix, &numbers(&case["oas"]), 1e-12);
    }
}

#[test]
fn unusable_samples_are_refused_whole() {
    let mut matrix = vec![7.0; 4];
    for samples in [vec![], vec![1.0; 3], vec![1.0, f64::NAN], vec![1.0, 1e101]] {
        assert_eq!(ledoit_wolf(&samples, 2, &mut matrix), None);
    }
    assert_eq!(matrix, vec![7.0; 4]);
    assert_eq!(
        ledoit_wolf(&[1.0; 6], 2, &mut matrix),
        Some(0.0),
        "constant"
    );
    assert_eq!(matrix, vec![0.0; 4]);
}

#[test]
fn eigenvalues_equal_those_of_numpy() {
    for case in list(&golden()["shrinkage"]) {
        let count = index(&case["columns"]);
        let mut eigen = JacobiEigen::new(count);
        eigen.begin(&numbers(&case["covariance"]));
        assert!(eigen.work(usize::MAX));
        let mut values: Vec<f64> = (0..count).map(|index| eigen.value(index)).collect();
        values.sort_by(f64::total_cmp);
        assert_all_close(&values, &numbers(&case["eigenvalues"]), 1e-12);
    }
}

fn random_correlation(random: &mut Random, count: usize) -> Vec<f64> {
    let rows = 2 * count;
    let samples: Vec<f64> = (0..rows * count).map(|_| random.normal()).collect();
    let mut matrix = vec![0.0; count * count];
    for row in samples.chunks_exact(count) {
        for (first, one) in row.iter().enumerate() {
            for (second, other) in row.iter().enumerate() {
                matrix[first * count + second] += one * other / rows as f64;
            }
        }
    }
    matrix
}

#[test]
fn vectors_and_values_make_the_matrix_again() {
    let mut random = Random::new(2);
    for count in [1, 2, 3, 17, 64] {
        let matrix = random_correlation(&mut random, count);
        let mut eigen = JacobiEigen::new(count);
        eigen.begin(&matrix);
        assert!(eigen.work(usize::MAX));
        assert!(eigen.sweeps() <= 12, "{count}: {} sweeps", eigen.sweeps());
        for first in 0..count {
            for second in 0..count {
                let sum: f64 = (0..count)
                    .map(|k| eigen.value(k) * eigen.vector(k)[first] * eigen.vector(k)[second])
                    .sum();
                assert_close(sum, matrix[first * count + second], 1e-12);
                let product: f64 = eigen
                    .vector(first)
                    .iter()
                    .zip(eigen.vector(second))
                    .map(|(one, other)| one * other)
                    .sum();
                assert_close(product, f64::from(u8::from(first == second)), 1e-12);
            }
        }
    }
}

#[test]
fn slices_give_the_same_bits_as_one_go() {
    let mut random = Random::new(3);
    let matrix = random_correlation(&mut random, 20);
    let (mut whole, mut sliced) = (JacobiEigen::new(20), JacobiEigen::new(20));
    whole.begin(&matrix);
    sliced.begin(&matrix);
    whole.work(usize::MAX);
    while !sliced.work(7) {}
    for index in 0..20 {
        assert_eq!(whole.value(index).to_bits(), sliced.value(index).to_bits());
        assert_eq!(whole.vector(index), sliced.vector(index));
    }
}

#[test]
fn clipping_equals_numpy() {
    let case = &golden()["clipping"];
    let count = index(&case["columns"]);
    let samples = number(&case["rows"]);
    let mut eigen = JacobiEigen::new(count);
    eigen.begin(&numbers(&case["correlation"]));
    eigen.work(usize::MAX);
    let clipping = Clipping::new(&eigen, samples);
    assert_all_close(
        &noise_edges(count, samples),
        &numbers(&case["edges"]),
        1e-14,
    );
    assert_eq!(clipping.factor_count, index(&case["factors"]));
    assert_eq!(clipping.kept_count, index(&case["kept"]));
    let mut roots = vec![0.0; count];
    clipping.roots(&eigen, &mut roots);
    let mut matrix = vec![0.0; count * count];
    for (row, entries) in matrix.chunks_exact_mut(count).enumerate() {
        clipping.row(&eigen, row, entries);
        normalise_row(row, entries, &roots, 0.0);
    }
    assert_all_close(&matrix, &numbers(&case["clipped"]), 1e-12);
}

#[test]
fn eigenvalues_of_noise_lie_below_the_edge() {
    let (count, rows) = (40, 400);
    let mut random = Random::new(4);
    let samples: Vec<f64> = (0..rows * count).map(|_| random.normal()).collect();
    let mut matrix = vec![0.0; count * count];
    for row in samples.chunks_exact(count) {
        for (first, one) in row.iter().enumerate() {
            for (second, other) in row.iter().enumerate() {
                matrix[first * count + second] += one * other / rows as f64;
            }
        }
    }
    let mut eigen = JacobiEigen::new(count);
    eigen.begin(&matrix);
    eigen.work(usize::MAX);
    let values = || (0..count).map(|k| eigen.value(k));
    let (smallest, largest) = (
        values().fold(f64::MAX, f64::min),
        values().fold(0.0, f64::max),
    );
    let edges = noise_edges(count, rows as f64);
    // Finite matrices spill a little over the limits of large ones.
    assert!(largest < edges[1] * 1.08, "{largest} beyond {edges:?}");
    assert!(largest > edges[1] * 0.85, "{largest} far below {edges:?}");
    assert!(smallest > edges[0] * 0.9, "{smallest} beyond {edges:?}");
    assert!(smallest < edges[0] * 1.2, "{smallest} far above {edges:?}");
}
