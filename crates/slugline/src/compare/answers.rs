//! What a classifier says of each document, and how it stands to the truth.

use crate::classifier::{Classifier, ClassifierError};
use crate::corpus::{Documents, LabelKind};
use crate::decision::Answer;
use crate::nn::{Matrix, argmax};

/// What a classifier makes of documents, with its classes in the order of the documents'.
pub(super) struct Outputs {
    pub(super) probabilities: Matrix,
    pub(super) answers: Vec<Answer>,
    pub(super) thresholds: Vec<f32>,
    pub(super) training_counts: Vec<u64>,
}

impl Outputs {
    /// `places` holds, for each class of the documents, its number in the classifier.
    pub(super) fn new(
        classifier: &Classifier,
        documents: &Documents,
        places: &[usize],
    ) -> Result<Self, ClassifierError> {
        let (mut probabilities, mut answers) = classifier.answers(documents)?;
        let thresholds = &classifier.decisions().thresholds;
        let counts = &classifier.record().class_counts;
        let outputs = |probabilities, answers| Self {
            probabilities,
            answers,
            thresholds: places.iter().filter_map(|&at| thresholds.get(at).copied()).collect(),
            training_counts: places.iter().map(|&at| counts[at]).collect(),
        };
        if places.iter().copied().eq(0..places.len()) {
            return Ok(outputs(probabilities, answers));
        }
        let mut before = vec![0.0; places.len()];
        for row in probabilities.data_mut().chunks_exact_mut(places.len()) {
            before.copy_from_slice(row);
            row.iter_mut().zip(places).for_each(|(p, &at)| *p = before[at]);
        }
        let mut numbers = vec![0; places.len()];
        (0..).zip(places).for_each(|(number, &at)| numbers[at] = number);
        for answer in &mut answers {
            let classes = match answer {
                Answer::Class(class) => std::slice::from_mut(class),
                Answer::Labels(classes) => classes,
                Answer::Unknown(_) => &mut [],
            };
            for class in classes {
                *class = numbers[*class as usize];
            }
        }
        Ok(outputs(probabilities, answers))
    }

    /// What is said of document `i`, which truly has the classes `truth`.
    pub(super) fn said(&self, i: usize, kind: LabelKind, truth: &[u32]) -> Said {
        let row = self.probabilities.row(i);
        let classes = match (kind, &self.answers[i]) {
            (LabelKind::Multi, Answer::Labels(classes)) => {
                let mut classes = classes.clone();
                classes.sort_unstable();
                classes
            }
            (LabelKind::Multi, _) => Vec::new(),
            // As it is scored: whatever the thresholds.
            (LabelKind::Single | LabelKind::Soft, _) => vec![argmax(row)],
        };
        Said {
            right: classes == truth,
            probability: probability(row, kind, &classes),
            of_truth: probability(row, kind, truth),
            classes,
        }
    }
}

/// What a classifier says of a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Said {
    /// Its answer: one class, or a rising list of labels.
    pub(super) classes: Vec<u32>,
    pub(super) right: bool,
    /// How probable it takes its answer to be.
    pub(super) probability: f64,
    /// And the truth.
    pub(super) of_truth: f64,
}

/// The probability of a class, or of exactly these labels, each by itself.
fn probability(row: &[f32], kind: LabelKind, classes: &[u32]) -> f64 {
    match kind {
        LabelKind::Single | LabelKind::Soft => {
            classes.iter().map(|&class| f64::from(row[class as usize])).sum()
        }
        LabelKind::Multi => {
            let of_class = |(class, &p): (u32, &f32)| match classes.binary_search(&class) {
                Ok(_) => f64::from(p),
                Err(_) => 1.0 - f64::from(p),
            };
            (0..).zip(row).map(of_class).product()
        }
    }
}
