//! A folder for each class, a file for each document.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::error::ReadError;
use super::options::{LabelUse, ReadOptions};
use super::row::{Part, Row, RowLabels};
use super::source::{Input, LONGEST_LINE, Stream};
use crate::corpus::Place;

/// The documents of a folder, in the order of their paths.
pub(super) struct Folder {
    files: std::vec::IntoIter<Document>,
    labels: LabelUse,
    read: Arc<AtomicU64>,
}

struct Document {
    path: PathBuf,
    class: Option<String>,
    part: Option<Part>,
}

impl Folder {
    /// Lists the documents. Folders that are called train, validation or test hold the classes of that
    /// part; names that begin with a dot are passed over.
    pub(super) fn new(
        path: &Path,
        options: &ReadOptions,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, ReadError> {
        let mut files = Vec::new();
        let children = list(path)?;
        let is_part = |child: &PathBuf| child.is_dir() && Part::parse(&name(child)).is_some();
        let folders = || children.iter().filter(|child| child.is_dir());
        if folders().next().is_some() && folders().all(is_part) {
            for child in &children {
                classes(child, Part::parse(&name(child)), &mut files)?;
            }
        } else {
            classes(path, None, &mut files)?;
        }
        let (labels, read) = (options.labels, Arc::clone(read));
        Ok(Self { files: files.into_iter(), labels, read })
    }

    pub(super) fn next_row(&mut self) -> Option<Result<Row, ReadError>> {
        let Document { path, class, part } = self.files.next()?;
        let source = path.to_string_lossy().into();
        let place = Place { source, row: 1 };
        let bad = |problem: String| Some(Err(ReadError::Row { place: place.clone(), problem }));
        let labels = match (self.labels, class) {
            (LabelUse::Ignored, _) => RowLabels::None,
            (_, Some(class)) => RowLabels::One(class),
            (_, None) => return bad("the file is in no class's folder".into()),
        };
        // To open a pipe is to wait for a writer.
        if fs::metadata(&path).is_ok_and(|known| !known.is_file()) {
            return bad("expected a file, found a pipe, a socket or a device".into());
        }
        let mut bytes = Vec::new();
        let opened = Stream::open(&Input::File(path), &self.read, true);
        let limit = LONGEST_LINE as u64 + 1;
        if let Err(e) = opened.and_then(|stream| {
            stream.take(limit).read_to_end(&mut bytes).map_err(ReadError::io(&place.source))
        }) {
            return Some(Err(e));
        }
        if bytes.len() > LONGEST_LINE {
            return bad("the file is longer than 64 MiB".into());
        }
        match String::from_utf8(bytes) {
            Ok(text) => Some(Ok(Row { text, labels, weight: None, part, place, kept: Vec::new() })),
            Err(e) => {
                bad(format!("the file is not UTF-8 at byte {}", e.utf8_error().valid_up_to()))
            }
        }
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// What a folder holds, in the order of names.
fn list(path: &Path) -> Result<Vec<PathBuf>, ReadError> {
    let failed = || ReadError::io(&path.to_string_lossy());
    let mut all = Vec::new();
    for entry in fs::read_dir(path).map_err(failed())? {
        let path = entry.map_err(failed())?.path();
        if !name(&path).starts_with('.') {
            all.push(path);
        }
    }
    all.sort();
    Ok(all)
}

/// Lists the documents of a folder of classes.
fn classes(path: &Path, part: Option<Part>, files: &mut Vec<Document>) -> Result<(), ReadError> {
    if path.is_file() {
        files.push(Document { path: path.into(), class: None, part });
        return Ok(());
    }
    for child in list(path)? {
        let class = child.is_dir().then(|| name(&child));
        documents(child, class.as_ref(), part, files)?;
    }
    Ok(())
}

/// Lists the documents of a class, those of folders within it too.
fn documents(
    path: PathBuf,
    class: Option<&String>,
    part: Option<Part>,
    files: &mut Vec<Document>,
) -> Result<(), ReadError> {
    if !path.is_dir() {
        files.push(Document { path, class: class.cloned(), part });
        return Ok(());
    }
    for child in list(&path)? {
        documents(child, class, part, files)?;
    }
    Ok(())
}
