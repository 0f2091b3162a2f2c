//! Settings of a training by name, and the plan that they make.
//!
//! This is where a name such as `max_df` gets its meaning, for the command line as for other
//! languages: which values it takes, which preset is meant when none is named, and which setting has
//! no meaning beside which.

mod base;
mod error;
mod features;
mod loss;
mod optimizer;
mod plan;
mod rules;
mod table;
#[cfg(test)]
mod tests;
mod told;
mod value;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::table::{Given, Group, settings};
use self::value::{Rule, Value};
use super::{ClassWeight, ValidationSplit};
use crate::decision::Threshold;
use crate::nn::{Activation, EpsilonPlacement, MAX_THREADS, SparseRule};
use crate::text::{FeatureScaling, Idf, Norm, Normalization, TermFrequency, TokenRule};

pub use base::Base;
pub use error::SettingsError;
pub use optimizer::Schedule;
pub use plan::TrainingPlan;
pub use told::Setting;
pub use value::OrNone;

/// Largest hidden layer.
const MOST_UNITS: usize = 1 << 16;
/// Most input features: with 64 units behind them, the largest network takes 4 GB.
const MOST_FEATURES: usize = 1 << 24;
/// Most networks of an ensemble: more cost more, and gain nothing that has been seen.
const MOST_NETWORKS: usize = 64;

const SHARE: Rule<f32> =
    Rule::new("a number of at least 0 and below 1", |x| (0.0..1.0).contains(x));
const PROBABILITY: Rule<f32> = Rule::new("a number from 0 to 1", |x| (0.0..=1.0).contains(x));
const NOT_NEGATIVE: Rule<f32> = Rule::new("a number of at least 0", |x| x.is_finite() && *x >= 0.0);
const ABOVE_ZERO: Rule<f32> = Rule::new("a number above 0", |x| x.is_finite() && *x > 0.0);
const COUNT: Rule<usize> =
    Rule::new("a whole number from 1 to 4294967295", |n| (1..=u32::MAX as usize).contains(n));
const YES_OR_NO: Rule<bool> = Rule::new("yes or no", |_| true);

settings! {
    /// The settings of a training by name, in the order of the road; each is that of the preset where
    /// it is left out.
    ///
    /// In JSON it is an object of those that are given, under the names of the fields; the words of
    /// the command line are understood too, such as `"64,64"` for `[64, 64]`. Unknown names and values
    /// out of range are refused.
    ///
    /// ```
    /// use slugline::classifier::{OrNone, Preset, Settings};
    ///
    /// let settings = Settings { hidden: Some(vec![128]), dropout: Some(0.3), ..Settings::default() };
    /// // Settings without a preset are those of the published network.
    /// let options = settings.plan()?.options(9000);
    /// assert_eq!((options.hidden, options.epochs), (vec![128], 20));
    ///
    /// let settings: Settings = serde_json::from_str(r#"{"char_ngrams": [3, 5], "max_df": 0.5}"#)?;
    /// assert_eq!(settings.char_ngrams, Some(OrNone::Value((3, 5))));
    /// // A text feature means weighed text features.
    /// assert_eq!(settings.plan()?.preset(), Some(Preset::Text));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub struct Settings {
        /// Where the settings that are left out come from. By default `text` if a text feature is
        /// given, `notebook` if another setting is, `auto` if none is that `auto` chooses.
        Common preset: Base = Rule::choice();

        /// Number of features, from 1 to 2²⁴: word ids below it are used; of text features those of the
        /// most documents, or all.
        Training max_features: OrNone<usize> = Rule::new(
            "a whole number from 1 to 16777216, or `none`",
            |n| n.value().is_none_or(|n| (1..=MOST_FEATURES).contains(&n)));
        /// Tokens of the longest n-gram of neighbouring words, from 1, for words alone, to 8.
        Text ngrams: usize = Rule::new("a number from 1 to 8", |n| (1..=8).contains(n));
        /// Characters of the shortest and the longest part of words that are features too, from 1 to 8.
        Text char_ngrams: OrNone<(usize, usize)> = Rule::new(
            "two numbers from 1 to 8 with a dash (3-5), or `none`",
            |range| range.value().is_none_or(|(from, to)| 1 <= from && from <= to && to <= 8));
        /// Characters of the beginnings of words that are features too, from 1 to 64; empty for none.
        Text prefixes: Vec<usize> = Rule::new(
            "numbers from 1 to 64 with commas (4,6), or `none`",
            |lengths| lengths.iter().all(|n| (1..=64).contains(n)));
        /// Features of fewer documents are left out; at least 1.
        Text min_df: u32 = Rule::new("a whole number from 1 to 4294967295", |n| *n >= 1);
        /// Features of a larger share of the documents are left out; above 0 and up to 1.
        Text max_df: f64 =
            Rule::new("a number above 0 and up to 1", |share| *share > 0.0 && *share <= 1.0);
        /// What repetition counts.
        Text tf: TermFrequency = Rule::choice();
        /// What rarity counts.
        Text idf: Idf = Rule::choice();
        /// What a document's values are divided by.
        Text norm: Norm = Rule::choice();
        /// Features count by how unevenly they are spread over the classes, and by this at least; a
        /// number of at least 0.
        Text class_spread: OrNone<f32> = Rule::new(
            "a number of at least 0, or `none`",
            |floor| floor.value().is_none_or(|x| x.is_finite() && x >= 0.0));
        /// Features are so many bits of buckets that names are hashed into, rather than a vocabulary;
        /// from 4 to 30.
        Text hashing: OrNone<u32> = Rule::new(
            "a number of bits from 4 to 30, or `none`",
            |bits| bits.value().is_none_or(|bits| (4..=30).contains(&bits)));
        /// What a token is.
        Text token_rule: TokenRule = Rule::choice();
        /// Unicode's normal form that texts are brought into.
        Text normalization: Normalization = Rule::choice();
        /// Whether upper and lower case are the same.
        Text lowercase: bool = YES_OR_NO;
        /// Whether punctuation makes tokens too.
        Text punctuation: bool = YES_OR_NO;
        /// Whether numbers of as many digits are the same word.
        Text mask_digits: bool = YES_OR_NO;

        /// Units of each hidden layer, from 1 to 65,536; empty for a linear model.
        Training hidden: Vec<usize> = Rule::new(
            "numbers from 1 to 65536 with commas (64,64), or `none`",
            |layers| layers.iter().all(|n| (1..=MOST_UNITS).contains(n)));
        /// Activation of the hidden layers.
        Training activation: Activation = Rule::choice();
        /// Share of each hidden layer's outputs dropped while training, below 1.
        Training dropout: f32 = SHARE;
        /// Factor of the sum of absolute weights added to the loss, at least 0.
        Training l1: f32 = NOT_NEGATIVE;
        /// Factor of the sum of squared weights added to the loss, at least 0.
        Training l2: f32 = NOT_NEGATIVE;

        /// Name of what is made small, one of [`Loss::NAMES`](crate::nn::Loss::NAMES). Where it is left
        /// out, the form of the preset's that goes with the kind of labels.
        Loss loss: &'static str = Rule::LOSS;
        /// Share of each target spread over the classes, below 1.
        Loss label_smoothing: f32 = SHARE;
        /// How much less samples count that are answered well, at least 0; of focal losses.
        Loss gamma: f32 = NOT_NEGATIVE;
        /// Factor of the categorical focal loss, above 0; weight of yes beside no of the binary one, up
        /// to 1, with `apply_class_balancing`.
        Loss alpha: f32 = ABOVE_ZERO;
        /// Whether yes weighs `alpha` and no `1 - alpha`; of the binary focal loss.
        Loss apply_class_balancing: bool = YES_OR_NO;

        /// What is made of the values of given features (SVMlight).
        Training feature_scaling: FeatureScaling = Rule::choice();

        /// Name of how weights follow the gradient, one of
        /// [`Optimizer::NAMES`](crate::nn::Optimizer::NAMES). The preset's one keeps the preset's settings,
        /// another one has its own defaults.
        Optimizer optimizer: &'static str = Rule::OPTIMIZER;
        /// Learning rate of the first step, at least 0.
        Optimizer learning_rate: f64 =
            Rule::new("a number of at least 0", |rate| rate.is_finite() && *rate >= 0.0);
        /// How the learning rate changes over the run. Default constant.
        Optimizer schedule: Schedule = Rule::choice();
        /// Share of the last step that goes on, below 1.
        Optimizer momentum: f32 = SHARE;
        /// Nesterov's form of momentum.
        Optimizer nesterov: bool = YES_OR_NO;
        /// How slowly the mean of squared gradients forgets, below 1.
        Optimizer rho: f32 = SHARE;
        /// Starting value of the sum of squared gradients, at least 0.
        Optimizer initial_accumulator: f32 = NOT_NEGATIVE;
        /// How slowly the mean of gradients forgets, below 1.
        Optimizer beta_1: f32 = SHARE;
        /// How slowly the mean of squared gradients forgets, below 1.
        Optimizer beta_2: f32 = SHARE;
        /// What keeps the division from zero, above 0.
        Optimizer epsilon: f32 = ABOVE_ZERO.shown(|epsilon| format!("{epsilon:e}"));
        /// Where epsilon is added: `inside` the root or `outside`.
        Optimizer epsilon_placement: EpsilonPlacement = Rule::choice();
        /// Share of each weight taken off at each step, times the learning rate; at least 0.
        Optimizer weight_decay: f32 = NOT_NEGATIVE;
        /// What is done with features that a batch does not contain.
        Optimizer sparse_rule: SparseRule = Rule::choice();

        /// Passes over the training samples, at least 1.
        Training epochs: usize = COUNT;
        /// Samples a step, at least 1.
        Training batch_size: usize = COUNT;
        /// What is held out: a whole number of documents, a share below 1, or none.
        /// [`ValidationSplit::Last`] has no words of its own.
        Common validation: ValidationSplit = Rule::new(
            "a number of samples (1000), a share (0.2) or `none`",
            |split| !matches!(split, ValidationSplit::Fraction(x) if !(*x > 0.0 && *x < 1.0)));
        /// Stop after so many epochs without a lower validation loss, and go back to the best one.
        Training patience: OrNone<usize> = Rule::new("a whole number, or `none`", |_| true);
        /// How much each class counts: a rule, or factors by class name.
        Training class_weight: ClassWeight = Rule::new(
            "none, balanced, sqrt, or a factor of at least 0 for each class named",
            |weight| match weight {
                ClassWeight::Named(factors) => factors.values().all(|x| x.is_finite() && *x >= 0.0),
                _ => true,
            });
        /// Thresholds of the classes: for an aim, fitted on held-out documents, or one for all.
        Common threshold: Threshold = Rule::new(
            "f1, precision=P or recall=R (shares above 0, at most 1), a number from 0 to 1, or `none`",
            |threshold| threshold.to_string().parse::<Threshold>().is_ok());
        /// Answer `unknown` where the largest probability is below this, from 0 to 1. Default 0.
        Common min_confidence: f32 = PROBABILITY;
        /// Answer `unknown` where the share of unknown words is above this, from 0 to 1. Default 1.
        Common max_unknown_words: f32 = PROBABILITY;
        /// Epochs, the last ones, whose weights are averaged; at least 1, which is the default.
        Common average: usize = COUNT;
        /// Networks of different seeds that are put together as one, from 1, the default, to 64.
        Common ensemble: usize =
            Rule::new("a whole number from 1 to 64", |n| (1..=MOST_NETWORKS).contains(n));
        /// Settles starting weights, order and dropout. Default 0.
        Common seed: u64 = Rule::new("a whole number of at least 0", |_| true);
        /// Threads to work on, 0, the default, for one a core. The model does not depend on it.
        Common threads: usize =
            Rule::new("a whole number from 0 to 1024", |threads| *threads <= MAX_THREADS);
    }
}

settings! {
    /// How a numbered corpus is loaded, by name: see
    /// [`SequenceOptions`](crate::corpus::SequenceOptions), whose defaults they have.
    ///
    /// ```
    /// use slugline::classifier::{LoadingSettings, OrNone};
    ///
    /// let json = r#"{"maxlen": 300, "oov_char": "none"}"#;
    /// let options = serde_json::from_str::<LoadingSettings>(json)?.options(10_000);
    /// assert_eq!((options.num_words, options.maxlen, options.oov_char), (Some(10_000), Some(300), None));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub struct LoadingSettings {
        /// Word ids below it are left out. Default 0.
        Loading skip_top: u32 = Rule::new("a whole number of at least 0", |_| true);
        /// Documents with so many ids or more are left out. Default none.
        Loading maxlen: OrNone<usize> = Rule::new("a whole number, or `none`", |_| true);
        /// Share of the documents kept for testing, from 0 to 1. Default 0.2.
        Loading test_split: f64 = Rule::new("a number from 0 to 1", |x| (0.0..=1.0).contains(x));
        /// Seed of the shuffle before the split. Default 113.
        Loading split_seed: u32 = Rule::new("a whole number of at least 0", |_| true);
        /// Id put before every document. Default 1.
        Loading start_char: OrNone<u32> = Rule::new("a whole number, or `none`", |_| true);
        /// Id of a word that is left out; none to drop it. Default 2.
        Loading oov_char: OrNone<u32> = Rule::new("a whole number, or `none`", |_| true);
        /// Added to every word's rank. Default 3.
        Loading index_from: u32 = Rule::new("a whole number of at least 0", |_| true);
    }
}
