//! Epochs as they are trained, written down for other programs to draw: callbacks under Keras's names.
//!
//! * [`CsvLogger`]: a row an epoch, for a spreadsheet or a data frame
//! * [`TensorBoard`]: event files, for TensorBoard
//!
//! A log that cannot be written does not end the training: the callback falls silent, and
//! [`take_failure`](CsvLogger::take_failure) says why afterwards.
//!
//! ```
//! use slugline::classifier::{Classifier, TrainingOptions};
//! use slugline::corpus::{SequenceOptions, sample};
//! use slugline::logs::CsvLogger;
//!
//! let options = TrainingOptions { max_features: 500, hidden: vec![8], epochs: 2, ..Default::default() };
//! let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
//! let place = tempfile::tempdir()?;
//! let path = place.path().join("epochs.csv");
//! let mut log = CsvLogger::new(&path)?;
//! Classifier::train_with(&corpus, &options, &mut [&mut log])?;
//! assert!(log.take_failure().is_none());
//! let text = std::fs::read_to_string(&path)?;
//! assert!(text.starts_with("epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n1,"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod csv;
mod tensorboard;

use std::io;
use std::path::PathBuf;

pub use csv::CsvLogger;
pub use tensorboard::TensorBoard;

/// Why a log could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the log {}", path.display())]
pub struct LogError {
    /// The file or folder.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

#[cfg(test)]
mod tests {
    use crate::nn::{Dense, EpochLogs, Scores, Sequential};

    /// The scores of an epoch, validated.
    pub(super) fn logs(epoch: usize) -> EpochLogs {
        let scores = |loss: f64, accuracy| Scores {
            loss: loss / epoch as f64,
            metrics: vec![("accuracy".into(), accuracy)],
        };
        EpochLogs {
            epoch,
            train: scores(1.0, 0.5),
            validation: Some(scores(2.0, 0.25)),
            learning_rate: 0.001,
        }
    }

    pub(super) fn model() -> Sequential {
        Sequential::new(1, [Dense::new(1).into()], 0).unwrap()
    }
}
