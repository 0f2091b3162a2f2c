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

impl<'a> Predictor<'a> {
    /// A predictor for another thread, which shares what this one has prepared.
    #[must_use]
    pub fn fork(&self) -> Predictor<'a> {
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
        self.run(x)?;
        Ok(self.answer(x.rows()))
    }

    /// Computes the rows of `x` as one block.
    fn run(&mut self, x: &CsrMatrix) -> Result<(), NnError> {
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
        Ok(())
    }

    /// The activations of the last hidden layer for the rows of `x`, row after row: as
    /// [`Sequential::hidden`], on this thread alone and without new buffers.
    ///
    /// # Errors
    /// As [`predict_rows`](Self::predict_rows).
    pub fn hidden_rows(&mut self, x: &CsrMatrix) -> Result<&[f32], NnError> {
        self.run(x)?;
        let (hidden, width) = self.scratch.hidden(&self.forward);
        self.outputs.resize(x.rows() * width, 0.0);
        unpack(hidden, width, &mut self.outputs);
        Ok(&self.outputs)
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
        self.rows_of(x, self.units(), |scratch, _| scratch.result())
    }

    /// What the last layer makes its outputs of, for every row of `x`: the activations of the layer
    /// before it, or of a network of one layer its sums before the activation. Shape
    /// `[x.rows(), hidden_units]`. Documents that the network takes for similar lie near each other
    /// in it. Runs on all threads of the current pool.
    ///
    /// ```
    /// use slugline_nn::{CsrMatrix, Dense, Sequential};
    ///
    /// let model = Sequential::new(100, [Dense::new(16).into(), Dense::new(3).into()], 0)?;
    /// let mut x = CsrMatrix::with_cols(100);
    /// x.push_row(&[4, 40], &[1.0, 1.0])?;
    /// assert_eq!(model.hidden(&x)?.cols(), 16);
    /// # Ok::<(), slugline_nn::NnError>(())
    /// ```
    ///
    /// # Errors
    /// [`NnError::Shape`] if `x` has another number of columns than the network has inputs.
    pub fn hidden(&self, x: &CsrMatrix) -> Result<Matrix, NnError> {
        self.rows_of(x, self.hidden_units(), |scratch, forward| scratch.hidden(forward).0)
    }

    /// The sums of the last layer before its activation, for every row of `x`: shape `[x.rows(), units]`.
    /// Runs on all threads of the current pool.
    ///
    /// # Errors
    /// [`NnError::Shape`] if `x` has another number of columns than the network has inputs.
    pub fn logits(&self, x: &CsrMatrix) -> Result<Matrix, NnError> {
        self.rows_of(x, self.units(), |scratch, _| &scratch.logits)
    }

    /// Number of columns of [`hidden`](Self::hidden): the units of the layer before the last, or of the
    /// only one.
    pub fn hidden_units(&self) -> usize {
        let before = self.parameters().len().saturating_sub(2);
        self.parameters().get(before).map_or(0, |p| p.units)
    }

    /// Runs every row of `x` through the layers and keeps `width` numbers of each.
    fn rows_of(
        &self,
        x: &CsrMatrix,
        width: usize,
        of: impl for<'s> Fn(&'s Scratch, &Forward<'_>) -> &'s [f32] + Sync,
    ) -> Result<Matrix, NnError> {
        self.check_input(x)?;
        let forward = Forward::new(self);
        let mut out = Matrix::zeros(x.rows(), width);
        out.data_mut().par_chunks_mut(BLOCK_ROWS * width).enumerate().for_each_init(
            || (Scratch::default(), Vec::new()),
            |(scratch, spans), (block, out)| {
                let first = block * BLOCK_ROWS;
                spans.clear();
                spans.extend((first..first + out.len() / width).map(|r| x.span(r)));
                forward.run(x.as_rows(spans), scratch);
                unpack(of(scratch, &forward), width, out);
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
    fn the_hidden_layer_is_what_the_last_one_sees() {
        let (model, x) = (model(), rows(BLOCK_ROWS + 5));
        let hidden = model.hidden(&x).unwrap();
        assert_eq!((hidden.rows(), hidden.cols(), model.hidden_units()), (BLOCK_ROWS + 5, 9, 9));
        assert_eq!(model.predictor().hidden_rows(&x).unwrap(), hidden.data());
        let first = Dense::new(9).activation(Activation::Gelu).into();
        let given = |p: &crate::Parameters| (p.kernel.clone(), p.bias.clone());
        let alone =
            Sequential::from_parameters(20, [first], [given(&model.parameters()[0])], 0).unwrap();
        assert_eq!(alone.predict(&x).unwrap(), hidden);
        assert!(model.hidden(&CsrMatrix::with_cols(3)).is_err());
    }

    #[test]
    fn the_hidden_numbers_of_a_linear_model_are_its_sums() {
        let network = |activation| {
            Sequential::new(20, [Dense::new(5).activation(activation).into()], 3).unwrap()
        };
        let x = rows(7);
        let softmax = network(Activation::Softmax);
        let sums = network(Activation::Linear).predict(&x).unwrap();
        assert_eq!(softmax.logits(&x).unwrap(), sums);
        assert_eq!((softmax.hidden(&x).unwrap(), softmax.hidden_units()), (sums, 5));
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
