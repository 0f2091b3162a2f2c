//! A Python with what a test needs, out of a list of requirements.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// The folder of scripts of a name, with their `requirements.txt`.
pub(super) fn scripts(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// A Python with the requirements of [`scripts`], in the target folder and so there for the next run;
/// `None`, said loudly, where there is no Python to make one with.
pub(super) fn python(test: &str, name: &str) -> Option<PathBuf> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let works = |arguments: &[&str]| {
        let mut command = Command::new("python3");
        command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if !works(&["-c", "import ensurepip, venv"]) {
        // Not by a macro: what those print in a passing test is not shown.
        let line = format!("SKIPPED (no python3 with venv and pip): {test}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    let requirements = scripts(name).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("venv-{name}"));
    let python = folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    // Written last: an environment without it, or with another, is made anew.
    let made = folder.join("requirements.txt");
    if fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        return Some(python);
    }
    let run = |command: &mut Command| {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {said}");
    };
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    run(Command::new(&python).args(install).arg(&requirements));
    fs::write(made, wanted).unwrap();
    Some(python)
}
