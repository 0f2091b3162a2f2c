//! Scores of a model on data it does not learn from.

use rayon::prelude::*;

use super::Compiled;
use super::history::Scores;
use super::parameters::penalty;
use super::step::TrainingData;
use crate::NnError;
use crate::buffer::padded;
use crate::loss::{LossWeights, OutputBlock, loss_and_gradient};
use crate::matrix::{CsrMatrix, Targets};
use crate::metrics::Tallying;
use crate::model::{BLOCK_ROWS, Forward, Scratch, Sequential};

impl Sequential {
    /// The loss and the metrics of `compile` on `x` and `y`. Runs on all threads of the current
    /// pool.
    ///
    /// # Errors
    /// [`NnError::NotCompiled`] before `compile`, [`NnError::Empty`] without samples,
    /// [`NnError::Shape`], [`NnError::Label`], [`NnError::NotFinite`] or [`NnError::Loss`] for data
    /// that do not fit.
    pub fn evaluate(&self, x: &CsrMatrix, y: &Targets) -> Result<Scores, NnError> {
        let compiled = self.compiled.as_ref().ok_or(NnError::NotCompiled { before: "evaluate" })?;
        self.check_data(compiled, x, y, "evaluation data")?;
        let data = TrainingData { x, y, weights: LossWeights::default() };
        Ok(self.scores(&Forward::new(self), penalty(self), compiled, data))
    }

    /// [`evaluate`](Self::evaluate) on data that have been checked, with the parameters in `forward`
    /// and their penalty.
    pub(super) fn scores(
        &self,
        forward: &Forward<'_>,
        penalty: f64,
        compiled: &Compiled,
        data: TrainingData<'_>,
    ) -> Scores {
        let TrainingData { x, y, weights } = data;
        let units = self.units();
        let stride = padded(units);
        let tallying = Tallying::new(&compiled.metrics, units, self.output_activation());
        let samples: Vec<usize> = (0..x.rows()).collect();
        let blocks: Vec<_> = samples
            .par_chunks(BLOCK_ROWS)
            .map_init(Scratch::default, |scratch, samples| {
                let spans: Vec<_> = samples.iter().map(|&s| x.span(s)).collect();
                forward.run(x.as_rows(&spans), scratch);
                let block = OutputBlock {
                    outputs: scratch.result(),
                    log_sums: &scratch.log_sums,
                    logits: &scratch.logits,
                    units,
                    stride,
                    samples,
                };
                let mut losses = Vec::with_capacity(samples.len());
                loss_and_gradient(compiled.loss, &block, y, weights, 1.0, &mut losses, &mut []);
                let mut tally = tallying.tally();
                for (&sample, p) in samples.iter().zip(scratch.result().chunks_exact(stride)) {
                    tallying.count(&mut tally, y, sample, &p[..units]);
                }
                (losses.iter().sum::<f64>(), tally)
            })
            .collect();
        let mut total = tallying.tally();
        let mut loss = 0.0;
        for (sum, tally) in &blocks {
            loss += sum;
            total.add(tally);
        }
        scores(loss / x.rows() as f64 + penalty, &compiled.metrics, tallying.values(&total))
    }

    /// Checks that data fit the model and the loss.
    pub(crate) fn check_data(
        &self,
        compiled: &Compiled,
        x: &CsrMatrix,
        y: &Targets,
        what: &'static str,
    ) -> Result<(), NnError> {
        self.check_input(x)?;
        if x.rows() == 0 {
            return Err(NnError::Empty { what });
        }
        if x.rows() != y.len() {
            return Err(NnError::Shape {
                what: "targets (rows of the input)",
                expected: x.rows(),
                got: y.len(),
            });
        }
        compiled.loss.check_targets(y, self.units())
    }
}

/// Names the values of metrics.
pub(super) fn scores(loss: f64, metrics: &[crate::Metric], values: Vec<f64>) -> Scores {
    Scores { loss, metrics: metrics.iter().map(ToString::to_string).zip(values).collect() }
}
