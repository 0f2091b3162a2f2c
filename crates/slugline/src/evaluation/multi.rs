//! Scores of multi-label answers.

use super::ranking::{Areas, Ranking, means};
use super::score::{Mean, Score, Values};
use super::{Judged, losses};
use crate::decision::Answer;
use crate::nn::{Average, ClassCounts, Matrix, average_score};

/// Documents with their labels and what a classifier makes of each, ready to be scored under any
/// weights.
#[derive(Debug)]
pub(super) struct Multi {
    classes: usize,
    documents: Vec<Document>,
    rankings: Vec<Ranking>,
    /// Of all classes together.
    together: Ranking,
    log_losses: Vec<f64>,
    briers: Vec<f64>,
}

/// What is right and wrong about a document.
#[derive(Debug)]
struct Document {
    right: Vec<u32>,
    /// Labels that were given and should not be.
    superfluous: Vec<u32>,
    missing: Vec<u32>,
    /// Whether there is an answer, not `unknown`.
    answered: bool,
}

impl Document {
    /// From rising lists of classes.
    fn new(wanted: &[u32], given: Option<&[u32]>) -> Self {
        let answered = given.is_some();
        let given = given.unwrap_or_default();
        let within = |list: &[u32], class: &u32| list.binary_search(class).is_ok();
        let split = |list: &[u32], other: &[u32]| -> (Vec<u32>, Vec<u32>) {
            list.iter().partition(|class| within(other, class))
        };
        let (right, superfluous) = split(given, wanted);
        let (_, missing) = split(wanted, given);
        Self { right, superfluous, missing, answered }
    }

    fn counts(&self) -> ClassCounts {
        ClassCounts {
            true_positives: self.right.len() as u64,
            false_positives: self.superfluous.len() as u64,
            false_negatives: self.missing.len() as u64,
        }
    }

    fn wrong(&self) -> usize {
        self.superfluous.len() + self.missing.len()
    }
}

impl Multi {
    /// From what a classifier makes of documents.
    pub(super) fn of(judged: &Judged<'_>, wanted: &[Vec<u32>]) -> Self {
        let given = judged.answers.iter().map(|answer| match answer {
            Answer::Class(class) => Some(vec![*class]),
            Answer::Labels(labels) => {
                let mut labels = labels.clone();
                labels.sort_unstable();
                Some(labels)
            }
            Answer::Unknown(_) => None,
        });
        Self::new(judged.probabilities, wanted, &given.collect::<Vec<_>>())
    }

    /// From calibrated probabilities, one row a document; `given` holds rising lists of classes, `None`
    /// for `unknown`.
    fn new(probabilities: &Matrix, wanted: &[Vec<u32>], given: &[Option<Vec<u32>>]) -> Self {
        let classes = probabilities.cols();
        let rows = || probabilities.iter_rows().zip(wanted).enumerate();
        let of_class = |class: usize, wanted: &[u32]| wanted.binary_search(&(class as u32)).is_ok();
        let column = |class: usize| {
            Ranking::new(rows().map(|(i, (row, wanted))| (row[class], i, of_class(class, wanted))))
        };
        let all = rows().flat_map(|(i, (row, wanted))| {
            row.iter().enumerate().map(move |(class, &p)| (p, i, of_class(class, wanted)))
        });
        let (log_losses, briers) =
            rows().map(|(_, (row, wanted))| losses::of_labels(row, wanted)).unzip();
        Self {
            classes,
            documents: wanted
                .iter()
                .zip(given)
                .map(|(wanted, given)| Document::new(wanted, given.as_deref()))
                .collect(),
            rankings: (0..classes).map(column).collect(),
            together: Ranking::new(all),
            log_losses,
            briers,
        }
    }

    /// Right and wrong answers of each class.
    pub(super) fn counts(&self, weights: &[u32]) -> Vec<ClassCounts> {
        let mut counts = vec![ClassCounts::default(); self.classes];
        for (document, &weight) in self.documents.iter().zip(weights) {
            let weight = u64::from(weight);
            for &class in &document.right {
                counts[class as usize].true_positives += weight;
            }
            for &class in &document.superfluous {
                counts[class as usize].false_positives += weight;
            }
            for &class in &document.missing {
                counts[class as usize].false_negatives += weight;
            }
        }
        counts
    }

    /// The areas of each class.
    pub(super) fn areas(&self, weights: &[u32]) -> Vec<Areas> {
        self.rankings.iter().map(|ranking| ranking.areas(weights)).collect()
    }

    /// All scores of documents that count as often as their weights say, in the order of a report. The
    /// areas, which take longest, may be left out.
    pub(super) fn scores(&self, weights: &[u32], areas: bool) -> Values {
        let n: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        let sum = |of: &dyn Fn(&Document) -> u64| {
            let all = self.documents.iter().zip(weights);
            all.map(|(document, &w)| of(document) * u64::from(w)).sum::<u64>() as f64
        };
        let mean = |values: &[f64]| losses::mean(values, weights);
        let exact = |document: &Document| u64::from(document.wrong() == 0);
        let counts = self.counts(weights);
        let wrong = sum(&|document| document.wrong() as u64);
        let mut all = vec![
            (Score::Accuracy, Some(sum(&exact) / n as f64)),
            (Score::HammingLoss, Some(wrong / (n as f64 * self.classes as f64))),
        ];
        for kind in [Mean::Macro, Mean::Micro, Mean::Weighted, Mean::Samples] {
            let of = |score: fn(&ClassCounts) -> f64| {
                Some(match kind {
                    // Here every class counts, also one that is neither there nor given.
                    Mean::Macro => counts.iter().map(score).sum::<f64>() / counts.len() as f64,
                    Mean::Micro => average_score(&counts, Average::Micro, score),
                    Mean::Weighted => average_score(&counts, Average::Weighted, score),
                    Mean::Samples => {
                        let of_each = self.documents.iter().map(|d| score(&d.counts()));
                        mean(&of_each.collect::<Vec<f64>>())
                    }
                })
            };
            all.extend([
                (Score::Precision(kind), of(ClassCounts::precision)),
                (Score::Recall(kind), of(ClassCounts::recall)),
                (Score::F1(kind), of(ClassCounts::f1)),
            ]);
        }
        all.push((Score::LogLoss, Some(mean(&self.log_losses))));
        all.push((Score::Brier, Some(mean(&self.briers))));
        if areas {
            let areas = self.areas(weights);
            let together = self.together.areas(weights);
            let (plain, weighted) = means(&areas, |class| class.roc_auc);
            all.push((Score::RocAuc(Mean::Macro), plain));
            all.push((Score::RocAuc(Mean::Micro), together.roc_auc));
            all.push((Score::RocAuc(Mean::Weighted), weighted));
            let (plain, weighted) = means(&areas, |class| class.average_precision);
            all.push((Score::AveragePrecision(Mean::Macro), plain));
            all.push((Score::AveragePrecision(Mean::Micro), together.average_precision));
            all.push((Score::AveragePrecision(Mean::Weighted), weighted));
        }
        let answered = sum(&|document| u64::from(document.answered));
        let right = sum(&|document| u64::from(document.answered) * exact(document));
        all.push((Score::Coverage, Some(answered / n as f64)));
        all.push((Score::AnsweredAccuracy, (answered > 0.0).then(|| right / answered)));
        all
    }
}
