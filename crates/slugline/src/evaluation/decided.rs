//! What thresholds and `unknown` do to the answers.

use serde::Serialize;

use crate::decision::{Answer, Reason};
use crate::nn::{Average, ClassCounts, Matrix, argmax, average_score};

/// How many documents are answered, and how well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecisionScores {
    /// Documents with an answer.
    pub answered: u64,
    /// Documents answered with `unknown`.
    pub unknown: u64,
    /// How many of these for which reason.
    pub reasons: Reasons,
    /// Share of documents with an answer.
    pub coverage: f64,
    /// Share of these whose answer is right, of multi-label ones in all labels; none without any.
    pub accuracy: Option<f64>,
    /// Mean precision of the classes by these answers, of those that are answered.
    pub macro_precision: f64,
    /// Mean recall of the classes that have documents, `unknown` counting as not found.
    pub macro_recall: f64,
    /// Mean F1 of the classes, as for all answers.
    pub macro_f1: f64,
    /// Each class by these answers, where there are thresholds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<DecidedClass>,
    /// Accuracy by the share of documents that are answered, the most confident ones first; empty for
    /// multi-label answers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risk_coverage: Vec<RiskCoverage>,
}

/// Numbers of documents by the [`Reason`] why they are `unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Reasons {
    /// [`Reason::NothingKnown`].
    pub nothing_known: u64,
    /// [`Reason::UnknownWords`].
    pub unknown_words: u64,
    /// [`Reason::Confidence`].
    pub confidence: u64,
    /// [`Reason::Threshold`].
    pub threshold: u64,
}

/// A class by the answers that reach its threshold.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DecidedClass {
    /// Name of the class.
    pub name: String,
    /// Its threshold; above 1 for a class that is never answered.
    pub threshold: f32,
    /// Documents of the class.
    pub support: u64,
    /// Documents answered with it.
    pub predicted: u64,
    /// Share of these that are right; 0 without any.
    pub precision: f64,
    /// Share of its documents that are found.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// What is left where only confident answers are given.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RiskCoverage {
    /// Share of documents that are answered.
    pub coverage: f64,
    /// The smallest confidence among them: what to set as the smallest one.
    pub min_confidence: f32,
    /// Share of them whose most probable class is right.
    pub accuracy: f64,
}

/// Shares of documents of a risk-coverage table.
const SHARES: [f64; 8] = [1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.25];

/// The table for the most probable class of each document.
pub(super) fn risk_coverage(probabilities: &Matrix, truth: &[u32]) -> Vec<RiskCoverage> {
    let rows = probabilities.iter_rows().zip(truth);
    let mut all: Vec<(f32, bool)> = rows
        .map(|(row, &label)| {
            let answer = argmax(row);
            (row.get(answer as usize).copied().unwrap_or(0.0), answer == label)
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let n = all.len();
    let mut table = Vec::new();
    let mut before = usize::MAX;
    for share in SHARES {
        let wanted = ((n as f64 * share).round() as usize).clamp(1, n);
        let min_confidence = all[wanted - 1].0;
        // All that are as confident are answered too.
        let answered = all.partition_point(|(p, _)| *p >= min_confidence);
        if answered == before {
            continue;
        }
        before = answered;
        let right = all[..answered].iter().filter(|(_, right)| *right).count();
        table.push(RiskCoverage {
            coverage: answered as f64 / n as f64,
            min_confidence,
            accuracy: right as f64 / answered as f64,
        });
    }
    table
}

impl DecisionScores {
    /// From the answers, and the counts and accuracy of those that are not `unknown`.
    pub(super) fn new(
        answers: &[Answer],
        counts: &[ClassCounts],
        accuracy: Option<f64>,
        thresholds: &[f32],
        class_names: &[String],
    ) -> Self {
        let mut reasons = Reasons::default();
        let mut unknown = 0;
        for answer in answers {
            let Answer::Unknown(reason) = answer else { continue };
            unknown += 1;
            *match reason {
                Reason::NothingKnown => &mut reasons.nothing_known,
                Reason::UnknownWords => &mut reasons.unknown_words,
                Reason::Confidence => &mut reasons.confidence,
                Reason::Threshold => &mut reasons.threshold,
            } += 1;
        }
        let answered = answers.len() as u64 - unknown;
        let mean = |having: &dyn Fn(&ClassCounts) -> bool, score: fn(&ClassCounts) -> f64| {
            let used: Vec<f64> = counts.iter().filter(|c| having(c)).map(score).collect();
            used.iter().sum::<f64>() / used.len().max(1) as f64
        };
        let predicted = |c: &ClassCounts| c.true_positives + c.false_positives;
        let decided = |((name, &threshold), c): ((&String, &f32), &ClassCounts)| DecidedClass {
            name: name.clone(),
            threshold,
            support: c.support(),
            predicted: predicted(c),
            precision: c.precision(),
            recall: c.recall(),
            f1: c.f1(),
        };
        Self {
            answered,
            unknown,
            reasons,
            coverage: answered as f64 / answers.len().max(1) as f64,
            accuracy,
            macro_precision: mean(&|c| predicted(c) > 0, ClassCounts::precision),
            macro_recall: mean(&|c| c.support() > 0, ClassCounts::recall),
            macro_f1: average_score(counts, Average::Macro, ClassCounts::f1),
            classes: class_names.iter().zip(thresholds).zip(counts).map(decided).collect(),
            risk_coverage: Vec::new(),
        }
    }
}
