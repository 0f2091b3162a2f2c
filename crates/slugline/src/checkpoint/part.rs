//! A part of a run: a network, or something that is known when it is done.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::file::{self, Content, File, Written};
use super::{CheckpointError, ENDING, Run};
use crate::container::write_atomically;
use crate::nn::{Callback, EpochLogs, Flow, History, Progress, Sequential, Weights};

/// A part of a run by its name, or of one that keeps nothing.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    run: Option<Arc<Run>>,
    name: String,
}

/// A network as a checkpoint has it.
pub(crate) enum StoredNetwork {
    /// At the end of an epoch.
    UnderWay { weights: Vec<(Weights, Weights)>, progress: Progress },
    /// After its last one.
    Done { weights: Vec<(Weights, Weights)>, history: History },
}

impl Part {
    /// Of a run that keeps nothing.
    pub(crate) fn none() -> Self {
        Self { run: None, name: String::new() }
    }

    /// The whole of a run.
    pub(super) fn of(run: Run) -> Self {
        Self { run: Some(Arc::new(run)), name: String::new() }
    }

    /// A part of this part; `name` goes into the name of a file.
    pub(crate) fn part(&self, name: &str) -> Self {
        let joined = match self.name.as_str() {
            "" => name.to_owned(),
            ours => format!("{ours}.{name}"),
        };
        Self { run: self.run.clone(), name: joined }
    }

    /// The part under the name that it has if it is the whole run.
    fn file_name(&self) -> &str {
        if self.name.is_empty() { "network" } else { &self.name }
    }

    fn path(&self, run: &Run) -> PathBuf {
        run.folder.join(format!("{}.{ENDING}", self.file_name()))
    }

    /// What is stored of it.
    fn read(&self) -> Result<Option<(PathBuf, File)>, CheckpointError> {
        let Some(run) = &self.run else { return Ok(None) };
        let path = self.path(run);
        if !path.is_file() {
            return Ok(None);
        }
        let file = File::read(&path)?;
        file.check_run(&path, &run.identity)?;
        if file.part() != self.file_name() {
            let problem =
                format!("expected the part {:?}, found {:?}", self.file_name(), file.part());
            return Err(CheckpointError::Unusable { path, problem });
        }
        Ok(Some((path, file)))
    }

    /// What was stored as the result of this part, if it is finished.
    pub(crate) fn result<T: DeserializeOwned>(&self) -> Result<Option<T>, CheckpointError> {
        let Some((path, file)) = self.read()? else { return Ok(None) };
        match file.into_content().0 {
            Content::Result { value } => match serde_json::from_value(value) {
                Ok(result) => Ok(Some(result)),
                Err(e) => Err(CheckpointError::Unusable { path, problem: e.to_string() }),
            },
            _ => Ok(None),
        }
    }

    /// Stores the result of a part that needs no network any more. A short run keeps it in memory until
    /// something is written.
    pub(crate) fn store_result<T: Serialize>(&self, result: &T) {
        let Some(run) = &self.run else { return };
        // What cannot be written as JSON is found out again.
        let Ok(value) = serde_json::to_value(result) else { return };
        run.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((self.file_name().to_owned(), value));
        if run.interval.wait(0, None).is_some_and(|wait| run.begun.elapsed() >= wait) {
            run.write_waiting();
        }
    }

    /// The network of this part, if one is stored.
    pub(crate) fn network(&self) -> Result<Option<StoredNetwork>, CheckpointError> {
        let Some((_, file)) = self.read()? else { return Ok(None) };
        let (content, mut tensors) = file.into_content();
        Ok(match content {
            Content::Result { .. } => None,
            Content::Network { history } => {
                Some(StoredNetwork::Done { weights: tensors.weights(""), history })
            }
            Content::UnderWay { steps, epochs, history, callbacks } => {
                let weights = tensors.weights("");
                let state = (steps, epochs, history);
                let progress = tensors.progress(weights.len(), state, callbacks);
                Some(StoredNetwork::UnderWay { weights, progress })
            }
        })
    }

    /// Stores a network that is trained, if the run is long enough for that to be worth it.
    pub(crate) fn store_network(&self, network: &Sequential, history: &History) {
        let Some(run) = &self.run else { return };
        let bytes = network.parameter_count() * size_of::<f32>();
        if run.interval.wait(bytes, None).is_none_or(|wait| run.begun.elapsed() < wait) {
            return;
        }
        let content = Content::Network { history: history.clone() };
        let written =
            file::write(&run.identity, self.file_name(), content, network.parameters(), None);
        run.write(&self.path(run), written);
    }

    /// What stores the network of this part while it is trained; its last epoch, after which nothing
    /// is left to be done, is not stored.
    pub(crate) fn keeper(&self) -> Keeper<'_> {
        Keeper { part: self, since: Instant::now(), last: None, bytes: 0 }
    }
}

impl Run {
    /// Writes a file and what waits; notes what goes wrong.
    fn write(&self, path: &Path, written: Result<Written<'_>, String>) {
        self.write_waiting();
        self.write_file(path, written);
    }

    fn write_file(&self, path: &Path, written: Result<Written<'_>, String>) {
        let result = written.map_err(std::io::Error::other).and_then(|written| {
            std::fs::create_dir_all(&self.folder)?;
            write_atomically(path, &written.pieces())
        });
        if let Err(source) = result {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert(CheckpointError::Write { path: path.to_owned(), source });
        }
    }

    fn write_waiting(&self) {
        let waiting =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for (name, value) in waiting {
            let path = self.folder.join(format!("{name}.{ENDING}"));
            let written = file::write(&self.identity, &name, Content::Result { value }, &[], None);
            self.write_file(&path, written);
        }
    }
}

/// Stores a network at the ends of epochs, as often as the run's interval says.
pub(crate) struct Keeper<'a> {
    part: &'a Part,
    /// When it was stored last, or the training began.
    since: Instant,
    /// How long that took.
    last: Option<Duration>,
    /// About as many bytes as it takes.
    bytes: usize,
}

impl Callback for Keeper<'_> {
    fn on_epoch_end(&mut self, _logs: &EpochLogs, model: &Sequential) -> Flow {
        // Weights and up to two moments of each.
        self.bytes = 3 * model.parameter_count() * size_of::<f32>();
        Flow::Continue
    }

    fn wants_progress(&self) -> bool {
        let Some(run) = &self.part.run else { return false };
        let wait = run.interval.wait(self.bytes, self.last);
        wait.is_some_and(|wait| self.since.elapsed() >= wait)
    }

    fn on_progress(&mut self, progress: &Progress, model: &Sequential) {
        let Some(run) = &self.part.run else { return };
        let start = Instant::now();
        let content = Content::under_way(progress);
        let name = self.part.file_name();
        let written = file::write(&run.identity, name, content, model.parameters(), Some(progress));
        run.write(&self.part.path(run), written);
        (self.since, self.last) = (Instant::now(), Some(start.elapsed()));
    }
}
