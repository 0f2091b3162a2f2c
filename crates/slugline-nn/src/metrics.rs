//! Scores of predictions: what `compile` takes, and the counts behind them.
//!
//! Where a network has one output it answers yes above 0.5; where it has several and they are
//! independent (sigmoid) each answers for itself; else the answer is the class of the largest output.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::NnError;
use crate::layers::Activation;
use crate::matrix::Targets;

/// How per-class scores become one number, with scikit-learn's names. A class without any prediction
/// (for precision) or sample (for recall) scores 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Average {
    /// The plain mean over the classes that occur in the targets or predictions. The default.
    #[default]
    Macro,
    /// From the counts of all classes together.
    Micro,
    /// The mean weighted by the classes' numbers of samples.
    Weighted,
}

/// A score that `fit` and `evaluate` report beside the loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of samples whose answer is right; for one output, the side of 0.5.
    Accuracy,
    /// Share of single yes-or-no answers that are right, over all outputs.
    BinaryAccuracy,
    /// Share of samples whose class is among the `k` largest outputs.
    TopKAccuracy {
        /// How many outputs count.
        k: usize,
    },
    /// `true positives / predicted`.
    Precision(Average),
    /// `true positives / samples`.
    Recall(Average),
    /// Harmonic mean of precision and recall, per class before averaging.
    F1Score(Average),
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let averaged = |f: &mut fmt::Formatter<'_>, name: &str, average: &Average| match average {
            Average::Macro => write!(f, "macro_{name}"),
            Average::Micro => write!(f, "micro_{name}"),
            Average::Weighted => write!(f, "weighted_{name}"),
        };
        match self {
            Self::Accuracy => f.write_str("accuracy"),
            Self::BinaryAccuracy => f.write_str("binary_accuracy"),
            Self::TopKAccuracy { k } => write!(f, "top_{k}_accuracy"),
            Self::Precision(average) => averaged(f, "precision", average),
            Self::Recall(average) => averaged(f, "recall", average),
            Self::F1Score(average) => averaged(f, "f1", average),
        }
    }
}

impl Metric {
    pub(crate) fn check(&self, units: usize) -> Result<(), NnError> {
        match self {
            Self::TopKAccuracy { k } if *k == 0 || *k > units => Err(NnError::Setting {
                name: "top-k",
                value: k.to_string(),
                expected: "from 1 to the number of classes",
            }),
            _ => Ok(()),
        }
    }
}

/// Right and wrong answers of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClassCounts {
    /// Samples of the class answered with it.
    pub true_positives: u64,
    /// Samples of other classes answered with it.
    pub false_positives: u64,
    /// Samples of the class answered with another.
    pub false_negatives: u64,
}

impl ClassCounts {
    /// Number of samples of the class.
    pub fn support(&self) -> u64 {
        self.true_positives + self.false_negatives
    }

    /// Share of the answers with this class that are right; 0 if there is none.
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Share of the samples of this class that are found; 0 if there is none.
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.support())
    }

    /// Harmonic mean of [`precision`](Self::precision) and [`recall`](Self::recall).
    pub fn f1(&self) -> f64 {
        ratio(
            2 * self.true_positives,
            2 * self.true_positives + self.false_positives + self.false_negatives,
        )
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Averages a per-class score.
///
/// ```
/// use slugline_nn::{Average, ClassCounts, average_score};
///
/// let counts = ClassCounts::from_labels(&[0, 0, 1, 2], &[0, 1, 1, 1], 3)?;
/// let f1 = average_score(&counts, Average::Macro, ClassCounts::f1);
/// assert!((f1 - (2.0 / 3.0 + 0.5 + 0.0) / 3.0).abs() < 1e-12);
/// # Ok::<(), slugline_nn::NnError>(())
/// ```
pub fn average_score(
    counts: &[ClassCounts],
    average: Average,
    score: impl Fn(&ClassCounts) -> f64,
) -> f64 {
    match average {
        Average::Macro => {
            let present = || counts.iter().filter(|c| c.support() + c.false_positives > 0);
            let n = present().count();
            if n == 0 { 0.0 } else { present().map(score).sum::<f64>() / n as f64 }
        }
        Average::Micro => score(&counts.iter().fold(ClassCounts::default(), |a, b| ClassCounts {
            true_positives: a.true_positives + b.true_positives,
            false_positives: a.false_positives + b.false_positives,
            false_negatives: a.false_negatives + b.false_negatives,
        })),
        Average::Weighted => {
            let total: u64 = counts.iter().map(ClassCounts::support).sum();
            if total == 0 {
                return 0.0;
            }
            counts.iter().map(|c| score(c) * c.support() as f64).sum::<f64>() / total as f64
        }
    }
}

impl ClassCounts {
    /// Counts for each of `classes` classes from true and predicted labels.
    ///
    /// # Errors
    /// [`NnError::Shape`] if the two lists differ in length, [`NnError::Label`] for a label out of
    /// range.
    pub fn from_labels(
        truth: &[u32],
        predicted: &[u32],
        classes: usize,
    ) -> Result<Vec<Self>, NnError> {
        if truth.len() != predicted.len() {
            return Err(NnError::Shape {
                what: "predicted labels",
                expected: truth.len(),
                got: predicted.len(),
            });
        }
        let mut counts = vec![Self::default(); classes];
        for (sample, (&t, &p)) in truth.iter().zip(predicted).enumerate() {
            let label = t.max(p);
            if label as usize >= classes {
                return Err(NnError::Label { sample, label, classes });
            }
            if t == p {
                counts[t as usize].true_positives += 1;
            } else {
                counts[t as usize].false_negatives += 1;
                counts[p as usize].false_positives += 1;
            }
        }
        Ok(counts)
    }
}

/// Counts over part of the samples. Whole numbers, so that parts can be added in any order.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    samples: u64,
    right: u64,
    answers: u64,
    right_answers: u64,
    top_k: Vec<u64>,
    classes: Vec<ClassCounts>,
}

/// Which counts a list of metrics needs, and how answers are read off the outputs.
#[derive(Debug, Clone)]
pub(crate) struct Tallying {
    metrics: Vec<Metric>,
    units: usize,
    independent: bool,
    per_class: bool,
}

impl Tallying {
    pub(crate) fn new(metrics: &[Metric], units: usize, activation: Activation) -> Self {
        Self {
            metrics: metrics.to_vec(),
            units,
            independent: units == 1 || activation == Activation::Sigmoid,
            per_class: metrics.iter().any(|m| {
                matches!(m, Metric::Precision(_) | Metric::Recall(_) | Metric::F1Score(_))
            }),
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        Tally {
            top_k: vec![0; self.metrics.len()],
            classes: vec![ClassCounts::default(); if self.per_class { self.units } else { 0 }],
            ..Tally::default()
        }
    }

    /// Counts one sample.
    pub(crate) fn count(&self, tally: &mut Tally, targets: &Targets, sample: usize, p: &[f32]) {
        if self.metrics.is_empty() {
            return;
        }
        tally.samples += 1;
        let answer = crate::matrix::argmax(p);
        let truth = match targets {
            Targets::Classes(labels) => labels[sample],
            Targets::Rows(rows) => crate::matrix::argmax(rows.row(sample)),
        };
        let wanted = |j: usize| match targets {
            Targets::Classes(labels) => labels[sample] as usize == j,
            Targets::Rows(rows) => rows.row(sample)[j] > 0.5,
        };
        let given = |j: usize| if self.independent { p[j] > 0.5 } else { answer as usize == j };
        tally.right +=
            u64::from(if self.units == 1 { given(0) == wanted(0) } else { answer == truth });
        for (metric, found) in self.metrics.iter().zip(&mut tally.top_k) {
            match metric {
                Metric::TopKAccuracy { k } => {
                    let above = p.iter().filter(|&&v| v > p[truth as usize]).count();
                    *found += u64::from(above < *k);
                }
                Metric::BinaryAccuracy => {
                    tally.answers += self.units as u64;
                    tally.right_answers +=
                        (0..self.units).filter(|&j| (p[j] > 0.5) == wanted(j)).count() as u64;
                }
                _ => {}
            }
        }
        for (j, counts) in tally.classes.iter_mut().enumerate() {
            match (wanted(j), given(j)) {
                (true, true) => counts.true_positives += 1,
                (true, false) => counts.false_negatives += 1,
                (false, true) => counts.false_positives += 1,
                (false, false) => {}
            }
        }
    }

    /// The value of each metric.
    pub(crate) fn values(&self, tally: &Tally) -> Vec<f64> {
        self.metrics
            .iter()
            .zip(&tally.top_k)
            .map(|(metric, &found)| match *metric {
                Metric::Accuracy => ratio(tally.right, tally.samples),
                Metric::BinaryAccuracy => ratio(tally.right_answers, tally.answers),
                Metric::TopKAccuracy { .. } => ratio(found, tally.samples),
                Metric::Precision(a) => average_score(&tally.classes, a, ClassCounts::precision),
                Metric::Recall(a) => average_score(&tally.classes, a, ClassCounts::recall),
                Metric::F1Score(a) => average_score(&tally.classes, a, ClassCounts::f1),
            })
            .collect()
    }
}

impl Tally {
    /// Adds another part's counts.
    pub(crate) fn add(&mut self, other: &Self) {
        self.samples += other.samples;
        self.right += other.right;
        self.answers += other.answers;
        self.right_answers += other.right_answers;
        for (a, b) in self.top_k.iter_mut().zip(&other.top_k) {
            *a += b;
        }
        for (a, b) in self.classes.iter_mut().zip(&other.classes) {
            a.true_positives += b.true_positives;
            a.false_positives += b.false_positives;
            a.false_negatives += b.false_negatives;
        }
    }

    /// Back to zero, keeping the buffers.
    pub(crate) fn clear(&mut self) {
        let (mut top_k, mut classes) =
            (std::mem::take(&mut self.top_k), std::mem::take(&mut self.classes));
        top_k.fill(0);
        classes.fill(ClassCounts::default());
        *self = Self { top_k, classes, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;

    /// Expected values from scikit-learn 1.9.1: `precision_recall_fscore_support([0,0,1,2,2,2],
    /// [0,1,1,2,0,2], average=...)` and `top_k_accuracy_score` on the same scores.
    #[test]
    fn multi_class_scores_agree_with_scikit_learn() {
        let metrics = [
            Metric::Accuracy,
            Metric::TopKAccuracy { k: 2 },
            Metric::Precision(Average::Macro),
            Metric::Recall(Average::Weighted),
            Metric::F1Score(Average::Micro),
            Metric::F1Score(Average::Macro),
            Metric::F1Score(Average::Weighted),
        ];
        let outputs = [
            [0.6, 0.3, 0.1],
            [0.3, 0.5, 0.2],
            [0.2, 0.7, 0.1],
            [0.1, 0.2, 0.7],
            [0.5, 0.3, 0.2],
            [0.0, 0.4, 0.6],
        ];
        let targets = Targets::from(vec![0, 0, 1, 2, 2, 2]);
        let tallying = Tallying::new(&metrics, 3, Activation::Softmax);
        let mut tally = tallying.tally();
        for (i, p) in outputs.iter().enumerate() {
            tallying.count(&mut tally, &targets, i, p);
        }
        let want =
            [4.0 / 6.0, 5.0 / 6.0, 2.0 / 3.0, 2.0 / 3.0, 4.0 / 6.0, 59.0 / 90.0, 61.0 / 90.0];
        for ((value, want), metric) in tallying.values(&tally).iter().zip(want).zip(metrics) {
            assert!((value - want).abs() < 1e-12, "{metric}: {value} for {want}");
        }
    }

    #[test]
    fn independent_outputs_are_judged_one_by_one() {
        let metrics = [Metric::BinaryAccuracy, Metric::F1Score(Average::Micro), Metric::Accuracy];
        let targets = Targets::from(Matrix::new(2, 2, vec![1.0, 1.0, 0.0, 1.0]).unwrap());
        let tallying = Tallying::new(&metrics, 2, Activation::Sigmoid);
        let mut tally = tallying.tally();
        tallying.count(&mut tally, &targets, 0, &[0.9, 0.2]);
        tallying.count(&mut tally, &targets, 1, &[0.6, 0.8]);
        assert_eq!(tallying.values(&tally), [0.5, 4.0 / 6.0, 1.0]);
        let (before, mut sum) = (tallying.values(&tally), tally.clone());
        sum.add(&tally);
        assert_eq!(tallying.values(&sum), before);
        sum.clear();
        assert_eq!(tallying.values(&sum), [0.0; 3]);
    }
}
