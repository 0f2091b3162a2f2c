//! The wheel: built, installed into an environment of its own, and tested there.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const SPACE: &str = env!("CARGO_TARGET_TMPDIR");

/// The tool that builds wheels, of the version that the wheel is tested with.
const MATURIN: &str = "maturin==1.16.0";

/// Largest wheel, in bytes.
const LARGEST: u64 = 10_000_000;

/// Runs a command, and shows what it says where it fails.
#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{out}\n{err}", output.status);
    out.into_owned()
}

/// A virtual environment with what a list names, in the target folder and so there for the next run;
/// `None`, said loudly, where there is no Python to make one with.
fn environment(name: &str, wanted: &str) -> Option<PathBuf> {
    let mut check = Command::new("python3");
    check.args(["-c", "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))"]);
    check.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if !check.status().is_ok_and(|status| status.success()) {
        // Not by a macro: what those print in a passing test is not shown.
        let line = format!("SKIPPED (no python3 of 3.10 or later with venv and pip): {name}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    }
    let folder = Path::new(SPACE).join(format!("venv-{name}"));
    let python = folder.join("bin/python");
    // Written last: an environment without it, or with another, is made anew.
    let made = folder.join("requirements.txt");
    if !fs::read_to_string(&made).is_ok_and(|made| made == wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
        let list = folder.join("wanted.txt");
        fs::write(&list, wanted).unwrap();
        run(pip(&python).arg("-r").arg(list));
        fs::write(made, wanted).unwrap();
    }
    Some(python)
}

fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    command
}

/// The wheel, built once; `None` where it cannot be.
fn wheel() -> Option<&'static Path> {
    static WHEEL: OnceLock<Option<PathBuf>> = OnceLock::new();
    let build = || {
        let python = environment("maturin", MATURIN)?;
        let folder = Path::new(SPACE).join("wheel");
        let _ = fs::remove_dir_all(&folder);
        let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
        let mut command = Command::new(python.with_file_name("maturin"));
        command.args(["build", "--locked", "--profile", profile, "--out"]).arg(&folder);
        run(command.current_dir(HERE));
        let file = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
        Some(file)
    };
    WHEEL.get_or_init(build).as_deref()
}

/// Installs the wheel in place of an earlier one, without what it depends on, which is there.
fn install(python: &Path, wheel: &Path) {
    run(pip(python).args(["--force-reinstall", "--no-deps"]).arg(wheel));
}

/// Runs test files of the folder of tests; all for none.
fn test(python: &Path, files: &[&str]) {
    let tests = Path::new(HERE).join("tests");
    let mut command = Command::new(python.with_file_name("pytest"));
    command.args(["-q", "-p", "no:cacheprovider", "--rootdir"]).arg(HERE);
    if files.is_empty() {
        command.arg(&tests);
    }
    command.args(files.iter().map(|file| tests.join(file)));
    command.current_dir(SPACE).env("PYTHONDONTWRITEBYTECODE", "1");
    // Where the whole workspace is built, the command lies beside the tests.
    let built = std::env::current_exe().unwrap();
    let slugline = built.parent().unwrap().parent().unwrap().join("slugline");
    if slugline.exists() {
        command.env("SLUGLINE_COMMAND", slugline);
    }
    let said = run(&mut command);
    let last = said.lines().last().unwrap_or_default();
    std::io::stderr().write_all(format!("{last}\n").as_bytes()).unwrap();
}

#[test]
fn the_wheel_passes_its_tests() {
    let requirements = fs::read_to_string(Path::new(HERE).join("tests/requirements.txt")).unwrap();
    let Some(python) = environment("python", &requirements) else { return };
    let Some(wheel) = wheel() else { return };
    install(&python, wheel);
    test(&python, &[]);
}

#[test]
fn the_wheel_works_with_the_oldest_numpy() {
    let oldest = Path::new(HERE).join("tests/requirements-oldest.txt");
    let Some(python) = environment("oldest", &fs::read_to_string(oldest).unwrap()) else { return };
    let Some(wheel) = wheel() else { return };
    install(&python, wheel);
    test(&python, &["test_classifier.py", "test_vectorizer.py", "test_sparse_mlp.py"]);
}

#[test]
fn the_wheel_is_small_and_for_every_python_from_its_oldest() {
    let Some(wheel) = wheel() else { return };
    let name = wheel.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("slugline-") && name.contains("-cp310-abi3-"), "{name}");
    let size = fs::metadata(wheel).unwrap().len();
    assert!(size < LARGEST, "{size} bytes");
    let list = run(Command::new("python3").args(["-m", "zipfile", "-l"]).arg(wheel));
    for part in ["slugline/py.typed", "slugline/_slugline.pyi", "slugline/_slugline.abi3.so"] {
        assert!(list.contains(part), "{part} in\n{list}");
    }
}
