use proptest::prelude::*;

use super::*;
use crate::nn::with_threads;

fn names(n: usize) -> Vec<String> {
    (0..n).map(|i| format!("class {i}")).collect()
}

fn evaluate(
    labels: &Labels,
    probabilities: &Matrix,
    answers: &[Answer],
    options: &EvaluationOptions,
) -> Evaluation {
    let judged = Judged {
        class_names: &names(probabilities.cols()),
        labels,
        probabilities,
        answers,
        thresholds: &[],
        training_counts: &vec![1; probabilities.cols()],
    };
    Evaluation::new(&judged, options).unwrap()
}

#[test]
fn headlines_say_nothing_twice() {
    let two = Matrix::new(3, 2, vec![0.9, 0.1, 0.4, 0.6, 0.3, 0.7]).unwrap();
    let options = EvaluationOptions::default();
    let answers = [0, 1, 1].map(Answer::Class);
    let e = evaluate(&Labels::Single(vec![0, 0, 1]), &two, &answers, &options);
    let lines = e.headlines();
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    let wanted = [
        "accuracy",
        "always the largest class",
        "random permutation",
        "balanced accuracy",
        "macro F1",
        "weighted F1",
        "Matthews correlation",
        "ROC-AUC",
        "average precision",
        "log loss",
        "Brier score",
        "calibration error (ECE)",
    ];
    assert_eq!(names, wanted);
    let baselines: Vec<bool> = lines.iter().map(|line| line.baseline).collect();
    assert_eq!(baselines[..4], [false, true, true, false]);
    assert_eq!((lines[0].value, lines[1].value), (e.accuracy, e.baselines.majority));
    assert_eq!(lines[0].interval.as_ref(), e.intervals.get(Score::Accuracy));
    let trained = e.with_loss(0.123).headlines();
    assert_eq!((trained[11].name.as_str(), trained[11].value), ("loss as trained", 0.123));

    let sets = Labels::Multi(vec![vec![0], vec![], vec![0, 1]]);
    let answers = [vec![0], vec![1], vec![1]].map(Answer::Labels);
    let e = evaluate(&sets, &two, &answers, &EvaluationOptions::without_intervals());
    let lines = e.headlines();
    let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names[..2], ["all labels right", "always the largest label"]);
    for wanted in ["Hamming loss", "micro F1", "F1 of a document", "macro ROC-AUC"] {
        assert!(names.contains(&wanted), "{wanted} in {names:?}");
    }
    assert!(lines.iter().all(|line| line.interval.is_none()));
}

#[test]
fn scores_and_baselines_of_a_small_case() {
    let truth = vec![0, 0, 0, 1, 1, 2];
    let predicted = [0, 0, 1, 1, 0, 1];
    let rows = predicted.map(|p| [0, 1, 2].map(|class| if class == p { 0.6 } else { 0.2 }));
    let probabilities = Matrix::new(6, 3, rows.as_flattened().to_vec()).unwrap();
    let mut answers = predicted.map(Answer::Class);
    answers[4] = Answer::Unknown(crate::decision::Reason::Threshold);
    let names = names(3);
    let judged = Judged {
        class_names: &names,
        labels: &Labels::Single(truth.clone()),
        probabilities: &probabilities,
        answers: &answers,
        thresholds: &[0.5, 0.5, 2.0],
        training_counts: &[1, 9, 2],
    };
    let e = Evaluation::new(&judged, &EvaluationOptions::default()).unwrap();
    assert_eq!((e.samples, e.accuracy), (6, 0.5));
    // From scikit-learn 1.9.1: f1_score(truth, predicted, average="macro" and "weighted").
    assert!((e.macro_f1 - 0.355_555_555_555_555_6).abs() < 1e-12, "{}", e.macro_f1);
    assert!((e.weighted_f1 - 0.466_666_666_666_666_7).abs() < 1e-12, "{}", e.weighted_f1);
    assert_eq!(e.baselines.majority, 2.0 / 6.0);
    assert!((e.baselines.random_permutation - 14.0 / 36.0).abs() < 1e-12);
    assert_eq!(e.confused_pairs(2), [(0, 1, 1), (1, 0, 1)]);
    assert_eq!(e.classes[2].f1, 0.0);
    // Three of five answers are right; class 0 is answered twice, both times rightly.
    let d = &e.decisions;
    assert_eq!((d.answered, d.unknown, d.reasons.threshold), (5, 1, 1));
    assert_eq!((d.coverage, d.accuracy), (5.0 / 6.0, Some(3.0 / 5.0)));
    assert_eq!((d.classes[0].predicted, d.classes[0].precision), (2, 1.0));
    assert_eq!(d.macro_precision, f64::midpoint(1.0, 1.0 / 3.0));
    assert_eq!(d.risk_coverage.len(), 1);

    let none = Judged { labels: &Labels::Single(vec![]), ..judged };
    assert!(Evaluation::new(&none, &EvaluationOptions::default()).is_err());
    let beyond = Judged { labels: &Labels::Single(vec![0, 0, 0, 1, 1, 3]), ..judged };
    assert!(Evaluation::new(&beyond, &EvaluationOptions::default()).is_err());
    let sure = Bootstrap { confidence: 1.0, ..Bootstrap::default() };
    let options = EvaluationOptions { bootstrap: sure, ..EvaluationOptions::default() };
    let error = Evaluation::new(&judged, &options).unwrap_err().to_string();
    assert!(error.contains("confidence of the intervals = 1"), "{error}");
}

#[test]
fn baselines_of_label_sets_count_sets() {
    let sets = vec![vec![0], vec![0, 1], vec![0, 1], vec![]];
    let b = Baselines::of_sets(&sets, &[5, 3]);
    assert_eq!((b.majority, b.random_permutation), (0.25, 0.25_f64.powi(2) * 2.0 + 0.25));
}

#[test]
fn the_calibration_of_labels_is_the_mean_over_the_classes() {
    let p = Matrix::new(2, 2, vec![0.9, 0.3, 0.9, 0.3]).unwrap();
    let r = Reliability::of_labels(&p, &[vec![0], vec![]], 10);
    // |0.9 − 0.5| and |0.3 − 0|
    assert!((r.ece - 0.35).abs() < 1e-6 && (r.mce - 0.4).abs() < 1e-6, "{r:?}");
    assert_eq!(r.bins.iter().map(|bin| bin.samples).sum::<u64>(), 4);
}

#[test]
fn a_risk_coverage_table_says_what_a_smallest_confidence_leaves() {
    let p: Vec<f32> =
        (0..40).flat_map(|i| [0.5 + i as f32 / 100.0, 0.5 - i as f32 / 100.0]).collect();
    let p = Matrix::new(40, 2, p).unwrap();
    let truth: Vec<u32> = (0..40).map(|i| u32::from(i < 10)).collect();
    let table = decided::risk_coverage(&p, &truth);
    for row in &table {
        let answered =
            p.iter_rows().zip(&truth).filter(|(row_p, _)| row_p[0] >= row.min_confidence);
        let (n, right) =
            answered.fold((0.0, 0.0), |(n, r), (_, &t)| (n + 1.0, r + f64::from(u8::from(t == 0))));
        assert_eq!((row.coverage, row.accuracy), (n / 40.0, right / n));
    }
    assert_eq!((table[0].coverage, table[0].accuracy), (1.0, 0.75));
    assert_eq!(table.last().unwrap().accuracy, 1.0);
}

/// Probabilities of three classes, and a class for each row.
fn documents() -> impl Strategy<Value = (Matrix, Vec<u32>)> {
    let row = (prop::array::uniform3(1_u8..12), 0_u32..3);
    prop::collection::vec(row, 1..40).prop_map(|rows| {
        let (mut data, mut labels) = (Vec::new(), Vec::new());
        for (parts, label) in rows {
            let sum: f32 = parts.iter().map(|&part| f32::from(part)).sum();
            data.extend(parts.map(|part| f32::from(part) / sum));
            labels.push(label);
        }
        (Matrix::new(labels.len(), 3, data).unwrap(), labels)
    })
}

fn few() -> EvaluationOptions {
    let bootstrap = Bootstrap { resamples: 20, ..Bootstrap::default() };
    EvaluationOptions { top_k: vec![1, 2, 3], bootstrap }
}

/// Whether a score is a share.
fn is_share(score: Score) -> bool {
    !matches!(score, Score::LogLoss | Score::CrossEntropy | Score::Brier | Score::Mcc)
}

proptest! {
    #[test]
    fn scores_are_bounded_and_do_not_depend_on_the_order(
        (p, labels) in documents(),
        turn in 0_usize..40,
        hidden in prop::collection::vec(any::<bool>(), 40),
    ) {
        let n = labels.len();
        let order: Vec<usize> = (0..n).map(|i| (i + turn) % n).rev().collect();
        let rows = order.iter().flat_map(|&i| p.row(i).to_vec()).collect();
        let turned = Matrix::new(n, 3, rows).unwrap();
        let sets = labels.iter().map(|&l| if l == 2 { vec![] } else { vec![l, 2] }).collect();
        for labels in [Labels::Single(labels), Labels::Multi(sets)] {
            let answers: Vec<Answer> = p.argmax_rows().into_iter().zip(&hidden).map(|(best, hide)| {
                match (hide, labels.kind()) {
                    (true, _) => Answer::Unknown(crate::decision::Reason::Confidence),
                    (_, LabelKind::Multi) => Answer::Labels(vec![best]),
                    _ => Answer::Class(best),
                }
            }).collect();
            let e = evaluate(&labels, &p, &answers, &few());
            let all = e.scores.iter().map(|(score, &value)| (score, value));
            for (score, value) in all.chain([(Score::Accuracy, e.accuracy), (Score::Coverage, e.decisions.coverage)]) {
                prop_assert!(value >= if score == Score::Mcc { -1.0 } else { 0.0 }, "{} {}", score, value);
                prop_assert!(!is_share(score) || value <= 1.0 + 1e-12, "{} {}", score, value);
            }
            for (score, &[low, high]) in e.intervals.iter() {
                prop_assert!(low <= high, "{} {} {}", score, low, high);
            }
            let answers: Vec<Answer> = order.iter().map(|&i| answers[i].clone()).collect();
            let again = evaluate(&labels.select(&order), &turned, &answers, &few());
            for (score, &value) in e.scores.iter() {
                let other = again.score(score).unwrap();
                prop_assert!((value - other).abs() < 1e-9, "{} {} {}", score, value, other);
            }
            prop_assert_eq!(&e.classes.len(), &again.classes.len());
            prop_assert_eq!(e.confusion, again.confusion);
            prop_assert_eq!(e.decisions.accuracy, again.decisions.accuracy);
        }
    }

    #[test]
    fn the_first_of_top_k_is_the_accuracy((p, labels) in documents()) {
        let answers: Vec<Answer> = p.argmax_rows().into_iter().map(Answer::Class).collect();
        let e = evaluate(&Labels::Single(labels), &p, &answers, &few());
        prop_assert_eq!(e.score(Score::TopK(1)), Some(e.accuracy));
        prop_assert!(e.score(Score::TopK(2)) >= Some(e.accuracy));
        // That every class is among all of them is no news.
        prop_assert_eq!(e.score(Score::TopK(3)), None);
        prop_assert_eq!(e.decisions.accuracy, Some(e.accuracy));
    }
}

#[test]
fn threads_do_not_change_an_evaluation() {
    let n = 200;
    let p: Vec<f32> = (0..n * 4).map(|i| (i * 37 % 101) as f32 / 100.0).collect();
    let p = Matrix::new(n, 4, p).unwrap();
    let labels: Vec<u32> = (0..n as u32).map(|i| i * 7 % 4).collect();
    let answers: Vec<Answer> = p.argmax_rows().into_iter().map(Answer::Class).collect();
    let of = |threads| {
        with_threads(threads, || evaluate(&Labels::Single(labels.clone()), &p, &answers, &few()))
            .unwrap()
    };
    let first = of(1);
    assert!(!first.intervals.is_empty());
    assert!([2, 3, 8].into_iter().all(|threads| of(threads) == first));
}
