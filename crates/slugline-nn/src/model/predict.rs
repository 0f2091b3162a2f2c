//! Prediction: many rows at once, or row after row.

use rayon::prelude::*;

use super::Sequential;
use super::forward::{BLOCK_ROWS, Forward, Scratch};
use crate::NnError;
use crate::buffer::unpack;
use crate::kernels::rows::SparseRows;
use crate::matrix::{CsrMatrix, Matrix, SparseRow};

/// Answers row after row, reusing its buffers: one for each thread that predicts.
///
/// ```
/// use slugline_nn::{Dense, Sequential, SparseRow};
///
/// let model = Sequential::new(4, [Dense::new(2).into()], 0)?;
/// let mut predictor = model.predictor();
/// let outputs = predictor.predict(SparseRow { indices: &[1, 3], values: &[1.0, 1.0] })?;
/// assert_eq!(outputs.len(), 2);
/// # Ok::<(), slugline_nn::NnError>(())
/// ```
pub struct Predictor<'a> {
    forward: Forward<'a>,
    input_width: usize,
    spans: Vec<(usize, usize)>,
    scratch: Scratch,
    outputs: Vec<f32>,
}

impl Predictor<'_> {
    /// A predictor for another thread, which shares what this one has prepared.
    pub fn fork(&self) -> Predictor<'_> {
        Predictor {
            forward: self.forward.fork(),
            input_width: self.input_width,
            spans: Vec::new(),
            scratch: Scratch::default(),
            outputs: Vec::new(),
        }
    }

    /// The network's outputs for the rows of `x`, row after row: as [`Sequential::predict`], on this
    /// thread alone and without new buffers.
    ///
    /// # Errors
    /// [`NnError::Shape`] if `x` has another number of columns than the network has inputs.
    pub fn predict_rows(&mut self, x: &CsrMatrix) -> Result<&[f32], NnError> {
        if x.cols() != self.input_width {
            return Err(NnError::Shape {
                what: "columns of the input",
                expected: self.input_width,
                got: x.cols(),
            });
        }
        self.spans.clear();
        self.spans.extend((0..x.rows()).map(|r| x.span(r)));
        self.forward.run(x.as_rows(&self.spans), &mut self.scratch);
        Ok(self.answer(x.rows()))
    }

    /// The network's outputs for one row.
    ///
    /// # Errors
    /// [`NnError::Shape`] if a feature number is not below the input width, or if the numbers of ids
    /// and values differ.
    pub fn predict(&mut self, row: SparseRow<'_>) -> Result<&[f32], NnError> {
        if row.indices.len() != row.values.len() {
            return Err(NnError::Shape {
                what: "values of a sparse row",
                expected: row.indices.len(),
                got: row.values.len(),
            });
        }
        if let Some(&id) = row.indices.iter().find(|&&id| id as usize >= self.input_width) {
            return Err(NnError::Shape {
                what: "features of a sparse row",
                expected: self.input_width,
                got: id as usize + 1,
            });
        }
        let span = [(0, row.indices.len())];
        let x = SparseRows { spans: &span, indices: row.indices, values: Some(row.values) };
        self.forward.run(x, &mut self.scratch);
        Ok(self.answer(1))
    }

    /// The outputs of a block of rows without the room between them.
    fn answer(&mut self, rows: usize) -> &[f32] {
        let units = self.forward.units();
        self.outputs.resize(rows * units, 0.0);
        unpack(self.scratch.result(), units, &mut self.outputs);
        &self.outputs
    }
}

impl Sequential {
    /// A reusable way to ask for single rows; see [`Predictor`].
    pub fn predictor(&self) -> Predictor<'_> {
        Predictor {
            forward: Forward::new(self),
            input_width: self.input_width(),
            spans: Vec::new(),
            scratch: Scratch::default(),
            outputs: Vec::new(),
        }
    }

    /// The outputs for every row of `x`: shape `[x.rows(), units]`. Runs on all threads of the
    /// current pool; see [`with_threads`](crate::with_threads).
    ///
    /// # Errors
    /// [`NnError::Shape`] if `x` has another number of columns than the network has inputs.
    pub fn predict(&self, x: &CsrMatrix) -> Result<Matrix, NnError> {
        self.check_input(x)?;
        let (units, forward) = (self.units(), Forward::new(self));
        let mut out = Matrix::zeros(x.rows(), units);
        out.data_mut().par_chunks_mut(BLOCK_ROWS * units).enumerate().for_each_init(
            || (Scratch::default(), Vec::new()),
            |(scratch, spans), (block, out)| {
                let first = block * BLOCK_ROWS;
                spans.clear();
                spans.extend((first..first + out.len() / units).map(|r| x.span(r)));
                forward.run(x.as_rows(spans), scratch);
                unpack(scratch.result(), units, out);
            },
        );
        Ok(out)
    }

    pub(crate) fn check_input(&self, x: &CsrMatrix) -> Result<(), NnError> {
        if x.cols() != self.input_width() {
            return Err(NnError::Shape {
                what: "columns of the input",
                expected: self.input_width(),
                got: x.cols(),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Activation, Dense};

    fn model() -> Sequential {
        Sequential::new(
            20,
            [
                Dense::new(9).activation(Activation::Gelu).into(),
                Dense::new(5).activation(Activation::Softmax).into(),
            ],
            3,
        )
        .unwrap()
    }

    fn rows(n: usize) -> CsrMatrix {
        let mut x = CsrMatrix::with_cols(20);
        for i in 0..n {
            let ids: Vec<u32> = (0..20).filter(|j| (i as u32 * 7 + j).is_multiple_of(4)).collect();
            let values: Vec<f32> = ids.iter().map(|&j| 0.1 * (i as f32 + j as f32)).collect();
            x.push_row(&ids, &values).unwrap();
        }
        x
    }

    #[test]
    fn blocks_single_rows_and_threads_agree_to_the_last_bit() {
        let (model, x) = (model(), rows(2 * BLOCK_ROWS + 5));
        let all = crate::with_threads(3, || model.predict(&x)).unwrap().unwrap();
        let alone = crate::with_threads(1, || model.predict(&x)).unwrap().unwrap();
        assert_eq!(all, alone);
        let mut predictor = model.predictor();
        assert_eq!(predictor.predict_rows(&x).unwrap(), all.data());
        for (r, row) in x.iter_rows().enumerate() {
            assert_eq!(predictor.predict(row).unwrap(), all.row(r));
            assert!((all.row(r).iter().sum::<f32>() - 1.0).abs() < 1e-6);
        }
    }

    #[test]
    fn input_of_the_wrong_width_is_refused() {
        let err = model().predict(&CsrMatrix::with_cols(21)).unwrap_err().to_string();
        assert_eq!(err, "columns of the input: expected 20, got 21");
        let model = model();
        let mut predictor = model.predictor();
        assert!(predictor.predict(SparseRow { indices: &[20], values: &[1.0] }).is_err());
        assert!(predictor.predict(SparseRow { indices: &[1], values: &[] }).is_err());
        assert_eq!(model.predict(&CsrMatrix::with_cols(20)).unwrap().rows(), 0);
    }
}
