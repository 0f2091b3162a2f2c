//! Models for other programs, and networks from them.
//!
//! | module | form | what of the classifier is in it |
//! |---|---|---|
//! | [`onnx`] | an ONNX graph, over feature rows or over text | network and calibration; with text the preprocessing; labels |
//! | [`keras`] | a `.keras` archive of Keras 3 | the network, and calibration where its last layer can hold it; read as well |
//! | [`safetensors`] | weights under standard names | the network's weights; the rest of the network, labels and calibration as JSON |
//! | [`rows`] | feature rows as `SciPy`'s sparse matrices | what the network is given, for programs that run it |
//!
//! In none of them are thresholds, or what is answered with `unknown`: the
//! [`Decisions`](crate::decision::Decisions) stand in the metadata of those that have some. What cannot
//! be said in the other form is refused: see [`ExchangeError`]. One thing comes out otherwise and is not
//! refused: Platt scaling of very sure outputs in [`keras`].
//!
//! ```
//! use slugline::classifier::{Classifier, TrainingOptions};
//! use slugline::corpus::{SequenceOptions, sample};
//! use slugline::exchange::{keras, onnx, safetensors};
//!
//! let options = TrainingOptions { max_features: 500, hidden: vec![8], epochs: 1, ..Default::default() };
//! let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
//! let classifier = Classifier::train(&corpus, &options)?;
//!
//! let graph = onnx::to_bytes(&classifier, onnx::OnnxOptions::default())?;
//! let weights = safetensors::to_bytes(&classifier)?;
//! let archive = keras::to_bytes(&classifier, true)?;
//! let again = keras::from_bytes(&archive)?;
//! assert!(again.same_weights(classifier.network()));
//! # assert!(!graph.is_empty() && !weights.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
pub mod keras;
pub mod onnx;
pub mod rows;
pub mod safetensors;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use error::ExchangeError;

use crate::container::write_atomically;

/// Names of the kernel and the bias of a dense layer, counted from 0.
fn tensor_names(i: usize) -> [String; 2] {
    [format!("layers.{i}.kernel"), format!("layers.{i}.bias")]
}

/// Writes `bytes` to a file, atomically: afterwards the file is complete, or what stood there before is
/// untouched.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ExchangeError> {
    write_atomically(path, &[bytes])
        .map_err(|source| ExchangeError::Write { path: path.to_owned(), source })
}
