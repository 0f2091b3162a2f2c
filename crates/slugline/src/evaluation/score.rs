//! Scores by their names.

use std::fmt;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// How the scores of classes become one number, with scikit-learn's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mean {
    /// The plain mean over the classes.
    Macro,
    /// From the answers for all classes together.
    Micro,
    /// The mean weighted by the documents of the classes.
    Weighted,
    /// The mean over the documents, of multi-label answers.
    Samples,
}

/// A score; [`Display`](fmt::Display) gives its name in JSON.
///
/// Unless said otherwise it is scikit-learn's, with `zero_division=0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Score {
    /// Share of documents with the right answer; of multi-label ones, with exactly the right labels
    /// (subset accuracy).
    Accuracy,
    /// Mean recall of the classes that have documents.
    BalancedAccuracy,
    /// Share of documents whose class is among the `k` most probable ones; of equals, the first
    /// classes come first.
    TopK(usize),
    /// Right answers among the answers.
    Precision(Mean),
    /// Right answers among the documents.
    Recall(Mean),
    /// Harmonic mean of precision and recall, of each class before averaging.
    F1(Mean),
    /// Matthews' correlation coefficient, for any number of classes.
    Mcc,
    /// Share of single labels given wrongly or wrongly not given.
    HammingLoss,
    /// Mean of `−ln p` of the true class; of multi-label answers the mean over documents and classes of
    /// `−ln` of the probability of what is true. Probabilities are cut to `[2⁻⁵², 1 − 2⁻⁵²]`.
    LogLoss,
    /// Mean of `−Σ share·ln p` over the classes, of soft labels.
    CrossEntropy,
    /// Mean squared distance of the probabilities from the truth: summed over three or more classes,
    /// of one class where there are two, the mean over the classes for multi-label answers.
    Brier,
    /// Area under the receiver operating characteristic, one class against the rest. Classes without
    /// documents, or with all, have none and do not count.
    RocAuc(Mean),
    /// The same of the second of two classes.
    BinaryRocAuc,
    /// Average precision: the precision at each step of the recall, weighted by the step. Classes
    /// without documents have none and do not count.
    AveragePrecision(Mean),
    /// The same of the second of two classes.
    BinaryAveragePrecision,
    /// Share of documents that are answered, not `unknown`.
    Coverage,
    /// Share of those whose answer is right.
    AnsweredAccuracy,
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Macro => "macro",
            Self::Micro => "micro",
            Self::Weighted => "weighted",
            Self::Samples => "samples",
        })
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accuracy => f.write_str("accuracy"),
            Self::BalancedAccuracy => f.write_str("balanced_accuracy"),
            Self::TopK(k) => write!(f, "top_{k}_accuracy"),
            Self::Precision(mean) => write!(f, "{mean}_precision"),
            Self::Recall(mean) => write!(f, "{mean}_recall"),
            Self::F1(mean) => write!(f, "{mean}_f1"),
            Self::Mcc => f.write_str("mcc"),
            Self::HammingLoss => f.write_str("hamming_loss"),
            Self::LogLoss => f.write_str("log_loss"),
            Self::CrossEntropy => f.write_str("cross_entropy"),
            Self::Brier => f.write_str("brier"),
            Self::RocAuc(mean) => write!(f, "{mean}_roc_auc"),
            Self::BinaryRocAuc => f.write_str("roc_auc"),
            Self::AveragePrecision(mean) => write!(f, "{mean}_average_precision"),
            Self::BinaryAveragePrecision => f.write_str("average_precision"),
            Self::Coverage => f.write_str("coverage"),
            Self::AnsweredAccuracy => f.write_str("answered_accuracy"),
        }
    }
}

/// What each score is for some documents, none where it is not defined.
pub(super) type Values = Vec<(Score, Option<f64>)>;

/// Values by score, in the order in which they are reported; an object in JSON.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores<T>(pub(super) Vec<(Score, T)>);

impl<T> Default for Scores<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Scores<T> {
    /// The value of a score, if it is there.
    pub fn get(&self, score: Score) -> Option<&T> {
        self.0.iter().find(|(found, _)| *found == score).map(|(_, value)| value)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Score, &T)> {
        self.0.iter().map(|(score, value)| (*score, value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for Scores<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (score, value) in &self.0 {
            map.serialize_entry(&score.to_string(), value)?;
        }
        map.end()
    }
}
