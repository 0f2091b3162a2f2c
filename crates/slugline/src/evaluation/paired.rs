//! Intervals of the scores of two classifiers on the same documents, and of what lies between them.

use super::multi::Multi;
use super::score::{Score, Values};
use super::single::Single;
use super::{EvaluationOptions, Judged, MOST_RANKED, Scores};
use crate::corpus::Labels;

/// Intervals of the scores of each of two classifiers, and of the second's less the first's.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct PairedIntervals {
    pub(crate) a: Scores<[f64; 2]>,
    pub(crate) b: Scores<[f64; 2]>,
    pub(crate) difference: Scores<[f64; 2]>,
}

/// The intervals of all scores, and of their differences.
///
/// Both are scored on the same draws of documents, so that what is easy or hard for both of them cancels
/// out: the interval of a difference is that of a paired bootstrap (Efron & Tibshirani 1993, chapter 8).
/// Both must be judged on the same labels, and have been checked.
pub(crate) fn intervals(
    a: &Judged<'_>,
    b: &Judged<'_>,
    options: &EvaluationOptions,
) -> PairedIntervals {
    let areas = a.labels.len() * a.class_names.len() <= MOST_RANKED;
    match a.labels {
        Labels::Single(truth) => {
            let of = |judged| Single::of(judged, truth.clone(), None, &options.top_k);
            let (a, b) = (of(a), of(b));
            drawn(truth.len(), options, |w| (a.scores(w, areas), b.scores(w, areas)))
        }
        Labels::Soft(shares) => {
            let truth = shares.argmax_rows();
            let of = |judged| Single::of(judged, truth.clone(), Some(shares), &options.top_k);
            let (a, b) = (of(a), of(b));
            drawn(truth.len(), options, |w| (a.scores(w, areas), b.scores(w, areas)))
        }
        Labels::Multi(wanted) => {
            let (a, b) = (Multi::of(a, wanted), Multi::of(b, wanted));
            drawn(wanted.len(), options, |w| (a.scores(w, areas), b.scores(w, areas)))
        }
    }
}

/// Whose score it is.
#[derive(Clone, Copy)]
enum Whose {
    A,
    B,
    Difference,
}

fn drawn(
    documents: usize,
    options: &EvaluationOptions,
    scores: impl Fn(&[u32]) -> (Values, Values) + Sync,
) -> PairedIntervals {
    let all = |weights: &[u32]| {
        let (a, b) = scores(weights);
        // Both have the same scores in the same order: they follow from the labels and the options.
        let of_score = |((score, a), (_, b)): ((Score, Option<f64>), (Score, Option<f64>))| {
            let difference = a.zip(b).map(|(a, b)| b - a);
            [(Whose::A, a), (Whose::B, b), (Whose::Difference, difference)]
                .map(|(whose, value)| ((whose, score), value))
        };
        a.into_iter().zip(b).flat_map(of_score).collect()
    };
    let mut found = PairedIntervals::default();
    for ((whose, score), interval) in options.bootstrap.intervals(documents, all) {
        let into = match whose {
            Whose::A => &mut found.a,
            Whose::B => &mut found.b,
            Whose::Difference => &mut found.difference,
        };
        into.0.push((score, interval));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Answer;
    use crate::evaluation::{Bootstrap, Evaluation};
    use crate::nn::Matrix;

    /// Two classes, all documents of the first; whether each is answered rightly.
    fn intervals_of(a: &[bool], b: &[bool]) -> PairedIntervals {
        let names = ["yes".to_owned(), "no".to_owned()];
        let labels = Labels::Single(vec![0; a.len()]);
        let outputs = |right: &[bool]| {
            let rows = right.iter().flat_map(|&r| if r { [0.9, 0.1] } else { [0.1, 0.9] });
            let answers = right.iter().map(|&right| Answer::Class(u32::from(!right)));
            (Matrix::new(a.len(), 2, rows.collect()).unwrap(), answers.collect::<Vec<_>>())
        };
        let (of_a, of_b) = (outputs(a), outputs(b));
        let bootstrap = Bootstrap { resamples: 4000, ..Bootstrap::default() };
        let options = EvaluationOptions { bootstrap, ..EvaluationOptions::default() };
        let [a, b] = [&of_a, &of_b].map(|(probabilities, answers)| Judged {
            class_names: &names,
            labels: &labels,
            probabilities,
            answers,
            thresholds: &[],
            training_counts: &[1, 1],
        });
        let found = intervals(&a, &b, &options);
        // Each classifier has the intervals that it has alone.
        assert_eq!(found.a, Evaluation::new(&a, &options).unwrap().intervals);
        assert_eq!(found.b, Evaluation::new(&b, &options).unwrap().intervals);
        found
    }

    #[test]
    fn what_both_get_wrong_does_not_widen_the_interval_of_the_difference() {
        // Of 400 documents, A is right on 200 and B on the same and 40 more.
        let right = |n: usize| (0..400).map(|i| i < n).collect::<Vec<bool>>();
        let found = intervals_of(&right(200), &right(240));
        let [low, high] = *found.difference.get(Score::Accuracy).unwrap();
        // 0.1 ± 1.96·√(0.1·0.9/400): each document adds 1 with probability 0.1, else 0. Of independent
        // documents it would be 0.1 ± 0.068.
        assert!((low - 0.0706).abs() < 0.006 && (high - 0.1294).abs() < 0.006, "{low} {high}");
        let [low, high] = *found.a.get(Score::Accuracy).unwrap();
        assert!((low - 0.451).abs() < 0.01 && (high - 0.549).abs() < 0.01, "{low} {high}");

        let same = intervals_of(&right(200), &right(200));
        assert!(same.difference.iter().all(|(_, interval)| *interval == [0.0, 0.0]));
    }
}
