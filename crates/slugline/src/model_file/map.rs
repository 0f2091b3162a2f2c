//! A file as memory.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use memmap2::Mmap;

use super::ModelFileError;

/// Maps the file at `path` for reading.
pub(super) fn map(path: &Path) -> Result<Mmap, ModelFileError> {
    map_file(&open(path)?).map_err(|source| refused(path, source))
}

/// Reads the file at `path`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ModelFileError> {
    let mut file = open(path)?;
    let mut content = Vec::new();
    file.read_to_end(&mut content).map_err(|source| refused(path, source))?;
    Ok(content)
}

fn refused(path: &Path, source: io::Error) -> ModelFileError {
    ModelFileError::Read { path: path.to_owned(), source }
}

/// Opens a file that can be a model.
fn open(path: &Path) -> Result<File, ModelFileError> {
    let refused = |source| refused(path, source);
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let kind = fs::metadata(path).map_err(refused)?;
    if !kind.is_file() {
        let found = if kind.is_dir() { "a folder" } else { "a device or pipe" };
        return Err(ModelFileError::NotAModel { path: path.to_owned(), found: found.into() });
    }
    File::open(path).map_err(refused)
}

#[allow(unsafe_code, reason = "memory that another program can change has no safe interface")]
fn map_file(file: &File) -> io::Result<Mmap> {
    // SAFETY: the mapping is read-only. Its content must not change while it lives: the
    // documentation of `Classifier::load` demands that model files are replaced by a rename, which
    // leaves the mapped file as it is, and `Classifier::save` does so.
    unsafe { Mmap::map(file) }
}
