//! Labels that are likely wrong.

use serde::Serialize;

use super::confident::Confident;
use super::{CheckError, Found, excerpt, found};
use crate::corpus::{Documents, Labels};
use crate::nn::Matrix;

/// A document whose label is likely wrong, and what speaks for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelError {
    /// The document.
    pub document: Found,
    /// The label that it carries.
    pub given: ClassEvidence,
    /// The most probable one.
    pub suggested: ClassEvidence,
    /// `(p − q + 1) / 2` for the probabilities `p` of the given label and `q` of the suggested one: from
    /// 0, where the given label is impossible and the other certain, to 1/2.
    pub margin: f64,
    /// The beginning of the text.
    pub excerpt: String,
}

/// How probable a class is for a document, and how probable it usually is for its own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassEvidence {
    /// Name of the class.
    pub label: String,
    /// Its probability for the document.
    pub probability: f64,
    /// Its mean probability for the documents that carry it. A document that reaches it counts as
    /// confidently of the class.
    pub threshold: f64,
}

/// Labels that are likely wrong, the most certain first, by confident learning (Northcutt, Jiang and
/// Chuang 2021).
///
/// A document is one of these if it is confidently of another class than its label says: its
/// probability reaches that class's usual one (of several such classes the most probable counts), and its
/// label is not the most probable class. `probabilities` must come from classifiers that were not
/// trained on the document, and say what the text alone does:
/// [`CrossValidation::text_probabilities`](crate::classifier::CrossValidation::text_probabilities).
///
/// ```
/// use slugline::check::label_errors;
/// use slugline::corpus::Documents;
/// use slugline::nn::Matrix;
///
/// let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
/// for (text, label) in [("wheat", 0), ("corn", 0), ("gold", 0), ("tin", 1), ("silver", 1)] {
///     documents.push(text, label);
/// }
/// let p = vec![0.9, 0.1, 0.8, 0.2, 0.1, 0.9, 0.2, 0.8, 0.1, 0.9];
/// let errors = label_errors(&documents, &Matrix::new(5, 2, p)?)?;
/// assert_eq!(errors.len(), 1);
/// assert_eq!((errors[0].document.row, errors[0].suggested.label.as_str()), (3, "metal"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`CheckError::LabelKind`] for documents with several labels or soft ones;
/// [`CheckError::Probabilities`] if there is not one row a document and one column a class.
pub fn label_errors(
    documents: &Documents,
    probabilities: &Matrix,
) -> Result<Vec<LabelError>, CheckError> {
    let Labels::Single(labels) = documents.labels() else {
        return Err(CheckError::LabelKind { found: documents.label_kind() });
    };
    let expected = (documents.len(), documents.class_names().len());
    let shape = (probabilities.rows(), probabilities.cols());
    if shape != expected {
        return Err(CheckError::Probabilities { expected, found: shape });
    }
    let Confident { thresholds, suspects } = Confident::new(probabilities, labels);
    let error = |suspect: super::confident::Suspect| {
        let i = suspect.document;
        let evidence = |class: u32| ClassEvidence {
            label: documents.class_names()[class as usize].clone(),
            probability: f64::from(probabilities.row(i)[class as usize]),
            threshold: thresholds[class as usize],
        };
        LabelError {
            document: found(documents, i, false),
            given: evidence(labels[i]),
            suggested: evidence(suspect.suggested),
            margin: suspect.margin,
            excerpt: excerpt(documents.text(i)),
        }
    };
    Ok(suspects.into_iter().map(error).collect())
}
