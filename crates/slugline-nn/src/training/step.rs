//! One training step: forward and back through a batch, block by block, then every parameter.
//!
//! A step has three parts, each of which keeps all threads busy. First the sparse layer goes forward,
//! for each panel of its columns and each block of rows. Then every block of rows goes through the
//! other layers and back, as far as the gradient of the first layer's pre-activations; meanwhile the
//! next batch is gathered and sorted by feature. At last every parameter belongs to one task, which
//! sums its gradient over all rows in order and steps it at once. No sum depends on how the work was
//! divided, so the result does not depend on the number of threads.
//!
//! The parts follow each other without a pause: a thread that finds nothing to do for some ten
//! microseconds is put to sleep by its pool, and waking it costs more than a part of a step.

use pulp::Arch;

use super::Compiled;
use super::batch::{Batch, ByFeature, GROUP};
use super::parameters::{Later, Panel, Working, transpose};
use super::threads::run_tasks;
use crate::NnError;
use crate::buffer::{Aligned, padded};
use crate::kernels::rows::SparseRows;
use crate::kernels::step::{Decay, FeatureStep, RowsMut, Rule, add_column_sums, step_dense};
use crate::kernels::{self, activation, matmul};
use crate::layers::Regularizer;
use crate::loss::{Loss, OutputBlock, loss_and_gradient};
use crate::matrix::{CsrMatrix, Targets};
use crate::metrics::{Tally, Tallying};
use crate::model::{BLOCK_ROWS, Columns, Forward, Packed, Scratch, Sequential, Stage, apply};
use crate::optimizer::{Optimizer, ParameterState, step_counter};
use crate::random::{DROPOUT, DropoutMask, Stream};

/// Rows of a dense kernel that one task steps: bands of every tile height.
const KERNEL_ROWS: usize = 24;

/// Tasks that the features of a batch are divided into for each panel.
const FEATURE_TASKS: usize = 8;

/// What one block of rows needs on its way forward and back; reused step after step.
#[derive(Debug, Default)]
struct Block {
    scratch: Scratch,
    /// Per stage, the gradient of its pre-activations, in padded rows.
    deltas: Vec<Aligned<f32>>,
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

/// The batch of a step, and the one after it.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'a> {
    /// Rows of the data, which have been prepared.
    pub(crate) samples: &'a [usize],
    /// Rows to prepare meanwhile.
    pub(crate) upcoming: Option<&'a [usize]>,
}

/// A batch that is ready to be stepped.
#[derive(Default)]
struct Prepared {
    batch: Batch,
    by_feature: ByFeature,
    /// Per stage, the dropout mask before it.
    masks: Vec<Option<DropoutMask>>,
}

impl Prepared {
    /// Draws the masks of a batch, gathers its rows and sorts them.
    fn make(
        &mut self,
        x: &CsrMatrix,
        samples: &[usize],
        working: &Working,
        stages: &[Stage<'_>],
        dropout: &mut [Option<Stream>],
    ) {
        self.masks.clear();
        self.masks.extend(stages.iter().zip(dropout).map(|(stage, stream)| {
            stream.as_mut().map(|s| DropoutMask::new(s.bits(), stage.dropout))
        }));
        self.batch.gather(x, samples, self.masks[0], working.places());
        self.by_feature.build(self.batch.rows(), working.rows());
    }
}

/// Makes steps; holds all buffers that a step needs.
pub(crate) struct Stepper {
    cpu: Arch,
    current: Prepared,
    next: Prepared,
    blocks: Vec<Block>,
    /// Per panel of the first layer and row of the batch, the pre-activations and later their
    /// gradients.
    first: Vec<Aligned<f32>>,
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
            current: Prepared::default(),
            next: Prepared::default(),
            blocks: Vec::new(),
            first: Vec::new(),
            dropout: Vec::new(),
            decay: Decay::new(rho),
            tallying: Tallying::new(&compiled.metrics, model.units(), model.output_activation()),
        }
    }

    /// Prepares the first batch of an epoch, and the streams of its dropout masks: by epoch, so that a
    /// run in two parts draws the masks of a run in one.
    pub(crate) fn begin_epoch(
        &mut self,
        model: &Sequential,
        working: &Working,
        epoch: u64,
        x: &CsrMatrix,
        samples: &[usize],
    ) {
        let stages = model.stages();
        let streams = stages.iter().enumerate().map(|(i, stage)| {
            let number = (epoch << 16) | i as u64;
            (stage.dropout > 0.0).then(|| Stream::new(model.seed(), DROPOUT, number))
        });
        self.dropout = streams.collect();
        self.current.make(x, samples, working, &stages, &mut self.dropout);
    }

    /// What the counts of the tally are read with.
    pub(crate) fn tallying(&self) -> &Tallying {
        &self.tallying
    }

    /// Makes one step and prepares the next; adds the scores, taken before the step, to `tally`.
    ///
    /// A loss that is not finite is reported and leaves the weights alone.
    pub(crate) fn step(
        &mut self,
        model: &Sequential,
        working: &mut Working,
        compiled: &mut Compiled,
        data: TrainingData<'_>,
        turn: Turn<'_>,
        tally: &mut Tally,
    ) -> Result<StepReport, NnError> {
        let penalty = working.penalty(model);
        self.sparse_forward(working, turn.samples.len());
        self.forward_and_back(model, working, compiled.loss, data, turn);
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
            self.update(model, working, rule, step, every_row);
        }
        std::mem::swap(&mut self.current, &mut self.next);
        Ok(StepReport { loss_sum, penalty, learning_rate })
    }

    /// The first part of a step: the pre-activations of the first layer, and the kernels of the other
    /// ones transposed.
    fn sparse_forward(&mut self, working: &mut Working, samples: usize) {
        enum Task<'a> {
            Rows { panel: &'a Panel, x: SparseRows<'a>, out: &'a mut [f32] },
            Transpose { packed: &'a Packed, later: &'a mut Later },
        }
        let Working { panels, packed, later, .. } = working;
        let rows = self.current.batch.rows();
        self.first.resize_with(panels.len(), || Aligned::new(0));
        let mut queues = Queues::new(panels.len());
        for (i, (panel, out)) in panels.iter().zip(&mut self.first).enumerate() {
            out.resize(samples * panel.width(), 0.0);
            let blocks = out.chunks_mut(BLOCK_ROWS * panel.width());
            for (block, (out, spans)) in blocks.zip(rows.spans.chunks(BLOCK_ROWS)).enumerate() {
                let x = SparseRows { spans, ..rows };
                queues.push(i, block, Task::Rows { panel, x, out });
            }
        }
        for (i, (packed, later)) in packed.iter().zip(later).enumerate() {
            queues.push(i, 0, Task::Transpose { packed, later });
        }
        let cpu = self.cpu;
        run_tasks(queues.0, |task| match task {
            Task::Rows { panel, x, out } => {
                let columns = Columns { range: 0..panel.width(), ..panel.as_columns() };
                columns.forward(cpu, x, panel.width(), out);
            }
            Task::Transpose { packed, later } => transpose(packed, &mut later.transposed),
        });
    }

    /// The second part of a step.
    fn forward_and_back(
        &mut self,
        model: &Sequential,
        working: &Working,
        loss: Loss,
        data: TrainingData<'_>,
        Turn { samples, upcoming }: Turn<'_>,
    ) {
        enum Task<'a> {
            Prepare(&'a mut Prepared, &'a mut [Option<Stream>], &'a [usize]),
            Block {
                row: usize,
                block: &'a mut Block,
                first: Vec<&'a mut [f32]>,
                samples: &'a [usize],
            },
        }
        let pass = Pass {
            forward: working.forward(model),
            working,
            loss,
            data,
            scale: 1.0 / samples.len() as f32,
            masks: &self.current.masks,
            tallying: &self.tallying,
        };
        self.blocks.resize_with(samples.len().div_ceil(BLOCK_ROWS), || Block {
            tally: self.tallying.tally(),
            ..Block::default()
        });
        let mut queues = Queues::new(1);
        if let Some(samples) = upcoming {
            queues.push(0, 0, Task::Prepare(&mut self.next, &mut self.dropout, samples));
        }
        let mut panels: Vec<_> = self
            .first
            .iter_mut()
            .zip(&working.panels)
            .map(|(first, panel)| first.chunks_mut(BLOCK_ROWS * panel.width()))
            .collect();
        for (i, (block, samples)) in
            self.blocks.iter_mut().zip(samples.chunks(BLOCK_ROWS)).enumerate()
        {
            let first = panels.iter_mut().filter_map(Iterator::next).collect();
            queues.push(0, i + 1, Task::Block { row: i * BLOCK_ROWS, block, first, samples });
        }
        run_tasks(queues.0, |task| match task {
            Task::Prepare(next, dropout, samples) => {
                next.make(data.x, samples, working, &pass.forward.stages, dropout);
            }
            Task::Block { row, block, first, samples } => pass.run(block, first, row, samples),
        });
    }

    /// The third part of a step.
    fn update(
        &mut self,
        model: &Sequential,
        working: &mut Working,
        rule: Rule,
        step: u32,
        every_row: bool,
    ) {
        let stages = model.stages();
        let n_features = working.rows();
        let Working { panels, packed, later, changed, .. } = working;
        let mut queues = Queues::new(panels.len());
        let (regularizer, by_feature) =
            (stages[0].dense.kernel_regularizer, &self.current.by_feature);
        let every_row = every_row || !regularizer.is_zero();
        for (i, (panel, delta)) in panels.iter_mut().zip(&self.first).enumerate() {
            let width = panel.width();
            let Panel { weights, bias, state, bias_state, .. } = panel;
            let rows = Rows { weights, state, width };
            let mut number = 0;
            rows.by_feature(by_feature, every_row, n_features, |rows, first, last_visit, range| {
                let task = Task::Features(FeatureStep {
                    rows,
                    first,
                    last_visit,
                    features: &by_feature.features[range.clone()],
                    starts: &by_feature.starts[range.start..=range.end],
                    samples: &by_feature.samples,
                    values: by_feature.values(),
                    delta,
                    width,
                    step,
                    rule,
                    decay: &self.decay,
                    regularizer,
                    every_row,
                });
                queues.push(i, number, task);
                number += 1;
            });
            if !bias.is_empty() {
                let rows = RowsMut { weights: bias, m: &mut bias_state.m, v: &mut bias_state.v };
                queues.push(i, number, Task::FirstBias { delta, rows });
            }
        }
        queues.push(0, 0, Task::Note { by_feature, every_row, changed });
        let mut number = 0;
        for (i, (p, Later { state, bias_state, .. })) in packed.iter_mut().zip(later).enumerate() {
            let (n_in, units) = (padded(p.n_in), p.stride());
            let regularizer = stages[i + 1].dense.kernel_regularizer;
            let Packed { kernel, bias, .. } = p;
            if !bias.is_empty() {
                let rows = RowsMut { weights: bias, m: &mut bias_state.m, v: &mut bias_state.v };
                queues.push(0, number, Task::Bias { stage: i + 1, rows });
                number += 1;
            }
            Rows { weights: kernel, state, width: units }.in_bands(|rows, first| {
                let (stage, width) = (i + 1, n_in);
                let task = Task::Kernel { stage, rows, first, width, units, regularizer };
                queues.push(0, number, task);
                number += 1;
            });
        }
        let (cpu, blocks) = (self.cpu, &self.blocks);
        run_tasks(queues.0, |task| match task {
            Task::Note { every_row: true, changed, .. } => changed.fill(true),
            Task::Note { by_feature, changed, .. } => {
                for &feature in &by_feature.features {
                    changed[feature as usize / GROUP] = true;
                }
            }
            Task::Features(features) => features.run(cpu),
            Task::FirstBias { delta, rows } => {
                let mut gradient = vec![0.0; rows.weights.len()];
                add_column_sums(cpu, delta, &mut gradient);
                step_dense(cpu, rule, Regularizer::default(), rows, &gradient);
            }
            Task::Bias { stage, rows } => {
                let mut gradient = vec![0.0; rows.weights.len()];
                for block in blocks {
                    add_column_sums(cpu, &block.deltas[stage], &mut gradient);
                }
                step_dense(cpu, rule, Regularizer::default(), rows, &gradient);
            }
            Task::Kernel { stage, rows, first, width, units, regularizer } => {
                let mut gradient = vec![0.0; rows.weights.len()];
                for block in blocks {
                    let (input, delta) = (block.scratch.input(stage), &block.deltas[stage]);
                    let columns = matmul::ByColumn { a: input, first, stride: width };
                    matmul::matmul_transposed(cpu, &mut gradient, columns, delta, units);
                }
                step_dense(cpu, rule, regularizer, rows, &gradient);
            }
        });
    }
}

/// A part of the parameters that one thread steps.
enum Task<'a> {
    /// Notes which rows of the first kernel change.
    Note {
        by_feature: &'a ByFeature,
        every_row: bool,
        changed: &'a mut [bool],
    },
    Features(FeatureStep<'a>),
    FirstBias {
        delta: &'a [f32],
        rows: RowsMut<'a>,
    },
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

/// The tasks of each thread.
struct Queues<T>(Vec<Vec<T>>, usize);

impl<T> Queues<T> {
    /// Empty queues for the threads of the pool, to be shared by `groups`.
    fn new(groups: usize) -> Self {
        let threads = rayon::current_num_threads();
        Self((0..threads).map(|_| Vec::new()).collect(), groups)
    }

    /// Puts the task with this number within its group into the queue of one of the group's threads:
    /// every time the same one.
    fn push(&mut self, group: usize, number: usize, task: T) {
        let Self(queues, groups) = self;
        let threads = queues.len();
        let group = group % *groups;
        // Threads `group`, `group + groups`, … belong to the group.
        let members = (threads - group.min(threads - 1)).div_ceil(*groups);
        queues[(group + number % members * *groups) % threads].push(task);
    }
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
    working: &'a Working,
    loss: Loss,
    data: TrainingData<'a>,
    scale: f32,
    masks: &'a [Option<DropoutMask>],
    tallying: &'a Tallying,
}

impl Pass<'_> {
    /// Goes forward from the pre-activations of the first stage, which `first` holds in panels, and
    /// back to their gradient, which takes their place. `row` is the place of the block's first row
    /// in the batch, `samples` its places in the data.
    fn run(&self, block: &mut Block, mut first: Vec<&mut [f32]>, row: usize, samples: &[usize]) {
        let Block { scratch, deltas, losses, tally } = block;
        let whole = self.forward.begin(samples.len(), scratch);
        let stride = padded(self.forward.stages[0].dense.units);
        for (panel, part) in self.working.panels.iter().zip(&first) {
            let rows = whole.chunks_exact_mut(stride).zip(part.chunks_exact(panel.width()));
            rows.for_each(|(row, part)| row[panel.columns.clone()].copy_from_slice(part));
        }
        self.forward.go_on(row, self.masks, scratch);
        self.score(scratch, samples, deltas, losses, tally);
        self.back(scratch, deltas, row);
        for (panel, part) in self.working.panels.iter().zip(&mut first) {
            let rows = deltas[0].chunks_exact(stride).zip(part.chunks_exact_mut(panel.width()));
            rows.for_each(|(row, part)| part.copy_from_slice(&row[panel.columns.clone()]));
        }
    }

    /// Losses, counts and the gradient of the last stage's pre-activations.
    fn score(
        &self,
        scratch: &Scratch,
        samples: &[usize],
        deltas: &mut Vec<Aligned<f32>>,
        losses: &mut Vec<f64>,
        tally: &mut Tally,
    ) {
        losses.clear();
        tally.clear();
        let stages = &self.forward.stages;
        deltas.resize_with(stages.len(), || Aligned::new(0));
        for (delta, stage) in deltas.iter_mut().zip(stages) {
            delta.resize(samples.len() * padded(stage.dense.units), 0.0);
        }
        let units = self.forward.units();
        let (outputs, stride) = (scratch.result(), padded(units));
        let block = OutputBlock {
            outputs,
            log_sums: &scratch.log_sums,
            logits: &scratch.logits,
            units,
            stride,
            samples,
        };
        let TrainingData { y, sample_weight, .. } = self.data;
        let last = stages.len() - 1;
        let delta = &mut deltas[last];
        loss_and_gradient(self.loss, &block, y, sample_weight, self.scale, losses, delta);
        for (&sample, p) in samples.iter().zip(outputs.chunks_exact(stride)) {
            self.tallying.count(tally, y, sample, &p[..units]);
        }
        if self.loss == Loss::MeanSquaredError {
            self.through_activation(last, scratch, delta);
        }
    }

    /// From the gradient of the last stage's pre-activations to that of the first's.
    fn back(&self, scratch: &Scratch, deltas: &mut [Aligned<f32>], row: usize) {
        for i in (1..deltas.len()).rev() {
            let (before, from_here) = deltas.split_at_mut(i);
            let delta = &mut before[i - 1];
            let p = &self.forward.packed[i - 1];
            let transposed = &self.working.later[i - 1].transposed;
            let (stride, n) = (p.stride(), padded(p.n_in));
            let rows = matmul::ByRow { a: &from_here[0], stride, k: p.units };
            matmul::matmul(self.forward.cpu, delta, rows, transposed, None, n);
            if let Some(mask) = &self.masks[i] {
                apply(mask, row, p.n_in, delta);
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
            padded(dense.units),
            &scratch.outputs[stage],
            &scratch.before[stage],
            delta,
        );
    }
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
