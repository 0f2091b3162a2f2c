//! What may watch a training run and steer it.

use std::collections::BTreeMap;

use super::history::{EpochLogs, lower_is_better};
use super::progress::{CallbackState, Progress};
use crate::NnError;
use crate::buffer::Weights;
use crate::model::Sequential;

/// Whether training goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop here and keep the weights.
    Stop,
}

/// How far an epoch has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchReport {
    /// Epoch counted from 1.
    pub epoch: usize,
    /// Epochs asked for.
    pub epochs: usize,
    /// Steps made in this epoch.
    pub step: usize,
    /// Steps an epoch has.
    pub steps: usize,
    /// Samples of the last step.
    pub samples: usize,
    /// Mean loss a sample over this epoch so far.
    pub loss: f64,
}

/// Something that is told of every batch and epoch and may stop the run. All methods do nothing by
/// default. They run on a thread of the pool that trains.
pub trait Callback: Send {
    /// Before an epoch, counted from 1.
    fn on_epoch_begin(&mut self, _epoch: usize) {}

    /// The learning rate of an epoch, counted from 1, and of those after it, in place of the optimizer's
    /// or of an earlier answer; `None`, the default, to leave it. Asked after
    /// [`on_epoch_begin`](Self::on_epoch_begin); of several answers the last one counts. The optimizer
    /// keeps the rate after the run.
    fn learning_rate(&mut self, _epoch: usize) -> Option<f64> {
        None
    }

    /// After each step.
    fn on_batch_end(&mut self, _report: &BatchReport) -> Flow {
        Flow::Continue
    }

    /// After each epoch, its validation included; `_model` has the weights of its end.
    fn on_epoch_end(&mut self, _logs: &EpochLogs, _model: &Sequential) -> Flow {
        Flow::Continue
    }

    /// After the last epoch, however the run ended.
    fn on_train_end(&mut self, _model: &mut Sequential) {}

    /// Whether to call [`on_progress`](Self::on_progress). Asked after every epoch that another one
    /// follows, once all callbacks have heard of it; gathering what a run needs to go on costs a copy of
    /// the optimizer's memory.
    fn wants_progress(&self) -> bool {
        false
    }

    /// Gives what a run needs to go on from here, beside the weights of `_model`.
    fn on_progress(&mut self, _progress: &Progress, _model: &Sequential) {}

    /// What this callback has to remember for a run to go on as if it had not stopped.
    fn state(&self) -> Option<CallbackState> {
        None
    }

    /// Takes back what [`state`](Self::state) gave, out of the states of all callbacks. Called before
    /// the first epoch of a run that goes on.
    fn restore(&mut self, _states: &[CallbackState]) {}
}

/// Follows a key for its best value so far.
#[derive(Debug, Clone)]
struct Best {
    monitor: String,
    min_delta: f64,
    value: Option<f64>,
}

impl Best {
    /// Whether the epoch is the best so far.
    fn improves(&mut self, logs: &EpochLogs) -> bool {
        let Some(value) = logs.get(&self.monitor) else { return false };
        let better = self.value.is_none_or(|best| {
            if lower_is_better(&self.monitor) {
                value < best - self.min_delta
            } else {
                value > best + self.min_delta
            }
        });
        if better {
            self.value = Some(value);
        }
        better
    }

    /// The value under the name by which [`restore`](Self::restore) finds it.
    fn numbers(&self) -> BTreeMap<String, f64> {
        self.value.map(|value| ("best".to_owned(), value)).into_iter().collect()
    }

    fn restore(&mut self, state: &CallbackState) {
        self.value = state.numbers.get("best").copied();
    }
}

/// Stops when a value has not improved for a number of epochs, as Keras's `EarlyStopping`.
///
/// ```
/// use slugline_nn::EarlyStopping;
///
/// let stopping = EarlyStopping::new("val_loss", 3).restore_best_weights(true);
/// assert_eq!(stopping.best_epoch(), None);
/// ```
#[derive(Debug, Clone)]
pub struct EarlyStopping {
    best: Best,
    patience: usize,
    restore: bool,
    waited: usize,
    best_epoch: Option<usize>,
    weights: Vec<(Weights, Weights)>,
}

impl EarlyStopping {
    /// Watches `monitor` (a key of [`EpochLogs::get`]; low is good for keys that end in `loss`) and
    /// stops after `patience` epochs without a better value.
    pub fn new(monitor: impl Into<String>, patience: usize) -> Self {
        Self {
            best: Best { monitor: monitor.into(), min_delta: 0.0, value: None },
            patience,
            restore: false,
            waited: 0,
            best_epoch: None,
            weights: Vec::new(),
        }
    }

    /// Smallest change that counts as better. Default 0.
    #[must_use]
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.best.min_delta = min_delta.abs();
        self
    }

    /// Whether the weights of the best epoch come back at the end, also where all epochs were
    /// trained. Default no.
    #[must_use]
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore = restore;
        self
    }

    /// The best epoch so far, counted from 1.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best_epoch
    }

    fn state_name(&self) -> String {
        format!("early stopping by {}", self.best.monitor)
    }
}

impl Callback for EarlyStopping {
    fn on_epoch_end(&mut self, logs: &EpochLogs, model: &Sequential) -> Flow {
        if self.best.improves(logs) {
            self.best_epoch = Some(logs.epoch);
            self.waited = 0;
            if self.restore {
                self.weights = model.weights();
            }
            return Flow::Continue;
        }
        self.waited += 1;
        if self.waited >= self.patience { Flow::Stop } else { Flow::Continue }
    }

    fn on_train_end(&mut self, model: &mut Sequential) {
        if !self.weights.is_empty() {
            model.restore(std::mem::take(&mut self.weights));
        }
    }

    fn state(&self) -> Option<CallbackState> {
        let mut numbers = self.best.numbers();
        numbers.insert("waited".into(), self.waited as f64);
        numbers.extend(self.best_epoch.map(|epoch| ("best_epoch".into(), epoch as f64)));
        Some(CallbackState { name: self.state_name(), numbers, weights: self.weights.clone() })
    }

    fn restore(&mut self, states: &[CallbackState]) {
        if let Some(state) = CallbackState::find(states, &self.state_name()) {
            self.best.restore(state);
            let number = |name: &str| state.numbers.get(name).map(|&n| n as usize);
            self.waited = number("waited").unwrap_or(0);
            self.best_epoch = number("best_epoch");
            self.weights.clone_from(&state.weights);
        }
    }
}

/// Hands the model over after each epoch, or after each best epoch, to be kept somewhere.
pub struct Checkpoint<F> {
    best: Option<Best>,
    keep: F,
}

impl<F: FnMut(&Sequential, &EpochLogs) -> Flow + Send> Checkpoint<F> {
    /// Calls `keep` after every epoch.
    pub fn every_epoch(keep: F) -> Self {
        Self { best: None, keep }
    }

    /// Calls `keep` after each epoch that is the best so far by `monitor`.
    pub fn best_only(monitor: impl Into<String>, keep: F) -> Self {
        let best = Best { monitor: monitor.into(), min_delta: 0.0, value: None };
        Self { best: Some(best), keep }
    }
}

impl<F: FnMut(&Sequential, &EpochLogs) -> Flow + Send> Callback for Checkpoint<F> {
    fn on_epoch_end(&mut self, logs: &EpochLogs, model: &Sequential) -> Flow {
        let wanted = self.best.as_mut().is_none_or(|best| best.improves(logs));
        if wanted { (self.keep)(model, logs) } else { Flow::Continue }
    }

    fn state(&self) -> Option<CallbackState> {
        let best = self.best.as_ref()?;
        let name = checkpoint_name(&best.monitor);
        Some(CallbackState { name, numbers: best.numbers(), weights: Vec::new() })
    }

    fn restore(&mut self, states: &[CallbackState]) {
        if let Some(best) = &mut self.best
            && let Some(state) = CallbackState::find(states, &checkpoint_name(&best.monitor))
        {
            best.restore(state);
        }
    }
}

fn checkpoint_name(monitor: &str) -> String {
    format!("checkpoint by {monitor}")
}

impl Sequential {
    /// A copy of all kernels and biases.
    pub fn weights(&self) -> Vec<(Weights, Weights)> {
        self.parameters().iter().map(|p| (p.kernel.clone(), p.bias.clone())).collect()
    }

    /// Whether all kernels and biases are those of `other` to the last bit.
    pub fn same_weights(&self, other: &Self) -> bool {
        let bits = |weights: &Weights| -> Vec<u32> {
            weights.as_slice().iter().map(|w| w.to_bits()).collect()
        };
        let all = |model: &Self| -> Vec<(Vec<u32>, Vec<u32>)> {
            model.parameters().iter().map(|p| (bits(&p.kernel), bits(&p.bias))).collect()
        };
        all(self) == all(other)
    }

    /// Takes other kernels and biases, as [`weights`](Self::weights) gives them; what the optimizer
    /// remembers stays.
    ///
    /// # Errors
    /// [`NnError::Shape`] if there is not one pair for each dense layer, or a kernel or bias has another
    /// number of elements; nothing is changed then.
    pub fn set_weights(&mut self, weights: Vec<(Weights, Weights)>) -> Result<(), NnError> {
        let check = |what, expected, got| match expected == got {
            true => Ok(()),
            false => Err(NnError::Shape { what, expected, got }),
        };
        check("dense layers with weights", self.parameters().len(), weights.len())?;
        for (ours, (kernel, bias)) in self.parameters().iter().zip(&weights) {
            let (expected, got) = (ours.kernel.as_slice().len(), kernel.as_slice().len());
            check("weights of a kernel", expected, got)?;
            check("biases of a layer", ours.bias.as_slice().len(), bias.as_slice().len())?;
        }
        self.restore(weights);
        Ok(())
    }

    /// Puts a copy made by [`weights`](Self::weights) back.
    pub(crate) fn restore(&mut self, weights: Vec<(Weights, Weights)>) {
        for (p, (kernel, bias)) in self.parameters_mut().iter_mut().zip(weights) {
            p.kernel = kernel;
            p.bias = bias;
        }
    }
}
