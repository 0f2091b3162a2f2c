//! A file as memory.

use std::fs::{self, File};
use std::path::Path;

use memmap2::Mmap;

use super::ModelFileError;

/// Maps the file at `path` for reading.
pub(super) fn map(path: &Path) -> Result<Mmap, ModelFileError> {
    let refused = |source| ModelFileError::Read { path: path.to_owned(), source };
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let kind = fs::metadata(path).map_err(refused)?;
    if !kind.is_file() {
        let found = if kind.is_dir() { "a folder" } else { "a device or pipe" };
        return Err(ModelFileError::NotAModel { path: path.to_owned(), found: found.into() });
    }
    let file = File::open(path).map_err(refused)?;
    map_file(&file).map_err(refused)
}

#[allow(unsafe_code, reason = "memory that another program can change has no safe interface")]
fn map_file(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the mapping is read-only. Its content must not change while it lives: the
    // documentation of `Classifier::load` demands that model files are replaced by a rename, which
    // leaves the mapped file as it is, and `Classifier::save` does so.
    unsafe { Mmap::map(file) }
}
