//! `slugline inspect`.

use super::files::tickets;
use super::{Place, model, numbers};

#[test]
fn the_published_network_has_the_published_counts() {
    let place = Place::new();
    place.run("train sample -q --epochs 1 -o notebook.slug").ok();
    let out = place.run("inspect notebook.slug").ok();
    for wanted in ["640,064", "4,160", "2,990", "647,214", "outside", "1e-7", "not real news"] {
        assert!(out.contains(wanted), "{wanted} in {out}");
    }
    assert!(out.contains("slugline train sample --preset notebook --epochs 1\n"), "{out}");
}

#[test]
fn json_holds_the_stable_fields() {
    let place = Place::new();
    let report = place.run(&format!("inspect {} --format json", model())).json();
    let size = std::fs::metadata(model()).unwrap().len();
    assert_eq!(report["size_bytes"], size);
    assert_eq!(report["summary"]["input_width"], 2000);
    assert_eq!(report["summary"]["layers"][0]["parameters"], 2000 * 16 + 16);
    assert_eq!(report["classes"].as_array().unwrap().len(), 46);
    assert_eq!(report["settings"]["optimizer"]["rho"].to_string(), "0.9");
    assert_eq!(report["settings"]["epochs"], 3);
    assert_eq!(report["loading"]["num_words"], 2000);
    assert_eq!(numbers(&report["history"]["val_loss"]).len(), 3);
    assert_eq!(report["provenance"]["corpus"]["name"], "sample");
    assert_eq!(report["provenance"]["corpus"]["fingerprint"].as_str().unwrap().len(), 64);
    let counts = numbers(&report["provenance"]["class_counts"]);
    assert_eq!(counts.iter().sum::<f64>(), 8800.0);
}

#[test]
fn the_file_names_no_place_and_no_time() {
    let place = Place::new();
    let bytes = std::fs::read(model()).unwrap();
    let folder = std::path::Path::new(model()).parent().unwrap().to_str().unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(!holds(folder) && !holds("shared.slug"));
    let out = place.run(&format!("inspect {}", model())).ok();
    assert!(out.contains("3 (completed)"), "{out}");
}

#[test]
fn a_long_history_is_cut_unless_asked_for() {
    let place = Place::new();
    place
        .run("train sample -q -o long.slug --max-features 50 --hidden none --epochs 40 --batch-size 8800")
        .ok();
    let lines = |line: &str| place.run(line).ok().lines().count();
    let short = place.run("inspect long.slug").ok();
    assert!(short.contains('⋮'), "{short}");
    assert!(lines("inspect long.slug -v") > short.lines().count() + 10);
}

#[test]
fn an_index_is_told_of_and_has_what_was_trained_on() {
    let place = Place::new();
    assert!(place.run(&format!("inspect {} --format json", model())).json()["index"].is_null());
    for (name, rows) in [("t.csv", 30), ("held.csv", 15)] {
        std::fs::write(place.path().join(name), tickets(rows)).unwrap();
    }
    let line = "train t.csv --index --preset text --epochs 2 -q -o m.slug --validation";
    // A fifth of the rows is for testing.
    for validation in ["held.csv", "0.25"] {
        place.run(&format!("{line} {validation}")).ok();
        let about = place.run("inspect m.slug --format json").json();
        assert_eq!(about["index"]["documents"], 24, "{validation}");
    }
    let text = place.run("inspect m.slug").ok();
    assert!(text.contains("24 documents, with their texts"), "{text}");
}
