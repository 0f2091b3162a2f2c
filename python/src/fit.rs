//! Training that tells Python of its epochs and does what Python answers.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use slugline::nn::{BatchReport, Buffer, Callback, EpochLogs, Flow, History, Sequential, Weights};

use crate::interrupt::Wire;

/// What happens while a network is trained.
pub(crate) enum Event {
    /// An epoch, counted from 1, is about to begin; the answer is its learning rate, if it is another.
    Begin(usize, Sender<Option<f64>>),
    /// Some steps were made.
    Batch(BatchReport),
    /// An epoch is over; with the weights of its end. The answer is whether to stop.
    End(EpochLogs, Vec<(Weights, Weights)>, Sender<bool>),
}

/// How often Python hears of batches.
const OFTEN: Duration = Duration::from_millis(50);

/// What Python wants to hear.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Hears {
    /// Nothing.
    Nothing,
    /// Epochs, and where a batch stands from time to time.
    Epochs,
    /// Epochs and every batch.
    Batches,
}

/// Sends events over a wire, and stops where it is told to.
pub(crate) struct Told<'a> {
    wire: Wire<'a, Event>,
    hears: Hears,
    last: Option<Instant>,
}

impl<'a> Told<'a> {
    pub(crate) fn new(wire: Wire<'a, Event>, hears: Hears) -> Self {
        Self { wire, hears, last: None }
    }

    /// Sends an event and waits for the answer; the default where nobody listens any more.
    fn ask<A: Default>(&self, event: impl FnOnce(Sender<A>) -> Event) -> A {
        if self.hears == Hears::Nothing {
            return A::default();
        }
        let (reply, answer) = channel();
        self.wire.send(event(reply));
        answer.recv().unwrap_or_default()
    }
}

impl Callback for Told<'_> {
    fn learning_rate(&mut self, epoch: usize) -> Option<f64> {
        self.last = Some(Instant::now());
        self.ask(|reply| Event::Begin(epoch, reply))
    }

    fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
        let due = match self.hears {
            Hears::Nothing => false,
            Hears::Epochs => self.last.is_none_or(|last| last.elapsed() >= OFTEN),
            Hears::Batches => true,
        };
        if due {
            self.last = Some(Instant::now());
            self.wire.send(Event::Batch(*report));
        }
        if self.wire.stopped() { Flow::Stop } else { Flow::Continue }
    }

    fn on_epoch_end(&mut self, logs: &EpochLogs, model: &Sequential) -> Flow {
        let stop = self.ask(|reply| Event::End(logs.clone(), model.weights(), reply));
        if stop || self.wire.stopped() { Flow::Stop } else { Flow::Continue }
    }
}

/// Hands an event to `listener`, a Python object with the methods `begin(epoch)`, `batch(report)` and
/// `end(epoch, logs)`, and its answer back.
pub(crate) fn handle(
    listener: Option<&Bound<'_, PyAny>>,
    event: Event,
    mut keep: impl FnMut(Vec<(Weights, Weights)>),
) -> PyResult<()> {
    let Some(listener) = listener else { return Ok(()) };
    let py = listener.py();
    match event {
        Event::Begin(epoch, reply) => {
            let rate = listener.call_method1("begin", (epoch,))?.extract()?;
            let _ = reply.send(rate);
        }
        Event::Batch(report) => {
            let BatchReport { epoch, step, steps, samples, loss, .. } = report;
            listener.call_method1("batch", (epoch, step, steps, samples, loss))?;
        }
        Event::End(logs, weights, reply) => {
            keep(weights);
            let dict = PyDict::new(py);
            for key in keys(&logs) {
                dict.set_item(&key, logs.get(&key))?;
            }
            let stop = listener.call_method1("end", (logs.epoch, dict))?.extract()?;
            let _ = reply.send(stop);
        }
    }
    Ok(())
}

/// The keys that an epoch's logs have, `learning_rate` last.
fn keys(logs: &EpochLogs) -> Vec<String> {
    let one = History { epochs: vec![logs.clone()], ..History::default() };
    let mut keys = one.keys();
    keys.push("learning_rate".into());
    keys
}

/// The course of a training as Keras's `History` has it: key to list, and why it ended.
pub(crate) fn history<'py>(py: Python<'py>, history: &History) -> PyResult<Bound<'py, PyDict>> {
    let series = PyDict::new(py);
    for key in history.keys().into_iter().chain(["learning_rate".to_owned()]) {
        series.set_item(&key, history.series(&key).unwrap_or_default())?;
    }
    let dict = PyDict::new(py);
    let epochs: Vec<usize> = history.epochs.iter().map(|logs| logs.epoch).collect();
    dict.set_item("epochs", epochs)?;
    dict.set_item("history", series)?;
    dict.set_item("stop_reason", history.stop_reason.to_string())?;
    dict.set_item("overfits_after", history.overfits_after())?;
    Ok(dict)
}

/// Weights that live in an array of their own.
pub(crate) fn owned(values: &[f32]) -> Weights {
    Buffer::from(values.to_vec())
}
