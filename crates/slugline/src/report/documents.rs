//! Which documents a report shows.

use std::cmp::Reverse;

use serde::Serialize;

use super::ReportOptions;
use crate::classifier::{Classifier, Prediction};
use crate::corpus::{Documents, LabelKind};
use crate::decision::Answer;
use crate::evaluation::{Evaluation, document_losses};
use crate::explain::{ExplainOptions, Explanation};
use crate::nn::{Matrix, NnError};

/// A document and what the model makes of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReportedDocument {
    /// Its number among the documents, from 0.
    pub document: usize,
    /// Where it stands, if that is known: `file:row`.
    pub place: Option<String>,
    /// Its true labels.
    pub truth: Vec<String>,
    /// The class that the model takes for the most probable one; where documents have any number of
    /// labels, the label that is farthest from the truth, which `fault` tells more of.
    pub answer: String,
    /// The probability of that class.
    pub probability: f32,
    /// Of documents with any number of labels, what is wrong about that label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The largest probability of a true label; 0 without one.
    pub truth_probability: f32,
    /// The log loss of the document.
    pub loss: f64,
    /// Its text; absent where texts are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Why the answer, and where there is one true class, why not that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<Explanation>,
}

/// What is wrong about a label of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// It is given, and the document does not have it.
    Given,
    /// It is not given, and the document has it.
    Missing,
    /// Nothing: given or not, it is so rightly.
    None,
}

/// Two classes that are taken for each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConfusedPair {
    /// The true class.
    pub truth: String,
    /// The class that is answered.
    pub answer: String,
    /// How many documents of the one are given the other.
    pub documents: u64,
    /// Documents of the true class.
    pub support: u64,
    /// Some of them, the most confident answers first.
    pub examples: Vec<ReportedDocument>,
}

/// What a report shows.
pub(super) struct Shown {
    pub(super) pairs: Vec<ConfusedPair>,
    pub(super) wrong: Vec<ReportedDocument>,
    pub(super) hardest: Vec<ReportedDocument>,
}

/// A document as it is chosen by.
struct Candidate {
    document: usize,
    /// The class that is answered, or on which the answer is most wrong.
    class: u32,
    wrong: bool,
    /// Of any number of labels.
    fault: Option<Fault>,
    /// How far the probability of that class is from what it should be.
    error: f32,
    loss: f64,
}

/// Chooses the documents to show and explains them.
pub(super) fn shown(
    classifier: &Classifier,
    documents: &Documents,
    evaluation: &Evaluation,
    options: &ReportOptions,
) -> Result<Shown, NnError> {
    let texts: Vec<&str> = documents.texts().collect();
    let predictions = classifier.predict_batch(&texts);
    let classes = classifier.class_names().len();
    let rows: Vec<f32> = predictions.iter().flat_map(|p| p.probabilities.clone()).collect();
    let losses = document_losses(&Matrix::new(texts.len(), classes, rows)?, documents.labels());
    let multi = classifier.label_kind() == LabelKind::Multi;
    let candidates: Vec<Candidate> = predictions
        .iter()
        .zip(losses)
        .enumerate()
        .map(|(document, (prediction, loss))| {
            let truth = documents.labels().classes(document);
            match multi {
                true => Candidate::of_labels(document, prediction, &truth, loss),
                false => Candidate::of_class(document, prediction, &truth, loss),
            }
        })
        .collect();

    let mut explainer = classifier.explainer();
    let names = classifier.class_names();
    let name = |class: u32| names.get(class as usize).cloned().unwrap_or_default();
    let mut report = |candidate: &Candidate| -> Result<ReportedDocument, NnError> {
        let &Candidate { document, class, fault, loss, .. } = candidate;
        let truth = documents.labels().classes(document);
        let probability = |class: u32| predictions[document].probabilities[class as usize];
        let against = match truth.as_slice() {
            &[other] if !multi && other != class => Some(other),
            _ => None,
        };
        let text = options.texts.then(|| texts[document].to_owned());
        let what = ExplainOptions { class: Some(class), against };
        let why = text.as_ref().map(|text| explainer.explain(text, what)).transpose()?;
        Ok(ReportedDocument {
            document,
            place: documents.place(document).map(|place| place.to_string()),
            truth_probability: truth.iter().map(|&c| probability(c)).fold(0.0, f32::max),
            truth: truth.into_iter().map(name).collect(),
            answer: name(class),
            probability: probability(class),
            fault,
            loss,
            text,
            why,
        })
    };

    let mut wrong: Vec<&Candidate> = candidates.iter().filter(|c| c.wrong).collect();
    wrong.sort_by(|a, b| b.error.total_cmp(&a.error).then(a.document.cmp(&b.document)));
    let mut pairs = Vec::new();
    for (truth, answer, count) in evaluation.confused_pairs(options.pairs) {
        let of_pair = wrong.iter().filter(|c| {
            c.class as usize == answer
                && documents.labels().classes(c.document).contains(&(truth as u32))
        });
        let examples =
            of_pair.take(options.examples).map(|c| report(c)).collect::<Result<_, _>>()?;
        pairs.push(ConfusedPair {
            truth: name(truth as u32),
            answer: name(answer as u32),
            documents: count,
            support: evaluation.classes[truth].support,
            examples,
        });
    }
    wrong.truncate(options.documents);
    let told: Vec<usize> = wrong.iter().map(|c| c.document).collect();
    let wrong = wrong.into_iter().map(&mut report).collect::<Result<_, _>>()?;
    let mut hardest: Vec<&Candidate> =
        candidates.iter().filter(|c| !told.contains(&c.document)).collect();
    hardest.sort_by(|a, b| b.loss.total_cmp(&a.loss).then(a.document.cmp(&b.document)));
    hardest.truncate(options.documents);
    let hardest = hardest.into_iter().map(report).collect::<Result<_, _>>()?;
    Ok(Shown { pairs, wrong, hardest })
}

impl Candidate {
    /// A document of one class, or of shares of several.
    fn of_class(document: usize, prediction: &Prediction, truth: &[u32], loss: f64) -> Self {
        let class = prediction.class;
        Self {
            document,
            class,
            // Of soft labels the class with the largest share is the first.
            wrong: truth.first() != Some(&class),
            fault: None,
            error: prediction.probabilities[class as usize],
            loss,
        }
    }

    /// A document of any number of labels, by the one that is farthest from the truth.
    fn of_labels(document: usize, prediction: &Prediction, truth: &[u32], loss: f64) -> Self {
        let error = |(class, &p): (u32, &f32)| {
            let error = if truth.contains(&class) { 1.0 - p } else { p };
            (class, error)
        };
        let errors = (0..).zip(&prediction.probabilities).map(error);
        // Of equals the first class.
        let (class, error) = errors
            .max_by(|a, b| a.1.total_cmp(&b.1).then(Reverse(a.0).cmp(&Reverse(b.0))))
            .unwrap_or_default();
        let given = match &prediction.answer {
            Answer::Labels(labels) => labels.contains(&class),
            Answer::Class(answer) => *answer == class,
            Answer::Unknown(_) => false,
        };
        let fault = match (given, truth.contains(&class)) {
            (true, false) => Fault::Given,
            (false, true) => Fault::Missing,
            _ => Fault::None,
        };
        let wrong = fault != Fault::None;
        Self { document, class, wrong, fault: Some(fault), error, loss }
    }
}
