//! What training reports, epoch by epoch.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A loss and the metrics of `compile`, by name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    /// Mean loss a sample, penalties included.
    pub loss: f64,
    /// Name and value of each metric, in the order of `compile`.
    pub metrics: Vec<(String, f64)>,
}

impl Scores {
    /// `loss`, or the metric of that name.
    pub fn get(&self, name: &str) -> Option<f64> {
        if name == "loss" {
            return Some(self.loss);
        }
        self.metrics.iter().find(|(n, _)| n == name).map(|(_, v)| *v)
    }
}

/// The scores of one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpochLogs {
    /// Number of the epoch within its `fit`, counted from 1.
    pub epoch: usize,
    /// Scores on the training data, taken from each batch before its step, as Keras does; the weights
    /// change meanwhile.
    pub train: Scores,
    /// Scores on the validation data after the epoch.
    pub validation: Option<Scores>,
    /// Learning rate of the last step.
    pub learning_rate: f64,
}

impl EpochLogs {
    /// A value by Keras's key: `loss`, `accuracy`, … for training, `val_loss`, `val_accuracy`, … for
    /// validation, `learning_rate`.
    pub fn get(&self, key: &str) -> Option<f64> {
        match key.strip_prefix("val_") {
            Some(name) => self.validation.as_ref()?.get(name),
            None if key == "learning_rate" => Some(self.learning_rate),
            None => self.train.get(key),
        }
    }
}

/// Why a `fit` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// All epochs were trained.
    #[default]
    Completed,
    /// A callback stopped it at the end of an epoch.
    Stopped,
    /// A callback stopped it within an epoch; the weights are those reached.
    Interrupted,
    /// The loss became NaN or infinite; the weights are those of the last good epoch.
    Diverged,
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Stopped => "stopped",
            Self::Interrupted => "interrupted",
            Self::Diverged => "diverged",
        })
    }
}

/// The course of a `fit`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The finished epochs.
    pub epochs: Vec<EpochLogs>,
    /// Why there are no more of them.
    pub stop_reason: StopReason,
}

impl History {
    /// The values of a key, one an epoch; `None` if there are none. Keys as in [`EpochLogs::get`].
    pub fn series(&self, key: &str) -> Option<Vec<f64>> {
        let values: Vec<f64> = self.epochs.iter().map_while(|e| e.get(key)).collect();
        (!values.is_empty()).then_some(values)
    }

    /// The keys that have values: `loss`, the metrics, and the same with `val_` before them.
    pub fn keys(&self) -> Vec<String> {
        let Some(logs) = self.epochs.first() else { return Vec::new() };
        let names = |scores: &Scores, prefix: &str| {
            std::iter::once("loss")
                .chain(scores.metrics.iter().map(|(n, _)| n.as_str()))
                .map(|n| format!("{prefix}{n}"))
                .collect::<Vec<_>>()
        };
        let mut keys = names(&logs.train, "");
        if let Some(validation) = &logs.validation {
            keys.extend(names(validation, "val_"));
        }
        keys
    }

    /// The first epoch's value of a key.
    pub fn first(&self, key: &str) -> Option<f64> {
        self.epochs.first()?.get(key)
    }

    /// The last epoch's value of a key.
    pub fn last(&self, key: &str) -> Option<f64> {
        self.epochs.last()?.get(key)
    }

    /// The epoch, counted from 1, at which a key has its best value: the lowest for a loss, the
    /// highest for anything else, the earliest of equals.
    pub fn best_epoch(&self, key: &str) -> Option<usize> {
        let lower = lower_is_better(key);
        let mut best: Option<(usize, f64)> = None;
        for logs in &self.epochs {
            let value = logs.get(key)?;
            let better = best.is_none_or(|(_, b)| if lower { value < b } else { value > b });
            if better {
                best = Some((logs.epoch, value));
            }
        }
        best.map(|(epoch, _)| epoch)
    }

    /// The epoch, counted from 1, after which the network overfits: its validation loss is the lowest
    /// of the run, and the last one is at least 1 % higher (less is noise), while the training loss fell.
    /// `None` without validation, or where overfitting has not begun.
    pub fn overfits_after(&self) -> Option<usize> {
        const LEAST_RISE: f64 = 0.01;
        let best = self.best_epoch("val_loss")?;
        let (then, now) = (self.epochs.get(best - 1)?, self.epochs.last()?);
        let risen = now.get("val_loss")? >= then.get("val_loss")? * (1.0 + LEAST_RISE);
        (risen && now.train.loss < then.train.loss).then_some(best)
    }
}

/// Whether small values of a key are the good ones.
pub(crate) fn lower_is_better(key: &str) -> bool {
    key.ends_with("loss")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_keras_keys() {
        let logs = |epoch, loss, val_loss, val_accuracy| EpochLogs {
            epoch,
            train: Scores { loss, metrics: vec![("accuracy".into(), 0.5)] },
            validation: Some(Scores {
                loss: val_loss,
                metrics: vec![("accuracy".into(), val_accuracy)],
            }),
            learning_rate: 0.1,
        };
        let history = History {
            epochs: vec![logs(1, 3.0, 2.0, 0.5), logs(2, 2.0, 1.0, 0.7), logs(3, 1.0, 1.5, 0.7)],
            ..Default::default()
        };
        assert_eq!(history.keys(), ["loss", "accuracy", "val_loss", "val_accuracy"]);
        assert_eq!(history.series("val_loss"), Some(vec![2.0, 1.0, 1.5]));
        assert_eq!(history.best_epoch("val_loss"), Some(2));
        assert_eq!(history.best_epoch("val_accuracy"), Some(2));
        assert_eq!(history.best_epoch("loss"), Some(3));
        assert_eq!(history.overfits_after(), Some(2));
        assert_eq!((history.best_epoch("auc"), history.series("auc")), (None, None));
        assert_eq!(history.last("learning_rate"), Some(0.1));
        let falling = History { epochs: history.epochs[..2].to_vec(), ..Default::default() };
        assert_eq!(falling.overfits_after(), None);
    }
}
