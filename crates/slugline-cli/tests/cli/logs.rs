//! `slugline train --log-csv`.

use std::fs;

use super::files::tickets;
use super::{Place, numbers};

/// The rows of a log as numbers, without its header.
fn rows(text: &str) -> Vec<Vec<f64>> {
    let row = |line: &str| line.split(',').map(|value| value.parse().unwrap()).collect();
    text.lines().skip(1).map(row).collect()
}

#[test]
fn a_row_an_epoch_has_the_values_of_the_history() {
    let place = Place::new();
    let line = "train sample --max-features 500 --hidden 8 --epochs 3 --format json -o m.slug";
    let report = place.run(&format!("{line} --log-csv log.csv")).json();
    let text = fs::read_to_string(place.path().join("log.csv")).unwrap();
    assert!(
        text.starts_with("epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n"),
        "{text}"
    );
    let rows = rows(&text);
    for (column, key) in [(1, "accuracy"), (3, "loss"), (4, "val_accuracy"), (5, "val_loss")] {
        let values: Vec<f64> = rows.iter().map(|row| row[column]).collect();
        assert_eq!(values, numbers(&report["history"][key]), "{key}");
    }
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    // The log is none of the model's settings.
    let with = fs::read(place.path().join("m.slug")).unwrap();
    place.run(line).ok();
    assert!(fs::read(place.path().join("m.slug")).unwrap() == with);

    // Of `auto` it is the last training; a second run begins anew.
    place.run("train sample -q --log-csv log.csv").ok();
    let text = fs::read_to_string(place.path().join("log.csv")).unwrap();
    assert!(text.starts_with("epoch,accuracy,learning_rate,loss\n1,"), "{text}");
}

#[test]
fn the_columns_for_any_number_of_labels_are_those_of_the_help() {
    let place = Place::new();
    let rows = "text,label\n".to_owned()
        + &"wheat rose,grain\ngold fell,metal\ntin and corn,grain|metal\n".repeat(10);
    fs::write(place.path().join("news.csv"), rows).unwrap();
    let line = "train news.csv --label-separator | --preset text --epochs 2 -q -o m.slug";
    place.run(&format!("{line} --log-csv log.csv")).ok();
    let text = fs::read_to_string(place.path().join("log.csv")).unwrap();
    let header = text.lines().next().unwrap();
    let help = place.run("train --help").ok();
    assert!(help.contains(&format!("`{header}`")), "{header}");
}

#[test]
#[cfg(unix)]
fn a_run_that_is_killed_and_goes_on_has_every_row_once() {
    use std::time::{Duration, Instant};

    use super::Running;

    let place = Place::new();
    let line = "train sample --max-features 800 --epochs 40 -q -o m.slug";
    place.run(&format!("{line} --log-csv whole.csv")).ok();
    let line = format!("{line} --log-csv log.csv --resume --checkpoint-every 0");
    let log = place.path().join("log.csv");
    let length = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    for rows in [5, 15] {
        let mut child = Running(place.command(line.split_whitespace()).spawn().unwrap());
        let start = Instant::now();
        while length() < rows && child.0.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < Duration::from_secs(60), "no rows");
            std::thread::sleep(Duration::from_millis(1));
        }
        child.0.kill().unwrap();
        child.0.wait().unwrap();
    }
    place.run(&line).ok();
    let text = |name: &str| fs::read_to_string(place.path().join(name)).unwrap();
    assert_eq!(text("log.csv"), text("whole.csv"));
}

#[test]
fn nothing_that_is_read_is_written() {
    let place = Place::new();
    let small = "--max-features 300 --hidden none --epochs 2 -q";
    // A corpus by its name is no file.
    place.run(&format!("train sample -o b1.slug --log-csv sample {small}")).ok();
    for name in ["data", "held", "old"] {
        fs::write(place.path().join(format!("{name}.csv")), tickets(30)).unwrap();
    }
    fs::write(place.path().join("weights.csv"), "billing,2\nlogin,1\ndelivery,1\n").unwrap();
    for (target, read) in [
        ("--log-csv b1.slug", "the model"),
        ("--log-csv data.csv", "the data"),
        ("--log-csv ./old.csv", "the old data"),
        ("-o data.csv", "the data"),
        ("-o old.csv", "the old data"),
    ] {
        let line = format!("train data.csv --from b1.slug --replay old.csv {target}");
        let error = place.run(&line).refused(1);
        assert!(error.contains(&format!("which is {read} that is read")), "{line}: {error}");
    }
    for (target, read) in [
        ("--log-csv held.csv", "the validation data"),
        ("-o held.csv", "the validation data"),
        ("--log-csv weights.csv", "the class weights"),
        ("--tensorboard .", "the data"),
    ] {
        let from = if target.ends_with('.') { "." } else { "d*.csv" };
        let line = format!(
            "train {from} --validation held.csv --class-weight weights.csv {small} {target}"
        );
        let error = place.run(&line).refused(1);
        assert!(error.contains(&format!("which is {read} that is read")), "{line}: {error}");
    }
    let error = place.run("train sample --log-csv ./sample.slug").refused(2);
    assert!(error.contains("--log-csv ./sample.slug is the model"), "{error}");
    for name in ["data", "held", "old"] {
        assert_eq!(
            fs::read_to_string(place.path().join(format!("{name}.csv"))).unwrap(),
            tickets(30)
        );
    }
    place.run("inspect b1.slug").ok();
    place.run("train data.csv --from b1.slug -o b1.slug -q").ok();
}

#[test]
#[cfg(target_os = "linux")]
fn a_log_that_cannot_be_written_ends_no_training() {
    let place = Place::new();
    let line = "train sample --max-features 300 --hidden none --epochs 2 -o m.slug";
    let said = place.run(&format!("{line} --log-csv /dev/full"));
    assert!(said.err.contains("cannot write the log /dev/full: No space left"), "{}", said.err);
    assert!(said.err.contains("the training went on without"), "{}", said.err);
    said.ok();
    fs::write(place.path().join("file"), "").unwrap();
    let error = place.run(&format!("{line} --tensorboard file")).refused_after_talk();
    assert!(error.contains("cannot write the log file"), "{error}");
}
