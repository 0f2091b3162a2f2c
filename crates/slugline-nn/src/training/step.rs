//! One training step: forward and back through a batch, block by block, then every parameter.
//!
//! The step has two parts, each of which runs on all threads. In the first, every block of rows goes
//! forward and back on its own, as far as the gradient of the first layer's pre-activations;
//! meanwhile the batch is sorted by feature. In the second, every parameter belongs to one task,
//! which sums its gradient over all rows in order and steps it at once. No sum depends on how the
//! work was divided, so the result does not depend on the number of threads.

use pulp::Arch;
use rayon::prelude::*;

use super::Compiled;
use super::batch::{Batch, ByFeature};
use crate::NnError;
use crate::kernels::rows::SparseRows;
use crate::kernels::step::{Decay, FeatureStep, RowsMut, Rule, add_column_sums, step_dense};
use crate::kernels::{self, activation, matmul};
use crate::layers::Regularizer;
use crate::loss::{Loss, OutputBlock, loss_and_gradient};
use crate::matrix::{CsrMatrix, Targets};
use crate::metrics::{Tally, Tallying};
use crate::model::{BLOCK_ROWS, Forward, Parameters, Scratch, Sequential, apply};
use crate::optimizer::{Optimizer, ParameterState, step_counter};
use crate::random::{DROPOUT, DropoutMask, Stream};

/// Rows of a dense kernel that one task steps: four bands of the widest common tile.
const KERNEL_ROWS: usize = 24;

/// Tasks that the features of a batch are divided into.
const FEATURE_TASKS: usize = 16;

/// What one block of rows needs on its way forward and back; reused step after step.
#[derive(Debug, Default)]
struct Block {
    scratch: Scratch,
    /// Per stage after the first, the gradient of its pre-activations.
    deltas: Vec<Vec<f32>>,
    losses: Vec<f64>,
    tally: Tally,
}

/// The data of a training run.
#[derive(Clone, Copy)]
pub(crate) struct TrainingData<'a> {
    pub(crate) x: &'a CsrMatrix,
    pub(crate) y: &'a Targets,
    /// One weight a sample; `None` for 1 each.
    pub(crate) sample_weight: Option<&'a [f32]>,
}

/// Sums over the samples of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StepReport {
    /// Sum of the weighted losses of the samples.
    pub(crate) loss_sum: f64,
    /// Penalty of the weights before the step.
    pub(crate) penalty: f64,
    pub(crate) learning_rate: f64,
}

/// Makes steps; holds all buffers that a step needs.
pub(crate) struct Stepper {
    cpu: Arch,
    batch: Batch,
    by_feature: ByFeature,
    blocks: Vec<Block>,
    /// Gradient of the first stage's pre-activations, all rows of the batch.
    first_delta: Vec<f32>,
    /// Per stage, its kernel transposed; empty for the first.
    transposed: Vec<Vec<f32>>,
    masks: Vec<Option<DropoutMask>>,
    dropout: Vec<Option<Stream>>,
    decay: Decay,
    tallying: Tallying,
}

impl Stepper {
    pub(crate) fn new(model: &Sequential, compiled: &Compiled) -> Self {
        let rho = match compiled.optimizer {
            Optimizer::RmsProp { rho, .. } => rho,
            _ => 1.0,
        };
        Self {
            cpu: kernels::cpu(),
            batch: Batch::default(),
            by_feature: ByFeature::default(),
            blocks: Vec::new(),
            first_delta: Vec::new(),
            transposed: vec![Vec::new(); model.parameters().len()],
            masks: Vec::new(),
            dropout: Vec::new(),
            decay: Decay::new(rho),
            tallying: Tallying::new(&compiled.metrics, model.units(), model.output_activation()),
        }
    }

    /// Sets up the streams of dropout masks of an epoch, so that a run in two parts draws the masks of
    /// a run in one.
    pub(crate) fn begin_epoch(&mut self, model: &Sequential, epoch: u64) {
        let streams = model.stages().into_iter().enumerate().map(|(i, stage)| {
            let number = (epoch << 16) | i as u64;
            (stage.dropout > 0.0).then(|| Stream::new(model.seed(), DROPOUT, number))
        });
        self.dropout = streams.collect();
    }

    /// What the counts of the tally are read with.
    pub(crate) fn tallying(&self) -> &Tallying {
        &self.tallying
    }

    /// Makes one step on the rows `samples`; adds their scores, taken before the step, to `tally`.
    ///
    /// A loss that is not finite is reported and leaves the weights alone.
    pub(crate) fn step(
        &mut self,
        model: &mut Sequential,
        compiled: &mut Compiled,
        data: TrainingData<'_>,
        samples: &[usize],
        tally: &mut Tally,
    ) -> Result<StepReport, NnError> {
        self.prepare(model, data.x, samples);
        let penalty = penalty(model);
        self.forward_and_back(model, compiled.loss, data, samples);
        let mut loss_sum = 0.0;
        for block in &self.blocks {
            loss_sum += block.losses.iter().sum::<f64>();
            tally.add(&block.tally);
        }
        let (rule, learning_rate) = compiled.optimizer.rule(compiled.steps + 1);
        if loss_sum.is_finite() && penalty.is_finite() {
            compiled.steps += 1;
            let step = step_counter(compiled.steps)?;
            let every_row = compiled.optimizer.moves_absent_features();
            self.update(model, &mut compiled.state, rule, step, every_row);
        }
        Ok(StepReport { loss_sum, penalty, learning_rate })
    }

    /// Sets up the buffers for a batch.
    fn prepare(&mut self, model: &Sequential, x: &CsrMatrix, samples: &[usize]) {
        self.masks.clear();
        for (stage, stream) in model.stages().iter().zip(&mut self.dropout) {
            let mask = stream.as_mut().map(|s| DropoutMask::new(s.bits(), stage.dropout));
            self.masks.push(mask);
        }
        self.batch.gather(x, samples, self.masks[0]);
        for (p, transposed) in model.parameters().iter().zip(&mut self.transposed).skip(1) {
            transposed.resize(p.n_in * p.units, 0.0);
            matmul::transpose(p.kernel.as_slice(), p.n_in, p.units, transposed);
        }
        let width = model.parameters()[0].units;
        self.first_delta.resize(samples.len() * width, 0.0);
        self.blocks.resize_with(samples.len().div_ceil(BLOCK_ROWS), || Block {
            tally: self.tallying.tally(),
            ..Block::default()
        });
    }

    /// The first part of a step.
    fn forward_and_back(
        &mut self,
        model: &Sequential,
        loss: Loss,
        data: TrainingData<'_>,
        samples: &[usize],
    ) {
        let pass = Pass {
            forward: Forward::new(model),
            loss,
            data,
            scale: 1.0 / samples.len() as f32,
            masks: &self.masks,
            transposed: &self.transposed,
            tallying: &self.tallying,
        };
        let rows = self.batch.rows();
        let width = model.parameters()[0].units;
        let by_feature = &mut self.by_feature;
        let blocks = self
            .blocks
            .par_iter_mut()
            .zip(self.first_delta.par_chunks_mut(BLOCK_ROWS * width))
            .zip(samples.par_chunks(BLOCK_ROWS))
            .enumerate()
            .with_max_len(1);
        rayon::join(
            || by_feature.build(rows, data.x.cols()),
            || {
                blocks.for_each(|(i, ((block, delta), samples))| {
                    let first = i * BLOCK_ROWS;
                    let spans = &rows.spans[first..first + samples.len()];
                    pass.run(block, delta, SparseRows { spans, ..rows }, first, samples);
                });
            },
        );
    }

    /// The second part of a step.
    fn update(
        &mut self,
        model: &mut Sequential,
        state: &mut [(ParameterState, ParameterState)],
        rule: Rule,
        step: u32,
        every_row: bool,
    ) {
        let regularizers: Vec<Regularizer> =
            model.stages().iter().map(|s| s.dense.kernel_regularizer).collect();
        let mut tasks = Vec::new();
        let parameters = model.parameters_mut().iter_mut().zip(state).zip(&regularizers);
        for (i, ((p, (kernel_state, bias_state)), &regularizer)) in parameters.enumerate() {
            let Parameters { n_in, units, kernel, bias } = p;
            let (n_in, units) = (*n_in, *units);
            let bias = bias.make_mut();
            if !bias.is_empty() {
                let (m, v) = (&mut bias_state.m[..], &mut bias_state.v[..]);
                tasks.push(Task::Bias { stage: i, rows: RowsMut { weights: bias, m, v } });
            }
            let rows = Rows { weights: kernel.make_mut(), state: kernel_state, width: units };
            if i == 0 {
                let every_row = every_row || !regularizer.is_zero();
                let by_feature = &self.by_feature;
                rows.by_feature(by_feature, every_row, n_in, |rows, first, last_visit, range| {
                    tasks.push(Task::Features(FeatureStep {
                        rows,
                        first,
                        last_visit,
                        features: &by_feature.features[range.clone()],
                        starts: &by_feature.starts[range.start..=range.end],
                        samples: &by_feature.samples,
                        values: by_feature.values(),
                        delta: &self.first_delta,
                        width: units,
                        step,
                        rule,
                        decay: &self.decay,
                        regularizer,
                        every_row,
                    }));
                });
            } else {
                rows.in_bands(|rows, first| {
                    tasks.push(Task::Kernel {
                        stage: i,
                        rows,
                        first,
                        width: n_in,
                        units,
                        regularizer,
                    });
                });
            }
        }
        let (cpu, blocks, first_delta) = (self.cpu, &self.blocks, &self.first_delta);
        tasks.into_par_iter().with_max_len(1).for_each(|task| match task {
            Task::Features(features) => features.run(cpu),
            Task::Bias { stage, rows } => {
                let mut gradient = vec![0.0; rows.weights.len()];
                if stage == 0 {
                    add_column_sums(cpu, first_delta, &mut gradient);
                } else {
                    for block in blocks {
                        add_column_sums(cpu, &block.deltas[stage], &mut gradient);
                    }
                }
                step_dense(cpu, rule, Regularizer::default(), rows, &mut gradient);
            }
            Task::Kernel { stage, rows, first, width, units, regularizer } => {
                let mut gradient = vec![0.0; rows.weights.len()];
                for block in blocks {
                    let (input, delta) = (block.scratch.input(stage), &block.deltas[stage]);
                    matmul::matmul_transposed(
                        cpu,
                        &mut gradient,
                        input,
                        delta,
                        first,
                        width,
                        units,
                    );
                }
                step_dense(cpu, rule, regularizer, rows, &mut gradient);
            }
        });
    }
}

/// A part of the parameters that one thread steps.
enum Task<'a> {
    Features(FeatureStep<'a>),
    Bias {
        stage: usize,
        rows: RowsMut<'a>,
    },
    Kernel {
        stage: usize,
        rows: RowsMut<'a>,
        first: usize,
        width: usize,
        units: usize,
        regularizer: Regularizer,
    },
}

/// A kernel with its optimizer state, to be divided by rows.
struct Rows<'a> {
    weights: &'a mut [f32],
    state: &'a mut ParameterState,
    width: usize,
}

impl<'a> Rows<'a> {
    /// Bands of [`KERNEL_ROWS`] rows, each with the number of its first row.
    fn in_bands(self, mut each: impl FnMut(RowsMut<'a>, usize)) {
        let span = KERNEL_ROWS * self.width;
        let (mut m, mut v) = (&mut self.state.m[..], &mut self.state.v[..]);
        for (band, weights) in self.weights.chunks_mut(span).enumerate() {
            let n = weights.len();
            let rows = RowsMut { weights, m: take(&mut m, n), v: take(&mut v, n) };
            each(rows, band * KERNEL_ROWS);
        }
    }

    /// Ranges of rows that hold about the same number of the batch's non-zeros, or with `every_row`
    /// about the same number of rows. Each comes with its first row, its visits and its range in the
    /// list of features.
    fn by_feature(
        self,
        batch: &ByFeature,
        every_row: bool,
        n_rows: usize,
        mut each: impl FnMut(RowsMut<'a>, u32, &'a mut [u32], std::ops::Range<usize>),
    ) {
        let ParameterState { m, v, last_visit } = self.state;
        let (mut weights, mut m, mut v) = (self.weights, &mut m[..], &mut v[..]);
        let mut last_visit = &mut last_visit[..];
        let mut row = 0;
        let mut at = 0;
        let total = batch.samples.len();
        for task in 1..=FEATURE_TASKS {
            let (end_row, end_at) = if every_row {
                let end_row = n_rows * task / FEATURE_TASKS;
                (end_row, batch.features.partition_point(|&f| (f as usize) < end_row))
            } else {
                let share = total * task / FEATURE_TASKS;
                let end_at = batch.starts[..batch.features.len()]
                    .partition_point(|&start| (start as usize) < share)
                    .max(at);
                let end_row = end_at.checked_sub(1).map_or(0, |i| batch.features[i] as usize + 1);
                (end_row.max(row), end_at)
            };
            let n = (end_row - row) * self.width;
            let rows =
                RowsMut { weights: take(&mut weights, n), m: take(&mut m, n), v: take(&mut v, n) };
            let visits = take(&mut last_visit, end_row - row);
            if n > 0 {
                each(rows, row as u32, visits, at..end_at);
            }
            (row, at) = (end_row, end_at);
        }
    }
}

/// Cuts the first `n` elements off a slice; off an empty one, nothing.
#[allow(clippy::mut_mut, reason = "what is cut off leaves the caller's slice")]
fn take<'a, T>(slice: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    slice.split_off_mut(..n).unwrap_or_default()
}

/// The way of a block forward and back.
struct Pass<'a> {
    forward: Forward<'a>,
    loss: Loss,
    data: TrainingData<'a>,
    scale: f32,
    masks: &'a [Option<DropoutMask>],
    transposed: &'a [Vec<f32>],
    tallying: &'a Tallying,
}

impl Pass<'_> {
    /// Goes forward through `x` and back to the gradient of the first stage's pre-activations.
    /// `first` is the place of the block's first row in the batch, `samples` its places in the data.
    fn run(
        &self,
        block: &mut Block,
        first_delta: &mut [f32],
        x: SparseRows<'_>,
        first: usize,
        samples: &[usize],
    ) {
        let Block { scratch, deltas, losses, tally } = block;
        self.forward.run(x, first, self.masks, scratch);
        losses.clear();
        tally.clear();
        let stages = &self.forward.stages;
        let parameters = self.forward.parameters;
        let last = stages.len() - 1;
        deltas.resize_with(stages.len(), Vec::new);
        for (delta, p) in deltas.iter_mut().zip(parameters).skip(1) {
            delta.resize(samples.len() * p.units, 0.0);
        }
        {
            let units = parameters[last].units;
            let delta = if last == 0 { &mut *first_delta } else { &mut deltas[last][..] };
            let outputs = scratch.result();
            let block = OutputBlock {
                outputs,
                log_sums: &scratch.log_sums,
                logits: &scratch.logits,
                units,
                samples,
            };
            let TrainingData { y, sample_weight, .. } = self.data;
            loss_and_gradient(self.loss, &block, y, sample_weight, self.scale, losses, delta);
            for (&sample, p) in samples.iter().zip(outputs.chunks_exact(units)) {
                self.tallying.count(tally, y, sample, p);
            }
            if self.loss == Loss::MeanSquaredError {
                self.through_activation(last, scratch, delta);
            }
        }
        for i in (1..=last).rev() {
            let (before, from_here) = deltas.split_at_mut(i);
            let delta = if i == 1 { &mut *first_delta } else { &mut before[i - 1][..] };
            let p = &parameters[i];
            let cpu = self.forward.cpu;
            matmul::matmul(cpu, delta, &from_here[0], &self.transposed[i], None, p.units, p.n_in);
            if let Some(mask) = &self.masks[i] {
                apply(mask, first, p.n_in, delta);
            }
            self.through_activation(i - 1, scratch, delta);
        }
    }

    /// From the gradient of a stage's outputs to that of its pre-activations.
    fn through_activation(&self, stage: usize, scratch: &Scratch, delta: &mut [f32]) {
        let dense = self.forward.stages[stage].dense;
        activation::backward(
            self.forward.cpu,
            dense.activation,
            dense.units,
            &scratch.outputs[stage],
            &scratch.before[stage],
            delta,
        );
    }
}

/// The penalty of all kernels, summed in pieces of fixed size so that threads do not matter.
pub(crate) fn penalty(model: &Sequential) -> f64 {
    const PIECE: usize = 1 << 16;
    let mut sum = 0.0;
    for (stage, p) in model.stages().iter().zip(model.parameters()) {
        let regularizer = stage.dense.kernel_regularizer;
        if !regularizer.is_zero() {
            let pieces: Vec<f64> = p
                .kernel
                .as_slice()
                .par_chunks(PIECE)
                .map(|piece| regularizer.penalty(piece))
                .collect();
            sum += pieces.iter().sum::<f64>();
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Activation, Dense, Dropout};
    use crate::matrix::{Matrix, to_categorical};
    use crate::optimizer::LearningRate;

    /// The mean loss of a model, for finite differences.
    fn loss_of(model: &Sequential, x: &CsrMatrix, y: &Targets) -> f64 {
        model.evaluate(x, y).unwrap().loss
    }

    /// One SGD step with learning rate 1 moves each weight by its negative gradient, which must be
    /// the loss's finite difference.
    fn check_gradient(output: Activation, hidden: Activation, loss: Loss, y: &Targets) {
        let x = CsrMatrix::new(
            6,
            vec![0, 2, 4, 5, 5],
            vec![0, 2, 1, 5, 2],
            vec![1.0, 0.5, -1.0, 2.0, 1.5],
        )
        .unwrap();
        let layers = [
            Dense::new(5)
                .activation(hidden)
                .kernel_regularizer(Regularizer { l1: 0.0, l2: 0.01 })
                .into(),
            Dense::new(4).activation(Activation::Tanh).into(),
            Dense::new(3)
                .activation(output)
                .kernel_regularizer(Regularizer { l1: 0.02, l2: 0.0 })
                .into(),
        ];
        let mut model = Sequential::new(6, layers, 11).unwrap();
        let sgd = Optimizer::sgd().with_learning_rate(LearningRate::Constant(1.0));
        model.compile(sgd, loss, &[]).unwrap();
        let before = model.clone();
        let options = crate::FitOptions { epochs: 1, batch_size: 4, ..Default::default() };
        model.fit(&x, y, &options).unwrap();
        for (stage, (old, new)) in before.weights().iter().zip(model.weights()).enumerate() {
            for (which, (old, new)) in [(&old.0, &new.0), (&old.1, &new.1)].into_iter().enumerate()
            {
                for i in 0..old.as_slice().len() {
                    let gradient = f64::from(old.as_slice()[i]) - f64::from(new.as_slice()[i]);
                    let h = 4e-3f32;
                    let at = |change: f32| {
                        let mut moved = before.clone();
                        let p = &mut moved.parameters_mut()[stage];
                        let weights = if which == 0 { &mut p.kernel } else { &mut p.bias };
                        weights.make_mut()[i] += change;
                        loss_of(&moved, &x, y)
                    };
                    // Across the kink of L1 a difference quotient says nothing.
                    if stage == 2 && which == 0 && old.as_slice()[i].abs() < h {
                        continue;
                    }
                    let numeric = (at(h) - at(-h)) / (2.0 * f64::from(h));
                    assert!(
                        (gradient - numeric).abs() < 2e-4,
                        "{loss} {output} {hidden}: stage {stage}, weight {i}: {gradient} against {numeric}"
                    );
                }
            }
        }
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        let labels = [0u32, 2, 1, 2];
        let classes = Targets::from(labels.to_vec());
        let rows = Targets::from(to_categorical(&labels, 3).unwrap());
        let values = Targets::from(
            Matrix::new(4, 3, (0..12).map(|i| (i as f32 * 0.37).sin()).collect()).unwrap(),
        );
        for hidden in [Activation::Tanh, Activation::Gelu, Activation::Sigmoid, Activation::Softmax]
        {
            let softmax = Activation::Softmax;
            check_gradient(softmax, hidden, Loss::SparseCategoricalCrossentropy, &classes);
            let smoothed = Loss::CategoricalCrossentropy { label_smoothing: 0.1 };
            check_gradient(softmax, hidden, smoothed, &rows);
            let binary = Loss::BinaryCrossentropy { label_smoothing: 0.2 };
            check_gradient(Activation::Sigmoid, hidden, binary, &rows);
            for output in [Activation::Linear, Activation::Sigmoid, softmax, Activation::Gelu] {
                check_gradient(output, hidden, Loss::MeanSquaredError, &values);
            }
        }
    }

    #[test]
    fn dropout_trains_and_does_not_touch_predictions() {
        let x = CsrMatrix::from_dense(
            &Matrix::new(4, 2, vec![1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]).unwrap(),
        )
        .unwrap();
        let y = Targets::from(vec![0, 1, 0, 1]);
        let layers = || {
            [
                Dropout::new(0.1).into(),
                Dense::new(32).activation(Activation::Relu).into(),
                Dropout::new(0.5).into(),
                Dense::new(2).activation(Activation::Softmax).into(),
            ]
        };
        let train = |seed| {
            let mut model = Sequential::new(2, layers(), seed).unwrap();
            model
                .compile(
                    Optimizer::adam(),
                    Loss::SparseCategoricalCrossentropy,
                    &[crate::Metric::Accuracy],
                )
                .unwrap();
            let options = crate::FitOptions { epochs: 150, batch_size: 4, ..Default::default() };
            model.fit(&x, &y, &options).unwrap();
            assert_eq!(model.predict(&x).unwrap(), model.predict(&x).unwrap());
            assert_eq!(model.evaluate(&x, &y).unwrap().get("accuracy"), Some(1.0));
            model.weights()
        };
        assert_eq!(train(1), train(1));
        assert_ne!(train(1), train(2));
    }
}
