//! Thresholds, `unknown`, and multi-label answers.

use std::fs;

use serde_json::{Value, json};
use slugline::classifier::{Classifier, TrainingOptions, TrainingRecord};
use slugline::corpus::{LabelKind, SequenceOptions, sample};
use slugline::nn::Loss;

use super::{Place, SMALL, model};

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn answers_below_the_limits_are_unknown() {
    let place = Place::new();
    let texts = "Shares fell on the exchange.\nqwxzy vlkrt\nShares qwxzy vlkrt bbbq\n";
    fs::write(place.path().join("t.txt"), texts).unwrap();
    let run = |more: &str| place.run(&format!("predict {} t.txt {more}", model())).ok();
    let plain = objects(&run("--format json"));
    assert_eq!(plain[1]["label"], "unknown");
    assert_eq!(
        (&plain[1]["reason"], &plain[1]["unknown_share"]),
        (&json!("nothing_known"), &json!(1.0))
    );
    assert!(plain[0]["reason"].is_null() && plain[0].get("labels").is_none());
    let strict = objects(&run("--format json --max-unknown-words 0.5 --min-confidence 0.999"));
    let reasons: Vec<&str> = strict.iter().map(|a| a["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["confidence", "nothing_known", "unknown_words"]);
    assert_eq!(strict[0]["probabilities"], plain[0]["probabilities"]);
    let none = objects(&run("--format json --threshold 1"));
    assert_eq!(none[0]["reason"], "threshold");

    let text = run("--threshold 1 -k 2");
    let cells: Vec<&str> = text.lines().next().unwrap().split('\t').collect();
    let best = plain[0]["probabilities"].as_object().unwrap().iter().next().unwrap();
    let p = format!("{:.4}", best.1.as_f64().unwrap());
    assert_eq!(cells, ["unknown", &p, best.0.as_str(), &p]);
    let talk = run("-k 1 --verbose");
    assert!(talk.lines().nth(1).unwrap().ends_with("\tunknown words\t1.0000"), "{talk}");
    let refused = place.run(&format!("predict {} --threshold f1", model())).refused(2);
    assert!(refused.contains("`slugline threshold`"), "{refused}");
}

#[test]
fn thresholds_are_fitted_kept_and_overridden() {
    let place = Place::new();
    let report = place
        .run(&format!("threshold {} sample --aim precision=0.8 -o t.slug --format json", model()))
        .json();
    assert_eq!((&report["aim"], &report["documents"]), (&json!("precision=0.8"), &json!(2200)));
    let classes = report["classes"].as_array().unwrap();
    let number = |class: &Value, key: &str| class[key].as_f64().unwrap();
    for class in classes {
        assert!(number(class, "predicted") == 0.0 || number(class, "precision") >= 0.8, "{class}");
    }
    assert!(report["reached"].as_u64().unwrap() > 5, "{report}");

    let scores = place.run("evaluate t.slug sample --format json --bootstrap 50").json();
    let decisions = &scores["decisions"];
    let coverage = decisions["coverage"].as_f64().unwrap();
    assert!(coverage > 0.1 && coverage < 1.0, "{decisions}");
    assert!(decisions["accuracy"].as_f64().unwrap() >= 0.8, "{decisions}");
    assert_eq!(decisions["reasons"]["threshold"], decisions["unknown"]);
    let plain =
        place.run(&format!("evaluate {} sample --format json --bootstrap 0", model())).json();
    assert_eq!(scores["accuracy"], plain["accuracy"]);
    assert_eq!(plain["decisions"]["coverage"], 1.0);
    let without =
        place.run("evaluate t.slug sample --format json --threshold none --bootstrap 0").json();
    assert_eq!(without["decisions"], plain["decisions"]);

    let shown = place.run("evaluate t.slug sample").ok();
    for wanted in ["95% interval", "documents answered", "no threshold reached", "coverage"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    let kept = place.run("inspect t.slug --format json").json();
    assert_eq!(kept["decisions"]["fitted"]["aim"], "precision=0.8");
    assert!(place.run("inspect t.slug").ok().contains("precision=0.8"));
    let text = place.run("threshold t.slug sample --aim none --min-confidence 0.4").ok();
    assert!(text.contains("min confidence"), "{text}");
    let kept = place.run("inspect t.slug --format json").json();
    assert_eq!(kept["decisions"]["thresholds"], json!([]));
    assert_eq!(kept["decisions"]["min_confidence"], json!(0.4));
    let told = place.run("threshold t.slug sample --aim 0.3 --format json").ok();
    assert!(
        told.contains("\"threshold\":0.3}") && told.contains("\"min_confidence\":0.4,"),
        "{told}"
    );

    let err = place.run(&format!("threshold {} sample --aim luck -o u.slug", model())).refused(2);
    assert!(err.contains("precision=P"), "{err}");
    let err = place
        .run(&format!("threshold {} sample --split validation --aim f1 -o u.slug", model()))
        .refused(1);
    assert!(err.contains("sample has no validation part"), "{err}");
}

#[test]
fn training_fits_thresholds_on_what_it_holds_out() {
    let place = Place::new();
    let small = SMALL.join(" ");
    let line = format!("train sample -q -o m.slug {small} --format json --threshold f1");
    let report = place.run(&line).json();
    assert_eq!(report["thresholds"]["aim"], "f1");
    assert_eq!(report["thresholds"]["documents"], 1000);
    let command = report["command"].as_str().unwrap();
    assert!(command.ends_with("--threshold f1"), "{command}");
    let refused = place.run(&format!("train sample -q {small} --threshold f1 --validation none"));
    let refused = refused.refused(1);
    assert!(refused.contains("hold some out, or fit the thresholds afterwards"), "{refused}");
}

/// A model whose outputs answer for themselves.
fn multi_label_model(place: &Place) {
    let numbered = SequenceOptions { num_words: Some(1000), ..SequenceOptions::default() };
    let options = TrainingOptions {
        max_features: 1000,
        hidden: vec![16],
        loss: Loss::BINARY_CROSSENTROPY,
        epochs: 12,
        ..TrainingOptions::default()
    };
    let single = Classifier::train(&sample::load(&numbered).unwrap(), &options).unwrap();
    let record = TrainingRecord { label_kind: LabelKind::Multi, ..single.record().clone() };
    let (vectorizer, network) = (single.vectorizer().clone(), single.network().clone());
    let names = single.class_names().to_vec();
    let model = Classifier::from_parts(vectorizer, network, names, record).unwrap();
    model.save(place.path().join("multi.slug")).unwrap();
}

#[test]
fn multi_label_models_answer_with_labels_and_are_scored_by_them() {
    let place = Place::new();
    multi_label_model(&place);
    let scores = place.run("evaluate multi.slug sample --format json --bootstrap 100").json();
    assert_eq!(scores["label_kind"], "multi");
    for key in ["hamming_loss", "samples_f1", "micro_roc_auc", "ece", "brier", "log_loss"] {
        assert!(
            scores[key].as_f64().is_some_and(|value| (0.0..=1.0).contains(&value)),
            "{key}: {scores}"
        );
    }
    assert!(scores.get("confusion").is_none() && scores.get("mcc").is_none());
    assert!(scores["micro_f1"].as_f64().unwrap() > 0.3, "{scores}");
    let shown = place.run("evaluate multi.slug sample -v").ok();
    for wanted in ["all labels right", "Hamming loss", "samples", "F1 of a document"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }

    let lines = concat!(
        "{\"text\":\"The cup final was won by the home side\",\"label\":[\"football\",\"tea\"]}\n",
        "{\"text\":\"Tea exports rose\",\"label\":[\"tea\"]}\n",
    );
    fs::write(place.path().join("m.jsonl"), lines).unwrap();
    let scores = place.run("evaluate multi.slug m.jsonl --format json --bootstrap 0").json();
    assert_eq!((&scores["samples"], &scores["label_kind"]), (&json!(2), &json!("multi")));
    let refused = place.run(&format!("evaluate {} m.jsonl -q", model())).refused(1);
    assert!(refused.contains("any number of labels"), "{refused}");

    let run = |more: &str| {
        place.run_with_input(&format!("predict multi.slug {more}"), b"Tea exports rose\n").ok()
    };
    let all = objects(&run("--format json --threshold 0"));
    assert_eq!(all[0]["labels"].as_array().unwrap().len(), 46);
    assert_eq!(all[0]["labels"][0], all[0]["label"]);
    let none = objects(&run("--format json --threshold 1"));
    assert_eq!((&none[0]["labels"], &none[0]["label"]), (&json!([]), &Value::Null));
    assert!(run("--threshold 1 -k 1").starts_with("-\t"));
    let unknown = run("--min-confidence 1 -k 1");
    assert!(unknown.starts_with("unknown\t"), "{unknown}");
}
