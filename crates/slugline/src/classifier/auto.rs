//! No settings: the program chooses, and says what and why.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::documents::{Division, Prepared, Rows, divide};
use super::labels::{Scores, loss_for, too_few};
use super::{ClassWeight, Classifier, ClassifierError, TrainingOptions, ValidationSplit};
use crate::corpus::{Documents, LabelKind, Labels};
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
    /// The documents by which is chosen and calibrated: a number or a share of every class, or the last
    /// ones, which are never trained on then. Default a share of 0.2.
    pub validation: ValidationSplit,
}

impl Default for AutoOptions {
    fn default() -> Self {
        Self { seed: 0, threads: 0, validation: ValidationSplit::Fraction(0.2) }
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
    /// Share of right answers; for any number of labels a document those with exactly its labels.
    pub accuracy: f64,
    /// F1 of all answers above one half together; for any number of labels a document alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub micro_f1: Option<f64>,
    /// Log loss after calibration; for any number of labels the mean over all classes.
    pub log_loss: f64,
}

/// Texts shorter than this on average, in tokens, have few words: their punctuation and the parts of
/// their words help.
const SHORT: f64 = 40.0;

/// Documents that candidates are trained on and held against are no more than this.
const MOST_TO_CHOOSE_BY: usize = 60_000;

/// Of more documents than that, so many stay out of the last training to calibrate by.
const MOST_HELD_OUT: f64 = 12_000.0;

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
    kind: LabelKind,
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
        loss: loss(kind),
        batch_size: BATCH,
        epochs,
        validation: ValidationSplit::None,
        patience: None,
        class_weight: class_weight(kind),
        seed: auto.seed,
        threads: auto.threads,
        ..TrainingOptions::default()
    }
}

/// The loss for labels of a kind. Soft labels and the many answers "no" of independent classes are
/// left as they are: they tell how sure to be.
fn loss(kind: LabelKind) -> Loss {
    let label_smoothing = if kind == LabelKind::Single { 0.15 } else { 0.0 };
    loss_for(Loss::CategoricalCrossentropy { label_smoothing }, kind)
}

/// How much rare classes count.
fn class_weight(kind: LabelKind) -> ClassWeight {
    match kind {
        LabelKind::Single | LabelKind::Soft => ClassWeight::SquareRoot,
        LabelKind::Multi => ClassWeight::None,
    }
}

/// Passes that so many documents usually need: more where there are few.
fn usual_epochs(samples: usize) -> usize {
    (90_000 / samples.max(1)).clamp(8, 15)
}

impl Classifier {
    /// Trains a classifier without settings: tries a few kinds of features and lengths of training on
    /// a stratified split of the documents, takes the one with the most right answers (of equals that
    /// with the lower log loss; for any number of labels a document that with the highest micro F1 above
    /// one half, for soft labels that with the lowest log loss), calibrates it by the held-out documents, and trains once more on all. Of more than 60,000
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
    /// class; [`ClassifierError::Validation`] where nothing or all would be held out;
    /// [`ClassifierError::Terms`] if no feature is left; [`ClassifierError::Interrupted`] if `go_on` ended
    /// the run.
    pub fn train_auto(
        documents: &Documents,
        name: &str,
        auto: AutoOptions,
        go_on: &(dyn Fn() -> Flow + Sync),
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Self, ClassifierError> {
        let labels = documents.labels();
        let counts = documents.class_counts();
        if too_few(&counts, labels.kind()) {
            let classes = counts.iter().filter(|&&count| count > 0).count();
            return Err(ClassifierError::TooFew { documents: documents.len(), classes });
        }
        let samples = documents.len();
        let share = match auto.validation {
            ValidationSplit::Fraction(share) => share,
            ValidationSplit::First(n) | ValidationSplit::Last(n) => n as f64 / samples as f64,
            ValidationSplit::None => 0.0,
        };
        if !(share > 0.0 && share < 1.0) {
            let split = auto.validation.to_string();
            let train = auto.validation.ranges(samples).0.len();
            return Err(ClassifierError::Validation { split, train, samples });
        }
        with_threads(auto.threads, || {
            choose(documents, labels, share, name, auto, go_on, callbacks)
        })?
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
    labels: &Labels,
    share: f64,
    name: &str,
    auto: AutoOptions,
    go_on: &(dyn Fn() -> Flow + Sync),
    callbacks: &mut [&mut dyn Callback],
) -> Result<Classifier, ClassifierError> {
    let (n, kind) = (documents.len(), labels.kind());
    // What is best for many is found on some of them.
    let large = n > MOST_TO_CHOOSE_BY;
    let apart = matches!(auto.validation, ValidationSplit::Last(_));
    let division = if apart {
        let (train, held_out) = auto.validation.ranges(n);
        let train = match train.len() > MOST_TO_CHOOSE_BY {
            true => {
                let some = MOST_TO_CHOOSE_BY as f64 / train.len() as f64;
                labels.select(&train.collect::<Vec<_>>()).split(some, auto.seed).1
            }
            false => train.collect(),
        };
        Division { train, held_out: held_out.collect() }
    } else {
        let sample: Vec<usize> = match large {
            true => labels.split(MOST_TO_CHOOSE_BY as f64 / n as f64, auto.seed).1,
            false => (0..n).collect(),
        };
        let count = (1.0 / share).round().max(2.0) as u32;
        let folds = labels.select(&sample).folds(count, auto.seed);
        Division::by_fold(&sample, &folds, 0)
    };

    let words = Prepared::new(documents, &Features::Words.options())?;
    let mean_tokens = words.tokenised.tokens() as f64 / n as f64;
    let short = mean_tokens < SHORT;
    let usual = usual_epochs(division.train.len() + division.held_out.len());
    let tried: &[(Features, usize)] = match short {
        true => {
            &[(Features::Parts, usual), (Features::Punctuation, usual), (Features::Words, usual)]
        }
        // Long texts have enough to tell them apart; what they differ in is how soon they are learned.
        false => &[(Features::Words, usual), (Features::Words, usual.div_ceil(2))],
    };
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
        let options = settings(features, epochs, division.train.len(), one, kind);
        let place = kinds.iter().position(|kind| *kind == features).unwrap_or(0);
        let mut watch = Watch(go_on);
        let fitted = prepared(features).train(&rows[place], &options, name, &mut [&mut watch])?;
        if fitted.0.record.history.stop_reason == StopReason::Interrupted {
            return Err(ClassifierError::Interrupted);
        }
        Ok(score(fitted, &rows[place].y_held_out))
    };
    let results: Vec<(Scores, Calibration)> =
        tried.par_iter().map(attempt).collect::<Result<_, ClassifierError>>()?;
    // The first of equals.
    let better = |&a: &usize, &b: &usize| results[a].0.compare(&results[b].0, kind);
    let chosen = (0..results.len()).rev().max_by(better);
    let chosen = chosen.unwrap_or(0);
    let (features, epochs) = tried[chosen];
    drop(rows);

    // Of many documents a few may stay out and calibrate the very network that answers.
    let last = match large {
        _ if apart => divide(labels, auto.validation, auto.seed)?,
        true => divide(labels, ValidationSplit::Fraction(MOST_HELD_OUT / n as f64), auto.seed)?,
        false => Division { train: (0..n).collect(), held_out: Vec::new() },
    };
    let options = settings(features, epochs, last.train.len(), auto, kind);
    let prepared = prepared(features);
    let rows = prepared.rows(&last, &features.options())?;
    let (mut classifier, _) = prepared.train(&rows, &options, name, callbacks)?;
    if last.held_out.is_empty() {
        classifier.calibration = results[chosen].1.clone();
    }
    classifier.record.auto = Some(AutoRecord {
        train_samples: division.train.len(),
        held_out_samples: division.held_out.len(),
        mean_tokens,
        candidates: tried
            .iter()
            .zip(results)
            .map(|(&(features, epochs), (scores, _))| Candidate {
                features: features.name().to_owned(),
                epochs,
                accuracy: scores.accuracy,
                micro_f1: scores.micro_f1,
                log_loss: scores.log_loss,
            })
            .collect(),
        chosen,
    });
    Ok(classifier)
}

/// How good a candidate is on the held-out documents, and what calibrates it.
fn score(
    (classifier, mut probabilities): (Classifier, Matrix),
    y: &Labels,
) -> (Scores, Calibration) {
    let calibration = classifier.calibration;
    calibration.apply_rows(&mut probabilities);
    (Scores::new(&probabilities, y), calibration)
}
