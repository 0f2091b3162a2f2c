//! Scores and thresholds against those of scikit-learn; `scripts/goldens/sklearn_scores.py` made them.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use serde_json::{Map, Value};
use slugline::corpus::{LabelKind, Labels};
use slugline::decision::{Answer, DecisionOptions, Decisions, EVEN, Known, NEVER, Threshold};
use slugline::evaluation::{Evaluation, EvaluationOptions, Judged};
use slugline::nn::Matrix;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/sklearn_scores.json")).unwrap()
}

fn matrix(rows: &Value) -> Matrix {
    let rows = rows.as_array().unwrap();
    let cols = rows[0].as_array().unwrap().len();
    let data = rows.iter().flat_map(|row| row.as_array().unwrap());
    Matrix::new(rows.len(), cols, data.map(|v| v.as_f64().unwrap() as f32).collect()).unwrap()
}

fn numbers(list: &Value) -> Vec<u32> {
    list.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
}

/// The evaluation of a case as it is printed.
fn evaluation(case: &Value, labels: &Labels) -> Map<String, Value> {
    let probabilities = matrix(&case["probabilities"]);
    let names: Vec<String> = (0..probabilities.cols()).map(|i| format!("class {i}")).collect();
    let known = Known { words: 1, unknown_words: 0, nothing: false };
    let kind = if labels.kind() == LabelKind::Multi { LabelKind::Multi } else { LabelKind::Single };
    let answer = |row| Decisions::default().answer(kind, row, known);
    let answers: Vec<Answer> = probabilities.iter_rows().map(answer).collect();
    let judged = Judged {
        class_names: &names,
        labels,
        probabilities: &probabilities,
        answers: &answers,
        thresholds: &[],
        training_counts: &vec![0; names.len()],
    };
    let found = Evaluation::new(&judged, &EvaluationOptions::default()).unwrap();
    match serde_json::to_value(&found).unwrap() {
        Value::Object(found) => found,
        other => panic!("{other}"),
    }
}

/// Fails unless two numbers agree, or both are missing.
#[track_caller]
fn assert_agree(found: Option<&Value>, want: &Value, what: &str) {
    let found = found.and_then(Value::as_f64);
    match (found, want.as_f64()) {
        (None, None) => {}
        (Some(found), Some(want)) if (found - want).abs() < 1e-12 * want.abs().max(1.0) => {}
        (found, want) => panic!("{what}: {found:?}, and {want:?} by scikit-learn"),
    }
}

/// Fails unless all scores of a case are scikit-learn's. Gives how many there were.
fn check(case: &Value, labels: &Labels) -> usize {
    let name = case["name"].as_str().unwrap();
    let found = evaluation(case, labels);
    let want = case["want"].as_object().unwrap();
    for (score, want) in want {
        assert_agree(found.get(score), want, &format!("{score} of {name}"));
    }
    let classes = found["classes"].as_array().unwrap();
    for (i, want) in case["classes"].as_array().unwrap().iter().enumerate() {
        for (score, want) in want.as_object().unwrap() {
            assert_agree(classes[i].get(score), want, &format!("{score} of class {i} of {name}"));
        }
    }
    if let Some(confusion) = case.get("confusion") {
        assert_eq!(&found["confusion"], confusion, "{name}");
    }
    want.len()
}

#[test]
fn scores_of_one_class_a_document_are_scikit_learns() {
    let golden = golden();
    let cases = golden["single"].as_array().unwrap();
    let scores = cases.iter().map(|case| check(case, &Labels::Single(numbers(&case["truth"]))));
    assert!(scores.sum::<usize>() > 150);
}

#[test]
fn scores_of_soft_labels_are_scikit_learns() {
    for case in golden()["soft"].as_array().unwrap() {
        let labels = Labels::Soft(matrix(&case["truth"]));
        check(case, &labels);
        let found = evaluation(case, &labels);
        assert_eq!(found["loss"], found["cross_entropy"]);
    }
}

#[test]
fn scores_of_several_labels_a_document_are_scikit_learns() {
    for case in golden()["multi"].as_array().unwrap() {
        let sets = case["truth"].as_array().unwrap().iter().map(numbers).collect();
        check(case, &Labels::Multi(sets));
    }
}

#[test]
fn fitted_thresholds_are_those_of_scikit_learns_precision_recall_curve() {
    for case in golden()["multi"].as_array().unwrap() {
        let sets: Vec<Vec<u32>> = case["truth"].as_array().unwrap().iter().map(numbers).collect();
        let probabilities = matrix(&case["probabilities"]);
        for (aim, want) in case["thresholds"].as_object().unwrap() {
            let threshold: Threshold = aim.parse().unwrap();
            let options = DecisionOptions { threshold, ..DecisionOptions::default() };
            let fitted = options.fit(&probabilities, &Labels::Multi(sets.clone())).unwrap();
            for (class, (found, want)) in
                fitted.thresholds.iter().zip(want.as_array().unwrap()).enumerate()
            {
                let none = if aim.starts_with("precision") { NEVER } else { EVEN };
                let want = want.as_f64().map_or(none, |want| want as f32);
                assert_eq!(*found, want, "{aim}, class {class} of {}", case["name"]);
            }
        }
    }
}
