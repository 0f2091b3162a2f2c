//! The last part of a step: every parameter sums its gradient and is stepped.

use super::batch::{ByFeature, GROUP};
use super::block::Block;
use super::parameters::{Later, Panel, Working};
use super::threads::Tasks;
use crate::buffer::{Aligned, padded};
use crate::kernels::rule::{Decay, Rule};
use crate::kernels::step::{FeatureStep, RowsMut, add_column_sums, step_dense};
use crate::kernels::{self, matmul};
use crate::layers::Regularizer;
use crate::model::{Packed, Sequential};
use crate::optimizer::ParameterState;

/// Rows of a dense kernel that one task steps: bands of every tile height.
const KERNEL_ROWS: usize = 24;

/// Tasks that the features of a batch are divided into for each panel, at least: the more there are,
/// the better they are spread, and the more often one is taken over by a thread that does not have its
/// rows at hand.
const FEATURE_TASKS: usize = 4;

/// What a step has found out on its way forward and back, and how it is to move the weights.
pub(super) struct Update<'a> {
    pub(super) by_feature: &'a ByFeature,
    /// Per panel of the first layer and row of the batch, the gradient of the pre-activations.
    pub(super) first: &'a [Aligned<f32>],
    /// What the blocks of rows have left behind.
    pub(super) blocks: &'a [Block],
    pub(super) rule: Rule,
    pub(super) decay: &'a Decay,
    /// Number of the step, counted from 1.
    pub(super) step: u32,
    /// Whether rows without a gradient move too.
    pub(super) every_row: bool,
}

impl Update<'_> {
    /// Steps every parameter.
    pub(super) fn run(self, model: &Sequential, working: &mut Working) {
        let Self { by_feature, first, blocks, rule, decay, step, every_row } = self;
        let stages = model.stages();
        let Working { panels, packed, later, changed, .. } = working;
        let threads_a_panel = rayon::current_num_threads().div_ceil(panels.len());
        let parts = FEATURE_TASKS.max(2 * threads_a_panel);
        let mut tasks = Tasks::new(panels.len());
        let regularizer = stages[0].dense.kernel_regularizer;
        let every_row = every_row || !regularizer.is_zero();
        for (i, (panel, delta)) in panels.iter_mut().zip(first).enumerate() {
            let width = panel.width();
            let Panel { weights, bias, state, bias_state, .. } = panel;
            let rows = Rows { weights, state, width };
            let mut number = 0;
            rows.by_feature(by_feature, every_row, parts, |rows, first, last_visit, range| {
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
                    decay,
                    regularizer,
                    every_row,
                });
                tasks.push(i, number, task);
                number += 1;
            });
            if !bias.is_empty() {
                let rows = RowsMut { weights: bias, m: &mut bias_state.m, v: &mut bias_state.v };
                tasks.push(i, number, Task::Bias { deltas: vec![&delta[..]], rows });
            }
        }
        tasks.push(0, 0, Task::Note { by_feature, every_row, changed });
        let mut number = 0;
        for (i, (p, Later { state, bias_state, .. })) in packed.iter_mut().zip(later).enumerate() {
            let (n_in, units) = (padded(p.n_in), p.stride());
            let regularizer = stages[i + 1].dense.kernel_regularizer;
            let Packed { kernel, bias, .. } = p;
            if !bias.is_empty() {
                let rows = RowsMut { weights: bias, m: &mut bias_state.m, v: &mut bias_state.v };
                let deltas = blocks.iter().map(|block| &block.deltas[i + 1][..]).collect();
                tasks.push(0, number, Task::Bias { deltas, rows });
                number += 1;
            }
            Rows { weights: kernel, state, width: units }.in_bands(|rows, first| {
                let (stage, width) = (i + 1, n_in);
                let task = Task::Kernel { stage, rows, first, width, units, regularizer };
                tasks.push(0, number, task);
                number += 1;
            });
        }
        let cpu = kernels::cpu();
        tasks.run(|task| match task {
            Task::Note { every_row: true, changed, .. } => changed.fill(true),
            Task::Note { by_feature, changed, .. } => {
                for &feature in &by_feature.features {
                    changed[feature as usize / GROUP] = true;
                }
            }
            Task::Features(features) => features.run(cpu),
            Task::Bias { deltas, rows } => {
                let mut gradient = vec![0.0; rows.weights.len()];
                for delta in deltas {
                    add_column_sums(cpu, delta, &mut gradient);
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
    Bias {
        /// Gradients of the pre-activations, piece by piece.
        deltas: Vec<&'a [f32]>,
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

    /// At most `parts` ranges of rows that hold about the same number of the batch's non-zeros, or
    /// with `every_row` about the same number of rows. Each comes with its first row, its visits and
    /// its range in the list of features.
    fn by_feature(
        self,
        batch: &ByFeature,
        every_row: bool,
        parts: usize,
        mut each: impl FnMut(RowsMut<'a>, u32, &'a mut [u32], std::ops::Range<usize>),
    ) {
        let ParameterState { m, v, last_visit } = self.state;
        let (mut weights, mut m, mut v) = (self.weights, &mut m[..], &mut v[..]);
        let mut last_visit = &mut last_visit[..];
        let n_rows = weights.len() / self.width;
        let mut row = 0;
        let mut at = 0;
        let total = batch.samples.len();
        for task in 1..=parts {
            let (end_row, end_at) = if every_row {
                let end_row = n_rows * task / parts;
                (end_row, batch.features.partition_point(|&f| (f as usize) < end_row))
            } else {
                let share = total * task / parts;
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
