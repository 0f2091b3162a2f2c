//! Optimizers and learning-rate schedules, with Keras's names, defaults and formulas.
//!
//! In all formulas `w` is a weight, `g` its gradient, `η` the learning rate at this step.
//!
//! A first layer over sparse input has a zero gradient for every feature that a batch does not
//! contain. SGD without momentum, RMSprop and Adagrad leave such weights alone, so that only the
//! features of the batch are visited, with the result of the dense rule: RMSprop's moment of a
//! feature catches up on its next visit (`v · ρⁿ` for `n` missed steps). Momentum, Adam and AdamW move
//! weights without a gradient too; for them [`SparseRule`] chooses between the dense rule at the cost
//! of the width and the lazy rule at the cost of the non-zeros.

mod schedule;
mod state;

use serde::{Deserialize, Serialize};

use crate::NnError;
use crate::kernels::rule::Rule;

pub use schedule::LearningRate;
pub use state::ParameterState;
pub(crate) use state::step_counter;

/// Where RMSprop adds its epsilon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpsilonPlacement {
    /// `√(v + ε)`, as Keras 3. The default.
    #[default]
    InsideRoot,
    /// `√v + ε`, as Keras 2.2.4, with which the published Reuters log was made. Rare words, whose `v`
    /// is small, learn visibly faster.
    OutsideRoot,
}

/// What an optimizer that moves weights without a gradient does with features that the batch does
/// not contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SparseRule {
    /// Step every weight, as Keras does: exact, and as slow as the input is wide. The default.
    #[default]
    Dense,
    /// Step only the features of the batch; the moments of the others stand still. Not Keras's
    /// result, but the cost follows the non-zeros.
    Lazy,
}

/// How the weights follow the gradient.
///
/// ```
/// use slugline_nn::{LearningRate, Optimizer};
///
/// let default = Optimizer::rmsprop();
/// assert_eq!(default.learning_rate().at(0), 0.001);
/// let slower = Optimizer::adam().with_learning_rate(LearningRate::Constant(1e-4));
/// assert_eq!(slower.name(), "adam");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "lowercase", deny_unknown_fields)]
pub enum Optimizer {
    /// Stochastic gradient descent: `w ← w − η·g`; with momentum `μ`: `m ← μ·m − η·g`, `w ← w + m`,
    /// or with Nesterov's form `w ← w + μ·m − η·g`.
    Sgd {
        /// `η`. Default 0.01.
        learning_rate: LearningRate,
        /// `μ`, from 0 to below 1. Default 0.
        momentum: f32,
        /// Nesterov's form of momentum. Default no.
        nesterov: bool,
        /// Rule for absent features if there is momentum.
        sparse_rule: SparseRule,
    },
    /// `v ← ρ·v + (1−ρ)·g²`, then `w ← w − η·g / √(v + ε)` or `w ← w − η·g / (√v + ε)` (Hinton 2012).
    RmsProp {
        /// `η`. Default 0.001.
        learning_rate: LearningRate,
        /// `ρ`, from 0 to below 1. Default 0.9.
        rho: f32,
        /// `ε`, above 0. Default 1e-7.
        epsilon: f32,
        /// Which of the two forms. Default that of Keras 3.
        epsilon_placement: EpsilonPlacement,
    },
    /// `a ← a + g²`, `w ← w − η·g / √(a + ε)` (Duchi et al. 2011).
    Adagrad {
        /// `η`. Default 0.001.
        learning_rate: LearningRate,
        /// Starting value of `a`, at least 0. Default 0.1.
        initial_accumulator_value: f32,
        /// `ε`, above 0. Default 1e-7.
        epsilon: f32,
    },
    /// `m ← m + (1−β₁)(g − m)`, `v ← v + (1−β₂)(g² − v)`, `w ← w − η·√(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)` at
    /// step `t` (Kingma & Ba 2015, in the order of Keras).
    Adam {
        /// `η`. Default 0.001.
        learning_rate: LearningRate,
        /// `β₁`, from 0 to below 1. Default 0.9.
        beta_1: f32,
        /// `β₂`, from 0 to below 1. Default 0.999.
        beta_2: f32,
        /// `ε`, above 0. Default 1e-7.
        epsilon: f32,
        /// Rule for absent features.
        sparse_rule: SparseRule,
    },
    /// Adam after `w ← w − η·λ·w` (Loshchilov & Hutter 2019); as in Keras, biases decay too.
    AdamW {
        /// `η`. Default 0.001.
        learning_rate: LearningRate,
        /// `β₁`, from 0 to below 1. Default 0.9.
        beta_1: f32,
        /// `β₂`, from 0 to below 1. Default 0.999.
        beta_2: f32,
        /// `ε`, above 0. Default 1e-7.
        epsilon: f32,
        /// `λ`, at least 0. Default 0.004.
        weight_decay: f32,
        /// Rule for absent features; the lazy rule does not decay them either.
        sparse_rule: SparseRule,
    },
}

impl Optimizer {
    /// Every name that [`by_name`](Self::by_name) knows.
    pub const NAMES: [&'static str; 5] = ["sgd", "rmsprop", "adagrad", "adam", "adamw"];

    /// SGD with the defaults.
    pub fn sgd() -> Self {
        Self::Sgd {
            learning_rate: LearningRate::Constant(0.01),
            momentum: 0.0,
            nesterov: false,
            sparse_rule: SparseRule::Dense,
        }
    }

    /// RMSprop with the defaults of Keras 3.
    pub fn rmsprop() -> Self {
        Self::RmsProp {
            learning_rate: LearningRate::Constant(0.001),
            rho: 0.9,
            epsilon: 1e-7,
            epsilon_placement: EpsilonPlacement::InsideRoot,
        }
    }

    /// RMSprop as Keras 2.2.4 computed it: epsilon outside the root.
    pub fn rmsprop_keras2() -> Self {
        Self::RmsProp {
            learning_rate: LearningRate::Constant(0.001),
            rho: 0.9,
            epsilon: 1e-7,
            epsilon_placement: EpsilonPlacement::OutsideRoot,
        }
    }

    /// Adagrad with the defaults.
    pub fn adagrad() -> Self {
        Self::Adagrad {
            learning_rate: LearningRate::Constant(0.001),
            initial_accumulator_value: 0.1,
            epsilon: 1e-7,
        }
    }

    /// Adam with the defaults.
    pub fn adam() -> Self {
        Self::Adam {
            learning_rate: LearningRate::Constant(0.001),
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            sparse_rule: SparseRule::Dense,
        }
    }

    /// AdamW with the defaults.
    pub fn adamw() -> Self {
        Self::AdamW {
            learning_rate: LearningRate::Constant(0.001),
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            weight_decay: 0.004,
            sparse_rule: SparseRule::Dense,
        }
    }

    /// The optimizer of a name from [`NAMES`](Self::NAMES), with its defaults.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "sgd" => Self::sgd(),
            "rmsprop" => Self::rmsprop(),
            "adagrad" => Self::adagrad(),
            "adam" => Self::adam(),
            "adamw" => Self::adamw(),
            _ => return None,
        })
    }

    /// Keras's name of the optimizer, lower case.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sgd { .. } => "sgd",
            Self::RmsProp { .. } => "rmsprop",
            Self::Adagrad { .. } => "adagrad",
            Self::Adam { .. } => "adam",
            Self::AdamW { .. } => "adamw",
        }
    }

    /// The learning rate and how it changes.
    pub fn learning_rate(&self) -> &LearningRate {
        match self {
            Self::Sgd { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. }
            | Self::Adagrad { learning_rate, .. }
            | Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. } => learning_rate,
        }
    }

    /// The same optimizer with another learning rate.
    #[must_use]
    pub fn with_learning_rate(mut self, rate: LearningRate) -> Self {
        match &mut self {
            Self::Sgd { learning_rate, .. }
            | Self::RmsProp { learning_rate, .. }
            | Self::Adagrad { learning_rate, .. }
            | Self::Adam { learning_rate, .. }
            | Self::AdamW { learning_rate, .. } => *learning_rate = rate,
        }
        self
    }

    /// Checks every setting.
    pub(crate) fn check(&self) -> Result<(), NnError> {
        self.learning_rate().check()?;
        let setting = |name, value: f32, expected| {
            Err(NnError::Setting { name, value: value.to_string(), expected })
        };
        let share = |name, value: f32| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => setting(name, value, "at least 0 and below 1"),
        };
        // Divisors contain it, and have to stay where the kernels' reciprocal is exact enough.
        let divisor = |name, value: f32| match (f32::MIN_POSITIVE..=1e30).contains(&value) {
            true => Ok(()),
            false => setting(name, value, "from 1.2e-38 to 1e30"),
        };
        let not_negative = |name, value: f32| match value.is_finite() && value >= 0.0 {
            true => Ok(()),
            false => setting(name, value, "a finite number of at least 0"),
        };
        match *self {
            Self::Sgd { momentum, .. } => share("momentum", momentum),
            Self::RmsProp { rho, epsilon, .. } => {
                share("rho", rho)?;
                divisor("epsilon", epsilon)
            }
            Self::Adagrad { initial_accumulator_value, epsilon, .. } => {
                not_negative("initial_accumulator_value", initial_accumulator_value)?;
                divisor("epsilon", epsilon)
            }
            Self::Adam { beta_1, beta_2, epsilon, .. } => {
                share("beta_1", beta_1)?;
                share("beta_2", beta_2)?;
                divisor("epsilon", epsilon)
            }
            Self::AdamW { beta_1, beta_2, epsilon, weight_decay, .. } => {
                share("beta_1", beta_1)?;
                share("beta_2", beta_2)?;
                divisor("epsilon", epsilon)?;
                not_negative("weight_decay", weight_decay)
            }
        }
    }

    /// The rule for step `step`, counted from 1, and the learning rate in it.
    pub(crate) fn rule(&self, step: u64) -> (Rule, f64) {
        let rate = self.learning_rate().at(step - 1);
        let learning_rate = rate as f32;
        let adam = |beta_1: f32, beta_2: f32, epsilon, decay| {
            let corrected = |beta: f32| 1.0 - libm::pow(f64::from(beta), step as f64);
            let alpha = rate * corrected(beta_2).sqrt() / corrected(beta_1);
            Rule::Adam { alpha: alpha as f32, beta_1, beta_2, epsilon, decay }
        };
        let rule = match *self {
            Self::Sgd { momentum: 0.0, .. } => Rule::Sgd { learning_rate },
            Self::Sgd { momentum, nesterov, .. } => {
                Rule::Momentum { learning_rate, momentum, nesterov }
            }
            Self::RmsProp { rho, epsilon, epsilon_placement, .. } => Rule::RmsProp {
                learning_rate,
                rho,
                epsilon,
                inside_root: epsilon_placement == EpsilonPlacement::InsideRoot,
            },
            Self::Adagrad { epsilon, .. } => Rule::Adagrad { learning_rate, epsilon },
            Self::Adam { beta_1, beta_2, epsilon, .. } => adam(beta_1, beta_2, epsilon, 0.0),
            Self::AdamW { beta_1, beta_2, epsilon, weight_decay, .. } => {
                adam(beta_1, beta_2, epsilon, (rate * f64::from(weight_decay)) as f32)
            }
        };
        (rule, rate)
    }

    /// Whether features that a batch does not contain have to be stepped too.
    pub(crate) fn moves_absent_features(&self) -> bool {
        match self {
            Self::RmsProp { .. } | Self::Adagrad { .. } | Self::Sgd { momentum: 0.0, .. } => false,
            Self::Sgd { sparse_rule, .. }
            | Self::Adam { sparse_rule, .. }
            | Self::AdamW { sparse_rule, .. } => *sparse_rule == SparseRule::Dense,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epsilon_that_no_divisor_stands_is_refused() {
        for epsilon in [0.0, -1e-7, 1e-45, 1e31, f32::NAN, f32::INFINITY] {
            let optimizer = Optimizer::Adagrad {
                learning_rate: LearningRate::Constant(0.1),
                initial_accumulator_value: 0.1,
                epsilon,
            };
            let error = optimizer.check().unwrap_err().to_string();
            assert!(error.contains("epsilon") && error.contains("1.2e-38"), "{error}");
        }
    }

    #[test]
    fn names_and_defaults_round_trip() {
        for name in Optimizer::NAMES {
            let optimizer = Optimizer::by_name(name).unwrap();
            assert_eq!(optimizer.name(), name);
            optimizer.check().unwrap();
            let json = serde_json::to_string(&optimizer).unwrap();
            assert!(json.contains(&format!("\"name\":\"{name}\"")), "{json}");
            assert_eq!(serde_json::from_str::<Optimizer>(&json).unwrap(), optimizer);
        }
        assert!(Optimizer::by_name("adamax").is_none());
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let bad = Optimizer::RmsProp {
            learning_rate: LearningRate::Constant(0.1),
            rho: 1.0,
            epsilon: 1e-7,
            epsilon_placement: EpsilonPlacement::InsideRoot,
        };
        assert_eq!(bad.check().unwrap_err().to_string(), "rho = 1: must be at least 0 and below 1");
        let rate = Optimizer::sgd().with_learning_rate(LearningRate::Constant(f64::NAN));
        assert!(rate.check().unwrap_err().to_string().starts_with("learning_rate = NaN"));
    }
}
