//! Documents from Python: lists, arrays, series and columns, without a copy of their text.

use arrow_array::ArrayRef;
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;
use pyo3::types::{PyByteArray, PyBytes, PyString};

use crate::arrow;

/// Texts that Python or an Arrow column holds. Dropped with the interpreter's lock held.
pub(crate) enum Texts {
    Strings(Vec<PyBackedStr>),
    Columns(Vec<ArrayRef>),
}

impl Texts {
    /// The texts of an iterable of `str`; `what` is what they are called in errors.
    pub(crate) fn read(object: &Bound<'_, PyAny>, what: &str) -> PyResult<Self> {
        if object.is_instance_of::<PyString>()
            || object.is_instance_of::<PyBytes>()
            || object.is_instance_of::<PyByteArray>()
        {
            return Err(PyValueError::new_err(format!(
                "expected an iterable of texts, got a single {}; put it in a list",
                object.get_type().name()?
            )));
        }
        // pandas needs pyarrow to speak Arrow, and is iterated over where it has none.
        if let Ok(Some(columns)) = arrow::arrays(object) {
            let this = Self::Columns(columns);
            this.slices(what)?;
            return Ok(this);
        }
        let listed = match object.getattr_opt("ndim")? {
            Some(ndim) if ndim.extract::<usize>().is_ok_and(|ndim| ndim != 1) => {
                return Err(PyValueError::new_err(format!(
                    "expected a 1-dimensional array of texts, got one of shape {}",
                    object.getattr("shape")?.str()?
                )));
            }
            // Of an array of numbers and the like, this makes Python's own.
            Some(_) if object.hasattr("tolist")? => object.call_method0("tolist")?,
            _ => object.clone(),
        };
        let items = listed.try_iter().map_err(|_| {
            let name = object.get_type().name().map_or_else(|_| "?".into(), |n| n.to_string());
            PyTypeError::new_err(format!("expected an iterable of texts, got {name}"))
        })?;
        let mut texts = Vec::with_capacity(items.size_hint().0);
        for item in items {
            texts.push(text(&item?, what, texts.len())?);
        }
        Ok(Self::Strings(texts))
    }

    /// The texts as they lie.
    pub(crate) fn slices(&self, what: &str) -> PyResult<Vec<&str>> {
        match self {
            Self::Strings(texts) => Ok(texts.iter().map(|text| &**text).collect()),
            Self::Columns(columns) => {
                let mut slices = Vec::with_capacity(columns.iter().map(|c| c.len()).sum());
                for column in columns {
                    arrow::each_text(column.as_ref(), &mut |text| {
                        let row = slices.len();
                        slices.push(text.ok_or_else(|| missing(what, row, "missing"))?);
                        Ok(())
                    })?;
                }
                Ok(slices)
            }
        }
    }
}

fn missing(what: &str, row: usize, found: &str) -> PyErr {
    PyValueError::new_err(format!(
        "{what} {row} is {found}: expected a str; drop it, or fill it with an empty one"
    ))
}

fn text(item: &Bound<'_, PyAny>, what: &str, row: usize) -> PyResult<PyBackedStr> {
    if let Ok(string) = item.cast::<PyString>() {
        return PyBackedStr::try_from(string.clone()).map_err(|e| {
            if e.is_instance_of::<PyUnicodeEncodeError>(item.py()) {
                PyValueError::new_err(format!(
                    "{what} {row} holds a lone surrogate, which is no text: {e}; decode it with \
                     errors='replace'"
                ))
            } else {
                e
            }
        });
    }
    if item.is_none() {
        return Err(missing(what, row, "None"));
    }
    if item.extract::<f64>().is_ok_and(f64::is_nan) {
        return Err(missing(what, row, "NaN"));
    }
    let name = item.get_type().name()?;
    Err(PyTypeError::new_err(match item.is_instance_of::<PyBytes>() {
        true => format!("{what} {row} is bytes: expected a str; decode it first"),
        false => format!("{what} {row} is of type {name}: expected a str"),
    }))
}
