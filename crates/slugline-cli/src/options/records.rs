//! Arguments of what is written down of a training beside its model.

use std::path::{Path, PathBuf};

use clap::Args;

use super::training::usage;
use crate::failure::Failure;
use crate::output::{check_not_read, check_target, same_place};

/// Whether the run is noted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct RecordArgs {
    /// Do not note this run among those that `slugline runs` lists
    #[arg(long)]
    pub(crate) no_record: bool,
}

/// Where the epochs are written as they are trained.
#[derive(Debug, Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct LogArgs {
    /// Write a row an epoch to this CSV file, as Keras's `CSVLogger`, but with epochs counted from 1
    ///
    /// The header is `epoch,accuracy,learning_rate,loss,val_accuracy,val_loss`, without the last two
    /// where nothing is validated; for any number of labels a document it is
    /// `epoch,learning_rate,loss,micro_f1,val_loss,val_micro_f1`. Of the last training: neither the
    /// folds nor what --preset auto tries has rows. With --resume the rows of the epochs before the
    /// checkpoint stay; else what the file holds is replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) log_csv: Option<PathBuf>,
    /// Write event files for TensorBoard to DIR/train and DIR/validation, as Keras's callback, but with
    /// steps counted from 1
    ///
    /// The tags are `epoch_loss`, `epoch_accuracy` (for any number of labels a document
    /// `epoch_micro_f1`) and `epoch_learning_rate`. Of the last training, as for --log-csv. The folder
    /// is made; of a second run in it TensorBoard shows the newer one.
    #[arg(long, value_name = "DIR")]
    pub(crate) tensorboard: Option<PathBuf>,
}

impl LogArgs {
    /// Refuses logs that would replace what is read, or the model that is made.
    pub(crate) fn check(
        &self,
        inputs: &[(&'static str, PathBuf)],
        output: &Path,
    ) -> Result<(), Failure> {
        if let Some(log) = &self.log_csv {
            check_target(log)?;
            if same_place(log, output) {
                let log = log.display();
                return Err(usage(format!("--log-csv {log} is the model; name another file")));
            }
        }
        for log in self.log_csv.iter().chain(&self.tensorboard) {
            check_not_read(log, inputs.iter().map(|(what, path)| (*what, path.as_path())))?;
        }
        Ok(())
    }
}
