//! From a user's texts to a classifier.

use super::train::{Fitting, class_counts};
use super::{Classifier, ClassifierError, CorpusRecord, TrainingOptions, ValidationSplit};
use crate::corpus::split::stratified_split;
use crate::corpus::{Corpus, CorpusInfo, Documents, Labels, SequenceOptions};
use crate::evaluation::{Calibration, Evaluation, Reliability};
use crate::nn::{Callback, CsrMatrix, Matrix};
use crate::text::{AnalyzerOptions, TermVectorizer, Tokenised, VectorizerOptions};

/// Bins of the reliability table.
const BINS: usize = 15;

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

/// The labels of documents that something can be learned from.
pub(crate) fn learnable_labels(documents: &Documents) -> Result<&[u32], ClassifierError> {
    let labels = single_labels(documents)?;
    let counts = documents.class_counts();
    let classes = counts.iter().filter(|&&count| count > 0).count();
    if classes < 2 || counts.iter().all(|&count| count < 2) {
        return Err(ClassifierError::TooFew { documents: documents.len(), classes });
    }
    Ok(labels)
}

/// Holds documents out as the options say: the first ones, or a share of every class.
pub(crate) fn divide(
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
pub(crate) struct Prepared<'a> {
    pub(crate) documents: &'a Documents,
    pub(crate) labels: &'a [u32],
    pub(crate) tokenised: Tokenised,
    fingerprint: String,
}

impl<'a> Prepared<'a> {
    pub(crate) fn new(
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
        let of = |rows: &[usize]| rows.iter().map(|&i| self.labels[i]).collect::<Vec<u32>>();
        let weights = self.documents.weights();
        let weights = weights.map(|weights| train.iter().map(|&i| weights[i]).collect());
        Ok(Rows { vectorizer, x, y: of(train), x_held_out, y_held_out: of(held_out), weights })
    }

    /// Trains on rows. With documents held out, these calibrate the classifier, and their
    /// probabilities, not calibrated, come too.
    pub(crate) fn train(
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
        Ok((classifier, probabilities))
    }
}

/// What a network is trained on and held against.
pub(crate) struct Rows {
    vectorizer: TermVectorizer,
    x: CsrMatrix,
    y: Vec<u32>,
    x_held_out: CsrMatrix,
    pub(crate) y_held_out: Vec<u32>,
    weights: Option<Vec<f32>>,
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
}

impl Classifier {
    /// Trains a classifier on documents by the settings given. `name` is what the record calls them.
    ///
    /// A share to validate on is taken from every class; its documents calibrate the probabilities.
    /// Where [`TrainingOptions::vectorizer`] is none, words are numbered and rows are multi-hot as in
    /// the published example, and probabilities stay as they are.
    ///
    /// # Errors
    /// [`ClassifierError::LabelKind`] for documents with several labels or soft ones;
    /// [`ClassifierError::Terms`] if no feature is left; else as [`train`](Self::train).
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
        let prepared = Prepared::new(documents, &features.analyzer)?;
        let rows = prepared.rows(&division, features)?;
        Ok(prepared.train(&rows, options, name, callbacks)?.0)
    }

    /// Scores on documents with one label each, whose classes are the model's: calibrated
    /// probabilities, their reliability and the rest of an [`Evaluation`].
    ///
    /// # Errors
    /// [`ClassifierError::OtherClasses`] if the classes differ, [`ClassifierError::LabelKind`] for
    /// documents with several labels, [`ClassifierError::Network`] if there is no document.
    pub fn evaluate_documents(
        &self,
        documents: &Documents,
        name: &str,
    ) -> Result<Evaluation, ClassifierError> {
        self.check_classes(name, documents.class_names())?;
        let labels = single_labels(documents)?;
        let texts: Vec<&str> = documents.texts().collect();
        let answers = self.predict_batch(&texts);
        let rows = answers.into_iter().flat_map(|answer| answer.probabilities).collect();
        let probabilities = Matrix::new(texts.len(), self.class_names.len(), rows)?;
        self.scores(&probabilities, labels)
    }

    /// The scores of calibrated probabilities.
    pub(crate) fn scores(
        &self,
        probabilities: &Matrix,
        labels: &[u32],
    ) -> Result<Evaluation, ClassifierError> {
        let loss = log_loss(probabilities, labels);
        let predicted = probabilities.argmax_rows();
        let counts = &self.record.class_counts;
        let evaluation = Evaluation::new(&self.class_names, labels, &predicted, loss, counts)?;
        Ok(evaluation.with_reliability(Reliability::new(probabilities, labels, BINS)))
    }
}

/// The mean of `−ln p` of the true classes.
pub(crate) fn log_loss(probabilities: &Matrix, labels: &[u32]) -> f64 {
    let rows = probabilities.iter_rows().zip(labels);
    let sum: f64 = rows
        .map(|(row, &label)| {
            let p = row.get(label as usize).copied().unwrap_or(0.0);
            -libm::log(f64::from(p.max(f32::MIN_POSITIVE)))
        })
        .sum();
    sum / labels.len().max(1) as f64
}
