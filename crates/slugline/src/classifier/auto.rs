//! No settings: the program chooses, and says what and why.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::documents::{Division, Prepared, Rows, divide, learnable_labels, log_loss};
use super::recipe::{Features, MANY, MOST_HELD_OUT, Recipe};
use super::{Classifier, ClassifierError, ValidationSplit};
use crate::corpus::Documents;
use crate::corpus::split::{stratified_folds, stratified_split};
use crate::evaluation::Calibration;
use crate::nn::{BatchReport, Callback, Flow, Matrix, StopReason, with_threads};

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

impl Classifier {
    /// Trains a classifier without settings: tries a few kinds of features and lengths of training on
    /// a stratified split of the documents, takes the one with the most right answers (of equals that
    /// with the lower log loss), calibrates it by the held-out documents
    /// ([`Calibration::fit_mixture`]), and trains once more on all. Of more than 60,000 documents, so
    /// many are drawn to choose by, and 12,000 stay out of the last training to calibrate by.
    ///
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
    let large = n > MANY;
    let sample: Vec<usize> = match large {
        true => stratified_split(labels, MANY as f64 / n as f64, auto.seed).1,
        false => (0..n).collect(),
    };
    let sample_labels: Vec<u32> = sample.iter().map(|&i| labels[i]).collect();
    let count = (1.0 / auto.validation).round().max(2.0) as u32;
    let folds = stratified_folds(&sample_labels, count, auto.seed);
    let division = Division::by_fold(&sample, &folds, 0);

    let prepared = Prepared::new(documents, &Features::analyzer())?;
    let mean_tokens = prepared.tokenised.tokens() as f64 / n as f64;
    let tried = Recipe::candidates(n, mean_tokens);
    let mut kinds: Vec<Features> = tried.iter().map(|recipe| recipe.features).collect();
    kinds.dedup();
    let rows: Vec<Rows> = kinds
        .par_iter()
        .map(|features| prepared.rows(&division, &features.options()))
        .collect::<Result<_, _>>()?;
    // Each candidate on one thread: they need not wait for each other.
    let attempt = |recipe: &Recipe| {
        let one = AutoOptions { threads: 1, ..auto };
        let options = recipe.settings(division.train.len(), one);
        let kind = kinds.iter().position(|kind| *kind == recipe.features).unwrap_or(0);
        let mut watch = Watch(go_on);
        let fitted = prepared.train(&rows[kind], &options, name, &mut [&mut watch])?;
        if fitted.0.record.history.stop_reason == StopReason::Interrupted {
            return Err(ClassifierError::Interrupted);
        }
        Ok(Attempt::new(fitted, recipe.features, options.epochs, &rows[kind].y_held_out))
    };
    let results: Vec<Attempt> =
        tried.par_iter().map(attempt).collect::<Result<_, ClassifierError>>()?;
    let chosen = best(&results);
    let recipe = tried[chosen];
    drop(rows);

    // Of many documents a few may stay out and calibrate the very network that answers.
    let last = match large {
        true => divide(labels, ValidationSplit::Fraction(MOST_HELD_OUT / n as f64), auto.seed)?,
        false => Division { train: (0..n).collect(), held_out: Vec::new() },
    };
    let options = recipe.settings(last.train.len(), auto);
    let rows = prepared.rows(&last, &recipe.features.options())?;
    let (mut classifier, _) = prepared.train(&rows, &options, name, callbacks)?;
    if !large {
        classifier.calibration = results[chosen].calibration.clone();
    }
    classifier.record.auto = Some(AutoRecord {
        train_samples: division.train.len(),
        held_out_samples: division.held_out.len(),
        mean_tokens,
        candidates: results.into_iter().map(|attempt| attempt.candidate).collect(),
        chosen,
    });
    Ok(classifier)
}

/// A candidate on the held-out documents.
struct Attempt {
    candidate: Candidate,
    calibration: Calibration,
}

impl Attempt {
    fn new(
        (classifier, mut probabilities): (Classifier, Matrix),
        features: Features,
        epochs: usize,
        y: &[u32],
    ) -> Self {
        let calibration = classifier.calibration;
        calibration.apply_rows(&mut probabilities);
        let answers = probabilities.argmax_rows();
        let right = answers.iter().zip(y).filter(|(answer, label)| answer == label).count();
        let candidate = Candidate {
            features: features.name().to_owned(),
            epochs,
            accuracy: right as f64 / y.len().max(1) as f64,
            log_loss: log_loss(&probabilities, y),
        };
        Self { candidate, calibration }
    }
}

/// The place of the attempt with the most right answers; of equals that with the lowest log loss, of
/// these the first.
fn best(attempts: &[Attempt]) -> usize {
    let better = |a: &Candidate, b: &Candidate| {
        a.accuracy.total_cmp(&b.accuracy).then(b.log_loss.total_cmp(&a.log_loss))
    };
    let all = (0..attempts.len()).rev();
    all.max_by(|&a, &b| better(&attempts[a].candidate, &attempts[b].candidate)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn right_answers_come_before_log_loss() {
        let attempt = |accuracy, log_loss| Attempt {
            candidate: Candidate { features: String::new(), epochs: 1, accuracy, log_loss },
            calibration: Calibration::None,
        };
        assert_eq!(best(&[attempt(0.8, 0.5), attempt(0.9, 0.6)]), 1);
        assert_eq!(best(&[attempt(0.9, 0.6), attempt(0.9, 0.5), attempt(0.9, 0.5)]), 1);
    }
}
