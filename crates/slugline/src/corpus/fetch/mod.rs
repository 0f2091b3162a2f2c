//! Where the files of a corpus come from: a folder on this machine, or else the public source.
//!
//! A [`Locator`] looks for a [`DataFile`] in this order:
//!
//! 1. the data folder that the user named for this run (`--data-dir`). A file that is not in it is
//!    an error: who names a folder means that folder, and must not get other data unnoticed;
//! 2. the folder that the environment variable [`DATA_DIR_VAR`] names. It is a standing setting for
//!    all corpora, so a file that is not in it is looked for further on;
//! 3. the platform's cache folder, such as `~/.cache/slugline` on Linux;
//! 4. a download from the public source into the cache folder, unless [`OFFLINE_VAR`] or
//!    [`Locator::with_offline`] forbids it.
//!
//! A file that is found is used as it is: a user's own copy may be packed differently from the
//! public one, and it is for the loader to say whether it can be read. Only a download is held
//! against the public [`Checksum`].
//!
//! * [`sources`]: the files that are known, with addresses and checksums
//! * `locate`: the order above
//! * `download`: mirrors, retries, resumption and size limit over HTTP
//! * `part`: the partly received file, its checksum and its rename into place
//! * `error`: what can go wrong, worded so that the reader knows what to do
//!
//! ```no_run
//! use slugline::corpus::fetch::{Locator, REUTERS_ARCHIVE};
//! use std::ops::ControlFlow;
//!
//! let path = Locator::from_env().obtain(&REUTERS_ARCHIVE, &mut |p| {
//!     eprintln!("{}: {} bytes", p.file, p.received);
//!     ControlFlow::Continue(())
//! })?;
//! # Ok::<(), slugline::corpus::fetch::FetchError>(())
//! ```
//!
//! Nothing here reads what is in the files.

mod download;
mod error;
mod locate;
mod part;
pub mod sources;

pub use download::{DownloadOptions, Phase, Progress};
pub use error::{FetchError, MirrorError, MirrorFailure, Missing};
pub use locate::{DATA_DIR_VAR, Locator, OFFLINE_VAR};
pub use sources::{Checksum, DataFile, REUTERS_ARCHIVE, REUTERS_NPZ, REUTERS_WORD_INDEX};
