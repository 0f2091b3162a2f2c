//! Training: batches, steps, epochs, and what may watch and steer them.

mod average;
pub(crate) mod batch;
mod block;
mod callback;
mod evaluate;
mod fit;
mod history;
mod kept;
mod parameters;
mod progress;
mod step;
mod threads;
mod update;

pub use average::WeightAverage;
pub use callback::{BatchReport, Callback, Checkpoint, EarlyStopping, Flow};
pub use fit::{FitOptions, Validation};
pub use history::{EpochLogs, History, Scores, StopReason};
pub use progress::{CallbackState, Progress};
pub use threads::{MAX_THREADS, with_threads};

use crate::loss::Loss;
use crate::metrics::Metric;
use crate::model::Parameters;
use crate::optimizer::{Optimizer, ParameterState};

/// What `compile` settles, and what training remembers from one `fit` to the next.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) optimizer: Optimizer,
    pub(crate) loss: Loss,
    pub(crate) metrics: Vec<Metric>,
    /// Per dense layer, the optimizer's memory of kernel and bias; empty before the first step.
    pub(crate) state: Vec<(ParameterState, ParameterState)>,
    /// Steps made so far.
    pub(crate) steps: u64,
    /// Epochs begun so far: each shuffles by its own stream.
    pub(crate) epochs: u64,
}

impl Compiled {
    pub(crate) fn new(optimizer: Optimizer, loss: Loss, metrics: &[Metric]) -> Self {
        Self { optimizer, loss, metrics: metrics.to_vec(), state: Vec::new(), steps: 0, epochs: 0 }
    }

    /// Makes the optimizer's memory on first use.
    pub(crate) fn prepare(&mut self, parameters: &[Parameters]) {
        if self.state.is_empty() {
            self.state = parameters
                .iter()
                .enumerate()
                .map(|(i, p)| {
                    let kernel = ParameterState::new(&self.optimizer, p.n_in, p.units, i == 0);
                    let biases = p.bias.as_slice().len();
                    (kernel, ParameterState::new(&self.optimizer, 1, biases, false))
                })
                .collect();
        }
    }
}
