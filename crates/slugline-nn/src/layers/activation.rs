//! The function after the weighted sum.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a layer makes of its weighted sums `z`, under Keras's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `z` itself.
    #[default]
    Linear,
    /// `max(z, 0)`.
    Relu,
    /// `tanh z`.
    Tanh,
    /// `1 / (1 + e^−z)`.
    Sigmoid,
    /// `e^zᵢ / Σⱼ e^zⱼ`: a probability for each class, with the sum 1.
    Softmax,
    /// `z·Φ(z)` with the normal distribution function Φ (the exact form, Keras's default).
    Gelu,
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
            Self::Gelu => "gelu",
        })
    }
}
