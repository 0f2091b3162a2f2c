//! Training on several labels a document, on shares, with weights, and on what was set apart.

use std::fmt::Write as _;
use std::fs;

use super::files::tickets;
use super::{Place, numbers};

/// JSON lines of made-up tickets about any number of things.
pub(super) fn topics(rows: usize) -> String {
    let topics = [("billing", "invoice"), ("login", "password"), ("delivery", "parcel")];
    let mut lines = String::new();
    for i in 0..rows {
        let about: Vec<_> = (0..3).filter(|bit| i >> bit & 1 == 1).map(|bit| topics[bit]).collect();
        let labels: Vec<&str> = about.iter().map(|topic| topic.0).collect();
        let words: Vec<&str> = about.iter().map(|topic| topic.1).collect();
        let text = format!("please look at no {} {} thank you", i % 9, words.join(" and "));
        let line = serde_json::json!({"text": text, "label": labels});
        writeln!(lines, "{line}").unwrap();
    }
    lines
}

#[test]
fn any_number_of_labels_trains_and_answers() {
    let place = Place::new();
    fs::write(place.path().join("t.jsonl"), topics(200)).unwrap();
    let said = place.run("train t.jsonl");
    for wanted in ["200 training documents, 3 classes, any number of them a document", "micro_f1"] {
        assert!(said.err.contains(wanted), "{}", said.err);
    }
    let out = said.ok();
    assert!(out.contains("micro F1"), "{out}");
    let model = place.run("inspect t.slug --format json").json();
    assert_eq!(model["calibration"]["kind"], "platt");
    assert_eq!(numbers(&model["calibration"]["scales"]).len(), 3);
    assert!(model["history"]["accuracy"].is_null());
    assert!(numbers(&model["history"]["micro_f1"]).last().unwrap() > &0.9);
    let shown = place.run("inspect t.slug").ok();
    assert!(shown.contains("Platt's, for each of 3 classes"), "{shown}");
    let answer = place
        .run_with_input("predict t.slug --format json", b"the invoice and the parcel please\n")
        .json();
    let p = |name: &str| answer["probabilities"][name].as_f64().unwrap();
    assert!(p("billing") > 0.5 && p("delivery") > 0.5 && p("login") < 0.5, "{answer}");

    let line = "train t.jsonl --preset text --epochs 12 --loss binary_focal_crossentropy --gamma 1 \
                --format json -q";
    let report = place.run(line).json();
    assert!(numbers(&report["history"]["val_micro_f1"]).last().unwrap() > &0.9, "{report}");
    let refused =
        place.run("train t.jsonl -q --loss categorical_crossentropy --validation 0.2").refused(1);
    assert!(refused.contains("use binary_crossentropy"), "{refused}");
}

#[test]
fn what_the_data_set_apart_is_validated_on_and_not_trained_on() {
    let place = Place::new();
    let table = tickets(200).replace(",test\n", ",validation\n");
    fs::write(place.path().join("t.csv"), table).unwrap();
    for line in ["train t.csv --format json", "train t.csv --format json --ngrams 1 --epochs 2"] {
        let said = place.run(line);
        let wanted = "40 documents to validate on; they are not trained on";
        assert!(said.err.contains(wanted), "{}", said.err);
        let report = said.json();
        assert_eq!(report["samples"], serde_json::json!({"train": 160, "validation": 40}));
    }
    let said = place.run("train t.csv --validation 0.25 --format json");
    assert!(said.err.contains("40 documents for validation are not used"), "{}", said.err);
    let report = said.json();
    assert_eq!(report["samples"], serde_json::json!({"train": 160, "validation": 0}));
    assert_eq!(report["auto"]["held_out_samples"], 40);

    // The same documents in a file of their own make the same model.
    let all = fs::read_to_string(place.path().join("t.csv")).unwrap();
    let of = |part: &str| -> String {
        let rows = all.lines().filter(|line| line.ends_with(part) || line.ends_with("split"));
        rows.flat_map(|line| [line.rsplit_once(',').unwrap().0, "\n"]).collect()
    };
    fs::write(place.path().join("a.csv"), of(",train")).unwrap();
    fs::write(place.path().join("b.csv"), of(",validation")).unwrap();
    let report = place.run("train a.csv --validation b.csv --format json").json();
    assert_eq!(report["samples"], serde_json::json!({"train": 160, "validation": 40}));
    assert_eq!(report["command"], "slugline train a.csv --preset auto --validation b.csv");
    let answers = |model: &str| {
        place.run_with_input(&format!("predict {model} --format json"), b"courier, again\n").json()
    };
    place.run("train t.csv -q").ok();
    assert_eq!(answers("a.slug"), answers("t.slug"));

    fs::write(place.path().join("c.csv"), "topic,body\nbiling,the invoice again\n").unwrap();
    let refused = place.run("train a.csv -q --validation c.csv").refused(1);
    assert!(refused.contains("c.csv:2: the label \"biling\" is none of the 3"), "{refused}");
    let refused = place.run("train a.csv -q --validation none.csv").refused(1);
    assert!(refused.contains("no file or folder \"none.csv\""), "{refused}");
}

#[test]
fn factors_of_classes_come_from_a_file_and_stay_in_the_record() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), tickets(150)).unwrap();
    fs::write(place.path().join("w.csv"), "class,factor\nbilling,5\nlogin,0.5\n").unwrap();
    fs::write(place.path().join("w.json"), "{\"login\": 0.5, \"billing\": 5}").unwrap();
    let train = |more: &str| {
        let line = format!("train t.csv -q -o t.slug --preset text --epochs 3 {more}");
        place.run(&line).ok();
        let model = place.run("inspect t.slug --format json").json();
        let line = "predict t.slug --format json --text please";
        (model, place.run(line).json()["probabilities"]["billing"].as_f64().unwrap())
    };
    let (_, plain) = train("");
    let (model, weighted) = train("--class-weight w.csv");
    assert!(weighted > plain + 0.05, "{weighted} {plain}");
    let factors = serde_json::json!({"named": {"billing": 5.0, "login": 0.5}});
    assert_eq!(model["settings"]["class_weight"], factors);
    let command = model["provenance"]["command"].as_str().unwrap();
    assert_eq!(command, "slugline train t.csv --preset text --epochs 3 --class-weight w.csv");
    assert_eq!(train("--class-weight w.json").1, weighted);
    fs::write(place.path().join("bad.csv"), "billing,5\nlogins,2\n").unwrap();
    let refused = place.run("train t.csv -q --preset text --class-weight bad.csv").refused(1);
    assert!(refused.contains("bad.csv:2: \"logins\" is none of the 3 classes"), "{refused}");
    fs::write(place.path().join("bad.csv"), "billing,five\n").unwrap();
    let refused = place.run("train t.csv -q --preset text --class-weight bad.csv").refused(1);
    assert!(refused.contains("bad.csv:1: factor of the class \"billing\""), "{refused}");
}

#[test]
fn text_features_are_set_one_by_one() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), tickets(150)).unwrap();
    let features = |more: &str| {
        let line = format!("train t.csv -q -o t.slug --epochs 2 {more}");
        place.run(&line).ok();
        place.run("inspect t.slug --format json").json()
    };
    let words = features("--ngrams 1");
    let count = |model: &serde_json::Value| model["summary"]["input_width"].as_u64().unwrap();
    let pairs = features("--ngrams 2");
    let parts = features("--ngrams 1 --char-ngrams 3-4 --prefixes 2");
    let common = features("--ngrams 1 --min-df 20");
    let hashed = features("--hashing 8 --tf bm25 --idf bm25 --norm none");
    assert!(count(&pairs) > count(&words) && count(&parts) > count(&words));
    assert!(count(&common) < count(&words));
    assert_eq!(count(&hashed), 256);
    assert_eq!(parts["settings"]["vectorizer"]["char_ngrams"], serde_json::json!([3, 4]));
    assert_eq!(words["calibration"]["kind"], "mixture");
    let command = parts["provenance"]["command"].as_str().unwrap();
    let wanted =
        "slugline train t.csv --preset text --ngrams 1 --char-ngrams 3-4 --prefixes 2 --epochs 2";
    assert_eq!(command, wanted);
    let again = format!("{} -q -o u.slug", wanted.strip_prefix("slugline ").unwrap());
    place.run(&again).ok();
    features("--ngrams 1 --char-ngrams 3-4 --prefixes 2");
    let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(bytes("t.slug") == bytes("u.slug"));
    let refused = place.run("train t.csv -q --min-df 1000").refused(1);
    assert!(refused.contains("has a feature that is kept"), "{refused}");
}
