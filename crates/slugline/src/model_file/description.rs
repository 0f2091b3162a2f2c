//! The JSON text in the header, and the names and places that writer and reader share.

use serde::{Deserialize, Serialize};

use crate::classifier::TrainingRecord;
use crate::container::checksum_place;
use crate::corpus::SequenceOptions;
use crate::decision::Decisions;
use crate::evaluation::Calibration;
use crate::nn::Layer;
use crate::text::{FeatureScaling, VectorizerOptions};

/// Value of the field `format`.
pub(super) const FORMAT: &str = "slugline model";

/// The header up to the version.
pub(super) const BEFORE_VERSION: &[u8] =
    br#"{"__metadata__":{"slugline":"{\"format\":\"slugline model\",\"version\":"#;

/// Place of the checksum in a file of format 1, whose version is one digit.
pub(super) const CHECKSUM: std::ops::Range<usize> = checksum_place(BEFORE_VERSION);

/// All of a classifier that is not a tensor. The order of the fields is part of the format.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    pub(super) format: String,
    pub(super) version: u64,
    pub(super) checksum: String,
    pub(super) class_names: Vec<String>,
    pub(super) vectorizer: VectorizerPart,
    pub(super) network: NetworkPart,
    /// Absent in version 1.
    #[serde(default)]
    pub(super) calibration: Calibration,
    /// Absent before version 3.
    #[serde(default)]
    pub(super) decisions: Decisions,
    pub(super) record: TrainingRecord,
    /// Absent before version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) index: Option<IndexPart>,
}

/// An index of documents.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndexPart {
    pub(super) documents: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum VectorizerPart {
    MultiHot { width: usize, options: SequenceOptions },
    Terms { options: Box<VectorizerOptions>, mean_length: f32 },
    Features { scaling: FeatureScaling },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkPart {
    pub(super) input_width: usize,
    pub(super) layers: Vec<Layer>,
    pub(super) seed: u64,
}

/// Names of the tensors of dense layer `i`, counted from 0: kernel and bias.
pub(crate) fn tensor_names(i: usize) -> [String; 2] {
    let layer = if i == 0 { "dense".to_owned() } else { format!("dense_{i}") };
    [format!("{layer}.kernel"), format!("{layer}.bias")]
}

/// Names of the tensors of a vocabulary: table, offsets and bytes.
pub(super) fn vocabulary_names(vocabulary: &str) -> [String; 3] {
    ["table", "offsets", "bytes"].map(|part| format!("{vocabulary}.{part}"))
}

/// The vocabularies of a vectorizer of terms beside its words.
pub(super) const PARTS: [&str; 2] = ["prefixes", "chars"];

/// Tensors of a vectorizer of terms.
pub(super) const NGRAM_TABLE: &str = "ngrams.table";
pub(super) const NGRAM_WORDS: &str = "ngrams.words";
pub(super) const NGRAM_ENDS: &str = "ngrams.ends";
pub(super) const FEATURES: &str = "features";
pub(super) const FACTORS: &str = "factors";

/// Tensors of an index of documents.
pub(super) const INDEX_TEXT_ENDS: &str = "index.text_ends";
pub(super) const INDEX_CLASS_ENDS: &str = "index.class_ends";
pub(super) const INDEX_VECTORS: &str = "index.vectors";
pub(super) const INDEX_CLASSES: &str = "index.classes";
pub(super) const INDEX_TEXT: &str = "index.text";

/// The index of each feature, where texts are lists of features.
pub(super) const INDICES: &str = "indices";

/// Position of the first number that is NaN or infinite.
pub(super) fn first_not_finite(values: &[f32]) -> Option<usize> {
    use rayon::prelude::*;

    const BLOCK: usize = 1 << 16;
    // The largest bit pattern without its sign tells in one pass without branches whether any value
    // of the block is bad.
    let bad = |block: &[f32]| {
        let largest = block.iter().fold(0, |m, v| m.max(v.to_bits() & 0x7FFF_FFFF));
        largest >= f32::INFINITY.to_bits()
    };
    let block = values.par_chunks(BLOCK).position_first(bad)?;
    let start = block * BLOCK;
    Some(start + values[start..].iter().position(|v| !v.is_finite())?)
}
