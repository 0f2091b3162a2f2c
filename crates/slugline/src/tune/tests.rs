//! The search as a whole, on small texts.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::corpus::Labels;

/// Texts of three classes whose words overlap, so that no settings are always right.
fn documents() -> Documents {
    let mut documents = Documents::new(["grain", "metal", "money"].map(String::from).to_vec());
    let words = [
        ["wheat", "corn", "harvest", "barley", "fell", "price"],
        ["gold", "silver", "mine", "ounce", "rose", "price"],
        ["bank", "dollar", "rate", "yen", "fell", "rose"],
    ];
    let mut state = 1_u32;
    let mut draw = |n: usize| {
        // The generator of Numerical Recipes; any will do.
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as usize % n
    };
    for i in 0..150 {
        let class = i % 3;
        let text: Vec<&str> = (0..5)
            .map(|_| {
                let of = if draw(10) < 6 { class } else { draw(3) };
                words[of][draw(6)]
            })
            .collect();
        documents.push(&text.join(" "), class as u32);
    }
    documents
}

fn options(file: Option<&Path>) -> TuneOptions {
    TuneOptions {
        trials: Some(9),
        folds: 3,
        seed: 5,
        threads: 1,
        trials_file: file.map(Path::to_path_buf),
        ..TuneOptions::default()
    }
}

fn search(options: &TuneOptions) -> Tuned {
    tune(&documents(), "news", options, &|| false, &|_| {}, &mut []).unwrap()
}

/// Everything about a search but its times.
fn bare(tuned: &Tuned) -> (Vec<Trial>, usize, usize, usize) {
    let mut trials = tuned.trials.clone();
    trials.iter_mut().flat_map(|trial| &mut trial.runs).for_each(|run| run.seconds = 0.0);
    (trials, tuned.chosen, tuned.auto, tuned.compared_by)
}

fn bytes(classifier: &Classifier) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.slug");
    classifier.save(&path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn the_result_is_the_same_for_any_number_of_threads() {
    let one = search(&options(None));
    for threads in [2, 5] {
        let many = search(&TuneOptions { threads, ..options(None) });
        assert_eq!(bare(&one), bare(&many));
        assert!(bytes(&one.classifier) == bytes(&many.classifier));
    }
    let other = search(&TuneOptions { seed: 6, ..options(None) });
    assert_ne!(bare(&one).0, bare(&other).0);
}

#[test]
fn the_chosen_is_no_worse_than_auto_and_trained_on_all() {
    for metric in Metric::ALL {
        let tuned = search(&TuneOptions { metric, ..options(None) });
        assert_eq!((tuned.trials.len(), tuned.stopped), (9, Stopped::Trials));
        let [chosen, auto] = [tuned.chosen, tuned.auto].map(|n| tuned.compared(n, metric).mean);
        assert_ne!(metric.order(chosen, auto), std::cmp::Ordering::Less);
        assert!(tuned.trials[tuned.auto].recipe);
        let record = tuned.classifier.record();
        assert_eq!(record.corpus.train_samples, 150);
        let search = record.tune.as_ref().unwrap();
        assert_eq!((search.tried, search.chosen, search.metric), (9, tuned.chosen, metric));
        assert_eq!(search.trials[0].trial, tuned.chosen);
        assert!(search.trials.iter().all(|t| t.trainings >= 3));
        assert_eq!(Some(tuned.classifier.calibration()), tuned.trials[tuned.chosen].calibration());
    }
}

#[test]
fn a_search_that_was_cut_short_goes_on_with_the_same_result() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.jsonl");
    let whole = search(&options(Some(&path)));
    let written = fs::read(&path).unwrap();
    let lines = written.split(|&byte| byte == b'\n').count() - 1;
    // As a process that was killed leaves it: whole lines, and for odd cuts half of one.
    for cut in [1, 3, 7, lines - 2] {
        let end = written.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(cut - 1);
        let end = end.unwrap().0 + 1 + if cut % 2 == 1 { 40 } else { 0 };
        fs::write(&path, &written[..end]).unwrap();
        let torn = AtomicUsize::new(0);
        let tell = |event: TuneEvent<'_>| {
            if let TuneEvent::Opened { torn: true, .. } = event {
                torn.fetch_add(1, Ordering::Relaxed);
            }
        };
        let again = TuneOptions { threads: 2, ..options(Some(&path)) };
        let again = tune(&documents(), "news", &again, &|| false, &tell, &mut []).unwrap();
        assert_eq!(again.known, cut - 1);
        assert_eq!(torn.into_inner(), cut % 2);
        assert_eq!(bare(&again), bare(&whole));
        assert!(bytes(&again.classifier) == bytes(&whole.classifier));
    }
}

#[test]
fn one_that_is_stopped_trains_the_best_so_far() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.jsonl");
    let ended = AtomicUsize::new(0);
    let stop = || ended.load(Ordering::SeqCst) >= 8;
    let tell = |event: TuneEvent<'_>| {
        if let TuneEvent::Run(_) = event {
            ended.fetch_add(1, Ordering::SeqCst);
        }
    };
    let tuned = tune(&documents(), "news", &options(Some(&path)), &stop, &tell, &mut []).unwrap();
    assert_eq!(tuned.stopped, Stopped::Interrupted);
    assert_eq!(tuned.classifier.record().corpus.train_samples, 150);
    // What it has written is taken up.
    let whole = search(&options(Some(&path)));
    assert!(whole.known >= 8, "{}", whole.known);
    assert_eq!(bare(&whole), bare(&search(&options(None))));

    let at_once = tune(&documents(), "news", &options(None), &|| true, &|_| {}, &mut []);
    assert!(matches!(at_once, Err(TuneError::Interrupted)));
}

#[test]
fn time_ends_a_search_that_would_go_on() {
    let time = Some(Duration::from_millis(700));
    let tuned = search(&TuneOptions { trials: None, time, ..options(None) });
    assert_eq!(tuned.stopped, Stopped::Time);
    assert!(tuned.trials.len() > 3);
}

#[test]
fn what_does_not_fit_into_memory_is_skipped() {
    let all = search(&options(None));
    let largest = all.trials.iter().flat_map(|trial| &trial.runs).filter_map(|run| {
        let Outcome::Done { parameters, .. } = run.outcome else { return None };
        Some(parameters as u64)
    });
    // Room for half of the largest network.
    let limit = largest.max().unwrap() * 16 / 2;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trials.jsonl");
    let tight = TuneOptions { memory: Some(limit), ..options(Some(&path)) };
    let [one, many] =
        [1, 4].map(|threads| search(&TuneOptions { threads, trials_file: None, ..tight.clone() }));
    assert_eq!(bare(&one), bare(&many));
    let tuned = search(&tight);
    assert_eq!(bare(&one), bare(&tuned));
    let skipped: Vec<&Run> = tuned
        .trials
        .iter()
        .flat_map(|trial| &trial.runs)
        .filter(|run| matches!(run.outcome, Outcome::Skipped { .. }))
        .collect();
    assert!(!skipped.is_empty());
    for run in skipped {
        let Outcome::Skipped { needs, limit: told } = run.outcome else { panic!() };
        assert!(needs > limit && told == limit);
        assert!(tuned.trials[run.trial].is_out() && run.trial != tuned.chosen);
    }
    // With more memory they are tried after all.
    assert_eq!(bare(&search(&options(Some(&path)))), bare(&all));

    let error = tune(
        &documents(),
        "news",
        &TuneOptions { memory: Some(1000), ..options(None) },
        &|| false,
        &|_| {},
        &mut [],
    );
    assert!(matches!(error, Err(TuneError::Memory { limit: 1000, needs: 1001.. })), "{error:?}");
}

#[test]
fn documents_with_any_number_of_labels_are_searched_too() {
    let single = documents();
    let Labels::Single(classes) = single.labels() else { panic!() };
    // Money comes along with half of the other classes' documents.
    let sets = classes.iter().enumerate().map(|(i, &class)| match (class, i % 2) {
        (2, _) | (_, 0) => vec![class],
        _ => vec![class, 2],
    });
    let several = Labels::Multi(sets.collect());
    let several = single.clone().with_labels(several).unwrap();
    let options = TuneOptions { metric: Metric::MicroF1, ..options(None) };
    let tuned = tune(&several, "news", &options, &|| false, &|_| {}, &mut []).unwrap();
    assert_eq!(tuned.classifier.label_kind(), crate::corpus::LabelKind::Multi);
    let f1 = tuned.compared(tuned.chosen, Metric::MicroF1).mean;
    let accuracy = tuned.compared(tuned.chosen, Metric::Accuracy).mean;
    assert!(f1 > accuracy && f1 <= 1.0, "{f1} {accuracy}");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let refused = |documents: &Documents, options: &TuneOptions| {
        tune(documents, "news", options, &|| false, &|_| {}, &mut []).unwrap_err().to_string()
    };
    let few = TuneOptions { folds: 1, ..options(None) };
    assert!(refused(&documents(), &few).contains("folds is 1: expected from 2"));
    let none = TuneOptions { trials: Some(0), ..options(None) };
    assert!(refused(&documents(), &none).contains("trials is 0"));
    let one_class = documents().with_labels(Labels::Single(vec![0; 150])).unwrap();
    assert!(refused(&one_class, &options(None)).contains("too few to learn from"));
    let features = documents().with_content(Content::Features);
    assert!(refused(&features, &options(None)).contains("lists of features"));
    let mut empty = Documents::new(vec!["a".into(), "b".into()]);
    (0..6).for_each(|i| empty.push("  ", i % 2));
    let nothing = refused(&empty, &TuneOptions { folds: 2, ..options(None) });
    assert!(nothing.contains("none of the settings"), "{nothing}");
}
