//! Labelled documents: where they come from, how they are numbered, how they are split.
//!
//! A [`Corpus`] is what every source ends in: documents as sequences of word ids, one integer label
//! each, the names of the classes and the [`WordIndex`] that turns ids back into words.
//!
//! * [`documents`]: labelled texts with everything that a user's file says of them
//! * [`fetch`]: where the files of a corpus are found on this machine, and their download
//! * [`sequences`]: the storage and the options of Keras's numbering ([`SequenceOptions`])
//! * [`tokenize`]: the rule that cuts text into words
//! * [`encode`]: from text to ids: ranks, split, numbering, and the same for new text
//! * [`shuffle`]: NumPy's legacy shuffle, which orders the documents
//! * [`split`]: documents set aside, every class in its share
//! * [`describe`]: a corpus in figures, documents back in words
//! * [`read`]: users' own files, in many formats
//! * [`reuters`]: the Reuters newswires, as in Keras and cleaned
//! * [`sample`]: the embedded corpus of generated newswires, which needs no file and no network
//! * [`datasets`]: all of these by name, wherever their files are
//! * [`error`]: what can go wrong
//!
//! Nothing here knows about feature vectors or networks.

pub mod datasets;
pub mod describe;
pub mod documents;
pub mod encode;
pub mod error;
pub mod fetch;
pub(crate) mod intern;
pub mod read;
pub mod reuters;
pub mod sample;
pub mod sequences;
pub mod shuffle;
pub mod split;
pub mod tokenize;

use sha2::{Digest, Sha256};

use crate::hex::hex;

pub use datasets::{Dataset, DatasetDocuments, DatasetError, Location};
pub use describe::{ClassSize, Description, Lengths, PartDescription};
pub use documents::{Content, Documents, LabelKind, Labels, Place};
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

impl Corpus {
    /// SHA-256 over the class names, words, ids and labels, as lower-case hexadecimal digits: two
    /// corpora with the same fingerprint train the same model.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        // Lengths before contents keep different corpora from running into the same bytes.
        let mut texts = |texts: &[String]| {
            hash.update((texts.len() as u64).to_le_bytes());
            for text in texts {
                hash.update((text.len() as u64).to_le_bytes());
                hash.update(text.as_bytes());
            }
        };
        texts(&self.class_names);
        texts(self.word_index.words());
        for part in [&self.train, &self.test] {
            for (ids, label) in part.iter().zip(part.labels()) {
                hash.update(label.to_le_bytes());
                hash.update((ids.len() as u64).to_le_bytes());
                let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
                hash.update(&bytes);
            }
            hash.update(u64::MAX.to_le_bytes());
        }
        hex(&hash.finalize())
    }
}
