//! Labelled documents from texts and NumPy arrays.

use numpy::{PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use slugline::corpus::{Documents, LabelKind, Labels};

use crate::errors::network_error;
use crate::targets::matrix;
use crate::texts::Texts;

/// What texts are called in errors.
pub(crate) const WHAT: &str = "document";

/// Documents of texts and their labels: class numbers (1-dimensional, `uint32`), a list of class numbers
/// for each document, or shares of all classes (2-dimensional, `float32`).
pub(crate) fn documents(
    texts: &Bound<'_, PyAny>,
    labels: &Bound<'_, PyAny>,
    class_names: Vec<String>,
    weights: Option<&PyReadonlyArray1<'_, f32>>,
) -> PyResult<Documents> {
    let labels = if let Ok(classes) = labels.extract::<PyReadonlyArray1<'_, u32>>() {
        Labels::Single(classes.as_slice()?.to_vec())
    } else if let Ok(shares) = labels.extract::<PyReadonlyArray2<'_, f32>>() {
        Labels::Soft(matrix(&shares)?)
    } else {
        let lists: Vec<Vec<u32>> = labels.extract().map_err(|_| {
            PyTypeError::new_err(
                "expected class numbers (uint32), lists of them, or shares (float32)",
            )
        })?;
        Labels::Multi(lists)
    };
    let texts = Texts::read(texts, WHAT)?;
    let texts = texts.slices(WHAT)?;
    if texts.len() != labels.len() {
        return Err(PyValueError::new_err(format!(
            "{} documents and labels for {}: expected one for each",
            texts.len(),
            labels.len()
        )));
    }
    let mut documents = Documents::of_kind(class_names, labels.kind());
    for text in texts {
        documents.push_text(text);
    }
    let weights = weights.map(|w| w.as_slice().map(<[f32]>::to_vec)).transpose()?;
    documents
        .with_labels(labels)
        .and_then(|documents| documents.with_weights(weights))
        .map_err(|e| network_error(&e))
}

/// The name of a kind of labels.
pub(crate) fn kind_name(kind: LabelKind) -> &'static str {
    match kind {
        LabelKind::Single => "single",
        LabelKind::Multi => "multi",
        LabelKind::Soft => "soft",
    }
}
