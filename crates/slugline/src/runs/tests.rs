use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::nn::StopReason;

fn entry(data: &str, started: u64, scores: &[(&str, f64)]) -> Entry {
    Entry {
        started: UNIX_EPOCH + Duration::from_millis(started),
        duration: Duration::from_millis(1500),
        command: format!("slugline train {data}"),
        settings: json!({"epochs": 3, "hidden": [4]}),
        data: data.into(),
        fingerprint: "f".into(),
        train_samples: 8,
        validation_samples: 2,
        epochs: 3,
        best_epoch: 2,
        stop_reason: StopReason::Stopped,
        scores: scores.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect(),
        model: "/models/x.slug".into(),
        checksum: "c".into(),
        version: "0.1.0".into(),
        seed: u64::MAX,
    }
}

fn ids(runs: &Runs, query: &Query) -> Vec<i64> {
    runs.list(query).unwrap().into_iter().map(|run| run.id).collect()
}

#[test]
fn what_is_noted_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/runs.sqlite");
    assert!(Runs::open_existing(&path).unwrap().is_none());
    let first = entry("news", 1_700_000_000_123, &[("val_loss", 0.5), ("accuracy", 0.25)]);
    let id = Runs::open(&path).unwrap().add(&first).unwrap();
    let runs = Runs::open_existing(&path).unwrap().unwrap();
    assert_eq!(runs.get(id).unwrap(), Run { id, entry: first.clone() });
    assert_eq!(first.score("accuracy"), Some(0.25));
    let error = runs.get(9).unwrap_err().to_string();
    assert!(error.starts_with("there is no run 9 in "), "{error}");
}

#[test]
fn runs_are_filtered_and_put_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(folder.path().join("runs")).unwrap();
    for (data, started, scores) in [
        ("a", 1000, [("loss", 0.5), ("accuracy", 0.5)].as_slice()),
        ("b", 2000, &[("loss", 0.25)]),
        ("a", 3000, &[("loss", 1.0), ("accuracy", 0.75)]),
    ] {
        runs.add(&entry(data, started, scores)).unwrap();
    }
    let all = Query::default();
    assert_eq!(ids(&runs, &all), [3, 2, 1]);
    assert_eq!(ids(&runs, &Query { data: Some("a".into()), ..all.clone() }), [3, 1]);
    let since = Some(UNIX_EPOCH + Duration::from_secs(2));
    assert_eq!(ids(&runs, &Query { since, ..all.clone() }), [3, 2]);
    assert_eq!(ids(&runs, &Query { limit: Some(1), ..all.clone() }), [3]);
    let by = |name: &str| Query { sort: Sort::Score(name.into()), ..Query::default() };
    assert_eq!(ids(&runs, &by("loss")), [2, 1, 3]);
    assert_eq!(ids(&runs, &by("accuracy")), [3, 1, 2]);
    assert_eq!(ids(&runs, &by("\"' nothing")), [3, 2, 1]);
    assert_eq!(ids(&runs, &Query { sort: Sort::Duration, ..all }), [3, 2, 1]);
}

#[test]
fn runs_are_removed_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = Runs::open(folder.path().join("runs")).unwrap();
    for started in 0..3 {
        runs.add(&entry("a", started, &[])).unwrap();
    }
    assert!(matches!(runs.remove(&[1, 7]), Err(RunsError::Unknown { id: 7, .. })));
    assert_eq!(ids(&runs, &Query::default()).len(), 3);
    runs.remove(&[3, 1, 3]).unwrap();
    assert_eq!(ids(&runs, &Query::default()), [2]);
    assert_eq!(runs.add(&entry("a", 9, &[])).unwrap(), 4, "a number is not given again");
}

#[test]
fn programs_that_note_at_the_same_time_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for started in 0..5 {
                    Runs::open(&path).unwrap().add(&entry("a", started, &[])).unwrap();
                }
            });
        }
    });
    assert_eq!(ids(&Runs::open(&path).unwrap(), &Query::default()).len(), 40);
}

/// Both ways to open a file, refused by the same words.
fn refused(path: &Path) -> String {
    let error = Runs::open(path).unwrap_err().to_string();
    assert_eq!(Runs::open_existing(path).unwrap_err().to_string(), error);
    error
}

#[test]
fn what_is_no_database_of_runs_is_refused_and_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs");
    fs::write(&path, "rubbish, and more of it than a header has").unwrap();
    assert!(refused(&path).contains("no database of runs: file is not a database; move it away"));
    assert!(fs::read(&path).unwrap().starts_with(b"rubbish"));

    let other = folder.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(refused(&other).contains("it is the database of another program"));

    let newer = folder.path().join("newer");
    drop(Runs::open(&newer).unwrap());
    Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    assert!(refused(&newer).contains("has version 2, and this is Slugline"));

    assert!(matches!(Runs::open(folder.path()), Err(RunsError::Database { .. })));
    assert!(matches!(Runs::open(path.join("below")), Err(RunsError::Folder { .. })));

    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    assert!(Runs::open_existing(&empty).unwrap().is_none());
    Runs::open(&empty).unwrap().add(&entry("a", 0, &[])).unwrap();
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("runs");
    let mut runs = Runs::open(&path).unwrap();
    for started in 0..200 {
        runs.add(&entry("a", started, &[])).unwrap();
    }
    drop(runs);
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[4096..].fill(0xa5);
    fs::write(&path, damaged).unwrap();
    let error = Runs::open(&path).unwrap().list(&Query::default()).unwrap_err().to_string();
    assert!(error.contains("is no database of runs: database disk image is malformed"), "{error}");

    for damage in [
        "scores = 'x'",
        "started = 9223372036854775807",
        "started = -1",
        "seconds = -1",
        "seconds = 1e300",
        "epochs = -1",
    ] {
        fs::write(&path, &whole).unwrap();
        let sql = format!("UPDATE runs SET {damage} WHERE id = 3");
        Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        let runs = Runs::open(&path).unwrap();
        assert!(matches!(runs.get(3), Err(RunsError::Unusable { .. })), "{damage}");
        assert!(runs.get(4).is_ok(), "{damage}");
    }
}

#[test]
fn the_place_is_named_or_the_platforms() {
    let folder = Some(PathBuf::from("/data"));
    assert_eq!(place_of(None, folder.clone()).unwrap(), Path::new("/data/runs.sqlite"));
    assert_eq!(place_of(Some("".into()), folder.clone()).unwrap(), Path::new("/data/runs.sqlite"));
    assert_eq!(place_of(Some("x.db".into()), folder).unwrap(), Path::new("x.db"));
    assert!(place_of(None, None).unwrap_err().to_string().contains("SLUGLINE_RUNS"));
}
