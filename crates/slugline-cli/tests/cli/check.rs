//! `slugline check`.

use std::fmt::Write as _;
use std::fs;

use super::Place;

const TRAIN: &str = "text,label\nWheat fell,grain\nWheat fell,grain\nWheat fell,metal\nGold rose,metal\n...,metal\n";
const TEST: &str = "text,label\nGold rose,energy\nOil rose,energy\n";

fn place() -> Place {
    let place = Place::new();
    fs::write(place.path().join("train.csv"), TRAIN).unwrap();
    fs::write(place.path().join("test.csv"), TEST).unwrap();
    place
}

#[test]
fn findings_are_told_with_file_and_row() {
    let out = place().run("check train.csv --against test.csv").ok();
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "of these, with a text to train on 1",
        "texts with more than one label 2",
        "documents whose text stood before 2",
        "documents without words 1",
        "test.csv:2",
        "as train.csv:5",
        "train.csv:2, train.csv:3, …",
        "grain, metal",
        "energy",
        "train.csv:6",
    ] {
        assert!(out.contains(wanted), "{wanted:?} in {out}");
    }
    let short = place().run("check train.csv --against test.csv --limit 1").ok();
    assert!(short.contains("and 2 more: --limit 3"), "{short}");
}

#[test]
fn json_holds_counts_and_evidence() {
    let report = place().run("check train.csv --against test.csv --format json").json();
    let counts = ["documents", "against", "leaked", "conflicting", "duplicates", "empty"];
    assert_eq!(counts.map(|key| report[key].as_u64().unwrap()), [5, 2, 1, 2, 2, 1]);
    let leak = &report["leaked_documents"][0];
    assert_eq!((&leak["document"]["row"], &leak["training"]["row"]), (&2.into(), &5.into()));
    assert_eq!(leak["document"]["labels"][0], "energy");
    assert_eq!(report["small_class_list"][0]["name"], "energy");
}

#[test]
fn strict_data_have_no_findings() {
    let place = place();
    let said = place.run("check train.csv --strict --format json");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("and --strict allows none"), "{}", said.err);
    let mut sound = String::from("text,label\n");
    for i in 0..12 {
        writeln!(sound, "some words no {i},{}", ["a", "b"][i % 2]).unwrap();
    }
    fs::write(place.path().join("sound.csv"), sound).unwrap();
    place.run("check sound.csv --strict").ok();
    let refused = place.run("check train.csv --against sample").refused(2);
    assert!(refused.contains("--against takes a file"), "{refused}");
}
