//! A classifier as one file: weights, vocabulary, class names, preprocessing and record.
//!
//! [`Classifier::save`] writes it, [`Classifier::load`] maps it into memory and checks it.
//!
//! ```
//! use slugline::classifier::{Classifier, TrainingOptions};
//! use slugline::corpus::{SequenceOptions, sample};
//!
//! let options = TrainingOptions { max_features: 500, hidden: vec![8], epochs: 1, ..Default::default() };
//! let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
//! let classifier = Classifier::train(&corpus, &options)?;
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("model.slug");
//! classifier.save(&path)?;
//! let loaded = Classifier::load(&path)?;
//! assert_eq!(loaded.predict("rain on the harvest"), classifier.predict("rain on the harvest"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Format 4
//!
//! A model file is a valid [safetensors] file, so that any safetensors reader can take the weights
//! out. All numbers are little-endian. It consists of:
//!
//! | bytes | content |
//! |---|---|
//! | 8 | length `n` of the header: a 64-bit integer, at most 100,000,000 |
//! | `n` | the header: JSON, filled up with spaces to a multiple of 8 |
//! | the rest | the tensors, end to end without holes, in the order below |
//!
//! ## Tensors
//!
//! | name | type | shape | content |
//! |---|---|---|---|
//! | `vocabulary.table` | U64 | `[2ᵏ⁺¹]` | hash table over the words |
//! | `dense.kernel`, `dense_1.kernel`, … | F32 | `[n_in, units]` | weights of the dense layers, in their order |
//! | `dense.bias`, `dense_1.bias`, … | F32 | `[units]` | biases, each after its kernel; none for a layer without bias |
//! | `vocabulary.offsets` | U32 | `[words + 1]` | where each word begins, and the end of the last |
//! | `vocabulary.bytes` | U8 | `[length]` | the words in UTF-8, end to end |
//!
//! The file of a model that weighs terms has, beside these, in this order of types:
//!
//! | name | type | shape | content |
//! |---|---|---|---|
//! | `prefixes.table`, `chars.table` | U64 | `[2ᵏ⁺¹]` | hash tables over beginnings and parts of words |
//! | `ngrams.table` | U64 | `[2ᵏ⁺¹]` | hash table over the n-grams |
//! | `factors` | F32 | `[features]` | what each feature's count is multiplied by |
//! | `ngrams.words` | U32 | `[tokens]` | the words of all n-grams, as positions in the vocabulary |
//! | `ngrams.ends` | U32 | `[n-grams]` | where the words of each end |
//! | `features` | U32 | `[entries]` | the feature of each word, n-gram, prefix and part, in this order; 2³² − 1 for none |
//! | `prefixes.offsets`, `chars.offsets` | U32 | | as of the vocabulary |
//! | `prefixes.bytes`, `chars.bytes` | U8 | | as of the vocabulary |
//!
//! That of a model that takes lists of features has no vocabulary, but
//!
//! | name | type | shape | content |
//! |---|---|---|---|
//! | `factors` | F32 | `[features]` | what each feature's value is multiplied by |
//! | `indices` | U32 | `[features]` | the index that each feature has in a list, rising |
//!
//! That of a model with an index of documents has, besides,
//!
//! | name | type | shape | content |
//! |---|---|---|---|
//! | `index.text_ends` | U64 | `[documents]` | where the text of each ends |
//! | `index.class_ends` | U64 | `[documents]` | where the classes of each end |
//! | `index.vectors` | F32 | `[documents, units]` | their rows of the last hidden layer (of a linear model its sums), each of length 1 or of zeros |
//! | `index.classes` | U32 | `[labels]` | their classes, end to end |
//! | `index.text` | U8 | `[length]` | their texts in UTF-8, end to end |
//!
//! There are exactly these. The types descend in size, so every tensor lies at a multiple of its
//! element size and is used where it lies. [`Vocabulary`](crate::text::Vocabulary) documents its
//! three. Where a foreign writer has ordered the tensors otherwise, those out of place are copied.
//!
//! ## Description
//!
//! The header's `__metadata__` comes first and has one key, `slugline`. Its value is a JSON text, an
//! object of:
//!
//! | field | content |
//! |---|---|
//! | `format` | `"slugline model"` |
//! | `version` | `4` |
//! | `checksum` | 32 lower-case hexadecimal digits |
//! | `class_names` | the name of each output |
//! | `vectorizer` | `kind` `"multi_hot"`, `width` (number of features), `options` ([`SequenceOptions`](crate::corpus::SequenceOptions)); or `kind` `"terms"`, `options` ([`VectorizerOptions`](crate::text::VectorizerOptions)), `mean_length` (tokens of a training document); or `kind` `"features"`, `scaling` ([`FeatureScaling`](crate::text::FeatureScaling)) |
//! | `network` | `input_width`, `layers` ([`Layer`](crate::nn::Layer)s in order), `seed` |
//! | `calibration` | the [`Calibration`](crate::evaluation::Calibration) of the probabilities |
//! | `decisions` | the [`Decisions`](crate::decision::Decisions): thresholds, and when the answer is `unknown` |
//! | `record` | the [`TrainingRecord`](crate::classifier::TrainingRecord) |
//! | `index` | `documents`, the number of documents in the index; absent where there is none |
//!
//! `format`, `version` and `checksum` stand in this order and without spaces, so that from byte 8 on
//! every file reads, with the digits in place of `…`,
//!
//! ```text
//! {"__metadata__":{"slugline":"{\"format\":\"slugline model\",\"version\":4,\"checksum\":\"…\"
//! ```
//!
//! Version 1 had no `calibration` and no terms, version 2 no `decisions` and no lists of features, and in
//! the record no `label_kind`, `cross_validation`, `tune` and `ancestor` and no `decision`, `average`, `ensemble`
//! and `feature_scaling` among the options, version 3 no `index`; their files are still read. Unknown fields are refused; what
//! a later version adds has a later version number.
//!
//! ## Checksum
//!
//! The whole file counts, with the checksum's own digits taken as 32 times the character `0`. It is
//! cut into pieces of 2²⁰ bytes, the last one shorter; each piece is hashed with XXH3 (128 bits,
//! seed 0); these hashes, 16 bytes each, most significant first, are put end to end and hashed in the
//! same way. Pieces are hashed on all threads of the current pool. The checksum guards against
//! accidents: whoever forges a file can forge its checksum.
//!
//! # What a reader checks
//!
//! First that the file is a model of a known version, then the checksum, then everything that the
//! description and the header say: nothing is allocated by a declared size, and every tensor must
//! have the type and shape that the network and the vocabulary demand. Weights must be finite, words
//! UTF-8. The entries of the vocabulary's table are counted but not recomputed; a forged table makes
//! words unknown, nothing worse.
//!
//! # Same inputs, same bytes
//!
//! The file holds no time, host or path (beyond those in the words of
//! [`TrainingRecord::command`](crate::classifier::TrainingRecord::command), if set), and no number
//! of threads. A loaded model saves as the same bytes.
//!
//! # Replacing a model
//!
//! `save` writes a temporary file in the same folder, waits until it is on the disk, and renames it:
//! there is always the old file or the new one, and a program that has the old one mapped keeps it.
//! A model file must be replaced in this way only, never changed in place while it is in use. On
//! Windows a file that is mapped cannot be replaced; load it by [`Classifier::from_bytes`] there.
//!
//! [safetensors]: https://github.com/huggingface/safetensors

mod description;
mod error;
mod map;
mod read;
mod write;

use std::path::Path;
use std::sync::Arc;

use crate::classifier::Classifier;

pub(crate) use description::tensor_names;
pub use error::ModelFileError;
pub use write::save_target;

#[cfg(target_endian = "big")]
compile_error!(
    "model files are used where they lie in memory, which needs a little-endian machine"
);

/// The version of the format that this library writes. It reads all versions up to this one.
pub const FORMAT_VERSION: u64 = 4;

/// Stands for the path in errors about bytes that come from no file.
const NO_FILE: &str = "model bytes";

impl Classifier {
    /// Writes the classifier to a model file, atomically: afterwards the file is complete, or what
    /// stood there before is untouched.
    ///
    /// # Errors
    /// [`ModelFileError::Write`] if the system refuses, [`ModelFileError::NotStorable`] for a weight
    /// or a figure of the record that is not a finite number.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), ModelFileError> {
        write::save(self, path.as_ref())
    }

    /// The content of the model file.
    ///
    /// # Errors
    /// [`ModelFileError::NotStorable`] as for [`save`](Self::save).
    pub fn to_bytes(&self) -> Result<Vec<u8>, ModelFileError> {
        Ok(write::image(self, Path::new(NO_FILE))?.pieces().concat())
    }

    /// The checksum that the model file has, 32 hexadecimal digits: equal for equal models alone.
    ///
    /// # Errors
    /// [`ModelFileError::NotStorable`] as for [`save`](Self::save).
    pub fn checksum(&self) -> Result<String, ModelFileError> {
        Ok(write::image(self, Path::new(NO_FILE))?.digits().to_owned())
    }

    /// Loads a model file. Weights and vocabulary stay where they are in the mapped file, so that
    /// programs that load the same file share the memory.
    ///
    /// The file must not be changed in place while the classifier lives, only replaced by a rename,
    /// as [`save`](Self::save) does.
    ///
    /// # Errors
    /// [`ModelFileError`], for whatever is wrong with the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ModelFileError> {
        let path = path.as_ref();
        let bytes: read::Bytes = Arc::new(map::map(path)?);
        read::classifier(path, &bytes)
    }

    /// Loads a model file into the memory of this process, so that it may be changed in place while the
    /// classifier lives. Gives its checksum, as [`checksum`](Self::checksum) does, and its size in bytes
    /// too.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn read(path: impl AsRef<Path>) -> Result<(Self, String, u64), ModelFileError> {
        let path = path.as_ref();
        let content = map::read(path)?;
        let (checksum, size) = (read::stored_checksum(&content), content.len() as u64);
        let bytes: read::Bytes = Arc::new(content);
        Ok((read::classifier(path, &bytes)?, checksum, size))
    }

    /// Loads a model from the content of its file: a `Vec<u8>`, an `Arc<[u8]>`, a static array. The
    /// bytes are kept and used where they lie; numbers that lie at odd addresses are copied.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn from_bytes(
        bytes: impl AsRef<[u8]> + Send + Sync + 'static,
    ) -> Result<Self, ModelFileError> {
        let bytes: read::Bytes = Arc::new(bytes);
        read::classifier(Path::new(NO_FILE), &bytes)
    }
}

#[cfg(test)]
mod tests;
