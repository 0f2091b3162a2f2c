//! From a user's texts to a classifier.

use serde::Serialize;
use serde_json::{Value, json};

use super::labels::too_few;
use super::train::{Fitting, Numbered, split};
use super::{
    Classifier, ClassifierError, CorpusRecord, TrainingOptions, ValidationSplit, features,
};
use crate::checkpoint::{Checkpoints, Part};
use crate::corpus::encode::{RankedDocuments, keras_split};
use crate::corpus::{Content, CorpusInfo, Documents, LabelKind, Labels, SequenceOptions};
use crate::evaluation::Calibration;
use crate::nn::{Callback, CsrMatrix, Matrix};
use crate::text::{AnalyzerOptions, TermVectorizer, Tokenised, Vectorizer, VectorizerOptions};

/// Which documents are trained on and which are held out, as positions.
pub(crate) struct Division {
    pub(crate) train: Vec<usize>,
    pub(crate) held_out: Vec<usize>,
}

impl Division {
    /// Holds out a fold of some documents, given the fold of each.
    pub(crate) fn by_fold(documents: &[usize], folds: &[u32], fold: u32) -> Self {
        let of = |held_out: bool| -> Vec<usize> {
            let pairs = documents.iter().zip(folds);
            pairs.filter(|(_, f)| (**f == fold) == held_out).map(|(&i, _)| i).collect()
        };
        Self { train: of(false), held_out: of(true) }
    }
}

/// The labels of documents with one class each.
pub(super) fn single_labels(documents: &Documents) -> Result<&[u32], ClassifierError> {
    match documents.labels() {
        Labels::Single(labels) => Ok(labels),
        other => Err(ClassifierError::LabelKind { found: other.kind() }),
    }
}

/// Refuses documents that are too few to learn from.
pub(crate) fn check_enough(documents: &Documents) -> Result<(), ClassifierError> {
    let counts = documents.class_counts();
    if too_few(&counts, documents.label_kind()) {
        let classes = counts.iter().filter(|&&count| count > 0).count();
        return Err(ClassifierError::TooFew { documents: documents.len(), classes });
    }
    Ok(())
}

/// Holds documents out as the options say: a number or a share of every class, or the last ones.
pub(crate) fn divide(
    labels: &Labels,
    validation: ValidationSplit,
    seed: u64,
) -> Result<Division, ClassifierError> {
    let samples = labels.len();
    let (train, held_out) = match validation {
        ValidationSplit::Fraction(share) => labels.split(share, seed),
        ValidationSplit::First(n) if n < samples => labels.split(n as f64 / samples as f64, seed),
        other => {
            let (train, held_out) = other.ranges(samples);
            (train.collect(), held_out.collect())
        }
    };
    if train.is_empty() || (held_out.is_empty() && validation != ValidationSplit::None) {
        let split = validation.to_string();
        return Err(ClassifierError::Validation { split, train: train.len(), samples });
    }
    Ok(Division { train, held_out })
}

/// Documents that several vectorizers and networks are fitted to.
pub(crate) struct Prepared<'a> {
    pub(super) documents: &'a Documents,
    pub(crate) tokenised: Tokenised,
    pub(super) fingerprint: String,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(documents: &'a Documents, analyzer: &AnalyzerOptions) -> Self {
        let texts: Vec<&str> = documents.texts().collect();
        let tokenised = Tokenised::new(&texts, analyzer);
        Self { documents, tokenised, fingerprint: documents.fingerprint() }
    }

    /// Learns the features of the documents that are trained on, and gives the rows of all that the
    /// division names.
    pub(crate) fn rows(
        &self,
        division: &Division,
        features: &VectorizerOptions,
    ) -> Result<Rows, ClassifierError> {
        let Division { train, held_out } = division;
        let classes = self.documents.class_names().len();
        let all = Some((self.documents.labels(), classes));
        let (vectorizer, x) = TermVectorizer::fit_rows(&self.tokenised, train, features, all)?;
        let x_held_out = vectorizer.transform(&self.tokenised, held_out)?;
        let labels = self.documents.labels();
        let weights = self.documents.weights();
        let weights = weights.map(|weights| train.iter().map(|&i| weights[i]).collect());
        let (y, y_held_out) = (labels.select(train), labels.select(held_out));
        Ok(Rows { vectorizer: vectorizer.into(), x, y, x_held_out, y_held_out, weights })
    }

    /// Trains on rows, as a part of a run that may keep a checkpoint: [`Rows::train`].
    pub(crate) fn train(
        &self,
        part: &Part,
        rows: &Rows,
        options: &TrainingOptions,
        name: &str,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<(Classifier, Matrix), ClassifierError> {
        let whole = Whole { documents: self.documents, fingerprint: &self.fingerprint, name };
        rows.train(part, whole, options, callbacks)
    }
}

/// All documents of a run, and what the record says of them.
#[derive(Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) documents: &'a Documents,
    pub(super) fingerprint: &'a str,
    pub(super) name: &'a str,
}

/// What a network is trained on and held against.
pub(crate) struct Rows {
    pub(super) vectorizer: Vectorizer,
    pub(super) x: CsrMatrix,
    pub(super) y: Labels,
    pub(super) x_held_out: CsrMatrix,
    pub(crate) y_held_out: Labels,
    pub(super) weights: Option<Vec<f32>>,
}

impl Rows {
    /// Number of features.
    pub(crate) fn width(&self) -> usize {
        self.x.cols()
    }

    /// Values of all rows that are stored.
    pub(crate) fn stored(&self) -> usize {
        self.x.nnz() + self.x_held_out.nnz()
    }

    /// Trains on the rows of some documents. With documents held out, these calibrate the classifier and
    /// settle its thresholds, and their probabilities, not calibrated, come too.
    pub(super) fn train(
        &self,
        part: &Part,
        Whole { documents, fingerprint, name }: Whole<'_>,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<(Classifier, Matrix), ClassifierError> {
        let class_names = documents.class_names();
        let classes = class_names.len();
        let Self { x, y, x_held_out, y_held_out, .. } = self;
        let fitting = Fitting {
            options,
            class_names,
            x,
            y,
            held_out: (!y_held_out.is_empty()).then_some((x_held_out, y_held_out)),
            weights: self.weights.as_deref(),
            start: None,
        };
        let fitted = fitting.run(part, callbacks)?;
        let corpus = CorpusRecord {
            name: name.to_owned(),
            description: format!("{} documents of {classes} classes", documents.len()),
            fingerprint: fingerprint.to_owned(),
            train_samples: y.len(),
            validation_samples: y_held_out.len(),
        };
        let (names, labels) = (class_names.to_vec(), documents.labels());
        let vectorizer = self.vectorizer.clone();
        let mut classifier = fitted.classifier(vectorizer, names, corpus, options, labels)?;
        let probabilities = match y_held_out.is_empty() {
            true => Matrix::zeros(0, classes),
            false => classifier.network.predict(x_held_out)?,
        };
        classifier.calibration = Calibration::fit(&probabilities, y_held_out);
        if !y_held_out.is_empty() {
            let mut calibrated = probabilities.clone();
            classifier.calibration.apply_rows(&mut calibrated);
            classifier.decisions = options.decision.fit(&calibrated, y_held_out)?;
        }
        Ok((classifier, probabilities))
    }
}

impl Classifier {
    /// Trains a classifier on documents by the settings given. `name` is what the record calls them.
    ///
    /// Labels may be of any kind; [`TrainingOptions::for_labels`] gives the loss that goes with them.
    /// Documents with any number of labels train outputs that are independent (sigmoid), soft labels
    /// the shares themselves.
    ///
    /// What is validated on calibrates the probabilities ([`Calibration::fit`]) and settles the
    /// thresholds. Where [`TrainingOptions::vectorizer`] is none, words are numbered and rows are
    /// multi-hot as in the published example, and probabilities stay as they are. Lists of
    /// features ([`Content::Features`]) are taken as they are, or scaled by
    /// [`TrainingOptions::feature_scaling`].
    ///
    /// # Errors
    /// [`ClassifierError::LossForLabels`] for a loss that does not go with the labels;
    /// [`ClassifierError::Terms`] if no feature is left; [`ClassifierError::Decision`] for thresholds that
    /// are to be fitted where nothing is held out; else as [`train`](Self::train).
    pub fn train_documents(
        documents: &Documents,
        name: &str,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Self, ClassifierError> {
        let none = Checkpoints::none();
        Self::train_documents_resumable(documents, name, options, callbacks, &none)
    }

    /// [`train_documents`](Self::train_documents) that keeps a checkpoint, or goes on from one.
    ///
    /// # Errors
    /// As [`train_documents`](Self::train_documents); [`ClassifierError::Checkpoint`] for a checkpoint
    /// that cannot be gone on from.
    pub fn train_documents_resumable(
        documents: &Documents,
        name: &str,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
        checkpoints: &Checkpoints,
    ) -> Result<Self, ClassifierError> {
        let terms = match (documents.content(), &options.vectorizer) {
            (Content::Features, _) => None,
            (Content::Text, Some(features)) => Some(features),
            (Content::Text, None) => {
                return train_numbered(documents, name, options, callbacks, checkpoints);
            }
        };
        let labels = documents.labels();
        let division = divide(labels, options.validation, options.seed)?;
        let unfitted = division.held_out.is_empty();
        let decisions = unfitted.then(|| options.decision.unfitted(documents.class_names().len()));
        let decisions = decisions.transpose()?;
        let (mut classifier, _) = if let Some(features) = terms {
            let prepared = Prepared::new(documents, &features.analyzer);
            let part = checkpoints.begin(identity(name, &prepared.fingerprint, options))?;
            let rows = prepared.rows(&division, features)?;
            prepared.train(&part, &rows, options, name, callbacks)?
        } else {
            let fingerprint = documents.fingerprint();
            let part = checkpoints.begin(identity(name, &fingerprint, options))?;
            let rows = features::rows(documents, &division, options.feature_scaling)?;
            let whole = Whole { documents, fingerprint: &fingerprint, name };
            rows.train(&part, whole, options, callbacks)?
        };
        if let Some(decisions) = decisions {
            classifier.decisions = decisions;
        }
        Ok(classifier)
    }
}

/// Trains on documents as on a corpus with numbered words.
fn train_numbered(
    documents: &Documents,
    name: &str,
    options: &TrainingOptions,
    callbacks: &mut [&mut dyn Callback],
    checkpoints: &Checkpoints,
) -> Result<Classifier, ClassifierError> {
    let info = CorpusInfo {
        name: name.to_owned(),
        description: format!("{} documents", documents.len()),
        class_names: documents.class_names().to_vec(),
    };
    let sequences = SequenceOptions {
        num_words: u32::try_from(options.max_features).ok(),
        test_split: 0.0,
        ..SequenceOptions::default()
    };
    let classes = documents.labels().first_classes();
    let pairs = documents.texts().zip(classes.into_iter().map(Option::unwrap_or_default));
    let ranked = RankedDocuments::from_texts(pairs);
    let order = keras_split(&ranked.lengths(), &sequences)?;
    let corpus = ranked.to_corpus(info, &order, &sequences)?;
    let order = order.train;
    let division = match options.validation {
        ValidationSplit::Last(n) => {
            let kept = documents.len().saturating_sub(n);
            let (train, held_out) = (0..order.len()).partition(|&row| order[row] < kept);
            Division { train, held_out }
        }
        other => {
            let (train, held_out) = split(other, order.len())?;
            Division { train: train.collect(), held_out: held_out.collect() }
        }
    };
    let weights = documents.weights().map(|all| order.iter().map(|&i| all[i]).collect::<Vec<_>>());
    let numbered = Numbered {
        corpus: &corpus,
        labels: &documents.labels().select(&order),
        weights: weights.as_deref(),
        fingerprint: match documents.label_kind() {
            LabelKind::Single => corpus.fingerprint(),
            _ => documents.fingerprint(),
        },
    };
    numbered.train(&division, options, callbacks, checkpoints)
}

/// What tells a run from every other whose checkpoint it must not go on from.
pub(super) fn identity(name: &str, fingerprint: &str, settings: impl Serialize) -> Value {
    json!({
        "slugline_version": env!("CARGO_PKG_VERSION"),
        "data": { "name": name, "fingerprint": fingerprint },
        "settings": serde_json::to_value(settings).unwrap_or_default(),
    })
}
