//! Why corrections could not be kept or told.

use std::io;
use std::path::PathBuf;

use rusqlite::ErrorCode;

use crate::database::DatabaseError;

/// Why corrections could not be kept or told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeedbackError {
    /// The folder of the file could not be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be read or written.
    #[error("cannot use the feedback file {}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What `SQLite` said.
        source: rusqlite::Error,
    },
    /// The file holds no corrections, or is damaged.
    #[error("{} is no feedback file: {problem}; move it away, or name another file", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The file was written by a later version of Slugline.
    #[error(
        "the feedback file {} has version {found}, and this is Slugline {} which knows up to {known}: \
         use a newer Slugline, or name another file",
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
    /// A correction has other labels than its model can learn.
    #[error("cannot keep the correction: {problem}")]
    Labels {
        /// What is wrong with them.
        problem: String,
    },
    /// There is no correction of that number.
    #[error("there is no correction {id} in {}", path.display())]
    Unknown {
        /// The number.
        id: i64,
        /// The file.
        path: PathBuf,
    },
}

impl FeedbackError {
    /// Whether another program, or another connection, kept the file locked: it is worth another try.
    pub fn is_busy(&self) -> bool {
        let Self::Database { source, .. } = self else { return false };
        matches!(
            source.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    }
}

impl From<DatabaseError> for FeedbackError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Folder { path, source } => Self::Folder { path, source },
            DatabaseError::Failed { path, source } => Self::Database { path, source },
            DatabaseError::Unusable { path, problem } => Self::Unusable { path, problem },
            DatabaseError::Newer { path, found, known } => Self::Newer { path, found, known },
        }
    }
}
