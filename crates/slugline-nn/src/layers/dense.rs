//! The fully connected layer.

use serde::{Deserialize, Serialize};

use super::{Activation, Initializer, Regularizer};

/// A fully connected layer: `activation(x · kernel + bias)`, as Keras's `Dense`.
///
/// Shapes: input `[samples, n_in]`, `kernel` `[n_in, units]`, `bias` `[units]`, output
/// `[samples, units]`. A first layer takes sparse input and costs what the non-zeros cost.
///
/// ```
/// use slugline_nn::{Activation, Dense, Regularizer};
///
/// let hidden = Dense::new(64)
///     .activation(Activation::Relu)
///     .kernel_regularizer(Regularizer { l1: 0.0, l2: 1e-4 });
/// assert!(hidden.use_bias);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dense {
    /// Number of outputs, at least 1.
    pub units: usize,
    /// What is made of the weighted sums. Default linear.
    #[serde(default)]
    pub activation: Activation,
    /// Whether a bias, starting at zero, is added. Default yes.
    #[serde(default = "yes")]
    pub use_bias: bool,
    /// How the kernel starts. Default Glorot uniform.
    #[serde(default)]
    pub kernel_initializer: Initializer,
    /// Penalty on the kernel. Default none.
    #[serde(default)]
    pub kernel_regularizer: Regularizer,
}

fn yes() -> bool {
    true
}

impl Dense {
    /// A layer of `units` outputs with the defaults.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::Linear,
            use_bias: true,
            kernel_initializer: Initializer::GlorotUniform,
            kernel_regularizer: Regularizer::default(),
        }
    }

    /// Sets the activation.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Sets whether a bias is added.
    #[must_use]
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    /// Sets how the kernel starts.
    #[must_use]
    pub fn kernel_initializer(mut self, initializer: Initializer) -> Self {
        self.kernel_initializer = initializer;
        self
    }

    /// Sets the penalty on the kernel.
    #[must_use]
    pub fn kernel_regularizer(mut self, regularizer: Regularizer) -> Self {
        self.kernel_regularizer = regularizer;
        self
    }
}
