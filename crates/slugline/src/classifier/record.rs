//! How a classifier was made.

use serde::{Deserialize, Serialize};

use super::{AutoRecord, FoldsRecord, TrainingOptions};
use crate::corpus::LabelKind;
use crate::nn::History;
use crate::tune::TuneRecord;

/// What a model remembers of its making. Holds no time, host or path: the same inputs make the same
/// record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingRecord {
    /// Version of Slugline that trained the model.
    pub slugline_version: String,
    /// The command that would train it again, if it was trained by one.
    pub command: Option<String>,
    /// What it was trained on.
    pub corpus: CorpusRecord,
    /// What kind of labels the documents had, and so what the outputs are: shares of one, or for
    /// [`LabelKind::Multi`] one probability for each class by itself.
    #[serde(default)]
    pub label_kind: LabelKind,
    /// The settings.
    pub options: TrainingOptions,
    /// The model that this one goes on from, if it was not trained from the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ancestor: Option<Ancestor>,
    /// What was tried before these settings were chosen, if the program chose them.
    pub auto: Option<AutoRecord>,
    /// The search that found these settings, if there was one.
    #[serde(default)]
    pub tune: Option<TuneRecord>,
    /// How the same settings did in a cross-validation, if there was one.
    #[serde(default)]
    pub cross_validation: Option<FoldsRecord>,
    /// The course of the training.
    pub history: History,
    /// The epoch with the lowest validation loss, counted from 1; without validation the last one.
    pub best_epoch: usize,
    /// Training documents of each class, the validation documents included.
    pub class_counts: Vec<u64>,
}

/// The model that another one goes on from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ancestor {
    /// The checksum of its model file.
    pub checksum: String,
    /// What it was trained on.
    pub corpus: CorpusRecord,
    /// Its number of classes; those after them are new.
    pub classes: usize,
    /// Its number of features; those after them are new.
    pub features: usize,
    /// Documents like its own that were trained on again, so that they are not forgotten.
    pub replayed: usize,
}

/// The corpus that a model was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusRecord {
    /// Name of the corpus.
    pub name: String,
    /// What it is.
    pub description: String,
    /// [`Corpus::fingerprint`](crate::corpus::Corpus::fingerprint) of its content.
    pub fingerprint: String,
    /// Documents trained on.
    pub train_samples: usize,
    /// Documents validated on.
    pub validation_samples: usize,
}
