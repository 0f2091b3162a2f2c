//! How good the answers are, and what an answer without looking would reach.
//!
//! [`Evaluation`] holds scores by name ([`Score`]), with intervals by the [`Bootstrap`]; the baselines;
//! each class; confusions; the [`Reliability`] of the probabilities; and what thresholds and `unknown`
//! do ([`DecisionScores`]). Where documents have one class, the scores are of the most probable class,
//! whatever the thresholds; of multi-label answers, of the labels that reach theirs. Soft labels are
//! scored by the class with the largest share, and by their cross-entropy.

mod baselines;
mod bootstrap;
mod calibration;
mod decided;
mod headlines;
mod losses;
mod multi;
mod paired;
mod ranking;
mod score;
mod single;

use serde::Serialize;

use crate::corpus::{LabelKind, Labels};
use crate::decision::Answer;
use crate::nn::{ClassCounts, Matrix, NnError};
use multi::Multi;
use ranking::Areas;
use score::Values;
use single::Single;

pub use baselines::Baselines;
pub use bootstrap::Bootstrap;
pub(crate) use calibration::several_hot;
pub use calibration::{Calibration, Mixture, Reliability, ReliabilityBin};
pub use decided::{DecidedClass, DecisionScores, Reasons, RiskCoverage};
pub use headlines::Headline;
pub(crate) use losses::{document_losses, mean_log_loss};
pub(crate) use paired::{PairedIntervals, intervals as paired_intervals};
pub use score::{Mean, Score, Scores};

/// Bins of the reliability table.
const BINS: usize = 15;

/// Of more documents times classes than this, areas get no intervals: they would take minutes.
const MOST_RANKED: usize = 1 << 21;

/// What to score.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluationOptions {
    /// The `k` of the top-k accuracies; those that are not below the number of classes are left out.
    /// Default 3 and 5.
    pub top_k: Vec<usize>,
    /// How intervals are found. Default 1,000 draws.
    pub bootstrap: Bootstrap,
}

impl Default for EvaluationOptions {
    fn default() -> Self {
        Self { top_k: vec![3, 5], bootstrap: Bootstrap::default() }
    }
}

impl EvaluationOptions {
    /// The default without intervals, which take most of the time.
    #[must_use]
    pub fn without_intervals() -> Self {
        Self { bootstrap: Bootstrap::NONE, ..Self::default() }
    }

    fn check(&self) -> Result<(), NnError> {
        let Bootstrap { confidence, .. } = self.bootstrap;
        if confidence > 0.0 && confidence < 1.0 {
            return Ok(());
        }
        Err(NnError::Setting {
            name: "confidence of the intervals",
            value: confidence.to_string(),
            expected: "above 0 and below 1",
        })
    }
}

/// Labelled documents and what a classifier makes of them.
#[derive(Debug, Clone, Copy)]
pub struct Judged<'a> {
    /// Names of the classes.
    pub class_names: &'a [String],
    /// The true labels.
    pub labels: &'a Labels,
    /// Calibrated probabilities, shape `[documents, classes]`: shares of one, or for multi-label
    /// documents one probability for each class by itself.
    pub probabilities: &'a Matrix,
    /// The answer for each document.
    pub answers: &'a [Answer],
    /// The thresholds by which they were given, if there were any.
    pub thresholds: &'a [f32],
    /// Training documents of each class.
    pub training_counts: &'a [u64],
}

/// Scores of a classifier on labelled documents.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// Number of documents.
    pub samples: usize,
    /// What kind of labels they have.
    pub label_kind: LabelKind,
    /// Mean loss: the cross-entropy for soft labels, else the log loss; as trained for a numbered corpus.
    pub loss: f64,
    /// [`Score::Accuracy`].
    pub accuracy: f64,
    /// Mean of the classes' F1.
    pub macro_f1: f64,
    /// Mean of the classes' F1, weighted by their numbers of documents.
    pub weighted_f1: f64,
    /// All other scores.
    #[serde(flatten)]
    pub scores: Scores<f64>,
    /// The interval of each score that has one: low end, high end. None of the calibration error, which
    /// any draw of documents makes larger, as it sums distances.
    #[serde(skip_serializing_if = "Scores::is_empty")]
    pub intervals: Scores<[f64; 2]>,
    /// How the intervals were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<Bootstrap>,
    /// What answers without looking at the text reach.
    pub baselines: Baselines,
    /// Scores of each class, in the order of the class names.
    pub classes: Vec<ClassScores>,
    /// Documents by true class (row) and most probable class (column); empty for multi-label answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confusion: Vec<Vec<u64>>,
    /// How confidence and accuracy agree.
    #[serde(flatten)]
    pub reliability: Reliability,
    /// What thresholds and `unknown` do.
    pub decisions: DecisionScores,
}

/// Scores of one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassScores {
    /// Name of the class.
    pub name: String,
    /// Share of the answers with this class that are right.
    pub precision: f64,
    /// Share of its documents that are found.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
    /// Number of its documents.
    pub support: u64,
    /// Number of answers with this class.
    pub predicted: u64,
    /// Area under the receiver operating characteristic, against all other classes; none where it has
    /// no document, or all of them.
    pub roc_auc: Option<f64>,
    /// Average precision; none where it has no document.
    pub average_precision: Option<f64>,
}

impl Evaluation {
    /// Scores documents.
    ///
    /// ```
    /// use slugline::corpus::Labels;
    /// use slugline::decision::Answer;
    /// use slugline::evaluation::{Evaluation, EvaluationOptions, Judged, Score};
    /// use slugline::nn::Matrix;
    ///
    /// let names = ["grain".to_string(), "metal".to_string()];
    /// let probabilities = Matrix::new(3, 2, vec![0.9, 0.1, 0.4, 0.6, 0.3, 0.7])?;
    /// let evaluation = Evaluation::new(
    ///     &Judged {
    ///         class_names: &names,
    ///         labels: &Labels::Single(vec![0, 0, 1]),
    ///         probabilities: &probabilities,
    ///         answers: &[Answer::Class(0), Answer::Class(1), Answer::Class(1)],
    ///         thresholds: &[],
    ///         training_counts: &[10, 5],
    ///     },
    ///     &EvaluationOptions::default(),
    /// )?;
    /// assert_eq!(evaluation.accuracy, 2.0 / 3.0);
    /// assert_eq!(evaluation.score(Score::BinaryRocAuc), Some(1.0));
    /// let [low, high] = *evaluation.intervals.get(Score::Accuracy).unwrap();
    /// assert!(low < 2.0 / 3.0 && high == 1.0);
    /// # Ok::<(), slugline::nn::NnError>(())
    /// ```
    ///
    /// # Errors
    /// [`NnError::Empty`] without documents or classes, [`NnError::Shape`] if the parts differ in size,
    /// [`NnError::Label`] for a label without a class name, [`NnError::Setting`] for a confidence out
    /// of range.
    pub fn new(judged: &Judged<'_>, options: &EvaluationOptions) -> Result<Self, NnError> {
        options.check()?;
        judged.check()?;
        Ok(match judged.labels {
            Labels::Single(labels) => Self::single(judged, labels.clone(), None, options),
            Labels::Soft(shares) => {
                Self::single(judged, shares.argmax_rows(), Some(shares), options)
            }
            Labels::Multi(sets) => Self::multi(judged, sets, options),
        })
    }

    fn single(
        judged: &Judged<'_>,
        truth: Vec<u32>,
        shares: Option<&Matrix>,
        options: &EvaluationOptions,
    ) -> Self {
        let Judged { class_names, probabilities, .. } = *judged;
        let baselines = Baselines::new(&truth, judged.training_counts);
        let reliability = Reliability::new(probabilities, &truth, BINS);
        let risk_coverage = decided::risk_coverage(probabilities, &truth);
        let single = Single::of(judged, truth, shares, &options.top_k);
        let mut confusion = vec![vec![0; class_names.len()]; class_names.len()];
        for (&label, &answer) in single.truth.iter().zip(&single.answers) {
            confusion[label as usize][answer as usize] += 1;
        }
        let once = vec![1; single.truth.len()];
        Self::of(
            judged,
            options,
            &|weights, areas| single.scores(weights, areas),
            Parts {
                counts: single.counts(&once, false),
                decided: single.counts(&once, true),
                areas: single.areas(&once),
                baselines,
                reliability,
                confusion,
                risk_coverage,
            },
        )
    }

    fn multi(judged: &Judged<'_>, wanted: &[Vec<u32>], options: &EvaluationOptions) -> Self {
        let Judged { probabilities, .. } = *judged;
        let multi = Multi::of(judged, wanted);
        let once = vec![1; wanted.len()];
        let counts = multi.counts(&once);
        Self::of(
            judged,
            options,
            &|weights, areas| multi.scores(weights, areas),
            Parts {
                decided: counts.clone(),
                counts,
                areas: multi.areas(&once),
                baselines: Baselines::of_sets(wanted, judged.training_counts),
                reliability: Reliability::of_labels(probabilities, wanted, BINS),
                confusion: Vec::new(),
                risk_coverage: Vec::new(),
            },
        )
    }

    /// Puts the parts together, with scores and intervals from a function of weights.
    fn of(
        judged: &Judged<'_>,
        options: &EvaluationOptions,
        scores: &(dyn Fn(&[u32], bool) -> Values + Sync),
        parts: Parts,
    ) -> Self {
        let Judged { class_names, labels, probabilities, answers, thresholds, .. } = *judged;
        let n = labels.len();
        let mut all = scores(&vec![1; n], true);
        let value = |score| {
            let found = all.iter().find(|(name, _)| *name == score);
            found.and_then(|(_, value)| *value)
        };
        let field = |score| value(score).unwrap_or(0.0);
        let accuracy = field(Score::Accuracy);
        let [macro_f1, weighted_f1] = [Mean::Macro, Mean::Weighted].map(|m| field(Score::F1(m)));
        let loss = value(Score::CrossEntropy).unwrap_or_else(|| field(Score::LogLoss));
        let answered_accuracy = value(Score::AnsweredAccuracy);
        let mut decisions = DecisionScores::new(
            answers,
            &parts.decided,
            answered_accuracy,
            thresholds,
            class_names,
        );
        decisions.risk_coverage = parts.risk_coverage;
        // These stand in fields of their own.
        let elsewhere = [
            Score::Accuracy,
            Score::F1(Mean::Macro),
            Score::F1(Mean::Weighted),
            Score::Coverage,
            Score::AnsweredAccuracy,
        ];
        all.retain(|(score, _)| !elsewhere.contains(score));
        let areas = n * probabilities.cols() <= MOST_RANKED;
        let bootstrap = options.bootstrap;
        let of_class = |((name, c), areas): ((&String, &ClassCounts), &Areas)| ClassScores {
            name: name.clone(),
            precision: c.precision(),
            recall: c.recall(),
            f1: c.f1(),
            support: c.support(),
            predicted: c.true_positives + c.false_positives,
            roc_auc: areas.roc_auc,
            average_precision: areas.average_precision,
        };
        let classes = class_names.iter().zip(&parts.counts).zip(&parts.areas);
        Self {
            samples: n,
            label_kind: labels.kind(),
            loss,
            accuracy,
            macro_f1,
            weighted_f1,
            scores: Scores(all.into_iter().filter_map(|(s, value)| Some((s, value?))).collect()),
            intervals: Scores(bootstrap.intervals(n, |weights| scores(weights, areas))),
            bootstrap: (bootstrap.resamples > 0).then_some(bootstrap),
            baselines: parts.baselines,
            classes: classes.map(of_class).collect(),
            confusion: parts.confusion,
            reliability: parts.reliability,
            decisions,
        }
    }

    /// The same with the loss as it was trained.
    #[must_use]
    pub(crate) fn with_loss(self, loss: f64) -> Self {
        Self { loss, ..self }
    }

    /// A score, wherever it stands.
    pub fn score(&self, score: Score) -> Option<f64> {
        match score {
            Score::Accuracy => Some(self.accuracy),
            Score::F1(Mean::Macro) => Some(self.macro_f1),
            Score::F1(Mean::Weighted) => Some(self.weighted_f1),
            Score::Coverage => Some(self.decisions.coverage),
            Score::AnsweredAccuracy => self.decisions.accuracy,
            other => self.scores.get(other).copied(),
        }
    }

    /// The most frequent confusions: true class, answer, number of documents, the most frequent
    /// first.
    pub fn confused_pairs(&self, limit: usize) -> Vec<(usize, usize, u64)> {
        let mut pairs: Vec<(usize, usize, u64)> = self
            .confusion
            .iter()
            .enumerate()
            .flat_map(|(t, row)| row.iter().enumerate().map(move |(p, &n)| (t, p, n)))
            .filter(|(t, p, n)| t != p && *n > 0)
            .collect();
        pairs.sort_by_key(|&(t, p, n)| (std::cmp::Reverse(n), t, p));
        pairs.truncate(limit);
        pairs
    }
}

/// What is counted in a way of its own for each kind of labels.
struct Parts {
    counts: Vec<ClassCounts>,
    decided: Vec<ClassCounts>,
    areas: Vec<Areas>,
    baselines: Baselines,
    reliability: Reliability,
    confusion: Vec<Vec<u64>>,
    risk_coverage: Vec<RiskCoverage>,
}

impl Judged<'_> {
    fn check(&self) -> Result<(), NnError> {
        let Self { class_names, labels, probabilities, answers, .. } = *self;
        let classes = class_names.len();
        if labels.is_empty() || classes == 0 {
            return Err(NnError::Empty { what: "evaluation data" });
        }
        for (what, expected, got) in [
            ("rows of probabilities (documents)", labels.len(), probabilities.rows()),
            ("answers (documents)", labels.len(), answers.len()),
            ("columns of probabilities (classes)", classes, probabilities.cols()),
        ] {
            if expected != got {
                return Err(NnError::Shape { what, expected, got });
            }
        }
        if labels.len() > ranking::MOST_DOCUMENTS {
            return Err(NnError::Setting {
                name: "documents to score",
                value: labels.len().to_string(),
                expected: "at most 2³⁰ at a time",
            });
        }
        if let Labels::Soft(shares) = labels
            && shares.cols() != classes
        {
            let (what, got) = ("columns of the soft labels", shares.cols());
            return Err(NnError::Shape { what, expected: classes, got });
        }
        for (sample, answer) in answers.iter().enumerate() {
            let given = match answer {
                Answer::Class(class) => std::slice::from_ref(class),
                Answer::Labels(labels) => labels,
                Answer::Unknown(_) => &[],
            };
            let beyond = |label: &u32| *label as usize >= classes;
            if let Some(label) =
                labels.classes(sample).into_iter().chain(given.iter().copied()).find(beyond)
            {
                return Err(NnError::Label { sample, label, classes });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
