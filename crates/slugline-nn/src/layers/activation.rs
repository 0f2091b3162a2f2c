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

impl Activation {
    /// Every activation.
    pub const ALL: [Self; 6] =
        [Self::Linear, Self::Relu, Self::Tanh, Self::Sigmoid, Self::Softmax, Self::Gelu];

    /// Keras's name of the activation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
            Self::Softmax => "softmax",
            Self::Gelu => "gelu",
        }
    }

    /// The activation of a [`name`](Self::name).
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|activation| activation.name() == name)
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_stored_form() {
        for activation in Activation::ALL {
            assert_eq!(Activation::by_name(activation.name()), Some(activation));
            let json = serde_json::to_string(&activation).unwrap();
            assert_eq!(json, format!("\"{activation}\""));
        }
        assert_eq!(Activation::by_name("swish"), None);
    }
}
