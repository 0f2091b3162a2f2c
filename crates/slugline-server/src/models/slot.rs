//! A name under which one model after the other is served.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use axum::http::HeaderValue;
use slugline::classifier::Classifier;
use slugline::corpus::Content;

use super::{Engine, Model};
use crate::error::ServeError;
use crate::metrics::Metrics;
use crate::options::Source;

/// A name, the file it stands for, and the model that was last loaded from it.
pub(crate) struct Slot {
    source: Source,
    current: ArcSwap<Model>,
    seen: Mutex<Seen>,
}

/// What tells a file from the one that was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// A file that was renamed into place is another one, however fast that came.
    number: u64,
}

/// Stamps of the file.
#[derive(Debug)]
struct Seen {
    /// When it was last loaded, or could not be.
    tried: Option<Stamp>,
    /// When it was last looked at.
    looked: Option<Stamp>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let number = file_number(&metadata);
        Some(Self { length: metadata.len(), modified: metadata.modified().ok(), number })
    }
}

#[cfg(unix)]
fn file_number(metadata: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    metadata.ino()
}

#[cfg(not(unix))]
fn file_number(_: &Metadata) -> u64 {
    0
}

impl Slot {
    pub(crate) fn load(source: &Source, metrics: &Metrics) -> Result<Self, ServeError> {
        let stamp = Stamp::of(&source.path);
        let model = read(source, metrics)?;
        Ok(Self {
            source: source.clone(),
            current: ArcSwap::from_pointee(model),
            seen: Mutex::new(Seen { tried: stamp, looked: stamp }),
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    pub(crate) fn path(&self) -> &PathBuf {
        &self.source.path
    }

    /// The model as it is now.
    pub(crate) fn model(&self) -> Arc<Model> {
        self.current.load_full()
    }

    /// Loads the file anew. Requests that are under way keep the model they have; where the file cannot
    /// be used, the model stays.
    pub(crate) fn reload(&self, metrics: &Metrics) -> Result<Arc<Model>, ServeError> {
        // Held while it loads, so that two reloads do not overtake each other.
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = Stamp::of(&self.source.path);
        *seen = Seen { tried: stamp, looked: stamp };
        let loaded = read(&self.source, metrics).map(Arc::new);
        let outcome = if loaded.is_ok() { "loaded" } else { "refused" };
        metrics.count_reload(self.name(), outcome);
        let model = loaded?;
        let before = self.current.swap(Arc::clone(&model));
        metrics.put_in_place(self.name(), &before.checksum, &model.checksum);
        Ok(model)
    }

    /// Whether the file is another one than was last tried, and has not changed since the last look, so
    /// that no half of a file is read that is being written.
    pub(crate) fn changed(&self) -> bool {
        let now = Stamp::of(&self.source.path);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let settled = std::mem::replace(&mut seen.looked, now) == now;
        // A file that is gone is no new model.
        now.is_some() && settled && seen.tried != now
    }
}

fn read(source: &Source, metrics: &Metrics) -> Result<Model, ServeError> {
    // In the memory of this process: a mapped file that is written to in place would take it down.
    let (classifier, checksum, size_bytes) = Classifier::read(&source.path)?;
    if classifier.vectorizer().content() != Content::Text {
        return Err(ServeError::TakesFeatures { path: source.path.clone() });
    }
    let header = |text: &str| HeaderValue::from_str(text);
    let (Ok(name_header), Ok(checksum_header)) = (header(&source.name), header(&checksum)) else {
        return Err(ServeError::Name { name: source.name.clone() });
    };
    let metrics = metrics.of_model(&source.name, classifier.class_names());
    Ok(Model {
        name: source.name.clone(),
        engine: Engine::of(classifier),
        checksum,
        size_bytes,
        loaded: SystemTime::now(),
        metrics,
        name_header,
        checksum_header,
    })
}
