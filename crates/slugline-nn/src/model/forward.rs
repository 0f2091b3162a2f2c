//! From input rows to outputs, block by block.

use std::ops::Range;

use pulp::Arch;

use super::{Parameters, Sequential, Stage};
use crate::buffer::{Aligned, pack, padded};
use crate::kernels::rows::{SparseRows, sparse_dense};
use crate::kernels::{self, activation, matmul};
use crate::random::DropoutMask;
use crate::shared::Shared;

/// Rows that are computed together: enough to use each weight several times while it is in the
/// nearest cache, few enough that a batch gives every thread several blocks.
pub(crate) const BLOCK_ROWS: usize = 48;

/// The parameters of a layer after the first, laid out for the kernels.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    pub(crate) n_in: usize,
    pub(crate) units: usize,
    /// `[n_in, padded(units)]`, 0 beyond the units.
    pub(crate) kernel: Aligned<f32>,
    /// `padded(units)` numbers, 0 beyond the units; empty for a layer without bias.
    pub(crate) bias: Aligned<f32>,
}

impl Packed {
    pub(crate) fn new(p: &Parameters) -> Self {
        Self {
            n_in: p.n_in,
            units: p.units,
            kernel: pack(p.kernel.as_slice(), p.units),
            bias: pack(p.bias.as_slice(), p.units),
        }
    }

    /// Distance of the rows of the kernel.
    pub(crate) fn stride(&self) -> usize {
        padded(self.units)
    }

    fn bias(&self) -> Option<&[f32]> {
        Some(&self.bias[..]).filter(|b| !b.is_empty())
    }
}

/// Some columns of the first stage's parameters.
#[derive(Debug, Clone)]
pub(crate) struct Columns<'a> {
    pub(crate) range: Range<usize>,
    /// `[n_in, columns]`.
    pub(crate) weights: &'a [f32],
    /// One number a column, or nothing.
    pub(crate) bias: &'a [f32],
}

impl Columns<'_> {
    /// Pre-activations of the rows of `x`, each put into its columns of a row of `stride` numbers.
    pub(crate) fn forward(&self, cpu: Arch, x: SparseRows<'_>, stride: usize, out: &mut [f32]) {
        let bias = Some(self.bias).filter(|b| !b.is_empty());
        sparse_dense(cpu, x, self.weights, bias, self.range.clone(), stride, out);
    }
}

/// The way through the layers.
pub(crate) struct Forward<'a> {
    pub(crate) cpu: Arch,
    pub(crate) stages: Vec<Stage<'a>>,
    /// Parameters of the first stage.
    pub(crate) first: Vec<Columns<'a>>,
    /// Parameters of the stages after the first.
    pub(crate) packed: Shared<'a, Packed>,
}

/// What one block of rows leaves behind on its way, for the way back. Reused block after block.
///
/// All matrices in it have rows as long as [`padded`] makes them.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// Per stage, the activations. What lies beyond the units is not part of any sum.
    pub(crate) outputs: Vec<Aligned<f32>>,
    /// Per stage, the pre-activations where the derivative needs them.
    pub(crate) before: Vec<Vec<f32>>,
    /// Per stage, its input after dropout; empty without dropout.
    pub(crate) dropped: Vec<Aligned<f32>>,
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

    /// What the last stage makes its outputs of, each row with room behind it, and how many numbers a
    /// row has: the activations before it, or of a single stage its pre-activations.
    pub(crate) fn hidden(&self, forward: &Forward<'_>) -> (&[f32], usize) {
        let stages = &forward.stages;
        match stages.len().checked_sub(2) {
            Some(before) => (&self.outputs[before], stages[before].dense.units),
            None => (&self.logits, forward.units()),
        }
    }

    /// Outputs of the network, each row with room behind it.
    pub(crate) fn result(&self) -> &[f32] {
        self.outputs.last().map_or(&[], Aligned::as_slice)
    }
}

impl<'a> Forward<'a> {
    pub(crate) fn new(model: &'a Sequential) -> Self {
        let p = &model.parameters()[0];
        let (weights, bias) = (p.kernel.as_slice(), p.bias.as_slice());
        Self {
            cpu: kernels::cpu(),
            stages: model.stages(),
            first: vec![Columns { range: 0..p.units, weights, bias }],
            packed: model.parameters()[1..].iter().map(Packed::new).collect(),
        }
    }

    /// The same way, with what it has prepared.
    pub(crate) fn fork(&self) -> Self {
        Self {
            cpu: self.cpu,
            stages: self.stages.clone(),
            first: self.first.clone(),
            packed: self.packed.clone(),
        }
    }

    /// Units of the last layer.
    pub(crate) fn units(&self) -> usize {
        self.stages.last().map_or(0, |stage| stage.dense.units)
    }

    /// Computes the outputs of a block of rows into `scratch`.
    pub(crate) fn run(&self, x: SparseRows<'_>, scratch: &mut Scratch) {
        let stride = padded(self.stages[0].dense.units);
        let out = self.begin(x.spans.len(), scratch);
        for columns in &self.first {
            columns.forward(self.cpu, x, stride, out);
        }
        self.go_on(0, &[], scratch);
    }

    /// Makes room for a block of rows; returns where the pre-activations of the first stage go.
    pub(crate) fn begin<'s>(&self, rows: usize, scratch: &'s mut Scratch) -> &'s mut [f32] {
        let n = self.stages.len();
        scratch.outputs.resize_with(n, || Aligned::new(0));
        scratch.dropped.resize_with(n, || Aligned::new(0));
        scratch.before.resize_with(n, Vec::new);
        for (stage, out) in self.stages.iter().zip(&mut scratch.outputs) {
            out.resize(rows * padded(stage.dense.units), 0.0);
        }
        &mut scratch.outputs[0]
    }

    /// Computes everything that follows from the pre-activations of the first stage.
    ///
    /// `masks` holds one dropout mask a stage while training; the first one has been applied to the
    /// input already. `row` is the place of the block's first row in the batch.
    pub(crate) fn go_on(&self, row: usize, masks: &[Option<DropoutMask>], scratch: &mut Scratch) {
        for (i, stage) in self.stages.iter().enumerate() {
            let (earlier, from_here) = scratch.outputs.split_at_mut(i);
            let out = &mut from_here[0];
            if i > 0 {
                let p = &self.packed[i - 1];
                let (input, stride) = (&earlier[i - 1], padded(p.n_in));
                let dropped = &mut scratch.dropped[i];
                dropped.clear();
                if let Some(mask) = masks.get(i).copied().flatten() {
                    dropped.extend_from_slice(input);
                    apply(&mask, row, p.n_in, dropped);
                }
                let input = if dropped.is_empty() { input } else { dropped };
                let rows = matmul::ByRow { a: input, stride, k: p.n_in };
                matmul::matmul(self.cpu, out, rows, &p.kernel, p.bias(), p.stride());
            }
            if i + 1 == self.stages.len() {
                scratch.logits.clear();
                scratch.logits.extend_from_slice(out);
            }
            activation::forward(
                self.cpu,
                stage.dense.activation,
                stage.dense.units,
                padded(stage.dense.units),
                out,
                &mut scratch.before[i],
                &mut scratch.log_sums,
            );
        }
    }
}

/// Applies a dropout mask to padded rows of `width`, the first of which is row `first` of the batch.
pub(crate) fn apply(mask: &DropoutMask, first: usize, width: usize, values: &mut [f32]) {
    for (r, row) in values.chunks_exact_mut(padded(width)).enumerate() {
        for (column, v) in row[..width].iter_mut().enumerate() {
            *v *= mask.factor(first + r, column as u32);
        }
    }
}
