//! The fast form beside the plain loop: equal bits for every shape, and bits that were written down once.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod kit;

use acth_nn::{Activation, Dense, LANES, Network, ShapeError};
use kit::{Numbers, bits};

/// The plain loop: bias first, then the inputs in order.
fn plain(inputs: &[f32], weights: &[f32], biases: &[f32], activation: Activation) -> Vec<f32> {
    let rows = weights.chunks(inputs.len()).zip(biases);
    rows.map(|(row, bias)| {
        let mut sum = *bias;
        for (weight, input) in row.iter().zip(inputs) {
            sum += input * weight;
        }
        match activation {
            Activation::Identity => sum,
            Activation::Relu if sum > 0.0 => sum,
            Activation::Relu => 0.0,
            Activation::Tanh => libm::tanhf(sum),
        }
    })
    .collect()
}

#[test]
fn every_shape_has_the_bits_of_the_plain_loop() {
    let mut numbers = Numbers(42);
    let sizes = [1, 2, 3, LANES - 1, LANES, LANES + 1, 64, 2 * LANES + 5];
    for inputs in sizes {
        for outputs in sizes {
            for activation in [Activation::Identity, Activation::Relu, Activation::Tanh] {
                let weights = numbers.some(inputs * outputs);
                let biases = numbers.some(outputs);
                let layer = Dense::new(inputs, &weights, &biases, activation).unwrap();
                let input = numbers.some(inputs);
                let mut output = vec![f32::NAN; outputs];
                layer.forward(&input, &mut output);
                let expected = plain(&input, &weights, &biases, activation);
                assert_eq!(bits(&output), bits(&expected), "{inputs} to {outputs}");
            }
        }
    }
}

fn network(numbers: &mut Numbers, sizes: &[usize]) -> Network {
    let layers = sizes.windows(2).map(|pair| {
        let scale = 1.0 / pair[0] as f32;
        let weights = numbers.some(pair[0] * pair[1]);
        let weights: Vec<_> = weights.iter().map(|weight| weight * scale).collect();
        Dense::new(pair[0], &weights, &numbers.some(pair[1]), Activation::Tanh).unwrap()
    });
    Network::new(layers.collect()).unwrap()
}

#[test]
fn a_network_keeps_its_bits_on_every_machine() {
    let mut numbers = Numbers(7);
    let mut network = network(&mut numbers, &[64, 64, 64, 8]);
    let mut fold = 0xcbf2_9ce4_8422_2325_u64;
    for _ in 0..1000 {
        let input = numbers.some(64);
        for value in network.forward(&input) {
            fold = (fold ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    assert_eq!(fold, 0xf592_41dc_c586_549e, "found {fold:#018x}");
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let layer = |inputs, outputs| {
        let weights = vec![0.5; inputs * outputs];
        Dense::new(inputs, &weights, &vec![0.0; outputs], Activation::Relu).unwrap()
    };
    assert_eq!(Network::new(vec![]), Err(ShapeError::NoLayer));
    let refused = Network::new(vec![layer(3, 4), layer(5, 1)]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "layer 1 takes 5 inputs, the layer before it gives 4"
    );
    let refused = Dense::new(2, &[1.0], &[0.0], Activation::Relu).unwrap_err();
    assert_eq!(refused.to_string(), "expected 2 weights, found 1");
    let refused = Dense::new(1, &[f32::NAN], &[0.0], Activation::Relu).unwrap_err();
    assert_eq!(refused, ShapeError::NotFinite { index: 0 });
    assert!(Dense::new(0, &[], &[], Activation::Relu).is_err());
}
