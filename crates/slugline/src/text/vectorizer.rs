//! What turns text into rows, whichever way.

use slugline_nn::SparseRow;

use super::features::FeatureListVectorizer;
use super::multi_hot::{FeatureBuffer, MultiHotVectorizer};
use super::terms::TermVectorizer;
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
