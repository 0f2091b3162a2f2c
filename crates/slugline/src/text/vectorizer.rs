//! What turns text into rows, whichever way.

use std::ops::Range;

use rayon::prelude::*;
use slugline_nn::{CsrMatrix, NnError, SparseRow};

use super::analyzer::Analyzer;
use super::features::{self, FeatureListVectorizer};
use super::multi_hot::{self, FeatureBuffer, MultiHotVectorizer};
use super::terms::{Term, TermKind, TermVectorizer};
use super::vocabulary::Vocabulary;
use crate::corpus::Content;

/// Turns text into the rows that a network was trained on.
#[derive(Debug, Clone, PartialEq)]
pub enum Vectorizer {
    /// Multi-hot rows of a corpus's numbered words.
    MultiHot(MultiHotVectorizer),
    /// Weighted words, n-grams and parts of words.
    Terms(Box<TermVectorizer>),
    /// Lists of features that others have made.
    Features(FeatureListVectorizer),
}

/// A feature at a place in a text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence {
    /// Its number.
    pub feature: u32,
    /// The token that it begins with, counted from 0.
    pub first: usize,
    /// Its last token, which is the same but for n-grams.
    pub last: usize,
    /// What it counts among the places of the feature: 1, or the value of a given feature.
    pub weight: f32,
}

/// Texts that one task turns into rows.
const BLOCK: usize = 256;

impl Vectorizer {
    /// Number of features of a row.
    pub fn width(&self) -> usize {
        match self {
            Self::MultiHot(vectorizer) => vectorizer.width(),
            Self::Terms(vectorizer) => vectorizer.width(),
            Self::Features(vectorizer) => vectorizer.width(),
        }
    }

    /// The known words; `None` where texts are lists of features.
    pub fn words(&self) -> Option<&Vocabulary> {
        match self {
            Self::MultiHot(vectorizer) => Some(vectorizer.vocabulary()),
            Self::Terms(vectorizer) => Some(&vectorizer.vocabulary().words),
            Self::Features(_) => None,
        }
    }

    /// What the texts are that it takes.
    pub fn content(&self) -> Content {
        match self {
            Self::MultiHot(_) | Self::Terms(_) => Content::Text,
            Self::Features(_) => Content::Features,
        }
    }

    /// The vectorizer of a numbered corpus, if it is one.
    pub fn as_multi_hot(&self) -> Option<&MultiHotVectorizer> {
        match self {
            Self::MultiHot(vectorizer) => Some(vectorizer),
            Self::Terms(_) | Self::Features(_) => None,
        }
    }

    /// The vectorizer of terms, if it is one.
    pub fn as_terms(&self) -> Option<&TermVectorizer> {
        match self {
            Self::MultiHot(_) | Self::Features(_) => None,
            Self::Terms(vectorizer) => Some(vectorizer),
        }
    }

    /// The vectorizer of lists of features, if it is one.
    pub fn as_features(&self) -> Option<&FeatureListVectorizer> {
        match self {
            Self::MultiHot(_) | Self::Terms(_) => None,
            Self::Features(vectorizer) => Some(vectorizer),
        }
    }

    /// Turns `text` into a row, which `buffer` then holds.
    pub fn vectorize<'b>(&self, text: &str, buffer: &'b mut FeatureBuffer) -> SparseRow<'b> {
        match self {
            Self::MultiHot(vectorizer) => vectorizer.vectorize(text, buffer),
            Self::Terms(vectorizer) => vectorizer.vectorize(text, buffer),
            Self::Features(vectorizer) => vectorizer.vectorize(text, buffer),
        }
        buffer.row()
    }

    /// The rows of many texts: shape `[texts, width]`. Runs on all threads of the current pool.
    ///
    /// ```
    /// use slugline::text::{TermVectorizer, Tokenised, Vectorizer, VectorizerOptions};
    ///
    /// let options = VectorizerOptions::default();
    /// let texts = ["wheat fell", "gold rose"];
    /// let (terms, x) = TermVectorizer::fit_transform(&Tokenised::new(&texts, &options.analyzer), &options)?;
    /// assert_eq!(Vectorizer::from(terms).transform(&texts)?, x);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NnError`] if the rows do not fit a matrix.
    pub fn transform<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Result<CsrMatrix, NnError> {
        let blocks: Result<Vec<CsrMatrix>, NnError> = texts
            .par_chunks(BLOCK)
            .map_init(FeatureBuffer::default, |buffer, texts| {
                let mut rows = CsrMatrix::with_cols(self.width());
                for text in texts {
                    let row = self.vectorize(text.as_ref(), buffer);
                    rows.push_row(row.indices, row.values)?;
                }
                Ok(rows)
            })
            .collect();
        let mut all = CsrMatrix::with_cols(self.width());
        for block in blocks? {
            for row in block.iter_rows() {
                all.push_row(row.indices, row.values)?;
            }
        }
        Ok(all)
    }

    /// [`vectorize`](Self::vectorize), which also tells where each feature stands.
    pub fn vectorize_with<'b>(
        &self,
        text: &str,
        buffer: &'b mut FeatureBuffer,
        mut found: impl FnMut(Occurrence),
    ) -> SparseRow<'b> {
        let at = |feature, token, weight| Occurrence { feature, first: token, last: token, weight };
        match self {
            Self::Terms(vectorizer) => {
                vectorizer.vectorize_with(text, buffer, |feature, first, last| {
                    found(Occurrence { feature, first, last, weight: 1.0 });
                });
            }
            Self::MultiHot(vectorizer) => {
                vectorizer.vectorize_with(text, buffer, |feature, token| {
                    found(at(feature, token, 1.0));
                });
            }
            Self::Features(vectorizer) => {
                vectorizer.vectorize_with(text, buffer, |feature, token, value| {
                    found(at(feature, token, value));
                });
            }
        }
        buffer.row()
    }

    /// Where the tokens of `text` stand in it, in characters (Unicode scalar values) counted from 0.
    pub fn token_spans(&self, text: &str) -> Vec<Range<usize>> {
        match self {
            Self::MultiHot(_) => multi_hot::token_spans(text),
            Self::Terms(vectorizer) => {
                Analyzer::new(vectorizer.options().analyzer.clone()).token_spans(text)
            }
            Self::Features(_) => features::token_spans(text),
        }
    }

    /// The value of a feature in a row that has no other; in a list of given features the largest that it
    /// had in training, once it is scaled by that.
    pub fn value_alone(&self, feature: u32) -> f32 {
        match self {
            Self::Terms(vectorizer) => vectorizer.value_alone(feature),
            Self::MultiHot(_) | Self::Features(_) => 1.0,
        }
    }

    /// What each feature stands for, in people's eyes: a word or n-gram as it is, the beginning of a word
    /// with `…` behind it, a part of a word with one on either side, the index of a given feature. `None`
    /// for marks that stand for no text, and where features are hashed.
    pub fn feature_names(&self) -> Vec<Option<String>> {
        match self {
            Self::MultiHot(vectorizer) => {
                let name = |feature| vectorizer.feature_word(feature).map(str::to_owned);
                (0..vectorizer.width() as u32).map(name).collect()
            }
            Self::Terms(vectorizer) if vectorizer.options().hashing.is_some() => {
                vec![None; vectorizer.width()]
            }
            Self::Terms(vectorizer) => {
                let name = |term: Term| match term.kind {
                    TermKind::Word | TermKind::Ngram => term.text,
                    TermKind::Prefix => format!("{}…", term.text),
                    TermKind::Chars => format!("…{}…", term.text),
                };
                vectorizer.terms().into_iter().map(|term| Some(name(term))).collect()
            }
            Self::Features(vectorizer) => {
                vectorizer.indices().iter().map(|index| Some(index.to_string())).collect()
            }
        }
    }
}

impl From<MultiHotVectorizer> for Vectorizer {
    fn from(vectorizer: MultiHotVectorizer) -> Self {
        Self::MultiHot(vectorizer)
    }
}

impl From<FeatureListVectorizer> for Vectorizer {
    fn from(vectorizer: FeatureListVectorizer) -> Self {
        Self::Features(vectorizer)
    }
}

impl From<TermVectorizer> for Vectorizer {
    fn from(vectorizer: TermVectorizer) -> Self {
        Self::Terms(Box::new(vectorizer))
    }
}
