//! Why nothing could be exchanged.

use std::io;
use std::path::PathBuf;

use crate::model_file::ModelFileError;
use crate::nn::NnError;

/// Why a classifier could not be written in another program's form, or read from it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExchangeError {
    /// A part of the classifier that the other form cannot express exactly.
    #[error("{form} cannot express {part}; {instead}")]
    Inexpressible {
        /// What was to be written.
        form: &'static str,
        /// What it has no exact words for.
        part: String,
        /// What would work.
        instead: String,
    },
    /// More than the other form can hold.
    #[error(
        "{form} holds at most {most} bytes, and the model takes {bytes}; train with fewer features"
    )]
    TooLarge {
        /// What was to be written.
        form: &'static str,
        /// Bytes that it would take.
        bytes: u64,
        /// Bytes that it may take.
        most: u64,
    },
    /// The classifier holds a number that is not finite.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// A library that writes the form refused.
    #[error("cannot write {form}: {problem}")]
    Form {
        /// What was to be written.
        form: &'static str,
        /// What the library said.
        problem: String,
    },
    /// The file could not be written; what stood there before is untouched.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What was read is not what it should be.
    #[error("{place} of the Keras model: {problem}")]
    NotKeras {
        /// The part: a file of the archive, or a layer by its name.
        place: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A part of a Keras model that has no place in a network here.
    #[error("the layer `{layer}` of the Keras model has {found}, and {expected} can be read")]
    Unsupported {
        /// Name of the layer.
        layer: String,
        /// What it has.
        found: String,
        /// What it may have.
        expected: &'static str,
    },
    /// The layers do not make a network.
    #[error(transparent)]
    Network(#[from] NnError),
}
