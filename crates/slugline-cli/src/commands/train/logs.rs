//! The epochs of a run on the disk, beside what is told of them.

use slugline::logs::{CsvLogger, LogError, TensorBoard};
use slugline::nn::Callback;

use crate::options::LogArgs;

/// The logs that are asked for, opened.
#[derive(Default)]
pub(super) struct Logs {
    csv: Option<CsvLogger>,
    tensorboard: Option<TensorBoard>,
}

impl Logs {
    pub(super) fn open(args: &LogArgs) -> Result<Self, LogError> {
        Ok(Self {
            csv: args.log_csv.as_ref().map(CsvLogger::new).transpose()?,
            tensorboard: args.tensorboard.as_ref().map(TensorBoard::new).transpose()?,
        })
    }

    /// All of them, to be told of the epochs.
    pub(super) fn callbacks(&mut self) -> impl Iterator<Item = &mut dyn Callback> {
        let csv = self.csv.iter_mut().map(|log| log as &mut dyn Callback);
        csv.chain(self.tensorboard.iter_mut().map(|log| log as &mut dyn Callback))
    }

    /// What kept them from being written.
    pub(super) fn take_failures(&mut self) -> Vec<LogError> {
        let csv = self.csv.as_mut().and_then(CsvLogger::take_failure);
        csv.into_iter()
            .chain(self.tensorboard.as_mut().and_then(TensorBoard::take_failure))
            .collect()
    }
}
