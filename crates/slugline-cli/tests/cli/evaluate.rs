//! `slugline evaluate`.

use super::{Place, model, numbers};

#[test]
fn json_holds_the_stable_fields() {
    let place = Place::new();
    let report = place.run(&format!("evaluate {} sample --format json", model())).json();
    assert_eq!(report["samples"], 2200);
    assert_eq!((report["data"].as_str(), report["split"].as_str()), (Some("sample"), Some("test")));
    let number = |key: &str| report[key].as_f64().unwrap();
    let baseline = |key: &str| report["baselines"][key].as_f64().unwrap();
    assert!(number("loss") > 0.0);
    assert!(number("accuracy") > baseline("majority"));
    assert!(number("macro_f1") < number("weighted_f1"));
    assert!(baseline("majority") > baseline("random_permutation"));
    let classes = report["classes"].as_array().unwrap();
    assert_eq!(classes.len(), 46);
    let confusion = report["confusion"].as_array().unwrap();
    let right: f64 = (0..46).map(|i| numbers(&confusion[i])[i]).sum();
    assert!((right / 2200.0 - number("accuracy")).abs() < 1e-12);
    for key in ["accuracy", "macro_f1", "mcc", "brier", "log_loss", "macro_roc_auc", "coverage"] {
        let interval = numbers(&report["intervals"][key]);
        let value = report[key].as_f64().unwrap_or(1.0);
        assert!(interval[0] <= value && value <= interval[1], "{key}: {interval:?} and {value}");
    }
    assert_eq!(report["bootstrap"]["resamples"], 1000);
    assert!(number("top_5_accuracy") >= number("top_3_accuracy"));
    let more = "--bootstrap 0 --top-k 2 --format json";
    let plain = place.run(&format!("evaluate {} {more}", model())).json();
    assert!(plain.get("intervals").is_none() && plain.get("top_3_accuracy").is_none());
    assert!(plain["top_2_accuracy"].as_f64().unwrap() >= number("accuracy"));

    // The corpus that the model was trained on is the default, and threads do not matter.
    let default = place.run(&format!("evaluate {} --threads 1 --format json", model())).json();
    assert_eq!(default, report);
}

#[test]
fn tables_are_short_unless_asked_for() {
    let place = Place::new();
    let said = place.run(&format!("evaluate {} sample", model()));
    assert_eq!(said.err, "");
    let short = said.ok();
    let long = place.run(&format!("evaluate {} sample -v", model())).ok();
    for wanted in ["accuracy", "always the largest class", "random permutation", "Lowest F1"] {
        assert!(short.contains(wanted), "{short}");
    }
    assert!(short.lines().count() < 60, "{short}");
    assert!(long.lines().count() > 80, "{long}");
    for class in ["football", "tourism", "tea"] {
        assert!(long.contains(class), "{class} in {long}");
    }
    let train = place.run(&format!("evaluate {} sample --split train", model())).ok();
    assert!(train.contains("8,800 documents"), "{train}");
}

#[test]
fn a_corpus_of_other_classes_is_refused() {
    let Some(folder) = super::real::data_dir("a_corpus_of_other_classes_is_refused") else {
        return;
    };
    let folder = folder.display();
    let line = format!("evaluate {} reuters --data-dir {folder}", model());
    let err = Place::new().run(&line).refused(1);
    assert!(err.contains("class 0 is `cocoa` there and `football` here"), "{err}");
    assert!(err.contains("evaluate on `sample`, or train a model on `reuters`"), "{err}");
}
