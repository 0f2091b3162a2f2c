//! Learning rates that change with the step.

use serde::{Deserialize, Serialize};

use crate::NnError;

/// A learning rate: fixed, or one of Keras's schedules. Steps (batches) count from 0; `s` is the
/// step, `η₀` the `initial_learning_rate`, `d` the `decay_steps`.
///
/// ```
/// use slugline_nn::LearningRate;
///
/// let rate = LearningRate::ExponentialDecay {
///     initial_learning_rate: 0.1, decay_steps: 10, decay_rate: 0.5, staircase: false,
/// };
/// assert!((rate.at(20) - 0.025).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LearningRate {
    /// The same at every step.
    Constant(f64),
    /// `η₀ · rate^(s/d)`; with `staircase` the exponent is rounded down.
    ExponentialDecay {
        /// `η₀`.
        initial_learning_rate: f64,
        /// `d`.
        decay_steps: u64,
        /// Factor over `d` steps.
        decay_rate: f64,
        /// Falls in steps rather than smoothly.
        staircase: bool,
    },
    /// `(η₀ − end)·(1 − min(s, d)/d)^power + end`. With `power` 1 a straight line.
    PolynomialDecay {
        /// `η₀`.
        initial_learning_rate: f64,
        /// `d`.
        decay_steps: u64,
        /// Value from step `d` on.
        end_learning_rate: f64,
        /// Exponent.
        power: f64,
    },
    /// `η₀ / (1 + rate·s/d)`; with `staircase` the fraction is rounded down.
    InverseTimeDecay {
        /// `η₀`.
        initial_learning_rate: f64,
        /// `d`.
        decay_steps: u64,
        /// How fast it falls.
        decay_rate: f64,
        /// Falls in steps rather than smoothly.
        staircase: bool,
    },
    /// A half cosine from the starting value down to `alpha` times it over `d` steps, after an
    /// optional linear rise from `η₀` to `warmup_target` over `warmup_steps`.
    CosineDecay {
        /// `η₀`.
        initial_learning_rate: f64,
        /// `d`.
        decay_steps: u64,
        /// Share of the starting value that is left at the end.
        alpha: f64,
        /// Where the rise ends and the fall begins; `None` for no rise.
        warmup_target: Option<f64>,
        /// Length of the rise.
        warmup_steps: u64,
    },
    /// `values[i]` up to and including step `boundaries[i]`, and the last value after that.
    PiecewiseConstantDecay {
        /// Rising steps.
        boundaries: Vec<u64>,
        /// One value more than boundaries.
        values: Vec<f64>,
    },
}

impl LearningRate {
    /// The learning rate at `step`, counted from 0.
    pub fn at(&self, step: u64) -> f64 {
        let fraction = |decay_steps: &u64, staircase: &bool| {
            let p = step as f64 / *decay_steps as f64;
            if *staircase { p.floor() } else { p }
        };
        match self {
            Self::Constant(rate) => *rate,
            Self::ExponentialDecay {
                initial_learning_rate,
                decay_steps,
                decay_rate,
                staircase,
            } => initial_learning_rate * libm::pow(*decay_rate, fraction(decay_steps, staircase)),
            Self::PolynomialDecay {
                initial_learning_rate,
                decay_steps,
                end_learning_rate,
                power,
            } => {
                let left = 1.0 - step.min(*decay_steps) as f64 / *decay_steps as f64;
                (initial_learning_rate - end_learning_rate) * libm::pow(left, *power)
                    + end_learning_rate
            }
            Self::InverseTimeDecay {
                initial_learning_rate,
                decay_steps,
                decay_rate,
                staircase,
            } => initial_learning_rate / (1.0 + decay_rate * fraction(decay_steps, staircase)),
            Self::CosineDecay {
                initial_learning_rate,
                decay_steps,
                alpha,
                warmup_target,
                warmup_steps,
            } => {
                let (start, step) = match warmup_target {
                    None => (*initial_learning_rate, step),
                    Some(target) if step < *warmup_steps => {
                        let risen = step as f64 / *warmup_steps as f64;
                        return initial_learning_rate + (target - initial_learning_rate) * risen;
                    }
                    Some(target) => (*target, step - warmup_steps),
                };
                let done = step.min(*decay_steps) as f64 / *decay_steps as f64;
                let cosine = 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done));
                start * ((1.0 - alpha) * cosine + alpha)
            }
            Self::PiecewiseConstantDecay { boundaries, values } => {
                let i = boundaries.iter().take_while(|&&b| step > b).count();
                values.get(i).copied().unwrap_or_default()
            }
        }
    }

    pub(crate) fn check(&self) -> Result<(), NnError> {
        let bad = |name, value: String, expected| Err(NnError::Setting { name, value, expected });
        let rates = match self {
            Self::Constant(rate) => vec![*rate],
            Self::ExponentialDecay { initial_learning_rate, decay_rate, .. }
            | Self::InverseTimeDecay { initial_learning_rate, decay_rate, .. } => {
                if !(decay_rate.is_finite() && *decay_rate >= 0.0) {
                    return bad(
                        "decay_rate",
                        decay_rate.to_string(),
                        "a finite number of at least 0",
                    );
                }
                vec![*initial_learning_rate]
            }
            Self::PolynomialDecay { initial_learning_rate, end_learning_rate, power, .. } => {
                if !(power.is_finite() && *power >= 0.0) {
                    return bad("power", power.to_string(), "a finite number of at least 0");
                }
                vec![*initial_learning_rate, *end_learning_rate]
            }
            Self::CosineDecay { initial_learning_rate, alpha, warmup_target, .. } => {
                if !(0.0..=1.0).contains(alpha) {
                    return bad("alpha", alpha.to_string(), "from 0 to 1");
                }
                [Some(*initial_learning_rate), *warmup_target].into_iter().flatten().collect()
            }
            Self::PiecewiseConstantDecay { boundaries, values } => {
                let rising = boundaries.windows(2).all(|w| w[0] < w[1]);
                if !rising || values.len() != boundaries.len() + 1 {
                    return bad(
                        "boundaries",
                        format!("{boundaries:?} with {} values", values.len()),
                        "rising, with one value more than boundaries",
                    );
                }
                values.clone()
            }
        };
        if let Some(rate) = rates.iter().find(|r| !(r.is_finite() && **r >= 0.0)) {
            return bad("learning_rate", rate.to_string(), "a finite number of at least 0");
        }
        match self {
            Self::ExponentialDecay { decay_steps: 0, .. }
            | Self::PolynomialDecay { decay_steps: 0, .. }
            | Self::InverseTimeDecay { decay_steps: 0, .. }
            | Self::CosineDecay { decay_steps: 0, .. } => {
                bad("decay_steps", "0".into(), "at least 1")
            }
            _ => Ok(()),
        }
    }
}
