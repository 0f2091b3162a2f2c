//! From input rows to outputs.

use pulp::Arch;
use rayon::prelude::*;

use super::{Parameters, Sequential, Stage};
use crate::NnError;
use crate::kernels::{self, activation, matmul, rows::SparseRows};
use crate::matrix::{CsrMatrix, Matrix, SparseRow};
use crate::random::DropoutMask;

/// Rows that are computed together: enough to use each weight several times while it is in the
/// nearest cache, few enough that a batch gives every thread several blocks.
pub(crate) const BLOCK_ROWS: usize = 48;

/// The way through the layers.
pub(crate) struct Forward<'a> {
    pub(crate) cpu: Arch,
    pub(crate) stages: Vec<Stage<'a>>,
    pub(crate) parameters: &'a [Parameters],
}

/// What one block of rows leaves behind on its way, for the way back. Reused block after block.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Per stage, the activations.
    pub(crate) outputs: Vec<Vec<f32>>,
    /// Per stage, the pre-activations where the derivative needs them.
    pub(crate) before: Vec<Vec<f32>>,
    /// Per stage, its input after dropout; empty without dropout.
    pub(crate) dropped: Vec<Vec<f32>>,
    /// Pre-activations of the last stage.
    pub(crate) logits: Vec<f32>,
    /// `ln Σ eᶻ` of each row of a softmax.
    pub(crate) log_sums: Vec<f64>,
}

impl Scratch {
    /// Input of stage `i`, which is not the first.
    pub(crate) fn input(&self, i: usize) -> &[f32] {
        if self.dropped[i].is_empty() { &self.outputs[i - 1] } else { &self.dropped[i] }
    }

    /// Outputs of the network.
    pub(crate) fn result(&self) -> &[f32] {
        self.outputs.last().map_or(&[], Vec::as_slice)
    }
}

impl<'a> Forward<'a> {
    pub(crate) fn new(model: &'a Sequential) -> Self {
        Self { cpu: kernels::cpu(), stages: model.stages(), parameters: model.parameters() }
    }

    /// Computes the outputs of a block of rows into `scratch`.
    ///
    /// `masks` holds one dropout mask a stage while training; the first one has been applied to `x`
    /// already. `first` is the place of the block's first row in the batch.
    pub(crate) fn run(
        &self,
        x: SparseRows<'_>,
        first: usize,
        masks: &[Option<DropoutMask>],
        scratch: &mut Scratch,
    ) {
        let rows = x.spans.len();
        for buffers in [&mut scratch.outputs, &mut scratch.before, &mut scratch.dropped] {
            buffers.resize_with(self.stages.len(), Vec::new);
        }
        for (i, (stage, p)) in self.stages.iter().zip(self.parameters).enumerate() {
            let (earlier, from_here) = scratch.outputs.split_at_mut(i);
            let out = &mut from_here[0];
            out.resize(rows * p.units, 0.0);
            if i == 0 {
                kernels::rows::sparse_dense(
                    self.cpu,
                    x,
                    p.kernel.as_slice(),
                    p.bias(),
                    p.units,
                    out,
                );
            } else {
                let input = &earlier[i - 1];
                let dropped = &mut scratch.dropped[i];
                dropped.clear();
                if let Some(mask) = masks.get(i).copied().flatten() {
                    dropped.extend_from_slice(input);
                    apply(&mask, first, p.n_in, dropped);
                }
                let input = if dropped.is_empty() { input } else { dropped };
                let kernel = p.kernel.as_slice();
                matmul::matmul(self.cpu, out, input, kernel, p.bias(), p.n_in, p.units);
            }
            if i + 1 == self.stages.len() {
                scratch.logits.clear();
                scratch.logits.extend_from_slice(out);
            }
            activation::forward(
                self.cpu,
                stage.dense.activation,
                p.units,
                out,
                &mut scratch.before[i],
                &mut scratch.log_sums,
            );
        }
    }
}

/// Applies a dropout mask to rows of `width`, the first of which is row `first` of the batch.
pub(crate) fn apply(mask: &DropoutMask, first: usize, width: usize, values: &mut [f32]) {
    for (r, row) in values.chunks_exact_mut(width).enumerate() {
        for (column, v) in row.iter_mut().enumerate() {
            *v *= mask.factor(first + r, column as u32);
        }
    }
}

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
    scratch: Scratch,
}

impl Predictor<'_> {
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
        self.forward.run(x, 0, &[], &mut self.scratch);
        Ok(self.scratch.result())
    }
}

impl Sequential {
    /// A reusable way to ask for single rows; see [`Predictor`].
    pub fn predictor(&self) -> Predictor<'_> {
        Predictor {
            forward: Forward::new(self),
            input_width: self.input_width(),
            scratch: Scratch::default(),
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
                forward.run(x.as_rows(spans), 0, &[], scratch);
                out.copy_from_slice(scratch.result());
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
