//! What is noted of a training.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::RunsError;
use crate::classifier::Classifier;
use crate::nn::StopReason;

/// What is noted of a training.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// When it began, to the millisecond.
    pub started: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// The command that trains the same model again; empty where there is none.
    pub command: String,
    /// The settings: [`TrainingOptions`](crate::classifier::TrainingOptions) as JSON.
    pub settings: Value,
    /// Name of the data.
    pub data: String,
    /// Fingerprint of their content.
    pub fingerprint: String,
    /// Documents trained on.
    pub train_samples: usize,
    /// Documents validated on.
    pub validation_samples: usize,
    /// Epochs trained to their end.
    pub epochs: usize,
    /// The epoch with the lowest validation loss, without validation the last one.
    pub best_epoch: usize,
    /// Why there were no more epochs.
    pub stop_reason: StopReason,
    /// Scores by name: `loss`, `accuracy` (or `micro_f1`), `val_loss`, `val_accuracy` of the last epoch,
    /// or of the best one where patience brought its weights back. They are those of single weights: of
    /// an ensemble those of its first network, and of an average of epochs those of the last
    /// epoch. Where the program chose the settings, `held_out_accuracy` (or `held_out_micro_f1`) and
    /// `held_out_log_loss` of what it chose.
    pub scores: Vec<(String, f64)>,
    /// The model file.
    pub model: PathBuf,
    /// The checksum of the model file.
    pub checksum: String,
    /// Version of Slugline.
    pub version: String,
    /// The seed.
    pub seed: u64,
}

impl Entry {
    /// What is noted of the training that made `classifier`, which is saved as `model`.
    ///
    /// # Errors
    /// [`RunsError::Model`] for a model that no file can hold.
    pub fn new(
        classifier: &Classifier,
        model: &Path,
        started: SystemTime,
        duration: Duration,
    ) -> Result<Self, RunsError> {
        let record = classifier.record();
        let (options, history) = (&record.options, &record.history);
        Ok(Self {
            started,
            duration,
            command: record.command.clone().unwrap_or_default(),
            // By way of text, which has numbers of single precision as short as they are meant.
            settings: serde_json::to_string(options)
                .and_then(|text| serde_json::from_str(&text))
                .unwrap_or_default(),
            data: record.corpus.name.clone(),
            fingerprint: record.corpus.fingerprint.clone(),
            train_samples: record.corpus.train_samples,
            validation_samples: record.corpus.validation_samples,
            epochs: history.epochs.len(),
            best_epoch: record.best_epoch,
            stop_reason: history.stop_reason,
            scores: scores(classifier),
            // Where the current folder is gone, the path as it was given is all that is known.
            model: std::path::absolute(model).unwrap_or_else(|_| model.to_owned()),
            checksum: classifier.checksum()?,
            version: record.slugline_version.clone(),
            seed: options.seed,
        })
    }

    /// The score of that name.
    pub fn score(&self, name: &str) -> Option<f64> {
        self.scores.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

fn scores(classifier: &Classifier) -> Vec<(String, f64)> {
    let record = classifier.record();
    let history = &record.history;
    let epoch = match record.options.patience {
        Some(_) => record.best_epoch,
        None => history.epochs.len(),
    };
    let mut scores = Vec::new();
    if let Some(logs) = history.epochs.get(epoch.wrapping_sub(1)) {
        let values = history.keys().into_iter().filter_map(|key| logs.get(&key).map(|v| (key, v)));
        scores.extend(values);
    }
    let chosen = record.auto.as_ref().and_then(|auto| auto.candidates.get(auto.chosen));
    if let Some(candidate) = chosen {
        scores.push(match candidate.micro_f1 {
            Some(micro_f1) => ("held_out_micro_f1".into(), micro_f1),
            None => ("held_out_accuracy".into(), candidate.accuracy),
        });
        scores.push(("held_out_log_loss".into(), candidate.log_loss));
    }
    scores.retain(|(_, value)| value.is_finite());
    scores
}
