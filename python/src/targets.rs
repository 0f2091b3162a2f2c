//! Wanted answers from NumPy arrays.

use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use slugline::nn::{Matrix, Targets};

use crate::errors::network_error;

/// The targets in an array: class numbers (1-dimensional, `uint32`), or one row a sample
/// (2-dimensional, `float32`).
pub(crate) fn read(array: &Bound<'_, PyAny>) -> PyResult<Targets> {
    if let Ok(classes) = array.extract::<PyReadonlyArray1<'_, u32>>() {
        return Ok(classes.as_slice()?.to_vec().into());
    }
    if let Ok(rows) = array.extract::<PyReadonlyArray2<'_, f32>>() {
        return Ok(matrix(&rows)?.into());
    }
    Err(PyTypeError::new_err(
        "expected class numbers (uint32) or one row of targets a sample (float32)",
    ))
}

/// A dense matrix of an array in C order.
pub(crate) fn matrix(array: &PyReadonlyArray2<'_, f32>) -> PyResult<Matrix> {
    let shape = array.as_array().dim();
    Matrix::new(shape.0, shape.1, array.as_slice()?.to_vec()).map_err(|e| network_error(&e))
}

/// Targets as an array, in the form that [`read`] takes.
pub(crate) fn write<'py>(py: Python<'py>, targets: &Targets) -> PyResult<Bound<'py, PyAny>> {
    Ok(match targets {
        Targets::Classes(classes) => PyArray1::from_slice(py, classes).into_any(),
        Targets::Rows(rows) => array(py, rows)?.into_any(),
    })
}

/// A matrix as an array.
pub(crate) fn array<'py>(py: Python<'py>, matrix: &Matrix) -> PyResult<Bound<'py, PyArray2<f32>>> {
    PyArray1::from_slice(py, matrix.data()).reshape([matrix.rows(), matrix.cols()])
}
