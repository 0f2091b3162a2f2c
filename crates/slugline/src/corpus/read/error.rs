//! What can be wrong with a file.

use std::io;

use crate::corpus::Place;
use crate::nn::NnError;

/// Why files cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is nothing of that name.
    #[error("there is no file or folder {input:?}{}", hint(*.glob))]
    Missing {
        /// The name given.
        input: String,
        /// Whether it was taken for a pattern.
        glob: bool,
    },
    /// The system refuses to read, or compressed data are broken or end early.
    #[error("cannot read {source_name}: {source}")]
    Io {
        /// The file.
        source_name: String,
        /// What the system, or the decompressor, says.
        source: io::Error,
    },
    /// What a file holds cannot be guessed, or is not what was said.
    #[error("{source_name}: {problem}")]
    Layout {
        /// The file.
        source_name: String,
        /// What was expected, what was found, what to do.
        problem: String,
    },
    /// A row is bad.
    #[error("{place}: {problem}")]
    Row {
        /// Where it stands.
        place: Place,
        /// What was expected and found.
        problem: String,
    },
    /// No document is left.
    #[error("{source_name} holds no document{}", besides(*.skipped))]
    Empty {
        /// The files.
        source_name: String,
        /// Bad rows left out.
        skipped: u64,
    },
    /// The documents do not fit together.
    #[error(transparent)]
    Documents(#[from] NnError),
}

fn hint(glob: bool) -> &'static str {
    if glob { " (no file matches the pattern)" } else { "" }
}

fn besides(rows: u64) -> String {
    match rows {
        0 => String::new(),
        1 => " besides 1 bad row that was skipped".into(),
        n => format!(" besides {n} bad rows that were skipped"),
    }
}

impl ReadError {
    pub(super) fn layout(source_name: &str, problem: impl Into<String>) -> Self {
        Self::Layout { source_name: source_name.into(), problem: problem.into() }
    }

    pub(super) fn io(source_name: &str) -> impl FnOnce(io::Error) -> Self + use<> {
        let source_name = source_name.to_owned();
        move |source| Self::Io { source_name, source }
    }
}
