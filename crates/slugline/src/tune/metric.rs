//! What a search makes good.

use std::cmp::Ordering;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::evaluation::{Evaluation, Mean, Score};

/// The score by which settings are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Share of right answers; of documents with any number of labels, those with exactly their labels.
    /// The default.
    #[default]
    Accuracy,
    /// Mean recall of the classes that have documents.
    BalancedAccuracy,
    /// Mean F1 of the classes.
    MacroF1,
    /// Mean F1 of the classes, weighted by their documents.
    WeightedF1,
    /// F1 of the answers for all classes together; where a document has one class, the accuracy.
    MicroF1,
    /// Mean of `−ln p` of what is true after calibration; the only one of which less is better.
    LogLoss,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 6] = [
        Self::Accuracy,
        Self::BalancedAccuracy,
        Self::MacroF1,
        Self::WeightedF1,
        Self::MicroF1,
        Self::LogLoss,
    ];

    /// The name in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::BalancedAccuracy => "balanced_accuracy",
            Self::MacroF1 => "macro_f1",
            Self::WeightedF1 => "weighted_f1",
            Self::MicroF1 => "micro_f1",
            Self::LogLoss => "log_loss",
        }
    }

    /// Orders two scores, the better one as the greater. Not a number is worse than any.
    ///
    /// ```
    /// use std::cmp::Ordering;
    /// use slugline::tune::Metric;
    ///
    /// assert_eq!(Metric::Accuracy.order(0.8, 0.7), Ordering::Greater);
    /// assert_eq!(Metric::LogLoss.order(0.8, 0.7), Ordering::Less);
    /// ```
    pub fn order(self, a: f64, b: f64) -> Ordering {
        let value = |x: f64| match self {
            _ if x.is_nan() => f64::NEG_INFINITY,
            Self::LogLoss => -x,
            _ => x,
        };
        value(a).total_cmp(&value(b))
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.map(Self::name).to_vec();
            format!("unknown metric `{name}`: expected {}", known.join(", "))
        })
    }
}

/// The scores of one training, or means of several, on documents held out.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Scores {
    /// [`Metric::Accuracy`].
    pub accuracy: f64,
    /// [`Metric::BalancedAccuracy`].
    pub balanced_accuracy: f64,
    /// [`Metric::MacroF1`].
    pub macro_f1: f64,
    /// [`Metric::WeightedF1`].
    pub weighted_f1: f64,
    /// [`Metric::MicroF1`].
    #[serde(default)]
    pub micro_f1: f64,
    /// [`Metric::LogLoss`].
    pub log_loss: f64,
}

impl Scores {
    /// Those of an evaluation whose loss is the log loss.
    pub(super) fn of(evaluation: &Evaluation) -> Self {
        let micro = evaluation.scores.get(Score::F1(Mean::Micro));
        Self {
            accuracy: evaluation.accuracy,
            balanced_accuracy: evaluation
                .scores
                .get(Score::BalancedAccuracy)
                .copied()
                .unwrap_or_default(),
            macro_f1: evaluation.macro_f1,
            weighted_f1: evaluation.weighted_f1,
            micro_f1: micro.copied().unwrap_or(evaluation.accuracy),
            log_loss: evaluation.loss,
        }
    }

    /// One of them.
    pub fn get(&self, metric: Metric) -> f64 {
        match metric {
            Metric::Accuracy => self.accuracy,
            Metric::BalancedAccuracy => self.balanced_accuracy,
            Metric::MacroF1 => self.macro_f1,
            Metric::WeightedF1 => self.weighted_f1,
            Metric::MicroF1 => self.micro_f1,
            Metric::LogLoss => self.log_loss,
        }
    }

    /// The means of several; zeros for none.
    pub(super) fn mean(all: &[Self]) -> Self {
        let mean = |metric| {
            let sum: f64 = all.iter().map(|scores| scores.get(metric)).sum();
            sum / all.len().max(1) as f64
        };
        Self {
            accuracy: mean(Metric::Accuracy),
            balanced_accuracy: mean(Metric::BalancedAccuracy),
            macro_f1: mean(Metric::MacroF1),
            weighted_f1: mean(Metric::WeightedF1),
            micro_f1: mean(Metric::MicroF1),
            log_loss: mean(Metric::LogLoss),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_printed() {
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse(), Ok(metric));
            assert_eq!(serde_json::to_value(metric).unwrap(), metric.name());
        }
        let error = "f1".parse::<Metric>().unwrap_err();
        assert!(error.contains("`f1`") && error.contains("macro_f1"), "{error}");
    }

    #[test]
    fn nothing_is_worse_than_no_number() {
        for metric in Metric::ALL {
            assert_eq!(metric.order(f64::NAN, 0.0), Ordering::Less);
        }
    }
}
