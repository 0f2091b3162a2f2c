//! Text in, label and probabilities out: vectorizer, network and class names in one piece.

pub(crate) mod auto;
mod class_weight;
mod continued;
mod described;
pub(crate) mod documents;
mod ensemble;
mod evaluate;
mod features;
mod folds;
mod labels;
mod options;
mod predict;
pub(crate) mod recipe;
mod record;
mod settings;
#[cfg(test)]
mod tests;
mod train;
mod turn;

use crate::checkpoint::CheckpointError;
use crate::corpus::{Content, Corpus, CorpusError, Documents, LabelKind};
use crate::decision::{DecisionError, Decisions};
use crate::evaluation::Calibration;
use crate::model_file::ModelFileError;
use crate::nearest::DocumentIndex;
use crate::nn::{NnError, Sequential};
use crate::text::{MultiHotVectorizer, TermError, Vectorizer, VocabularyError};

pub use auto::{AutoOptions, AutoRecord, Candidate};
pub use class_weight::{ClassWeight, ClassWeightError, ClassWeightFile};
pub use continued::{ContinueOptions, Replay};
pub use described::{
    DescribedAnswer, DescribedIndex, DescribedModel, EpochSeries, FoldsSummary, Provenance, Ranked,
};
pub use folds::{CrossValidation, FoldOptions, FoldScores, FoldsRecord, Spread};
pub use options::{Preset, TrainingOptions, ValidationSplit};
pub use predict::{Prediction, TextPredictor};
pub use record::{Ancestor, CorpusRecord, TrainingRecord};
pub use settings::{
    Base, LoadingSettings, OrNone, Schedule, Setting, Settings, SettingsError, TrainingPlan,
};

/// A trained text classifier.
#[derive(Debug, Clone)]
pub struct Classifier {
    vectorizer: Vectorizer,
    network: Sequential,
    class_names: Vec<String>,
    calibration: Calibration,
    decisions: Decisions,
    record: TrainingRecord,
    index: Option<DocumentIndex>,
}

/// Why a classifier could not be made or used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifierError {
    /// The network refused its data or settings, or diverged.
    #[error(transparent)]
    Network(#[from] NnError),
    /// The words of the corpus do not make a vocabulary.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// No vectorizer can be made of the texts.
    #[error(transparent)]
    Terms(#[from] TermError),
    /// What decides on answers is out of range, or cannot be fitted.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// Labels that a classifier cannot be trained or scored on.
    #[error(
        "the documents have {} labels, and a classifier takes one class a document",
        match found {
            LabelKind::Multi => "any number of",
            LabelKind::Soft => "soft",
            LabelKind::Single => "single",
        }
    )]
    LabelKind {
        /// What kind they are.
        found: LabelKind,
    },
    /// Lists of features without any value other than zero.
    #[error("no document to train on has a feature other than zero")]
    NoFeatures,
    /// Texts, where the model takes lists of features, or the other way round.
    #[error(
        "the model reads {}, and {name} holds {}",
        content_name(*model),
        content_name(*found)
    )]
    OtherContent {
        /// What the model reads.
        model: Content,
        /// What the documents hold.
        found: Content,
        /// What the documents are called.
        name: String,
    },
    /// A model of given features, which has no words to add to.
    #[error(
        "the model reads lists of features, and only a model that reads text goes on with new \
         documents; train anew on old and new ones together"
    )]
    GivenFeatures,
    /// A loss that does not go with the labels.
    #[error(
        "the loss {loss} does not go with {}; use {instead}",
        match kind {
            LabelKind::Multi => "documents that have any number of labels, as its outputs are not independent",
            LabelKind::Soft => "soft labels, as it takes one class a document",
            LabelKind::Single => "single labels",
        }
    )]
    LossForLabels {
        /// Name of the loss.
        loss: &'static str,
        /// What kind the labels are.
        kind: LabelKind,
        /// Name of the one that does.
        instead: &'static str,
    },
    /// A file of factors for classes that cannot be used.
    #[error(transparent)]
    ClassWeightFile(#[from] ClassWeightError),
    /// A weight for a class that is not there.
    #[error("there is a weight for the class `{name}`, which is none of those trained on: {known}")]
    ClassWeightName {
        /// The name.
        name: String,
        /// The classes, the first of many.
        known: String,
    },
    /// Too little to learn from.
    #[error(
        "{documents} documents of {classes} classes are too few to learn from: expected at least two \
         classes, and two documents of one of them"
    )]
    TooFew {
        /// Number of documents.
        documents: usize,
        /// Classes that have documents.
        classes: usize,
    },
    /// Documents of what a model has learned before that have classes it does not know.
    #[error(
        "the documents to train on again have the class `{class}`, which the model does not have; give \
         documents of new classes as those to go on with"
    )]
    NotReplay {
        /// The first such class.
        class: String,
    },
    /// A model without a checksum, which cannot be gone on from.
    #[error("the model cannot be gone on from")]
    Parent(#[source] Box<ModelFileError>),
    /// Documents cannot be divided into so many folds.
    #[error("{folds} folds: expected a number from 2 to the number of documents, {documents}")]
    Folds {
        /// Folds asked for.
        folds: u32,
        /// Number of documents.
        documents: usize,
    },
    /// The run was stopped before there was a classifier.
    #[error("stopped before anything was trained")]
    Interrupted,
    /// A numbered corpus, where the model takes text.
    #[error(
        "the model reads text and does not know the word numbers of the corpus `{corpus}`; score it on \
         documents"
    )]
    TakesText {
        /// Name of the corpus.
        corpus: String,
    },
    /// A checkpoint cannot be gone on from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The corpus could not be read.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The parts do not belong together.
    #[error("{what}: expected {expected}, found {found}")]
    Mismatch {
        /// What was counted.
        what: &'static str,
        /// The count that the other part demands.
        expected: usize,
        /// The count found.
        found: usize,
    },
    /// A corpus that the classifier cannot be scored on, as it has other classes.
    #[error(
        "the corpus `{corpus}` has other classes than the model, which was trained on `{trained_on}`: \
         {problem}; evaluate on `{trained_on}`, or train a model on `{corpus}`"
    )]
    OtherClasses {
        /// Name of the corpus.
        corpus: String,
        /// Name of the corpus that the model was trained on.
        trained_on: String,
        /// The first disagreement.
        problem: String,
    },
    /// A corpus that the classifier cannot be scored on, as its words are numbered otherwise.
    #[error(
        "the corpus `{corpus}` numbers its words otherwise than the one that the model was trained on: \
         {problem}; load it from the same files as for training"
    )]
    OtherWords {
        /// Name of the corpus.
        corpus: String,
        /// The first disagreement.
        problem: String,
    },
    /// Training diverged after at least one good epoch.
    #[error("{error}")]
    Diverged {
        /// What happened.
        error: NnError,
        /// The classifier as it was at the end of the last good epoch.
        reached: Box<Classifier>,
    },
    /// The validation split leaves nothing to train or nothing to validate on.
    #[error(
        "a validation split of {split} leaves {train} of {samples} training samples; use a smaller one"
    )]
    Validation {
        /// The split asked for.
        split: String,
        /// Samples left to train on.
        train: usize,
        /// Samples of the training part.
        samples: usize,
    },
}

/// What a model reads, in words.
pub(crate) fn content_name(content: Content) -> &'static str {
    match content {
        Content::Text => "text",
        Content::Features => "lists of features (SVMlight)",
    }
}

impl Classifier {
    /// A classifier from its parts, as a model file holds them. The network is compiled with the
    /// optimizer and loss of the record, so that it can be evaluated and trained on.
    ///
    /// # Errors
    /// [`ClassifierError::Mismatch`] if the vectorizer's width is not the network's, or the number
    /// of class names not that of its outputs; [`ClassifierError::Network`] if the record's loss does
    /// not fit the network.
    pub fn from_parts(
        vectorizer: impl Into<Vectorizer>,
        mut network: Sequential,
        class_names: Vec<String>,
        record: TrainingRecord,
    ) -> Result<Self, ClassifierError> {
        let vectorizer = vectorizer.into();
        for (what, expected, found) in [
            ("features of the vectorizer", network.input_width(), vectorizer.width()),
            ("class names", network.units(), class_names.len()),
            ("class counts of the training record", class_names.len(), record.class_counts.len()),
        ] {
            if expected != found {
                return Err(ClassifierError::Mismatch { what, expected, found });
            }
        }
        let metrics = labels::metrics(record.label_kind);
        network.compile(record.options.optimizer.clone(), record.options.loss, &metrics)?;
        let calibration = Calibration::None;
        let decisions = Decisions::default();
        let index = None;
        Ok(Self { vectorizer, network, class_names, calibration, decisions, record, index })
    }

    /// The names of the classes; class `i` is output `i` of the network.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }

    /// The network.
    pub fn network(&self) -> &Sequential {
        &self.network
    }

    /// What makes rows of text.
    pub fn vectorizer(&self) -> &Vectorizer {
        &self.vectorizer
    }

    /// The same classifier with other calibrated probabilities.
    #[must_use]
    pub fn with_calibration(mut self, calibration: Calibration) -> Self {
        self.calibration = calibration;
        self
    }

    /// What calibrates the probabilities.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// The same classifier with other thresholds, and other texts to answer with `unknown`.
    ///
    /// # Errors
    /// [`ClassifierError::Decision`] if there is not one threshold for each class, or a number is out
    /// of range.
    pub fn with_decisions(mut self, decisions: Decisions) -> Result<Self, ClassifierError> {
        decisions.check(self.class_names.len())?;
        self.decisions = decisions;
        Ok(self)
    }

    /// What decides on the answers.
    pub fn decisions(&self) -> &Decisions {
        &self.decisions
    }

    /// The same classifier with another index of documents, or none.
    #[must_use]
    pub(crate) fn with_document_index(mut self, index: Option<DocumentIndex>) -> Self {
        self.index = index;
        self
    }

    /// The documents that [`nearest`](Self::nearest) finds, if it has any.
    pub fn index(&self) -> Option<&DocumentIndex> {
        self.index.as_ref()
    }

    /// What kind of labels it gives.
    pub fn label_kind(&self) -> LabelKind {
        self.record.label_kind
    }

    /// How the classifier was made.
    pub fn record(&self) -> &TrainingRecord {
        &self.record
    }

    /// Checks that the documents of a corpus can be scored: that it has the classes of the model,
    /// and numbers words as the training corpus did. Where it was split otherwise (`test_split`,
    /// `seed`, `maxlen`) nothing is said, though documents to test on may then have been trained on.
    ///
    /// # Errors
    /// [`ClassifierError::OtherClasses`], [`ClassifierError::OtherWords`].
    pub fn check_corpus(&self, corpus: &Corpus) -> Result<(), ClassifierError> {
        self.check_classes(&corpus.name, &corpus.class_names)?;
        let Some(ours) = self.vectorizer.as_multi_hot() else {
            return Err(ClassifierError::TakesText { corpus: corpus.name.clone() });
        };
        let theirs = MultiHotVectorizer::from_corpus(corpus, self.vectorizer.width())?;
        match ours.numbering_difference(&theirs) {
            None => Ok(()),
            Some(problem) => {
                Err(ClassifierError::OtherWords { corpus: corpus.name.clone(), problem })
            }
        }
    }

    /// Checks that documents called `name` hold what the model reads and have its classes.
    pub(crate) fn check_documents(
        &self,
        name: &str,
        documents: &Documents,
    ) -> Result<(), ClassifierError> {
        self.check_content(name, documents)?;
        self.check_classes(name, documents.class_names())
    }

    /// Checks that documents called `name` hold what the model reads.
    pub(crate) fn check_content(
        &self,
        name: &str,
        documents: &Documents,
    ) -> Result<(), ClassifierError> {
        let (model, found) = (self.vectorizer.content(), documents.content());
        match model == found {
            true => Ok(()),
            false => Err(ClassifierError::OtherContent { model, found, name: name.to_owned() }),
        }
    }

    /// Checks that documents called `name` have the classes of the model.
    pub(crate) fn check_classes(
        &self,
        name: &str,
        theirs: &[String],
    ) -> Result<(), ClassifierError> {
        let ours = &self.class_names;
        let differs = ours.iter().zip(theirs).position(|(a, b)| a != b);
        let problem = match differs {
            Some(i) => Some(format!("class {i} is `{}` there and `{}` here", theirs[i], ours[i])),
            None if ours.len() != theirs.len() => {
                Some(format!("{} classes there and {} here", theirs.len(), ours.len()))
            }
            None => None,
        };
        match problem {
            None => Ok(()),
            Some(problem) => Err(ClassifierError::OtherClasses {
                corpus: name.to_owned(),
                trained_on: self.record.corpus.name.clone(),
                problem,
            }),
        }
    }
}
