//! Results in a file.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstream::StripStream;
use tempfile::NamedTempFile;

use super::check_target;
use crate::failure::Failure;

/// A file that is there as a whole or not at all: results go to a temporary file beside it, which takes
/// its name once they are complete.
pub(crate) struct NewFile {
    path: PathBuf,
    /// The file, or the end of a symbolic link.
    target: PathBuf,
    writer: Box<dyn Write + Send>,
    temporary: Option<NamedTempFile>,
}

impl NewFile {
    /// Begins a file of text, out of which colours are left. A device or pipe is written to at once.
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let mut file = Self::of_bytes(path)?;
        file.writer = Box::new(StripStream::new(file.writer));
        Ok(file)
    }

    /// The same for bytes as they are.
    pub(crate) fn of_bytes(path: &Path) -> Result<Self, Failure> {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let failed = |source| Failure::File { action: "write", path: path.to_owned(), source };
        check_target(path)?;
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let (file, temporary) = if target.exists() && !target.is_file() {
            (File::options().write(true).open(&target).map_err(failed)?, None)
        } else {
            let mut builder = tempfile::Builder::new();
            builder.prefix(".slugline-").suffix(".part");
            // Temporary files are private by default; results get what the user's mask allows.
            #[cfg(unix)]
            builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
            let temporary = builder.tempfile_in(folder).map_err(failed)?;
            (temporary.reopen().map_err(failed)?, Some(temporary))
        };
        let writer: Box<dyn Write + Send> = Box::new(BufWriter::with_capacity(1 << 16, file));
        Ok(Self { path: path.to_owned(), target, writer, temporary })
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> Failure + use<> {
        let path = self.path.clone();
        move |source| Failure::File { action: "write", path, source }
    }

    /// Adds results.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.writer.write_all(bytes).map_err(self.failed())
    }

    /// Completes the file and gives it its name.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(self.failed())?;
        let failed = self.failed();
        match self.temporary {
            None => Ok(()),
            Some(temporary) => match temporary.persist(&self.target) {
                Ok(_) => Ok(()),
                Err(error) => Err(failed(error.error)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_there_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.tsv");
        let mut file = NewFile::create(&path).unwrap();
        file.write(b"\x1b[1mgrain\x1b[0m\t1\n").unwrap();
        assert!(!path.exists());
        drop(file);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);

        let mut file = NewFile::create(&path).unwrap();
        file.write(b"\x1b[1mgrain\x1b[0m\t1\n").unwrap();
        file.finish().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "grain\t1\n");
        let mut bytes = NewFile::of_bytes(&path).unwrap();
        bytes.write(b"\x1b[1m").unwrap();
        bytes.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"\x1b[1m");
        assert!(NewFile::create(folder.path()).is_err());
        assert!(NewFile::create(&folder.path().join("no/where")).is_err());
    }
}
