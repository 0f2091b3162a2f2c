//! The scores that are shown first, under names for people.

use serde::Serialize;

use super::{Evaluation, Mean, Score};
use crate::corpus::LabelKind;

/// One line of the table of scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Headline {
    /// The name for people: "macro F1".
    pub name: String,
    /// The score.
    pub value: f64,
    /// Its interval: low end, high end; none where there is none.
    pub interval: Option<[f64; 2]>,
    /// Whether it is what answers without looking reach, to hold the accuracy before it against.
    pub baseline: bool,
}

/// Scores in the order of the table, behind accuracy and top-k accuracies, with their names for people.
const NAMES: [(Score, &str); 14] = [
    (Score::BalancedAccuracy, "balanced accuracy"),
    (Score::HammingLoss, "Hamming loss"),
    (Score::F1(Mean::Micro), "micro F1"),
    (Score::F1(Mean::Macro), "macro F1"),
    (Score::F1(Mean::Weighted), "weighted F1"),
    (Score::F1(Mean::Samples), "F1 of a document"),
    (Score::Mcc, "Matthews correlation"),
    (Score::BinaryRocAuc, "ROC-AUC"),
    (Score::BinaryAveragePrecision, "average precision"),
    (Score::RocAuc(Mean::Macro), "macro ROC-AUC"),
    (Score::AveragePrecision(Mean::Macro), "macro average precision"),
    (Score::CrossEntropy, "cross-entropy"),
    (Score::LogLoss, "log loss"),
    (Score::Brier, "Brier score"),
];

impl Evaluation {
    /// The scores that are shown first, in the order of a table: accuracy, the baselines below it, top-k
    /// accuracies, scores of all classes, losses, and last the calibration error. What would say the
    /// same twice is left out: micro F1 where each document has one class, means over two classes, and
    /// the loss as it was trained unless it differs from the others in four decimals.
    ///
    /// ```
    /// # use slugline::classifier::{Classifier, TrainingOptions};
    /// # use slugline::corpus::{SequenceOptions, sample};
    /// # let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
    /// # let options = TrainingOptions { max_features: 500, hidden: vec![], epochs: 1, ..Default::default() };
    /// # let classifier = Classifier::train(&corpus, &options)?;
    /// for line in classifier.evaluate(&corpus.test)?.headlines() {
    ///     println!("{:<28}{:.4}", line.name, line.value);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn headlines(&self) -> Vec<Headline> {
        let plain = |name: &str, value, baseline| {
            let interval = None;
            Headline { name: name.to_owned(), value, interval, baseline }
        };
        let mut all = Vec::new();
        for (score, name) in self.headline_scores() {
            let Some(value) = self.score(score) else { continue };
            let interval = self.intervals.get(score).copied();
            all.push(Headline { name, value, interval, baseline: false });
            if score == Score::Accuracy {
                let largest = match self.label_kind {
                    LabelKind::Multi => "always the largest label",
                    LabelKind::Single | LabelKind::Soft => "always the largest class",
                };
                all.push(plain(largest, self.baselines.majority, true));
                let random = self.baselines.random_permutation;
                all.push(plain("random permutation", random, true));
            }
        }
        let shown = |value: f64| format!("{value:.4}");
        let losses =
            [Score::LogLoss, Score::CrossEntropy].map(|score| self.score(score).map(shown));
        if !losses.contains(&Some(shown(self.loss))) {
            all.push(plain("loss as trained", self.loss, false));
        }
        all.push(plain("calibration error (ECE)", self.reliability.ece, false));
        all
    }

    /// The scores among the headlines, with their names for people.
    pub(crate) fn headline_scores(&self) -> Vec<(Score, String)> {
        let multi = self.label_kind == LabelKind::Multi;
        let accuracy = if multi { "all labels right" } else { "accuracy" };
        let top_k = self.scores.iter().filter_map(|(score, _)| match score {
            Score::TopK(k) => Some((score, format!("top-{k} accuracy"))),
            _ => None,
        });
        // Of one class a document it is the accuracy once more, and of two classes the areas are the
        // same.
        let skipped = |score: Score| match score {
            Score::F1(Mean::Micro) => !multi,
            Score::RocAuc(_) | Score::AveragePrecision(_) => {
                self.score(Score::BinaryRocAuc).is_some()
            }
            _ => false,
        };
        let others = NAMES.iter().filter(|(score, _)| self.score(*score).is_some());
        let others = others.filter(|(score, _)| !skipped(*score));
        let others = others.map(|&(score, name)| (score, name.to_owned()));
        [(Score::Accuracy, accuracy.to_owned())].into_iter().chain(top_k).chain(others).collect()
    }
}
