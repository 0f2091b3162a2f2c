//! The partly received file: its bytes on disk, their digest so far, and its rename into place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::error::FetchError;
use super::sources::Checksum;
use crate::hex::hex;

/// Bytes moved at a time between network, memory and disk.
pub(super) const BLOCK: usize = 64 * 1024;

/// `<name>.part` in the cache folder, open for writing at its end.
///
/// The digest always covers exactly the bytes in the file.
pub(super) struct PartFile<'a> {
    path: PathBuf,
    file: File,
    len: u64,
    checksum: Checksum<'a>,
    digest: Running,
}

impl<'a> PartFile<'a> {
    /// Opens the file at `path` and takes what an earlier download left in it into the digest; one
    /// of more than `max_size` bytes is started afresh.
    pub(super) fn open(
        path: PathBuf,
        checksum: Checksum<'a>,
        max_size: u64,
    ) -> Result<Self, FetchError> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| FetchError::Io { action: "create", path: path.clone(), source })?;
        let digest = Running::new(checksum);
        let mut part = Self { path, file, len: 0, checksum, digest };
        part.take_in_existing(max_size).map_err(|source| part.io("read", source))?;
        Ok(part)
    }

    fn take_in_existing(&mut self, max_size: u64) -> io::Result<()> {
        if self.file.metadata()?.len() > max_size {
            return self.file.set_len(0);
        }
        let mut block = vec![0; BLOCK];
        loop {
            match self.file.read(&mut block) {
                Ok(0) => return Ok(()),
                Ok(n) => {
                    self.digest.update(&block[..n]);
                    self.len += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Bytes in the file.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Hexadecimal digest of the bytes in the file, by the algorithm of the checksum.
    pub(super) fn digits(&self) -> String {
        self.digest.digits()
    }

    /// Whether the bytes in the file are the whole right file.
    pub(super) fn is_complete(&self) -> bool {
        self.len > 0 && self.digits().eq_ignore_ascii_case(self.checksum.digits())
    }

    /// Adds `bytes` at the end.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.file.write_all(bytes).map_err(|source| self.io("write", source))?;
        self.digest.update(bytes);
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Throws the bytes away, to begin again at the first.
    pub(super) fn restart(&mut self) -> Result<(), FetchError> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .map_err(|source| self.io("truncate", source))?;
        self.digest = Running::new(self.checksum);
        self.len = 0;
        Ok(())
    }

    /// Puts the complete file into its place at `target`, in one step and safely on disk first: at
    /// `target` there is never a part of a file, whatever happens to the machine.
    pub(super) fn commit(self, target: &Path) -> Result<(), FetchError> {
        self.file.sync_all().map_err(|source| self.io("write", source))?;
        let Self { path, file, .. } = self;
        drop(file);
        fs::rename(&path, target).map_err(|source| FetchError::Io {
            action: "rename the download to",
            path: target.to_owned(),
            source,
        })?;
        sync_folder_of(target)
    }

    /// Closes the file; one without bytes is removed, as nothing can be continued from it.
    pub(super) fn close(self) -> Result<(), FetchError> {
        let Self { path, file, len, .. } = self;
        drop(file);
        if len > 0 {
            return Ok(());
        }
        fs::remove_file(&path).map_err(|source| FetchError::Io { action: "remove", path, source })
    }

    fn io(&self, action: &'static str, source: io::Error) -> FetchError {
        FetchError::Io { action, path: self.path.clone(), source }
    }
}

/// Makes a rename outlast a power cut. Only Unix has files for folders.
#[cfg(unix)]
fn sync_folder_of(target: &Path) -> Result<(), FetchError> {
    let Some(folder) = target.parent() else { return Ok(()) };
    File::open(folder).and_then(|f| f.sync_all()).map_err(|source| FetchError::Io {
        action: "write",
        path: folder.to_owned(),
        source,
    })
}

#[cfg(not(unix))]
fn sync_folder_of(_target: &Path) -> Result<(), FetchError> {
    Ok(())
}

/// A digest under way.
enum Running {
    Sha256(Sha256),
    Md5(Md5),
}

impl Running {
    fn new(checksum: Checksum<'_>) -> Self {
        match checksum {
            Checksum::Sha256(_) => Self::Sha256(Sha256::new()),
            Checksum::Md5(_) => Self::Md5(Md5::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(d) => d.update(bytes),
            Self::Md5(d) => d.update(bytes),
        }
    }

    fn digits(&self) -> String {
        match self {
            Self::Sha256(d) => hex(&d.clone().finalize()),
            Self::Md5(d) => hex(&d.clone().finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digests of `abc`: FIPS 180-2 appendix B.1, and RFC 1321 appendix A.5.
    const ABC_SHA256: &str = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
    const ABC_MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    #[test]
    fn digest_continues_over_a_reopened_file() {
        for checksum in [Checksum::Sha256(ABC_SHA256), Checksum::Md5(ABC_MD5)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("f.part");
            let mut part = PartFile::open(path.clone(), checksum, 10).unwrap();
            part.append(b"a").unwrap();
            part.close().unwrap();

            let mut part = PartFile::open(path.clone(), checksum, 10).unwrap();
            assert_eq!(part.len(), 1);
            assert!(!part.is_complete());
            part.append(b"bc").unwrap();
            assert!(part.is_complete(), "{}", part.digits());

            part.restart().unwrap();
            assert!(!part.is_complete());
            part.append(b"abc").unwrap();
            assert!(part.is_complete());
            part.commit(&dir.path().join("f")).unwrap();
            assert_eq!(fs::read(dir.path().join("f")).unwrap(), b"abc");
            assert!(!path.exists());
        }
    }

    #[test]
    fn an_empty_file_does_not_stay() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.part");
        PartFile::open(path.clone(), Checksum::Md5(ABC_MD5), 10).unwrap().close().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn an_oversized_file_is_started_afresh() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.part");
        fs::write(&path, [7; 11]).unwrap();
        let mut part = PartFile::open(path, Checksum::Md5(ABC_MD5), 10).unwrap();
        assert_eq!(part.len(), 0);
        part.append(b"abc").unwrap();
        assert!(part.is_complete());
    }
}
