//! What can go wrong while a file is looked for or downloaded.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a file could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The user named a data folder and the file is not in it. Nothing else was tried.
    #[error(
        "`{file}` is not in the data folder {}{}\n  \
         put the file there, or leave out --data-dir to search the other places and the public source",
        .dir.display(),
        if *.dir_exists { "" } else { ", which is not a folder" }
    )]
    NotInDataDir {
        /// Name of the file.
        file: String,
        /// The folder that was named.
        dir: PathBuf,
        /// Whether that is an existing folder at all.
        dir_exists: bool,
    },

    /// The file is nowhere on this machine, and downloads are switched off.
    #[error("`{}` is not on this machine, and downloads are switched off\n{_0}", ._0.file)]
    Offline(Missing),

    /// The file is nowhere on this machine, and there is no folder to download it into.
    #[error(
        "`{}` is not on this machine, and there is no cache folder to download it into \
         (no home folder is known)\n{_0}", ._0.file
    )]
    NoCacheFolder(Missing),

    /// Every mirror failed.
    #[error(
        "`{}` is not on this machine, and downloading it failed\n{}{}",
        .missing.file,
        Failures(.failures),
        Help::new(.missing, !.failures.is_empty())
    )]
    DownloadFailed {
        /// What was looked for, where, and what can be done by hand.
        missing: Missing,
        /// The mirrors in the order in which they were tried.
        failures: Vec<MirrorFailure>,
    },

    /// The progress callback asked to stop. What was received is kept and continued next time.
    #[error(
        "the download of `{file}` was stopped after {received} bytes; the next run continues it"
    )]
    Cancelled {
        /// Name of the file.
        file: String,
        /// Bytes of it that are on this machine.
        received: u64,
    },

    /// A [`DataFile`](super::DataFile) whose name would lead out of the folder that is searched.
    #[error("`{name}` is not a plain file name: a data file's name must have no folder part")]
    BadName {
        /// The name.
        name: String,
    },

    /// Reading or writing on this machine failed.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried, as a verb: `write`, `create`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// A file that is not on this machine. Its `Display` says where it was looked for and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Name of the file.
    pub file: String,
    /// The public addresses.
    pub urls: Vec<String>,
    /// The folders that were searched, in order.
    pub looked_in: Vec<PathBuf>,
    /// The cache folder, where a file that is put there by hand is found.
    pub put_in: Option<PathBuf>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Help::new(self, false).fmt(f)
    }
}

/// What to do about a missing file.
struct Help<'a> {
    missing: &'a Missing,
    /// Whether the reader has seen the addresses already, each with its failure.
    addresses_told: bool,
}

impl<'a> Help<'a> {
    fn new(missing: &'a Missing, addresses_told: bool) -> Self {
        Self { missing, addresses_told }
    }
}

impl fmt::Display for Help<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Missing { file, urls, looked_in, put_in } = self.missing;
        for dir in looked_in {
            writeln!(f, "  looked in {}", dir.display())?;
        }
        if self.addresses_told {
            writeln!(f, "  to get it by hand, download it elsewhere from an address above")?;
        } else if urls.is_empty() {
            writeln!(f, "  no public address of it is known: get it by other means")?;
        } else {
            let one_of = if urls.len() == 1 { "" } else { " one of" };
            writeln!(f, "  to get it by hand, download{one_of}")?;
            for url in urls {
                writeln!(f, "    {url}")?;
            }
        }
        write!(f, "  and put it as `{file}` into ")?;
        if let Some(dir) = put_in {
            write!(f, "{}\n  or into ", dir.display())?;
        }
        writeln!(f, "a folder named by --data-dir or {}", super::DATA_DIR_VAR)?;
        write!(f, "  without it: the built-in corpus `sample` needs no file and no network")
    }
}

/// One mirror that did not deliver.
#[derive(Debug)]
pub struct MirrorFailure {
    /// Its address.
    pub url: String,
    /// How often it was asked.
    pub attempts: u32,
    /// What happened the last time.
    pub cause: MirrorError,
}

/// What a mirror did wrong.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MirrorError {
    /// An HTTP status that brings no file.
    #[error("the server answered with HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
    },

    /// The file came complete and is another one than expected.
    #[error("wrong {algorithm}: expected {expected}, found {found} over {bytes} bytes")]
    WrongChecksum {
        /// `SHA-256` or `MD5`.
        algorithm: &'static str,
        /// Expected digest, hexadecimal.
        expected: String,
        /// Digest of what came.
        found: String,
        /// Size of what came.
        bytes: u64,
    },

    /// The server announces or sends more than the file can have.
    #[error("the server sends {}{announced} bytes, and more than {limit} are refused", if *.exact { "" } else { "at least " })]
    TooLarge {
        /// Bytes announced, or received until then.
        announced: u64,
        /// Whether `announced` is the whole size, or only what had come so far.
        exact: bool,
        /// [`DataFile::max_size`](super::DataFile::max_size).
        limit: u64,
    },

    /// More redirects than allowed; mostly a loop.
    #[error("more than {limit} redirects")]
    Redirects {
        /// [`DownloadOptions::max_redirects`](super::DownloadOptions::max_redirects).
        limit: u32,
    },

    /// The server was silent for too long.
    #[error("no answer while {doing} within {} s", .limit.as_secs_f64())]
    Timeout {
        /// What was going on: `connecting`, or `waiting for data`.
        doing: &'static str,
        /// The limit that was passed.
        limit: Duration,
    },

    /// The connection ended before the file did.
    #[error("the connection ended after {received} of {expected} bytes")]
    CutShort {
        /// Bytes received in all.
        received: u64,
        /// Bytes that the server announced.
        expected: u64,
    },

    /// Asked to continue at one byte, the server continued at another.
    #[error("asked to continue at byte {asked}, the server sent the range `{found}`")]
    WrongRange {
        /// First byte that was asked for.
        asked: u64,
        /// The server's `Content-Range`.
        found: String,
    },

    /// Anything else: name not found, connection refused or cut, TLS refused, malformed answer.
    #[error(transparent)]
    Transport {
        /// What the system or the HTTP layer says.
        source: io::Error,
    },
}

/// One line a mirror.
struct Failures<'a>(&'a [MirrorFailure]);

impl fmt::Display for Failures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for MirrorFailure { url, attempts, cause } in self.0 {
            let tries = if *attempts == 1 { "attempt" } else { "attempts" };
            writeln!(f, "  {url}\n    {cause} ({attempts} {tries})")?;
        }
        Ok(())
    }
}
