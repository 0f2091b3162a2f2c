//! The course of a training.

use serde::Serialize;

use super::{Axis, Chart, Panel, Picture, PlotError, Point, Rule, Series, Theme, titled};
use crate::nn::History;

/// Loss and accuracy epoch by epoch, on the documents trained on and, if there were any, on those
/// validated on; where any number of labels is given, micro F1 in place of accuracy.
///
/// The epoch with the lowest validation loss is marked: what comes after it is overfitting.
///
/// ```
/// use slugline::nn::{EpochLogs, History, Scores};
/// use slugline::plot::{Curves, Picture, Theme};
///
/// let scores = |loss, accuracy| Scores { loss, metrics: vec![("accuracy".into(), accuracy)] };
/// let epochs = [(1, 2.0, 1.5), (2, 1.0, 1.2), (3, 0.5, 1.3)].map(|(epoch, loss, val_loss)| EpochLogs {
///     epoch,
///     train: scores(loss, 0.7),
///     validation: Some(scores(val_loss, 0.6)),
///     learning_rate: 0.001,
/// });
/// let curves = Curves::new("news", &History { epochs: epochs.to_vec(), ..Default::default() });
/// assert_eq!(curves.overfits_after, Some(2));
/// assert!(curves.svg(Theme::Dark)?.contains("overfits after epoch 2"));
/// # Ok::<(), slugline::plot::PlotError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curves {
    /// What was trained on; stands before the title, unless it is empty.
    pub name: String,
    /// Numbers of the epochs.
    pub epochs: Vec<usize>,
    /// Loss on the training documents, one number an epoch, as all that follow.
    pub loss: Vec<f64>,
    /// Loss on the validation documents, if there were any.
    pub val_loss: Option<Vec<f64>>,
    /// Accuracy, unless any number of labels is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Vec<f64>>,
    /// Accuracy on the validation documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_accuracy: Option<Vec<f64>>,
    /// Micro F1 where any number of labels is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_f1: Option<Vec<f64>>,
    /// Micro F1 on the validation documents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub val_micro_f1: Option<Vec<f64>>,
    /// The epoch with the lowest validation loss.
    pub best_epoch: Option<usize>,
    /// The same epoch if the network overfits from there on; see
    /// [`History::overfits_after`](crate::nn::History::overfits_after).
    pub overfits_after: Option<usize>,
}

impl Curves {
    /// The course of a training on what is called `name`.
    pub fn new(name: impl Into<String>, history: &History) -> Self {
        Self {
            name: name.into(),
            epochs: history.epochs.iter().map(|logs| logs.epoch).collect(),
            loss: history.series("loss").unwrap_or_default(),
            val_loss: history.series("val_loss"),
            accuracy: history.series("accuracy"),
            val_accuracy: history.series("val_accuracy"),
            micro_f1: history.series("micro_f1"),
            val_micro_f1: history.series("val_micro_f1"),
            best_epoch: history.best_epoch("val_loss"),
            overfits_after: history.overfits_after(),
        }
    }

    /// The panels as they are drawn.
    fn chart(&self) -> Chart {
        let rule = self.best_epoch.map(|epoch| Rule {
            at: epoch as f64,
            label: match self.overfits_after {
                Some(_) => format!("overfits after epoch {epoch}"),
                None => format!("lowest validation loss: epoch {epoch}"),
            },
        });
        let last = self.epochs.last().copied().unwrap_or_default();
        let panel = |label: &str, train: &[f64], validation: Option<&[f64]>| {
            let series = |name: &str, values: &[f64]| {
                let points = self.epochs.iter().zip(values);
                let points = points.map(|(&epoch, &y)| Point { x: epoch as f64, y, spread: 0.0 });
                Series { name: name.to_owned(), points: points.collect() }
            };
            let mut lines = vec![series("training", train)];
            lines.extend(validation.map(|values| series("validation", values)));
            Panel {
                x: Axis::counted("epoch", last),
                y_label: label.to_owned(),
                series: lines,
                rule: rule.clone(),
            }
        };
        let mut panels = vec![panel("loss", &self.loss, self.val_loss.as_deref())];
        for (label, train, validation) in [
            ("accuracy", &self.accuracy, &self.val_accuracy),
            ("micro F1", &self.micro_f1, &self.val_micro_f1),
        ] {
            panels.extend(train.as_ref().map(|train| panel(label, train, validation.as_deref())));
        }
        Chart { title: titled(&self.name, "training"), panels }
    }
}

impl Picture for Curves {
    fn svg(&self, theme: Theme) -> Result<String, PlotError> {
        if self.epochs.is_empty() {
            return Err(PlotError::draw("the training has no epochs"));
        }
        self.chart().svg(theme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{EpochLogs, Scores};
    use crate::plot::testing::check;

    fn history(epochs: usize, score: &str, validation: bool) -> History {
        let scores = |x: f64| Scores { loss: x, metrics: vec![(score.into(), 1.0 / (1.0 + x))] };
        let epochs = (1..=epochs).map(|epoch| {
            let t = epoch as f64;
            EpochLogs {
                epoch,
                train: scores(3.0 / t),
                validation: validation.then(|| scores(3.0 / t + 0.05 * t)),
                learning_rate: 0.01,
            }
        });
        History { epochs: epochs.collect(), ..Default::default() }
    }

    #[test]
    fn two_panels_and_the_point_where_overfitting_begins() {
        let curves = Curves::new("reuters", &history(20, "accuracy", true));
        assert_eq!((curves.best_epoch, curves.overfits_after), (Some(8), Some(8)));
        let svg = check(&curves);
        for wanted in ["reuters: training", "loss", "accuracy", "training", "validation"] {
            assert!(svg.contains(wanted), "{wanted}");
        }
        assert_eq!(svg.matches("overfits after epoch 8").count(), 2);
        let json = serde_json::to_value(&curves).unwrap();
        assert_eq!(json["val_loss"].as_array().unwrap().len(), 20);
        assert!(json.get("micro_f1").is_none());
    }

    #[test]
    fn short_long_and_unvalidated_trainings_are_drawn() {
        let one = Curves::new("", &history(1, "micro_f1", true));
        let svg = check(&one);
        assert!(svg.contains("micro F1") && svg.contains("lowest validation loss: epoch 1"));
        let plain = Curves::new("", &history(3, "accuracy", false));
        assert_eq!((plain.best_epoch, plain.val_loss.as_ref()), (None, None));
        assert!(!check(&plain).contains("validation"));
        let marks =
            |n| check(&Curves::new("", &history(n, "accuracy", true))).matches("<polygon").count();
        assert!(marks(40) > 160 && marks(41) < 10, "{}", marks(41));
        assert!(Curves::new("", &History::default()).svg(Theme::Light).is_err());
    }
}
