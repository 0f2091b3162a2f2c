//! `slugline compare`.

use std::fs;

use serde_json::Value;

use super::files::tickets;
use super::labels::topics;
use super::{Place, model, numbers};

/// Trains a smaller model of the sample corpus than the shared one.
fn smaller(place: &Place) {
    place.run("train sample -q -o b.slug --max-features 2000 --hidden 2 --epochs 1").ok();
}

#[test]
fn json_holds_the_stable_fields() {
    let place = Place::new();
    smaller(&place);
    let line = format!("compare {} b.slug sample --format json", model());
    let found = place.run(&line).json();
    assert_eq!(
        (found["models"]["a"].as_str(), found["models"]["b"].as_str()),
        (Some(model()), Some("b.slug"))
    );
    assert_eq!((found["data"].as_str(), found["split"].as_str()), (Some("sample"), Some("test")));
    assert_eq!(
        (found["samples"].as_u64(), found["label_kind"].as_str()),
        (Some(2200), Some("single"))
    );
    assert_eq!(found["bootstrap"]["resamples"], 1000);
    let accuracy = &found["scores"][0];
    assert_eq!(
        (accuracy["score"].as_str(), accuracy["name"].as_str()),
        (Some("accuracy"), Some("accuracy"))
    );
    let number = |key: &str| accuracy[key].as_f64().unwrap();
    assert!((number("b") - number("a") - number("difference")).abs() < 1e-12);
    let interval = numbers(&accuracy["difference_interval"]);
    assert!(interval[0] <= number("difference") && number("difference") <= interval[1]);

    // The scores of A are those of `evaluate`, intervals included, and its texts those of the corpus.
    let alone = place.run(&format!("evaluate {} sample --format json", model())).json();
    assert_eq!(accuracy["a"], alone["accuracy"]);
    assert_eq!(accuracy["a_interval"], alone["intervals"]["accuracy"]);

    let count = |key: &str| found["mcnemar"][key].as_u64().unwrap();
    assert_eq!(count("both_right") + count("only_a") + count("only_b") + count("both_wrong"), 2200);
    assert!(found["mcnemar"]["p_value"].as_f64().unwrap() < 1e-6);
    let changes = found["changes"].as_array().unwrap();
    let sum = |key: &str| changes.iter().map(|change| change[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(found["changed"], sum("documents"));
    assert_eq!((sum("a_right"), sum("b_right")), (count("only_a"), count("only_b")));
    assert_eq!(found["classes"].as_array().unwrap().len(), 46);

    let lists = &found["disagreements"];
    assert_eq!(lists["only_a_right"].as_array().unwrap().len(), 5);
    let first = &lists["only_a_right"][0];
    assert_eq!(first["truth"], first["a"]["answer"]);
    assert_eq!(first["a"]["probability"], first["a"]["truth_probability"]);
    assert!(first["a"]["probability"].as_f64() > first["b"]["truth_probability"].as_f64());
    assert!(first["text"].as_str().unwrap().len() > 20, "{first}");

    // The corpus that both were trained on is the default, and threads do not matter.
    let line = format!("compare {} b.slug --threads 1 --format json", model());
    assert_eq!(place.run(&line).json(), found);
    let line = "compare b.slug b.slug --bootstrap 0 --disagreements 0 --format json";
    let same: Value = place.run(line).json();
    assert!(same["scores"][0]["a_interval"].is_null() && same.get("bootstrap").is_none());
    assert_eq!(
        (same["changed"].as_u64(), same["mcnemar"]["p_value"].as_f64()),
        (Some(0), Some(1.0))
    );
}

#[test]
fn people_read_which_is_better_and_what_changes() {
    let place = Place::new();
    smaller(&place);
    let said = place.run(&format!("compare {} b.slug", model()));
    assert_eq!(said.err, "");
    let short = said.ok();
    let flat = short.split_whitespace().collect::<Vec<_>>().join(" ");
    for wanted in [
        "sample, test part: 2,200 documents, 46 classes",
        "A is better by ",
        "That is more than chance at the 5% level (p below 0.0001, McNemar's exact test). They answer ",
        "B right B wrong",
        "A answers B answers documents A right B right",
        "Classes that change most",
        "Only A is right",
        "All classes and pairs of answers: --verbose",
    ] {
        assert!(flat.contains(wanted), "{wanted} in {short}");
    }
    assert!(
        short.lines().all(|line| line.chars().count() <= 80 || line.contains(".slug")),
        "{short}"
    );
    let long = place.run(&format!("compare {} b.slug -v", model())).ok();
    assert!(long.lines().count() > short.lines().count() + 40, "{long}");
    let turned = place.run(&format!("compare b.slug {}", model())).ok();
    assert!(turned.contains("B is better by "), "{turned}");
    let same = place.run("compare b.slug b.slug").ok();
    assert!(same.contains("Neither is better"), "{same}");
    assert!(same.contains("They answer\n  every document alike."), "{same}");
}

#[test]
fn models_of_any_number_of_labels_and_of_files_are_compared() {
    let place = Place::new();
    fs::write(place.path().join("t.jsonl"), topics(200)).unwrap();
    place.run("train t.jsonl -q -o a.slug").ok();
    place.run("train t.jsonl -q -o b.slug --preset text --epochs 1 --multi-label").ok();
    let found = place.run("compare a.slug b.slug t.jsonl -q --format json").json();
    assert_eq!(found["label_kind"], "multi");
    assert_eq!(found["scores"][0]["name"], "all labels right");
    assert_eq!(
        found["disagreements"]["only_a_right"][0]["place"].as_str().map(|p| &p[..8]),
        Some("t.jsonl:")
    );
    let shown = place.run("compare a.slug b.slug t.jsonl -q").ok();
    assert!(shown.contains("all labels right"), "{shown}");
    // Texts may hold what a terminal takes for commands.
    let odd = topics(40).replace("thank you", "\\u001b[2Jthank you");
    fs::write(place.path().join("odd.jsonl"), odd).unwrap();
    let shown = place.run("compare a.slug b.slug odd.jsonl -q").ok();
    assert!(shown.contains("\u{FFFD}[2J") && !shown.contains('\u{1b}'), "{shown}");

    fs::write(place.path().join("one.csv"), tickets(200)).unwrap();
    place.run("train one.csv -q -o one.slug").ok();
    let refused = place.run("compare a.slug one.slug t.jsonl -q").refused(1);
    assert!(
        refused.contains("model B gives one class a document and model A any number"),
        "{refused}"
    );
    let refused = place.run(&format!("compare {} one.slug sample", model())).refused(1);
    assert!(refused.contains("model A has the class `"), "{refused}");
    let refused = place.run(&format!("compare {} one.slug", model())).refused(2);
    assert!(refused.contains("A was trained on sample, and B on one.csv"), "{refused}");
    let refused = place.run("compare a.slug b.slug").refused(2);
    assert!(refused.contains("name the DATA to score on"), "{refused}");
    let refused = place.run("compare a.slug t.jsonl t.jsonl").refused(1);
    assert!(refused.contains("t.jsonl: expected a Slugline model file"), "{refused}");
}
