//! Layers in a row.

use alloc::vec::Vec;

use crate::{Dense, ShapeError};

/// Room for what the layers before and after the present one hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Values([Vec<f32>; 2]);

/// A feed-forward network with room for its own intermediate values.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layers: Vec<Dense>,
    values: Values,
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
        Ok(Self {
            values: Values::of(&layers),
            layers,
        })
    }

    /// Room for another caller's intermediate values.
    pub fn values(&self) -> Values {
        Values::of(&self.layers)
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
        forward(&self.layers, input, &mut self.values)
    }

    /// The outputs for these inputs, worked out in the caller's room, so that several may share the weights.
    ///
    /// # Panics
    /// When `input` is shorter than the network's inputs, or `values` is another network's.
    #[inline]
    pub fn forward_in<'v>(&self, input: &[f32], values: &'v mut Values) -> &'v [f32] {
        forward(&self.layers, input, values)
    }
}

impl Values {
    fn of(layers: &[Dense]) -> Self {
        let widest = layers.iter().map(Dense::outputs).max().unwrap_or(0);
        let values = || alloc::vec![0.0; widest];
        Self([values(), values()])
    }
}

#[inline]
fn forward<'v>(layers: &[Dense], input: &[f32], values: &'v mut Values) -> &'v [f32] {
    let [current, next] = &mut values.0;
    let Some((first, others)) = layers.split_first() else {
        return &[];
    };
    first.forward(input, current);
    let mut outputs = first.outputs();
    for layer in others {
        layer.forward(&current[..outputs], next);
        core::mem::swap(current, next);
        outputs = layer.outputs();
    }
    &values.0[0][..outputs]
}
