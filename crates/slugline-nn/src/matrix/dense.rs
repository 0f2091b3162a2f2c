//! A dense matrix of `f32`, row after row.

use crate::NnError;
use crate::kernels::{self, activation};

/// A dense row-major matrix: element `(r, c)` is `data[r * cols + c]`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f32>,
}

impl Matrix {
    /// A matrix from its elements in row order.
    ///
    /// # Errors
    /// [`NnError::Shape`] unless `data` has `rows * cols` elements.
    pub fn new(rows: usize, cols: usize, data: Vec<f32>) -> Result<Self, NnError> {
        let expected = rows.saturating_mul(cols);
        if data.len() != expected {
            return Err(NnError::Shape { what: "elements of a matrix", expected, got: data.len() });
        }
        Ok(Self { rows, cols, data })
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Self { rows, cols, data: vec![0.0; rows * cols] }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All elements in row order.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All elements in row order, to be changed.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// Row `r`.
    ///
    /// # Panics
    /// If `r` is not below [`rows`](Self::rows).
    pub fn row(&self, r: usize) -> &[f32] {
        &self.data[r * self.cols..(r + 1) * self.cols]
    }

    /// The rows in order.
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.rows).map(|r| self.row(r))
    }

    /// The column of the largest value of each row; the first one where several are equal.
    pub fn argmax_rows(&self) -> Vec<u32> {
        self.iter_rows().map(argmax).collect()
    }
}

/// Position of the first largest value; 0 for an empty slice.
/// The place of the largest number of a row; the first one where several are equal, 0 where there is
/// none but NaN.
///
/// ```
/// assert_eq!(slugline_nn::argmax(&[0.1, 0.6, 0.3]), 1);
/// ```
pub fn argmax(row: &[f32]) -> u32 {
    activation::argmax(kernels::cpu(), row) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_element_count_is_refused() {
        let err = Matrix::new(2, 3, vec![0.0; 5]).unwrap_err();
        assert_eq!(err.to_string(), "elements of a matrix: expected 6, got 5");
    }

    #[test]
    fn argmax_takes_the_first_of_equals() {
        let m = Matrix::new(2, 3, vec![0.0, 2.0, 2.0, 3.0, 1.0, 0.0]).unwrap();
        assert_eq!(m.argmax_rows(), [1, 0]);
    }
}
