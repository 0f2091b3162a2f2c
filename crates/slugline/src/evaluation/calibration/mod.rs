//! Probabilities that mean what they say: temperature scaling, and how far from it they are.

mod mixture;

use serde::{Deserialize, Serialize};

use crate::nn::Matrix;

pub use mixture::Mixture;

/// What turns a network's probabilities into calibrated ones.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    /// Nothing.
    #[default]
    None,
    /// `softmax(z / T)` of the logits `z`, which is `p^(1/T)` scaled to sum 1 (Guo et al. 2017, "On
    /// Calibration of Modern Neural Networks").
    Temperature {
        /// `T`, from 0.05 to 20.
        temperature: f64,
    },
    /// A temperature, a share of labels that do not follow the text, and a map of confidence.
    Mixture(Mixture),
}

/// Temperatures that are looked for.
const COLDEST: f64 = 0.05;
const HOTTEST: f64 = 20.0;

/// The smallest probability that has a logarithm of use: the smallest positive normal number.
const LEAST: f32 = f32::MIN_POSITIVE;

impl Calibration {
    /// The temperature that makes the log loss of held-out documents least.
    ///
    /// `probabilities` has one row a document, `labels` its class. Without documents nothing is
    /// changed.
    ///
    /// ```
    /// use slugline::evaluation::Calibration;
    /// use slugline::nn::Matrix;
    ///
    /// // Nine in ten are claimed, three in four are right.
    /// let p = Matrix::new(4, 2, [0.9_f32, 0.1].repeat(4))?;
    /// let fitted = Calibration::fit_temperature(&p, &[0, 0, 0, 1]);
    /// let mut row = [0.9, 0.1];
    /// fitted.apply(&mut row);
    /// assert!((row[0] - 0.75).abs() < 1e-3);
    /// # Ok::<(), slugline::nn::NnError>(())
    /// ```
    ///
    /// # Panics
    /// If there are not as many labels as rows, or a label has no column.
    pub fn fit_temperature(probabilities: &Matrix, labels: &[u32]) -> Self {
        assert_eq!(probabilities.rows(), labels.len(), "a label for each row");
        if labels.is_empty() {
            return Self::None;
        }
        // The log loss is convex in 1/T: the sign of its derivative tells on which side the least
        // lies, so that halving the interval of ln(1/T) finds it.
        let (mut low, mut high) = (-HOTTEST.ln(), -COLDEST.ln());
        for _ in 0..40 {
            let middle = f64::midpoint(low, high);
            match slope(probabilities, labels, libm::exp(middle)) > 0.0 {
                true => high = middle,
                false => low = middle,
            }
        }
        Self::Temperature { temperature: libm::exp(-f64::midpoint(low, high)) }
    }

    /// The [`Mixture`] that makes the log loss of held-out documents least: where labels are wrong now and
    /// then, a temperature alone cannot be right for sure answers and doubtful ones at once.
    ///
    /// `probabilities` has one row a document, `labels` its class. Without documents nothing is
    /// changed. Works on all threads of the current pool; the result does not depend on their number.
    ///
    /// # Panics
    /// If there are not as many labels as rows, or a label has no column.
    pub fn fit_mixture(probabilities: &Matrix, labels: &[u32]) -> Self {
        assert_eq!(probabilities.rows(), labels.len(), "a label for each row");
        if labels.is_empty() {
            return Self::None;
        }
        Self::Mixture(Mixture::fit(probabilities, labels))
    }

    /// Calibrates the probabilities of a document in place.
    ///
    /// # Panics
    /// If there are not as many as the calibration was fitted to.
    pub fn apply(&self, probabilities: &mut [f32]) {
        let temperature = match self {
            Self::None => return,
            Self::Temperature { temperature } => *temperature,
            Self::Mixture(mixture) => return mixture.apply(probabilities),
        };
        let largest = probabilities.iter().copied().fold(LEAST, f32::max);
        let power = |p: f32| {
            let ratio = f64::from(p.max(LEAST)) / f64::from(largest);
            libm::exp(libm::log(ratio) / temperature)
        };
        let sum: f64 = probabilities.iter().map(|&p| power(p)).sum();
        for p in probabilities {
            *p = (power(*p) / sum) as f32;
        }
    }

    /// Whether it can be applied to so many classes; if not, what was expected and found.
    pub(crate) fn check(&self, classes: usize) -> Result<(), (String, String)> {
        match self {
            Self::None => Ok(()),
            Self::Temperature { temperature } if temperature.is_finite() && *temperature > 0.0 => {
                Ok(())
            }
            Self::Temperature { temperature } => {
                Err(("a temperature above 0".into(), temperature.to_string()))
            }
            Self::Mixture(mixture) => mixture.check(classes),
        }
    }

    /// Calibrates every row.
    pub fn apply_rows(&self, probabilities: &mut Matrix) {
        let columns = probabilities.cols().max(1);
        probabilities.data_mut().chunks_exact_mut(columns).for_each(|row| self.apply(row));
    }
}

/// The derivative of the log loss by `b = 1/T`: the mean of `Σⱼ qⱼ·zⱼ − z_label` with `q = softmax(b·z)`,
/// times the number of documents.
fn slope(probabilities: &Matrix, labels: &[u32], b: f64) -> f64 {
    let mut total = 0.0;
    for (row, &label) in probabilities.iter_rows().zip(labels) {
        let logit = |p: f32| libm::log(f64::from(p.max(LEAST)));
        let largest = logit(row.iter().copied().fold(LEAST, f32::max));
        let (mut sum, mut mean) = (0.0, 0.0);
        for &p in row {
            let z = logit(p) - largest;
            let q = libm::exp(b * z);
            sum += q;
            mean += q * z;
        }
        total += mean / sum - (logit(row[label as usize]) - largest);
    }
    total
}

/// How confidence and accuracy agree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reliability {
    /// Expected calibration error: the mean over the documents of how far their bin's accuracy is from
    /// its mean confidence (Naeini et al. 2015; Guo et al. 2017).
    pub ece: f64,
    /// The largest such distance of a bin that has documents.
    pub mce: f64,
    /// Bins of equal width from confidence 0 to 1, the upper end included.
    pub bins: Vec<ReliabilityBin>,
}

/// Documents of similar confidence.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Number of documents.
    pub samples: u64,
    /// Mean probability of their answers; 0 without documents.
    pub confidence: f64,
    /// Share of right answers; 0 without documents.
    pub accuracy: f64,
}

impl Reliability {
    /// Of the most probable class of each document, in so many bins; 15 is usual.
    ///
    /// # Panics
    /// If there are not as many labels as rows.
    pub fn new(probabilities: &Matrix, labels: &[u32], bins: usize) -> Self {
        assert_eq!(probabilities.rows(), labels.len(), "a label for each row");
        let mut all = vec![ReliabilityBin::default(); bins.max(1)];
        let answers = probabilities.argmax_rows();
        for ((row, &label), &answer) in probabilities.iter_rows().zip(labels).zip(&answers) {
            let confidence = f64::from(row.get(answer as usize).copied().unwrap_or(0.0));
            let place = (confidence * all.len() as f64).ceil() as usize;
            let last = all.len() - 1;
            let bin = &mut all[place.saturating_sub(1).min(last)];
            bin.samples += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(answer == label));
        }
        let (mut ece, mut mce) = (0.0, 0.0_f64);
        for bin in all.iter_mut().filter(|bin| bin.samples > 0) {
            let n = bin.samples as f64;
            bin.confidence /= n;
            bin.accuracy /= n;
            let gap = (bin.confidence - bin.accuracy).abs();
            ece += gap * n / labels.len() as f64;
            mce = mce.max(gap);
        }
        Self { ece, mce, bins: all }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reliability_follows_the_definition() {
        let p = Matrix::new(4, 2, vec![0.9, 0.1, 0.85, 0.15, 0.4, 0.6, 0.5, 0.5]).unwrap();
        let r = Reliability::new(&p, &[0, 1, 1, 0], 5);
        // Of 5 bins, (0.8, 1] has two documents: |0.875 − 0.5|; 0.5 stands alone in (0.4, 0.6], and so does
        // 0.6 in (0.6, 0.8], since its 32-bit form lies above it: |0.5 − 1| and |0.6 − 1|.
        assert!((r.ece - (0.375 * 2.0 + 0.4 + 0.5) / 4.0).abs() < 1e-6, "{r:?}");
        assert!((r.mce - 0.5).abs() < 1e-6);
        assert_eq!(r.bins.iter().map(|b| b.samples).collect::<Vec<_>>(), [0, 0, 1, 1, 2]);
    }

    #[test]
    fn certain_answers_stay_within_bounds() {
        let p = Matrix::new(2, 2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
        for (labels, want) in [([0, 1], COLDEST), ([1, 0], HOTTEST)] {
            let fitted = Calibration::fit_temperature(&p, &labels);
            let Calibration::Temperature { temperature } = fitted else { panic!() };
            assert!((temperature / want - 1.0).abs() < 1e-6, "{temperature}");
        }
        assert_eq!(Calibration::fit_temperature(&Matrix::zeros(0, 2), &[]), Calibration::None);
    }

    fn log_loss(p: &Matrix, labels: &[u32]) -> f64 {
        let of = |(row, &l): (&[f32], &u32)| -f64::from(row[l as usize].max(LEAST)).ln();
        p.iter_rows().zip(labels).map(of).sum()
    }

    proptest! {
        #[test]
        fn the_fitted_temperature_is_the_best(
            rows in prop::collection::vec((0.01_f32..1.0, 0.01_f32..1.0, 0.01_f32..1.0, 0_u32..3), 1..40),
            other in 0.06_f64..19.0,
        ) {
            let labels: Vec<u32> = rows.iter().map(|r| r.3).collect();
            let data = rows.iter().flat_map(|r| { let s = r.0 + r.1 + r.2; [r.0 / s, r.1 / s, r.2 / s] });
            let p = Matrix::new(rows.len(), 3, data.collect()).unwrap();
            let loss_of = |calibration: Calibration| {
                let mut p = p.clone();
                calibration.apply_rows(&mut p);
                for row in p.iter_rows() {
                    assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                }
                log_loss(&p, &labels)
            };
            let best = loss_of(Calibration::fit_temperature(&p, &labels));
            let other = loss_of(Calibration::Temperature { temperature: other });
            prop_assert!(best <= other + 1e-4, "{best} {other}");
            prop_assert!(best <= log_loss(&p, &labels) + 1e-4);
        }
    }
}
