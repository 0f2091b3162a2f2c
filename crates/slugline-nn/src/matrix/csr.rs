//! Sparse rows: the only form in which documents enter a network.

use std::ops::Range;

use crate::NnError;
use crate::kernels::rows::SparseRows;

/// A sparse matrix in compressed-row form: one row a document, one column a feature.
///
/// Row `r` has the columns `indices[indptr[r]..indptr[r + 1]]`, strictly rising, and the values at
/// the same places; every other element is zero. The constructors check this once, so that nothing
/// downstream has to.
///
/// ```
/// use slugline_nn::CsrMatrix;
///
/// let x = CsrMatrix::new(5, vec![0, 2, 3], vec![1, 4, 0], vec![1.0, 1.0, 2.5])?;
/// assert_eq!((x.rows(), x.cols(), x.nnz()), (2, 5, 3));
/// assert_eq!(x.row(1).indices, [0]);
/// # Ok::<(), slugline_nn::NnError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct CsrMatrix {
    cols: usize,
    indptr: Vec<usize>,
    indices: Vec<u32>,
    values: Vec<f32>,
    /// Whether every stored value is 1, so that the kernels need not read them.
    binary: bool,
}

/// One row of a [`CsrMatrix`]; by default one of zeros.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SparseRow<'a> {
    /// Columns that are not zero, strictly rising.
    pub indices: &'a [u32],
    /// Their values.
    pub values: &'a [f32],
}

impl PartialEq for CsrMatrix {
    fn eq(&self, other: &Self) -> bool {
        (self.cols, &self.indptr, &self.indices, &self.values)
            == (other.cols, &other.indptr, &other.indices, &other.values)
    }
}

impl CsrMatrix {
    /// A matrix of `cols` columns from its three arrays.
    ///
    /// # Errors
    /// [`NnError::Shape`] if `indices` and `values` differ in length; [`NnError::Csr`] if `indptr`
    /// does not start at 0, falls, or does not end at the number of values, or if a row's columns
    /// do not rise or reach `cols`; [`NnError::NotFinite`] for a NaN or an infinity.
    pub fn new(
        cols: usize,
        indptr: Vec<usize>,
        indices: Vec<u32>,
        values: Vec<f32>,
    ) -> Result<Self, NnError> {
        if indices.len() != values.len() {
            return Err(NnError::Shape {
                what: "values of a sparse matrix",
                expected: indices.len(),
                got: values.len(),
            });
        }
        let bad = |row, reason| Err(NnError::Csr { row, reason });
        match (indptr.first(), indptr.last()) {
            (Some(0), Some(&last)) if last == indices.len() => {}
            (first, last) => {
                return bad(
                    0,
                    format!(
                        "row offsets must run from 0 to {}, found {first:?} to {last:?}",
                        indices.len()
                    ),
                );
            }
        }
        for (row, w) in indptr.windows(2).enumerate() {
            let Some(ids) = indices.get(w[0]..w[1]) else {
                return bad(row, format!("row offsets fall from {} to {}", w[0], w[1]));
            };
            check_row(row, cols, ids, &values[w[0]..w[1]])?;
        }
        let binary = values.iter().all(|&v| v == 1.0);
        Ok(Self { cols, indptr, indices, values, binary })
    }

    /// A matrix with no rows yet, to be filled by [`push_row`](Self::push_row).
    pub fn with_cols(cols: usize) -> Self {
        Self { cols, indptr: vec![0], indices: Vec::new(), values: Vec::new(), binary: true }
    }

    /// Appends a row.
    ///
    /// # Errors
    /// As [`new`](Self::new); the matrix is then unchanged.
    pub fn push_row(&mut self, indices: &[u32], values: &[f32]) -> Result<(), NnError> {
        if indices.len() != values.len() {
            return Err(NnError::Shape {
                what: "values of a sparse matrix",
                expected: indices.len(),
                got: values.len(),
            });
        }
        check_row(self.rows(), self.cols, indices, values)?;
        self.indices.extend_from_slice(indices);
        self.values.extend_from_slice(values);
        self.indptr.push(self.indices.len());
        self.binary &= values.iter().all(|&v| v == 1.0);
        Ok(())
    }

    /// Removes all rows, keeping the buffers.
    pub fn clear(&mut self) {
        self.indptr.truncate(1);
        self.indices.clear();
        self.values.clear();
        self.binary = true;
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.indptr.len().saturating_sub(1)
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Number of stored elements.
    pub fn nnz(&self) -> usize {
        self.indices.len()
    }

    /// Row `r`.
    ///
    /// # Panics
    /// If `r` is not below [`rows`](Self::rows).
    pub fn row(&self, r: usize) -> SparseRow<'_> {
        let range = self.indptr[r]..self.indptr[r + 1];
        SparseRow { indices: &self.indices[range.clone()], values: &self.values[range] }
    }

    /// Whether every stored value is 1.
    pub(crate) fn is_binary(&self) -> bool {
        self.binary
    }

    /// Where row `r` lies in the stored elements.
    pub(crate) fn span(&self, r: usize) -> (usize, usize) {
        (self.indptr[r], self.indptr[r + 1])
    }

    /// The rows that lie at `spans`, for the kernels.
    pub(crate) fn as_rows<'a>(&'a self, spans: &'a [(usize, usize)]) -> SparseRows<'a> {
        let values = (!self.binary).then_some(&self.values[..]);
        SparseRows { spans, indices: &self.indices, values }
    }

    /// The rows in order.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = SparseRow<'_>> {
        (0..self.rows()).map(|r| self.row(r))
    }

    /// A copy of a range of rows.
    ///
    /// # Errors
    /// [`NnError::Shape`] if the range reaches beyond the last row.
    pub fn slice_rows(&self, rows: Range<usize>) -> Result<Self, NnError> {
        if rows.start > rows.end || rows.end > self.rows() {
            return Err(NnError::Shape {
                what: "rows of a sparse matrix",
                expected: rows.end,
                got: self.rows(),
            });
        }
        let span = self.indptr[rows.start]..self.indptr[rows.end];
        Ok(Self {
            cols: self.cols,
            indptr: self.indptr[rows.start..=rows.end].iter().map(|p| p - span.start).collect(),
            indices: self.indices[span.clone()].to_vec(),
            values: self.values[span].to_vec(),
            binary: self.binary,
        })
    }

    /// A copy with other columns; `map` keeps their order and stays below `cols`.
    pub(crate) fn map_columns(&self, cols: usize, map: impl Fn(u32) -> u32) -> Self {
        Self {
            cols,
            indptr: self.indptr.clone(),
            indices: self.indices.iter().map(|&id| map(id)).collect(),
            values: self.values.clone(),
            binary: self.binary,
        }
    }

    /// A copy of the chosen rows, in the order given.
    ///
    /// # Errors
    /// [`NnError::Shape`] for a row number beyond the last row.
    pub fn select_rows(&self, rows: &[usize]) -> Result<Self, NnError> {
        let mut out = Self { binary: self.binary, ..Self::with_cols(self.cols) };
        for &r in rows {
            if r >= self.rows() {
                return Err(NnError::Shape {
                    what: "rows of a sparse matrix",
                    expected: r + 1,
                    got: self.rows(),
                });
            }
            let row = self.row(r);
            out.indices.extend_from_slice(row.indices);
            out.values.extend_from_slice(row.values);
            out.indptr.push(out.indices.len());
        }
        Ok(out)
    }

    /// The dense form, for small matrices and tests.
    pub fn to_dense(&self) -> super::Matrix {
        let mut dense = super::Matrix::zeros(self.rows(), self.cols);
        for (row, out) in self.iter_rows().zip(dense.data_mut().chunks_mut(self.cols.max(1))) {
            for (&c, &v) in row.indices.iter().zip(row.values) {
                out[c as usize] = v;
            }
        }
        dense
    }
}

/// Checks one row of a matrix of `cols` columns.
fn check_row(row: usize, cols: usize, ids: &[u32], values: &[f32]) -> Result<(), NnError> {
    if let Some(i) = (1..ids.len()).find(|&i| ids[i - 1] >= ids[i]) {
        let reason = format!("column {} stands before column {}", ids[i - 1], ids[i]);
        return Err(NnError::Csr { row, reason });
    }
    if let Some(&last) = ids.last().filter(|&&last| last as usize >= cols) {
        let reason = format!("column {last} in a matrix of {cols} columns");
        return Err(NnError::Csr { row, reason });
    }
    match values.iter().find(|v| !v.is_finite()) {
        Some(&value) => Err(NnError::NotFinite { what: "sparse matrix", row, value }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_broken_rule_is_named() {
        type Case = (usize, Vec<usize>, Vec<u32>, Vec<f32>, &'static str);
        let cases: [Case; 6] = [
            (3, vec![], vec![], vec![], "row offsets must run from 0 to 0"),
            (3, vec![0, 1], vec![0, 1], vec![1.0, 1.0], "row offsets must run from 0 to 2"),
            (3, vec![0, 2], vec![1, 1], vec![1.0, 1.0], "column 1 stands before column 1"),
            (3, vec![0, 1], vec![3], vec![1.0], "column 3 in a matrix of 3 columns"),
            (
                3,
                vec![0, 2, 1, 2],
                vec![0, 1],
                vec![1.0, 1.0],
                "row 1: row offsets fall from 2 to 1",
            ),
            (3, vec![0, 1], vec![0], vec![f32::NAN], "NaN is not a finite number"),
        ];
        for (cols, indptr, indices, values, want) in cases {
            let err = CsrMatrix::new(cols, indptr, indices, values).unwrap_err().to_string();
            assert!(err.contains(want), "{err:?} should contain {want:?}");
        }
    }

    #[test]
    fn rows_survive_slicing_selecting_and_a_dense_round_trip() {
        let x = CsrMatrix::new(4, vec![0, 2, 2, 3], vec![0, 3, 1], vec![1.0, 2.0, 3.0]).unwrap();
        assert_eq!(x.slice_rows(1..3).unwrap().row(1).indices, [1]);
        assert_eq!(x.select_rows(&[2, 0]).unwrap().row(1), x.row(0));
        assert_eq!(CsrMatrix::from_dense(x.cols(), x.to_dense().data()).unwrap(), x);
        assert!(x.slice_rows(2..4).is_err());
        assert!(x.select_rows(&[3]).is_err());
    }

    #[test]
    fn push_row_checks_and_leaves_the_matrix_alone_on_error() {
        let mut x = CsrMatrix::with_cols(3);
        x.push_row(&[0, 2], &[1.0, 1.0]).unwrap();
        let err = x.push_row(&[2, 1], &[1.0, 1.0]).unwrap_err();
        assert_eq!(err.to_string(), "sparse matrix, row 1: column 2 stands before column 1");
        assert_eq!(x.rows(), 1);
    }
}
