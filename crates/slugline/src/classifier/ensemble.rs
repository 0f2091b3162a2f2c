//! Networks of different seeds, trained side by side and put together as one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use super::ClassifierError;
use super::train::{Fitted, Fitting};
use crate::checkpoint::Part;
use crate::nn::{BatchReport, Callback, EpochLogs, Flow, Sequential, StopReason, with_threads};

/// The seed of a network, counted from 0; the first one has that of the run. Runs of neighbouring
/// seeds share none.
fn member_seed(seed: u64, number: u64) -> u64 {
    seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Trains the networks, one a thread, and puts them together. The history is that of the first one.
pub(super) fn train(
    fitting: &Fitting<'_>,
    part: &Part,
    callbacks: &mut [&mut dyn Callback],
) -> Result<Fitted, ClassifierError> {
    let (count, seed) = (fitting.options.ensemble, fitting.options.seed);
    // Refused before anything is trained: what could not be put together afterwards.
    let layers = fitting.options.layers(fitting.class_names.len());
    let probe = Sequential::new(1, layers, seed)?;
    Sequential::ensemble(&vec![probe; count])?;

    let watch = Watch {
        callbacks: Mutex::new(callbacks),
        stop: AtomicBool::new(false),
        steps: AtomicUsize::new(0),
        count,
    };
    let member = |number: usize| {
        let mut relay = Relay { watch: &watch, number };
        let part = part.part(&format!("network-{}", number + 1));
        let fitted =
            fitting.network(member_seed(seed, number as u64), 1, &part, &mut [&mut relay])?;
        if fitted.error.is_none() && fitted.history.stop_reason != StopReason::Interrupted {
            part.store_network(&fitted.network, &fitted.history);
        }
        Ok::<Fitted, ClassifierError>(fitted)
    };
    let members: Vec<Result<Fitted, ClassifierError>> =
        with_threads(fitting.options.threads, || (0..count).into_par_iter().map(member).collect())?;
    let mut members = members.into_iter().collect::<Result<Vec<_>, _>>()?;

    let interrupted = members.iter().any(|m| m.history.stop_reason == StopReason::Interrupted);
    if interrupted && members.iter().any(|m| !m.history.epochs.is_empty()) {
        // What has not finished an epoch would only add noise.
        members.retain(|m| !m.history.epochs.is_empty());
    }
    let error = members.iter_mut().find_map(|m| m.error.take());
    let (networks, histories): (Vec<Sequential>, Vec<_>) =
        members.into_iter().map(|m| (m.network, m.history)).unzip();
    let mut history = histories.into_iter().next().unwrap_or_default();
    if interrupted {
        history.stop_reason = StopReason::Interrupted;
    } else if error.is_some() {
        history.stop_reason = StopReason::Diverged;
    }
    let mut network = Sequential::ensemble(&networks)?;
    fitting.compile(&mut network)?;
    Ok(Fitted { network, history, error })
}

/// The callbacks of a run, who hear of several networks at once.
struct Watch<'a, 'b> {
    callbacks: Mutex<&'a mut [&'b mut dyn Callback]>,
    stop: AtomicBool,
    /// Steps made by all networks.
    steps: AtomicUsize,
    count: usize,
}

/// Tells the callbacks of one network: of its batches as steps of one long run over all networks, of
/// the first one's epochs as they are.
struct Relay<'a, 'b, 'c> {
    watch: &'a Watch<'b, 'c>,
    number: usize,
}

impl Callback for Relay<'_, '_, '_> {
    fn on_epoch_begin(&mut self, epoch: usize) {
        if self.number > 0 {
            return;
        }
        let mut callbacks = self.watch.callbacks.lock().unwrap_or_else(PoisonError::into_inner);
        callbacks.iter_mut().for_each(|c| c.on_epoch_begin(epoch));
    }

    fn on_batch_end(&mut self, report: &BatchReport) -> Flow {
        let watch = self.watch;
        let done = watch.steps.fetch_add(1, Ordering::Relaxed);
        let steps = report.steps * watch.count;
        let report =
            BatchReport { epoch: done / steps + 1, step: done % steps + 1, steps, ..*report };
        let mut callbacks = watch.callbacks.lock().unwrap_or_else(PoisonError::into_inner);
        let flows: Vec<Flow> = callbacks.iter_mut().map(|c| c.on_batch_end(&report)).collect();
        if flows.contains(&Flow::Stop) {
            watch.stop.store(true, Ordering::Relaxed);
        }
        if watch.stop.load(Ordering::Relaxed) { Flow::Stop } else { Flow::Continue }
    }

    fn on_epoch_end(&mut self, logs: &EpochLogs, model: &Sequential) -> Flow {
        if self.number > 0 {
            return Flow::Continue;
        }
        let mut callbacks = self.watch.callbacks.lock().unwrap_or_else(PoisonError::into_inner);
        let flows: Vec<Flow> = callbacks.iter_mut().map(|c| c.on_epoch_end(logs, model)).collect();
        if flows.contains(&Flow::Stop) { Flow::Stop } else { Flow::Continue }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_of_neighbouring_runs_are_apart() {
        let seeds = |seed| (0..5).map(move |number| member_seed(seed, number));
        assert_eq!(member_seed(7, 0), 7);
        let all: std::collections::BTreeSet<u64> = (0..20).flat_map(seeds).collect();
        assert_eq!(all.len(), 100);
    }
}
