//! From a corpus to a classifier.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{
    ClassWeight, Classifier, ClassifierError, CorpusRecord, TrainingOptions, TrainingRecord,
    ValidationSplit,
};
use crate::corpus::Corpus;
use crate::nn::{
    Callback, CsrMatrix, EarlyStopping, FitOptions, Loss, Metric, NnError, Sequential, Targets,
    Validation, to_categorical,
};
use crate::text::{Vectorizer, multi_hot};

/// What every classifier reports beside its loss.
pub(super) const METRICS: [Metric; 1] = [Metric::Accuracy];

/// Labels in the form that a loss takes.
pub(super) fn targets(loss: Loss, labels: &[u32], classes: usize) -> Result<Targets, NnError> {
    Ok(match loss {
        Loss::SparseCategoricalCrossentropy => Targets::Classes(labels.to_vec()),
        _ => Targets::Rows(to_categorical(labels, classes)?),
    })
}

impl Classifier {
    /// Trains a classifier on the training part of `corpus`.
    ///
    /// The corpus must have been loaded with `num_words` of at most `options.max_features`.
    ///
    /// # Errors
    /// [`ClassifierError::Validation`] if the split leaves nothing to train or validate on;
    /// [`ClassifierError::Network`] for a setting out of range, data that do not fit, or a run that
    /// diverged; [`ClassifierError::Vocabulary`] for a corpus whose words do not make a vocabulary.
    pub fn train(corpus: &Corpus, options: &TrainingOptions) -> Result<Self, ClassifierError> {
        Self::train_with(corpus, options, &mut [])
    }

    /// [`train`](Self::train) with callbacks that watch and may stop it. If one of them stops the
    /// run, the classifier is what was reached.
    ///
    /// # Errors
    /// As [`train`](Self::train).
    pub fn train_with(
        corpus: &Corpus,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<Self, ClassifierError> {
        let classes = corpus.class_names.len();
        let vectorizer = Vectorizer::from_corpus(corpus, options.max_features)?;
        let x = multi_hot(&corpus.train, options.max_features)?;
        let (train, held_out) = split(options.validation, x.rows())?;
        let part = |range: &Range<usize>| -> Result<(CsrMatrix, Targets), NnError> {
            let labels = &corpus.train.labels()[range.clone()];
            Ok((x.slice_rows(range.clone())?, targets(options.loss, labels, classes)?))
        };
        let (x_train, y_train) = part(&train)?;
        let (x_val, y_val) = part(&held_out)?;

        let mut network =
            Sequential::new(options.max_features, options.layers(classes), options.seed)?;
        network.compile(options.optimizer.clone(), options.loss, &METRICS)?;
        let fit = FitOptions {
            epochs: options.epochs,
            batch_size: options.batch_size,
            validation: match held_out.is_empty() {
                true => Validation::None,
                false => Validation::Data(&x_val, &y_val),
            },
            class_weight: class_weight(options.class_weight, &y_train, classes),
            threads: options.threads,
            ..FitOptions::default()
        };
        let monitor = if held_out.is_empty() { "loss" } else { "val_loss" };
        let mut stopping = options
            .patience
            .map(|patience| EarlyStopping::new(monitor, patience).restore_best_weights(true));
        let mut all: Vec<&mut dyn Callback> =
            callbacks.iter_mut().map(|c| &mut **c as &mut dyn Callback).collect();
        all.extend(stopping.as_mut().map(|s| s as &mut dyn Callback));
        let history = network.fit_with(&x_train, &y_train, &fit, &mut all)?;

        let best_epoch = history.best_epoch("val_loss").unwrap_or(history.epochs.len());
        let record = TrainingRecord {
            slugline_version: env!("CARGO_PKG_VERSION").to_owned(),
            command: None,
            corpus: CorpusRecord {
                name: corpus.name.clone(),
                description: corpus.description.clone(),
                fingerprint: corpus.fingerprint(),
                train_samples: train.len(),
                validation_samples: held_out.len(),
            },
            options: options.clone(),
            history,
            best_epoch,
            class_counts: class_counts(corpus.train.labels(), classes),
        };
        Ok(Self { vectorizer, network, class_names: corpus.class_names.clone(), record })
    }

    /// Notes the command that would train this model again.
    #[must_use]
    pub fn with_command(mut self, command: impl Into<String>) -> Self {
        self.record.command = Some(command.into());
        self
    }
}

/// The samples to train on and those held out.
fn split(
    validation: ValidationSplit,
    samples: usize,
) -> Result<(Range<usize>, Range<usize>), ClassifierError> {
    let (train, held_out) = match validation {
        ValidationSplit::None => (0..samples, 0..0),
        ValidationSplit::First(n) => (n.min(samples)..samples, 0..n.min(samples)),
        ValidationSplit::Fraction(share) => {
            let kept = (samples as f64 * (1.0 - share)) as usize;
            (0..kept, kept..samples)
        }
    };
    if train.is_empty() || (held_out.is_empty() && validation != ValidationSplit::None) {
        return Err(ClassifierError::Validation {
            split: validation.to_string(),
            train: train.len(),
            samples,
        });
    }
    Ok((train, held_out))
}

/// Samples of each class.
fn class_counts(labels: &[u32], classes: usize) -> Vec<u64> {
    let mut counts = vec![0; classes];
    for &label in labels {
        if let Some(count) = counts.get_mut(label as usize) {
            *count += 1;
        }
    }
    counts
}

/// The factor of each class's loss.
fn class_weight(choice: ClassWeight, y: &Targets, classes: usize) -> BTreeMap<u32, f32> {
    match choice {
        ClassWeight::None => BTreeMap::new(),
        ClassWeight::Balanced => class_counts(&y.classes(), classes)
            .into_iter()
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .map(|(c, count)| (c as u32, (y.len() as f64 / (classes as f64 * count as f64)) as f32))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_hold_out_what_they_say() {
        assert_eq!(split(ValidationSplit::First(3), 10).unwrap(), (3..10, 0..3));
        assert_eq!(split(ValidationSplit::Fraction(0.2), 10).unwrap(), (0..8, 8..10));
        assert_eq!(split(ValidationSplit::None, 10).unwrap(), (0..10, 0..0));
        let err = split(ValidationSplit::First(10), 10).unwrap_err().to_string();
        assert!(err.contains("split of 10 leaves 0 of 10"), "{err}");
        assert!(split(ValidationSplit::Fraction(0.01), 1).is_err());
    }

    #[test]
    fn balanced_weights_are_scikit_learns() {
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1])
        let weights = class_weight(ClassWeight::Balanced, &vec![0, 0, 0, 1].into(), 3);
        assert_eq!(weights, BTreeMap::from([(0, 4.0 / 9.0), (1, 4.0 / 3.0)]));
    }
}
