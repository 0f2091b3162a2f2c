//! Labels that are known to be wrong are found: the built-in corpus says which it has.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::collections::HashSet;

use slugline::check::label_errors;
use slugline::classifier::{AutoOptions, Classifier, FoldOptions};
use slugline::corpus::Documents;
use slugline::corpus::sample::{self, Origin};
use slugline::nn::Flow;

/// One in twenty documents carries the label of another one; one in ten is written in the words of
/// two topics, and may be doubted with good reason.
#[test]
fn wrong_labels_of_the_sample_are_found() {
    let mut documents = Documents::new(sample::class_names());
    let mut wrong = HashSet::new();
    let all = sample::documents(sample::DEFAULT_SEED);
    for (i, document) in all.iter().take(4000).enumerate() {
        documents.push(&document.text, document.label);
        if let Origin::Mislabelled { written_as } = document.origin {
            wrong.insert((i as u64 + 1, sample::class_names()[written_as as usize].clone()));
        }
    }
    let found = Classifier::cross_validate(
        &documents,
        "sample",
        FoldOptions { folds: 4, seed: 0 },
        &mut |_, train| {
            let auto = AutoOptions::default();
            Classifier::train_auto(train, "sample", auto, &|| Flow::Continue, &mut [])
        },
        &mut |_, _| {},
    )
    .unwrap();
    let errors = label_errors(&documents, &found.text_probabilities).unwrap();
    assert!(errors.iter().is_sorted_by(|a, b| a.margin <= b.margin));
    let hits = |list: &[slugline::check::LabelError]| {
        let known =
            list.iter().filter(|e| wrong.contains(&(e.document.row, e.suggested.label.clone())));
        known.count() as f64
    };
    let (precision, recall) =
        (hits(&errors) / errors.len() as f64, hits(&errors) / wrong.len() as f64);
    let first = hits(&errors[..100]) / 100.0;
    let line = format!(
        "{} wrong labels, {} doubted: precision {precision:.3}, recall {recall:.3}, precision of \
         the first hundred {first:.3}",
        wrong.len(),
        errors.len()
    );
    // At random it would be one in twenty.
    assert!(precision > 0.6 && recall > 0.7 && first > 0.85, "{line}");
}
