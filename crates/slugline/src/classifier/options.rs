//! The settings of a training run.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ClassWeight;
use super::labels::loss_for;
use crate::corpus::LabelKind;
use crate::decision::DecisionOptions;
use crate::nn::{
    Activation, Dense, Dropout, Initializer, Layer, LearningRate, Loss, NnError, Optimizer,
    Regularizer, SparseRule,
};
use crate::text::{FeatureScaling, Selection, VectorizerOptions};

/// All settings of a training run; the command line's options have the same names and defaults.
///
/// The defaults are those of [`Preset::Notebook`], but for the seed nothing is random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingOptions {
    /// Which features texts have and what they are worth; `None`, the default, for the multi-hot
    /// rows of a numbered corpus.
    pub vectorizer: Option<VectorizerOptions>,
    /// What is made of the values of given features (SVMlight), which documents may have in place of
    /// text. Default nothing.
    pub feature_scaling: FeatureScaling,
    /// Number of features of multi-hot rows: word ids below it are used. Default 10,000.
    pub max_features: usize,
    /// Units of each hidden layer, first to last; empty for a linear model. Default 64, 64.
    pub hidden: Vec<usize>,
    /// Activation of the hidden layers. Default relu.
    pub activation: Activation,
    /// How the starting weights of the hidden layers are drawn. Default Glorot's even ones.
    pub kernel_initializer: Initializer,
    /// Share of each hidden layer's outputs dropped while training. Default 0.
    pub dropout: f32,
    /// Factor of the sum of absolute weights added to the loss. Default 0.
    pub l1: f32,
    /// Factor of the sum of squared weights added to the loss. Default 0.
    pub l2: f32,
    /// How weights follow the gradient. Default RMSprop as in Keras 2.2.4.
    pub optimizer: Optimizer,
    /// What is made small. Default categorical cross-entropy over one-hot labels.
    pub loss: Loss,
    /// Samples a step. Default 512.
    pub batch_size: usize,
    /// Passes over the training samples. Default 20.
    pub epochs: usize,
    /// Samples held out of the training part to validate on. Default the first 1,000.
    pub validation: ValidationSplit,
    /// Stop after this many epochs without a lower validation loss and go back to the best one.
    /// Default never.
    pub patience: Option<usize>,
    /// Factors of the classes' losses. Default none.
    pub class_weight: ClassWeight,
    /// Thresholds, and when the answer is `unknown`. Default none.
    pub decision: DecisionOptions,
    /// Epochs, the last ones, whose weights are averaged: see
    /// [`WeightAverage`](crate::nn::WeightAverage). Default 1, the last one alone.
    pub average: usize,
    /// Networks that are trained from different seeds and put together as one whose outputs, before
    /// the last activation, are the mean of theirs: see
    /// [`Sequential::ensemble`](crate::nn::Sequential::ensemble). Default 1.
    pub ensemble: usize,
    /// Settles starting weights, order and dropout. Default 0.
    pub seed: u64,
    /// Threads to work on, 0 for one a core. The model does not depend on it, so it is not recorded.
    #[serde(skip)]
    pub threads: usize,
}

impl Default for TrainingOptions {
    fn default() -> Self {
        Preset::Notebook.options()
    }
}

impl TrainingOptions {
    /// The same settings with a loss that goes with labels of a kind: for any number of labels a
    /// document the binary form of a categorical loss, for shares one that takes rows.
    ///
    /// ```
    /// use slugline::classifier::TrainingOptions;
    /// use slugline::corpus::LabelKind;
    ///
    /// let options = TrainingOptions::default().for_labels(LabelKind::Multi);
    /// assert_eq!(options.loss.name(), "binary_crossentropy");
    /// ```
    #[must_use]
    pub fn for_labels(self, kind: LabelKind) -> Self {
        Self { loss: loss_for(self.loss, kind), ..self }
    }

    /// Checks what the network does not check.
    pub(super) fn check(&self) -> Result<(), NnError> {
        let bad = |name, value: usize, expected| {
            Err(NnError::Setting { name, value: value.to_string(), expected })
        };
        match (self.average, self.ensemble, self.patience) {
            (0, ..) => bad("average", 0, "at least 1"),
            (_, 0, _) => bad("ensemble", 0, "at least 1"),
            (average @ 2.., _, Some(_)) => bad(
                "average",
                average,
                "1 beside a patience, which goes back to one epoch's weights",
            ),
            (average @ 2.., ..) if average > self.epochs => {
                bad("average", average, "no more than there are epochs")
            }
            _ => Ok(()),
        }
    }

    /// The layers for `classes` classes.
    pub fn layers(&self, classes: usize) -> Vec<Layer> {
        let regularizer = Regularizer { l1: self.l1, l2: self.l2 };
        let mut layers = Vec::new();
        for &units in &self.hidden {
            let dense = Dense::new(units)
                .activation(self.activation)
                .kernel_initializer(self.kernel_initializer);
            layers.push(dense.kernel_regularizer(regularizer).into());
            if self.dropout > 0.0 {
                layers.push(Dropout::new(self.dropout).into());
            }
        }
        let output = self.loss.output_activation().unwrap_or(Activation::Softmax);
        layers.push(Dense::new(classes).activation(output).kernel_regularizer(regularizer).into());
        layers
    }
}

/// Settings with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Preset {
    /// The published Keras example to the letter: 10,000 words, multi-hot, 64-64 relu, softmax,
    /// RMSprop with epsilon outside the root, batches of 512, 20 epochs, the first 1,000 training
    /// samples for validation.
    #[default]
    Notebook,
    /// A network to set up by hand over weighed text features: words and pairs of words of two
    /// documents at least by tf-idf (`1 + ln tf`, scikit-learn's idf, rows of length 1), 64 relu with
    /// half of them dropped, softmax, Adam with a rate of 0.001 that leaves absent features alone,
    /// batches of 32, 10 epochs, a tenth of every class to validate on and to calibrate by.
    Text,
}

impl Preset {
    /// Every preset.
    pub const ALL: [Self; 2] = [Self::Notebook, Self::Text];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notebook => "notebook",
            Self::Text => "text",
        }
    }

    /// The settings.
    pub fn options(self) -> TrainingOptions {
        match self {
            Self::Notebook => TrainingOptions {
                vectorizer: None,
                feature_scaling: FeatureScaling::None,
                max_features: 10_000,
                hidden: vec![64, 64],
                activation: Activation::Relu,
                kernel_initializer: Initializer::GlorotUniform,
                dropout: 0.0,
                l1: 0.0,
                l2: 0.0,
                optimizer: Optimizer::rmsprop_keras2(),
                loss: Loss::CATEGORICAL_CROSSENTROPY,
                batch_size: 512,
                epochs: 20,
                validation: ValidationSplit::First(1000),
                patience: None,
                class_weight: ClassWeight::None,
                decision: DecisionOptions::default(),
                average: 1,
                ensemble: 1,
                seed: 0,
                threads: 0,
            },
            Self::Text => TrainingOptions {
                vectorizer: Some(text_features()),
                hidden: vec![64],
                dropout: 0.5,
                optimizer: Optimizer::Adam {
                    learning_rate: LearningRate::Constant(0.001),
                    beta_1: 0.9,
                    beta_2: 0.999,
                    epsilon: 1e-7,
                    sparse_rule: SparseRule::Lazy,
                },
                batch_size: 32,
                epochs: 10,
                validation: ValidationSplit::Fraction(0.1),
                ..Self::Notebook.options()
            },
        }
    }
}

/// The features of [`Preset::Text`].
fn text_features() -> VectorizerOptions {
    let kept = Selection { min_df: 2, ..Selection::default() };
    let options = VectorizerOptions {
        words: kept,
        word_ngrams: 2,
        ngrams: kept,
        prefixes: kept,
        chars: kept,
        ..VectorizerOptions::default()
    };
    options.tf_idf(true)
}

/// Which training samples are held out for validation.
///
/// Of documents whose text has weighed features ([`TrainingOptions::vectorizer`]) a number or a share
/// is taken from every class instead, by lot, and settled by the seed.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValidationSplit {
    /// None.
    #[default]
    None,
    /// The first so many.
    First(usize),
    /// The last share, above 0 and below 1, as Keras's `validation_split`.
    Fraction(f64),
    /// The last so many, in every case: documents that were set apart beforehand, and put behind those
    /// to train on.
    Last(usize),
}

impl ValidationSplit {
    /// The positions of the samples to train on and of those held out, of `samples` in all. Either
    /// may be empty.
    pub fn ranges(self, samples: usize) -> (Range<usize>, Range<usize>) {
        match self {
            Self::None => (0..samples, 0..0),
            Self::First(n) => (n.min(samples)..samples, 0..n.min(samples)),
            Self::Fraction(share) => {
                let kept = ((samples as f64 * (1.0 - share)) as usize).min(samples);
                (0..kept, kept..samples)
            }
            Self::Last(n) => {
                let kept = samples.saturating_sub(n);
                (0..kept, kept..samples)
            }
        }
    }
}

impl fmt::Display for ValidationSplit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::First(n) | Self::Last(n) => write!(f, "{n}"),
            Self::Fraction(share) => write!(f, "{share}"),
        }
    }
}

impl FromStr for ValidationSplit {
    type Err = String;

    /// `none` or `0`, a whole number of samples, or a share below 1.
    fn from_str(s: &str) -> Result<Self, String> {
        match (s, s.parse::<usize>(), s.parse::<f64>()) {
            ("none", ..) | (_, Ok(0), _) => Ok(Self::None),
            (_, Ok(n), _) => Ok(Self::First(n)),
            (_, _, Ok(share)) if share > 0.0 && share < 1.0 => Ok(Self::Fraction(share)),
            _ => Err("expected a number of samples (1000), a share (0.2) or `none`".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_survive_json_and_refuse_unknown_names() {
        let options = TrainingOptions { epochs: 3, patience: Some(2), ..Default::default() };
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<TrainingOptions>(&json).unwrap(), options);
        assert!(serde_json::from_str::<TrainingOptions>(r#"{"epoch": 3}"#).is_err());
    }

    #[test]
    fn the_last_samples_are_held_out_of_any_number() {
        assert_eq!(ValidationSplit::Last(3).ranges(10), (0..7, 7..10));
        assert_eq!(ValidationSplit::Last(3).ranges(2), (0..0, 0..2));
    }

    #[test]
    fn validation_splits_are_read_as_printed() {
        for (text, want) in [
            ("none", ValidationSplit::None),
            ("1000", ValidationSplit::First(1000)),
            ("0.2", ValidationSplit::Fraction(0.2)),
        ] {
            assert_eq!(text.parse(), Ok(want));
            assert_eq!(want.to_string(), text);
        }
        for bad in ["1.5", "-1", "x", ""] {
            assert!(bad.parse::<ValidationSplit>().is_err(), "{bad}");
        }
    }

    #[test]
    fn layers_follow_the_options() {
        let options = TrainingOptions { hidden: vec![8, 4], dropout: 0.5, ..Default::default() };
        assert_eq!(options.layers(3).len(), 5);
        assert_eq!(TrainingOptions { hidden: vec![], ..options }.layers(3).len(), 1);
    }
}
