//! Sparse rows from NumPy arrays and back.

use std::sync::Arc;

use numpy::{Element as NumPyElement, PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use slugline::nn::{CsrMatrix, Distinct, Element, NnError, distinct_samples};

use crate::errors::network_error;
use crate::pool;
use crate::targets;

/// The three arrays of a sparse matrix: data, indices and indptr.
type Arrays<'py> =
    (Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<i64>>);

/// Sparse rows of 32-bit numbers that are checked and converted once.
#[pyclass(frozen, module = "slugline._slugline")]
pub struct Rows(Arc<CsrMatrix>);

impl Rows {
    pub(crate) fn of(matrix: CsrMatrix) -> Self {
        Self(Arc::new(matrix))
    }

    pub(crate) fn matrix(&self) -> Arc<CsrMatrix> {
        Arc::clone(&self.0)
    }
}

#[pymethods]
impl Rows {
    /// From `data`, `indices` and `indptr` of a matrix of `cols` columns in CSR form whose indices rise
    /// within each row.
    #[staticmethod]
    fn from_csr(
        py: Python<'_>,
        data: PyReadonlyArray1<'_, f32>,
        indices: PyReadonlyArray1<'_, i32>,
        indptr: PyReadonlyArray1<'_, i64>,
        cols: usize,
    ) -> PyResult<Self> {
        let (data, indices, indptr) = (data.as_slice()?, indices.as_slice()?, indptr.as_slice()?);
        let matrix = pool::work(py, 1, || {
            let (mut values, mut columns, mut ends) = (
                Vec::with_capacity(data.len()),
                Vec::with_capacity(data.len()),
                Vec::with_capacity(indptr.len()),
            );
            if data.iter().all(|&v| v != 0.0) && data.len() == indices.len() {
                values.extend_from_slice(data);
                columns.extend(indices.iter().map(|&i| i as u32));
                ends.extend(indptr.iter().map(|&end| end as usize));
            } else {
                // Zeros that are stored count for nothing.
                ends.push(0);
                for span in indptr.windows(2) {
                    let span = span[0] as usize..span[1] as usize;
                    let row = data.get(span.clone()).zip(indices.get(span));
                    for (&v, &i) in row.into_iter().flat_map(|(v, i)| v.iter().zip(i)) {
                        if v != 0.0 {
                            values.push(v);
                            columns.push(i as u32);
                        }
                    }
                    ends.push(columns.len());
                }
            }
            CsrMatrix::new(cols, ends, columns, values)
        })?;
        matrix.map(Self::of).map_err(|e| network_error(&e))
    }

    /// From a 2-dimensional array of numbers that lie row by row.
    #[staticmethod]
    #[pyo3(signature = (array, *, threads = 0))]
    fn from_dense(py: Python<'_>, array: &Bound<'_, PyAny>, threads: usize) -> PyResult<Self> {
        macro_rules! any_of {
            ($($number:ty),*) => {$(
                if let Ok(array) = array.extract::<PyReadonlyArray2<'_, $number>>() {
                    return dense(py, &array, threads);
                }
            )*};
        }
        any_of!(f32, f64, bool, u8, i64, i32, i8, i16, u16, u32, u64);
        Err(PyTypeError::new_err("expected a 2-dimensional array of numbers"))
    }

    /// Number of rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.0.rows(), self.0.cols())
    }

    /// Number of stored elements.
    #[getter]
    fn nnz(&self) -> usize {
        self.0.nnz()
    }

    /// A copy of the chosen rows.
    fn select(&self, rows: PyReadonlyArray1<'_, i64>) -> PyResult<Self> {
        let rows: Vec<usize> = rows.as_slice()?.iter().map(|&row| row as usize).collect();
        self.0.select_rows(&rows).map(Self::of).map_err(|e| network_error(&e))
    }

    /// Equal samples as one, with the sum of their weights, in an order that follows from what they
    /// are: rows, targets and weights.
    #[pyo3(signature = (y, sample_weight = None, *, threads = 0))]
    fn distinct<'py>(
        &self,
        py: Python<'py>,
        y: &Bound<'py, PyAny>,
        sample_weight: Option<PyReadonlyArray1<'py, f64>>,
        threads: usize,
    ) -> PyResult<(Self, Bound<'py, PyAny>, Bound<'py, PyArray1<f64>>)> {
        let y = targets::read(y)?;
        let weights = sample_weight.as_ref().map(|w| w.as_slice()).transpose()?;
        let found = pool::work(py, threads, || distinct_samples(&self.0, &y, weights))?;
        let Distinct { x, y, weights } = found.map_err(|e| network_error(&e))?;
        Ok((Self::of(x), targets::write(py, &y)?, PyArray1::from_vec(py, weights)))
    }

    /// `data`, `indices` and `indptr` of the rows in CSR form.
    fn to_csr<'py>(&self, py: Python<'py>) -> Arrays<'py> {
        let mut data = Vec::with_capacity(self.0.nnz());
        let mut indices = Vec::with_capacity(self.0.nnz());
        let mut indptr = Vec::with_capacity(self.0.rows() + 1);
        indptr.push(0);
        for row in self.0.iter_rows() {
            data.extend_from_slice(row.values);
            indices.extend(row.indices.iter().map(|&i| i as i32));
            indptr.push(data.len() as i64);
        }
        (
            PyArray1::from_vec(py, data),
            PyArray1::from_vec(py, indices),
            PyArray1::from_vec(py, indptr),
        )
    }

    fn __len__(&self) -> usize {
        self.0.rows()
    }
}

fn dense<T: Element + NumPyElement>(
    py: Python<'_>,
    array: &PyReadonlyArray2<'_, T>,
    threads: usize,
) -> PyResult<Rows> {
    let cols = array.as_array().ncols();
    let data = array
        .as_slice()
        .map_err(|_| PyValueError::new_err("the array does not lie row by row (C order)"))?;
    let matrix: Result<CsrMatrix, NnError> =
        pool::work(py, threads, || CsrMatrix::from_dense(cols, data))?;
    matrix.map(Rows::of).map_err(|e| network_error(&e))
}
