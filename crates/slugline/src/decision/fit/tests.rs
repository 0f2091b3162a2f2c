use proptest::prelude::*;

use super::*;

fn fit(aim: Aim, p: &Matrix, labels: &Labels) -> (Vec<f32>, FittedThresholds) {
    let options = DecisionOptions { threshold: Threshold::Fitted(aim), ..Default::default() };
    let decisions = options.fit(p, labels).unwrap();
    (decisions.thresholds, decisions.fitted.unwrap())
}

/// Scores of one label, and whether each of eight documents has it.
fn one_label() -> (Matrix, Labels) {
    let scores = vec![0.9, 0.8, 0.7, 0.6, 0.6, 0.4, 0.3, 0.1];
    let wanted = [1, 1, 0, 1, 0, 1, 0, 0];
    let sets = wanted.iter().map(|&w| if w == 1 { vec![0] } else { vec![] }).collect();
    (Matrix::new(8, 1, scores).unwrap(), Labels::Multi(sets))
}

#[test]
fn candidates_are_those_of_a_precision_recall_curve() {
    let (p, labels) = one_label();
    // From scikit-learn 1.9.1: precision_recall_curve gives, by falling threshold,
    // 0.9: 1/1 and 1/4; 0.8: 2/2, 2/4; 0.7: 2/3, 2/4; 0.6: 3/5, 3/4; 0.4: 4/6, 4/4; 0.3: 4/7; 0.1: 4/8.
    for (aim, threshold, precision, recall) in [
        (Aim::F1, 0.4, 4.0 / 6.0, 1.0),
        (Aim::Precision(0.9), 0.8, 1.0, 0.5),
        (Aim::Precision(0.6), 0.4, 4.0 / 6.0, 1.0),
        (Aim::Recall(0.6), 0.6, 0.6, 0.75),
        (Aim::Recall(0.5), 0.8, 1.0, 0.5),
    ] {
        let (thresholds, fitted) = fit(aim, &p, &labels);
        assert_eq!(thresholds, [threshold], "{aim}");
        let class = fitted.classes[0];
        assert_eq!(
            (class.precision, class.recall, class.reached),
            (precision, recall, true),
            "{aim}"
        );
    }
}

#[test]
fn what_cannot_be_fitted_is_said() {
    let p = Matrix::new(3, 2, vec![0.9, 0.2, 0.8, 0.1, 0.7, 0.3]).unwrap();
    let labels = Labels::Multi(vec![vec![], vec![], vec![0]]);
    let (thresholds, fitted) = fit(Aim::Precision(0.5), &p, &labels);
    assert_eq!(thresholds, [NEVER, NEVER]);
    assert_eq!((fitted.reached(), fitted.documents), (0, 3));
    assert_eq!(fit(Aim::F1, &p, &labels).0, [0.7, EVEN]);
    let (thresholds, fitted) = fit(Aim::Recall(1.0), &p, &labels);
    assert_eq!((thresholds.as_slice(), fitted.reached()), (&[0.7, EVEN][..], 1));
    let options =
        DecisionOptions { threshold: Threshold::Fitted(Aim::F1), ..DecisionOptions::default() };
    let error = options.unfitted(3).unwrap_err().to_string();
    assert!(error.starts_with("thresholds for f1 are fitted on documents"), "{error}");
    let all = DecisionOptions { threshold: Threshold::All(0.3), ..DecisionOptions::default() };
    assert_eq!(all.unfitted(2).unwrap().thresholds, [0.3, 0.3]);
}

/// Rows of shares that sum to 1, and a class for each.
fn documents() -> impl Strategy<Value = (Matrix, Vec<u32>)> {
    let row = (prop::array::uniform4(1_u8..20), 0_u32..4);
    prop::collection::vec(row, 1..60).prop_map(|rows| {
        let (mut data, mut labels) = (Vec::new(), Vec::new());
        for (parts, label) in rows {
            let sum: f32 = parts.iter().map(|&part| f32::from(part)).sum();
            data.extend(parts.map(|part| f32::from(part) / sum));
            labels.push(label);
        }
        (Matrix::new(labels.len(), 4, data).unwrap(), labels)
    })
}

fn mean_f1(classes: &[FittedClass]) -> f64 {
    classes.iter().map(|class| class.f1).sum::<f64>()
}

proptest! {
    #[test]
    fn a_precision_is_reached_by_all_that_is_answered(
        (p, labels) in documents(),
        share in 0.01_f64..1.0,
    ) {
        let sets = labels.iter().map(|&label| vec![label]).collect();
        for labels in [Labels::Single(labels), Labels::Multi(sets)] {
            let (thresholds, fitted) = fit(Aim::Precision(share), &p, &labels);
            for (class, threshold) in fitted.classes.iter().zip(thresholds) {
                prop_assert!(class.predicted == 0 || class.precision >= share);
                prop_assert_eq!(class.reached, class.predicted > 0);
                prop_assert!(threshold <= 1.0 || class.predicted == 0);
            }
        }
    }

    #[test]
    fn a_recall_is_reached_wherever_there_are_documents((p, labels) in documents(), share in 0.01_f64..1.0) {
        let sets = labels.iter().map(|&label| vec![label]).collect();
        let (_, fitted) = fit(Aim::Recall(share), &p, &Labels::Multi(sets));
        for class in &fitted.classes {
            prop_assert_eq!(class.reached, class.support > 0);
            prop_assert!(class.support == 0 || class.recall >= share);
        }
        // With one class a text, a more probable class may be in the way: then it is said.
        let labels = Labels::Single(labels);
        let (_, fitted) = fit(Aim::Recall(share), &p, &labels);
        let plain = HeldOut::new(Aim::Recall(share), &p, &labels).reached(&[0.0; 4]);
        for (class, plain) in fitted.classes.iter().zip(plain.classes) {
            prop_assert_eq!(class.reached, class.support > 0 && class.recall >= share);
            prop_assert!(class.reached || !plain.reached);
        }
    }

    #[test]
    fn the_best_f1_is_no_worse_than_any_other_and_than_no_threshold(
        (p, labels) in documents(),
        other in 0.0_f32..1.0,
    ) {
        let sets: Vec<Vec<u32>> = labels.iter().map(|&label| vec![label]).collect();
        let labels_of = [Labels::Multi(sets), Labels::Single(labels)];
        for labels in &labels_of {
            let held_out = HeldOut::new(Aim::F1, &p, labels);
            let best = mean_f1(&fit(Aim::F1, &p, labels).1.classes);
            let others: &[f32] = if held_out.single.is_some() { &[0.0] } else { &[other, EVEN, 0.0] };
            for &other in others {
                let other = mean_f1(&held_out.reached(&[other; 4]).classes);
                prop_assert!(best >= other - 1e-12, "{} {}", best, other);
            }
        }
    }

    #[test]
    fn the_order_of_documents_does_not_matter((p, labels) in documents(), turn in 0_usize..60) {
        let n = labels.len();
        let order: Vec<usize> = (0..n).map(|i| (i + turn) % n).rev().collect();
        let rows = order.iter().flat_map(|&i| p.row(i).to_vec()).collect();
        let turned = Matrix::new(n, 4, rows).unwrap();
        let labels = Labels::Single(labels);
        for aim in [Aim::F1, Aim::Precision(0.8), Aim::Recall(0.8)] {
            prop_assert_eq!(fit(aim, &p, &labels), fit(aim, &turned, &labels.select(&order)));
        }
    }
}
