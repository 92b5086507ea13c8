//! Layers in a row.

use alloc::vec::Vec;

use crate::{Dense, ShapeError};

/// A feed-forward network with room for its own intermediate values.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layers: Vec<Dense>,
    /// What the layers before and after the present one hold.
    values: [Vec<f32>; 2],
}

impl Network {
    /// These layers, each taking what the one before gives.
    ///
    /// # Errors
    /// `ShapeError` when there is none or two do not fit.
    pub fn new(layers: Vec<Dense>) -> Result<Self, ShapeError> {
        if layers.is_empty() {
            return Err(ShapeError::NoLayer);
        }
        for (index, pair) in layers.windows(2).enumerate() {
            let (takes, gives) = (pair[1].inputs(), pair[0].outputs());
            if takes != gives {
                return Err(ShapeError::Join {
                    layer: index + 1,
                    takes,
                    gives,
                });
            }
        }
        let widest = layers.iter().map(Dense::outputs).max().unwrap_or(0);
        let values = || alloc::vec![0.0; widest];
        Ok(Self {
            values: [values(), values()],
            layers,
        })
    }

    /// How many values it takes.
    pub fn inputs(&self) -> usize {
        self.layers.first().map_or(0, Dense::inputs)
    }

    /// How many values it gives.
    pub fn outputs(&self) -> usize {
        self.layers.last().map_or(0, Dense::outputs)
    }

    /// The outputs for these inputs.
    ///
    /// # Panics
    /// When `input` is shorter than the network's inputs.
    #[inline]
    pub fn forward(&mut self, input: &[f32]) -> &[f32] {
        let [current, next] = &mut self.values;
        let Some((first, others)) = self.layers.split_first() else {
            return &[];
        };
        first.forward(input, current);
        let mut outputs = first.outputs();
        for layer in others {
            layer.forward(&current[..outputs], next);
            core::mem::swap(current, next);
            outputs = layer.outputs();
        }
        &self.values[0][..outputs]
    }
}
