//! Training and scoring on users' own files.

use std::fmt::Write as _;
use std::fs;

use super::{Place, Said};

/// What a command said that came to a good end.
fn done(said: Said) -> Said {
    assert_eq!(said.code, Some(0), "{}", said.err);
    said
}

/// A table of made-up tickets: `topic,body,part`, one in five for testing.
pub(crate) fn tickets(rows: usize) -> String {
    let topics = [
        ("billing", ["invoice", "refund", "charged twice", "payment failed"]),
        ("login", ["password", "locked out", "two factor code", "cannot sign in"]),
        ("delivery", ["parcel", "courier", "arrived broken", "wrong address"]),
    ];
    let fillers = ["please help", "since monday", "thank you", "what can i do", "again"];
    let mut table = String::from("topic,body,split\n");
    for i in 0..rows {
        let (topic, words) = &topics[i % 3];
        let (word, other) = (words[i / 3 % 4], words[(i / 7) % 4]);
        let filler = fillers[i % 5];
        let part = if i % 5 == 4 { "test" } else { "train" };
        writeln!(table, "{topic},\"The {word}, {filler}: {other} no {i}\",{part}").unwrap();
    }
    table
}

#[test]
fn a_table_is_trained_on_scored_and_answered_without_a_setting() {
    let place = Place::new();
    fs::write(place.path().join("tickets.csv"), tickets(300)).unwrap();
    let said = done(place.run("train tickets.csv"));
    for wanted in ["tickets.slug", "240 to train", "chosen"] {
        assert!(said.out.contains(wanted), "{wanted}: {}", said.out);
    }
    let guess = "tickets.csv: CSV with a header, text in `body`, label in `topic`, part in `split`";
    assert!(said.err.contains(guess), "{}", said.err);
    assert!(said.err.contains("240 training documents, 3 classes"), "{}", said.err);

    let scores = place.run("evaluate tickets.slug tickets.csv --format json").json();
    assert_eq!((&scores["samples"], &scores["data"]), (&60.into(), &"tickets.csv".into()));
    assert_eq!(scores["accuracy"], 1.0);
    assert!(scores["ece"].as_f64().unwrap() < 0.1, "{scores}");
    assert_eq!(scores["bins"].as_array().unwrap().len(), 15);
    let train = place.run("evaluate tickets.slug tickets.csv --split train --format json").json();
    assert_eq!(train["samples"], 240);

    let answer = done(place.run("predict tickets.slug --text courier"));
    assert!(answer.out.starts_with("delivery"), "{}", answer.out);
    let unnamed = place.run("evaluate tickets.slug").refused(2);
    assert!(unnamed.contains("name the DATA to score on"), "{unnamed}");

    let model = place.run("inspect tickets.slug --format json").json();
    assert_eq!(model["auto"]["candidates"].as_array().unwrap().len(), 2);
    assert_eq!(model["calibration"]["kind"], "mixture");
    let command = model["provenance"]["command"].as_str().unwrap();
    assert_eq!(command, "slugline train tickets.csv --preset auto");
}

#[test]
fn the_file_of_auto_is_the_same_for_any_number_of_threads_and_kernels() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), tickets(120)).unwrap();
    let train = |more: &str, cpu: Option<&str>| {
        let line = format!("train t.csv -q -o t.slug {more}");
        let mut command = place.command(line.split_whitespace());
        if let Some(cpu) = cpu {
            command.env("SLUGLINE_CPU", cpu);
        }
        assert!(command.status().unwrap().success());
        fs::read(place.path().join("t.slug")).unwrap()
    };
    let first = train("", None);
    for threads in ["1", "2", "3", "8"] {
        assert!(train(&format!("--threads {threads}"), None) == first, "{threads} threads differ");
    }
    assert!(train("", Some("portable")) == first);
    assert!(train("--seed 1", None) != first);
}

#[test]
fn the_published_network_trains_on_files_too() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), tickets(300)).unwrap();
    done(
        place.run("train t.csv -o t.slug --hidden 16 --validation 0.2 --epochs 12 --batch-size 8"),
    );
    let scores = place.run("evaluate t.slug t.csv --format json").json();
    assert!(scores["accuracy"].as_f64().unwrap() > 0.9, "{scores}");
    let refused = place.run("train t.csv -q --preset notebook").refused(1);
    assert!(refused.contains("validation split of 1000 leaves 0 of 240"), "{refused}");
}

#[test]
fn bad_rows_stop_the_run_or_are_told() {
    let place = Place::new();
    let mut table = tickets(90);
    table.push_str("billing\n,no label,train\n");
    fs::write(place.path().join("t.csv"), table).unwrap();
    let refused = place.run("train t.csv").refused(1);
    assert!(refused.contains("t.csv:92: expected 3 columns, found 1"), "{refused}");
    let said = done(place.run("train t.csv --on-error skip"));
    for wanted in
        ["2 bad rows were skipped", "t.csv:92: expected 3", "t.csv:93: the label is empty"]
    {
        assert!(said.err.contains(wanted), "{}", said.err);
    }
    fs::write(place.path().join("u.csv"), "topic,body\nweather,Rain again and again\n").unwrap();
    let refused = place.run("evaluate t.slug u.csv").refused(1);
    let wanted =
        "u.csv:2: the label \"weather\" is none of the 3 classes: billing, delivery, login";
    assert!(refused.contains(wanted), "{refused}");

    fs::write(place.path().join("one.csv"), "topic,body\na,some words\na,other words\n").unwrap();
    let refused = place.run("train one.csv -q").refused(1);
    assert!(refused.contains("2 documents of 1 classes are too few to learn from"), "{refused}");
}

#[test]
fn a_cross_validation_is_told_and_noted_in_the_model() {
    let place = Place::new();
    fs::write(place.path().join("t.csv"), tickets(150)).unwrap();
    for settings in ["", "--hidden 8 --validation none --epochs 12 --batch-size 8"] {
        let said = done(place.run(&format!("train t.csv -o t.slug --folds 3 {settings}")));
        for wanted in ["fold 1/3   accuracy", "fold 3/3   accuracy"] {
            assert!(said.err.contains(wanted), "{wanted}: {}", said.err);
        }
        for wanted in ["Cross-validation", "standard deviation", "120 to train"] {
            assert!(said.out.contains(wanted), "{wanted}: {}", said.out);
        }
        let first = fs::read(place.path().join("t.slug")).unwrap();
        let report = place.run(&format!(
            "train t.csv -q -o t.slug --folds 3 --threads 1 --format json {settings}"
        ));
        let report = report.json();
        assert!(fs::read(place.path().join("t.slug")).unwrap() == first, "another file");
        assert!(report["command"].as_str().unwrap().ends_with(" --folds 3"), "{report}");
        let folds = report["cross_validation"]["folds"].as_array().unwrap();
        let samples = |key: &str| folds.iter().map(|f| f[key].as_u64().unwrap()).sum::<u64>();
        assert_eq!((folds.len(), samples("samples"), samples("train_samples")), (3, 120, 240));
        let mean = folds.iter().map(|f| f["log_loss"].as_f64().unwrap()).sum::<f64>() / 3.0;
        let told = &report["cross_validation"]["log_loss"];
        assert!((told["mean"].as_f64().unwrap() - mean).abs() < 1e-12, "{told}");
        assert!(report["cross_validation"]["accuracy"]["mean"].as_f64().unwrap() > 0.8, "{report}");
        let model = place.run("inspect t.slug --format json").json();
        assert_eq!(model["cross_validation"], report["cross_validation"]);
        assert!(place.run("inspect t.slug").ok().contains("Cross-validation"));
    }
    done(place.run("train t.csv -q -o t.slug"));
    let model = place.run("inspect t.slug --format json").json();
    assert_eq!(model["cross_validation"], serde_json::Value::Null);
    let refused = place.run("train t.csv -q --folds 500").refused(1);
    assert!(refused.contains("from 2 to the number of documents, 120"), "{refused}");
    place.run("train t.csv --folds 1").refused(2);
    let refused = place.run("train sample --folds 2 --skip-top 20").refused(2);
    assert!(refused.contains("--folds divides texts"), "{refused}");
}
