//! How far probabilities are from the truth, document by document.

use crate::corpus::Labels;
use crate::nn::Matrix;

/// Probabilities nearer to 0 or 1 than this count as this far from them, as in scikit-learn's
/// `log_loss` of 64-bit numbers.
const NEAREST: f64 = f64::EPSILON;

/// `−ln p`.
fn surprise(p: f64) -> f64 {
    -libm::log(p.clamp(NEAREST, 1.0 - NEAREST))
}

/// `−ln p` of the true class.
pub(super) fn log_loss(row: &[f32], label: u32) -> f64 {
    surprise(row.get(label as usize).copied().map_or(0.0, f64::from))
}

/// The mean [`log_loss`] of documents.
pub(crate) fn mean_log_loss(probabilities: &Matrix, labels: &[u32]) -> f64 {
    let rows = probabilities.iter_rows().zip(labels);
    let sum: f64 = rows.map(|(row, &label)| log_loss(row, label)).sum();
    sum / labels.len().max(1) as f64
}

/// What each document of a set with these labels costs: its log loss, of soft labels its cross-entropy.
pub(crate) fn document_losses(probabilities: &Matrix, labels: &Labels) -> Vec<f64> {
    let rows = probabilities.iter_rows();
    match labels {
        Labels::Single(labels) => rows.zip(labels).map(|(row, &l)| log_loss(row, l)).collect(),
        Labels::Multi(sets) => rows.zip(sets).map(|(row, set)| of_labels(row, set).0).collect(),
        Labels::Soft(shares) => {
            rows.zip(shares.iter_rows()).map(|(row, shares)| cross_entropy(row, shares)).collect()
        }
    }
}

/// `−Σ share·ln p` over the classes.
pub(super) fn cross_entropy(row: &[f32], shares: &[f32]) -> f64 {
    let terms = row.iter().zip(shares).filter(|(_, share)| **share > 0.0);
    terms.map(|(&p, &share)| f64::from(share) * surprise(f64::from(p))).sum()
}

/// The squared distance of a row from the true class, halved where there are two classes.
pub(super) fn brier(row: &[f32], label: u32) -> f64 {
    let square = |(class, &p): (usize, &f32)| {
        let wanted = f64::from(u8::from(class == label as usize));
        (f64::from(p) - wanted).powi(2)
    };
    let sum: f64 = row.iter().enumerate().map(square).sum();
    if row.len() == 2 { sum / 2.0 } else { sum }
}

/// Log loss and Brier score of a row of probabilities of labels by themselves, each the mean over the
/// classes.
pub(super) fn of_labels(row: &[f32], wanted: &[u32]) -> (f64, f64) {
    let mut wanted = wanted.iter().copied().peekable();
    let (mut log_loss, mut brier) = (0.0, 0.0);
    for (class, &p) in (0..).zip(row) {
        let p = f64::from(p);
        let right = if wanted.next_if_eq(&class).is_some() { p } else { 1.0 - p };
        log_loss += surprise(right);
        brier += (1.0 - right).powi(2);
    }
    let classes = row.len().max(1) as f64;
    (log_loss / classes, brier / classes)
}

/// The mean of values that count as often as their weights say.
pub(super) fn mean(values: &[f64], weights: &[u32]) -> f64 {
    let n: u64 = weights.iter().map(|&w| u64::from(w)).sum();
    let sum: f64 = values.iter().zip(weights).map(|(value, &w)| value * f64::from(w)).sum();
    sum / n as f64
}
