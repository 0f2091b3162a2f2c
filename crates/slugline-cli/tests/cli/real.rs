//! The published example on the real newswires.

use std::io::Write;
use std::path::PathBuf;

use super::{Place, numbers};

/// The folder of the data files, or `None`, said loudly, where there is none.
pub(crate) fn data_dir(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SLUGLINE_DATA_DIR").map(PathBuf::from);
    if folder.is_none() {
        // Not by a macro: what those print in a passing test is not shown.
        let line = format!("SKIPPED (set SLUGLINE_DATA_DIR): {test}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
    folder
}

#[test]
fn the_notebook_on_reuters() {
    let Some(folder) = data_dir("the_notebook_on_reuters") else { return };
    let place = Place::new();
    let files = format!("--data-dir {}", folder.display());
    let report = place
        .run(&format!("train reuters --preset notebook --epochs 6 --seed 1 --format json {files}"))
        .json();
    assert_eq!(report["samples"], serde_json::json!({"train": 7982, "validation": 1000}));
    assert_eq!(report["command"], "slugline train reuters --preset notebook --epochs 6 --seed 1");
    assert_eq!(report["parameters"], 647_214);
    let loss = numbers(&report["history"]["loss"]);
    assert!((0.48..0.55).contains(&loss[5]), "{loss:?}");

    let scores = place.run(&format!("evaluate reuters.slug reuters --format json {files}")).json();
    assert_eq!(scores["samples"], 2246);
    assert!(scores["accuracy"].as_f64().unwrap() > 0.75, "{scores}");
    assert!((scores["baselines"]["majority"].as_f64().unwrap() - 0.362).abs() < 5e-4);
    assert!((scores["baselines"]["random_permutation"].as_f64().unwrap() - 0.187).abs() < 5e-3);

    let err = place.run(&format!("evaluate reuters.slug reuters-clean {files}")).refused(1);
    assert!(err.contains("`reuters-clean` has other classes"), "{err}");

    let wire = "The Agriculture Department said farmers planted less wheat and corn this spring.";
    let args = ["predict", "reuters.slug", "-k", "3", "--text", wire];
    let answer = super::Said::of(place.command(args).output().unwrap()).ok();
    assert!(["grain", "wheat", "corn"].iter().any(|label| answer.contains(label)), "{answer}");

    let shown = place.run(&format!("datasets show reuters 25 {files} --format json")).json();
    assert_eq!(numbers(&shown["ids"]).len(), 110);
    assert!(shown["text"].as_str().unwrap().starts_with("? there were 106 200 tonnes of u s corn"));
}

#[test]
fn what_is_wrong_with_reuters_is_found() {
    let Some(folder) = data_dir("what_is_wrong_with_reuters_is_found") else { return };
    let place = Place::new();
    let files = format!("--data-dir {}", folder.display());
    let report =
        place.run(&format!("check reuters --no-label-errors --format json {files}")).json();
    assert_eq!((&report["documents"], &report["against"]), (&8982.into(), &2246.into()));
    assert_eq!((&report["leaked"], &report["conflicting"]), (&225.into(), &398.into()));
    assert_eq!((&report["near_leaked"], &report["near_duplicates"]), (&24.into(), &66.into()));
    let clean =
        place.run(&format!("check reuters-clean --no-label-errors --format json {files}")).json();
    assert_eq!((&clean["leaked"], &clean["conflicting"]), (&0.into(), &0.into()));
}
