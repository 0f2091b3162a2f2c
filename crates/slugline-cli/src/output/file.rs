//! Results in a file.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::failure::Failure;

/// Sees to it that a file can be written, before minutes are spent on what it is to hold.
pub(crate) fn check_target(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match folder.filter(|folder| !folder.is_dir()) {
        _ if path.is_dir() => {
            Err(Failure::Other(format!("cannot write to {shown}, which is a folder; name a file")))
        }
        Some(folder) => Err(Failure::Other(format!(
            "cannot write to {shown}: there is no folder {}; make it first",
            folder.display()
        ))),
        None => Ok(()),
    }
}

/// Writes a result to a file, replacing what is there.
pub(crate) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let failed = |source| Failure::File { action: "write", path: path.to_owned(), source };
    let mut file = BufWriter::new(File::create(path).map_err(failed)?);
    match write(&mut file) {
        Err(Failure::Output(source)) => return Err(failed(source)),
        other => other?,
    }
    file.flush().map_err(failed)
}
