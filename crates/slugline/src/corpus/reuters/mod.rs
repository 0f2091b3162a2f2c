//! Reuters newswires by topic, in the form of Keras's data set and in a cleaned form.
//!
//! # `reuters`
//!
//! The 46-topic set of `keras.datasets.reuters`, built from Reuters-21578 (Distribution 1.0) or read
//! from Keras's own files; both give the same corpus. 11,228 newswires: those with a topic, labelled
//! with their *first* topic, of the topics that at least [`MIN_DOCUMENTS`] of them have. Labels count
//! up in order of first appearance. It reproduces the original with its flaws, so that figures can be
//! compared:
//!
//! * a newswire without a body of its own has the body of a later one (and one of them, after which
//!   no body comes in its file, the header of that file);
//! * 398 texts stand under more than one label, and 225 of the test texts stand word for word among
//!   the training texts (at the default options);
//! * words are ranked over training and test texts together;
//! * entities are not decoded: `&lt;` leaves the word `lt`, and the closing `Reuter &#3;` the words
//!   `reuter` and `3`.
//!
//! # `reuters-clean`
//!
//! The same newswires without these flaws:
//!
//! * only newswires with a body of their own count: those without are dropped, as their title alone
//!   is a different kind of text;
//! * entities are decoded, control characters are blank, the closing word `Reuter` is removed;
//! * texts that have the same words are kept once (the first), and not at all where copies stand
//!   under different first topics, as no answer would be right;
//! * topics with fewer than [`MIN_DOCUMENTS`] texts after that are dropped, and labels count up in
//!   order of first appearance;
//! * shuffle and split follow the same options as `reuters`; as every text exists once, no training
//!   text is a test text;
//! * words are ranked over the training part alone. A test word that no training text has is
//!   unknown (`oov_char`).
//!
//! Of the 11,367 newswires with a topic 990 have no body of their own, 141 are copies, 30 carry one
//! of 14 texts that contradict each other, and 134 belong to rare topics. That leaves 10,072
//! newswires of 45 topics (`lei` is gone): at the default options 8,057 for training and 2,015 for
//! testing, and 27,392 ranked words.

mod clean;
mod keras;
mod pickle;
mod sgml;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use clean::Dropped;

use self::sgml::Newswire;
use super::encode::{RankedDocuments, Split, TokenisedDocuments, keras_split};
use super::tokenize::tokens;
use super::{Corpus, CorpusError, CorpusInfo, SequenceOptions};

/// Fewest documents that a topic needs to be kept.
pub const MIN_DOCUMENTS: usize = 15;

/// File name of the archive of Reuters-21578.
pub const ARCHIVE: &str = "reuters21578.tar.gz";

/// File name of Keras's documents and labels.
pub const KERAS_NPZ: &str = "reuters.npz";

/// File name of Keras's word index.
pub const KERAS_WORD_INDEX: &str = "reuters_word_index.json";

/// Which of the two corpora.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Variant {
    /// `reuters`: Keras's data set as it is.
    #[default]
    Original,
    /// `reuters-clean`: without its flaws.
    Clean,
}

impl Variant {
    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Original => "reuters",
            Self::Clean => "reuters-clean",
        }
    }

    /// One sentence on what this is.
    pub const fn description(self) -> &'static str {
        match self {
            Self::Original => {
                "Reuters newswires of 1987 by first topic, the 46-topic set of Keras with its flaws"
            }
            Self::Clean => {
                "Reuters newswires of 1987 by first topic, every text once and with a body of its own"
            }
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Variant {
    type Err = CorpusError;

    fn from_str(name: &str) -> Result<Self, CorpusError> {
        [Self::Original, Self::Clean]
            .into_iter()
            .find(|variant| variant.name() == name)
            .ok_or_else(|| CorpusError::UnknownVariant { name: name.to_owned() })
    }
}

/// Where the newswires are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The archive `reuters21578.tar.gz`.
    Archive(PathBuf),
    /// A folder that holds `reut2-000.sgm` to `reut2-021.sgm`.
    Folder(PathBuf),
    /// Keras's files. They give [`Variant::Original`] only, and no texts.
    Keras {
        /// `reuters.npz`.
        npz: PathBuf,
        /// `reuters_word_index.json`.
        word_index: PathBuf,
    },
}

impl Source {
    /// What a data folder offers, the fullest source first: the archive, the SGML files, Keras's two
    /// files; `None` where it has none of them.
    pub fn in_folder(folder: &Path) -> Option<Self> {
        let file = |name| Some(folder.join(name)).filter(|path| path.is_file());
        if let Some(archive) = file(ARCHIVE) {
            return Some(Self::Archive(archive));
        }
        if file("reut2-000.sgm").is_some() {
            return Some(Self::Folder(folder.to_owned()));
        }
        Some(Self::Keras { npz: file(KERAS_NPZ)?, word_index: file(KERAS_WORD_INDEX)? })
    }
}

/// A newswire as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Index of its topic in [`Documents::class_names`].
    pub label: u32,
    /// Its text, as the words were taken from it.
    pub text: String,
}

/// The newswires of a variant as text, in the order of the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The topics; labels are indices into this list.
    pub class_names: Vec<String>,
    /// The newswires.
    pub documents: Vec<Document>,
    /// What the variant left out of the newswires with a topic, and why. [`Variant::Original`] only
    /// leaves out rare topics.
    pub dropped: Dropped,
}

impl Documents {
    /// Where [`load`] puts the documents with the same options: `train` lists the positions of the
    /// documents behind [`Corpus::train`](super::Corpus::train), in its order, and so does `test`.
    ///
    /// # Errors
    /// As [`keras_split`].
    pub fn split(&self, options: &SequenceOptions) -> Result<Split, CorpusError> {
        let lengths: Vec<usize> =
            self.documents.iter().map(|document| tokens(&document.text).len()).collect();
        keras_split(&lengths, options)
    }
}

/// Loads a variant from `source`, its words numbered and its documents split by `options`.
///
/// # Errors
/// [`CorpusError`] if files are missing, damaged or do not belong together; if an option cannot be
/// used; [`CorpusError::NoTexts`] for [`Variant::Clean`] from [`Source::Keras`].
pub fn load(
    source: &Source,
    variant: Variant,
    options: &SequenceOptions,
) -> Result<Corpus, CorpusError> {
    let info = |class_names| CorpusInfo {
        name: variant.name().to_owned(),
        description: variant.description().to_owned(),
        class_names,
    };
    if let (Source::Keras { npz, word_index }, Variant::Original) = (source, variant) {
        let ranked = keras::read(npz, word_index)?;
        let split = keras_split(&ranked.lengths(), options)?;
        let class_names = keras::TOPICS.map(str::to_owned).to_vec();
        return ranked.to_corpus(info(class_names), &split, options);
    }
    let documents = documents(source, variant)?;
    let mut tokenised = TokenisedDocuments::new();
    for document in &documents.documents {
        tokenised.push(&document.text, document.label);
    }
    let lengths: Vec<usize> = tokenised.documents().iter().map(<[u32]>::len).collect();
    let split = keras_split(&lengths, options)?;
    let ranked: RankedDocuments = match variant {
        Variant::Original => tokenised.rank(0..lengths.len()),
        Variant::Clean => tokenised.rank(split.train.iter().copied()),
    };
    ranked.to_corpus(info(documents.class_names), &split, options)
}

/// The newswires of a variant as text.
///
/// # Errors
/// As [`load`]; [`CorpusError::NoTexts`] from [`Source::Keras`].
pub fn documents(source: &Source, variant: Variant) -> Result<Documents, CorpusError> {
    let (path, newswires) = match source {
        Source::Archive(path) => (path, sgml::read_archive(path)?),
        Source::Folder(path) => (path, sgml::read_folder(path)?),
        Source::Keras { npz, .. } => {
            let wanted = match variant {
                Variant::Original => "the text of newswires",
                Variant::Clean => "reuters-clean",
            };
            return Err(CorpusError::NoTexts { path: npz.clone(), wanted });
        }
    };
    let (labelled, mut dropped) = match variant {
        Variant::Original => (as_they_are(newswires), Dropped::default()),
        Variant::Clean => clean::distinct(newswires),
    };
    let found = labelled.len();
    let (class_names, documents) = number_topics(labelled);
    dropped.rare_topic = found - documents.len();
    if documents.is_empty() {
        return Err(CorpusError::Malformed {
            path: path.clone(),
            expected: format!("topics with at least {MIN_DOCUMENTS} newswires"),
            found: format!("none among {found} newswires"),
        });
    }
    Ok(Documents { class_names, documents, dropped })
}

/// Topic and text of all newswires.
fn as_they_are(newswires: Vec<Newswire>) -> Vec<(String, String)> {
    newswires.into_iter().map(|newswire| (newswire.topic, newswire.text)).collect()
}

/// Drops rare topics and numbers the others in order of first appearance.
fn number_topics(labelled: Vec<(String, String)>) -> (Vec<String>, Vec<Document>) {
    let mut sizes: HashMap<String, usize> = HashMap::new();
    for (topic, _) in &labelled {
        if let Some(size) = sizes.get_mut(topic) {
            *size += 1;
        } else {
            sizes.insert(topic.clone(), 1);
        }
    }
    let mut class_names = Vec::new();
    let mut labels: HashMap<String, u32> = HashMap::new();
    let mut documents = Vec::new();
    for (topic, text) in labelled {
        if sizes.get(&topic).is_none_or(|&size| size < MIN_DOCUMENTS) {
            continue;
        }
        let label = *labels.entry(topic).or_insert_with_key(|topic| {
            class_names.push(topic.clone());
            class_names.len() as u32 - 1
        });
        documents.push(Document { label, text });
    }
    (class_names, documents)
}
