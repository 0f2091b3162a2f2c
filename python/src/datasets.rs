//! The Reuters newswires as Keras numbers them.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;

use numpy::PyArray1;
use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Map, Value};
use slugline::corpus::fetch::{FetchError, Locator, Progress};
use slugline::corpus::reuters::Variant;
use slugline::corpus::{Corpus, Dataset, DatasetError, SequenceOptions};

use crate::errors::value_error;
use crate::interrupt::{Wire, interruptible};

/// The ends of the documents' ids (with a 0 before them), the ids, the labels, and the number of
/// documents to train on.
type Numbered<'py> =
    (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<i64>>, usize);

/// `FileNotFoundError` for files that are not on this machine, `OSError` for those that the system or a
/// server refuses, `ValueError` for those that are damaged and for options that cannot be used.
fn dataset_error(error: &DatasetError) -> PyErr {
    let DatasetError::Fetch(error) = error else { return value_error(error) };
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let message = format!("{error}{cause}");
    match error {
        FetchError::NotInDataDir { .. } | FetchError::Offline(_) => {
            PyFileNotFoundError::new_err(message)
        }
        _ => PyOSError::new_err(message),
    }
}

/// Loads the newswires, after a download if need be, which Ctrl-C ends. Where a folder is named, no other
/// is searched.
fn load(py: Python<'_>, options: &SequenceOptions, folder: Option<PathBuf>) -> PyResult<Corpus> {
    let work = |wire: Wire<'_, ()>| {
        let locator = Locator::from_env().with_data_dir(folder);
        let mut go_on = |_: Progress<'_>| match wire.stopped() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        };
        Dataset::Reuters(Variant::Original).load(options, &locator, &mut go_on)
    };
    interruptible(py, work, |_, ()| Ok(()))?.map_err(|e| dataset_error(&e))
}

/// The newswires with the options of Keras's `load_data` as JSON, those to train on first. `data_dir` among
/// them names the folder to look in.
#[pyfunction]
pub fn reuters_sequences<'py>(py: Python<'py>, options: &str) -> PyResult<Numbered<'py>> {
    let wrong = |e: serde_json::Error| PyValueError::new_err(e.to_string());
    let mut options: Map<String, Value> = serde_json::from_str(options).map_err(wrong)?;
    let folder = options.remove("data_dir").unwrap_or_default();
    let options: SequenceOptions = serde_json::from_value(Value::Object(options)).map_err(wrong)?;
    let corpus = load(py, &options, folder.as_str().map(PathBuf::from))?;
    let mut ends: Vec<i64> = vec![0];
    let (mut ids, mut labels): (Vec<u32>, Vec<i64>) = (Vec::new(), Vec::new());
    for part in [&corpus.train, &corpus.test] {
        for document in part.iter() {
            ids.extend_from_slice(document);
            ends.push(ids.len() as i64);
        }
        labels.extend(part.labels().iter().map(|&label| i64::from(label)));
    }
    Ok((
        PyArray1::from_vec(py, ends),
        PyArray1::from_vec(py, ids),
        PyArray1::from_vec(py, labels),
        corpus.train.len(),
    ))
}

/// The rank of each word, from 1.
#[pyfunction]
pub fn reuters_word_index(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let corpus = load(py, &SequenceOptions::default(), None)?;
    let ranks = PyDict::new(py);
    for (word, rank) in corpus.word_index.words().iter().zip(1u32..) {
        ranks.set_item(word, rank)?;
    }
    Ok(ranks)
}

/// The names of the topics, in the order of the labels.
#[pyfunction]
pub fn reuters_labels(py: Python<'_>) -> PyResult<Vec<String>> {
    Ok(load(py, &SequenceOptions::default(), None)?.class_names)
}
