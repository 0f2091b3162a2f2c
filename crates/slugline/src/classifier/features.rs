//! From lists of features, which others have made, to a classifier.

use rayon::prelude::*;

use super::auto::{Attempt, AutoOptions, Run, Watch, best, to_finish_by};
use super::documents::{Division, Rows, Whole, identity};
use super::labels::loss_for;
use super::{ClassWeight, Classifier, ClassifierError, TrainingOptions, ValidationSplit};
use crate::corpus::{Documents, LabelKind};
use crate::nn::{
    Activation, Callback, Initializer, LearningRate, Loss, NnError, Optimizer, SparseRule,
    StopReason,
};
use crate::text::{FeatureListVectorizer, FeatureScaling};

/// Samples a step.
const BATCH: usize = 32;

/// What is tried, and its name.
const TRIED: [(FeatureScaling, &str); 3] = [
    (FeatureScaling::None, "given features, as they are"),
    (FeatureScaling::MaxAbs, "given features, each at most 1"),
    (FeatureScaling::MaxAbsUnit, "given features, each at most 1, rows of length 1"),
];

/// The settings for `samples` training documents with labels of a kind.
fn settings(
    scaling: FeatureScaling,
    samples: usize,
    auto: AutoOptions,
    kind: LabelKind,
) -> TrainingOptions {
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
        loss: loss_for(Loss::CategoricalCrossentropy { label_smoothing: 0.05 }, kind),
        batch_size: BATCH,
        epochs,
        validation: ValidationSplit::None,
        patience: None,
        class_weight: ClassWeight::SquareRoot,
        decision: auto.decision,
        average: auto.average.min(epochs),
        ensemble: auto.ensemble,
        seed: auto.seed,
        threads: auto.threads,
        ..TrainingOptions::default()
    }
}

/// Learns the features of the documents that are trained on, and gives the rows of all that the division
/// names.
pub(super) fn rows(
    documents: &Documents,
    division: &Division,
    scaling: FeatureScaling,
) -> Result<Rows, ClassifierError> {
    let Division { train, held_out } = division;
    let text = |&i: &usize| documents.text(i);
    let vectorizer = FeatureListVectorizer::fit(train.iter().map(text), scaling);
    if vectorizer.width() == 0 {
        return Err(ClassifierError::NoFeatures);
    }
    let (labels, weights) = (documents.labels(), documents.weights());
    Ok(Rows {
        x: vectorizer.transform(train.iter().map(text))?,
        y: labels.select(train),
        x_held_out: vectorizer.transform(held_out.iter().map(text))?,
        y_held_out: labels.select(held_out),
        weights: weights.map(|weights| train.iter().map(|&i| weights[i]).collect()),
        vectorizer: vectorizer.into(),
    })
}

/// Tries what may be made of the values on held-out documents, takes the best, calibrates it by them,
/// and trains once more on all.
pub(super) fn choose(
    run: &Run<'_>,
    callbacks: &mut [&mut dyn Callback],
) -> Result<Classifier, ClassifierError> {
    let &Run { documents, ref division, name, auto, .. } = run;
    let (kind, fingerprint) = (documents.label_kind(), documents.fingerprint());
    let parts = run.checkpoints.begin(identity(name, &fingerprint, auto))?;
    let whole = Whole { documents, fingerprint: &fingerprint, name };
    let attempt = |(number, &(scaling, features)): (usize, &(FeatureScaling, &str))| {
        let part = parts.part(&format!("candidate-{}", number + 1));
        if let Some(known) = part.result::<Option<(FeatureScaling, Attempt)>>()? {
            return Ok(known);
        }
        let options = settings(scaling, division.train.len(), run.of_candidate(), kind);
        let rows = rows(documents, division, scaling)?;
        let result = match rows.train(&part, whole, &options, &mut [&mut Watch(run.go_on)]) {
            Ok((classifier, _))
                if classifier.record.history.stop_reason == StopReason::Interrupted =>
            {
                return Err(ClassifierError::Interrupted);
            }
            Ok(fitted) => {
                let attempt = Attempt::new(fitted, features, options.epochs, &rows.y_held_out);
                Some((scaling, attempt))
            }
            // Large values as they are can throw weights out of range; others need not.
            Err(
                ClassifierError::Diverged { .. }
                | ClassifierError::Network(NnError::Diverged { .. }),
            ) => None,
            Err(error) => return Err(error),
        };
        part.store_result(&result);
        Ok(result)
    };
    let results: Vec<Option<(FeatureScaling, Attempt)>> =
        TRIED.par_iter().enumerate().map(attempt).collect::<Result<_, ClassifierError>>()?;
    let (scalings, attempts): (Vec<FeatureScaling>, Vec<Attempt>) =
        results.into_iter().flatten().unzip();
    let chosen = best(&attempts, division.held_out.len(), kind);
    // Where none was good for anything, the tamest has the last word.
    let scaling = scalings.get(chosen).copied().unwrap_or(FeatureScaling::MaxAbsUnit);

    let last = to_finish_by(documents.labels(), auto)?;
    let options = settings(scaling, last.train.len(), auto, kind);
    let rows = rows(documents, &last, scaling)?;
    let (classifier, _) = rows.train(&parts.part("final"), whole, &options, callbacks)?;
    let pairs: usize = documents.texts().map(|text| text.split_ascii_whitespace().count()).sum();
    let mean_pairs = pairs as f64 / documents.len() as f64;
    Ok(run.finish(classifier, !last.held_out.is_empty(), attempts, chosen, mean_pairs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Content;
    use crate::nn::Flow;

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
