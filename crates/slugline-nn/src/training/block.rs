//! The way of one block of rows forward and back.

use super::parameters::Working;
use super::step::TrainingData;
use crate::buffer::{Aligned, padded};
use crate::kernels::{activation, matmul};
use crate::loss::{Loss, OutputBlock, loss_and_gradient};
use crate::metrics::{Tally, Tallying};
use crate::model::{Forward, Scratch, apply};
use crate::random::DropoutMask;

/// What one block of rows needs on its way forward and back; reused step after step.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub(super) scratch: Scratch,
    /// Per stage, the gradient of its pre-activations, in padded rows.
    pub(super) deltas: Vec<Aligned<f32>>,
    pub(super) losses: Vec<f64>,
    pub(super) tally: Tally,
}

/// The way of a block forward and back.
pub(super) struct Pass<'a> {
    pub(super) forward: Forward<'a>,
    pub(super) working: &'a Working,
    pub(super) loss: Loss,
    pub(super) data: TrainingData<'a>,
    pub(super) scale: f32,
    pub(super) masks: &'a [Option<DropoutMask>],
    pub(super) tallying: &'a Tallying,
}

impl Pass<'_> {
    /// Goes forward from the pre-activations of the first stage, which `first` holds in panels, and
    /// back to their gradient, which takes their place. `row` is the place of the block's first row
    /// in the batch, `samples` its places in the data.
    pub(super) fn run(
        &self,
        block: &mut Block,
        mut first: Vec<&mut [f32]>,
        row: usize,
        samples: &[usize],
    ) {
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
        let TrainingData { y, weights, .. } = self.data;
        let last = stages.len() - 1;
        let delta = &mut deltas[last];
        loss_and_gradient(self.loss, &block, y, weights, self.scale, losses, delta);
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
