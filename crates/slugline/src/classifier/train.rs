//! From a corpus to a classifier.

use std::ops::Range;

use super::documents::Division;
use super::labels::{Weights, metrics, targets};
use super::{
    Classifier, ClassifierError, CorpusRecord, TrainingOptions, TrainingRecord, ValidationSplit,
};
use super::{documents::identity, ensemble};
use crate::checkpoint::{Checkpoints, Part, StoredNetwork};
use crate::corpus::{Corpus, Labels};
use crate::decision::Decisions;
use crate::evaluation::Calibration;
use crate::nn::{
    Callback, CsrMatrix, EarlyStopping, EpochLogs, FitOptions, Flow, History, NnError, Sequential,
    StopReason, Validation, WeightAverage,
};
use crate::text::{MultiHotVectorizer, Vectorizer, multi_hot};
use crate::tune::TuneRecord;

impl Classifier {
    /// Trains a classifier on the training part of `corpus`.
    ///
    /// The corpus must have been loaded with `num_words` of at most `options.max_features`.
    ///
    /// # Errors
    /// [`ClassifierError::Validation`] if the split leaves nothing to train or validate on;
    /// [`ClassifierError::Network`] for a setting out of range, data that do not fit, or a run that
    /// diverged in its first epoch; [`ClassifierError::Diverged`] for one that diverged later;
    /// [`ClassifierError::Decision`] for thresholds that are to be fitted where nothing is held out;
    /// [`ClassifierError::Vocabulary`] for a corpus whose words do not make a vocabulary.
    pub fn train(corpus: &Corpus, options: &TrainingOptions) -> Result<Self, ClassifierError> {
        Self::train_with(corpus, options, &mut [])
    }

    /// [`train`](Self::train) with callbacks that watch and may stop it. If one of them stops the
    /// run, the classifier is what was reached.
    ///
    /// # Errors
    /// As [`train`](Self::train); of a run that diverged after a good epoch
    /// [`ClassifierError::Diverged`] holds what that epoch had reached.
    pub fn train_with(
        corpus: &Corpus,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Self, ClassifierError> {
        Self::train_resumable(corpus, options, callbacks, &Checkpoints::none())
    }

    /// [`train_with`](Self::train_with) that keeps a checkpoint, or goes on from one.
    ///
    /// # Errors
    /// As [`train_with`](Self::train_with); [`ClassifierError::Checkpoint`] for a checkpoint that
    /// cannot be gone on from.
    pub fn train_resumable(
        corpus: &Corpus,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
        checkpoints: &Checkpoints,
    ) -> Result<Self, ClassifierError> {
        let (train, held_out) = split(options.validation, corpus.train.len())?;
        let division = Division { train: train.collect(), held_out: held_out.collect() };
        let numbered = Numbered {
            corpus,
            labels: &Labels::Single(corpus.train.labels().to_vec()),
            weights: None,
            fingerprint: corpus.fingerprint(),
        };
        numbered.train(&division, options, callbacks, checkpoints)
    }

    /// Notes the command that would train this model again.
    #[must_use]
    pub fn with_command(mut self, command: impl Into<String>) -> Self {
        self.record.command = Some(command.into());
        self
    }

    /// Notes the search that found the settings.
    #[must_use]
    pub(crate) fn with_search(mut self, search: TuneRecord) -> Self {
        self.record.tune = Some(search);
        self
    }
}

/// A corpus of numbered words whose documents may have labels of any kind.
pub(super) struct Numbered<'a> {
    pub(super) corpus: &'a Corpus,
    /// The labels of its training part.
    pub(super) labels: &'a Labels,
    /// How much each document counts.
    pub(super) weights: Option<&'a [f32]>,
    pub(super) fingerprint: String,
}

impl Numbered<'_> {
    /// Trains on multi-hot rows.
    pub(super) fn train(
        self,
        division: &Division,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
        checkpoints: &Checkpoints,
    ) -> Result<Classifier, ClassifierError> {
        let Self { corpus, labels, weights, fingerprint } = self;
        let part = checkpoints.begin(identity(&corpus.name, &fingerprint, options))?;
        // Refused now rather than after an hour of training.
        let unfitted = division.held_out.is_empty();
        let unfitted = unfitted.then(|| options.decision.unfitted(corpus.class_names.len()));
        let unfitted = unfitted.transpose()?;
        let vectorizer = MultiHotVectorizer::from_corpus(corpus, options.max_features)?;
        let x = multi_hot(&corpus.train, options.max_features)?;
        let Division { train, held_out } = division;
        let (y_train, y_held_out) = (labels.select(train), labels.select(held_out));
        let weights: Option<Vec<f32>> =
            weights.map(|weights| train.iter().map(|&i| weights[i]).collect());
        let x_held_out = x.select_rows(held_out)?;
        let fitting = Fitting {
            options,
            class_names: &corpus.class_names,
            x: &x.select_rows(train)?,
            y: &y_train,
            held_out: (!held_out.is_empty()).then_some((&x_held_out, &y_held_out)),
            weights: weights.as_deref(),
            start: None,
        };
        let fitted = fitting.run(&part, callbacks)?;
        let record = CorpusRecord {
            name: corpus.name.clone(),
            description: corpus.description.clone(),
            fingerprint,
            train_samples: train.len(),
            validation_samples: held_out.len(),
        };
        let names = corpus.class_names.clone();
        let mut classifier =
            fitted.classifier(vectorizer.into(), names, record, options, labels)?;
        classifier.decisions = match unfitted {
            Some(decisions) => decisions,
            None => options.decision.fit(&classifier.network.predict(&x_held_out)?, &y_held_out)?,
        };
        Ok(classifier)
    }
}

/// Rows and labels that a network is trained on by the settings of a run.
pub(super) struct Fitting<'a> {
    pub(super) options: &'a TrainingOptions,
    pub(super) class_names: &'a [String],
    pub(super) x: &'a CsrMatrix,
    pub(super) y: &'a Labels,
    /// What it is validated on.
    pub(super) held_out: Option<(&'a CsrMatrix, &'a Labels)>,
    /// How much each sample counts.
    pub(super) weights: Option<&'a [f32]>,
    /// The network to begin with; `None` for one of random weights by the options.
    pub(super) start: Option<&'a Sequential>,
}

/// A trained network and the course of its training, with the error that ended it.
pub(super) struct Fitted {
    pub(super) network: Sequential,
    pub(super) history: History,
    pub(super) error: Option<NnError>,
}

impl Fitting<'_> {
    /// Trains the network, or those that become one; `part` keeps them.
    ///
    /// # Errors
    /// [`ClassifierError::Network`], [`ClassifierError::Checkpoint`].
    pub(super) fn run(
        &self,
        part: &Part,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Fitted, ClassifierError> {
        let options = self.options;
        options.check()?;
        match options.ensemble {
            1 => self.network(options.seed, options.threads, part, callbacks),
            _ => ensemble::train(self, part, callbacks),
        }
    }

    /// Sets how a network is trained.
    pub(super) fn compile(&self, network: &mut Sequential) -> Result<(), NnError> {
        network.compile(self.options.optimizer.clone(), self.options.loss, &metrics(self.y.kind()))
    }

    /// Trains one network, or goes on with what is stored of it.
    pub(super) fn network(
        &self,
        seed: u64,
        threads: usize,
        part: &Part,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Fitted, ClassifierError> {
        let Self { options, class_names, x, .. } = *self;
        let classes = class_names.len();
        let layers = match self.start {
            Some(start) => start.layers().to_vec(),
            None => options.layers(classes),
        };
        let (mut network, progress) = match part.network()? {
            None => match self.start {
                Some(start) => (start.clone(), None),
                None => (Sequential::new(x.cols(), layers, seed)?, None),
            },
            Some(StoredNetwork::UnderWay { weights, progress }) => {
                (Sequential::from_parameters(x.cols(), layers, weights, seed)?, Some(progress))
            }
            Some(StoredNetwork::Done { weights, history }) => {
                let mut network = Sequential::from_parameters(x.cols(), layers, weights, seed)?;
                self.compile(&mut network)?;
                return Ok(Fitted { network, history, error: None });
            }
        };
        self.compile(&mut network)?;
        let y = targets(options.loss, self.y, classes)?;
        let weights = Weights::new(&options.class_weight, self.y, class_names, self.weights)?;
        let held_out = match self.held_out {
            None => None,
            Some((x, labels)) => Some((x, targets(options.loss, labels, classes)?)),
        };
        let fit = FitOptions {
            epochs: options.epochs,
            batch_size: options.batch_size,
            validation: match &held_out {
                None => Validation::None,
                Some((x, y)) => Validation::Data(x, y),
            },
            sample_weight: weights.sample.as_deref(),
            class_weight: weights.class,
            positive_weight: weights.positive.as_deref(),
            threads,
            resume: progress.as_ref(),
            ..FitOptions::default()
        };
        let monitor = if held_out.is_none() { "loss" } else { "val_loss" };
        let mut stopping = options
            .patience
            .map(|patience| EarlyStopping::new(monitor, patience).restore_best_weights(true));
        let mut average = (options.average > 1).then(|| {
            WeightAverage::from_epoch((options.epochs + 1).saturating_sub(options.average))
        });
        let mut finished = Finished::default();
        finished.0.epochs = progress.iter().flat_map(|p| p.history.epochs.clone()).collect();
        let mut keeper = part.keeper();
        let mut all: Vec<&mut dyn Callback> =
            callbacks.iter_mut().map(|c| &mut **c as &mut dyn Callback).collect();
        all.extend(stopping.as_mut().map(|s| s as &mut dyn Callback));
        all.extend(average.as_mut().map(|a| a as &mut dyn Callback));
        all.push(&mut keeper);
        all.push(&mut finished);
        let fitted = network.fit_with(x, &y, &fit, &mut all);
        let (history, error) = match fitted {
            Ok(history) => (history, None),
            Err(error @ NnError::Diverged { last_good: 1.., .. }) => (finished.0, Some(error)),
            Err(error) => return Err(error.into()),
        };
        Ok(Fitted { network, history, error })
    }
}

impl Fitted {
    /// The classifier with its record. `labels` are those of all documents.
    pub(super) fn classifier(
        self,
        vectorizer: Vectorizer,
        class_names: Vec<String>,
        corpus: CorpusRecord,
        options: &TrainingOptions,
        labels: &Labels,
    ) -> Result<Classifier, ClassifierError> {
        let Self { network, history, error } = self;
        let best_epoch = history.best_epoch("val_loss").unwrap_or(history.epochs.len());
        let record = TrainingRecord {
            slugline_version: env!("CARGO_PKG_VERSION").to_owned(),
            command: None,
            corpus,
            label_kind: labels.kind(),
            options: options.clone(),
            ancestor: None,
            auto: None,
            tune: None,
            cross_validation: None,
            history,
            best_epoch,
            class_counts: labels.class_counts(class_names.len()),
        };
        let (calibration, decisions) = (Calibration::None, Decisions::default());
        let classifier = Classifier {
            vectorizer,
            network,
            class_names,
            calibration,
            decisions,
            record,
            index: None,
        };
        match error {
            None => Ok(classifier),
            Some(error) => Err(ClassifierError::Diverged { error, reached: Box::new(classifier) }),
        }
    }
}

/// The epochs of a run that may yet diverge.
#[derive(Default)]
struct Finished(History);

impl Callback for Finished {
    fn on_epoch_end(&mut self, logs: &EpochLogs, _model: &Sequential) -> Flow {
        self.0.epochs.push(logs.clone());
        self.0.stop_reason = StopReason::Diverged;
        Flow::Continue
    }
}

/// The samples to train on and those held out.
pub(super) fn split(
    validation: ValidationSplit,
    samples: usize,
) -> Result<(Range<usize>, Range<usize>), ClassifierError> {
    let (train, held_out) = validation.ranges(samples);
    if train.is_empty() || (held_out.is_empty() && validation != ValidationSplit::None) {
        return Err(ClassifierError::Validation {
            split: validation.to_string(),
            train: train.len(),
            samples,
        });
    }
    Ok((train, held_out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{CorpusInfo, SequenceOptions};
    use crate::nn::{LearningRate, Optimizer};

    fn corpus(classes: &[&str], texts: &[(&str, u32)]) -> Corpus {
        let info = CorpusInfo {
            name: classes.join("-"),
            description: "made up for a test".into(),
            class_names: classes.iter().copied().map(String::from).collect(),
        };
        let options =
            SequenceOptions { num_words: Some(20), test_split: 0.0, ..Default::default() };
        Corpus::from_texts(info, texts.iter().copied(), &options).unwrap()
    }

    const TEXTS: [(&str, u32); 3] =
        [("wheat fell", 0), ("gold rose and rose", 1), ("wheat rose", 0)];

    fn options() -> TrainingOptions {
        TrainingOptions {
            max_features: 20,
            hidden: vec![4],
            epochs: 5,
            validation: ValidationSplit::None,
            ..Default::default()
        }
    }

    #[test]
    fn a_run_that_diverges_keeps_the_last_good_epoch() {
        let corpus = corpus(&["grain", "metal"], &TEXTS);
        // One step an epoch; the third one throws the weights out of range.
        let rates =
            LearningRate::PiecewiseConstantDecay { boundaries: vec![1], values: vec![0.01, 1e40] };
        let tame =
            TrainingOptions { optimizer: Optimizer::sgd(), hidden: vec![], epochs: 2, ..options() };
        let wild = TrainingOptions {
            optimizer: tame.optimizer.clone().with_learning_rate(rates),
            epochs: 5,
            ..tame.clone()
        };
        let Err(ClassifierError::Diverged { error, reached }) = Classifier::train(&corpus, &wild)
        else {
            panic!("did not diverge")
        };
        assert!(
            error.to_string().contains("in epoch 3, step 1; the weights of epoch 2"),
            "{error}"
        );
        let history = &reached.record().history;
        assert_eq!(history.stop_reason, StopReason::Diverged);
        let tame = Classifier::train(&corpus, &tame).unwrap();
        assert_eq!(history.epochs, tame.record().history.epochs);
        assert!(reached.network().same_weights(tame.network()));

        let at_once = TrainingOptions {
            optimizer: Optimizer::sgd().with_learning_rate(LearningRate::Constant(1e40)),
            ..wild
        };
        let error = Classifier::train(&corpus, &at_once).unwrap_err();
        assert!(matches!(error, ClassifierError::Network(NnError::Diverged { last_good: 0, .. })));
    }

    #[test]
    fn a_document_gets_the_answer_of_its_text() {
        let corpus = corpus(&["grain", "metal"], &TEXTS);
        let model = Classifier::train(&corpus, &options()).unwrap();
        // Start mark, a word left out, the second most frequent word.
        let ids = [1, 2, 5];
        assert_eq!(corpus.decode(&ids), "? ? wheat");
        // A word that the vocabulary does not have counts as one left out.
        assert_eq!(model.predict_document(&ids).unwrap(), model.predict("barley wheat"));
        let err = model.predict_document(&[20]).unwrap_err().to_string();
        assert!(err.contains("word id 20 with 20 features"), "{err}");
    }

    #[test]
    fn only_a_corpus_of_the_same_classes_and_words_is_scored() {
        let here = corpus(&["grain", "metal"], &TEXTS);
        let model = Classifier::train(&here, &options()).unwrap();
        model.check_corpus(&here).unwrap();

        let other = corpus(&["grain", "ore"], &TEXTS);
        let err = model.check_corpus(&other).unwrap_err().to_string();
        assert!(err.contains("class 1 is `ore` there and `metal` here"), "{err}");
        let more = corpus(&["grain", "metal", "ore"], &TEXTS);
        let err = model.check_corpus(&more).unwrap_err().to_string();
        assert!(err.contains("3 classes there and 2 here"), "{err}");
        let words = corpus(&["grain", "metal"], &[("gold gold", 0)]);
        let err = model.check_corpus(&words).unwrap_err().to_string();
        assert!(err.contains("word 1 is \"gold\" there"), "{err}");
    }

    #[test]
    fn splits_hold_out_what_they_say() {
        assert_eq!(split(ValidationSplit::First(3), 10).unwrap(), (3..10, 0..3));
        assert_eq!(split(ValidationSplit::Fraction(0.2), 10).unwrap(), (0..8, 8..10));
        assert_eq!(split(ValidationSplit::None, 10).unwrap(), (0..10, 0..0));
        let err = split(ValidationSplit::First(10), 10).unwrap_err().to_string();
        assert!(err.contains("split of 10 leaves 0 of 10"), "{err}");
        assert!(split(ValidationSplit::Fraction(0.01), 1).is_err());
    }
}
