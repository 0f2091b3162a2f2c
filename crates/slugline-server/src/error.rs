//! Why a service cannot be started, or has not ended well.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use slugline::feedback::FeedbackError;
use slugline::model_file::ModelFileError;

/// Why a service cannot be started, or has not ended well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// No model to serve.
    #[error("there is no model to serve")]
    NoModel,
    /// Two models of one name.
    #[error("two models are called `{name}`; give one of them another name, as in OTHER=FILE")]
    SameName {
        /// The name.
        name: String,
    },
    /// A name that cannot stand in a path and a header.
    #[error(
        "a model cannot be called `{name}`: expected letters, digits, `.`, `_` and `-`, at most 100; \
         give it a name, as in NAME=FILE"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A model could not be loaded.
    #[error(transparent)]
    Model(#[from] ModelFileError),
    /// A model that does not read text.
    #[error(
        "{} reads lists of features, and a service answers texts; serve a model that was trained on text",
        path.display()
    )]
    TakesFeatures {
        /// The file.
        path: PathBuf,
    },
    /// The database of corrections cannot be used.
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    /// An origin that cannot be one.
    #[error("`{origin}` is no origin: expected one such as https://example.org, or *")]
    Origin {
        /// What was given.
        origin: String,
    },
    /// A key that cannot be sent in a header.
    #[error(
        "API key {number} cannot be used: expected at least 8 printable ASCII characters without spaces"
    )]
    ApiKey {
        /// Its place among the keys, from 1.
        number: usize,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The threads or signal handlers could not be set up.
    #[error("cannot set up the service")]
    Setup(#[from] io::Error),
    /// Requests were cut off at the end.
    #[error(
        "{connections} connections were still open {seconds} s after the service was told to end, and \
         were cut off"
    )]
    CutOff {
        /// How many connections.
        connections: usize,
        /// After how many seconds.
        seconds: f64,
    },
}
