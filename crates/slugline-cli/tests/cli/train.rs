//! `slugline train`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Place, Running, SMALL, Said, numbers};

fn small(more: &str) -> String {
    format!("train sample {} {more}", SMALL.join(" "))
}

#[test]
fn results_go_to_one_stream_and_epochs_to_the_other() {
    let place = Place::new();
    let said = place.run(&small("--seed 1"));
    let lines: Vec<&str> = said.err.lines().collect();
    assert!(lines[0].contains("Generated newswires, not real news"), "{}", said.err);
    for (i, line) in lines[1..4].iter().enumerate() {
        assert!(line.starts_with(&format!("epoch {}/3   loss ", i + 1)), "{line}");
        assert!(line.contains("   val_accuracy 0."), "{line}");
        assert!(line.contains("   lr 0.001   ") && line.ends_with("/s"), "{line}");
    }
    assert_eq!(lines[4].trim(), "loss", "{}", said.err);
    assert_eq!(said.err.matches("┤").count(), 2, "{}", said.err);
    assert!(said.err.contains("▲ lowest validation loss, epoch 3"), "{}", said.err);
    assert!(!said.err.contains("has risen"), "{}", said.err);
    let out = said.ok();
    for wanted in ["sample.slug", "7,800 to train, 1,000 to validate", "3 in ", "best epoch"] {
        assert!(out.contains(wanted), "{out}");
    }
    assert!(place.path().join("sample.slug").is_file());

    let quiet = place.run(&small("-q"));
    assert_eq!(quiet.err, "");
    assert!(!quiet.ok().is_empty());

    let short = place.run(&small("").replace("--epochs 3", "--epochs 2"));
    assert!(!short.err.contains('┤') && short.err.lines().count() == 3, "{}", short.err);
    assert!(!place.run(&small("--format json")).err.contains('┤'));
}

#[test]
fn json_holds_the_stable_fields() {
    let place = Place::new();
    let report = place.run(&small("-o m.slug --seed 7 --format json")).json();
    assert_eq!(report["model"], "m.slug");
    assert_eq!(report["data"], "sample");
    assert_eq!(report["seed"], 7);
    assert_eq!(
        report["command"],
        "slugline train sample --preset notebook --max-features 2000 --hidden 16 --epochs 3 --seed 7"
    );
    assert_eq!(report["samples"], serde_json::json!({"train": 7800, "validation": 1000}));
    assert_eq!(report["epochs"], 3);
    assert_eq!(report["best_epoch"], 3);
    assert_eq!(report["stop_reason"], "completed");
    assert_eq!(report["parameters"], 2000 * 16 + 16 + 16 * 46 + 46);
    assert!(report["fit_seconds"].as_f64().unwrap() > 0.0);
    let history = &report["history"];
    for key in ["loss", "accuracy", "val_loss", "val_accuracy"] {
        assert_eq!(numbers(&history[key]).len(), 3, "{key}");
    }
    let loss = numbers(&history["loss"]);
    assert!(loss[2] < loss[0]);

    let unvalidated = place.run(&small("--validation none --format json -q")).json();
    assert_eq!(unvalidated["samples"], serde_json::json!({"train": 8800, "validation": 0}));
    assert!(unvalidated["history"]["val_loss"].is_null());
    assert!(unvalidated["history"]["val_accuracy"].is_null());
    assert_eq!(unvalidated["best_epoch"], 3);
}

#[test]
fn one_seed_gives_one_file_on_any_threads_and_kernels() {
    let place = Place::new();
    let train = |name: &str, more: &str, cpu: Option<&str>| {
        let line = small(&format!("-q -o {name} {more}"));
        let mut command = place.command(line.split_whitespace());
        command.envs(cpu.map(|cpu| ("SLUGLINE_CPU", cpu)));
        Said::of(command.output().unwrap()).ok();
        fs::read(place.path().join(name)).unwrap()
    };
    let first = train("a.slug", "--seed 3", None);
    for (name, more, cpu) in [
        ("b.slug", "--seed 3", None),
        ("c.slug", "--seed 3 --threads 1 --format json", None),
        ("d.slug", "--seed 3 --threads 3 --offline --batch-size 512", None),
        ("e.slug", "--seed 3", Some("portable")),
    ] {
        assert!(train(name, more, cpu) == first, "{name} differs");
    }
    assert!(train("f.slug", "--seed 4", None) != first);
}

#[test]
fn the_file_is_the_same_to_the_byte_for_any_number_of_threads() {
    let place = Place::new();
    // Layers wide enough to be divided among threads, and a batch that ends within a block.
    for more in [
        "--hidden 64,64",
        "--hidden 100 --optimizer adam --dropout 0.2 --batch-size 100",
        "--hidden 64 --l2 0.001 --class-weight balanced --validation 0.2",
    ] {
        let files: Vec<Vec<u8>> = [1, 2, 3, 8]
            .map(|threads| {
                let line = format!(
                    "train sample -q -o x.slug --max-features 500 --epochs 2 --threads {threads} {more}"
                );
                place.run(&line).ok();
                fs::read(place.path().join("x.slug")).unwrap()
            })
            .into();
        assert!(files.windows(2).all(|pair| pair[0] == pair[1]), "{more}");
    }
}

#[test]
fn every_optimizer_and_loss_trains() {
    let place = Place::new();
    for more in [
        "--optimizer sgd --learning-rate 0.1 --momentum 0.9 --nesterov --schedule linear",
        "--optimizer adagrad --learning-rate 0.1 --loss sparse_categorical_crossentropy",
        "--optimizer adam --schedule cosine --dropout 0.2 --activation gelu",
        "--optimizer adamw --weight-decay 0.01 --sparse-rule lazy --class-weight balanced",
        "--epsilon-placement inside --loss binary_crossentropy --label-smoothing 0.1",
        "--loss mean_squared_error --l1 0.00001 --l2 0.0001 --validation 0.2",
    ] {
        let line = format!(
            "train sample -q --format json -o x.slug --max-features 300 --hidden 8 --epochs 2 {more}"
        );
        let report = place.run(&line).json();
        let loss = numbers(&report["history"]["loss"]);
        assert!(loss[1] < loss[0], "{more}: {loss:?}");
        // The record names everything that was asked for, in its own order.
        let command = report["command"].as_str().unwrap();
        for word in more.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(command.contains(word), "{word} in {command}");
        }
        let again = command.strip_prefix("slugline ").unwrap();
        place.run(&format!("{again} -q -o y.slug")).ok();
        let bytes = |name: &str| fs::read(place.path().join(name)).unwrap();
        assert!(bytes("x.slug") == bytes("y.slug"), "{command}");
    }
}

#[test]
fn patience_stops_and_goes_back() {
    let place = Place::new();
    let line =
        small("-q --format json --epochs 60 --patience 1 --optimizer adam --learning-rate 0.02");
    // The last of two equal arguments would be an error: take the small network's epochs away.
    let report = place.run(&line.replacen("--epochs 3 ", "", 1)).json();
    assert_eq!(report["stop_reason"], "stopped");
    let epochs = report["epochs"].as_u64().unwrap();
    assert_eq!(report["best_epoch"].as_u64().unwrap(), epochs - 1);
}

#[test]
fn a_validation_loss_that_turns_is_told_once_and_truly() {
    let place = Place::new();
    let line = "train sample --max-features 2000 --hidden 16 --optimizer adam --learning-rate 0.02 \
        --epochs 12";
    let said = place.run(line).err;
    let turn = said.lines().find(|line| line.contains("has risen since to")).unwrap();
    assert!(turn.starts_with("validation loss was lowest after epoch "), "{turn}");
    assert!(
        turn.contains(", while training loss fell: the network overfits; `--epochs "),
        "{turn}"
    );
    assert!(turn.ends_with("makes the better model"), "{turn}");

    // With patience the model is the better one already.
    let said = place.run(&format!("{line} --patience 3")).err;
    let turn = said.lines().find(|line| line.contains("has risen since to")).unwrap();
    assert!(turn.contains("; the model has the weights of epoch "), "{turn}");
    assert!(!turn.contains("--epochs"), "{turn}");
}

#[test]
fn a_run_that_diverges_keeps_the_last_good_epoch() {
    let place = Place::new();
    // The penalty multiplies the weights by -19 at each step.
    let line = "train sample -o d.slug --max-features 500 --hidden none --optimizer sgd \
        --learning-rate 0.1 --l2 100";
    let said = place.run(line);
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("error: training diverged: the loss was"), "{}", said.err);
    assert!(said.err.contains("Lower the learning rate"), "{}", said.err);
    assert!(said.err.contains("is saved as d.slug"), "{}", said.err);
    let report = place.run("inspect d.slug --format json").json();
    assert_eq!(report["stop_reason"], "diverged");
    assert!(report["epochs"].as_u64().unwrap() >= 1);
}

/// Starts an endless run and waits until it has finished an epoch.
#[cfg(unix)]
fn endless(place: &Place) -> (Running, impl Read + use<>) {
    let line =
        "train sample -o i.slug --max-features 500 --hidden 8 --epochs 1000000 --format json";
    let mut child = Running(place.command(line.split_whitespace()).spawn().unwrap());
    let mut err = BufReader::new(child.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("epoch") {
        line.clear();
        assert!(err.read_line(&mut line).unwrap() > 0, "ended before its first epoch");
    }
    (child, err)
}

#[cfg(unix)]
fn signal(child: &Running, name: &str) {
    let status = Command::new("kill").args([name, &child.0.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_was_reached() {
    let place = Place::new();
    let (mut child, mut err) = endless(&place);
    signal(&child, "-INT");
    let (mut out, mut talk) = (String::new(), String::new());
    err.read_to_string(&mut talk).unwrap();
    child.0.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert_eq!(child.0.wait().unwrap().code(), Some(0), "{talk}");
    assert!(talk.contains("what was reached is saved"), "{talk}");

    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["stop_reason"], "interrupted");
    let epochs = report["epochs"].as_u64().unwrap();
    assert!(epochs >= 1 && numbers(&report["history"]["loss"]).len() as u64 == epochs);
    let kept = place.run("inspect i.slug --format json").json();
    assert_eq!(kept["epochs"].as_u64(), Some(epochs));
    assert_eq!(place.run("predict i.slug --text wheat -k 1").ok().lines().count(), 1);
}

#[test]
#[cfg(unix)]
fn a_request_to_terminate_keeps_it_too() {
    let place = Place::new();
    let (mut child, mut err) = endless(&place);
    signal(&child, "-TERM");
    err.read_to_string(&mut String::new()).unwrap();
    let start = Instant::now();
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(place.path().join("i.slug").is_file());
}

#[test]
fn an_older_model_is_replaced_and_a_failed_run_leaves_it() {
    let place = Place::new();
    let path = place.path().join("m.slug");
    fs::write(&path, "older").unwrap();
    place.run(&small("-q -o m.slug --validation 8800")).refused(1);
    assert_eq!(fs::read(&path).unwrap(), b"older");
    place.run(&small("-q -o m.slug")).ok();
    assert!(fs::metadata(&path).unwrap().len() > 1000);
    let left: Vec<_> =
        fs::read_dir(place.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["m.slug"]);
}
