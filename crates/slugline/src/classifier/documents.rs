//! From a user's texts to a classifier.

use super::train::{Fitting, class_counts};
use super::{Classifier, ClassifierError, CorpusRecord, TrainingOptions, ValidationSplit};
use crate::corpus::split::stratified_split;
use crate::corpus::{Corpus, CorpusInfo, Documents, Labels, SequenceOptions};
use crate::evaluation::Calibration;
pub(super) use crate::evaluation::mean_log_loss as log_loss;
use crate::nn::{Callback, CsrMatrix, Matrix};
use crate::text::{AnalyzerOptions, TermVectorizer, Tokenised, VectorizerOptions};

/// Which documents are trained on and which are held out, as positions.
pub(super) struct Division {
    pub(super) train: Vec<usize>,
    pub(super) held_out: Vec<usize>,
}

impl Division {
    /// Holds out a fold of some documents, given the fold of each.
    pub(super) fn by_fold(documents: &[usize], folds: &[u32], fold: u32) -> Self {
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

/// Holds documents out as the options say: the first ones, or a share of every class.
pub(super) fn divide(
    labels: &[u32],
    validation: ValidationSplit,
    seed: u64,
) -> Result<Division, ClassifierError> {
    let samples = labels.len();
    let (train, held_out) = match validation {
        ValidationSplit::Fraction(share) => stratified_split(labels, share, seed),
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
pub(super) struct Prepared<'a> {
    pub(super) documents: &'a Documents,
    pub(super) labels: &'a [u32],
    pub(super) tokenised: Tokenised,
    fingerprint: String,
}

impl<'a> Prepared<'a> {
    pub(super) fn new(
        documents: &'a Documents,
        analyzer: &AnalyzerOptions,
    ) -> Result<Self, ClassifierError> {
        let labels = single_labels(documents)?;
        let texts: Vec<&str> = documents.texts().collect();
        let tokenised = Tokenised::new(&texts, analyzer);
        Ok(Self { documents, labels, tokenised, fingerprint: documents.fingerprint() })
    }

    /// Learns the features of the documents that are trained on, and gives the rows of all that the
    /// division names.
    pub(super) fn rows(
        &self,
        division: &Division,
        features: &VectorizerOptions,
    ) -> Result<Rows, ClassifierError> {
        let Division { train, held_out } = division;
        let classes = self.documents.class_names().len();
        let all = Some((self.documents.labels(), classes));
        let (vectorizer, x) = TermVectorizer::fit_rows(&self.tokenised, train, features, all)?;
        let x_held_out = vectorizer.transform(&self.tokenised, held_out)?;
        let of = |rows: &[usize]| rows.iter().map(|&i| self.labels[i]).collect::<Vec<u32>>();
        let weights = self.documents.weights();
        let weights = weights.map(|weights| train.iter().map(|&i| weights[i]).collect());
        Ok(Rows { vectorizer, x, y: of(train), x_held_out, y_held_out: of(held_out), weights })
    }

    /// Trains on rows. With documents held out, these calibrate the classifier and settle its
    /// thresholds, and their probabilities, not calibrated, come too.
    pub(super) fn train(
        &self,
        rows: &Rows,
        options: &TrainingOptions,
        name: &str,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<(Classifier, Matrix), ClassifierError> {
        let classes = self.documents.class_names().len();
        let Rows { x, y, x_held_out, y_held_out, .. } = rows;
        let fitting = Fitting {
            options,
            classes,
            x,
            y,
            held_out: (!y_held_out.is_empty()).then_some((x_held_out, y_held_out)),
            weights: rows.weights.as_deref(),
        };
        let fitted = fitting.run(callbacks)?;
        let corpus = CorpusRecord {
            name: name.to_owned(),
            description: format!("{} documents of {classes} classes", self.documents.len()),
            fingerprint: self.fingerprint.clone(),
            train_samples: y.len(),
            validation_samples: y_held_out.len(),
        };
        let counts = class_counts(self.labels, classes);
        let names = self.documents.class_names().to_vec();
        let vectorizer = rows.vectorizer.clone().into();
        let mut classifier = fitted.classifier(vectorizer, names, corpus, options, counts)?;
        let probabilities = match y_held_out.is_empty() {
            true => Matrix::zeros(0, classes),
            false => classifier.network.predict(x_held_out)?,
        };
        classifier.calibration = Calibration::fit_mixture(&probabilities, y_held_out);
        if !y_held_out.is_empty() {
            let mut calibrated = probabilities.clone();
            classifier.calibration.apply_rows(&mut calibrated);
            let labels = Labels::Single(y_held_out.clone());
            classifier.decisions = options.decision.fit(&calibrated, &labels)?;
        }
        Ok((classifier, probabilities))
    }
}

/// What a network is trained on and held against.
pub(super) struct Rows {
    vectorizer: TermVectorizer,
    x: CsrMatrix,
    y: Vec<u32>,
    x_held_out: CsrMatrix,
    pub(super) y_held_out: Vec<u32>,
    weights: Option<Vec<f32>>,
}

impl Classifier {
    /// Trains a classifier on documents by the settings given. `name` is what the record calls them.
    ///
    /// A share to validate on is taken from every class; its documents calibrate the probabilities and
    /// settle the thresholds.
    /// Where [`TrainingOptions::vectorizer`] is none, words are numbered and rows are multi-hot as in
    /// the published example, and probabilities stay as they are.
    ///
    /// # Errors
    /// [`ClassifierError::LabelKind`] for documents with several labels or soft ones;
    /// [`ClassifierError::Terms`] if no feature is left; [`ClassifierError::Decision`] for thresholds that
    /// are to be fitted where nothing is held out; else as [`train`](Self::train).
    pub fn train_documents(
        documents: &Documents,
        name: &str,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Self, ClassifierError> {
        let labels = single_labels(documents)?;
        let Some(features) = &options.vectorizer else {
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
            let pairs = documents.texts().zip(labels.iter().copied());
            let corpus = Corpus::from_texts(info, pairs, &sequences)?;
            return Self::train_with(&corpus, options, callbacks);
        };
        let division = divide(labels, options.validation, options.seed)?;
        let unfitted = division.held_out.is_empty();
        let decisions = unfitted.then(|| options.decision.unfitted(documents.class_names().len()));
        let decisions = decisions.transpose()?;
        let prepared = Prepared::new(documents, &features.analyzer)?;
        let rows = prepared.rows(&division, features)?;
        let (mut classifier, _) = prepared.train(&rows, options, name, callbacks)?;
        if let Some(decisions) = decisions {
            classifier.decisions = decisions;
        }
        Ok(classifier)
    }
}
