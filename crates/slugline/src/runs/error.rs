//! Why past trainings could not be noted or told.

use std::io;
use std::path::PathBuf;

use super::RUNS_VAR;
use crate::database::DatabaseError;
use crate::model_file::ModelFileError;

/// Why past trainings could not be noted or told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunsError {
    /// The platform names no folder for data.
    #[error("there is no folder for the database of runs: name a file by {RUNS_VAR}")]
    NoFolder,
    /// The folder of the database could not be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The database could not be read or written.
    #[error("cannot use the database of runs {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The file is no database of runs, or damaged.
    #[error(
        "{} is no database of runs: {problem}; move it away, or name another file by {RUNS_VAR}",
        path.display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The database was written by a later version of Slugline.
    #[error(
        "the database of runs {} has version {found}, and this is Slugline {} which knows up to \
         {known}: use a newer Slugline, or name another file by {RUNS_VAR}",
        path.display(), env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version that it has.
        found: i64,
        /// The latest version that is known.
        known: i64,
    },
    /// There is no run of that number.
    #[error("there is no run {id} in {}", path.display())]
    Unknown {
        /// The number.
        id: i64,
        /// The file.
        path: PathBuf,
    },
    /// What the model is could not be told.
    #[error("cannot describe the model of the run")]
    Model(#[from] ModelFileError),
}

impl From<DatabaseError> for RunsError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Folder { path, source } => Self::Folder { path, source },
            DatabaseError::Failed { path, source } => Self::Database { path, source },
            DatabaseError::Unusable { path, problem } => Self::Unusable { path, problem },
            DatabaseError::Newer { path, found, known } => Self::Newer { path, found, known },
        }
    }
}
