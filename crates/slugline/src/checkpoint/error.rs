//! Why a checkpoint could not be written, or gone on from.

use std::io;
use std::path::PathBuf;

/// Why a checkpoint is of no use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// It could not be read.
    #[error("cannot read the checkpoint {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It could not be written or removed.
    #[error("cannot write the checkpoint {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not what was written.
    #[error(
        "cannot go on from {}: {problem}; delete {} to begin from the start",
        path.display(), path.parent().unwrap_or(path).display()
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it: what was expected, and what was found.
        problem: String,
    },
    /// It is that of another run.
    #[error(
        "cannot go on from {}, which is of another run: {}; give the same data and settings, or delete {} \
         to begin from the start",
        path.display(), differences.join(", "), path.parent().unwrap_or(path).display()
    )]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What differs: its name, its value there and its value here.
        differences: Vec<String>,
    },
}
