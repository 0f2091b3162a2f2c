//! `slugline feedback`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use slugline::feedback::{Correction, Feedback};

use super::{Place, Said};

/// A correction of an answer of the model `news`, made so many seconds after one moment.
fn correction(text: &str, labels: &[&str], second: u64) -> Correction {
    Correction {
        text: text.into(),
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        multi_label: false,
        answer: vec!["grain".into()],
        probability: Some(0.4),
        model: "news".into(),
        checksum: "00ff".into(),
        note: None,
        time: UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second),
    }
}

fn keep(folder: &Path, corrections: &[Correction]) {
    let mut feedback = Feedback::open(folder.join("f.sqlite")).unwrap();
    for correction in corrections {
        feedback.add(correction).unwrap();
    }
}

/// Three corrections, the last of which takes back the first.
fn place() -> Place {
    let place = Place::new();
    let noted = Correction { note: Some("a ship!".into()), ..correction("It sank.", &["ship"], 2) };
    let said = [correction("Tin\0 rose\n\u{1f4c8}.", &["metal"], 1), noted];
    keep(place.path(), &said);
    keep(place.path(), &[correction("Tin\0 rose\n\u{1f4c8}.", &["tin"], 3)]);
    place
}

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

/// The objects of some lines.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn corrections_are_listed() {
    let place = place();
    let list = place.run("feedback list f.sqlite --format json").json();
    assert_eq!(ids(&list), [3, 2, 1]);
    assert_eq!(
        list[1],
        json!({
            "id": 2,
            "time": "2023-11-14T22:13:22.000Z",
            "model": "news",
            "checksum": "00ff",
            "text": "It sank.",
            "labels": ["ship"],
            "multi_label": false,
            "answer": ["grain"],
            "probability": 0.4,
            "note": "a ship!",
        })
    );
    let of = |more: &str| {
        ids(&place.run(&format!("feedback list f.sqlite --format json {more}")).json())
    };
    assert_eq!(of("--limit 1"), [3]);
    assert_eq!(of("--limit 0 --model news --since 2023-11-01"), [3, 2, 1]);
    assert_eq!(of("--label ship"), [2]);
    assert_eq!(of("--model mood"), [] as [i64; 0]);
    assert_eq!(of("--since 2999-01-01"), [] as [i64; 0]);

    let text = place.run("feedback list f.sqlite").ok();
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(text.contains("Tin\u{fffd} rose \u{1f4c8}."), "{text}");
    let some = place.run("feedback list f.sqlite --limit 2");
    assert!(some.err.contains("there are more; --limit 0 lists all"), "{}", some.err);
    let none = place.run("feedback list f.sqlite --label gold");
    assert!(none.err.contains("there are no such corrections in f.sqlite"), "{}", none.err);
    assert_eq!(none.ok(), "");
}

#[test]
fn the_last_words_are_exported() {
    let place = place();
    let said = place.run("feedback export f.sqlite");
    assert!(said.err.starts_with("2 corrections of news\nnext: slugline train "), "{}", said.err);
    let found = lines(&said.ok());
    let labels: Vec<&Value> = found.iter().map(|line| &line["label"]).collect();
    assert_eq!(labels, ["ship", "tin"]);
    assert_eq!(found[1]["text"], "Tin\0 rose\n\u{1f4c8}.");
    assert!(found[0].get("labels").is_none(), "{}", found[0]);
    assert_eq!(lines(&place.run("feedback export f.sqlite --all").ok()).len(), 3);

    let written = place.run("feedback export f.sqlite -o c.jsonl --format json").json();
    let command = "slugline train c.jsonl --from news.slug --replay OLD_DATA --validation none \
                   -o better.slug";
    assert_eq!(
        written,
        json!({
            "file": "c.jsonl",
            "corrections": 2,
            "model": "news",
            "multi_label": false,
            "command": command,
        })
    );
    assert_eq!(lines(&fs::read_to_string(place.path().join("c.jsonl")).unwrap()), found);
    let said = place.run("feedback export f.sqlite -o c.jsonl");
    assert!(said.err.contains("2 corrections of news written to c.jsonl"), "{}", said.err);
    assert!(said.err.contains(&format!("next: {command}")), "{}", said.err);
    assert_eq!(said.ok(), "");
}

#[test]
fn corrections_of_several_models_are_told_apart() {
    let place = place();
    let topics = |text: &str, labels: &[&str]| Correction {
        model: "topics".into(),
        multi_label: true,
        ..correction(text, labels, 4)
    };
    let said = [topics("Nothing.", &[]), topics("Tin sank.", &["metal", "ship"])];
    keep(place.path(), &said);
    let refused = place.run("feedback export f.sqlite").refused(1);
    assert!(refused.contains("several models: news, topics; name one by --model"), "{refused}");
    let refused = place.run("feedback export f.sqlite --model mood").refused(1);
    assert!(refused.contains("no corrections of the model mood, but of news, topics"), "{refused}");
    assert_eq!(lines(&place.run("feedback export f.sqlite --model news").ok()).len(), 2);

    let written = place.run("feedback export f.sqlite --model topics -o t.jsonl --format json");
    let command = written.json()["command"].clone();
    assert_eq!(command, "slugline train OLD_DATA t.jsonl -o better.slug");
    let about = place.run("datasets info t.jsonl --format json").json();
    assert_eq!(about["label_kind"], "multi");
    assert_eq!((&about["bad_rows"], &about["train"]["unlabelled"]), (&json!(0), &json!(1)));
    assert_eq!(about["layouts"].as_array().unwrap().len(), 1);
}

#[test]
fn corrections_are_removed() {
    let place = place();
    let refused = place.run("feedback remove f.sqlite 1 9").refused(1);
    assert!(refused.contains("there is no correction 9 in f.sqlite"), "{refused}");
    assert_eq!(place.run("feedback remove f.sqlite 3 3").ok(), "removed 1 correction\n");
    // What it had taken back counts again.
    let left = lines(&place.run("feedback export f.sqlite").ok());
    assert_eq!(left.iter().map(|line| &line["label"]).collect::<Vec<_>>(), ["metal", "ship"]);
    let removed = place.run("feedback remove f.sqlite --all --format json").json();
    assert_eq!(removed, json!({ "removed": [1, 2] }));
    let none = place.run("feedback remove f.sqlite --all").ok();
    assert_eq!(none, "there were no corrections to remove\n");
}

#[test]
fn what_cannot_be_exported_is_told_and_nothing_is_written() {
    let place = place();
    fs::write(place.path().join("empty.sqlite"), "").unwrap();
    fs::write(place.path().join("rubbish.sqlite"), "rubbish, longer than a header is").unwrap();
    for (line, wanted) in [
        ("gone.sqlite", "there is no feedback file gone.sqlite; `slugline serve MODEL --feedback"),
        ("empty.sqlite", "there are no corrections in empty.sqlite yet; people make them"),
        ("rubbish.sqlite", "rubbish.sqlite is no feedback file: file is not a database"),
        ("f.sqlite --since 2999-01-01", "no corrections of news since then in f.sqlite"),
    ] {
        let refused = place.run(&format!("feedback export {line} -o c.jsonl")).refused(1);
        assert!(refused.contains(wanted), "{line}: {refused}");
        assert!(!place.path().join("c.jsonl").exists(), "{line}");
    }
    assert!(!place.path().join("gone.sqlite").exists(), "made by looking");
    let refused = place.run("feedback export f.sqlite -o f.sqlite").refused(1);
    assert!(refused.contains("which is the feedback file that is read"), "{refused}");
    assert!(place.run("feedback list gone.sqlite").refused(1).contains("no feedback file"));
    assert!(place.run("feedback remove gone.sqlite 1").refused(1).contains("no feedback file"));
}

/// From an answer that is wrong to a model that knows better, by the command that the export tells.
#[test]
fn corrections_make_a_better_model() {
    let place = Place::new();
    let mut old = String::from("label,text\n");
    for i in 0..40 {
        let (w, x) = (i % 7, i % 5);
        writeln!(old, "grain,wheat and corn fell w{w} x{x}").unwrap();
        writeln!(old, "metal,gold and silver rose w{w} x{x}").unwrap();
    }
    fs::write(place.path().join("old.csv"), old).unwrap();
    place.run("train old.csv -q -o news.slug").ok();
    let label = |model: &str, text: &str| {
        let words = ["predict", model, "--format", "json", "--text", text];
        Said::of(place.command(words).output().unwrap()).json()["label"].clone()
    };
    let wrong = "a tanker sank near harbour 1";
    assert_ne!(label("news.slug", wrong), "ship");

    // A slip that is taken back, and a few that stay.
    keep(place.path(), &[correction(wrong, &["metal"], 0)]);
    let said: Vec<Correction> = (0..4)
        .map(|i| correction(&format!("a tanker sank near harbour {i}"), &["ship"], 1 + i))
        .collect();
    keep(place.path(), &said);
    let export = place.run("feedback export f.sqlite -o corrections.jsonl --format json").json();
    assert_eq!(export["corrections"], 4);
    let command = export["command"].as_str().unwrap().replace("OLD_DATA", "old.csv");
    let line = command.strip_prefix("slugline ").unwrap();
    place.run(&format!("{line} -q")).ok();
    for (text, wanted) in
        [(wrong, "ship"), ("gold and silver rose", "metal"), ("corn and wheat fell", "grain")]
    {
        assert_eq!(label("better.slug", text), wanted, "{text}");
    }
}
