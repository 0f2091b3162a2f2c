//! The places in which a file is looked for, and their order.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;

use directories::ProjectDirs;

use super::download::{DownloadOptions, Failed, POLL, Phase, Progress, download};
use super::error::{FetchError, Missing};
use super::sources::DataFile;

/// Environment variable that names a folder with data files.
pub const DATA_DIR_VAR: &str = "SLUGLINE_DATA_DIR";

/// Environment variable that forbids downloads when it is set to anything but nothing, `0`,
/// `false`, `no` or `off` (in either case).
pub const OFFLINE_VAR: &str = "SLUGLINE_OFFLINE";

/// Finds data files on this machine and downloads those that are missing.
///
/// [`Locator::from_env`] is the usual start; [`Locator::default`] knows no folder at all, has
/// downloads switched on and the default [`DownloadOptions`]. The order of search is in the
/// [module's description](super).
#[derive(Debug, Clone, Default)]
pub struct Locator {
    data_dir: Option<PathBuf>,
    env_dir: Option<PathBuf>,
    cache_dir: Option<PathBuf>,
    offline: bool,
    options: DownloadOptions,
}

impl Locator {
    /// The environment's settings: [`DATA_DIR_VAR`], [`OFFLINE_VAR`] and the platform's cache
    /// folder, which is `$XDG_CACHE_HOME/slugline` or `~/.cache/slugline` on Linux,
    /// `~/Library/Caches/slugline` on macOS and `%LOCALAPPDATA%\slugline\cache` on Windows.
    pub fn from_env() -> Self {
        let cache = ProjectDirs::from("", "", "slugline").map(|d| d.cache_dir().to_owned());
        Self::from_vars(|name| std::env::var_os(name), cache)
    }

    fn from_vars(var: impl Fn(&str) -> Option<OsString>, cache_dir: Option<PathBuf>) -> Self {
        let set = |name| var(name).filter(|value| !value.is_empty());
        let offline = set(OFFLINE_VAR).is_some_and(|value| {
            !["0", "false", "no", "off"].iter().any(|no| value.eq_ignore_ascii_case(no))
        });
        Self {
            env_dir: set(DATA_DIR_VAR).map(PathBuf::from),
            cache_dir,
            offline,
            ..Self::default()
        }
    }

    /// The folder that the user named for this run (`--data-dir`); `None` for none. If there is
    /// one, no other place is searched and nothing is downloaded.
    #[must_use]
    pub fn with_data_dir(mut self, dir: Option<PathBuf>) -> Self {
        self.data_dir = dir;
        self
    }

    /// The folder that the environment names; [`Locator::from_env`] sets it from [`DATA_DIR_VAR`].
    #[must_use]
    pub fn with_env_dir(mut self, dir: Option<PathBuf>) -> Self {
        self.env_dir = dir;
        self
    }

    /// The folder for downloads. It is made when it is first needed.
    #[must_use]
    pub fn with_cache_dir(mut self, dir: Option<PathBuf>) -> Self {
        self.cache_dir = dir;
        self
    }

    /// Whether downloads are forbidden.
    #[must_use]
    pub fn with_offline(mut self, offline: bool) -> Self {
        self.offline = offline;
        self
    }

    /// Timeouts, retries and the like.
    #[must_use]
    pub fn with_options(mut self, options: DownloadOptions) -> Self {
        self.options = options;
        self
    }

    /// Whether downloads are forbidden.
    pub fn offline(&self) -> bool {
        self.offline
    }

    /// The folder into which downloads go, if one is known.
    pub fn cache_dir(&self) -> Option<&Path> {
        self.cache_dir.as_deref()
    }

    /// The folders that are searched, in order: the named data folder alone, or else those of the
    /// environment and of the cache. A loader that accepts other forms of a corpus, such as an
    /// unpacked archive, looks for them here.
    pub fn folders(&self) -> Vec<&Path> {
        match &self.data_dir {
            Some(dir) => vec![dir],
            None => [&self.env_dir, &self.cache_dir].into_iter().flatten().map(|d| &**d).collect(),
        }
    }

    /// Path of `file` in the first of the [folders](Self::folders) that has it; `None` if none has.
    /// Never downloads.
    ///
    /// # Errors
    /// [`FetchError::BadName`]; [`FetchError::Io`] where the system does not let it be seen whether
    /// the file is there, as in a folder without permission.
    pub fn find(&self, file: &DataFile<'_>) -> Result<Option<PathBuf>, FetchError> {
        if Path::new(file.name).file_name().is_none_or(|name| name != file.name) {
            return Err(FetchError::BadName { name: file.name.to_owned() });
        }
        for folder in self.folders() {
            let path = folder.join(file.name);
            if is_file(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Path of `file` on this machine, after a download into the cache folder where it has to be.
    ///
    /// `progress` hears of every block received, every wait and every connection made, from this
    /// thread; with [`ControlFlow::Break`] it stops the download, of which the next one continues.
    /// While a server is silent it is not called: that takes
    /// [`idle_timeout`](DownloadOptions::idle_timeout) at most.
    ///
    /// Several processes may ask for the same file at once: one downloads, the others wait for it.
    ///
    /// # Errors
    /// [`FetchError::NotInDataDir`] if a data folder was named that lacks the file;
    /// [`FetchError::Offline`], [`FetchError::NoCacheFolder`] or [`FetchError::DownloadFailed`] if
    /// it is nowhere and cannot be downloaded; [`FetchError::Cancelled`]; those of
    /// [`find`](Self::find); [`FetchError::Io`] if the cache folder cannot be written.
    pub fn obtain(
        &self,
        file: &DataFile<'_>,
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<PathBuf, FetchError> {
        if let Some(path) = self.find(file)? {
            return Ok(path);
        }
        if let Some(dir) = &self.data_dir {
            return Err(FetchError::NotInDataDir {
                file: file.name.to_owned(),
                dir: dir.clone(),
                dir_exists: dir.is_dir(),
            });
        }
        if self.offline {
            return Err(FetchError::Offline(self.missing(file)));
        }
        let Some(cache) = &self.cache_dir else {
            return Err(FetchError::NoCacheFolder(self.missing(file)));
        };
        self.download_into(cache, file, progress)
    }

    fn download_into(
        &self,
        cache: &Path,
        file: &DataFile<'_>,
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<PathBuf, FetchError> {
        fs::create_dir_all(cache).map_err(|source| FetchError::Io {
            action: "create the folder",
            path: cache.to_owned(),
            source,
        })?;
        let target = cache.join(file.name);
        let lock = Lock::wait(cache.join(format!(".{}.lock", file.name)), file, progress)?;
        // Whoever held the lock before may have brought the file.
        if !is_file(&target)? {
            download(file, &target, &self.options, progress).map_err(|failed| match failed {
                Failed::Mirrors(failures) => {
                    FetchError::DownloadFailed { missing: self.missing(file), failures }
                }
                Failed::Here(error) => error,
            })?;
        }
        lock.remove();
        Ok(target)
    }

    fn missing(&self, file: &DataFile<'_>) -> Missing {
        Missing {
            file: file.name.to_owned(),
            urls: file.urls.iter().map(|&url| url.to_owned()).collect(),
            looked_in: self.folders().into_iter().map(Path::to_owned).collect(),
            put_in: self.cache_dir.clone(),
        }
    }
}

/// Whether `path` is a file; a missing folder on the way, or something that is no folder, means no.
fn is_file(path: &Path) -> Result<bool, FetchError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file()),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(false)
        }
        Err(source) => Err(FetchError::Io { action: "look at", path: path.to_owned(), source }),
    }
}

/// The right to download one file into one cache folder, among all processes of the machine.
///
/// The lock is on a file of its own: the part file is renamed or removed at the end, and one who
/// waits for a lock on it would then hold a lock on a file that no name leads to.
struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    fn wait(
        path: PathBuf,
        file: &DataFile<'_>,
        progress: &mut dyn FnMut(Progress<'_>) -> ControlFlow<()>,
    ) -> Result<Self, FetchError> {
        let open = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let lock = match open {
            Ok(file) => file,
            Err(source) => return Err(FetchError::Io { action: "create", path, source }),
        };
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { path, file: lock }),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => {
                    return Err(FetchError::Io { action: "lock", path, source });
                }
            }
            let event = Progress {
                file: file.name,
                url: None,
                received: 0,
                total: None,
                phase: Phase::WaitingForLock,
            };
            if progress(event).is_break() {
                return Err(FetchError::Cancelled { file: file.name.to_owned(), received: 0 });
            }
            thread::sleep(POLL);
        }
    }

    /// Releases the lock and removes its file. Only for when the data file is in its place: one who
    /// waited on the removed file, and one who makes a new one, will both find it there and do
    /// nothing. A lock file that cannot be removed does no harm, so that is no error.
    fn remove(self) {
        let Self { path, file } = self;
        let _ = fs::remove_file(path);
        drop(file);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_vars(vars: &[(&str, &str)]) -> Locator {
        let var =
            |name: &str| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into());
        Locator::from_vars(var, Some("/cache".into()))
    }

    #[test]
    fn environment_sets_folder_and_offline() {
        let none = with_vars(&[]);
        assert_eq!(none.folders(), [Path::new("/cache")]);
        assert!(!none.offline());

        let both = with_vars(&[(DATA_DIR_VAR, "/data"), (OFFLINE_VAR, "1")]);
        assert_eq!(both.folders(), [Path::new("/data"), Path::new("/cache")]);
        assert!(both.offline());
    }

    #[test]
    fn empty_and_negative_values_count_as_unset() {
        assert_eq!(with_vars(&[(DATA_DIR_VAR, "")]).folders(), [Path::new("/cache")]);
        for (value, offline) in
            [("", false), ("0", false), ("False", false), ("no", false), ("true", true)]
        {
            assert_eq!(with_vars(&[(OFFLINE_VAR, value)]).offline(), offline, "{value:?}");
        }
    }

    #[test]
    fn a_named_folder_is_the_only_one() {
        let locator = with_vars(&[(DATA_DIR_VAR, "/data")]).with_data_dir(Some("/mine".into()));
        assert_eq!(locator.folders(), [Path::new("/mine")]);
    }
}
