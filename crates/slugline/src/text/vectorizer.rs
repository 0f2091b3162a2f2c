//! What turns text into rows, whichever way.

use slugline_nn::SparseRow;

use super::multi_hot::{FeatureBuffer, MultiHotVectorizer};
use super::terms::TermVectorizer;
use super::vocabulary::Vocabulary;

/// Turns text into the rows that a network was trained on.
#[derive(Debug, Clone, PartialEq)]
pub enum Vectorizer {
    /// Multi-hot rows of a corpus's numbered words.
    MultiHot(MultiHotVectorizer),
    /// Weighted words, n-grams and parts of words.
    Terms(Box<TermVectorizer>),
}

impl Vectorizer {
    /// Number of features of a row.
    pub fn width(&self) -> usize {
        match self {
            Self::MultiHot(vectorizer) => vectorizer.width(),
            Self::Terms(vectorizer) => vectorizer.width(),
        }
    }

    /// The known words.
    pub fn words(&self) -> &Vocabulary {
        match self {
            Self::MultiHot(vectorizer) => vectorizer.vocabulary(),
            Self::Terms(vectorizer) => &vectorizer.vocabulary().words,
        }
    }

    /// The vectorizer of a numbered corpus, if it is one.
    pub fn as_multi_hot(&self) -> Option<&MultiHotVectorizer> {
        match self {
            Self::MultiHot(vectorizer) => Some(vectorizer),
            Self::Terms(_) => None,
        }
    }

    /// The vectorizer of terms, if it is one.
    pub fn as_terms(&self) -> Option<&TermVectorizer> {
        match self {
            Self::MultiHot(_) => None,
            Self::Terms(vectorizer) => Some(vectorizer),
        }
    }

    /// Turns `text` into a row, which `buffer` then holds.
    pub fn vectorize<'b>(&self, text: &str, buffer: &'b mut FeatureBuffer) -> SparseRow<'b> {
        match self {
            Self::MultiHot(vectorizer) => vectorizer.vectorize(text, buffer),
            Self::Terms(vectorizer) => vectorizer.vectorize(text, buffer),
        }
        buffer.row()
    }
}

impl From<MultiHotVectorizer> for Vectorizer {
    fn from(vectorizer: MultiHotVectorizer) -> Self {
        Self::MultiHot(vectorizer)
    }
}

impl From<TermVectorizer> for Vectorizer {
    fn from(vectorizer: TermVectorizer) -> Self {
        Self::Terms(Box::new(vectorizer))
    }
}
