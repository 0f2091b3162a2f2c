//! What can go wrong, and the exit code of it.

use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;
use slugline::check::CheckError;
use slugline::checkpoint::CheckpointError;
use slugline::classifier::ClassifierError;
use slugline::compare::CompareError;
use slugline::corpus::DatasetError;
use slugline::corpus::fetch::FetchError;
use slugline::corpus::read::ReadError;
use slugline::exchange::ExchangeError;
use slugline::explain::WordsError;
use slugline::feedback::FeedbackError;
use slugline::logs::LogError;
use slugline::model_file::ModelFileError;
use slugline::nn::NnError;
use slugline::plot::{MapError, PlotError};
use slugline::report::ReportError;
use slugline::runs::RunsError;
use slugline::tune::TuneError;
use slugline_server::ServeError;

use crate::cli::Cli;
use crate::output::{ERROR, alert};

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Arguments of a command that contradict each other: exit code 2.
    #[error("{problem}")]
    Usage { command: &'static str, problem: String },
    /// Standard output could not be written. A closed pipe is no failure.
    #[error("cannot write the results")]
    Output(#[from] io::Error),
    /// A file or folder could not be used.
    #[error("cannot {action} {}", path.display())]
    File {
        /// What was tried, as a verb.
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    /// A line of input that is not text.
    #[error("{input}, line {line}: {problem}")]
    Line { input: String, line: u64, problem: String },
    /// Anything else that is told in one sentence.
    #[error("{0}")]
    Other(String),
    #[error("cannot handle Ctrl-C")]
    Interrupt(#[from] ctrlc::Error),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Check(#[from] CheckError),
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    #[error(transparent)]
    Compare(#[from] CompareError),
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Tune(#[from] TuneError),
    #[error(transparent)]
    Words(#[from] WordsError),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Runs(#[from] RunsError),
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

impl From<NnError> for Failure {
    fn from(error: NnError) -> Self {
        Self::Classifier(error.into())
    }
}

impl From<MapError> for Failure {
    fn from(error: MapError) -> Self {
        match error {
            MapError::Classifier(error) => error.into(),
            MapError::Plot(error) => error.into(),
            error => Self::Other(error.to_string()),
        }
    }
}

impl From<FetchError> for Failure {
    fn from(error: FetchError) -> Self {
        Self::Dataset(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Output(error.into())
    }
}

impl Failure {
    /// Tells the failure on standard error and gives its exit code.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Self::Usage { command, problem } => {
                let mut cli = Cli::command();
                // Gives the commands their full names, which stand in the usage line.
                cli.build();
                let error = match cli.find_subcommand_mut(command) {
                    Some(command) => command.error(ErrorKind::ArgumentConflict, problem),
                    None => cli.error(ErrorKind::ArgumentConflict, problem),
                };
                // Nothing is left to be done where standard error is closed.
                let _ = error.print();
                ExitCode::from(2)
            }
            _ => {
                let mut message = format!("{ERROR}error:{ERROR:#} {self}");
                let mut cause = self.source();
                while let Some(error) = cause {
                    message.push_str("\n  because: ");
                    message.push_str(&error.to_string());
                    cause = error.source();
                }
                alert(&message);
                ExitCode::FAILURE
            }
        }
    }
}
