//! `slugline check`.

use std::fmt::Write as _;
use std::fs;

use super::{Place, Said};
use crate::files::tickets;

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
    let out = place().run("check train.csv --against test.csv --no-label-errors").ok();
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "of these, with a text to train on 1",
        "texts with more than one label 2",
        "documents whose text stood before 2",
        "labels that are likely wrong not looked for",
        "documents without words 1",
        "test.csv:2",
        "as train.csv:5",
        "train.csv:2, row 3, …",
        "grain, metal",
        "energy",
        "train.csv:6",
    ] {
        assert!(out.contains(wanted), "{wanted:?} in {out}");
    }
    let short = place().run("check train.csv --against test.csv --limit 1").ok();
    assert!(short.contains("and 2 more: --limit 3"), "{short}");
    let all = place().run("check train.csv --against test.csv --limit 1 --verbose").ok();
    assert!(!all.contains("more: --limit"), "{all}");
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
    assert!(
        said.err.contains("error: --strict forbids: conflicting 1, duplicates 2"),
        "{}",
        said.err
    );
    let mut sound = String::from("text,label\n");
    for i in 0..12 {
        writeln!(sound, "some words no {i},{}", ["a", "b"][i % 2]).unwrap();
    }
    fs::write(place.path().join("sound.csv"), sound).unwrap();
    place.run("check sound.csv --strict").ok();
    let refused = place.run("check train.csv --against sample").refused(2);
    assert!(refused.contains("--against takes a file"), "{refused}");
}

/// Sixty words, of which one can be told.
fn long(word: &str) -> String {
    let words: Vec<String> = (0..60).map(|i| format!("w{i}")).collect();
    format!("{} {word}", words.join(" "))
}

/// Two tables with texts that are nearly the same, on one side and on both.
fn nearly() -> Place {
    let place = Place::new();
    let (a, b, c) = (long("fell"), long("rose"), long("fell").to_uppercase());
    let train = format!("text,label\n{a},grain\n{b},metal\ntin,metal\n");
    fs::write(place.path().join("a.csv"), train).unwrap();
    fs::write(place.path().join("b.csv"), format!("text,label\n\"{c}!\",metal\n")).unwrap();
    place
}

#[test]
fn texts_that_are_nearly_the_same_are_told_with_their_labels() {
    let place = nearly();
    let out = place.run("check a.csv --against b.csv --no-label-errors").ok();
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "of these, nearly a text to train on 1",
        "nearly the same, with more than one label 1",
        "b.csv:2 1.00 of a.csv:2, metal for grain W0 W1",
        "a.csv:2, row 3 2 times, 0.97, grain, metal w0 w1",
    ] {
        assert!(out.contains(wanted), "{wanted:?} in {out}");
    }
    let strict = "check a.csv --against b.csv --no-label-errors --similarity 0.99 --format json";
    let report = place.run(strict).json();
    assert_eq!((&report["near_leaked"], &report["near_duplicates"]), (&1.into(), &0.into()));
    assert_eq!(report["near_leaked_documents"][0]["training"]["row"], 2);
    assert_eq!(report["label_errors"], serde_json::Value::Null);
}

#[test]
fn findings_come_as_a_table_and_reports_as_files() {
    let place = nearly();
    let run = |more: &str| {
        place.run(&format!("check a.csv --against b.csv --no-label-errors {more}")).ok()
    };
    let table = run("--csv -");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines[0], "kind,file,row,label,other_file,other_row,other_label,score,text");
    assert!(lines[1].starts_with("near_leaked,b.csv,2,metal,a.csv,2,grain,1,W0 W1"), "{table}");
    assert!(lines[2].starts_with("near_conflicting,a.csv,3,metal,a.csv,2,grain,0.96"), "{table}");
    let read = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
    let report = run("--csv findings.csv -o report.txt --color always");
    assert_eq!((report.as_str(), read("findings.csv")), ("", table));
    assert!(read("report.txt").contains("Nearly leaked\n  b.csv:2"), "{}", read("report.txt"));
    run("--format json -o report.json");
    let report: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(report["near_leaked"], 1);
    let refused = place.run("check a.csv -o nowhere/report.txt").refused(1);
    assert!(refused.contains("there is no folder nowhere; make it first"), "{refused}");
    let refused = place.run("check a.csv --csv - -o report.txt").refused(2);
    assert!(refused.contains("--csv - writes the table instead of the report"), "{refused}");
}

#[test]
fn only_findings_that_are_forbidden_fail() {
    let place = nearly();
    let run =
        |more: &str| place.run(&format!("check a.csv --against b.csv --no-label-errors {more}"));
    run("--fail-on leaked,conflicting,duplicates").ok();
    let said = run("--fail-on leaked,near_leaked --fail-on near_duplicates");
    assert_eq!(said.code, Some(1));
    let wanted = "error: --fail-on forbids: near_leaked 1, near_duplicates 1";
    assert!(said.err.contains(wanted), "{}", said.err);
    // The report is told all the same.
    assert!(said.out.contains("Nearly leaked"), "{}", said.out);
    let refused = run("--fail-on leaks").refused(2);
    assert!(refused.contains("near_leaked"), "{refused}");
    let refused = run("--fail-on label_errors").refused(2);
    assert!(refused.contains("what --no-label-errors leaves out"), "{refused}");
    let refused = run("--similarity 0.4").refused(2);
    assert!(refused.contains("from 0.5 to 1"), "{refused}");
}

#[test]
fn wrong_labels_are_doubted_with_their_evidence() {
    let place = Place::new();
    // The row under line 3 is about signing in, that under line 32 about an invoice.
    let mut lines: Vec<String> = tickets(240).lines().map(str::to_owned).collect();
    for (line, topic) in [(3, "billing"), (32, "delivery")] {
        let (_, rest) = lines[line - 1].split_once(',').unwrap();
        lines[line - 1] = format!("{topic},{rest}");
    }
    fs::write(place.path().join("t.csv"), lines.join("\n")).unwrap();
    let said = place.run("check t.csv --format json --csv found.csv --folds 4");
    let talk = said.err.clone();
    let report = said.json();
    assert_eq!(report["label_errors"], 2, "{report}");
    let errors = report["label_error_documents"].as_array().unwrap();
    let found: Vec<_> = errors
        .iter()
        .map(|error| (error["document"]["row"].as_u64().unwrap(), &error["suggested"]["label"]))
        .collect();
    assert!(found.contains(&(3, &"login".into())), "{report}");
    assert!(found.contains(&(32, &"billing".into())), "{report}");
    for error in errors {
        let p = |class: &str, key: &str| error[class][key].as_f64().unwrap();
        assert!(p("suggested", "probability") >= p("suggested", "threshold"), "{error}");
        let difference = p("given", "probability") - p("suggested", "probability");
        let margin = f64::midpoint(difference, 1.0);
        assert_eq!(error["margin"].as_f64().unwrap(), margin);
    }
    assert!(talk.contains("training 4 times") && talk.contains("fold 4/4"), "{talk}");
    let table = fs::read_to_string(place.path().join("found.csv")).unwrap();
    assert!(table.contains("label_errors,t.csv,3,billing,,,login,0"), "{table}");

    let text = place.run("check t.csv --verbose").ok();
    assert!(text.contains("t.csv:3 ") && text.contains("(usual 0."), "{text}");
    // Judgements do not fail a strict run; those who want it say so.
    let said = place.run("check t.csv -q --fail-on label_errors");
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("--fail-on forbids: label_errors 2"), "{}", said.err);
}

#[test]
fn data_that_cannot_be_trained_on_are_checked_all_the_same() {
    let place = place();
    fs::write(place.path().join("one.csv"), "text,label\nWheat,grain\nWheat,grain\nRye,grain\n")
        .unwrap();
    let said = place.run("check one.csv");
    let (talk, out) = (said.err.clone(), said.ok());
    assert!(talk.contains("label errors were not looked for: "), "{talk}");
    assert!(out.contains("Repeated"), "{out}");
    let refused = place.run("check one.csv -q --label-errors --folds 2").refused(1);
    assert!(refused.contains("too few to learn from"), "{refused}");
    let lists = "{\"text\":\"a b\",\"label\":[\"x\",\"y\"]}\n{\"text\":\"c\",\"label\":[\"x\"]}\n";
    fs::write(place.path().join("m.jsonl"), lists).unwrap();
    let said: Said = place.run("check m.jsonl");
    assert!(said.err.contains("one class a document"), "{}", said.err);
    said.ok();
}
