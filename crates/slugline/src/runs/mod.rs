//! Past trainings, noted in a local database: what was trained on what, by which settings, how long it
//! took and how good it became.
//!
//! A model file holds no time, host or path, so that the same inputs make the same bytes. What belongs to
//! the run rather than to the model stands here.
//!
//! ```
//! use slugline::classifier::{Classifier, TrainingOptions};
//! use slugline::corpus::{SequenceOptions, sample};
//! use slugline::runs::{Entry, Query, Runs};
//! use std::time::{Duration, SystemTime};
//!
//! let options = TrainingOptions { max_features: 500, hidden: vec![8], epochs: 2, ..Default::default() };
//! let corpus = sample::load(&SequenceOptions { num_words: Some(500), ..Default::default() })?;
//! let (place, started) = (tempfile::tempdir()?, SystemTime::now());
//! let classifier = Classifier::train(&corpus, &options)?;
//!
//! let mut runs = Runs::open(place.path().join("runs.sqlite"))?;
//! let model = place.path().join("sample.slug");
//! let id = runs.add(&Entry::new(&classifier, &model, started, Duration::from_secs(1))?)?;
//! let found = runs.list(&Query { data: Some("sample".into()), ..Query::default() })?;
//! assert_eq!((found[0].id, found[0].entry.epochs), (id, 2));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The database
//!
//! A `SQLite` file, which [`place`] says where to find. Several programs may note runs at the same time:
//! each waits for the others. Its `user_version` is the version of the table `runs`, whose columns are
//! the fields of [`Entry`]: `started` in milliseconds since 1970, `seconds`, `settings` and `scores` as
//! JSON objects. Numbers of runs are not given again after a run is removed.

mod entry;
mod error;
mod store;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use directories::ProjectDirs;

pub use entry::Entry;
pub use error::RunsError;
pub use store::Runs;

/// Environment variable that names the database of runs.
pub const RUNS_VAR: &str = "SLUGLINE_RUNS";

/// The database of this user: the file that [`RUNS_VAR`] names, or else `runs.sqlite` in the platform's
/// folder for data, which is `$XDG_DATA_HOME/slugline` or `~/.local/share/slugline` on Linux,
/// `~/Library/Application Support/slugline` on macOS and `%LOCALAPPDATA%\slugline\data` on Windows.
///
/// # Errors
/// [`RunsError::NoFolder`] where the platform has none.
pub fn place() -> Result<PathBuf, RunsError> {
    let folder = ProjectDirs::from("", "", "slugline").map(|d| d.data_local_dir().to_owned());
    place_of(std::env::var_os(RUNS_VAR), folder)
}

fn place_of(named: Option<OsString>, folder: Option<PathBuf>) -> Result<PathBuf, RunsError> {
    match named.filter(|name| !name.is_empty()) {
        Some(name) => Ok(name.into()),
        None => folder.map(|folder| folder.join("runs.sqlite")).ok_or(RunsError::NoFolder),
    }
}

/// A training that was noted.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its number; a later run has a higher one.
    pub id: i64,
    /// What was noted of it.
    pub entry: Entry,
}

/// Which runs to list, and in which order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Query {
    /// Those on data of this name; `None` for any.
    pub data: Option<String>,
    /// Those begun then or later.
    pub since: Option<SystemTime>,
    /// Their order.
    pub sort: Sort,
    /// The first ones, so many; `None` for all.
    pub limit: Option<usize>,
}

/// The order of runs; of equals the newest comes first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Sort {
    /// The newest first. The default.
    #[default]
    Newest,
    /// The shortest first.
    Duration,
    /// The best first by the score of this name: the lowest for a name that ends in `loss`, the highest
    /// for any other. Runs without it come last.
    Score(String),
}

#[cfg(test)]
mod tests;
