//! `slugline train --tensorboard`, read by the real TensorBoard.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Place, numbers};

/// The script and what it needs.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tensorboard");

/// A Python with TensorBoard, in the target folder and so there for the next run; `None`, said loudly,
/// where there is no Python to make one with.
fn python(test: &str) -> Option<PathBuf> {
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
    let requirements = Path::new(SCRIPTS).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("venv-tensorboard");
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

/// What TensorBoard finds in a folder.
fn scalars(python: &Path, folder: &Path) -> Value {
    let mut command = Command::new(python);
    let output = command.arg(Path::new(SCRIPTS).join("scalars.py")).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Holds what TensorBoard finds against the history of a report.
#[track_caller]
fn check(found: &Value, report: &Value) {
    for reader in ["accumulator", "plugin"] {
        for (run, prefix) in [("train", ""), ("validation", "val_")] {
            for name in ["loss", "accuracy"] {
                let scalars = &found[reader][run][format!("epoch_{name}")];
                let wanted = numbers(&report["history"][format!("{prefix}{name}")]);
                let scalars = scalars.as_array().unwrap_or_else(|| panic!("{reader} {run} {name}"));
                assert_eq!(scalars.len(), wanted.len(), "{reader} {run} {name}: {found}");
                for (i, (scalar, wanted)) in scalars.iter().zip(wanted).enumerate() {
                    assert_eq!(scalar[0], i + 1, "{reader} {run} {name}");
                    let value = scalar[1].as_f64().unwrap() as f32;
                    assert_eq!(value, wanted as f32, "{reader} {run} {name}");
                }
            }
        }
        let rates = &found[reader]["train"]["epoch_learning_rate"];
        assert_eq!(rates[0][1].as_f64().unwrap() as f32, 0.001, "{rates}");
        assert!(found[reader]["validation"]["epoch_learning_rate"].is_null());
    }
}

#[test]
fn tensorboard_reads_what_was_trained() {
    let Some(python) = python("tensorboard_reads_what_was_trained") else { return };
    let place = Place::new();
    let line = "train sample --max-features 500 --hidden 8 --format json -q --tensorboard logs/a";
    let report = place.run(&format!("{line} --epochs 4")).json();
    let folder = place.path().join("logs/a");
    check(&scalars(&python, &folder), &report);
    // A later run in the same folder takes the place of the earlier, longer one.
    let report = place.run(&format!("{line} --epochs 3 --seed 5")).json();
    assert_eq!(fs::read_dir(folder.join("train")).unwrap().count(), 2);
    check(&scalars(&python, &folder), &report);
}
