//! The layers of a network: what they compute, and the parameters they hold.

mod activation;
mod dense;
mod initializer;
mod regularizer;

use serde::{Deserialize, Serialize};

pub use activation::Activation;
pub use dense::Dense;
pub use initializer::Initializer;
pub use regularizer::Regularizer;

/// Sets a share of its inputs to zero while training and scales the rest by `1 / (1 − rate)`, so
/// that their expected sum stays; does nothing when predicting. As Keras's `Dropout`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dropout {
    /// Share of inputs set to zero, from 0 up to but not including 1.
    pub rate: f32,
}

impl Dropout {
    /// A dropout layer of the given rate.
    pub fn new(rate: f32) -> Self {
        Self { rate }
    }
}

/// One layer of a [`Sequential`](crate::Sequential) network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "class_name", content = "config")]
pub enum Layer {
    /// Every output is a weighted sum of all inputs.
    Dense(Dense),
    /// Random zeros while training.
    Dropout(Dropout),
}

impl From<Dense> for Layer {
    fn from(dense: Dense) -> Self {
        Self::Dense(dense)
    }
}

impl From<Dropout> for Layer {
    fn from(dropout: Dropout) -> Self {
        Self::Dropout(dropout)
    }
}
