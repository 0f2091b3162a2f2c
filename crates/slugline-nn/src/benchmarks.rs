//! Every kernel at the shapes of the published example, to be timed beside what it must do at least.
//! Exists with the feature `benchmarks` alone and is no part of the public interface.

use pulp::Arch;

use crate::buffer::{Aligned, padded};
use crate::kernels::matmul::{ByColumn, ByRow, matmul, matmul_transposed};
use crate::kernels::rows::sparse_dense;
use crate::kernels::rule::{Decay, Rule};
use crate::kernels::step::{FeatureStep, RowsMut, add_column_sums, step_dense};
use crate::kernels::{activation, cpu, matmul};
use crate::layers::{Activation, Regularizer};
use crate::loss::{LossWeights, OutputBlock, loss_and_gradient};
use crate::matrix::{CsrMatrix, Targets};
use crate::model::BLOCK_ROWS;
use crate::table::Table;
use crate::training::batch::ByFeature;
use crate::{Loss, NnError};

/// Rows of a batch.
const ROWS: usize = 512;
/// Units of the hidden layers.
const UNITS: usize = 64;
/// Classes, and the columns that they are padded to.
const CLASSES: usize = 46;
const COLUMNS: usize = 48;

/// What a kernel has to do at least in one run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Work {
    /// Operations in fused multiply-adds, which count as two.
    pub flops: f64,
    /// Other operations.
    pub additions: f64,
    /// Bytes read or written, wherever they lie.
    pub bytes: f64,
    /// Those of them that come from, or go to, the large tables.
    pub table_bytes: f64,
}

/// A kernel at one shape.
pub struct Kernel {
    /// What it does.
    pub name: &'static str,
    /// The sizes of what it works on.
    pub shape: String,
    /// What it has to do at least.
    pub work: Work,
    run: fn(&mut Data, Arch),
}

/// What the kernels work on: a batch, weights, activations and gradients.
#[derive(Clone)]
pub struct Data {
    x: CsrMatrix,
    spans: Vec<(usize, usize)>,
    by_feature: ByFeature,
    targets: Targets,
    samples: Vec<usize>,
    weights: Table,
    m: Table,
    v: Table,
    last_visit: Vec<u32>,
    step: u32,
    decay: Decay,
    bias: Aligned<f32>,
    /// `[ROWS, UNITS]`.
    hidden: Aligned<f32>,
    other: Aligned<f32>,
    /// `[ROWS, COLUMNS]`.
    outputs: Aligned<f32>,
    delta: Aligned<f32>,
    /// `[UNITS, UNITS]` and `[UNITS, COLUMNS]`.
    square: Aligned<f32>,
    last: Aligned<f32>,
    /// `[CLASSES, UNITS]`.
    transposed: Aligned<f32>,
    square_v: Aligned<f32>,
    sums: Aligned<f32>,
    log_sums: Vec<f64>,
    losses: Vec<f64>,
}

/// Numbers between −1 and 1 that repeat late.
fn numbers(len: usize, seed: u32) -> Aligned<f32> {
    let number = |i: usize| (i as u32).wrapping_mul(747_796_405).wrapping_add(seed);
    Aligned::from_iter(0, (0..len).map(|i| number(i) as i32 as f32 / 2_147_483_648.0))
}

impl Data {
    /// The first 512 rows of `x` as the batch.
    ///
    /// # Errors
    /// [`NnError::Csr`] if there are fewer.
    pub fn new(x: &CsrMatrix) -> Result<Self, NnError> {
        let x = x.slice_rows(0..ROWS)?;
        let mut spans: Vec<(usize, usize)> = (0..x.rows()).map(|r| x.span(r)).collect();
        spans.shrink_to_fit();
        let mut by_feature = ByFeature::default();
        by_feature.build(x.as_rows(&spans), x.cols());
        let table = |scale: f32, seed| {
            let mut table = Table::zeros(x.cols() * UNITS);
            let values = numbers(x.cols() * UNITS, seed);
            table.iter_mut().zip(values.iter()).for_each(|(t, v)| *t = v * scale);
            table
        };
        let positive = |mut values: Aligned<f32>| {
            values.iter_mut().for_each(|v| *v = v.abs());
            values
        };
        let mut v = table(1e-3, 3);
        v.iter_mut().for_each(|v| *v = v.abs());
        let padded_zeros = |mut values: Aligned<f32>| {
            values.chunks_exact_mut(COLUMNS).for_each(|row| row[CLASSES..].fill(0.0));
            values
        };
        debug_assert_eq!(padded(CLASSES), COLUMNS);
        Ok(Self {
            targets: Targets::Classes((0..ROWS as u32).map(|i| i % CLASSES as u32).collect()),
            samples: (0..ROWS).collect(),
            weights: table(0.1, 1),
            m: table(1e-3, 2),
            v,
            last_visit: vec![0; x.cols()],
            step: 0,
            decay: Decay::new(0.9),
            bias: numbers(UNITS, 4),
            hidden: positive(numbers(ROWS * UNITS, 5)),
            other: numbers(ROWS * UNITS, 6),
            outputs: padded_zeros(numbers(ROWS * COLUMNS, 7)),
            delta: padded_zeros(numbers(ROWS * COLUMNS, 8)),
            square: numbers(UNITS * UNITS, 9),
            last: padded_zeros(numbers(UNITS * COLUMNS, 10)),
            transposed: numbers(CLASSES * UNITS, 11),
            square_v: positive(numbers(UNITS * UNITS, 12)),
            sums: numbers(UNITS, 13),
            log_sums: Vec::new(),
            losses: Vec::new(),
            x,
            spans,
            by_feature,
        })
    }

    /// The bits of everything that a kernel may have written.
    fn bits(&self) -> Vec<u64> {
        let tables = [&self.weights[..], &self.m, &self.v];
        let buffers = [
            &self.hidden[..],
            &self.other,
            &self.outputs,
            &self.delta,
            &self.square,
            &self.last,
            &self.transposed,
            &self.square_v,
            &self.sums,
        ];
        let floats = tables.into_iter().chain(buffers).flatten().map(|v| u64::from(v.to_bits()));
        let doubles = self.log_sums.iter().chain(&self.losses).map(|v| v.to_bits());
        let sorted = self.by_feature.samples.iter().map(|&s| u64::from(s));
        floats.chain(doubles).chain(sorted).collect()
    }

    fn feature_step(&mut self, cpu: Arch, rule: Rule) {
        self.step += 1;
        let adam = matches!(rule, Rule::Adam { .. });
        let Self { weights, m, v, last_visit, by_feature, other, decay, step, .. } = self;
        FeatureStep {
            rows: RowsMut { weights, m: if adam { m } else { &mut [] }, v },
            first: 0,
            last_visit: if adam { &mut [] } else { last_visit },
            features: &by_feature.features,
            starts: &by_feature.starts,
            samples: &by_feature.samples,
            values: by_feature.values(),
            delta: other,
            width: UNITS,
            step: *step,
            rule,
            decay,
            regularizer: Regularizer::default(),
            every_row: false,
        }
        .run(cpu);
    }
}

const RMSPROP: Rule =
    Rule::RmsProp { learning_rate: 1e-4, rho: 0.9, epsilon: 1e-7, inside_root: false };
const ADAM: Rule =
    Rule::Adam { alpha: 1e-4, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, decay: 0.0 };

impl Kernel {
    /// Runs the kernel once on the instruction set in use.
    pub fn run(&self, data: &mut Data) {
        (self.run)(data, cpu());
    }

    /// Whether the kernel gives the portable kernel's bits.
    pub fn agrees(&self, data: &Data) -> bool {
        let (mut ours, mut portable) = (data.clone(), data.clone());
        (self.run)(&mut ours, cpu());
        (self.run)(&mut portable, Arch::Scalar);
        ours.bits() == portable.bits()
    }
}

/// Every kernel, at the shapes of the published example and for the batch of `data`.
#[allow(clippy::too_many_lines, reason = "a list")]
pub fn kernels(data: &Data) -> Vec<Kernel> {
    const F32: f64 = 4.0;
    let nnz = data.x.nnz() as f64;
    let features = data.by_feature.features.len() as f64;
    let (rows, units, columns) = (ROWS as f64, UNITS as f64, COLUMNS as f64);
    let row = units * F32;
    let product = |m: f64, k: f64, n: f64| Work {
        flops: 2.0 * m * k * n,
        bytes: (m * k + k * n + m * n) * F32,
        ..Work::default()
    };
    let elementwise = |operations: f64, arrays: f64, n: f64| Work {
        additions: operations * n,
        bytes: arrays * n * F32,
        ..Work::default()
    };
    let sparse_shape = format!("{ROWS} × {nnz:.0} non-zeros · {} × {UNITS}", data.x.cols());
    let feature_shape = format!("{features:.0} features × {UNITS}, {nnz:.0} non-zeros");
    let by_feature = |arrays: f64, operations: f64| Work {
        additions: nnz * units + operations * features * units,
        bytes: (nnz + arrays * features) * row,
        table_bytes: arrays * features * row,
        ..Work::default()
    };
    let kernel = |name, shape: String, work, run| Kernel { name, shape, work, run };
    vec![
        kernel(
            "sparse layer forward",
            sparse_shape,
            Work {
                additions: nnz * units,
                bytes: nnz * row + rows * row,
                table_bytes: features * row,
                ..Work::default()
            },
            |d, cpu| {
                let x = d.x.as_rows(&d.spans);
                sparse_dense(cpu, x, &d.weights, Some(&d.bias), 0..UNITS, UNITS, &mut d.other);
            },
        ),
        kernel(
            "sort of a batch by feature",
            format!("{nnz:.0} non-zeros, {} features", data.x.cols()),
            // Ids read twice, counts and places written and read, sample numbers written.
            Work { bytes: nnz * 7.0 * F32, ..Work::default() },
            |d, _| d.by_feature.build(d.x.as_rows(&d.spans), d.x.cols()),
        ),
        kernel(
            "gradient by feature and RMSprop",
            feature_shape.clone(),
            by_feature(4.0, 8.0),
            |d, cpu| d.feature_step(cpu, RMSPROP),
        ),
        kernel("gradient by feature and Adam", feature_shape, by_feature(6.0, 12.0), |d, cpu| {
            d.feature_step(cpu, ADAM);
        }),
        kernel(
            "product forward, hidden layer",
            format!("{ROWS} × {UNITS} · {UNITS} × {UNITS}"),
            product(rows, units, units),
            |d, cpu| {
                let blocks = d.hidden.chunks(BLOCK_ROWS * UNITS);
                for (a, c) in blocks.zip(d.other.chunks_mut(BLOCK_ROWS * UNITS)) {
                    let a = ByRow { a, stride: UNITS, k: UNITS };
                    matmul(cpu, c, a, &d.square, Some(&d.bias), UNITS);
                }
            },
        ),
        kernel(
            "product forward, last layer",
            format!("{ROWS} × {UNITS} · {UNITS} × {CLASSES}"),
            product(rows, units, CLASSES as f64),
            |d, cpu| {
                let blocks = d.hidden.chunks(BLOCK_ROWS * UNITS);
                for (a, c) in blocks.zip(d.outputs.chunks_mut(BLOCK_ROWS * COLUMNS)) {
                    let a = ByRow { a, stride: UNITS, k: UNITS };
                    matmul(cpu, c, a, &d.last, None, COLUMNS);
                }
            },
        ),
        kernel(
            "gradient of the input, last layer",
            format!("{ROWS} × {CLASSES} · {CLASSES} × {UNITS}"),
            product(rows, CLASSES as f64, units),
            |d, cpu| {
                let blocks = d.delta.chunks(BLOCK_ROWS * COLUMNS);
                for (a, c) in blocks.zip(d.other.chunks_mut(BLOCK_ROWS * UNITS)) {
                    let a = ByRow { a, stride: COLUMNS, k: CLASSES };
                    matmul(cpu, c, a, &d.transposed, None, UNITS);
                }
            },
        ),
        kernel(
            "gradient of the weights, hidden layer",
            format!("{UNITS} × {ROWS} · {ROWS} × {UNITS}"),
            product(units, rows, units),
            |d, cpu| {
                d.square.fill(0.0);
                let a = ByColumn { a: &d.hidden, first: 0, stride: UNITS };
                matmul_transposed(cpu, &mut d.square, a, &d.other, UNITS);
            },
        ),
        kernel(
            "gradient of the weights, last layer",
            format!("{UNITS} × {ROWS} · {ROWS} × {CLASSES}"),
            product(units, rows, CLASSES as f64),
            |d, cpu| {
                d.last.fill(0.0);
                let a = ByColumn { a: &d.hidden, first: 0, stride: UNITS };
                matmul_transposed(cpu, &mut d.last, a, &d.delta, COLUMNS);
            },
        ),
        kernel(
            "transposition of the last layer's weights",
            format!("{UNITS} × {CLASSES}"),
            elementwise(0.0, 2.0, units * CLASSES as f64),
            |d, _| matmul::transpose(&d.last, UNITS, COLUMNS, &mut d.transposed, UNITS),
        ),
        kernel(
            "gradient of the bias",
            format!("{ROWS} × {UNITS}"),
            elementwise(1.0, 1.0, rows * units),
            |d, cpu| {
                d.sums.fill(0.0);
                add_column_sums(cpu, &d.other, &mut d.sums);
            },
        ),
        kernel(
            "relu",
            format!("{ROWS} × {UNITS}"),
            elementwise(1.0, 2.0, rows * units),
            |d, cpu| {
                let (relu, none, sums) = (Activation::Relu, &mut Vec::new(), &mut d.log_sums);
                activation::forward(cpu, relu, UNITS, UNITS, &mut d.hidden, none, sums);
            },
        ),
        kernel(
            "relu backward",
            format!("{ROWS} × {UNITS}"),
            elementwise(1.0, 3.0, rows * units),
            |d, cpu| {
                let relu = Activation::Relu;
                activation::backward(cpu, relu, UNITS, &d.hidden, &[], &mut d.other);
            },
        ),
        kernel(
            "softmax",
            format!("{ROWS} × {CLASSES}"),
            // Largest, difference, the exponential's 12 operations (8 of them multiply-adds), sum,
            // scale.
            Work {
                flops: 16.0 * rows * columns,
                additions: 8.0 * rows * columns,
                bytes: 6.0 * rows * columns * F32,
                ..Work::default()
            },
            |d, cpu| {
                let (softmax, none, sums) = (Activation::Softmax, &mut Vec::new(), &mut d.log_sums);
                activation::forward(cpu, softmax, CLASSES, COLUMNS, &mut d.outputs, none, sums);
            },
        ),
        kernel(
            "loss and its gradient",
            format!("{ROWS} × {CLASSES}"),
            elementwise(1.0, 2.0, rows * CLASSES as f64),
            |d, _| {
                d.losses.clear();
                d.log_sums.resize(ROWS, 0.0);
                let block = OutputBlock {
                    outputs: &d.outputs,
                    log_sums: &d.log_sums,
                    logits: &d.outputs,
                    units: CLASSES,
                    stride: COLUMNS,
                    samples: &d.samples,
                };
                let loss = Loss::SparseCategoricalCrossentropy;
                let (losses, delta) = (&mut d.losses, &mut d.delta);
                loss_and_gradient(
                    loss,
                    &block,
                    &d.targets,
                    LossWeights::default(),
                    1.0,
                    losses,
                    delta,
                );
            },
        ),
        kernel(
            "RMSprop on dense weights",
            format!("{UNITS} × {UNITS}"),
            elementwise(8.0, 5.0, units * units),
            |d, cpu| {
                let rows = RowsMut { weights: &mut d.square, m: &mut [], v: &mut d.square_v };
                let gradient = &d.other[..UNITS * UNITS];
                step_dense(cpu, RMSPROP, Regularizer::default(), rows, gradient);
            },
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kernel_runs_and_agrees_with_the_portable_one() {
        let ids: Vec<u32> = (0..ROWS as u32).flat_map(|r| [r % 7, 7 + r % 90]).collect();
        let indptr = (0..=ROWS).map(|r| 2 * r).collect();
        let x = CsrMatrix::new(100, indptr, ids, vec![1.0; 2 * ROWS]).unwrap();
        let mut data = Data::new(&x).unwrap();
        let before = data.bits();
        for kernel in kernels(&data) {
            assert!(kernel.agrees(&data), "{}", kernel.name);
            kernel.run(&mut data);
        }
        assert_ne!(data.bits(), before);
    }
}
