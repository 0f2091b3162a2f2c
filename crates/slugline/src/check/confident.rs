//! Confident learning: which labels are likely wrong, from the probabilities of classifiers that have
//! not seen the documents.
//!
//! # Source
//! Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
//! sections 3 and 4. Details on which the paper is silent follow the Python package `cleanlab` 2.9.0,
//! `filter_by="confident_learning"`; the tests hold this against it.

use crate::nn::{Matrix, argmax};

/// Thresholds are at least this, or a class of which nobody is sure would be everybody's.
const LEAST_THRESHOLD: f64 = 2e-6;

/// What a threshold may be missed by, for rounding.
const ROUNDING: f64 = 1e-6;

/// What confident learning makes of labels and probabilities.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Confident {
    /// For each class the mean probability of it over the documents that carry it; infinite for a class
    /// that no document carries.
    pub(super) thresholds: Vec<f64>,
    /// Documents whose label is likely wrong: those that lie beside the diagonal of the confident joint
    /// and whose label is not the most probable class. The lowest margin first, equals in their order.
    pub(super) suspects: Vec<Suspect>,
}

/// A document whose label is likely wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Suspect {
    pub(super) document: usize,
    /// The most probable class.
    pub(super) suggested: u32,
    /// `(p_given − p_suggested + 1) / 2`: 0 where the given label is impossible and the other certain,
    /// 1/2 where both are as probable.
    pub(super) margin: f64,
}

impl Confident {
    /// `probabilities` has one row a document and one column a class; every label has a column.
    pub(super) fn new(probabilities: &Matrix, labels: &[u32]) -> Self {
        let thresholds = thresholds(probabilities, labels);
        let suspect = |(document, (row, &given)): (usize, (&[f32], &u32))| {
            let suggested = argmax(row);
            if confident_class(row, &thresholds)? == given || suggested == given {
                return None;
            }
            let p = |class: u32| f64::from(row[class as usize]);
            Some(Suspect {
                document,
                suggested,
                margin: f64::midpoint(p(given) - p(suggested), 1.0),
            })
        };
        let rows = probabilities.iter_rows().zip(labels).enumerate();
        let mut suspects: Vec<Suspect> = rows.filter_map(suspect).collect();
        suspects.sort_by(|a, b| a.margin.total_cmp(&b.margin));
        Self { thresholds, suspects }
    }
}

fn thresholds(probabilities: &Matrix, labels: &[u32]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0_u64); probabilities.cols()];
    for (row, &label) in probabilities.iter_rows().zip(labels) {
        let (sum, count) = &mut sums[label as usize];
        *sum += f64::from(row[label as usize]);
        *count += 1;
    }
    let mean = |(sum, count): (f64, u64)| match count {
        0 => f64::INFINITY,
        _ => (sum / count as f64).max(LEAST_THRESHOLD),
    };
    sums.into_iter().map(mean).collect()
}

/// The class that a document is confidently of: the one whose threshold its probability reaches, of
/// several such the most probable class of all.
fn confident_class(row: &[f32], thresholds: &[f64]) -> Option<u32> {
    let reaches = |&(&p, &threshold): &(&f32, &f64)| f64::from(p) >= threshold - ROUNDING;
    let mut confident = (0..).zip(row.iter().zip(thresholds)).filter(|(_, pair)| reaches(pair));
    let (first, _) = confident.next()?;
    Some(if confident.next().is_some() { argmax(row) } else { first })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        name: String,
        labels: Vec<u32>,
        probabilities: Vec<Vec<f32>>,
        /// `null` for a class without documents.
        thresholds: Vec<Option<f64>>,
        /// Documents by given (row) and confident (column) class, the diagonal left out.
        off_diagonal: Vec<Vec<u64>>,
        issues: Vec<usize>,
        normalized_margin: Vec<f64>,
        suggested: Vec<u32>,
    }

    #[test]
    fn labels_that_cleanlab_doubts_are_doubted() {
        let golden = include_str!("../../tests/golden/cleanlab.json");
        let golden: Golden = serde_json::from_str(golden).unwrap();
        assert!(golden.cases.len() >= 3);
        for case in golden.cases {
            let Case { name, labels, .. } = &case;
            let classes = case.thresholds.len();
            let data = case.probabilities.concat();
            let p = Matrix::new(labels.len(), classes, data).unwrap();
            let found = Confident::new(&p, labels);
            for (ours, theirs) in found.thresholds.iter().zip(&case.thresholds) {
                match theirs {
                    Some(theirs) => {
                        assert!((ours - theirs).abs() < 1e-12, "{name}: {ours} {theirs}");
                    }
                    None => assert!(ours.is_infinite(), "{name}"),
                }
            }
            let mut joint = vec![vec![0; classes]; classes];
            for (row, &given) in p.iter_rows().zip(labels) {
                if let Some(class) = confident_class(row, &found.thresholds)
                    && class != given
                {
                    joint[given as usize][class as usize] += 1;
                }
            }
            assert_eq!(joint, case.off_diagonal, "{name}");
            let documents: Vec<usize> = found.suspects.iter().map(|s| s.document).collect();
            assert_eq!(documents, case.issues, "{name}");
            for (i, suspect) in found.suspects.iter().enumerate() {
                assert!((suspect.margin - case.normalized_margin[i]).abs() < 1e-12, "{name}");
                assert_eq!(suspect.suggested, case.suggested[i], "{name}");
            }
        }
    }
}
