//! Scores of answers of one class a document.

use super::ranking::{Areas, Ranking, means};
use super::score::{Mean, Score, Values};
use super::{Judged, losses};
use crate::decision::Answer;
use crate::nn::{Average, ClassCounts, Matrix, argmax, average_score};

/// Documents with the truth and what a classifier makes of each, ready to be scored under any weights.
#[derive(Debug)]
pub(super) struct Single {
    classes: usize,
    pub(super) truth: Vec<u32>,
    /// The most probable classes.
    pub(super) answers: Vec<u32>,
    /// What is answered, `None` for `unknown`.
    pub(super) decided: Vec<Option<u32>>,
    /// How many classes are more probable than the true one.
    ranks: Vec<usize>,
    log_losses: Vec<f64>,
    briers: Vec<f64>,
    /// Where labels are soft.
    cross_entropies: Option<Vec<f64>>,
    rankings: Vec<Ranking>,
    top_k: Vec<usize>,
}

impl Single {
    /// From what a classifier makes of documents; the shares of soft labels beside the truth.
    pub(super) fn of(
        judged: &Judged<'_>,
        truth: Vec<u32>,
        shares: Option<&Matrix>,
        top_k: &[usize],
    ) -> Self {
        let decided = judged.answers.iter().map(|answer| match answer {
            Answer::Class(class) => Some(*class),
            Answer::Labels(_) | Answer::Unknown(_) => None,
        });
        Self::new(judged.probabilities, truth, decided.collect(), shares, top_k)
    }

    /// From calibrated probabilities, one row a document.
    fn new(
        probabilities: &Matrix,
        truth: Vec<u32>,
        decided: Vec<Option<u32>>,
        shares: Option<&Matrix>,
        top_k: &[usize],
    ) -> Self {
        let classes = probabilities.cols();
        let rows = || probabilities.iter_rows().zip(&truth);
        let rank = |(row, &label): (&[f32], &u32)| {
            let label = label as usize;
            let before =
                |(class, &p): (usize, &f32)| p > row[label] || (p == row[label] && class < label);
            row.iter().enumerate().filter(|&item| before(item)).count()
        };
        let column = |class: usize| {
            let items = rows().enumerate();
            Ranking::new(items.map(|(i, (row, &label))| (row[class], i, label as usize == class)))
        };
        Self {
            classes,
            answers: probabilities.iter_rows().map(argmax).collect(),
            decided,
            ranks: rows().map(rank).collect(),
            log_losses: rows().map(|(row, &label)| losses::log_loss(row, label)).collect(),
            briers: rows().map(|(row, &label)| losses::brier(row, label)).collect(),
            cross_entropies: shares.map(|shares| {
                let pairs = probabilities.iter_rows().zip(shares.iter_rows());
                pairs.map(|(row, shares)| losses::cross_entropy(row, shares)).collect()
            }),
            rankings: (0..classes).map(column).collect(),
            top_k: top_k.iter().copied().filter(|&k| k > 0 && k < classes).collect(),
            truth,
        }
    }

    /// Right and wrong answers of each class, the most probable ones or those decided on.
    pub(super) fn counts(&self, weights: &[u32], decided: bool) -> Vec<ClassCounts> {
        let mut counts = vec![ClassCounts::default(); self.classes];
        for (i, &label) in self.truth.iter().enumerate() {
            let weight = u64::from(weights[i]);
            let answer = if decided { self.decided[i] } else { Some(self.answers[i]) };
            if answer == Some(label) {
                counts[label as usize].true_positives += weight;
                continue;
            }
            counts[label as usize].false_negatives += weight;
            if let Some(answer) = answer {
                counts[answer as usize].false_positives += weight;
            }
        }
        counts
    }

    /// The areas of each class.
    pub(super) fn areas(&self, weights: &[u32]) -> Vec<Areas> {
        self.rankings.iter().map(|ranking| ranking.areas(weights)).collect()
    }

    /// All scores of documents that count as often as their weights say, in the order of a report. The
    /// areas, which take longest, may be left out.
    pub(super) fn scores(&self, weights: &[u32], areas: bool) -> Values {
        let n: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        let share = |hit: &dyn Fn(usize) -> bool| {
            let hits = weights.iter().enumerate().filter(|(i, _)| hit(*i));
            hits.map(|(_, &w)| u64::from(w)).sum::<u64>() as f64 / n as f64
        };
        let mean = |values: &[f64]| losses::mean(values, weights);
        let counts = self.counts(weights, false);
        let present: Vec<&ClassCounts> = counts.iter().filter(|c| c.support() > 0).collect();
        let recalls: f64 = present.iter().map(|c| c.recall()).sum();
        let mut all = vec![
            (Score::Accuracy, Some(share(&|i| self.answers[i] == self.truth[i]))),
            (Score::BalancedAccuracy, Some(recalls / present.len() as f64)),
        ];
        let top = |k: usize| (Score::TopK(k), Some(share(&|i| self.ranks[i] < k)));
        all.extend(self.top_k.iter().map(|&k| top(k)));
        for (mean, average) in [
            (Mean::Macro, Average::Macro),
            (Mean::Micro, Average::Micro),
            (Mean::Weighted, Average::Weighted),
        ] {
            let of = |score: fn(&ClassCounts) -> f64| Some(average_score(&counts, average, score));
            all.extend([
                (Score::Precision(mean), of(ClassCounts::precision)),
                (Score::Recall(mean), of(ClassCounts::recall)),
                (Score::F1(mean), of(ClassCounts::f1)),
            ]);
        }
        all.push((Score::Mcc, Some(mcc(&counts))));
        all.push((Score::LogLoss, Some(mean(&self.log_losses))));
        all.extend(self.cross_entropies.iter().map(|c| (Score::CrossEntropy, Some(mean(c)))));
        all.push((Score::Brier, Some(mean(&self.briers))));
        if areas {
            let areas = self.areas(weights);
            if let [_, second] = areas[..] {
                all.push((Score::BinaryRocAuc, second.roc_auc));
                all.push((Score::BinaryAveragePrecision, second.average_precision));
            }
            let (plain, weighted) = means(&areas, |class| class.roc_auc);
            all.push((Score::RocAuc(Mean::Macro), plain));
            all.push((Score::RocAuc(Mean::Weighted), weighted));
            let (plain, weighted) = means(&areas, |class| class.average_precision);
            all.push((Score::AveragePrecision(Mean::Macro), plain));
            all.push((Score::AveragePrecision(Mean::Weighted), weighted));
        }
        let coverage = share(&|i| self.decided[i].is_some());
        let right = share(&|i| self.decided[i] == Some(self.truth[i]));
        all.push((Score::Coverage, Some(coverage)));
        all.push((Score::AnsweredAccuracy, (coverage > 0.0).then(|| right / coverage)));
        all
    }
}

/// Matthews' correlation coefficient for any number of classes (Gorodkin 2004); 0 where all documents
/// or all answers are of one class.
fn mcc(counts: &[ClassCounts]) -> f64 {
    let (mut right, mut n) = (0.0, 0.0);
    let (mut both, mut truth, mut answers) = (0.0, 0.0, 0.0);
    for c in counts {
        let of_class = c.support() as f64;
        let predicted = (c.true_positives + c.false_positives) as f64;
        right += c.true_positives as f64;
        n += of_class;
        both += of_class * predicted;
        truth += of_class * of_class;
        answers += predicted * predicted;
    }
    let spread = (n * n - truth) * (n * n - answers);
    if spread == 0.0 { 0.0 } else { (right * n - both) / spread.sqrt() }
}
