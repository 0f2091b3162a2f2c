//! What can go wrong while a corpus is read or built.

use std::io;
use std::path::PathBuf;

/// Why a corpus could not be read or built: the file, what was expected, what was found, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A file or folder could not be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },

    /// A file is damaged or is not what its name says.
    #[error(
        "{}: expected {expected}, found {found}; replace the file by a fresh download", path.display()
    )]
    Malformed {
        /// The file; a member of an archive is written as one more path element.
        path: PathBuf,
        /// What a sound file has in this place.
        expected: String,
        /// What this file has.
        found: String,
    },

    /// A file holds more than any sound file of its kind.
    #[error(
        "{}: {what} is larger than the limit of {limit} bytes; this is not the file it should be, \
         replace it by a fresh download",
        path.display()
    )]
    TooLarge {
        /// The file; a member of an archive is written as one more path element.
        path: PathBuf,
        /// What is too large.
        what: &'static str,
        /// The limit in bytes.
        limit: u64,
    },

    /// Two files, or two parts of one file, do not belong together.
    #[error(
        "{}: expected {expected} {what}, found {found}; use files that were made together",
        path.display()
    )]
    Mismatch {
        /// The file in which the disagreement was found.
        path: PathBuf,
        /// What was counted.
        what: &'static str,
        /// The count that the other part demands.
        expected: usize,
        /// The count found.
        found: usize,
    },

    /// A loading option cannot be used.
    #[error("option {name} = {value}: {problem}")]
    Option {
        /// Name of the option, a field of [`SequenceOptions`](super::SequenceOptions).
        name: &'static str,
        /// The value given.
        value: String,
        /// What is wrong with it and which values are right.
        problem: String,
    },

    /// A document's label is not the index of a class.
    #[error(
        "document {document}: label {label}, but there are {classes} classes (labels start at 0)"
    )]
    Label {
        /// Position of the document, counted from 0 in the order given.
        document: usize,
        /// Its label.
        label: u32,
        /// Number of classes.
        classes: usize,
    },

    /// Files of a set are not there.
    #[error(
        "{}: {} files are missing ({}); fetch the archive again or complete the folder",
        path.display(), missing.len(), missing.join(", ")
    )]
    MissingFiles {
        /// The archive or folder.
        path: PathBuf,
        /// Names of the missing files.
        missing: Vec<String>,
    },

    /// A name that is none of the variants'.
    #[error("unknown Reuters variant {name:?}; expected `reuters` or `reuters-clean`")]
    UnknownVariant {
        /// The name given.
        name: String,
    },

    /// The source holds word numbers only, and text was asked for.
    #[error(
        "{}: {wanted} needs the original texts; give the archive reuters21578.tar.gz or a folder of \
         its .sgm files instead",
        path.display()
    )]
    NoTexts {
        /// The file given.
        path: PathBuf,
        /// What was asked for.
        wanted: &'static str,
    },

    /// More documents than a corpus can number.
    #[error("{found} documents; a corpus holds at most {}", u32::MAX)]
    TooManyDocuments {
        /// Number of documents found.
        found: usize,
    },
}
