//! `slugline train --from`.

use std::fmt::Write as _;
use std::fs;

use super::{Place, Said};

/// Lines of labelled texts: `each` of every class.
fn lines(classes: &[(&str, &str)], each: usize) -> String {
    let mut out = String::from("label,text\n");
    for i in 0..each {
        for (class, words) in classes {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{class},{words} w{} x{}", i % 7, i % 5);
        }
    }
    out
}

fn place() -> Place {
    let place = Place::new();
    let old = [("grain", "wheat and corn fell"), ("metal", "gold and silver rose")];
    fs::write(place.path().join("old.csv"), lines(&old, 40)).unwrap();
    let new = [("ship", "a tanker sank"), ("grain", "barley and wheat fell")];
    fs::write(place.path().join("new.csv"), lines(&new, 30)).unwrap();
    place
}

#[test]
fn a_model_goes_on_with_new_classes_and_words() {
    let place = place();
    for settings in
        ["", "--hidden 8 --max-features 100 --epochs 30 --batch-size 8 --validation 0.1"]
    {
        place.run(&format!("train old.csv -q -o old.slug {settings}")).ok();
        let line = "train new.csv --from old.slug --replay old.csv -o new.slug --epochs 12";
        let report = place.run(&format!("{line} --format json -q")).json();
        assert_eq!(
            report["command"],
            "slugline train new.csv --from old.slug --replay old.csv --epochs 12"
        );
        let ancestor = &report["ancestor"];
        assert_eq!((&ancestor["classes"], &ancestor["replayed"]), (&2.into(), &60.into()));
        assert_eq!(ancestor["checksum"].as_str().unwrap().len(), 32);
        assert_eq!(ancestor["corpus"]["name"], "old.csv");

        let about = place.run("inspect new.slug --format json").json();
        assert_eq!(about["classes"], serde_json::json!(["grain", "metal", "ship"]));
        assert_eq!(about["provenance"]["ancestor"], *ancestor);
        // Replayed documents were counted when they were new.
        assert_eq!(about["provenance"]["class_counts"], serde_json::json!([70, 40, 30]));
        assert!(place.run("inspect new.slug").ok().contains("60 documents replayed"));
        for (text, label) in
            [("tanker", "ship"), ("silver and gold", "metal"), ("barley and wheat fell", "grain")]
        {
            let words = ["predict", "new.slug", "--format", "json", "--text", text];
            let answer = Said::of(place.command(words).output().unwrap());
            assert_eq!(answer.json()["label"], label, "{text} {settings}");
        }
    }
}

#[test]
fn going_on_is_the_same_for_any_number_of_threads_and_resumes() {
    let place = place();
    place.run("train old.csv -q -o old.slug").ok();
    let line = "train new.csv --from old.slug --replay old.csv --replay-share 0.5 -q";
    let files: Vec<Vec<u8>> = [1, 2, 3]
        .map(|threads| {
            place.run(&format!("{line} -o x.slug --threads {threads} --checkpoint-every 0")).ok();
            fs::read(place.path().join("x.slug")).unwrap()
        })
        .into();
    assert!(files.windows(2).all(|pair| pair[0] == pair[1]));
    assert!(!place.path().join("x.slug.checkpoint").exists());
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = place();
    place.run("train old.csv -q -o old.slug").ok();
    let refused = place.run("train new.csv --from old.slug --hidden 9").refused(2);
    assert!(refused.contains("--hidden is settled by the model of --from"), "{refused}");
    let refused = place.run("train new.csv --replay old.csv").refused(2);
    assert!(refused.contains("--from"), "{refused}");
    let missing = place.run("train new.csv --from gone.slug").refused(1);
    assert!(missing.contains("cannot read model file gone.slug"), "{missing}");
    let said = place.run("train new.csv --from old.slug --replay new.csv");
    let error = said.refused_after_talk();
    assert!(error.contains("have the class `ship`, which the model does not have"), "{error}");
    assert!(!place.path().join("new.slug").exists());
}

#[test]
fn that_an_index_is_not_kept_is_told() {
    let place = place();
    let small = "--preset text --epochs 2 --validation none";
    place.run(&format!("train old.csv -q -o old.slug --index {small}")).ok();
    let documents = |model: &str| {
        place.run(&format!("inspect {model} --format json")).json()["index"]["documents"].clone()
    };
    assert_eq!(documents("old.slug"), 80);
    let line = "train new.csv --from old.slug --epochs 1 -o new.slug";
    let note = "the index of training documents of old.slug is not kept; --index makes a new one";
    let said = place.run(line);
    assert!(said.err.contains(note), "{}", said.err);
    assert!(documents("new.slug").is_null());
    let said = place.run(&format!("{line} --replay old.csv --index"));
    assert!(!said.err.contains("is not kept"), "{}", said.err);
    said.ok();
    assert_eq!(documents("new.slug"), 60);
    // The classes of the file alone have other numbers than those of the model.
    let near = place.run_with_input("explain new.slug --nearest 1 --format json", b"a tanker sank");
    assert_eq!(near.json()["nearest"][0]["labels"], serde_json::json!(["ship"]));
}
