use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::Connection;

use super::*;
use crate::runs::Runs;

/// What was said of `text` at a second, for the model `news`.
fn correction(text: &str, label: &str, second: u64) -> Correction {
    Correction {
        text: text.into(),
        labels: vec![label.into()],
        multi_label: false,
        answer: vec!["grain".into()],
        probability: Some(0.4),
        model: "news".into(),
        checksum: "c".into(),
        note: None,
        time: UNIX_EPOCH + Duration::from_secs(second),
    }
}

fn all(feedback: &Feedback, query: &Query) -> Vec<Stored> {
    let mut all = Vec::new();
    let each = |stored| {
        all.push(stored);
        Ok::<(), FeedbackError>(())
    };
    feedback.for_each(query, each).unwrap();
    all
}

fn ids(feedback: &Feedback, query: &Query) -> Vec<i64> {
    all(feedback, query).into_iter().map(|stored| stored.id).collect()
}

#[test]
fn what_is_kept_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/feedback.sqlite");
    assert!(Feedback::open_existing(&path).unwrap().is_none());
    let first = correction("Tin rose.", "metal", 1_700_000_000);
    let second = Correction {
        labels: vec!["metal".into(), "trade \"x\"".into()],
        multi_label: true,
        answer: Vec::new(),
        probability: None,
        note: Some("both, I think".into()),
        time: UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
        ..first.clone()
    };
    let none = Correction { labels: Vec::new(), ..second.clone() };
    let mut feedback = Feedback::open(&path).unwrap();
    let corrections = [first, second, none];
    for (id, correction) in (1..).zip(&corrections) {
        assert_eq!(feedback.add(correction).unwrap(), id);
    }
    drop(feedback);
    let feedback = Feedback::open_existing(&path).unwrap().unwrap();
    assert_eq!((feedback.path(), feedback.count().unwrap()), (path.as_path(), 3));
    let found = all(&feedback, &Query::default());
    assert_eq!(
        found.iter().map(|stored| &stored.correction).collect::<Vec<_>>(),
        corrections.each_ref()
    );
    assert_eq!(feedback.get(2).unwrap(), found[1]);
    let error = feedback.get(9).unwrap_err().to_string();
    assert!(error.starts_with("there is no correction 9 in "), "{error}");
}

#[test]
fn any_text_comes_back_and_is_told_from_its_like() {
    let folder = tempfile::tempdir().unwrap();
    let mut feedback = Feedback::open(folder.path().join("f")).unwrap();
    let long = "x".repeat(1 << 20);
    let texts = [
        "",
        " ",
        "a\0b",
        "a\0c",
        "a",
        "a\r\nb\n",
        "'; DROP TABLE corrections; --",
        "\u{1f33e}\u{200d}\u{fe0f}",
        "e\u{301}",
        "\u{e9}",
        "\u{1b}[2J\u{7}",
        "\u{feff}\u{ffff}\u{10ffff}",
        long.as_str(),
    ];
    for text in texts {
        feedback.add(&correction(text, text, 1)).unwrap_or_else(|error| {
            // A blank label is none.
            assert!(text.trim().is_empty(), "{text:?}: {error}");
            feedback.add(&correction(text, "x", 1)).unwrap()
        });
    }
    let query = Query { latest_only: true, ..Query::default() };
    let found = all(&feedback, &query);
    assert_eq!(
        found.iter().map(|stored| stored.correction.text.as_str()).collect::<Vec<_>>(),
        texts
    );
    for text in texts.into_iter().filter(|text| !text.trim().is_empty()) {
        let query = Query { label: Some(text.into()), ..Query::default() };
        assert_eq!(all(&feedback, &query)[0].correction.labels, [text]);
        assert_eq!(ids(&feedback, &query).len(), 1, "{text:?}");
    }
}

#[test]
fn the_last_word_on_a_text_counts() {
    let folder = tempfile::tempdir().unwrap();
    let mut feedback = Feedback::open(folder.path().join("f")).unwrap();
    feedback.add(&correction("a", "grain", 1)).unwrap();
    feedback.add(&correction("b", "metal", 2)).unwrap();
    feedback.add(&correction("a", "metal", 3)).unwrap();
    let other = Correction { model: "mood".into(), ..correction("a", "glad", 4) };
    feedback.add(&other).unwrap();
    let last = Query { latest_only: true, ..Query::default() };
    assert_eq!(ids(&feedback, &Query::default()), [1, 2, 3, 4]);
    assert_eq!(ids(&feedback, &last), [2, 3, 4]);
    let news = Query { model: Some("news".into()), ..last.clone() };
    assert_eq!(ids(&feedback, &news), [2, 3]);
    assert_eq!(ids(&feedback, &Query { newest_first: true, ..news.clone() }), [3, 2]);
    // What was taken back does not come back by its label.
    assert_eq!(ids(&feedback, &Query { label: Some("grain".into()), ..news }), [] as [i64; 0]);
    feedback.remove(&[3]).unwrap();
    assert_eq!(ids(&feedback, &last), [1, 2, 4]);
}

#[test]
fn corrections_are_filtered_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut feedback = Feedback::open(folder.path().join("f")).unwrap();
    assert_eq!((feedback.count().unwrap(), feedback.tallies().unwrap()), (0, Vec::new()));
    feedback.add(&correction("a", "grain", 1)).unwrap();
    feedback.add(&Correction { checksum: "d".into(), ..correction("b", "metal", 2) }).unwrap();
    let several = Correction {
        model: "mood".into(),
        multi_label: true,
        labels: vec!["glad".into(), "metal".into()],
        ..correction("c", "", 3)
    };
    feedback.add(&several).unwrap();
    let any = Query::default();
    assert_eq!(ids(&feedback, &Query { model: Some("mood".into()), ..any.clone() }), [3]);
    assert_eq!(ids(&feedback, &Query { checksum: Some("d".into()), ..any.clone() }), [2]);
    let since = Some(UNIX_EPOCH + Duration::from_secs(2));
    assert_eq!(ids(&feedback, &Query { since, ..any.clone() }), [2, 3]);
    let metal = Query { label: Some("metal".into()), ..any.clone() };
    assert_eq!(ids(&feedback, &metal), [2, 3]);
    assert_eq!(ids(&feedback, &Query { limit: Some(1), newest_first: true, ..metal }), [3]);
    assert_eq!(ids(&feedback, &Query { limit: Some(0), ..any }), [] as [i64; 0]);
    let tally = |model: &str, corrections, multi_label| Tally {
        model: model.into(),
        corrections,
        multi_label,
    };
    assert_eq!(feedback.tallies().unwrap(), [tally("mood", 1, true), tally("news", 2, false)]);
}

#[test]
fn labels_that_cannot_be_learned_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut feedback = Feedback::open(folder.path().join("f")).unwrap();
    let with = |labels: &[&str], multi_label| Correction {
        labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        multi_label,
        ..correction("a", "", 1)
    };
    for (labels, multi_label, wanted) in [
        (["a", "b"].as_slice(), false, "learns from one, not from 2"),
        (&[], false, "learns from one, not from 0"),
        (&[""], false, "a label is empty"),
        (&["a", " \t"], true, "a label is empty"),
    ] {
        let error = feedback.add(&with(labels, multi_label)).unwrap_err().to_string();
        assert!(error.starts_with("cannot keep the correction: "), "{error}");
        assert!(error.ends_with(wanted), "{error}");
    }
    assert_eq!(feedback.count().unwrap(), 0);
}

#[test]
fn corrections_are_removed_together_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let mut feedback = Feedback::open(folder.path().join("f")).unwrap();
    for second in 0..3 {
        feedback.add(&correction("a", "grain", second)).unwrap();
    }
    assert!(matches!(feedback.remove(&[1, 7]), Err(FeedbackError::Unknown { id: 7, .. })));
    assert_eq!(feedback.count().unwrap(), 3);
    feedback.remove(&[3, 1, 3]).unwrap();
    assert_eq!(ids(&feedback, &Query::default()), [2]);
    assert_eq!(
        feedback.add(&correction("a", "grain", 9)).unwrap(),
        4,
        "a number is not given again"
    );
}

#[test]
fn programs_that_write_at_the_same_time_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for second in 0..5 {
                    let mut feedback = Feedback::open(&path).unwrap();
                    feedback.add(&correction("a", "grain", second)).unwrap();
                }
            });
        }
    });
    let feedback = Feedback::open(&path).unwrap();
    assert_eq!(ids(&feedback, &Query::default()), (1..=40).collect::<Vec<i64>>());
}

#[test]
fn corrections_are_kept_while_others_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let mut writer = Feedback::open(&path).unwrap();
    for second in 0..3 {
        writer.add(&correction(&second.to_string(), "grain", second)).unwrap();
    }
    let reader = Feedback::open_existing(&path).unwrap().unwrap();
    for latest_only in [false, true] {
        let (before, mut seen) = (writer.count().unwrap(), 0);
        let each = |_| {
            seen += 1;
            writer.add(&correction(&format!("{latest_only} {seen}"), "grain", 9)).map(|_| ())
        };
        reader.for_each(&Query { latest_only, ..Query::default() }, each).unwrap();
        assert_eq!((seen, writer.count().unwrap()), (before, 2 * before));
    }
}

#[test]
fn reading_ends_where_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut feedback = Feedback::open(folder.path().join("f")).unwrap();
    for second in 0..3 {
        feedback.add(&correction("a", "grain", second)).unwrap();
    }
    let mut seen = 0;
    let read = feedback.for_each(&Query::default(), |stored| {
        seen += 1;
        match stored.id {
            2 => Err(Box::<dyn std::error::Error>::from("enough")),
            _ => Ok(()),
        }
    });
    assert_eq!((read.unwrap_err().to_string().as_str(), seen), ("enough", 2));
    feedback.add(&correction("a", "grain", 4)).unwrap();
}

/// Both ways to open a file, refused by the same words.
fn refused(path: &Path) -> String {
    let error = Feedback::open(path).unwrap_err().to_string();
    assert_eq!(Feedback::open_existing(path).unwrap_err().to_string(), error);
    error
}

#[test]
fn what_is_no_feedback_file_is_refused_and_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, "rubbish, and more of it than a header has").unwrap();
    assert!(refused(&path).contains("is no feedback file: file is not a database; move it away"));
    assert!(fs::read(&path).unwrap().starts_with(b"rubbish"));

    let other = folder.path().join("other");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(refused(&other).contains("it is the database of another program"));
    let runs = folder.path().join("runs");
    drop(Runs::open(&runs).unwrap());
    let before = fs::read(&runs).unwrap();
    assert!(refused(&runs).contains("it is the database of another program"));
    assert_eq!(fs::read(&runs).unwrap(), before);

    let newer = folder.path().join("newer");
    drop(Feedback::open(&newer).unwrap());
    Connection::open(&newer).unwrap().execute_batch("PRAGMA user_version = 2").unwrap();
    assert!(refused(&newer).contains("has version 2, and this is Slugline"));

    assert!(matches!(Feedback::open(folder.path()), Err(FeedbackError::Database { .. })));
    assert!(matches!(Feedback::open(path.join("below")), Err(FeedbackError::Folder { .. })));

    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    assert!(Feedback::open_existing(&empty).unwrap().is_none());
    Feedback::open(&empty).unwrap().add(&correction("a", "grain", 0)).unwrap();
}

#[test]
fn damage_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let mut feedback = Feedback::open(&path).unwrap();
    for second in 0..200 {
        feedback.add(&correction("a", "grain", second)).unwrap();
    }
    drop(feedback);
    let whole = fs::read(&path).unwrap();
    let mut damaged = whole.clone();
    damaged[4096..].fill(0xa5);
    fs::write(&path, damaged).unwrap();
    let error = Feedback::open(&path).unwrap().get(3).unwrap_err().to_string();
    assert!(error.contains("is no feedback file: database disk image is malformed"), "{error}");

    for damage in [
        "labels = 'x'",
        "labels = '[1]'",
        "answer = '{}'",
        "time = 9223372036854775807",
        "time = -1",
        "text = CAST(x'61ff' AS TEXT)",
    ] {
        fs::write(&path, &whole).unwrap();
        let sql = format!("UPDATE corrections SET {damage} WHERE id = 3");
        Connection::open(&path).unwrap().execute_batch(&sql).unwrap();
        let feedback = Feedback::open(&path).unwrap();
        assert!(matches!(feedback.get(3), Err(FeedbackError::Unusable { .. })), "{damage}");
        assert!(feedback.get(4).is_ok(), "{damage}");
        let read = feedback.for_each(&Query::default(), |_| Ok::<(), FeedbackError>(()));
        assert!(matches!(read, Err(FeedbackError::Unusable { .. })), "{damage}");
    }
}
