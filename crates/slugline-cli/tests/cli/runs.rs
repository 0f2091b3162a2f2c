//! `slugline runs`.

use std::fs;

use serde_json::{Value, json};

use super::{Place, Said};

/// Three runs: two of one corpus, the third of another.
fn place() -> Place {
    let place = Place::new();
    let small = "--max-features 500 --hidden 8 --epochs 2 -q";
    place.run(&format!("train sample {small} -o a.slug")).ok();
    place.run(&format!("train sample {small} --optimizer adam --seed 3 -o b.slug")).ok();
    let texts = "label,text\n".to_owned() + &"grain,corn fell\nmetal,tin rose\n".repeat(20);
    fs::write(place.path().join("news.csv"), texts).unwrap();
    place.run("train news.csv -q -o c.slug").ok();
    place
}

fn ids(runs: &Value) -> Vec<i64> {
    runs.as_array().unwrap().iter().map(|run| run["id"].as_i64().unwrap()).collect()
}

#[test]
fn runs_are_noted_and_listed() {
    let place = place();
    let runs = place.run("runs --format json").json();
    assert_eq!(ids(&runs), [3, 2, 1]);
    let run = &runs[2];
    assert_eq!(
        (&run["data"], &run["epochs"], &run["seed"]),
        (&"sample".into(), &2.into(), &0.into())
    );
    assert_eq!(run["samples"], json!({"train": 7800, "validation": 1000}));
    assert_eq!(run["model"], place.path().join("a.slug").to_str().unwrap());
    assert_eq!(run["settings"]["hidden"], json!([8]));
    assert!(run["started"].as_str().unwrap().ends_with('Z'), "{run}");
    assert!(run["scores"]["val_loss"].as_f64().unwrap() > 0.0, "{run}");
    assert_eq!(run["checksum"].as_str().unwrap().len(), 32);
    assert!(runs[0]["scores"]["held_out_accuracy"].as_f64().is_some(), "{runs}");

    let list = |more: &str| ids(&place.run(&format!("runs --format json {more}")).json());
    assert_eq!(list("--data sample"), [2, 1]);
    assert_eq!(list("--limit 1"), [3]);
    assert_eq!(list("--limit 0 --since 1d"), [3, 2, 1]);
    assert_eq!(list("--since 2999-01-01"), [] as [i64; 0]);
    let loss = |run: &Value| run["scores"]["val_loss"].as_f64().unwrap();
    let best = if loss(&runs[1]) < loss(&runs[2]) { [2, 1, 3] } else { [1, 2, 3] };
    assert_eq!(list("--sort val_loss"), best);

    let text = place.run("runs").ok();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert!(lines[0].contains("val_accuracy"), "{text}");
    assert!(lines[1].contains("news.csv") && lines[1].ends_with("  c.slug"), "{text}");
    let some = place.run("runs --limit 2");
    assert!(some.err.contains("there are more; --limit 0 lists all"), "{}", some.err);
}

#[test]
fn a_run_is_shown_and_compared() {
    let place = place();
    let shown = place.run("runs show 2").ok();
    for wanted in ["Run 2", "slugline train sample", "7,800 to train", "b.slug", "val_accuracy"] {
        assert!(shown.contains(wanted), "{wanted} in {shown}");
    }
    assert!(!shown.contains("no longer there"), "{shown}");
    fs::remove_file(place.path().join("b.slug")).unwrap();
    assert!(place.run("runs show 2").ok().contains("b.slug (no longer there)"));
    assert_eq!(place.run("runs show 2 --format json").json()["id"], 2);

    let report = place.run("runs compare 1 2 --format json").json();
    assert_eq!(ids(&report["runs"]), [1, 2]);
    assert_eq!(report["settings"]["seed"], json!(["0", "3"]));
    assert!(report["settings"].get("hidden").is_none(), "{report}");
    assert_eq!(report["scores"]["loss"].as_array().unwrap().len(), 2);
    let said = place.run("runs compare 1 3");
    assert!(said.err.contains("the data differ"), "{}", said.err);
    assert!(said.ok().contains("held_out_accuracy"));
    let refused = place.run("runs compare 1 9").refused(1);
    assert!(refused.contains("there is no run 9 in "), "{refused}");
}

#[test]
fn runs_are_forgotten_and_models_stay() {
    let place = place();
    assert!(place.run("runs remove 1 9").refused(1).contains("no run 9"));
    let said = place.run("runs remove 1 1").ok();
    assert!(said.starts_with("removed run 1: sample of 2") && said.contains("a.slug"), "{said}");
    assert!(place.path().join("a.slug").is_file());
    let removed = place.run("runs remove --all --format json").json();
    assert_eq!(ids(&removed["removed"]), [3, 2]);
    assert_eq!(place.run("runs remove --all").ok(), "there were no runs to remove\n");
    let none = place.run("runs");
    assert!(none.err.contains("no runs are noted in "), "{}", none.err);
    assert_eq!(none.ok(), "");
}

#[test]
fn nothing_is_noted_where_nothing_is_to_be() {
    let place = Place::new();
    let line = "train sample --max-features 300 --hidden none --epochs 1 -o m.slug --format json";
    assert!(place.run(&format!("{line} --no-record")).json()["run"].is_null());
    assert_eq!(place.run("runs --format json").json(), json!([]));
    assert!(!place.runs().exists(), "made by looking");
    assert!(place.run("runs show 1").refused(1).contains("there is no run 1"));
    assert_eq!(place.run("runs path").ok().trim(), place.runs().to_str().unwrap());
    assert_eq!(place.run(line).json()["run"], 1);
}

#[test]
fn a_search_is_noted_too() {
    let place = Place::new();
    let texts = "label,text\n".to_owned() + &"grain,corn fell\nmetal,tin rose\n".repeat(20);
    fs::write(place.path().join("news.csv"), texts).unwrap();
    let line = "tune news.csv --trials 2 --folds 2 -q --format json";
    assert!(place.run(&format!("{line} --no-record")).json()["run"].is_null());
    let found = place.run(line).json();
    assert_eq!(found["run"], 1);
    let run = place.run("runs show 1 --format json").json();
    assert_eq!((&run["data"], &run["command"]), (&"news.csv".into(), &found["command"]));
    assert!(run["model"].as_str().unwrap().ends_with("news.slug"), "{run}");
}

#[test]
fn what_keeps_a_run_from_being_noted_is_told_and_the_model_is_there() {
    let place = Place::new();
    fs::write(place.runs(), "rubbish, and more of it than a header has").unwrap();
    let said = place.run("train sample --max-features 300 --hidden none --epochs 1 -o m.slug");
    assert!(said.err.contains("the run is not noted: "), "{}", said.err);
    assert!(said.err.contains("is no database of runs: file is not a database"), "{}", said.err);
    assert!(!said.ok().contains("run "));
    assert!(place.path().join("m.slug").is_file());
    assert!(place.run("runs").refused(1).contains("SLUGLINE_RUNS"));

    let mut command = place.command(["runs"]);
    let folder = Said::of(command.env("SLUGLINE_RUNS", place.path()).output().unwrap());
    assert!(folder.refused(1).contains("cannot use the database of runs"));
}

#[test]
fn trainings_side_by_side_are_all_noted() {
    let place = Place::new();
    let line = "train sample --max-features 100 --hidden none --epochs 1 -q";
    let children: Vec<_> = (0..6)
        .map(|i| {
            let line = format!("{line} -o {i}.slug");
            place.command(line.split_whitespace()).spawn().unwrap()
        })
        .collect();
    for child in children {
        Said::of(child.wait_with_output().unwrap()).ok();
    }
    assert_eq!(ids(&place.run("runs --format json").json()).len(), 6);
}
