//! From text to features: words to numbers, numbers to the sparse rows that a network takes.
//!
//! * [`Analyzer`]: text to tokens
//! * [`TermVectorizer`]: words, n-grams, prefixes and parts of words, weighted, for any text
//! * [`Vocabulary`]: words and their numbers, in a form that a model file holds as it is
//! * [`MultiHotVectorizer`]: text to a multi-hot row, as the documents of a numbered corpus
//! * [`FeatureListVectorizer`]: lists of given features, as SVMlight's files have them, to rows
//! * [`Vectorizer`]: any of them, as a model has it
//! * [`multi_hot`]: the rows of a whole corpus
//!
//! The rule that cuts a numbered corpus into words stands in [`corpus::encode`](crate::corpus::encode),
//! since the numbering rests on it.

mod analyzer;
mod features;
mod multi_hot;
mod places;
mod terms;
mod vectorizer;
mod vocabulary;

pub use analyzer::{Analyzer, AnalyzerOptions, Normalization, TokenRule};
pub use features::{FeatureListVectorizer, FeatureScaling};
pub use multi_hot::{FeatureBuffer, MultiHotVectorizer, multi_hot};
pub(crate) use terms::Earlier;
pub use terms::{
    FeatureOrder, Idf, Ngrams, Norm, Selection, Term, TermError, TermFrequency, TermKind,
    TermVectorizer, TermVocabulary, Tokenised, VectorizerOptionError, VectorizerOptions,
    class_spread,
};
pub use vectorizer::{Occurrence, Vectorizer};
pub use vocabulary::{Vocabulary, VocabularyError};
