//! The trials file: finished trainings, one JSON object a line, written as they end.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trial::Run;

/// What the trainings of a file have in common; its first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Version of this form.
    pub(super) slugline_trials: u32,
    pub(super) slugline_version: String,
    /// Name of the data; may change.
    pub(super) data: String,
    /// Fingerprint of the documents.
    pub(super) fingerprint: String,
    pub(super) documents: usize,
    pub(super) folds: u32,
    pub(super) seed: u64,
}

/// Why a trials file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialsFileError {
    /// It cannot be read or written.
    #[error("cannot {action} the trials file {}", path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Another process writes it.
    #[error("the trials file {} is in use by another search; wait for it, or name another file", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// A line that is not what it should be.
    #[error("{}, line {line}: {problem}; name another trials file, or remove this one", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Number of the line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The trials of another search.
    #[error(
        "{} holds the trials of another search: expected {field} {expected}, found {found}; name another \
         trials file, or remove this one",
        path.display()
    )]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        field: &'static str,
        /// What this search has.
        expected: String,
        /// What the file has.
        found: String,
    },
}

/// Finished trainings, and where to write further ones.
pub(super) struct Ledger {
    known: HashMap<String, Run>,
    file: Option<(PathBuf, File)>,
    /// Whether a last line that was not whole was taken off.
    pub(super) torn: bool,
}

impl Ledger {
    /// One that forgets.
    pub(super) fn none() -> Self {
        Self { known: HashMap::new(), file: None, torn: false }
    }

    /// Opens a trials file for a search, or begins one.
    pub(super) fn open(path: &Path, head: &Head) -> Result<Self, TrialsFileError> {
        let io =
            |action| move |source| TrialsFileError::Io { action, path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        // Never cut before it is known what it is.
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(io("open"))?;
        // Some file systems have no locks, which is no reason to refuse: few run two searches at a time.
        if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(TrialsFileError::InUse { path: path.to_owned() });
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io("read"))?;
        // A line counts once its end is written.
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let lines = bytes[..whole].split_inclusive(|&byte| byte == b'\n');
        let mut known = HashMap::new();
        let mut begun = false;
        for (number, line) in (1..).zip(lines) {
            let bad = |problem: String| {
                let path = path.to_owned();
                TrialsFileError::Line { path, line: number, problem }
            };
            if number == 1 {
                let found: Head = serde_json::from_slice(line)
                    .map_err(|error| bad(format!("not the head of a trials file ({error})")))?;
                head.check(&found, path)?;
                begun = true;
            } else {
                let run: Run = serde_json::from_slice(line)
                    .map_err(|error| bad(format!("not a trial ({error})")))?;
                known.insert(run.key.clone(), run);
            }
        }
        if !begun && !bytes.is_empty() && !head.begins_like(&bytes) {
            let problem = "not the head of a trials file".to_owned();
            return Err(TrialsFileError::Line { path: path.to_owned(), line: 1, problem });
        }
        file.set_len(whole as u64).map_err(io("write"))?;
        file.seek(SeekFrom::End(0)).map_err(io("write"))?;
        let torn = whole < bytes.len();
        let mut ledger = Self { known, file: Some((path.to_owned(), file)), torn };
        if !begun {
            ledger.write(head)?;
        }
        Ok(ledger)
    }

    /// Number of trainings that the file held.
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The training with this key, if it has ended before.
    pub(super) fn get(&self, key: &str) -> Option<&Run> {
        self.known.get(key)
    }

    /// Writes a training down.
    pub(super) fn add(&mut self, run: &Run) -> Result<(), TrialsFileError> {
        self.write(run)
    }

    fn write(&mut self, line: &impl Serialize) -> Result<(), TrialsFileError> {
        let Some((path, file)) = &mut self.file else { return Ok(()) };
        let mut bytes = serde_json::to_vec(line).unwrap_or_default();
        bytes.push(b'\n');
        // In one piece: a process that is killed leaves a whole line or a torn last one.
        let written = file.write_all(&bytes).and_then(|()| file.flush());
        let path = || path.clone();
        written.map_err(|source| TrialsFileError::Io { action: "write", path: path(), source })
    }
}

impl Head {
    /// Whether `bytes`, which have no end of line, may be the beginning of a head.
    fn begins_like(&self, bytes: &[u8]) -> bool {
        let beginning = format!("{{\"slugline_trials\":{}", self.slugline_trials);
        let beginning = beginning.as_bytes();
        let n = beginning.len().min(bytes.len());
        beginning[..n] == bytes[..n]
    }

    /// Checks that trainings under `found` are those of this search.
    fn check(&self, found: &Self, path: &Path) -> Result<(), TrialsFileError> {
        let other = |field, expected: String, found: String| {
            let path = path.to_owned();
            Err(TrialsFileError::Other { path, field, expected, found })
        };
        if self.slugline_trials != found.slugline_trials {
            let (ours, theirs) = (self.slugline_trials, found.slugline_trials);
            return other("version of the file", ours.to_string(), theirs.to_string());
        }
        if self.slugline_version != found.slugline_version {
            let (ours, theirs) = (&self.slugline_version, &found.slugline_version);
            return other("Slugline", ours.clone(), theirs.clone());
        }
        if self.fingerprint != found.fingerprint {
            let described = |head: &Self| {
                format!(
                    "{} documents with the fingerprint {:.12}… ({})",
                    head.documents, head.fingerprint, head.data
                )
            };
            return other("data:", described(self), described(found));
        }
        if self.folds != found.folds {
            return other("folds:", self.folds.to_string(), found.folds.to_string());
        }
        if self.seed != found.seed {
            return other("seed", self.seed.to_string(), found.seed.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::space::Settings;
    use crate::tune::trial::{Budget, Outcome};

    fn head() -> Head {
        Head {
            slugline_trials: 1,
            slugline_version: "0.1.0".into(),
            data: "news".into(),
            fingerprint: "0123456789abcdef".into(),
            documents: 10,
            folds: 5,
            seed: 7,
        }
    }

    fn run(key: &str) -> Run {
        Run {
            trial: 3,
            settings: Settings::new(),
            budget: Budget { share: 1.0, repeat: 0, fold: 2 },
            samples: 8,
            outcome: Outcome::Failed { reason: "no feature".into() },
            seconds: 0.5,
            key: key.into(),
        }
    }

    #[test]
    fn what_was_written_is_known_and_a_torn_line_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        let mut ledger = Ledger::open(&path, &head()).unwrap();
        ledger.add(&run("a")).unwrap();
        ledger.add(&run("b")).unwrap();
        assert!(matches!(Ledger::open(&path, &head()), Err(TrialsFileError::InUse { .. })));
        drop(ledger);
        let whole = std::fs::read(&path).unwrap();
        let first_line = whole.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let second_line = first_line + (whole.len() - first_line) / 2;
        // Wherever it is cut, what is whole before the cut is there, and the file goes on from it.
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let mut ledger = Ledger::open(&path, &head()).unwrap();
            let kept = usize::from(cut >= second_line) + usize::from(cut >= whole.len());
            assert_eq!(ledger.len(), kept, "{cut}");
            let at_a_line = [0, first_line, second_line, whole.len()].contains(&cut);
            assert_eq!(ledger.torn, !at_a_line, "{cut}");
            ledger.add(&run("c")).unwrap();
            drop(ledger);
            let ledger = Ledger::open(&path, &head()).unwrap();
            assert!(ledger.len() == kept + 1 && !ledger.torn);
            assert_eq!(ledger.get("c"), Some(&run("c")));
        }
    }

    #[test]
    fn files_of_something_else_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trials.jsonl");
        drop(Ledger::open(&path, &head()).unwrap());
        for (other, wanted) in [
            (Head { seed: 8, ..head() }, "expected seed 8, found 7"),
            (Head { folds: 3, ..head() }, "expected folds: 3, found 5"),
            (Head { fingerprint: "f".into(), ..head() }, "expected data: 10 documents"),
            (Head { slugline_version: "9".into(), ..head() }, "expected Slugline 9, found 0.1.0"),
        ] {
            let error = Ledger::open(&path, &other).err().unwrap().to_string();
            assert!(error.contains(wanted), "{error}");
        }
        for (content, wanted) in [
            ("precious text", "line 1: not the head"),
            ("{\"a\":1}\n", "line 1: not the head"),
            (&format!("{}\nx\n", serde_json::to_string(&head()).unwrap()), "line 2: not a trial"),
        ] {
            std::fs::write(&path, content).unwrap();
            let error = Ledger::open(&path, &head()).err().unwrap().to_string();
            assert!(error.contains(wanted), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
        }
    }
}
