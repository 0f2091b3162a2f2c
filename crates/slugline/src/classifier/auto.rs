//! No settings: the program chooses, and says what and why.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::documents::{Division, Prepared, Whole, check_enough, divide, identity};
use super::labels::Scores;
use super::recipe::{Features, MANY, MOST_HELD_OUT, Recipe};
use super::{Classifier, ClassifierError, ValidationSplit, features};
use crate::checkpoint::Checkpoints;
use crate::corpus::{Content, Documents, LabelKind, Labels};
use crate::decision::{DecisionOptions, Decisions};
use crate::evaluation::Calibration;
use crate::nn::{BatchReport, Callback, Flow, Matrix, StopReason, with_threads};

/// What `auto` may not choose.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AutoOptions {
    /// Settles splits, weights, order and dropout. Default 0.
    pub seed: u64,
    /// Threads to work on, 0 for one a core. The model does not depend on it.
    #[serde(skip)]
    pub threads: usize,
    /// The documents by which is chosen and calibrated: a number or a share of every class, or the last
    /// ones, which are never trained on then. Default a share of 0.2.
    pub validation: ValidationSplit,
    /// Thresholds, fitted on the same documents, and when the answer is `unknown`. Default none.
    pub decision: DecisionOptions,
    /// Epochs, the last ones, whose weights are averaged; all where there are fewer. Default 1.
    pub average: usize,
    /// Networks that are put together as one, in every candidate too. Default 1.
    pub ensemble: usize,
}

impl Default for AutoOptions {
    fn default() -> Self {
        Self {
            seed: 0,
            threads: 0,
            validation: ValidationSplit::Fraction(0.2),
            decision: DecisionOptions::default(),
            average: 1,
            ensemble: 1,
        }
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

impl Classifier {
    /// Trains a classifier without settings: takes the features that suit the number and the length of
    /// the documents and, for one class a document, the units that suit the number of classes; tries
    /// lengths of training on a stratified split of the documents, takes the one with the most right answers (for any number of
    /// labels a document that with the highest micro F1 of answers above one half; within half a standard
    /// error one whose log loss is lower by a hundredth; for soft labels that with the lowest log loss), calibrates
    /// it by the held-out documents ([`Calibration::fit`]), and trains once more on all. Of more than
    /// 60,000 documents, so many are drawn to choose by, and 12,000 stay out of the last training to
    /// calibrate by.
    ///
    /// [`TrainingRecord::auto`](super::TrainingRecord::auto) tells what was tried.
    ///
    /// Of lists of features ([`Content::Features`]) is tried what is made of their values: nothing, each
    /// feature scaled to at most 1, and rows of these scaled to the length 1.
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
        let none = Checkpoints::none();
        Self::train_auto_resumable(documents, name, auto, go_on, callbacks, &none)
    }

    /// [`train_auto`](Self::train_auto) that keeps a checkpoint, or goes on from one: candidates that
    /// are finished are not trained again.
    ///
    /// # Errors
    /// As [`train_auto`](Self::train_auto); [`ClassifierError::Checkpoint`] for a checkpoint that
    /// cannot be gone on from.
    pub fn train_auto_resumable(
        documents: &Documents,
        name: &str,
        auto: AutoOptions,
        go_on: &(dyn Fn() -> Flow + Sync),
        callbacks: &mut [&mut dyn Callback],
        checkpoints: &Checkpoints,
    ) -> Result<Self, ClassifierError> {
        let labels = documents.labels();
        check_enough(documents)?;
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
        let division = to_choose_by(labels, auto, share);
        let run = Run { documents, division, name, auto, go_on, checkpoints };
        with_threads(auto.threads, || match documents.content() {
            Content::Text => choose(&run, callbacks),
            Content::Features => features::choose(&run, callbacks),
        })?
    }
}

/// What `auto` learns from, and who has a say in it.
pub(super) struct Run<'a> {
    pub(super) documents: &'a Documents,
    /// The documents that candidates are trained on and held against.
    pub(super) division: Division,
    pub(super) name: &'a str,
    pub(super) auto: AutoOptions,
    pub(super) go_on: &'a (dyn Fn() -> Flow + Sync),
    pub(super) checkpoints: &'a Checkpoints,
}

impl Run<'_> {
    /// What is fixed for a candidate: each has one thread, as they need not wait for each other.
    pub(super) fn of_candidate(&self) -> AutoOptions {
        AutoOptions { threads: 1, ..self.auto }
    }

    /// Gives the last classifier what was learned from the candidates, and the record of them.
    pub(super) fn finish(
        &self,
        mut classifier: Classifier,
        calibrated: bool,
        attempts: Vec<Attempt>,
        chosen: usize,
        mean_tokens: f64,
    ) -> Classifier {
        if let Some(attempt) = attempts.get(chosen).filter(|_| !calibrated) {
            // What held-out documents say of the candidate holds for its like, trained on all.
            classifier.calibration = attempt.calibration.clone();
            classifier.decisions = attempt.decisions.clone();
        }
        classifier.record.auto = Some(AutoRecord {
            train_samples: self.division.train.len(),
            held_out_samples: self.division.held_out.len(),
            mean_tokens,
            candidates: attempts.into_iter().map(|attempt| attempt.candidate).collect(),
            chosen,
        });
        classifier
    }
}

/// Stops a candidate when asked to.
pub(super) struct Watch<'a>(pub(super) &'a (dyn Fn() -> Flow + Sync));

impl Callback for Watch<'_> {
    fn on_batch_end(&mut self, _: &BatchReport) -> Flow {
        (self.0)()
    }
}

/// The documents that candidates are trained on and held against: what is best for many is found on
/// some of them.
fn to_choose_by(labels: &Labels, auto: AutoOptions, share: f64) -> Division {
    let n = labels.len();
    if let ValidationSplit::Last(_) = auto.validation {
        let (train, held_out) = auto.validation.ranges(n);
        let mut train: Vec<usize> = train.collect();
        if train.len() > MANY {
            let some = MANY as f64 / train.len() as f64;
            train = labels.select(&train).split(some, auto.seed).1;
        }
        return Division { train, held_out: held_out.collect() };
    }
    let sample: Vec<usize> = match n > MANY {
        true => labels.split(MANY as f64 / n as f64, auto.seed).1,
        false => (0..n).collect(),
    };
    let count = (1.0 / share).round().max(2.0) as u32;
    Division::by_fold(&sample, &labels.select(&sample).folds(count, auto.seed), 0)
}

/// The documents that the last training takes. Of many a few may stay out and calibrate the very network
/// that answers.
pub(crate) fn to_finish_by(
    labels: &Labels,
    auto: AutoOptions,
) -> Result<Division, ClassifierError> {
    let n = labels.len();
    let last = match auto.validation {
        ValidationSplit::Last(_) => auto.validation,
        _ if n > MANY => ValidationSplit::Fraction(MOST_HELD_OUT / n as f64),
        _ => ValidationSplit::None,
    };
    divide(labels, last, auto.seed)
}

fn choose(
    run: &Run<'_>,
    callbacks: &mut [&mut dyn Callback],
) -> Result<Classifier, ClassifierError> {
    let &Run { documents, ref division, name, auto, .. } = run;
    let (kind, classes) = (documents.label_kind(), documents.class_names().len());
    let prepared = Prepared::new(documents, &Features::analyzer());
    let parts = run.checkpoints.begin(identity(name, &prepared.fingerprint, auto))?;
    let mean_tokens = prepared.tokenised.tokens() as f64 / documents.len() as f64;
    let tried = Recipe::candidates(documents.len(), mean_tokens);
    let features = tried[0].features;
    let rows = prepared.rows(division, &features.options())?;
    let attempt = |(number, recipe): (usize, &Recipe)| {
        let part = parts.part(&format!("candidate-{}", number + 1));
        if let Some(known) = part.result()? {
            return Ok(known);
        }
        let options = recipe.settings(division.train.len(), classes, run.of_candidate(), kind);
        let fitted = prepared.train(&part, &rows, &options, name, &mut [&mut Watch(run.go_on)])?;
        if fitted.0.record.history.stop_reason == StopReason::Interrupted {
            return Err(ClassifierError::Interrupted);
        }
        let attempt = Attempt::new(fitted, features.name(), options.epochs, &rows.y_held_out);
        part.store_result(&attempt);
        Ok(attempt)
    };
    let attempts: Vec<Attempt> =
        tried.par_iter().enumerate().map(attempt).collect::<Result<_, ClassifierError>>()?;
    let chosen = best(&attempts, division.held_out.len(), kind);
    drop(rows);

    let last = to_finish_by(documents.labels(), auto)?;
    let options = tried[chosen].settings(last.train.len(), classes, auto, kind);
    let rows = prepared.rows(&last, &features.options())?;
    // The tokens of many texts take as much room as the texts: nothing counts them any more.
    let Prepared { tokenised, fingerprint, .. } = prepared;
    drop(tokenised);
    let whole = Whole { documents, fingerprint: &fingerprint, name };
    let (classifier, _) = rows.train(&parts.part("final"), whole, &options, callbacks)?;
    Ok(run.finish(classifier, !last.held_out.is_empty(), attempts, chosen, mean_tokens))
}

/// A candidate on the held-out documents.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attempt {
    pub(super) candidate: Candidate,
    scores: Scores,
    pub(super) calibration: Calibration,
    pub(super) decisions: Decisions,
}

impl Attempt {
    pub(super) fn new(
        (classifier, mut probabilities): (Classifier, Matrix),
        features: &str,
        epochs: usize,
        y: &Labels,
    ) -> Self {
        let calibration = classifier.calibration;
        calibration.apply_rows(&mut probabilities);
        let scores = Scores::new(&probabilities, y);
        let Scores { accuracy, micro_f1, log_loss } = scores;
        let features = features.to_owned();
        let candidate = Candidate { features, epochs, accuracy, micro_f1, log_loss };
        Self { candidate, scores, calibration, decisions: classifier.decisions }
    }
}

/// The place of the best attempt on `samples` held-out documents with labels of a kind.
pub(super) fn best(attempts: &[Attempt], samples: usize, kind: LabelKind) -> usize {
    let scores: Vec<Scores> = attempts.iter().map(|attempt| attempt.scores).collect();
    Scores::best(&scores, samples, kind).unwrap_or(0)
}
