//! The recipe without settings on real texts, where `SLUGLINE_DATA_DIR` names their folder.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use slugline::classifier::{AutoOptions, Classifier};
use slugline::corpus::fetch::Locator;
use slugline::corpus::read::{ReadOptions, read};
use slugline::corpus::{Dataset, Documents};
use slugline::evaluation::Evaluation;
use slugline::nn::Flow;

fn folder(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SLUGLINE_DATA_DIR").map(PathBuf::from);
    let found = folder.filter(|folder| folder.join(file).is_file());
    if found.is_none() {
        say(&format!("SKIPPED: SLUGLINE_DATA_DIR names no folder with {file}"));
    }
    found
}

/// Says a line also in a test that passes, where what macros print is not shown.
fn say(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).expect("standard error is open");
}

fn scores(train: &Documents, test: &Documents, name: &str) -> Evaluation {
    let go_on = || Flow::Continue;
    let model =
        Classifier::train_auto(train, name, AutoOptions::default(), &go_on, &mut []).unwrap();
    let scores = model.evaluate_documents(test, name).unwrap();
    let ece = scores.reliability.ece;
    say(&format!("{name}: accuracy {:.4}, ECE {ece:.4}", scores.accuracy));
    scores
}

#[test]
fn reuters_without_settings() {
    let Some(folder) = folder("reuters21578.tar.gz") else { return };
    let locator = Locator::default().with_data_dir(Some(folder)).with_offline(true);
    let dataset: Dataset = "reuters".parse().unwrap();
    let all = dataset.documents(&locator, &mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!((all.train.len(), all.test.len()), (8982, 2246));
    // The best of scikit-learn's TF-IDF with LinearSVC and of fastText reaches 0.834.
    assert!(scores(&all.train, &all.test, "reuters").accuracy >= 0.836);
}

#[test]
fn newsgroups_without_settings() {
    let file = "20news-bydate.jsonl.gz";
    let Some(folder) = folder(file) else { return };
    let path = folder.join(file).to_string_lossy().into_owned();
    let all = read(&[path], &ReadOptions::default(), &mut |_| {}).unwrap();
    let test = all.test.unwrap();
    assert_eq!((all.train.len(), test.len(), test.class_names().len()), (11_314, 7_532, 20));
    assert_eq!((all.skipped.count, all.validation), (0, None));
    // The best of scikit-learn's TF-IDF with LinearSVC and of fastText reaches 0.870.
    assert!(scores(&all.train, &test, "20 newsgroups").accuracy >= 0.880);
}
