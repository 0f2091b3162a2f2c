//! `slugline train --tensorboard`, read by the real TensorBoard.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::python::{python, scripts};
use super::{Place, numbers};

/// What TensorBoard finds in a folder.
fn scalars(python: &Path, folder: &Path) -> Value {
    let mut command = Command::new(python);
    let output =
        command.arg(scripts("tensorboard").join("scalars.py")).arg(folder).output().unwrap();
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
    let test = "tensorboard_reads_what_was_trained";
    let Some(python) = python(test, "tensorboard") else { return };
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
