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
use super::batch::{Batch, ByFeature};
use super::block::{Block, Pass};
use super::parameters::{Later, Panel, Working, transpose};
use super::threads::Tasks;
use super::update::Update;
use crate::NnError;
use crate::buffer::Aligned;
use crate::kernels;
use crate::kernels::rows::SparseRows;
use crate::kernels::rule::Decay;
use crate::loss::{Loss, LossWeights};
use crate::matrix::{CsrMatrix, Targets};
use crate::metrics::{Tally, Tallying};
use crate::model::{BLOCK_ROWS, Columns, Packed, Sequential, Stage};
use crate::optimizer::{Optimizer, step_counter};
use crate::random::{DROPOUT, DropoutMask, Stream};

/// The data of a training run.
#[derive(Clone, Copy)]
pub(crate) struct TrainingData<'a> {
    pub(crate) x: &'a CsrMatrix,
    pub(crate) y: &'a Targets,
    /// How much samples and answers count.
    pub(crate) weights: LossWeights<'a>,
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
            let update = Update {
                by_feature: &self.current.by_feature,
                first: &self.first,
                blocks: &self.blocks,
                rule,
                decay: &self.decay,
                step,
                every_row,
            };
            update.run(model, working);
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
        let mut tasks = Tasks::new(panels.len());
        for (i, (panel, out)) in panels.iter().zip(&mut self.first).enumerate() {
            out.resize(samples * panel.width(), 0.0);
            let blocks = out.chunks_mut(BLOCK_ROWS * panel.width());
            for (block, (out, spans)) in blocks.zip(rows.spans.chunks(BLOCK_ROWS)).enumerate() {
                let x = SparseRows { spans, ..rows };
                tasks.push(i, block, Task::Rows { panel, x, out });
            }
        }
        for (i, (packed, later)) in packed.iter().zip(later).enumerate() {
            tasks.push(i, 0, Task::Transpose { packed, later });
        }
        let cpu = self.cpu;
        tasks.run(|task| match task {
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
        let mut tasks = Tasks::new(1);
        if let Some(samples) = upcoming {
            tasks.push(0, 0, Task::Prepare(&mut self.next, &mut self.dropout, samples));
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
            tasks.push(0, i + 1, Task::Block { row: i * BLOCK_ROWS, block, first, samples });
        }
        tasks.run(|task| match task {
            Task::Prepare(next, dropout, samples) => {
                next.make(data.x, samples, working, &pass.forward.stages, dropout);
            }
            Task::Block { row, block, first, samples } => pass.run(block, first, row, samples),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::{Activation, Dense, Dropout, Regularizer};
    use crate::matrix::{Matrix, to_categorical};
    use crate::model::Forward;
    use crate::optimizer::LearningRate;
    use crate::training::parameters::penalty;

    /// The mean loss of a model, for finite differences.
    fn loss_of(model: &Sequential, data: TrainingData<'_>) -> f64 {
        let (forward, penalty) = (Forward::new(model), penalty(model));
        model.scores(&forward, penalty, model.compiled.as_ref().unwrap(), data).loss
    }

    /// One SGD step with learning rate 1 moves each weight by its negative gradient, which must be
    /// the loss's finite difference.
    fn check_gradient(output: Activation, hidden: Activation, loss: Loss, y: &Targets) {
        check_weighted_gradient(output, hidden, loss, y, None);
    }

    fn check_weighted_gradient(
        output: Activation,
        hidden: Activation,
        loss: Loss,
        y: &Targets,
        positive_weight: Option<&[f32]>,
    ) {
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
        let options =
            crate::FitOptions { epochs: 1, batch_size: 4, positive_weight, ..Default::default() };
        model.fit(&x, y, &options).unwrap();
        let weights = LossWeights { sample: None, positive: positive_weight };
        let data = TrainingData { x: &x, y, weights };
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
                        loss_of(&moved, data)
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
        let of = |data: [f32; 12]| Targets::from(Matrix::new(4, 3, data.to_vec()).unwrap());
        let several = of([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 0.0]);
        let soft = of([0.5, 0.25, 0.25, 0.0, 0.0, 1.0, 0.1, 0.7, 0.2, 0.0, 0.4, 0.6]);
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
            for gamma in [0.0, 0.5, 2.0] {
                let focal = |label_smoothing| Loss::CategoricalFocalCrossentropy {
                    alpha: 0.7,
                    gamma,
                    label_smoothing,
                };
                check_gradient(softmax, hidden, focal(0.0), &rows);
                check_gradient(softmax, hidden, focal(0.1), &soft);
                let focal = |apply_class_balancing| Loss::BinaryFocalCrossentropy {
                    apply_class_balancing,
                    alpha: 0.3,
                    gamma,
                    label_smoothing: 0.1,
                };
                check_gradient(Activation::Sigmoid, hidden, focal(false), &several);
                check_gradient(Activation::Sigmoid, hidden, focal(true), &several);
            }
            let focal = Loss::BINARY_FOCAL_CROSSENTROPY;
            for loss in [binary, Loss::BINARY_CROSSENTROPY, focal] {
                let factors = Some(&[0.5, 2.0, 3.0][..]);
                check_weighted_gradient(Activation::Sigmoid, hidden, loss, &several, factors);
            }
            check_gradient(softmax, hidden, Loss::CATEGORICAL_CROSSENTROPY, &soft);
            for output in [Activation::Linear, Activation::Sigmoid, softmax, Activation::Gelu] {
                check_gradient(output, hidden, Loss::MeanSquaredError, &values);
            }
        }
    }

    #[test]
    fn dropout_trains_and_does_not_touch_predictions() {
        let x = CsrMatrix::from_dense(2, &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0_f32]).unwrap();
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
