//! No settings: the program chooses, and says what and why.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::documents::{Division, Prepared, Rows, divide, learnable_labels, log_loss};
use super::{ClassWeight, Classifier, ClassifierError, TrainingOptions, ValidationSplit};
use crate::corpus::Documents;
use crate::corpus::split::{stratified_folds, stratified_split};
use crate::evaluation::Calibration;
use crate::nn::{
    Activation, BatchReport, Callback, Flow, Initializer, LearningRate, Loss, Matrix, Optimizer,
    SparseRule, StopReason, with_threads,
};
use crate::text::{AnalyzerOptions, Idf, Norm, Selection, TermFrequency, VectorizerOptions};

/// What `auto` may not choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AutoOptions {
    /// Settles splits, weights, order and dropout. Default 0.
    pub seed: u64,
    /// Threads to work on, 0 for one a core. The model does not depend on it.
    pub threads: usize,
    /// Share of the documents by which is chosen and calibrated, from every class. Default 0.2.
    pub validation: f64,
}

impl Default for AutoOptions {
    fn default() -> Self {
        Self { seed: 0, threads: 0, validation: 0.2 }
    }
}

/// What `auto` tried and chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoRecord {
    /// Documents that the candidates were trained on, and those that they were held against.
    pub train_samples: usize,
    /// Held-out documents.
    pub held_out_samples: usize,
    /// Tokens of a document on average.
    pub mean_tokens: f64,
    /// The candidates, in the order tried.
    pub candidates: Vec<Candidate>,
    /// Place of the chosen one.
    pub chosen: usize,
}

/// One way to train, and how good it was on held-out documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// The features in a few words.
    pub features: String,
    /// Passes over the training documents.
    pub epochs: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Log loss after calibration.
    pub log_loss: f64,
}

/// Texts shorter than this on average, in tokens, have few words: their punctuation and the parts of
/// their words help.
const SHORT: f64 = 40.0;

/// Documents that candidates are trained on and held against are no more than this.
pub(crate) const MOST_TO_CHOOSE_BY: usize = 60_000;

/// Of more documents than that, so many stay out of the last training to calibrate by.
pub(crate) const MOST_HELD_OUT: f64 = 12_000.0;

/// Samples a step.
const BATCH: usize = 32;

/// Kinds of features that are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Features {
    Words,
    Punctuation,
    Parts,
}

impl Features {
    fn name(self) -> &'static str {
        match self {
            Self::Words => "words, pairs of words, beginnings of words",
            Self::Punctuation => "words, punctuation, pairs, beginnings of words",
            Self::Parts => "words, punctuation, pairs, beginnings and parts of words",
        }
    }

    fn options(self) -> VectorizerOptions {
        let kept = |min_df, weight| Selection { min_df, weight, ..Selection::default() };
        let base = VectorizerOptions {
            analyzer: AnalyzerOptions {
                mask_digits: true,
                punctuation: self != Self::Words,
                ..AnalyzerOptions::default()
            },
            word_ngrams: 2,
            ngrams: kept(3, 0.5),
            prefix_lengths: vec![4, 6],
            prefixes: kept(2, 0.4),
            max_features: Some(1 << 19),
            tf: TermFrequency::Log,
            idf: Idf::SqrtSmooth,
            class_spread: Some(0.1),
            norm: Norm::L2,
            ..VectorizerOptions::default()
        };
        match self {
            Self::Words => base,
            Self::Punctuation => VectorizerOptions { ngrams: kept(1, 0.7), ..base },
            Self::Parts => VectorizerOptions {
                ngrams: kept(1, 0.5),
                char_ngrams: Some((3, 5)),
                chars: kept(3, 0.3),
                ..base
            },
        }
    }
}

/// The settings for `samples` training documents and some features.
fn settings(
    features: Features,
    epochs: usize,
    samples: usize,
    auto: AutoOptions,
) -> TrainingOptions {
    const UNITS: usize = 64;
    const RATE: f64 = 3e-3;
    let steps = (samples.div_ceil(BATCH) * epochs) as u64;
    TrainingOptions {
        vectorizer: Some(features.options()),
        hidden: vec![UNITS],
        activation: Activation::Relu,
        // A tenth of He's, so that words learn what they mean before the network trusts them.
        kernel_initializer: Initializer::RandomUniform { limit: 0.1 * (6.0 / UNITS as f32).sqrt() },
        dropout: 0.5,
        optimizer: Optimizer::Adam {
            learning_rate: LearningRate::PolynomialDecay {
                initial_learning_rate: RATE,
                decay_steps: steps,
                end_learning_rate: RATE / 100.0,
                power: 1.0,
            },
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            sparse_rule: SparseRule::Lazy,
        },
        loss: Loss::CategoricalCrossentropy { label_smoothing: 0.15 },
        batch_size: BATCH,
        epochs,
        validation: ValidationSplit::None,
        patience: None,
        class_weight: ClassWeight::SquareRoot,
        seed: auto.seed,
        threads: auto.threads,
        ..TrainingOptions::default()
    }
}

/// Passes that so many documents usually need: more where there are few.
fn usual_epochs(samples: usize) -> usize {
    (90_000 / samples.max(1)).clamp(8, 15)
}

/// Features and epochs that are tried for so many documents of so many tokens on average.
fn tried(samples: usize, mean_tokens: f64) -> Vec<(Features, usize)> {
    let usual = usual_epochs(samples);
    match mean_tokens < SHORT {
        true => {
            vec![(Features::Parts, usual), (Features::Punctuation, usual), (Features::Words, usual)]
        }
        // Long texts have enough to tell them apart; what they differ in is how soon they are learned.
        false => vec![(Features::Words, usual), (Features::Words, usual.div_ceil(2))],
    }
}

/// The settings that are tried for so many documents of so many tokens on average; a learning rate
/// that falls does so over as many steps as all of them make.
pub(crate) fn candidates(
    samples: usize,
    mean_tokens: f64,
    auto: AutoOptions,
) -> Vec<TrainingOptions> {
    let tried = tried(samples, mean_tokens);
    tried.into_iter().map(|(features, epochs)| settings(features, epochs, samples, auto)).collect()
}

impl Classifier {
    /// Trains a classifier without settings: tries a few kinds of features and lengths of training on
    /// a stratified split of the documents, takes the one with the most right answers (of equals that
    /// with the lower log loss), calibrates it by the held-out documents, and trains once more on all. Of more than 60,000
    /// documents, so many are drawn to choose by, and 12,000 stay out of the last training to calibrate by.
    /// [`TrainingRecord::auto`](super::TrainingRecord::auto) tells what was tried.
    ///
    /// `go_on` is asked at every step of the candidates, on several threads, and ends the run by
    /// [`Flow::Stop`]; `callbacks` watch the last training.
    ///
    /// ```
    /// use slugline::classifier::{AutoOptions, Classifier};
    /// use slugline::corpus::Documents;
    /// use slugline::nn::Flow;
    ///
    /// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    /// for i in 0..20 {
    ///     documents.push(&format!("wheat and corn fell {i}"), 0);
    ///     documents.push(&format!("gold and silver rose {i}"), 1);
    /// }
    /// let classifier = Classifier::train_auto(&documents, "news", AutoOptions::default(), &|| Flow::Continue, &mut [])?;
    /// assert_eq!(classifier.predict("corn prices").label, "grain");
    /// # Ok::<(), slugline::classifier::ClassifierError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClassifierError::TooFew`] for documents of fewer than two classes, or fewer than two of every
    /// class; [`ClassifierError::LabelKind`] for documents with several labels;
    /// [`ClassifierError::Terms`] if no feature is left; [`ClassifierError::Interrupted`] if `go_on` ended
    /// the run.
    pub fn train_auto(
        documents: &Documents,
        name: &str,
        auto: AutoOptions,
        go_on: &(dyn Fn() -> Flow + Sync),
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Self, ClassifierError> {
        let labels = learnable_labels(documents)?;
        if !(auto.validation > 0.0 && auto.validation < 1.0) {
            let split = auto.validation.to_string();
            let (train, samples) = (0, documents.len());
            return Err(ClassifierError::Validation { split, train, samples });
        }
        with_threads(auto.threads, || choose(documents, labels, name, auto, go_on, callbacks))?
    }
}

/// Stops a candidate when asked to.
struct Watch<'a>(&'a (dyn Fn() -> Flow + Sync));

impl Callback for Watch<'_> {
    fn on_batch_end(&mut self, _: &BatchReport) -> Flow {
        (self.0)()
    }
}

fn choose(
    documents: &Documents,
    labels: &[u32],
    name: &str,
    auto: AutoOptions,
    go_on: &(dyn Fn() -> Flow + Sync),
    callbacks: &mut [&mut dyn Callback],
) -> Result<Classifier, ClassifierError> {
    let n = documents.len();
    // What is best for many is found on some of them.
    let large = n > MOST_TO_CHOOSE_BY;
    let sample: Vec<usize> = match large {
        true => stratified_split(labels, MOST_TO_CHOOSE_BY as f64 / n as f64, auto.seed).1,
        false => (0..n).collect(),
    };
    let sample_labels: Vec<u32> = sample.iter().map(|&i| labels[i]).collect();
    let count = (1.0 / auto.validation).round().max(2.0) as u32;
    let folds = stratified_folds(&sample_labels, count, auto.seed);
    let division = Division::by_fold(&sample, &folds, 0);

    let words = Prepared::new(documents, &Features::Words.options())?;
    let mean_tokens = words.tokenised.tokens() as f64 / n as f64;
    let short = mean_tokens < SHORT;
    let tried = tried(sample.len(), mean_tokens);
    let punctuated = match short {
        true => Some(Prepared::new(documents, &Features::Punctuation.options())?),
        false => None,
    };
    let prepared = |features: Features| match (&punctuated, features) {
        (Some(prepared), Features::Punctuation | Features::Parts) => prepared,
        _ => &words,
    };
    let mut kinds: Vec<Features> = tried.iter().map(|(features, _)| *features).collect();
    kinds.dedup();
    let rows: Vec<Rows> = kinds
        .par_iter()
        .map(|&features| prepared(features).rows(&division, &features.options()))
        .collect::<Result<_, _>>()?;
    // Each candidate on one thread: they need not wait for each other.
    let attempt = |&(features, epochs): &(Features, usize)| {
        let one = AutoOptions { threads: 1, ..auto };
        let options = settings(features, epochs, division.train.len(), one);
        let kind = kinds.iter().position(|kind| *kind == features).unwrap_or(0);
        let mut watch = Watch(go_on);
        let fitted = prepared(features).train(&rows[kind], &options, name, &mut [&mut watch])?;
        if fitted.0.record.history.stop_reason == StopReason::Interrupted {
            return Err(ClassifierError::Interrupted);
        }
        Ok(score(fitted, features, epochs, &rows[kind].y_held_out))
    };
    let results: Vec<(Candidate, Calibration)> =
        tried.par_iter().map(attempt).collect::<Result<_, ClassifierError>>()?;
    let better = |a: &Candidate, b: &Candidate| {
        a.accuracy.total_cmp(&b.accuracy).then(b.log_loss.total_cmp(&a.log_loss))
    };
    // The first of equals.
    let chosen = (0..results.len()).rev().max_by(|&a, &b| better(&results[a].0, &results[b].0));
    let chosen = chosen.unwrap_or(0);
    let (features, epochs) = tried[chosen];
    drop(rows);

    // Of many documents a few may stay out and calibrate the very network that answers.
    let last = match large {
        true => divide(labels, ValidationSplit::Fraction(MOST_HELD_OUT / n as f64), auto.seed)?,
        false => Division { train: (0..n).collect(), held_out: Vec::new() },
    };
    let options = settings(features, epochs, last.train.len(), auto);
    let prepared = prepared(features);
    let rows = prepared.rows(&last, &features.options())?;
    let (mut classifier, _) = prepared.train(&rows, &options, name, callbacks)?;
    if !large {
        classifier.calibration = results[chosen].1;
    }
    classifier.record.auto = Some(AutoRecord {
        train_samples: division.train.len(),
        held_out_samples: division.held_out.len(),
        mean_tokens,
        candidates: results.into_iter().map(|(candidate, _)| candidate).collect(),
        chosen,
    });
    Ok(classifier)
}

/// How good a candidate is on the held-out documents, and what calibrates it.
fn score(
    (classifier, mut probabilities): (Classifier, Matrix),
    features: Features,
    epochs: usize,
    y: &[u32],
) -> (Candidate, Calibration) {
    let calibration = classifier.calibration;
    calibration.apply_rows(&mut probabilities);
    let right = probabilities.argmax_rows().iter().zip(y).filter(|(a, b)| a == b).count();
    let candidate = Candidate {
        features: features.name().to_owned(),
        epochs,
        accuracy: right as f64 / y.len().max(1) as f64,
        log_loss: log_loss(&probabilities, y),
    };
    (candidate, calibration)
}
