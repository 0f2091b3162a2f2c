//! Labelled documents: where they come from, how they are numbered, how they are split.
//!
//! A [`Corpus`] is what every source ends in: documents as sequences of word ids, one integer label
//! each, the names of the classes and the [`WordIndex`] that turns ids back into words.
//!
//! * [`sequences`]: the storage and the options of Keras's numbering ([`SequenceOptions`])
//! * [`encode`]: from text to ids: tokens, ranks, split, numbering, and the same for new text
//! * [`shuffle`]: NumPy's legacy shuffle, which orders the documents
//! * [`describe`]: a corpus in figures, documents back in words
//! * [`reuters`]: the Reuters newswires, as in Keras and cleaned
//! * [`sample`]: the embedded corpus of generated newswires, which needs no file and no network
//! * [`error`]: what can go wrong
//!
//! Nothing here knows about feature vectors or networks.

pub mod describe;
pub mod encode;
pub mod error;
mod intern;
pub mod reuters;
pub mod sample;
pub mod sequences;
pub mod shuffle;

pub use describe::Description;
pub use encode::{CorpusInfo, TextEncoder};
pub use error::CorpusError;
pub use sequences::{SequenceOptions, Sequences, WordIndex};

/// A labelled collection of documents, split for training and testing, its words numbered.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// Name as given on the command line, such as `reuters`.
    pub name: String,
    /// One sentence on what this is and where it came from; says so if the texts are generated.
    pub description: String,
    /// Name of each class; the label `i` of a document is an index into this list.
    pub class_names: Vec<String>,
    /// Word ↔ rank, over the words that were ranked when the corpus was built.
    pub word_index: WordIndex,
    /// How words became ids; needed to encode new text the same way.
    pub options: SequenceOptions,
    /// Documents to train on.
    pub train: Sequences,
    /// Documents kept apart for the final score.
    pub test: Sequences,
}
