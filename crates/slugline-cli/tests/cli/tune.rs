//! `slugline tune`.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use serde_json::Value;

use super::{Place, Running};

/// Texts of two classes, some of which are under the wrong one.
fn place() -> Place {
    let place = Place::new();
    let mut text = String::from("text,label\n");
    for i in 0..120 {
        let (word, label) = [("wheat corn", "grain"), ("gold silver", "metal")][i % 2];
        let other = ["price rose", "price fell", "gold corn", "market day", "week"][i % 5];
        let label = if i % 17 == 0 { "grain" } else { label };
        writeln!(text, "{word} {other} {},{label}", i / 3).unwrap();
    }
    fs::write(place.path().join("news.csv"), text).unwrap();
    place
}

fn lines(place: &Place, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.path().join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_search_is_told_written_and_saved() {
    let place = place();
    let said = place.run("tune news.csv --trials 5 --folds 2 --seed 3");
    assert!(said.err.contains("trials go to news.trials.jsonl"), "{}", said.err);
    assert!(said.err.contains("on all documents"), "{}", said.err);
    let out = said.ok();
    for wanted in ["news.slug", "5 in ", "accuracy of 4 trainings", "best", "unlike `train`"] {
        assert!(out.contains(wanted), "{wanted} in {out}");
    }
    let trials = lines(&place, "news.trials.jsonl");
    assert_eq!((&trials[0]["documents"], &trials[0]["seed"]), (&120.into(), &3.into()));
    for trial in &trials[1..] {
        assert_eq!(trial["status"], "done", "{trial}");
        assert!(trial["scores"]["macro_f1"].is_number() && trial["settings"]["hidden"].is_number());
    }
    let model = place.run("inspect news.slug --format json").json();
    assert_eq!(
        model["provenance"]["command"],
        "slugline tune news.csv --trials 5 --folds 2 --seed 3"
    );
    assert_eq!(model["tune"]["tried"], 5);
    assert_eq!(model["calibration"]["kind"], "mixture");

    // All of it was known the second time.
    let again =
        place.run("tune news.csv --trials 5 --folds 2 --seed 3 --format json -o b.slug").json();
    assert_eq!(again["trainings"].as_u64().unwrap() as usize, trials.len() - 1);
    assert_eq!(again["known"], again["trainings"]);
    assert_eq!(again["search"], model["tune"]);
    assert_eq!(lines(&place, "news.trials.jsonl"), trials);
    let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(bytes("news.slug") == bytes("b.slug"));
    let [chosen, auto] =
        ["chosen", "auto"].map(|who| again["compared"][who]["mean"].as_f64().unwrap());
    assert!(chosen >= auto);
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let place = place();
    for threads in [1, 3] {
        let line = format!(
            "tune news.csv -q --trials 6 --folds 2 --metric log_loss --threads {threads} \
             --trials-file {threads}.jsonl -o {threads}.slug"
        );
        place.run(&line).ok();
    }
    let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(bytes("1.slug") == bytes("3.slug"));
    let settings = |name: &str| {
        let mut all: Vec<String> =
            lines(&place, name).iter().map(|line| line["key"].to_string()).collect();
        all.sort_unstable();
        all
    };
    assert_eq!(settings("1.jsonl"), settings("3.jsonl"));
}

/// Ends a search with a signal after it has written a few trainings; gives what it said.
#[cfg(unix)]
fn interrupted(place: &Place, signal: &str) -> (Option<i32>, String) {
    let line = "tune news.csv --trials 5000 --folds 2 -v -o cut.slug --trials-file cut.jsonl";
    let mut child = Running(place.command(line.split_whitespace()).spawn().unwrap());
    let mut err = BufReader::new(child.0.stderr.take().unwrap());
    let (mut talk, mut trainings) = (String::new(), 0);
    while trainings < 12 {
        let start = talk.len();
        assert!(err.read_line(&mut talk).unwrap() > 0, "{talk}");
        trainings += usize::from(talk[start..].starts_with("trial "));
    }
    let status = Command::new("kill").args([signal, &child.0.id().to_string()]).status().unwrap();
    assert!(status.success());
    err.read_to_string(&mut talk).unwrap();
    (child.0.wait().unwrap().code(), talk)
}

#[test]
#[cfg(unix)]
fn ctrl_c_trains_the_best_so_far() {
    let place = place();
    let (code, talk) = interrupted(&place, "-INT");
    assert_eq!(code, Some(0), "{talk}");
    let model = place.run("inspect cut.slug --format json").json();
    assert_eq!(model["stop_reason"], "completed");
    assert!(model["tune"]["tried"].as_u64().unwrap() < 5000);
}

#[test]
#[cfg(unix)]
fn a_search_that_was_killed_goes_on_with_the_same_result() {
    let place = place();
    let (code, _) = interrupted(&place, "-KILL");
    assert_eq!(code, None);
    assert!(!place.path().join("cut.slug").exists());
    let known = lines(&place, "cut.jsonl").len() - 1;
    assert!(known >= 12);
    let line = "tune news.csv -q --trials 20 --folds 2 --format json";
    let resumed = place.run(&format!("{line} --trials-file cut.jsonl -o a.slug")).json();
    assert!(resumed["known"].as_u64().unwrap() as usize >= known);
    let whole = place.run(&format!("{line} --trials-file whole.jsonl -o b.slug")).json();
    assert_eq!(whole["known"], 0);
    let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(bytes("a.slug") == bytes("b.slug"));
}

#[test]
fn what_does_not_fit_is_skipped_or_refused() {
    let place = place();
    let refused = place.run("tune news.csv -q --trials 4 --memory 10k").refused(1);
    assert!(refused.contains("bytes of memory"), "{refused}");
    let line = "tune news.csv --trials 24 --folds 2 --format json --threads 1";
    place.run(&format!("{line} -q --trials-file all.jsonl")).ok();
    let needed = lines(&place, "all.jsonl").into_iter().filter_map(|line| line["memory"].as_u64());
    // Room for half of the largest.
    let limit = needed.max().unwrap() / 2;
    let said = place.run(&format!("{line} --trials-file t.jsonl --memory {limit}"));
    assert!(said.err.contains("skipped: it needs "), "{}", said.err);
    let report = said.json();
    assert!(report["skipped"].as_u64().unwrap() > 0);
    let skipped = lines(&place, "t.jsonl").into_iter().find(|line| line["status"] == "skipped");
    assert_eq!(skipped.unwrap()["limit"], limit);
}

#[test]
fn trials_of_other_data_are_left_alone() {
    let place = place();
    place.run("tune news.csv -q --trials 3 --folds 2").ok();
    let before = lines(&place, "news.trials.jsonl");
    for (line, wanted) in [
        ("tune news.csv -q --trials 3 --folds 3", "expected folds: 3, found 2"),
        ("tune news.csv -q --trials 3 --folds 2 --seed 1", "expected seed 1, found 0"),
        ("tune sample -q --trials 3 --folds 2 --trials-file news.trials.jsonl", "expected data:"),
    ] {
        let refused = place.run(line).refused(1);
        assert!(refused.contains(wanted), "{refused}");
        assert!(refused.contains("name another trials file, or remove this one"), "{refused}");
    }
    assert_eq!(lines(&place, "news.trials.jsonl"), before);
}

const SWEEP: &str = "tune sample --sweep max-features=500 --sweep epochs=2";

#[test]
fn a_sweep_compares_every_point_with_every_seed() {
    let place = Place::new();
    let said = place.run(&format!("{SWEEP} --sweep hidden=8x2,8 --sweep dropout=0,0.5 --seeds 2"));
    assert!(said.err.contains("hidden 8x2, dropout 0.5: accuracy 0."), "{}", said.err);
    let out = said.ok();
    let header = out.lines().next().unwrap();
    let words: Vec<&str> = header.split_whitespace().collect();
    assert_eq!(words[..4], ["hidden", "dropout", "parameters", "accuracy"]);
    assert_eq!(out.lines().count(), 5, "{out}");
    assert_eq!(out.matches("best").count(), 2, "{out}");
    assert!(fs::read_dir(place.path()).unwrap().next().is_none(), "nothing is saved");

    let line =
        format!("{SWEEP} --sweep hidden=4,16 --seeds 3 -q --format json --plot p.svg -o best.slug");
    let report = place.run(&line).json();
    assert_eq!(report["seeds"], serde_json::json!([0, 1, 2]));
    let points = report["points"].as_array().unwrap();
    assert_eq!(points.len(), 2);
    for (point, hidden) in points.iter().zip([4, 16]) {
        assert_eq!(point["settings"][2], serde_json::json!(["hidden", hidden.to_string()]));
        assert_eq!(point["parameters"], 500 * hidden + hidden + hidden * 46 + 46);
        let runs = point["runs"].as_array().unwrap();
        let accuracies: Vec<f64> =
            runs.iter().map(|run| run["val_accuracy"].as_f64().unwrap()).collect();
        let mean = accuracies.iter().sum::<f64>() / 3.0;
        assert!((point["val_accuracy"]["mean"].as_f64().unwrap() - mean).abs() < 1e-12);
        assert!(point["val_accuracy"]["std"].as_f64().unwrap() > 0.0);
    }
    assert_eq!(report["best"], 1);
    assert!(fs::read_to_string(place.path().join("p.svg")).unwrap().contains("validation loss"));

    // A run of it is the same as that of `train`.
    let train = "train sample -q --format json --max-features 500 --epochs 2 --hidden 16 --seed 1";
    let trained = place.run(train).json();
    let accuracies = super::numbers(&trained["history"]["val_accuracy"]);
    let best = accuracies.into_iter().fold(0.0, f64::max);
    assert_eq!(points[1]["runs"][1]["val_accuracy"], best);
    let model = place.run("inspect best.slug --format json").json();
    assert_eq!(model["settings"]["hidden"], serde_json::json!([16]));
    let command = model["provenance"]["command"].as_str().unwrap();
    place.run(&format!("{} -q -o again.slug", command.strip_prefix("slugline ").unwrap())).ok();
    let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
    assert!(bytes("best.slug") == bytes("again.slug"), "{command}");
}

#[test]
fn a_sweep_of_files_and_a_plot_in_dots() {
    let place = place();
    let line = "tune news.csv --sweep hidden=none,4 --sweep epochs=3 --sweep validation=0.2 \
        --plot p.png --theme dark --metric log_loss";
    let out = place.run(line).ok();
    assert!(out.contains("none") && out.contains("plot: p.png"), "{out}");
    assert!(fs::read(place.path().join("p.png")).unwrap().starts_with(b"\x89PNG"));
}

#[test]
fn wrong_arguments_are_refused() {
    let place = place();
    for (line, wanted) in [
        ("tune news.csv --time 5x", "1h30m"),
        ("tune news.csv --time 0", "1h30m"),
        ("tune news.csv --trials 0", "--trials"),
        ("tune news.csv --folds 1", "--folds"),
        ("tune news.csv --metric f1", "macro_f1"),
        ("tune news.csv --memory lots", "512M"),
        ("tune news.csv --seeds 3", "--sweep"),
        ("tune news.csv --plot a.svg", "--sweep"),
        ("tune news.csv --sweep hidden=4 --time 5m", "--time"),
        ("tune news.csv --sweep hidden", "NAME=VALUE"),
        ("tune news.csv --sweep hiden=4", "unknown option `hiden`; known are max-features, hidden"),
        ("tune news.csv --sweep hidden=4 --sweep hidden=8", "hidden is swept twice"),
        ("tune news.csv --sweep hidden=4,x", "hidden x: invalid value"),
        ("tune news.csv --sweep optimizer=adam --sweep rho=0.5", "no meaning for --optimizer adam"),
        ("tune news.csv --sweep hidden=4 --sweep validation=none", "held out"),
        ("tune news.csv --sweep hidden=4 --metric macro_f1", "use accuracy, micro_f1 or log_loss"),
        (
            "tune news.csv --sweep hidden=4 --sweep validation=0.2,held.csv",
            "validation held.csv: a sweep",
        ),
    ] {
        let said = place.run(line);
        assert_eq!(said.code, Some(2), "{line}: {}", said.err);
        assert!(said.err.contains(wanted), "{line}: {}", said.err);
        assert_eq!(said.out, "", "{line}");
    }
    let refused = place.run("tune news.csv --sweep hidden=4 --plot a.gif").refused(1);
    assert!(refused.contains("ends in .svg or .png"), "{refused}");
    let refused = place.run("tune news.csv --trials 2 -o none/m.slug").refused(1);
    assert!(refused.contains("there is no folder none"), "{refused}");
    let left: Vec<_> =
        fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["news.csv"]);
}

#[test]
fn the_data_are_not_written_over() {
    let place = place();
    fs::copy(place.path().join("news.csv"), place.path().join("news.svg")).unwrap();
    for line in [
        "news.csv --trials 2 -o news.csv",
        "news.csv --trials 2 --trials-file ./news.csv",
        "news.csv --sweep hidden=2,4 -o news.csv",
        "news.svg --sweep hidden=2,4 --plot news.svg",
    ] {
        let err = place.run(&format!("tune {line}")).refused(1);
        assert!(err.contains("which is the data that is read"), "{line}: {err}");
    }
}
