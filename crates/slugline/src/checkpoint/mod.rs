//! A training run on the disk, so that it can go on after whatever ended it.
//!
//! While a run trains, a folder beside its model keeps what a later run with the same data and settings
//! needs to end with the same model, to the last byte. [`Checkpoints`] says where and how often;
//! functions that train take it, such as
//! [`Classifier::train_resumable`](crate::classifier::Classifier::train_resumable).
//!
//! ```
//! use slugline::checkpoint::{Checkpoints, Interval};
//! use slugline::classifier::{Classifier, TrainingOptions};
//! use slugline::corpus::{SequenceOptions, sample};
//! use std::time::Duration;
//!
//! let options = TrainingOptions { max_features: 500, hidden: vec![8], epochs: 3, ..Default::default() };
//! let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
//! let place = tempfile::tempdir()?;
//! let folder = place.path().join("m.slug.checkpoint");
//! let kept = Checkpoints::new(&folder, Interval::Every(Duration::ZERO));
//! let whole = Classifier::train_resumable(&corpus, &options, &mut [], &kept)?;
//!
//! // Had it been ended after its second epoch, this would have gone on from there.
//! let again = Classifier::train_resumable(&corpus, &options, &mut [], &kept.resuming(true))?;
//! assert_eq!(again.to_bytes()?, whole.to_bytes()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The folder
//!
//! It has one file for each part of the run that is under way or finished: a network, a candidate of
//! `auto`, a member of an ensemble. Parts do not depend on each other's progress, so that each file is
//! whole by itself: it is written beside its place, brought to the disk and renamed. Like a
//! [model file](crate::model_file) it is a safetensors file with a checksum; its description has
//!
//! | field | content |
//! |---|---|
//! | `format`, `version`, `checksum` | `"slugline checkpoint"`, `1`, and 32 hexadecimal digits, as in a model file |
//! | `run` | what makes the run what it is: version of Slugline, data, settings. Threads are no part of it |
//! | `part` | name of the part |
//! | `content` | `kind` `"under_way"`: steps, epochs, history, and the callbacks' numbers; `"network"`: the history of a finished one; `"result"`: what is known of a finished part that needs no network |
//!
//! The tensors are the kernels and biases under a model file's names, the optimizer's memory of each
//! (`optimizer.dense.kernel.m`, `.v`, `.last_visit`), and the weights that callbacks keep
//! (`callback.0.dense.kernel`).
//!
//! # What going on refuses
//!
//! A file that is damaged, cut short or no checkpoint, and one of another run: the error says what is
//! the matter, and what to do.

mod error;
mod file;
mod part;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::container::is_temporary;

pub use error::CheckpointError;
pub(crate) use part::{Part, StoredNetwork};

/// Ending of the files of a checkpoint.
const ENDING: &str = "safetensors";

/// How often a run is written down. It can be at the end of an epoch only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interval {
    /// As often as costs next to nothing: when ten seconds have passed since the last time, and a
    /// hundred times as long as writing takes. The default.
    #[default]
    Automatic,
    /// When so much time has passed; 0 for every epoch.
    Every(Duration),
    /// Never.
    Never,
}

/// The shortest time between two automatic checkpoints.
const SHORTEST: Duration = Duration::from_secs(10);

/// Writing takes one part in so many of the time, at most.
const SHARE: u32 = 100;

/// Bytes that a disk is taken to write in a second before it has been seen to write.
const USUAL_BYTES_A_SECOND: f64 = 100e6;

impl Interval {
    /// The time that has to pass before `bytes` are written, given how long the last time took.
    fn wait(self, bytes: usize, last: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Never => None,
            Self::Every(time) => Some(time),
            Self::Automatic => {
                let guess = Duration::from_secs_f64(bytes as f64 / USUAL_BYTES_A_SECOND);
                Some(SHORTEST.max(last.unwrap_or(guess) * SHARE))
            }
        }
    }
}

/// Where a run keeps its checkpoint, how often, and whether it goes on from one.
#[derive(Debug, Default)]
pub struct Checkpoints {
    folder: Option<PathBuf>,
    interval: Interval,
    resume: bool,
    failure: Arc<Mutex<Option<CheckpointError>>>,
}

impl Checkpoints {
    /// None: a run that is ended begins anew.
    pub fn none() -> Self {
        Self::default()
    }

    /// In `folder`, which is made when it is needed. What an earlier run has left there is dropped when
    /// the training begins, unless it [goes on](Self::resuming) from it.
    pub fn new(folder: impl Into<PathBuf>, interval: Interval) -> Self {
        Self { folder: Some(folder.into()), interval, ..Self::default() }
    }

    /// The folder for the run that makes the model file `model`: its name and `.checkpoint`.
    pub fn beside(model: &Path) -> PathBuf {
        let mut name = model.as_os_str().to_owned();
        name.push(".checkpoint");
        name.into()
    }

    /// Whether to go on from what is there; from the start where nothing is.
    #[must_use]
    pub fn resuming(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Those of a part that is a run by itself, such as the training of a fold, in a folder within this
    /// one: they go with it when it is [removed](Self::remove).
    #[must_use]
    pub fn within(&self, name: &str) -> Self {
        Self {
            folder: self.folder.as_ref().map(|folder| folder.join(name)),
            interval: self.interval,
            resume: self.resume,
            failure: Arc::clone(&self.failure),
        }
    }

    /// Whether there is something to go on from.
    ///
    /// # Errors
    /// [`CheckpointError::Read`] if the folder cannot be looked into.
    pub fn exists(&self) -> Result<bool, CheckpointError> {
        if !self.files()?.is_empty() {
            return Ok(true);
        }
        for part in self.parts() {
            if part.exists()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Removes the checkpoint: when the model is saved, it has served. Files that are none of it stay,
    /// and the folder with them.
    ///
    /// # Errors
    /// [`CheckpointError::Write`] if the system refuses.
    pub fn remove(&self) -> Result<(), CheckpointError> {
        for part in self.parts() {
            part.remove()?;
        }
        self.drop_files()
    }

    /// Removes the files that are not [within](Self::within) a part.
    fn drop_files(&self) -> Result<(), CheckpointError> {
        let failed = |path: &Path, source| CheckpointError::Write { path: path.to_owned(), source };
        for file in self.files()?.into_iter().chain(self.half_written()) {
            std::fs::remove_file(&file).map_err(|e| failed(&file, e))?;
        }
        if let Some(folder) = self.folder.as_ref().filter(|folder| folder.is_dir()) {
            let empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
            if empty {
                std::fs::remove_dir(folder).map_err(|e| failed(folder, e))?;
            }
        }
        Ok(())
    }

    /// What kept a checkpoint from being written, if anything did. A run trains on regardless.
    pub fn take_failure(&self) -> Option<CheckpointError> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The folders within this one.
    fn parts(&self) -> Vec<Self> {
        let entries = self.folder.iter().filter_map(|folder| std::fs::read_dir(folder).ok());
        let names = entries.flatten().filter_map(|entry| {
            let entry = entry.ok()?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            is_folder.then(|| entry.file_name().into_string().ok()).flatten()
        });
        names.map(|name| self.within(&name)).collect()
    }

    /// What was being written when a run was killed.
    fn half_written(&self) -> Vec<PathBuf> {
        let entries = self.folder.iter().filter_map(|folder| std::fs::read_dir(folder).ok());
        let paths = entries.flatten().filter_map(|entry| Some(entry.ok()?.path()));
        paths.filter(|path| is_temporary(path)).collect()
    }

    /// The files of the checkpoint, in the order of their names.
    fn files(&self) -> Result<Vec<PathBuf>, CheckpointError> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let failed = |source| CheckpointError::Read { path: folder.clone(), source };
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(failed(e)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// Begins a run, which `run` tells from every other: looks at all of an earlier checkpoint, or drops
    /// it. Gives the whole run as a part.
    ///
    /// # Errors
    /// [`CheckpointError`], for whatever is wrong with what is there.
    pub(crate) fn begin(&self, run: Value) -> Result<Part, CheckpointError> {
        let Some(folder) = &self.folder else { return Ok(Part::none()) };
        if !self.resume {
            self.drop_files()?;
        }
        for file in self.files()? {
            file::File::read(&file)?.check_run(&file, &run)?;
        }
        Ok(Part::of(Run {
            folder: folder.clone(),
            interval: self.interval,
            identity: run,
            begun: Instant::now(),
            waiting: Mutex::default(),
            failure: Arc::clone(&self.failure),
        }))
    }
}

/// A run that keeps a checkpoint.
#[derive(Debug)]
struct Run {
    folder: PathBuf,
    interval: Interval,
    /// What makes it what it is.
    identity: Value,
    begun: Instant,
    /// Small results that wait until something is written anyway.
    waiting: Mutex<Vec<(String, Value)>>,
    failure: Arc<Mutex<Option<CheckpointError>>>,
}

#[cfg(test)]
mod tests;
