//! From text to features: words to numbers, numbers to the sparse rows that a network takes.
//!
//! * [`Vocabulary`]: words and their numbers, in a form that a model file holds as it is
//! * [`Vectorizer`]: text to a multi-hot row, as the corpus's own documents were turned into one
//! * [`multi_hot`]: the rows of a whole corpus
//!
//! The rule that cuts text into words stands in [`corpus::encode`](crate::corpus::encode), since the
//! numbering of a corpus rests on it.

mod vectorizer;
mod vocabulary;

pub use vectorizer::{FeatureBuffer, Vectorizer, multi_hot};
pub use vocabulary::{Vocabulary, VocabularyError};
