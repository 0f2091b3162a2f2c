//! Documents as sequences of word ids, numbered the way Keras's text data sets are.

use serde::{Deserialize, Serialize};

/// How words become ids and documents are split, with the names, meaning and defaults of
/// `keras.datasets.reuters.load_data`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SequenceOptions {
    /// Ids of this value and above become `oov_char`. `None` (and 0) stand, as in Keras, for the
    /// largest id of the corpus, so that one word, the rarest, is left out all the same.
    pub num_words: Option<u32>,
    /// Ids below this value become `oov_char`, the start mark too. Default 0.
    pub skip_top: u32,
    /// Documents with this many ids or more (the start mark included) are dropped. `None` (and 0)
    /// keep all.
    pub maxlen: Option<usize>,
    /// Share of the documents kept for testing. Default 0.2.
    pub test_split: f64,
    /// Seed of the shuffle that precedes the split. Default 113.
    pub seed: u32,
    /// Id put before every document; `None` for none. Default 1.
    pub start_char: Option<u32>,
    /// Id that stands for a word left out; `None` drops such words. Default 2.
    pub oov_char: Option<u32>,
    /// Added to every word's rank. Default 3.
    pub index_from: u32,
}

impl Default for SequenceOptions {
    fn default() -> Self {
        Self {
            num_words: None,
            skip_top: 0,
            maxlen: None,
            test_split: 0.2,
            seed: 113,
            start_char: Some(1),
            oov_char: Some(2),
            index_from: 3,
        }
    }
}

/// Labelled documents of word ids, stored end to end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sequences {
    ids: Vec<u32>,
    offsets: Vec<usize>,
    labels: Vec<u32>,
}

impl Sequences {
    /// No documents.
    pub fn new() -> Self {
        Self { ids: Vec::new(), offsets: vec![0], labels: Vec::new() }
    }

    /// Adds a document of `ids` with its `label`.
    pub fn push(&mut self, ids: &[u32], label: u32) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.ids.extend_from_slice(ids);
        self.offsets.push(self.ids.len());
        self.labels.push(label);
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no document.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The ids of document `i`, or `None` past the end.
    pub fn get(&self, i: usize) -> Option<&[u32]> {
        let range = *self.offsets.get(i)?..*self.offsets.get(i + 1)?;
        self.ids.get(range)
    }

    /// The documents' ids in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.offsets.windows(2).map(|w| &self.ids[w[0]..w[1]])
    }

    /// One label a document, an index into [`Corpus::class_names`](super::Corpus::class_names).
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Replaces every id by `f` of it.
    pub(crate) fn map_ids(&mut self, mut f: impl FnMut(u32) -> u32) {
        for id in &mut self.ids {
            *id = f(*id);
        }
    }

    /// The ids of all documents, end to end.
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Number of ids over all documents.
    pub fn total_ids(&self) -> usize {
        self.ids.len()
    }
}

/// The words of a corpus in rank order: rank 1 is the most frequent word.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WordIndex {
    words: Vec<String>,
}

impl WordIndex {
    /// From the words in rank order, rank 1 first.
    pub fn from_ranked(words: Vec<String>) -> Self {
        Self { words }
    }

    /// The words in rank order.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The word of a rank, counted from 1.
    pub fn word(&self, rank: u32) -> Option<&str> {
        let i = (rank as usize).checked_sub(1)?;
        self.words.get(i).map(String::as_str)
    }
}
