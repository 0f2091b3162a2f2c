//! Two classifiers side by side on the same documents: which is better, by how much, whether that could
//! be chance, and what changes from the one to the other.
//!
//! *A* is the first and *B* the second; every difference is B − A. Answers are those that are scored (see
//! [`evaluation`](crate::evaluation)): the most probable class, whatever the thresholds, or the labels
//! that reach theirs.

mod answers;
mod changes;
mod disagreements;
mod mcnemar;

use std::collections::HashMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::classifier::{Classifier, ClassifierError, content_name};
use crate::corpus::{Content, Documents, LabelKind};
use crate::evaluation::{
    Bootstrap, Evaluation, EvaluationOptions, Judged, PairedIntervals, Score, paired_intervals,
};
use answers::{Outputs, Said};

pub use changes::{Change, ClassChange, ClassMeasures};
pub use disagreements::{Disagreement, Disagreements, Opinion};
pub use mcnemar::McNemar;

/// What to compare.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareOptions {
    /// Which scores, and how intervals are found.
    pub evaluation: EvaluationOptions,
    /// How many documents of each kind of disagreement are given. Default 5.
    pub disagreements: usize,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self { evaluation: EvaluationOptions::default(), disagreements: 5 }
    }
}

/// Why two classifiers could not be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// Not the same classes.
    #[error(
        "model {has} has the class `{class}` and model {lacks} does not; only models of the same classes \
         are compared"
    )]
    Classes {
        /// The first class that one has and the other lacks.
        class: String,
        /// Which has it.
        has: Model,
        /// Which lacks it.
        lacks: Model,
    },
    /// One gives one class, the other any number of labels.
    #[error(
        "model {single} gives one class a document and model {multi} any number of labels; only models \
         that answer in the same way are compared"
    )]
    Kinds {
        /// Which gives one class.
        single: Model,
        /// Which gives any number.
        multi: Model,
    },
    /// One reads text, the other lists of features.
    #[error(
        "model A reads {}, and model B {}: there are no documents for both",
        content_name(*a),
        content_name(*b)
    )]
    Contents {
        /// What A reads.
        a: Content,
        /// What B reads.
        b: Content,
    },
    /// One of them cannot be scored on the documents.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// The first.
    A,
    /// The second.
    B,
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
        })
    }
}

/// Two classifiers on the same documents.
///
/// As JSON it has the same fields.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Number of documents.
    pub samples: usize,
    /// What kind of labels they have.
    pub label_kind: LabelKind,
    /// The scores of both, in the order of [`Evaluation::headlines`]. Where one answers `unknown`, last the
    /// coverage and the accuracy of the answers.
    pub scores: Vec<ScoreChange>,
    /// How intervals were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Bootstrap>,
    /// Whether the accuracies differ by chance; of multi-label answers, how often exactly the right labels
    /// are given.
    pub mcnemar: McNemar,
    /// Documents that are answered differently.
    pub changed: u64,
    /// How: pairs of answers, the most frequent first.
    pub changes: Vec<Change>,
    /// The classes, those whose F1 changes most first.
    pub classes: Vec<ClassChange>,
    /// The documents on which the two disagree most.
    pub disagreements: Disagreements,
}

/// A score of both classifiers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoreChange {
    /// Which score.
    #[serde(serialize_with = "by_name")]
    pub score: Score,
    /// Its name for people.
    pub name: String,
    /// A's.
    pub a: f64,
    /// B's.
    pub b: f64,
    /// B's less A's.
    pub difference: f64,
    /// The interval of A's: low end, high end; none without draws, or where they leave it undefined.
    pub a_interval: Option<[f64; 2]>,
    /// The interval of B's.
    pub b_interval: Option<[f64; 2]>,
    /// The interval of the difference: both classifiers are scored on the same draws of documents.
    pub difference_interval: Option<[f64; 2]>,
}

fn by_name<S: Serializer>(score: &Score, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(score)
}

impl Comparison {
    /// Compares two classifiers on documents called `name`. All three have the same classes, each in any
    /// order.
    ///
    /// ```
    /// use slugline::classifier::{Classifier, TrainingOptions};
    /// use slugline::compare::{CompareOptions, Comparison};
    /// use slugline::corpus::Documents;
    /// use slugline::corpus::{SequenceOptions, sample};
    ///
    /// let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
    /// let options = |hidden: usize| TrainingOptions {
    ///     max_features: 500,
    ///     hidden: vec![hidden],
    ///     epochs: 2,
    ///     ..Default::default()
    /// };
    /// let a = Classifier::train(&corpus, &options(2))?;
    /// let b = Classifier::train(&corpus, &options(32))?;
    /// let mut documents = Documents::new(a.class_names().to_vec());
    /// documents.push("The wheat harvest was delayed by rain.", 0);
    /// documents.push("Gold rose.", 1);
    /// let compared = Comparison::new(&a, &b, &documents, "two lines", &CompareOptions::default())?;
    /// let accuracy = &compared.scores[0];
    /// assert_eq!(accuracy.difference, accuracy.b - accuracy.a);
    /// assert!(compared.mcnemar.p_value > 0.05); // of two documents nothing can be told
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`CompareError::Contents`], [`CompareError::Kinds`] and [`CompareError::Classes`] for classifiers that
    /// have too little in common; [`CompareError::Classifier`] for documents that they cannot be scored on,
    /// as [`Classifier::evaluate_documents`].
    pub fn new(
        a: &Classifier,
        b: &Classifier,
        documents: &Documents,
        name: &str,
        options: &CompareOptions,
    ) -> Result<Self, CompareError> {
        check_alike(a, b)?;
        a.check_content(name, documents)?;
        let labels = a.labels_to_score(documents.labels())?;
        let class_names = documents.class_names();
        let of_a = Outputs::new(a, documents, &places(class_names, a, name)?)?;
        let of_b = Outputs::new(b, documents, &places(class_names, b, name)?)?;
        let [judged_a, judged_b] = [&of_a, &of_b].map(|outputs| Judged {
            class_names,
            labels: &labels,
            probabilities: &outputs.probabilities,
            answers: &outputs.answers,
            thresholds: &outputs.thresholds,
            training_counts: &outputs.training_counts,
        });
        // All intervals come from the same draws, once the two are found to fit their documents.
        let no_draws = Bootstrap { resamples: 0, ..options.evaluation.bootstrap };
        let plain = EvaluationOptions { bootstrap: no_draws, ..options.evaluation.clone() };
        let evaluation_a = Evaluation::new(&judged_a, &plain).map_err(ClassifierError::from)?;
        let evaluation_b = Evaluation::new(&judged_b, &plain).map_err(ClassifierError::from)?;
        let intervals = paired_intervals(&judged_a, &judged_b, &options.evaluation);

        let kind = labels.kind();
        let truth: Vec<Vec<u32>> = (0..labels.len()).map(|i| labels.classes(i)).collect();
        let said = truth
            .iter()
            .enumerate()
            .map(|(i, truth)| (of_a.said(i, kind, truth), of_b.said(i, kind, truth)));
        let said: Vec<(Said, Said)> = said.collect();
        let count = |a, b| said.iter().filter(|s| (s.0.right, s.1.right) == (a, b)).count() as u64;
        Ok(Self {
            samples: labels.len(),
            label_kind: kind,
            scores: score_changes(&evaluation_a, &evaluation_b, &intervals),
            bootstrap: Some(options.evaluation.bootstrap).filter(|b| b.resamples > 0),
            mcnemar: McNemar::new(
                count(true, true),
                count(true, false),
                count(false, true),
                count(false, false),
            ),
            changed: said.iter().filter(|(a, b)| a.classes != b.classes).count() as u64,
            changes: changes::changes(&said, class_names),
            classes: changes::class_changes(&evaluation_a.classes, &evaluation_b.classes),
            disagreements: disagreements::disagreements(
                &said,
                documents,
                &truth,
                options.disagreements,
            ),
        })
    }

    /// What became of a score, if it is among them.
    pub fn score(&self, score: Score) -> Option<&ScoreChange> {
        self.scores.iter().find(|change| change.score == score)
    }
}

/// Refuses classifiers that have too little in common.
fn check_alike(a: &Classifier, b: &Classifier) -> Result<(), CompareError> {
    let [content_a, content_b] = [a, b].map(|model| model.vectorizer().content());
    if content_a != content_b {
        return Err(CompareError::Contents { a: content_a, b: content_b });
    }
    match [a, b].map(|model| model.label_kind() == LabelKind::Multi) {
        [false, true] => return Err(CompareError::Kinds { single: Model::A, multi: Model::B }),
        [true, false] => return Err(CompareError::Kinds { single: Model::B, multi: Model::A }),
        _ => {}
    }
    let (in_a, in_b) = (numbers(a), numbers(b));
    let missing = |class: &String, has, lacks| {
        Err(CompareError::Classes { class: class.clone(), has, lacks })
    };
    if let Some(class) = a.class_names().iter().find(|name| !in_b.contains_key(name.as_str())) {
        return missing(class, Model::A, Model::B);
    }
    if let Some(class) = b.class_names().iter().find(|name| !in_a.contains_key(name.as_str())) {
        return missing(class, Model::B, Model::A);
    }
    Ok(())
}

/// For each class of documents called `name`, its number in a model.
fn places(
    class_names: &[String],
    model: &Classifier,
    name: &str,
) -> Result<Vec<usize>, ClassifierError> {
    let numbers = numbers(model);
    let places: Vec<usize> =
        class_names.iter().filter_map(|class| numbers.get(class.as_str()).copied()).collect();
    // Where not each has its place, the first difference is told as to those who score one model.
    if [class_names.len(), model.class_names().len()].iter().any(|&n| n != places.len()) {
        model.check_classes(name, class_names)?;
    }
    Ok(places)
}

/// The number of each class by its name.
fn numbers(model: &Classifier) -> HashMap<&str, usize> {
    model.class_names().iter().map(String::as_str).zip(0..).collect()
}

/// The headlines of both, and what `unknown` does where it is answered.
fn score_changes(a: &Evaluation, b: &Evaluation, intervals: &PairedIntervals) -> Vec<ScoreChange> {
    let mut scores = a.headline_scores();
    if a.decisions.unknown + b.decisions.unknown > 0 {
        let decided =
            [(Score::Coverage, "coverage"), (Score::AnsweredAccuracy, "accuracy of the answers")];
        scores.extend(decided.map(|(score, name)| (score, name.to_owned())));
    }
    let change = |(score, name)| {
        let (a, b) = (a.score(score)?, b.score(score)?);
        Some(ScoreChange {
            score,
            name,
            a,
            b,
            difference: b - a,
            a_interval: intervals.a.get(score).copied(),
            b_interval: intervals.b.get(score).copied(),
            difference_interval: intervals.difference.get(score).copied(),
        })
    };
    scores.into_iter().filter_map(change).collect()
}

fn names_of(classes: &[u32], class_names: &[String]) -> Vec<String> {
    classes.iter().map(|&class| class_names[class as usize].clone()).collect()
}

#[cfg(test)]
mod tests;
