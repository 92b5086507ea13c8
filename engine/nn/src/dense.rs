//! One dense layer: `output = activation(bias + weights * input)`.
//!
//! Weights lie in panels of `LANES` outputs: all their weights for the first input, then for the second, and so on. One
//! input value is multiplied with a whole row of a panel at once, and each lane adds to the sum of its own output. Measured
//! beside the plain loop over a row of weights this is several times as fast in the ordinary build and more with wider vectors (`acth-bench
//! inference`), with equal bits.

use alloc::vec::Vec;

use crate::ShapeError;

/// Outputs that are worked out together.
pub const LANES: usize = 32;

/// What happens to a sum before it is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Identity,
    /// Below zero becomes zero.
    Relu,
    /// Hyperbolic tangent (`libm`).
    Tanh,
}

impl Activation {
    /// The code in a model's encoding; never reused.
    pub const fn code(self) -> u8 {
        match self {
            Self::Identity => 0,
            Self::Relu => 1,
            Self::Tanh => 2,
        }
    }

    /// The activation with this code, if there is one.
    pub const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            0 => Self::Identity,
            1 => Self::Relu,
            2 => Self::Tanh,
            _ => return None,
        })
    }

    /// The name used in manifests and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
        }
    }

    /// The activation with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Identity, Self::Relu, Self::Tanh];
        all.into_iter().find(|activation| activation.name() == name)
    }

    #[inline]
    fn apply(self, sums: &mut [f32]) {
        match self {
            Self::Identity => {}
            // Not `max`: which zero it gives for a negative zero is not fixed.
            Self::Relu => sums
                .iter_mut()
                .for_each(|sum| *sum = if *sum > 0.0 { *sum } else { 0.0 }),
            Self::Tanh => sums.iter_mut().for_each(|sum| *sum = libm::tanhf(*sum)),
        }
    }
}

/// One dense layer.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    /// `[panel][input][lane]`; lanes beyond the outputs are zero.
    panels: Vec<[f32; LANES]>,
    /// `[panel][lane]`.
    biases: Vec<[f32; LANES]>,
}

impl Dense {
    /// A layer from weights by rows, `weights[output * inputs + input]`, and one bias an output.
    ///
    /// # Errors
    /// `ShapeError` when the sizes do not fit or a number is not finite.
    pub fn new(
        inputs: usize,
        weights: &[f32],
        biases: &[f32],
        activation: Activation,
    ) -> Result<Self, ShapeError> {
        let outputs = biases.len();
        if inputs == 0 || outputs == 0 {
            return Err(ShapeError::Empty { inputs, outputs });
        }
        if weights.len() != inputs * outputs {
            return Err(ShapeError::Weights {
                expected: inputs * outputs,
                found: weights.len(),
            });
        }
        let mut numbers = weights.iter().chain(biases);
        if let Some(index) = numbers.position(|number| !number.is_finite()) {
            return Err(ShapeError::NotFinite { index });
        }
        let panel_count = outputs.div_ceil(LANES);
        let mut panels = alloc::vec![[0.0; LANES]; panel_count * inputs];
        let mut padded = alloc::vec![[0.0; LANES]; panel_count];
        for output in 0..outputs {
            let (panel, lane) = (output / LANES, output % LANES);
            padded[panel][lane] = biases[output];
            for input in 0..inputs {
                panels[panel * inputs + input][lane] = weights[output * inputs + input];
            }
        }
        Ok(Self {
            inputs,
            outputs,
            activation,
            panels,
            biases: padded,
        })
    }

    /// How many values it takes.
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// How many values it gives.
    pub const fn outputs(&self) -> usize {
        self.outputs
    }

    /// Works `output` out from `input`.
    ///
    /// # Panics
    /// When the slices are shorter than the layer's inputs and outputs; `Network` gives them their size.
    #[inline]
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        let input = &input[..self.inputs];
        let output = &mut output[..self.outputs];
        let panels = self.panels.chunks_exact(self.inputs);
        for ((panel, bias), out) in panels.zip(&self.biases).zip(output.chunks_mut(LANES)) {
            let mut sums = sums(panel, bias, input);
            let sums = &mut sums[..out.len()];
            self.activation.apply(sums);
            out.copy_from_slice(sums);
        }
    }
}

/// The sums of one panel. A function of its own, so that they stay in registers to the end: once a slice of them is
/// taken, every addition goes through memory, which costs a factor of six.
#[inline]
fn sums(panel: &[[f32; LANES]], bias: &[f32; LANES], input: &[f32]) -> [f32; LANES] {
    let mut sums = *bias;
    for (row, &value) in panel.iter().zip(input) {
        for lane in 0..LANES {
            sums[lane] += value * row[lane];
        }
    }
    sums
}
