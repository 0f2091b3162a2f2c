//! The average of the weights of several epochs.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::callback::{Callback, Flow};
use super::history::EpochLogs;
use super::progress::CallbackState;
use crate::buffer::Weights;
use crate::model::Sequential;

/// Numbers that one task averages at least.
const NUMBERS_A_TASK: usize = 1 << 14;

/// Name of the callback's state.
const NAME: &str = "weight average";

/// Gives the model, at the end, the mean of the weights that it had at the ends of some epochs
/// (stochastic weight averaging, Izmailov et al. 2018, "Averaging Weights Leads to Wider Optima and
/// Better Generalization").
///
/// With `w₁ … wₙ` the weights at the ends of the epochs that count, in their order, the mean is kept as
/// `a ← a + (wₖ − a) / k` in single precision: a weight that does not change keeps its bits. The scores
/// in the history are those of each epoch's own weights. A run that is stopped earlier ends with the
/// mean of what it has met, and with its own weights if that is nothing.
///
/// ```
/// use slugline_nn::*;
///
/// let x = CsrMatrix::new(1, vec![0, 1], vec![0], vec![1.0])?;
/// let y: Targets = Matrix::new(1, 1, vec![1.0])?.into();
/// let train = |callbacks: &mut [&mut dyn Callback], epochs| {
///     let mut model = Sequential::new(1, [Dense::new(1).into()], 0)?;
///     model.compile(Optimizer::sgd(), Loss::MeanSquaredError, &[])?;
///     model.fit_with(&x, &y, &FitOptions { epochs, ..Default::default() }, callbacks)?;
///     Ok::<f32, NnError>(model.parameters()[0].kernel.as_slice()[0])
/// };
/// let averaged = train(&mut [&mut WeightAverage::from_epoch(2)], 3)?;
/// let (second, third) = (train(&mut [], 2)?, train(&mut [], 3)?);
/// assert!((averaged - (second + third) / 2.0).abs() < 1e-6);
/// # Ok::<(), NnError>(())
/// ```
#[derive(Debug, Clone)]
pub struct WeightAverage {
    first: usize,
    /// Epochs averaged so far.
    count: usize,
    mean: Vec<(Weights, Weights)>,
}

impl WeightAverage {
    /// Averages from the end of the epoch `first` on, counted from 1: of `n` epochs the last `k` by
    /// `from_epoch(n + 1 - k)`.
    pub fn from_epoch(first: usize) -> Self {
        Self { first, count: 0, mean: Vec::new() }
    }

    /// Number of epochs averaged so far.
    pub fn count(&self) -> usize {
        self.count
    }
}

/// `mean ← mean + share · (weights − mean)`.
fn approach(mean: &mut Weights, weights: &Weights, share: f32) {
    let (mean, weights) = (mean.make_mut(), weights.as_slice());
    let chunks = mean.par_chunks_mut(NUMBERS_A_TASK).zip(weights.par_chunks(NUMBERS_A_TASK));
    chunks.for_each(|(mean, weights)| {
        for (a, w) in mean.iter_mut().zip(weights) {
            *a += share * (w - *a);
        }
    });
}

impl Callback for WeightAverage {
    fn on_epoch_end(&mut self, logs: &EpochLogs, model: &Sequential) -> Flow {
        if logs.epoch < self.first {
            return Flow::Continue;
        }
        self.count += 1;
        if self.count == 1 {
            self.mean = model.weights();
            return Flow::Continue;
        }
        let share = 1.0 / self.count as f32;
        for ((kernel, bias), p) in self.mean.iter_mut().zip(model.parameters()) {
            approach(kernel, &p.kernel, share);
            approach(bias, &p.bias, share);
        }
        Flow::Continue
    }

    fn on_train_end(&mut self, model: &mut Sequential) {
        if self.count > 0 {
            model.restore(std::mem::take(&mut self.mean));
            self.count = 0;
        }
    }

    fn state(&self) -> Option<CallbackState> {
        let numbers = BTreeMap::from([("count".to_owned(), self.count as f64)]);
        Some(CallbackState { name: NAME.to_owned(), numbers, weights: self.mean.clone() })
    }

    fn restore(&mut self, states: &[CallbackState]) {
        if let Some(state) = CallbackState::find(states, NAME) {
            self.count = state.numbers.get("count").map_or(0, |&count| count as usize);
            self.mean.clone_from(&state.weights);
        }
    }
}
