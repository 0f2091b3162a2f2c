//! Stratified cross-validation: every document is answered by a classifier that has not seen it.

use serde::{Deserialize, Serialize};

use super::{Classifier, ClassifierError};
use crate::corpus::Documents;
use crate::nn::{Matrix, StopReason};

/// How documents are divided for a cross-validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoldOptions {
    /// Number of folds, from 2 to the number of documents. Default 5.
    pub folds: u32,
    /// Settles which document lies in which fold. Default 0.
    pub seed: u64,
}

impl Default for FoldOptions {
    fn default() -> Self {
        Self { folds: 5, seed: 0 }
    }
}

/// The scores of one fold, by a classifier that was trained on the others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FoldScores {
    /// Documents of the other folds.
    pub train_samples: usize,
    /// Documents of the fold.
    pub samples: usize,
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean of the classes' F1.
    pub macro_f1: f64,
    /// Log loss of the probabilities.
    pub log_loss: f64,
    /// Expected calibration error of the probabilities.
    pub ece: f64,
}

/// A mean and how far values lie from it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// The mean; 0 of no values.
    pub mean: f64,
    /// The standard deviation, `√(Σ (x − mean)² / (n − 1))`; 0 of fewer than two values.
    pub std: f64,
}

impl Spread {
    /// That of some values.
    ///
    /// ```
    /// use slugline::classifier::Spread;
    ///
    /// assert_eq!(Spread::of(&[1.0, 2.0, 3.0]), Spread { mean: 2.0, std: 1.0 });
    /// ```
    pub fn of(values: &[f64]) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self { mean, std: (squares / (n - 1.0).max(1.0)).sqrt() }
    }
}

/// Scores of all folds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FoldsRecord {
    /// One entry a fold, in their order.
    pub folds: Vec<FoldScores>,
}

impl FoldsRecord {
    /// Mean and standard deviation of a score: every fold counts the same, whatever its size.
    ///
    /// ```
    /// use slugline::classifier::{FoldScores, FoldsRecord};
    ///
    /// let fold = |accuracy| FoldScores { train_samples: 8, samples: 2, accuracy, macro_f1: 0.5, log_loss: 1.0, ece: 0.1 };
    /// let record = FoldsRecord { folds: [0.5, 0.75, 1.0].map(fold).to_vec() };
    /// let accuracy = record.spread(|fold| fold.accuracy);
    /// assert_eq!((accuracy.mean, accuracy.std), (0.75, 0.25));
    /// ```
    pub fn spread(&self, score: impl Fn(&FoldScores) -> f64) -> Spread {
        Spread::of(&self.folds.iter().map(score).collect::<Vec<_>>())
    }
}

/// What a cross-validation found.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossValidation {
    /// The scores of each fold.
    pub record: FoldsRecord,
    /// The fold that each document lies in, counted from 0.
    pub fold_of: Vec<u32>,
    /// One row a document, one column a class: the probabilities by the classifier that was trained
    /// on the other folds.
    pub probabilities: Matrix,
    /// The same by the text alone, as
    /// [`Calibration::by_text_alone`](crate::evaluation::Calibration::by_text_alone) has it: what
    /// [`label_errors`](crate::check::label_errors) takes.
    pub text_probabilities: Matrix,
}

impl Classifier {
    /// Scores a way to train on documents that it was not shown: they are divided into folds, those of
    /// every class evenly, and each fold is answered by a classifier that was trained on the others.
    ///
    /// `train` makes the classifier of a fold, whose number is counted from 0. Whatever it learns or
    /// chooses it learns from the documents that it is given, so that a recipe that chooses (as
    /// [`train_auto`](Self::train_auto)) has to do so in every fold for honest scores. `on_fold` hears
    /// of every fold that is done. [`Labels::folds`](crate::corpus::Labels::folds) divides.
    ///
    /// ```
    /// use slugline::classifier::{AutoOptions, Classifier, FoldOptions};
    /// use slugline::corpus::Documents;
    /// use slugline::nn::Flow;
    ///
    /// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    /// for i in 0..20 {
    ///     documents.push(&format!("wheat and corn fell {i}"), 0);
    ///     documents.push(&format!("gold and silver rose {i}"), 1);
    /// }
    /// let folds = Classifier::cross_validate(
    ///     &documents,
    ///     "news",
    ///     FoldOptions { folds: 4, seed: 0 },
    ///     &mut |_, train| {
    ///         Classifier::train_auto(train, "news", AutoOptions::default(), &|| Flow::Continue, &mut [])
    ///     },
    ///     &mut |fold, scores| println!("fold {}: {:.3}", fold + 1, scores.accuracy),
    /// )?;
    /// assert_eq!(folds.record.spread(|fold| fold.accuracy).mean, 1.0);
    /// assert_eq!((folds.probabilities.rows(), folds.probabilities.cols()), (40, 2));
    /// # Ok::<(), slugline::classifier::ClassifierError>(())
    /// ```
    ///
    /// # Errors
    /// [`ClassifierError::Folds`] for fewer than two folds or more than documents;
    /// [`ClassifierError::Interrupted`] if a training was stopped; else those of `train` and of
    /// [`evaluate_documents`](Self::evaluate_documents).
    pub fn cross_validate(
        documents: &Documents,
        name: &str,
        options: FoldOptions,
        train: &mut dyn FnMut(u32, &Documents) -> Result<Self, ClassifierError>,
        on_fold: &mut dyn FnMut(u32, &FoldScores),
    ) -> Result<CrossValidation, ClassifierError> {
        let (n, classes) = (documents.len(), documents.class_names().len());
        if options.folds < 2 || options.folds as usize > n {
            return Err(ClassifierError::Folds { folds: options.folds, documents: n });
        }
        let fold_of = documents.labels().folds(options.folds, options.seed);
        let mut probabilities = Matrix::zeros(n, classes);
        let mut text_probabilities = Matrix::zeros(n, classes);
        let mut folds = Vec::new();
        for fold in 0..options.folds {
            let (held_out, others): (Vec<usize>, Vec<usize>) =
                (0..n).partition(|&i| fold_of[i] == fold);
            let classifier = train(fold, &documents.select(&others))?;
            if classifier.record().history.stop_reason == StopReason::Interrupted {
                return Err(ClassifierError::Interrupted);
            }
            let held_out_documents = documents.select(&held_out);
            let scores = classifier.evaluate_documents(&held_out_documents, name)?;
            let texts: Vec<&str> = held_out_documents.texts().collect();
            let answer = |classifier: &Self, rows: &mut Matrix| {
                for (&i, answer) in held_out.iter().zip(classifier.predict_batch(&texts)) {
                    let row = i * classes;
                    rows.data_mut()[row..row + classes].copy_from_slice(&answer.probabilities);
                }
            };
            answer(&classifier, &mut probabilities);
            let by_text = classifier.calibration().by_text_alone();
            answer(&classifier.with_calibration(by_text), &mut text_probabilities);
            let scores = FoldScores {
                train_samples: others.len(),
                samples: held_out.len(),
                accuracy: scores.accuracy,
                macro_f1: scores.macro_f1,
                log_loss: scores.loss,
                ece: scores.reliability.ece,
            };
            on_fold(fold, &scores);
            folds.push(scores);
        }
        Ok(CrossValidation {
            record: FoldsRecord { folds },
            fold_of,
            probabilities,
            text_probabilities,
        })
    }

    /// Notes the scores of a cross-validation with the same settings in the record.
    #[must_use]
    pub fn with_cross_validation(mut self, folds: FoldsRecord) -> Self {
        self.record.cross_validation = Some(folds);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classifier::{TrainingOptions, ValidationSplit};
    use crate::nn::{BatchReport, Callback, Flow};

    fn documents() -> Documents {
        let mut documents = Documents::new(vec!["grain".into(), "metal".into(), "rare".into()]);
        for i in 0..30 {
            documents.push(&format!("wheat and corn fell {i}"), 0);
            documents.push(&format!("gold and silver rose {i}"), 1);
        }
        documents.push("tin", 2);
        documents
    }

    fn options() -> TrainingOptions {
        TrainingOptions {
            max_features: 50,
            hidden: vec![8],
            epochs: 10,
            batch_size: 4,
            validation: ValidationSplit::None,
            ..TrainingOptions::default()
        }
    }

    fn run(folds: u32, callback: &mut dyn Callback) -> Result<CrossValidation, ClassifierError> {
        Classifier::cross_validate(
            &documents(),
            "news",
            FoldOptions { folds, seed: 3 },
            &mut |_, train| {
                Classifier::train_documents(train, "news", &options(), &mut [&mut *callback])
            },
            &mut |_, _| {},
        )
    }

    struct StopAfter(usize);

    impl Callback for StopAfter {
        fn on_batch_end(&mut self, _: &BatchReport) -> Flow {
            self.0 = self.0.saturating_sub(1);
            if self.0 == 0 { Flow::Stop } else { Flow::Continue }
        }
    }

    #[test]
    fn every_document_is_answered_by_a_classifier_that_has_not_seen_it() {
        let all = documents();
        let mut seen = Vec::new();
        let mut told = Vec::new();
        let found = Classifier::cross_validate(
            &all,
            "news",
            FoldOptions { folds: 4, seed: 3 },
            &mut |fold, train| {
                seen.push((fold, train.texts().map(str::to_owned).collect::<Vec<_>>()));
                Classifier::train_documents(train, "news", &options(), &mut [])
            },
            &mut |fold, scores| told.push((fold, *scores)),
        )
        .unwrap();
        for (fold, texts) in &seen {
            for (i, text) in all.texts().enumerate() {
                let held_out = found.fold_of[i] == *fold;
                assert_eq!(texts.iter().any(|t| t == text), !held_out, "{text}");
            }
        }
        assert_eq!(told.len(), 4);
        assert_eq!(told.iter().map(|(_, s)| s.samples).sum::<usize>(), all.len());
        assert!(told.iter().all(|(_, s)| s.samples + s.train_samples == all.len()));
        let right = found.probabilities.argmax_rows();
        let hits =
            all.labels().first_classes().into_iter().zip(&right).filter(|(a, b)| *a == Some(**b));
        // All but the one of a class that no other fold has.
        assert_eq!(hits.count(), all.len() - 1);
        assert!(found.probabilities.row(60)[2] < 0.5);
        let again = run(4, &mut StopAfter(usize::MAX)).unwrap();
        assert_eq!(again, found);
    }

    #[test]
    fn impossible_folds_and_stopped_runs_are_told() {
        for folds in [0, 1, 62] {
            let error = run(folds, &mut StopAfter(usize::MAX)).unwrap_err();
            assert!(error.to_string().contains("from 2 to the number of documents, 61"), "{error}");
        }
        assert!(matches!(run(4, &mut StopAfter(50)), Err(ClassifierError::Interrupted)));
    }
}
