//! The real binary, run as people and programs run it.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

mod answers;
mod browser;
mod check;
mod clients;
mod compare;
mod datasets;
mod demo;
mod evaluate;
mod explain;
mod export;
mod feedback;
mod files;
mod formats;
mod going_on;
mod inspect;
mod labels;
mod logs;
mod plot;
mod predict;
mod python;
mod real;
mod report;
mod resume;
mod runs;
mod serve;
mod tensorboard;
mod train;
mod tune;
mod usage;

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

/// Settings of a network that is trained in an instant.
const SMALL: &[&str] = &["--max-features", "2000", "--hidden", "16", "--epochs", "3"];

/// A folder of its own, in which commands run without a network or the user's data. What they keep
/// elsewhere lies beside it.
struct Place {
    whole: TempDir,
    folder: PathBuf,
}

/// What a command said.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Place {
    fn new() -> Self {
        let whole = tempfile::tempdir().unwrap();
        let folder = whole.path().join("work");
        std::fs::create_dir(&folder).unwrap();
        Self { whole, folder }
    }

    fn path(&self) -> &Path {
        &self.folder
    }

    /// The database of runs.
    fn runs(&self) -> PathBuf {
        self.whole.path().join("runs.sqlite")
    }

    fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slugline"));
        command
            .args(args)
            .current_dir(self.path())
            .env("XDG_CACHE_HOME", self.path().join("cache"))
            .env("HOME", self.path())
            .env("SLUGLINE_RUNS", self.runs())
            .env("SLUGLINE_OFFLINE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for unset in ["SLUGLINE_DATA_DIR", "SLUGLINE_CPU", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"]
        {
            command.env_remove(unset);
        }
        command
    }

    /// Runs a command line, whose words are parted by spaces.
    fn run(&self, line: &str) -> Said {
        Said::of(self.command(line.split_whitespace()).output().unwrap())
    }

    /// Runs a command line with something on standard input.
    fn run_with_input(&self, line: &str, input: &[u8]) -> Said {
        let mut command = self.command(line.split_whitespace());
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        // A thread of its own: a command that answers meanwhile must not wait for its reader.
        let writer = std::thread::spawn(move || {
            // A command may end before it has read everything.
            let _ = stdin.write_all(&input);
        });
        let said = Said::of(child.wait_with_output().unwrap());
        writer.join().unwrap();
        said
    }
}

impl Said {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The results of a command that succeeded.
    #[track_caller]
    fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }

    /// The one JSON object of a command that succeeded.
    #[track_caller]
    fn json(self) -> Value {
        let out = self.ok();
        assert_eq!(out.lines().count(), 1, "{out}");
        serde_json::from_str(&out).unwrap()
    }

    /// The complaint of a command that failed with an exit code, having said nothing else.
    #[track_caller]
    fn refused(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        assert_eq!(self.out, "", "{}", self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self.err
    }

    /// The complaint of a command that failed after it had begun to talk.
    #[track_caller]
    fn refused_after_talk(self) -> String {
        assert_eq!((self.code, self.out.as_str()), (Some(1), ""), "{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        let at = self.err.find("error: ").unwrap_or_else(|| panic!("{}", self.err));
        self.err[at..].to_owned()
    }
}

/// A model of the sample corpus that tests may read.
fn model() -> &'static str {
    static MODEL: OnceLock<(Place, PathBuf)> = OnceLock::new();
    let (_, path) = MODEL.get_or_init(|| {
        let place = Place::new();
        place.run(&format!("train sample -q -o shared.slug {}", SMALL.join(" "))).ok();
        let path = place.path().join("shared.slug");
        (place, path)
    });
    path.to_str().unwrap()
}

/// The numbers of a JSON list.
#[track_caller]
fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|n| n.as_f64().unwrap()).collect()
}

/// Ends a process that a failed test would leave behind.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
