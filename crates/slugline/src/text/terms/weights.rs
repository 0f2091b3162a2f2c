//! What a feature of a text is worth.

use super::options::{Idf, Norm, TermFrequency};

/// Factor of a feature of `df` among `n` documents.
pub(super) fn idf(idf: Idf, df: u32, n: usize) -> f32 {
    let (df, n) = (f64::from(df), n as f64);
    let smooth = || libm::log((1.0 + n) / (1.0 + df)) + 1.0;
    let value = match idf {
        Idf::None => 1.0,
        Idf::Smooth => smooth(),
        // A bucket of no training document has a count when another text falls into it.
        Idf::Plain => libm::log(n / df.max(1.0)) + 1.0,
        Idf::Keras => libm::log(1.0 + n / (1.0 + df)),
        Idf::SqrtSmooth => smooth().sqrt(),
        Idf::Bm25 => libm::log(1.0 + (n - df + 0.5) / (df + 0.5)),
    };
    value as f32
}

/// How unevenly a feature is spread over the classes, from 0 (as the documents are) to 1 (in one class
/// alone).
///
/// With `df_c` the number of documents of class `c` that have the feature, `N_c` the number of all
/// documents of the class and `N` their sum, the share of a class is `q_c ∝ (df_c + N_c/N) / N_c`, scaled
/// to sum 1; the result is `(max q − 1/C) / (1 − 1/C)` over the `C` classes that have documents.
///
/// ```
/// use slugline::text::class_spread;
///
/// assert!(class_spread(&[5, 5], &[10, 10]) < 1e-6);
/// assert!(class_spread(&[9, 0], &[10, 10]) > 0.8);
/// ```
pub fn class_spread(df: &[u32], sizes: &[u64]) -> f32 {
    let all = sizes.iter().sum::<u64>() as f64;
    let (mut sum, mut largest, mut classes) = (0.0, 0.0_f64, 0.0);
    for (&df, &size) in df.iter().zip(sizes).filter(|(_, size)| **size > 0) {
        let share = f64::from(df) / size as f64 + 1.0 / all;
        sum += share;
        largest = largest.max(share);
        classes += 1.0;
    }
    if classes < 2.0 {
        return 0.0;
    }
    let even = 1.0 / classes;
    ((largest / sum - even) / (1.0 - even)).max(0.0) as f32
}

/// Appends a row of counts: each feature of the sorted list once, with the number of times that it
/// stands there.
pub(super) fn count(features: &[u32], indices: &mut Vec<u32>, values: &mut Vec<f32>) {
    for run in features.chunk_by(|a, b| a == b) {
        indices.push(run[0]);
        values.push(run.len() as f32);
    }
}

/// Turns rows of counts into rows of values.
pub(super) struct Weighing<'a> {
    pub(super) tf: TermFrequency,
    pub(super) norm: Norm,
    /// Factor of each feature.
    pub(super) factors: &'a [f32],
    /// Tokens of a document on average.
    pub(super) mean_length: f32,
}

impl Weighing<'_> {
    /// Weighs the row of a text of so many tokens in place.
    pub(super) fn weigh(&self, indices: &[u32], values: &mut [f32], tokens: usize) {
        let relative = tokens as f32 / self.mean_length.max(1e-6);
        for (&feature, value) in indices.iter().zip(&mut *values) {
            let count = *value;
            let local = match self.tf {
                TermFrequency::Binary => 1.0,
                TermFrequency::Count => count,
                TermFrequency::Log if count == 1.0 => 1.0,
                TermFrequency::Log => 1.0 + libm::logf(count),
                TermFrequency::Bm25 { k1, b } => {
                    count * (k1 + 1.0) / (count + k1 * (1.0 - b + b * relative))
                }
            };
            *value = local * self.factors.get(feature as usize).copied().unwrap_or(0.0);
        }
        let length = match self.norm {
            Norm::None => return,
            Norm::L1 => values.iter().map(|v| f64::from(v.abs())).sum::<f64>(),
            Norm::L2 => values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt(),
        };
        if length > 0.0 {
            let scale = 1.0 / length;
            for v in values {
                *v = (f64::from(*v) * scale) as f32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spread_follows_the_formula() {
        // q ∝ (3 + 4/10)/4 = 0.85, (1 + 6/10)/6 = 0.2667: q = 0.7612; (0.7612 − 0.5)/0.5.
        assert!((class_spread(&[3, 1], &[4, 6]) - 0.522_388).abs() < 1e-5);
        // A class without documents does not count.
        assert!((class_spread(&[3, 0, 1], &[4, 0, 6]) - 0.522_388).abs() < 1e-5);
        assert_eq!(class_spread(&[3], &[4]), 0.0);
    }

    #[test]
    fn bm25_follows_the_formula() {
        let weighing = Weighing {
            tf: TermFrequency::Bm25 { k1: 1.2, b: 0.75 },
            norm: Norm::None,
            factors: &[1.0, 2.0],
            mean_length: 2.0,
        };
        let (mut indices, mut values) = (vec![], vec![]);
        count(&[0, 1, 1], &mut indices, &mut values);
        weighing.weigh(&indices, &mut values, 3);
        // k₁·(1 − b + b·3/2) = 1.65: 2.2/2.65 and 2·4.4/3.65.
        assert_eq!(indices, [0, 1]);
        assert!((values[0] - 0.830_188_7).abs() < 1e-6 && (values[1] - 2.410_959).abs() < 1e-6);
        assert!((idf(Idf::Bm25, 1, 3) - 0.980_829_3).abs() < 1e-6);
        assert!((idf(Idf::SqrtSmooth, 1, 3).powi(2) - idf(Idf::Smooth, 1, 3)).abs() < 1e-6);
    }
}
