//! The recurrent unit beside plain loops, bits that were written down once, and numbers from another program.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use acth_nn::{Gru, GruMemory, LANES, ShapeError, log_sum_exp, softmax};
use kit::{Numbers, bits, fold};

struct Weights {
    inputs: usize,
    hidden: usize,
    weights: [Vec<f32>; 2],
    biases: [Vec<f32>; 2],
}

impl Weights {
    fn some(numbers: &mut Numbers, inputs: usize, hidden: usize) -> Self {
        Self {
            inputs,
            hidden,
            weights: [
                numbers.some(3 * hidden * inputs),
                numbers.some(3 * hidden * hidden),
            ],
            biases: [numbers.some(3 * hidden), numbers.some(3 * hidden)],
        }
    }

    fn gru(&self) -> Gru {
        let [input, hidden] = &self.weights;
        Gru::new(self.inputs, input, hidden, &self.biases[0], &self.biases[1]).unwrap()
    }

    /// One row's sum: the bias first, then the values in order.
    fn row(&self, which: usize, row: usize, values: &[f32]) -> f32 {
        let mut sum = self.biases[which][row];
        for (place, value) in values.iter().enumerate() {
            sum += value * self.weights[which][row * values.len() + place];
        }
        sum
    }

    /// The formula of the module, unit by unit.
    fn plain(&self, input: &[f32], hidden: &[f32]) -> Vec<f32> {
        let sigmoid = |value: f32| 1.0 / (1.0 + libm::expf(-value));
        let unit = |unit: usize| {
            let (update_row, candidate_row) = (unit + self.hidden, unit + 2 * self.hidden);
            let reset = sigmoid(self.row(0, unit, input) + self.row(1, unit, hidden));
            let update = sigmoid(self.row(0, update_row, input) + self.row(1, update_row, hidden));
            let recurrent = self.row(1, candidate_row, hidden);
            let candidate = libm::tanhf(self.row(0, candidate_row, input) + reset * recurrent);
            (1.0 - update) * candidate + update * hidden[unit]
        };
        (0..self.hidden).map(unit).collect()
    }
}

#[test]
fn every_shape_has_the_bits_of_the_plain_loop() {
    let mut numbers = Numbers(11);
    for inputs in [1, 3, LANES + 1] {
        for hidden in [1, 2, 10, 11, LANES, LANES + 3] {
            let weights = Weights::some(&mut numbers, inputs, hidden);
            let (gru, mut memory) = (weights.gru(), GruMemory::new(hidden));
            let mut expected = vec![0.0; hidden];
            for _ in 0..5 {
                let input = numbers.some(inputs);
                expected = weights.plain(&input, &expected);
                assert_eq!(bits(gru.step(&input, &mut memory)), bits(&expected));
            }
        }
    }
}

#[test]
fn a_unit_keeps_its_bits_on_every_machine() {
    let mut numbers = Numbers(13);
    let gru = Weights::some(&mut numbers, 6, 40).gru();
    let mut memory = GruMemory::new(40);
    let mut all = Vec::new();
    for _ in 0..1000 {
        all.extend_from_slice(gru.step(&numbers.some(6), &mut memory));
    }
    let found = fold(&all);
    assert_eq!(found, 0x52b3_2248_b884_e237, "found {found:#018x}");
}

#[test]
fn a_memory_stays_finite_whatever_comes() {
    let mut numbers = Numbers(17);
    let gru = Weights::some(&mut numbers, 2, 5).gru();
    let mut memory = GruMemory::new(5);
    let extremes = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::MAX,
        f32::MIN,
    ];
    for first in extremes {
        for second in extremes {
            let hidden = gru.step(&[first, second], &mut memory);
            assert!(hidden.iter().all(|value| (-1.0..=1.0).contains(value)));
        }
    }
    assert!(!memory.set_hidden(&[0.0; 4]) && !memory.set_hidden(&[0.0, 0.0, 0.0, 0.0, f32::NAN]));
    assert!(memory.set_hidden(&[0.5; 5]));
    assert_eq!(bits(memory.hidden()), bits(&[0.5; 5]));
    memory.clear();
    assert_eq!(bits(memory.hidden()), bits(&[0.0; 5]));
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let refused = Gru::new(1, &[0.0; 4], &[0.0; 4], &[0.0; 4], &[0.0; 4]).unwrap_err();
    assert_eq!(
        refused,
        ShapeError::Gates {
            input: 4,
            hidden: 4
        }
    );
    let refused = Gru::new(1, &[0.0; 3], &[0.0; 3], &[0.0; 6], &[0.0; 3]).unwrap_err();
    assert_eq!(
        refused,
        ShapeError::Gates {
            input: 6,
            hidden: 3
        }
    );
    assert!(Gru::new(1, &[0.0; 2], &[0.0; 3], &[0.0; 3], &[0.0; 3]).is_err());
    assert!(Gru::new(1, &[], &[], &[], &[]).is_err());
}

#[test]
fn shares_add_up_and_large_scores_do_not_overflow() {
    let mut shares = [1000.0, 1000.0 + libm::logf(3.0), -1000.0];
    let sum = log_sum_exp(&shares);
    assert!((sum - (1000.0 + libm::logf(4.0))).abs() < 1e-3, "{sum}");
    softmax(&mut shares);
    for (share, expected) in shares.iter().zip([0.25, 0.75, 0.0]) {
        assert!((share - expected).abs() < 1e-4, "{shares:?}");
    }
    let mut equal = [-3.0_f32; 4];
    softmax(&mut equal);
    assert_eq!(bits(&equal), bits(&[0.25; 4]));
}
