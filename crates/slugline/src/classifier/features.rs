//! From lists of features, which others have made, to a classifier.

use rayon::prelude::*;

use super::auto::{AutoOptions, AutoRecord, Candidate};
use super::documents::{Division, divide, log_loss, single_labels};
use super::train::{Fitting, class_counts};
use super::{
    ClassWeight, Classifier, ClassifierError, CorpusRecord, TrainingOptions, ValidationSplit,
};
use crate::corpus::Documents;
use crate::corpus::split::{stratified_folds, stratified_split};
use crate::evaluation::Calibration;
use crate::nn::{
    Activation, BatchReport, Callback, CsrMatrix, Flow, Initializer, LearningRate, Loss, Matrix,
    NnError, Optimizer, SparseRule, StopReason,
};
use crate::text::{FeatureListVectorizer, FeatureScaling};

/// Documents that candidates are trained on and held against are no more than this.
const MOST_TO_CHOOSE_BY: usize = 60_000;

/// Of more documents than that, so many stay out of the last training to calibrate by.
const MOST_HELD_OUT: f64 = 12_000.0;

/// Samples a step.
const BATCH: usize = 32;

/// What is tried, and its name.
const TRIED: [(FeatureScaling, &str); 3] = [
    (FeatureScaling::None, "given features, as they are"),
    (FeatureScaling::MaxAbs, "given features, each at most 1"),
    (FeatureScaling::MaxAbsUnit, "given features, each at most 1, rows of length 1"),
];

/// The settings for `samples` training documents.
fn settings(scaling: FeatureScaling, samples: usize, auto: AutoOptions) -> TrainingOptions {
    const UNITS: usize = 64;
    const RATE: f64 = 3e-3;
    let steps = samples.div_ceil(BATCH).max(1);
    // A few thousand steps teach a network what there is; many documents need fewer passes.
    let epochs = (3_000 / steps).clamp(8, 100);
    TrainingOptions {
        feature_scaling: scaling,
        hidden: vec![UNITS],
        activation: Activation::Relu,
        kernel_initializer: Initializer::RandomUniform { limit: 0.1 * (6.0 / UNITS as f32).sqrt() },
        dropout: 0.2,
        optimizer: Optimizer::Adam {
            learning_rate: LearningRate::PolynomialDecay {
                initial_learning_rate: RATE,
                decay_steps: (steps * epochs) as u64,
                end_learning_rate: RATE / 100.0,
                power: 1.0,
            },
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-7,
            sparse_rule: SparseRule::Lazy,
        },
        loss: Loss::CategoricalCrossentropy { label_smoothing: 0.05 },
        batch_size: BATCH,
        epochs,
        validation: ValidationSplit::None,
        patience: None,
        class_weight: ClassWeight::SquareRoot,
        seed: auto.seed,
        threads: auto.threads,
        ..TrainingOptions::default()
    }
}

/// Documents with what every training of them needs.
struct Prepared<'a> {
    documents: &'a Documents,
    labels: &'a [u32],
    name: &'a str,
    fingerprint: String,
}

/// What a network is trained on and held against.
struct Rows {
    vectorizer: FeatureListVectorizer,
    x: CsrMatrix,
    y: Vec<u32>,
    x_held_out: CsrMatrix,
    y_held_out: Vec<u32>,
}

impl<'a> Prepared<'a> {
    fn new(documents: &'a Documents, name: &'a str) -> Result<Self, ClassifierError> {
        let labels = single_labels(documents)?;
        Ok(Self { documents, labels, name, fingerprint: documents.fingerprint() })
    }

    /// Learns the features of the documents that are trained on, and gives the rows of all that the
    /// division names.
    fn rows(&self, division: &Division, scaling: FeatureScaling) -> Result<Rows, ClassifierError> {
        let of = |rows: &[usize]| rows.iter().map(|&i| self.labels[i]).collect();
        let Division { train, held_out } = division;
        let text = |i: &usize| self.documents.text(*i);
        let vectorizer = FeatureListVectorizer::fit(train.iter().map(text), scaling);
        if vectorizer.width() == 0 {
            return Err(ClassifierError::NoFeatures);
        }
        Ok(Rows {
            x: vectorizer.transform(train.iter().map(text))?,
            y: of(train),
            x_held_out: vectorizer.transform(held_out.iter().map(text))?,
            y_held_out: of(held_out),
            vectorizer,
        })
    }

    /// Trains by the settings. With documents held out, these calibrate the classifier, and their
    /// probabilities, not calibrated, come too.
    fn train(
        &self,
        division: &Division,
        options: &TrainingOptions,
        callbacks: &mut [&mut dyn Callback],
    ) -> Result<(Classifier, Matrix, Vec<u32>), ClassifierError> {
        let classes = self.documents.class_names().len();
        let rows = self.rows(division, options.feature_scaling)?;
        let Rows { vectorizer, x, y, x_held_out, y_held_out } = rows;
        let weights = self.documents.weights();
        let weights = weights.map(|all| division.train.iter().map(|&i| all[i]).collect::<Vec<_>>());
        let fitting = Fitting {
            options,
            classes,
            x: &x,
            y: &y,
            held_out: (!y_held_out.is_empty()).then_some((&x_held_out, &y_held_out[..])),
            weights: weights.as_deref(),
        };
        let fitted = fitting.run(callbacks)?;
        let corpus = CorpusRecord {
            name: self.name.to_owned(),
            description: format!("{} documents of {classes} classes", self.documents.len()),
            fingerprint: self.fingerprint.clone(),
            train_samples: y.len(),
            validation_samples: y_held_out.len(),
        };
        let counts = class_counts(self.labels, classes);
        let names = self.documents.class_names().to_vec();
        let mut classifier =
            fitted.classifier(vectorizer.into(), names, corpus, options, counts)?;
        let probabilities = match y_held_out.is_empty() {
            true => Matrix::zeros(0, classes),
            false => classifier.network.predict(&x_held_out)?,
        };
        classifier.calibration = Calibration::fit_mixture(&probabilities, &y_held_out);
        Ok((classifier, probabilities, y_held_out))
    }
}

/// Trains by the settings given.
pub(super) fn train(
    documents: &Documents,
    name: &str,
    options: &TrainingOptions,
    callbacks: &mut [&mut dyn Callback],
) -> Result<Classifier, ClassifierError> {
    let prepared = Prepared::new(documents, name)?;
    let division = divide(prepared.labels, options.validation, options.seed)?;
    Ok(prepared.train(&division, options, callbacks)?.0)
}

/// Stops a candidate when asked to.
struct Watch<'a>(&'a (dyn Fn() -> Flow + Sync));

impl Callback for Watch<'_> {
    fn on_batch_end(&mut self, _: &BatchReport) -> Flow {
        (self.0)()
    }
}

/// Tries what may be made of the values on held-out documents, takes the best, calibrates it by them,
/// and trains once more on all; of very many documents as for texts.
pub(super) fn train_auto(
    documents: &Documents,
    name: &str,
    auto: AutoOptions,
    go_on: &(dyn Fn() -> Flow + Sync),
    callbacks: &mut [&mut dyn Callback],
) -> Result<Classifier, ClassifierError> {
    let prepared = Prepared::new(documents, name)?;
    let (n, labels) = (documents.len(), prepared.labels);
    let large = n > MOST_TO_CHOOSE_BY;
    let sample: Vec<usize> = match large {
        true => stratified_split(labels, MOST_TO_CHOOSE_BY as f64 / n as f64, auto.seed).1,
        false => (0..n).collect(),
    };
    let sample_labels: Vec<u32> = sample.iter().map(|&i| labels[i]).collect();
    let count = (1.0 / auto.validation).round().max(2.0) as u32;
    let folds = stratified_folds(&sample_labels, count, auto.seed);
    let division = Division::by_fold(&sample, &folds, 0);

    let attempt = |&(scaling, features): &(FeatureScaling, &str)| {
        // Each candidate on one thread: they need not wait for each other.
        let one = AutoOptions { threads: 1, ..auto };
        let options = settings(scaling, division.train.len(), one);
        let mut watch = Watch(go_on);
        let trained = prepared.train(&division, &options, &mut [&mut watch]);
        match trained {
            Ok((classifier, ..))
                if classifier.record.history.stop_reason == StopReason::Interrupted =>
            {
                Err(ClassifierError::Interrupted)
            }
            Ok((classifier, probabilities, y)) => {
                Ok(Some(score(&classifier, probabilities, &y, features, options.epochs)))
            }
            // Large values as they are can throw weights out of range; others need not.
            Err(
                ClassifierError::Diverged { .. }
                | ClassifierError::Network(NnError::Diverged { .. }),
            ) => Ok(None),
            Err(error) => Err(error),
        }
    };
    let results: Vec<Option<(Candidate, Calibration)>> =
        TRIED.par_iter().map(attempt).collect::<Result<_, ClassifierError>>()?;
    let results: Vec<(FeatureScaling, Candidate, Calibration)> = results
        .into_iter()
        .zip(TRIED)
        .filter_map(|(result, (scaling, _))| {
            result.map(|(c, calibration)| (scaling, c, calibration))
        })
        .collect();
    // The first of equals.
    let best = results.iter().enumerate().rev().max_by(|(_, (_, a, _)), (_, (_, b, _))| {
        a.accuracy.total_cmp(&b.accuracy).then(b.log_loss.total_cmp(&a.log_loss))
    });
    let (chosen, scaling, calibration) = match best {
        Some((chosen, (scaling, _, calibration))) => (chosen, *scaling, calibration.clone()),
        None => (0, FeatureScaling::MaxAbsUnit, Calibration::None),
    };
    let last = match large {
        true => divide(labels, ValidationSplit::Fraction(MOST_HELD_OUT / n as f64), auto.seed)?,
        false => Division { train: (0..n).collect(), held_out: Vec::new() },
    };
    let options = settings(scaling, last.train.len(), auto);
    let (mut classifier, ..) = prepared.train(&last, &options, callbacks)?;
    if !large {
        classifier.calibration = calibration;
    }
    let pairs: usize = documents.texts().map(|text| text.split(' ').count()).sum();
    classifier.record.auto = Some(AutoRecord {
        train_samples: division.train.len(),
        held_out_samples: division.held_out.len(),
        mean_tokens: pairs as f64 / n as f64,
        candidates: results.into_iter().map(|(_, candidate, _)| candidate).collect(),
        chosen,
    });
    Ok(classifier)
}

/// How good a candidate is on the held-out documents, and what calibrates it.
fn score(
    classifier: &Classifier,
    mut probabilities: Matrix,
    y: &[u32],
    features: &str,
    epochs: usize,
) -> (Candidate, Calibration) {
    let calibration = classifier.calibration.clone();
    calibration.apply_rows(&mut probabilities);
    let right = probabilities.argmax_rows().iter().zip(y).filter(|(a, b)| a == b).count();
    let candidate = Candidate {
        features: features.to_owned(),
        epochs,
        accuracy: right as f64 / y.len().max(1) as f64,
        log_loss: log_loss(&probabilities, y),
    };
    (candidate, calibration)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Content;

    /// Two classes that a curve parts: whether two numbers, of very unlike sizes, have the same sign.
    fn lists(n: usize) -> Documents {
        let mut documents = Documents::new(vec!["other".into(), "same".into()]);
        for i in 0..n {
            let a = (i * 7 % 11) as f64 - 5.0 + 0.25;
            let b = ((i * 5 % 13) as f64 - 6.0 + 0.25) * 1000.0;
            documents.push(&format!("3:{a} 4000000000:{b}"), u32::from((a > 0.0) == (b > 0.0)));
        }
        documents.with_content(Content::Features)
    }

    #[test]
    fn given_features_are_learned_without_settings() {
        let documents = lists(400);
        let go_on = || Flow::Continue;
        let auto = AutoOptions::default();
        let train =
            |auto| Classifier::train_auto(&documents, "xor", auto, &go_on, &mut []).unwrap();
        let classifier = train(auto);
        let record = classifier.record().auto.as_ref().unwrap();
        assert!(record.candidates.len() >= 2 && record.chosen < record.candidates.len());
        assert!(classifier.evaluate_documents(&documents, "xor").unwrap().accuracy > 0.95);
        let answer = classifier.predict("3:2 4000000000:3000 7:1");
        assert_eq!((answer.label.as_str(), answer.words, answer.unknown_words), ("same", 3, 1));

        let again = train(AutoOptions { threads: 1, ..auto });
        assert!(again.network().same_weights(classifier.network()));
        let bytes = classifier.to_bytes().unwrap();
        let loaded = Classifier::from_bytes(bytes.clone()).unwrap();
        assert_eq!(loaded.predict("3:2 4000000000:3000 7:1"), answer);
        assert_eq!(loaded.vectorizer(), classifier.vectorizer());
        assert_eq!(loaded.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn settings_train_on_given_features_too() {
        let documents = lists(60);
        let options = TrainingOptions {
            hidden: vec![8],
            epochs: 2,
            feature_scaling: FeatureScaling::MaxAbs,
            validation: ValidationSplit::Fraction(0.2),
            ..Default::default()
        };
        let classifier = Classifier::train_documents(&documents, "xor", &options, &mut []).unwrap();
        assert_eq!(classifier.record().options, options);
        assert_eq!(classifier.vectorizer().width(), 2);

        let text = documents.clone().with_content(Content::Text);
        let error = classifier.evaluate_documents(&text, "words").unwrap_err().to_string();
        assert!(error.contains("reads lists of features"), "{error}");
        let mut none = Documents::new(vec!["a".into(), "b".into()]);
        for class in [0, 0, 1, 1] {
            none.push("1:0", class);
        }
        let none = none.with_content(Content::Features);
        let error = Classifier::train_documents(&none, "none", &options, &mut []).unwrap_err();
        assert!(matches!(error, ClassifierError::NoFeatures));
    }
}
