//! How good the answers are, and what an answer without looking would reach.

mod calibration;

use serde::{Deserialize, Serialize};

use crate::nn::{Average, ClassCounts, NnError, average_score};

pub(crate) use calibration::several_hot;
pub use calibration::{Calibration, Mixture, Reliability, ReliabilityBin};

/// Scores of a classifier on labelled documents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Number of documents.
    pub samples: usize,
    /// Mean loss, as trained.
    pub loss: f64,
    /// Share of documents with the right answer.
    pub accuracy: f64,
    /// Mean of the classes' F1.
    pub macro_f1: f64,
    /// Mean of the classes' F1, weighted by their numbers of documents.
    pub weighted_f1: f64,
    /// What answers without looking at the text reach.
    pub baselines: Baselines,
    /// Scores of each class, in the order of the class names.
    pub classes: Vec<ClassScores>,
    /// Documents by true class (row) and answer (column).
    pub confusion: Vec<Vec<u64>>,
    /// How confidence and accuracy agree, where probabilities were at hand.
    #[serde(flatten)]
    pub reliability: Option<Reliability>,
}

/// Accuracy without looking at the text.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// Always answering with the largest class of the training documents.
    pub majority: f64,
    /// Answering with the true labels in random order: the expected share of hits, `Σ (n_c / n)²`.
    pub random_permutation: f64,
}

/// Scores of one class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
}

impl Baselines {
    /// The baselines for true labels, given the numbers of training documents of each class; without
    /// any, the labels themselves tell the largest class.
    pub fn new(truth: &[u32], training_counts: &[u64]) -> Self {
        let mut counts = vec![0u64; training_counts.len()];
        for &label in truth {
            if label as usize >= counts.len() {
                counts.resize(label as usize + 1, 0);
            }
            counts[label as usize] += 1;
        }
        let reference =
            if training_counts.iter().any(|&n| n > 0) { training_counts } else { &counts[..] };
        // The first of equals, as everywhere.
        let largest =
            reference.iter().enumerate().rev().max_by_key(|(_, n)| **n).map_or(0, |(i, _)| i);
        let n = truth.len().max(1) as f64;
        Self {
            majority: counts.get(largest).copied().unwrap_or(0) as f64 / n,
            random_permutation: counts.iter().map(|&c| (c as f64 / n).powi(2)).sum(),
        }
    }
}

impl Evaluation {
    /// The scores of answers.
    ///
    /// # Errors
    /// [`NnError::Empty`] without documents, [`NnError::Shape`] if `predicted` is not as long as
    /// `truth`, [`NnError::Label`] for a label without a class name.
    pub fn new(
        class_names: &[String],
        truth: &[u32],
        predicted: &[u32],
        loss: f64,
        training_counts: &[u64],
    ) -> Result<Self, NnError> {
        if truth.is_empty() {
            return Err(NnError::Empty { what: "evaluation data" });
        }
        let n = class_names.len();
        let counts = ClassCounts::from_labels(truth, predicted, n)?;
        let mut confusion = vec![vec![0; n]; n];
        for (&t, &p) in truth.iter().zip(predicted) {
            confusion[t as usize][p as usize] += 1;
        }
        let right: u64 = counts.iter().map(|c| c.true_positives).sum();
        Ok(Self {
            samples: truth.len(),
            loss,
            accuracy: right as f64 / truth.len() as f64,
            macro_f1: average_score(&counts, Average::Macro, ClassCounts::f1),
            weighted_f1: average_score(&counts, Average::Weighted, ClassCounts::f1),
            baselines: Baselines::new(truth, training_counts),
            classes: class_names
                .iter()
                .zip(&counts)
                .map(|(name, c)| ClassScores {
                    name: name.clone(),
                    precision: c.precision(),
                    recall: c.recall(),
                    f1: c.f1(),
                    support: c.support(),
                })
                .collect(),
            confusion,
            reliability: None,
        })
    }

    /// The same scores with the reliability of the probabilities.
    #[must_use]
    pub fn with_reliability(mut self, reliability: Reliability) -> Self {
        self.reliability = Some(reliability);
        self
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_and_baselines_of_a_small_case() {
        let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
        let truth = [0, 0, 0, 1, 1, 2];
        let predicted = [0, 0, 1, 1, 0, 1];
        let e = Evaluation::new(&names, &truth, &predicted, 0.5, &[1, 9, 2]).unwrap();
        assert_eq!((e.samples, e.accuracy), (6, 0.5));
        // From scikit-learn 1.9.1: f1_score(truth, predicted, average="macro" and "weighted").
        assert!((e.macro_f1 - 0.355_555_555_555_555_6).abs() < 1e-12, "{}", e.macro_f1);
        assert!((e.weighted_f1 - 0.466_666_666_666_666_7).abs() < 1e-12, "{}", e.weighted_f1);
        assert_eq!(e.baselines.majority, 2.0 / 6.0);
        assert!((e.baselines.random_permutation - 14.0 / 36.0).abs() < 1e-12);
        assert_eq!(e.confused_pairs(2), [(0, 1, 1), (1, 0, 1)]);
        assert_eq!(e.classes[2].f1, 0.0);
        assert!(Evaluation::new(&names, &[], &[], 0.0, &[]).is_err());
        assert!(Evaluation::new(&names, &[3], &[0], 0.0, &[]).is_err());
    }
}
