//! Why a model file could not be read or written.

use std::io;
use std::path::PathBuf;

use super::FORMAT_VERSION;
use crate::classifier::ClassifierError;

/// Why a model could not be saved or loaded. `path` is the file, or the words `model bytes` for a
/// model in memory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelFileError {
    /// The file could not be opened or mapped.
    #[error("cannot read model file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be written; what stood there before is untouched.
    #[error("cannot write model file {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The path names a folder, device, pipe or socket, which a model must not replace.
    #[error("{}: {found} stands there, and a model would replace it; name a file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What stands there.
        found: &'static str,
    },
    /// The classifier holds what a model file cannot hold.
    #[error("{}: {part} {problem}", path.display())]
    NotStorable {
        /// The file that was to be written.
        path: PathBuf,
        /// The tensor, or the description.
        part: String,
        /// What is wrong with it, and what to do.
        problem: String,
    },
    /// The file is something else.
    #[error(
        "{}: expected a Slugline model file, found {found}; `slugline train` makes model files",
        path.display()
    )]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What it looks like.
        found: String,
    },
    /// The file has a later format.
    #[error(
        "{}: written by a newer Slugline (format {version}); this one reads format {FORMAT_VERSION}; update Slugline",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u64,
    },
    /// The end of the file is missing.
    #[error(
        "{}: the file ends after {found} of {expected} bytes; copy it again from where it came",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The length that its header demands.
        expected: u64,
        /// Its length.
        found: u64,
    },
    /// The content is not what was written.
    #[error(
        "{}: the file is damaged: its content has the checksum {found}, expected {expected}; copy it again from where \
         it came",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The checksum that the file names, printed with escapes if it is not text.
        expected: String,
        /// The checksum of its content.
        found: String,
    },
    /// The checksum is right, but the content breaks the format.
    #[error(
        "{}: {part}: expected {expected}, found {found}; Slugline does not write such files: train the model again",
        path.display()
    )]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The part of the file, such as the name of a tensor.
        part: String,
        /// What the format demands there.
        expected: String,
        /// What the file has there.
        found: String,
    },
    /// The parts of the file do not make a classifier.
    #[error("{}: the parts do not fit together; train the model again", path.display())]
    Parts {
        /// The file.
        path: PathBuf,
        /// Which parts.
        source: ClassifierError,
    },
}
