//! Losses: the value and the gradient with respect to the last layer's pre-activations.

mod focal;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::NnError;
use crate::layers::Activation;
use crate::matrix::Targets;

/// What training makes small, under Keras's names. All are means over the samples; `p` are the
/// network's outputs for a sample, `y` its targets, `n` their number.
///
/// The losses of probabilities are computed together with the activation that makes them, from the
/// pre-activations, as Keras does with TensorFlow: nothing is clipped because nothing overflows.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// `−Σⱼ yⱼ·ln pⱼ` for rows of class probabilities (usually one-hot); needs a softmax output.
    CategoricalCrossentropy {
        /// Share `s` of each target spread evenly over the classes: `y·(1−s) + s/n`. Default 0.
        label_smoothing: f32,
    },
    /// `−ln p[label]` for integer labels; needs a softmax output. The default.
    #[default]
    SparseCategoricalCrossentropy,
    /// `−mean(y·ln p + (1−y)·ln(1−p))` for independent yes-or-no targets; needs a sigmoid output.
    BinaryCrossentropy {
        /// Share `s` that moves each target towards one half: `y·(1−s) + s/2`. Default 0.
        label_smoothing: f32,
    },
    /// `−α·Σⱼ (1 − pⱼ)^γ·yⱼ·ln pⱼ`: categorical cross-entropy in which samples that are answered
    /// well count little (Lin et al. 2017, "Focal Loss for Dense Object Detection"); needs a softmax
    /// output.
    CategoricalFocalCrossentropy {
        /// Factor of the whole, above 0. Default 0.25.
        alpha: f32,
        /// How much less the well-answered count, at least 0; 0 for the plain cross-entropy.
        /// Default 2.
        gamma: f32,
        /// As of [`CategoricalCrossentropy`](Self::CategoricalCrossentropy). Default 0.
        label_smoothing: f32,
    },
    /// `mean(w·(1 − p_t)^γ·b)` with the binary cross-entropy `b` of an output and
    /// `p_t = y·p + (1−y)·(1−p)`, the probability of what is true; needs a sigmoid output.
    BinaryFocalCrossentropy {
        /// Whether `w` is `y·α + (1−y)·(1−α)` rather than 1. Default no.
        apply_class_balancing: bool,
        /// Weight of yes beside that of no, from 0 to 1. Default 0.25.
        alpha: f32,
        /// As of [`CategoricalFocalCrossentropy`](Self::CategoricalFocalCrossentropy). Default 2.
        gamma: f32,
        /// As of [`BinaryCrossentropy`](Self::BinaryCrossentropy). Default 0.
        label_smoothing: f32,
    },
    /// `mean((p − y)²)` over the outputs.
    MeanSquaredError,
}

impl Loss {
    /// Categorical cross-entropy without smoothing.
    pub const CATEGORICAL_CROSSENTROPY: Self =
        Self::CategoricalCrossentropy { label_smoothing: 0.0 };
    /// Binary cross-entropy without smoothing.
    pub const BINARY_CROSSENTROPY: Self = Self::BinaryCrossentropy { label_smoothing: 0.0 };
    /// Categorical focal cross-entropy with Keras's defaults.
    pub const CATEGORICAL_FOCAL_CROSSENTROPY: Self =
        Self::CategoricalFocalCrossentropy { alpha: 0.25, gamma: 2.0, label_smoothing: 0.0 };
    /// Binary focal cross-entropy with Keras's defaults.
    pub const BINARY_FOCAL_CROSSENTROPY: Self = Self::BinaryFocalCrossentropy {
        apply_class_balancing: false,
        alpha: 0.25,
        gamma: 2.0,
        label_smoothing: 0.0,
    };

    /// Every name that [`by_name`](Self::by_name) knows.
    pub const NAMES: [&'static str; 6] = [
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        "binary_crossentropy",
        "categorical_focal_crossentropy",
        "binary_focal_crossentropy",
        "mean_squared_error",
    ];

    /// The loss of a name from [`NAMES`](Self::NAMES), with Keras's defaults.
    pub fn by_name(name: &str) -> Option<Self> {
        Some(match name {
            "categorical_crossentropy" => Self::CATEGORICAL_CROSSENTROPY,
            "sparse_categorical_crossentropy" => Self::SparseCategoricalCrossentropy,
            "binary_crossentropy" => Self::BINARY_CROSSENTROPY,
            "categorical_focal_crossentropy" => Self::CATEGORICAL_FOCAL_CROSSENTROPY,
            "binary_focal_crossentropy" => Self::BINARY_FOCAL_CROSSENTROPY,
            "mean_squared_error" => Self::MeanSquaredError,
            _ => return None,
        })
    }

    /// Keras's name of the loss.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CategoricalCrossentropy { .. } => "categorical_crossentropy",
            Self::SparseCategoricalCrossentropy => "sparse_categorical_crossentropy",
            Self::BinaryCrossentropy { .. } => "binary_crossentropy",
            Self::CategoricalFocalCrossentropy { .. } => "categorical_focal_crossentropy",
            Self::BinaryFocalCrossentropy { .. } => "binary_focal_crossentropy",
            Self::MeanSquaredError => "mean_squared_error",
        }
    }

    /// The share of label smoothing; 0 for a loss without.
    pub fn label_smoothing(&self) -> f32 {
        match *self {
            Self::CategoricalCrossentropy { label_smoothing }
            | Self::BinaryCrossentropy { label_smoothing }
            | Self::CategoricalFocalCrossentropy { label_smoothing, .. }
            | Self::BinaryFocalCrossentropy { label_smoothing, .. } => label_smoothing,
            Self::SparseCategoricalCrossentropy | Self::MeanSquaredError => 0.0,
        }
    }

    /// The activation that the last layer needs: softmax where the outputs are shares of one, sigmoid
    /// where each stands for itself; `None` for a loss that takes any.
    pub fn output_activation(&self) -> Option<Activation> {
        match self {
            Self::CategoricalCrossentropy { .. }
            | Self::SparseCategoricalCrossentropy
            | Self::CategoricalFocalCrossentropy { .. } => Some(Activation::Softmax),
            Self::BinaryCrossentropy { .. } | Self::BinaryFocalCrossentropy { .. } => {
                Some(Activation::Sigmoid)
            }
            Self::MeanSquaredError => None,
        }
    }

    /// Checks that the loss fits the output activation, and its own settings.
    pub(crate) fn check_output(&self, activation: Activation, units: usize) -> Result<(), NnError> {
        let wanted = self.output_activation();
        if let Some(wanted) = wanted.filter(|&wanted| wanted != activation) {
            return Err(NnError::Loss {
                loss: self.name(),
                problem: format!(
                    "needs a last layer with {wanted}, but it has {units} units with {activation}"
                ),
            });
        }
        let smoothing = self.label_smoothing();
        if !(0.0..1.0).contains(&smoothing) {
            return Err(NnError::Setting {
                name: "label_smoothing",
                value: smoothing.to_string(),
                expected: "at least 0 and below 1",
            });
        }
        let bad = |name, value: f32, expected| {
            Err(NnError::Setting { name, value: value.to_string(), expected })
        };
        match *self {
            Self::CategoricalFocalCrossentropy { gamma, .. }
            | Self::BinaryFocalCrossentropy { gamma, .. }
                if !(gamma.is_finite() && gamma >= 0.0) =>
            {
                bad("gamma", gamma, "a finite number of at least 0")
            }
            Self::CategoricalFocalCrossentropy { alpha, .. }
                if !(alpha.is_finite() && alpha > 0.0) =>
            {
                bad("alpha", alpha, "a finite number above 0")
            }
            Self::BinaryFocalCrossentropy { alpha, .. } if !(0.0..=1.0).contains(&alpha) => {
                bad("alpha", alpha, "from 0 to 1")
            }
            _ => Ok(()),
        }
    }

    /// Checks that the loss fits the targets.
    pub(crate) fn check_targets(&self, targets: &Targets, units: usize) -> Result<(), NnError> {
        let problem = match (self, targets) {
            (Self::SparseCategoricalCrossentropy, Targets::Rows(rows)) => format!(
                "takes integer labels, but the targets are rows of shape [{}, {}]; use categorical_crossentropy, \
                 or to_classes() on the targets",
                rows.rows(),
                rows.cols()
            ),
            (Self::SparseCategoricalCrossentropy, Targets::Classes(_)) | (_, Targets::Rows(_)) => {
                return targets.check(units);
            }
            (_, Targets::Classes(labels)) => format!(
                "takes target rows of shape [{}, {units}], but the targets are integer labels of shape [{}]; use \
                 sparse_categorical_crossentropy, or to_categorical() on the targets",
                labels.len(),
                labels.len()
            ),
        };
        Err(NnError::Loss { loss: self.name(), problem })
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A block of outputs that is turned into a loss and a gradient.
pub(crate) struct OutputBlock<'a> {
    /// Outputs of the last layer, one row of `units` a sample, `stride` apart.
    pub(crate) outputs: &'a [f32],
    /// Softmax's `ln Σ eᶻ` of each row; empty for other activations.
    pub(crate) log_sums: &'a [f64],
    /// Pre-activations, laid out as the outputs.
    pub(crate) logits: &'a [f32],
    pub(crate) units: usize,
    /// Distance of the rows of outputs, logits and gradients.
    pub(crate) stride: usize,
    /// Place of each row in the targets and weights.
    pub(crate) samples: &'a [usize],
}

/// How much samples and answers count.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LossWeights<'a> {
    /// Factor of each sample's loss; 1 each without.
    pub(crate) sample: Option<&'a [f32]>,
    /// Factor `w` of each output's loss where its target is 1: `1 + y·(w − 1)`. For the losses of
    /// independent outputs.
    pub(crate) positive: Option<&'a [f32]>,
}

/// Adds each row's weighted loss to `losses`, and puts into `gradient` the derivative of
/// `scale · Σ weight·loss` — with respect to the pre-activations for the cross-entropies, with
/// respect to the outputs for the mean squared error. An empty `gradient` asks for the losses alone.
///
/// Labels stand for one-hot rows with every loss.
pub(crate) fn loss_and_gradient(
    loss: Loss,
    block: &OutputBlock<'_>,
    targets: &Targets,
    weights: LossWeights<'_>,
    scale: f32,
    losses: &mut Vec<f64>,
    gradient: &mut [f32],
) {
    let OutputBlock { units, stride, .. } = *block;
    for (r, &sample) in block.samples.iter().enumerate() {
        let weight = weights.sample.map_or(1.0, |w| w[sample]);
        let gradient = gradient.get_mut(r * stride..r * stride + units).unwrap_or_default();
        let row = OutputRow {
            p: &block.outputs[r * stride..][..units],
            logits: &block.logits[r * stride..][..units],
            log_sum: block.log_sums.get(r).copied().unwrap_or_default(),
            factor: weight * scale,
            positive: weights.positive,
        };
        let value = match targets {
            Targets::Classes(labels) => row.label(loss, labels[sample], gradient),
            Targets::Rows(rows) => row.targets(loss, rows.row(sample).iter().copied(), gradient),
        };
        losses.push(value * f64::from(weight));
    }
}

/// One row of an [`OutputBlock`].
struct OutputRow<'a> {
    p: &'a [f32],
    logits: &'a [f32],
    log_sum: f64,
    factor: f32,
    positive: Option<&'a [f32]>,
}

impl OutputRow<'_> {
    /// Loss and gradient for an integer label.
    fn label(&self, loss: Loss, label: u32, gradient: &mut [f32]) -> f64 {
        let label = label as usize;
        match loss {
            Loss::SparseCategoricalCrossentropy
            | Loss::CategoricalCrossentropy { label_smoothing: 0.0 } => {
                for (g, p) in gradient.iter_mut().zip(self.p) {
                    *g = p * self.factor;
                }
                if let Some(g) = gradient.get_mut(label) {
                    *g = (self.p[label] - 1.0) * self.factor;
                }
                self.log_sum - f64::from(self.logits[label])
            }
            _ => {
                let one_hot = (0..self.p.len()).map(|j| f32::from(u8::from(j == label)));
                self.targets(loss, one_hot, gradient)
            }
        }
    }

    /// Loss and gradient for a row of target values.
    fn targets(
        &self,
        loss: Loss,
        y: impl Iterator<Item = f32> + Clone,
        gradient: &mut [f32],
    ) -> f64 {
        let n = self.p.len() as f32;
        let smoothed =
            |smoothing: f32, floor: f32| y.clone().map(move |y| y * (1.0 - smoothing) + floor);
        match loss {
            Loss::SparseCategoricalCrossentropy | Loss::CategoricalCrossentropy { .. } => {
                let smoothing = loss.label_smoothing();
                let y = smoothed(smoothing, smoothing / n);
                for ((g, p), y) in gradient.iter_mut().zip(self.p).zip(y.clone()) {
                    *g = (p - y) * self.factor;
                }
                y.zip(self.logits).map(|(y, &z)| f64::from(y) * (self.log_sum - f64::from(z))).sum()
            }
            Loss::BinaryCrossentropy { label_smoothing } => {
                let smooth = smoothed(label_smoothing, label_smoothing / 2.0);
                for ((g, p), y) in gradient.iter_mut().zip(self.p).zip(smooth.clone()) {
                    *g = (p - y) * (self.factor / n);
                }
                self.weigh_positives(y.clone(), gradient);
                let sum: f64 = smooth
                    .zip(self.logits)
                    .zip(self.positive_factors(y))
                    .map(|((y, &z), factor)| {
                        f64::from(factor) * focal::binary_crossentropy(f64::from(y), f64::from(z))
                    })
                    .sum();
                sum / f64::from(n)
            }
            Loss::CategoricalFocalCrossentropy { alpha, gamma, label_smoothing } => {
                let y = smoothed(label_smoothing, label_smoothing / n);
                let focal = focal::Categorical { alpha, gamma, log_sum: self.log_sum };
                focal.loss_and_gradient(y, self.logits, self.factor, gradient)
            }
            Loss::BinaryFocalCrossentropy {
                apply_class_balancing,
                alpha,
                gamma,
                label_smoothing,
            } => {
                let smooth = smoothed(label_smoothing, label_smoothing / 2.0);
                let focal =
                    focal::Binary { balance: apply_class_balancing.then_some(alpha), gamma };
                let factors = self.positive_factors(y);
                let mut sum = 0.0;
                for (j, ((y, &z), factor)) in smooth.zip(self.logits).zip(factors).enumerate() {
                    let (loss, slope) = focal.loss_and_slope(f64::from(y), f64::from(z));
                    sum += f64::from(factor) * loss;
                    if let Some(g) = gradient.get_mut(j) {
                        *g = (slope * f64::from(factor * self.factor / n)) as f32;
                    }
                }
                sum / f64::from(n)
            }
            Loss::MeanSquaredError => {
                for ((g, p), y) in gradient.iter_mut().zip(self.p).zip(y.clone()) {
                    *g = 2.0 * (p - y) * (self.factor / n);
                }
                let sum: f64 =
                    self.p.iter().zip(y).map(|(&p, y)| (f64::from(p) - f64::from(y)).powi(2)).sum();
                sum / f64::from(n)
            }
        }
    }

    /// The factor of each output's loss.
    fn positive_factors(&self, y: impl Iterator<Item = f32>) -> impl Iterator<Item = f32> {
        let weight = |j: usize| self.positive.and_then(|all| all.get(j)).copied().unwrap_or(1.0);
        y.enumerate().map(move |(j, y)| 1.0 + y * (weight(j) - 1.0))
    }

    /// Multiplies the gradient of each output by its factor.
    fn weigh_positives(&self, y: impl Iterator<Item = f32>, gradient: &mut [f32]) {
        if self.positive.is_some() {
            gradient.iter_mut().zip(self.positive_factors(y)).for_each(|(g, factor)| *g *= factor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    #[test]
    fn a_loss_that_does_not_fit_says_what_would() {
        let err = Loss::BINARY_CROSSENTROPY.check_output(Activation::Softmax, 46).unwrap_err();
        assert_eq!(
            err.to_string(),
            "loss binary_crossentropy needs a last layer with sigmoid, but it has 46 units with softmax"
        );
        let labels = Targets::from(vec![0, 1]);
        let err = Loss::CATEGORICAL_CROSSENTROPY.check_targets(&labels, 3).unwrap_err().to_string();
        assert!(err.contains("[2, 3]") && err.contains("to_categorical"), "{err}");
        let rows = Targets::from(Matrix::zeros(2, 3));
        let err =
            Loss::SparseCategoricalCrossentropy.check_targets(&rows, 3).unwrap_err().to_string();
        assert!(err.contains("[2, 3]") && err.contains("to_classes"), "{err}");
        let smoothing = Loss::CategoricalCrossentropy { label_smoothing: 1.0 };
        assert!(smoothing.check_output(Activation::Softmax, 3).is_err());
    }

    #[test]
    fn names_round_trip() {
        for name in Loss::NAMES {
            assert_eq!(Loss::by_name(name).unwrap().name(), name);
        }
        assert!(Loss::by_name("hinge").is_none());
    }
}
