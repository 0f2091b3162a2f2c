//! The features of a text.

use super::{OrNone, Settings};
use crate::text::{AnalyzerOptions, Selection, VectorizerOptions};

impl Settings {
    /// The features of `base` with what is given.
    pub(super) fn features(&self, base: VectorizerOptions) -> VectorizerOptions {
        let selected = |selection: Selection| Selection {
            min_df: self.min_df.unwrap_or(selection.min_df),
            max_df: self.max_df.unwrap_or(selection.max_df),
            ..selection
        };
        let analyzer = AnalyzerOptions {
            normalization: self.normalization.unwrap_or(base.analyzer.normalization),
            lowercase: self.lowercase.unwrap_or(base.analyzer.lowercase),
            tokens: self.token_rule.unwrap_or(base.analyzer.tokens),
            punctuation: self.punctuation.unwrap_or(base.analyzer.punctuation),
            mask_digits: self.mask_digits.unwrap_or(base.analyzer.mask_digits),
        };
        VectorizerOptions {
            analyzer,
            words: selected(base.words),
            word_ngrams: self.ngrams.unwrap_or(base.word_ngrams),
            ngrams: selected(base.ngrams),
            prefix_lengths: self.prefixes.clone().unwrap_or(base.prefix_lengths),
            prefixes: selected(base.prefixes),
            char_ngrams: self.char_ngrams.map_or(base.char_ngrams, OrNone::value),
            chars: selected(base.chars),
            max_features: self.max_features.map_or(base.max_features, OrNone::value),
            hashing: self.hashing.map_or(base.hashing, OrNone::value),
            order: base.order,
            tf: self.tf.unwrap_or(base.tf),
            idf: self.idf.unwrap_or(base.idf),
            class_spread: self.class_spread.map_or(base.class_spread, OrNone::value),
            norm: self.norm.unwrap_or(base.norm),
        }
    }

    /// The settings that make these features; of frequencies those of words.
    pub(super) fn of_features(options: &VectorizerOptions) -> Self {
        let analyzer = &options.analyzer;
        Self {
            max_features: Some(options.max_features.into()),
            ngrams: Some(options.word_ngrams),
            char_ngrams: Some(options.char_ngrams.into()),
            prefixes: Some(options.prefix_lengths.clone()),
            min_df: Some(options.words.min_df),
            max_df: Some(options.words.max_df),
            tf: Some(options.tf),
            idf: Some(options.idf),
            norm: Some(options.norm),
            class_spread: Some(options.class_spread.into()),
            hashing: Some(options.hashing.into()),
            token_rule: Some(analyzer.tokens),
            normalization: Some(analyzer.normalization),
            lowercase: Some(analyzer.lowercase),
            punctuation: Some(analyzer.punctuation),
            mask_digits: Some(analyzer.mask_digits),
            ..Self::default()
        }
    }
}
