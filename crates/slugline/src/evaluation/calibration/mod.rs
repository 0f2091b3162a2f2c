//! Probabilities that mean what they say: temperature and Platt scaling, and how far from it they are.

mod mixture;
mod platt;

use serde::{Deserialize, Serialize};

use crate::corpus::Labels;
use crate::nn::{Matrix, argmax};

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
    /// `sigmoid(aⱼ·zⱼ + bⱼ)` of the logits `zⱼ = ln(pⱼ / (1 − pⱼ))` of independent classes (Platt 1999,
    /// "Probabilistic Outputs for Support Vector Machines").
    Platt {
        /// `aⱼ` of each class, at least 0.05.
        scales: Vec<f64>,
        /// `bⱼ` of each class.
        offsets: Vec<f64>,
    },
}

/// Temperatures that are looked for.
const COLDEST: f64 = 0.05;
const HOTTEST: f64 = 20.0;

/// The smallest probability that has a logarithm of use: the smallest positive normal number.
const LEAST: f32 = f32::MIN_POSITIVE;

impl Calibration {
    /// The same for a model that has got classes behind those that it had: none of the labels that it was
    /// fitted to were theirs.
    #[must_use]
    pub(crate) fn widened(&self, classes: usize) -> Self {
        let mut widened = self.clone();
        if let Self::Mixture(mixture) = &mut widened {
            mixture.shares.resize(classes, 0.0);
        }
        widened
    }

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
        coolest(|b| slope(probabilities, b, |i, logits| logits[labels[i] as usize]))
    }

    /// As [`fit_temperature`](Self::fit_temperature), with a share of every class a document instead of
    /// one class: the log loss is `−Σⱼ yⱼ·ln pⱼ`. `shares` has the shape of `probabilities`; its rows sum
    /// to 1.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn fit_temperature_to_shares(probabilities: &Matrix, shares: &Matrix) -> Self {
        let shape = |m: &Matrix| (m.rows(), m.cols());
        assert_eq!(shape(probabilities), shape(shares), "a share for each probability");
        if shares.rows() == 0 {
            return Self::None;
        }
        let expected = |i: usize, logits: &[f64]| -> f64 {
            // A class without a share adds nothing, however improbable it is.
            let held = shares.row(i).iter().zip(logits).filter(|(y, _)| **y > 0.0);
            held.map(|(&y, z)| f64::from(y) * z).sum()
        };
        coolest(|b| slope(probabilities, b, expected))
    }

    /// The scale and offset of each class that make the log loss of held-out documents least, for
    /// independent classes.
    ///
    /// `probabilities` and `truth` have one row a document and one column a class; `truth` is 1 for yes
    /// and 0 for no. First a scale and an offset of all classes together are found. Then each class has
    /// its own, with a normal prior of standard deviation ½ around the common scale and around the common
    /// line's value at the class's mean logit: a class with few documents stays by them, one with many
    /// goes its own way. Without documents nothing is changed.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn fit_platt(probabilities: &Matrix, truth: &Matrix) -> Self {
        let shape = |m: &Matrix| (m.rows(), m.cols());
        assert_eq!(shape(probabilities), shape(truth), "an answer for each probability");
        if probabilities.rows() == 0 {
            return Self::None;
        }
        let lines = platt::fit(probabilities, truth);
        Self::Platt {
            scales: lines.iter().map(|line| line.scale).collect(),
            offsets: lines.iter().map(|line| line.offset).collect(),
        }
    }

    /// What fits the kind of the labels: a [`Mixture`] for one class a document, a temperature for shares
    /// of classes, Platt scaling for any number of classes a document.
    ///
    /// # Panics
    /// If there are not as many labels as rows, or a label has no column.
    pub fn fit(probabilities: &Matrix, labels: &Labels) -> Self {
        match labels {
            Labels::Single(labels) => Self::fit_mixture(probabilities, labels),
            Labels::Soft(shares) => Self::fit_temperature_to_shares(probabilities, shares),
            Labels::Multi(sets) => {
                Self::fit_platt(probabilities, &several_hot(sets, probabilities.cols()))
            }
        }
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

    /// What tells how probable a class is by the text alone: of a [`Mixture`] its temperature, which leaves
    /// out that any label may be wrong whatever the text says. Whoever looks for wrong labels asks the
    /// text.
    #[must_use]
    pub fn by_text_alone(&self) -> Self {
        match self {
            Self::Mixture(mixture) => Self::Temperature { temperature: mixture.temperature },
            other => other.clone(),
        }
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
            Self::Platt { scales, offsets } => {
                for ((p, a), b) in probabilities.iter_mut().zip(scales).zip(offsets) {
                    *p = platt::sigmoid(a * platt::logit(*p) + b) as f32;
                }
                return;
            }
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
        let positive = |x: &f64| x.is_finite() && *x > 0.0;
        match self {
            Self::None => Ok(()),
            Self::Temperature { temperature } if positive(temperature) => Ok(()),
            Self::Temperature { temperature } => {
                Err(("a temperature above 0".into(), temperature.to_string()))
            }
            Self::Mixture(mixture) => mixture.check(classes),
            Self::Platt { scales, offsets } => {
                if scales.len() != classes || offsets.len() != classes {
                    let found = format!("{} and {}", scales.len(), offsets.len());
                    return Err((format!("{classes} scales and offsets"), found));
                }
                let bad = scales.iter().find(|scale| !positive(scale));
                match bad.or_else(|| offsets.iter().find(|offset| !offset.is_finite())) {
                    Some(bad) => Err(("scales above 0 and finite offsets".into(), bad.to_string())),
                    None => Ok(()),
                }
            }
        }
    }

    /// Calibrates every row.
    pub fn apply_rows(&self, probabilities: &mut Matrix) {
        let columns = probabilities.cols().max(1);
        probabilities.data_mut().chunks_exact_mut(columns).for_each(|row| self.apply(row));
    }
}

/// The temperature at which a rising slope by `b = 1/T` passes zero: the log loss is convex in `b`, so
/// that the sign of its derivative tells on which side the least lies, and halving the interval of
/// `ln b` finds it.
fn coolest(slope: impl Fn(f64) -> f64) -> Calibration {
    let (mut low, mut high) = (-HOTTEST.ln(), -COLDEST.ln());
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        match slope(libm::exp(middle)) > 0.0 {
            true => high = middle,
            false => low = middle,
        }
    }
    Calibration::Temperature { temperature: libm::exp(-f64::midpoint(low, high)) }
}

/// The derivative of the log loss by `b = 1/T`: the mean of `Σⱼ qⱼ·zⱼ − wanted` with `q = softmax(b·z)`,
/// times the number of documents. `wanted` gives the logit that a document's label asks for, from the
/// document's number and its logits, the largest of which is 0.
fn slope(probabilities: &Matrix, b: f64, wanted: impl Fn(usize, &[f64]) -> f64) -> f64 {
    let mut total = 0.0;
    let mut logits = Vec::with_capacity(probabilities.cols());
    for (i, row) in probabilities.iter_rows().enumerate() {
        let logit = |p: f32| libm::log(f64::from(p.max(LEAST)));
        let largest = logit(row.iter().copied().fold(LEAST, f32::max));
        logits.clear();
        logits.extend(row.iter().map(|&p| logit(p) - largest));
        let (mut sum, mut mean) = (0.0, 0.0);
        for &z in &logits {
            let q = libm::exp(b * z);
            sum += q;
            mean += q * z;
        }
        total += mean / sum - wanted(i, &logits);
    }
    total
}

/// 1 at the classes of each document, else 0.
pub(crate) fn several_hot(sets: &[Vec<u32>], classes: usize) -> Matrix {
    let mut rows = Matrix::zeros(sets.len(), classes);
    for (row, set) in rows.data_mut().chunks_exact_mut(classes.max(1)).zip(sets) {
        for &class in set {
            row[class as usize] = 1.0;
        }
    }
    rows
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
        let rows = probabilities.iter_rows().zip(labels);
        Self::of(
            bins,
            rows.map(|(row, &label)| {
                let answer = argmax(row);
                (row.get(answer as usize).copied().unwrap_or(0.0), answer == label)
            }),
        )
    }

    /// Of the probabilities of multi-label answers, each class by itself: is a label as frequent as its
    /// probability says? `ece` is the mean over the classes, `mce` the largest distance of any, and the
    /// bins hold all documents and classes together: the mean probability, and the share that has the
    /// label.
    ///
    /// # Panics
    /// If there are not as many rising lists of labels as rows.
    pub fn of_labels(probabilities: &Matrix, labels: &[Vec<u32>], bins: usize) -> Self {
        assert_eq!(probabilities.rows(), labels.len(), "labels for each row");
        let classes = probabilities.cols();
        let column = |class: usize| {
            let rows = probabilities.iter_rows().zip(labels);
            let has = move |set: &[u32]| set.binary_search(&(class as u32)).is_ok();
            rows.map(move |(row, set)| (row[class], has(set)))
        };
        let (mut ece, mut mce) = (0.0, 0.0_f64);
        for class in 0..classes {
            let alone = Self::of(bins, column(class));
            ece += alone.ece / classes as f64;
            mce = mce.max(alone.mce);
        }
        Self { ece, mce, ..Self::of(bins, (0..classes).flat_map(column)) }
    }

    /// Of probabilities and whether what they are of is so.
    fn of(bins: usize, items: impl Iterator<Item = (f32, bool)>) -> Self {
        let mut all = vec![ReliabilityBin::default(); bins.max(1)];
        let mut count = 0_u64;
        for (p, is_so) in items {
            let confidence = f64::from(p);
            let place = (confidence * all.len() as f64).ceil() as usize;
            let last = all.len() - 1;
            let bin = &mut all[place.saturating_sub(1).min(last)];
            bin.samples += 1;
            bin.confidence += confidence;
            bin.accuracy += f64::from(u8::from(is_so));
            count += 1;
        }
        let (mut ece, mut mce) = (0.0, 0.0_f64);
        for bin in all.iter_mut().filter(|bin| bin.samples > 0) {
            let n = bin.samples as f64;
            bin.confidence /= n;
            bin.accuracy /= n;
            let gap = (bin.confidence - bin.accuracy).abs();
            ece += gap * n / count as f64;
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
    fn new_classes_have_no_share_of_the_old_labels() {
        let mixture = Mixture {
            temperature: 1.1,
            noise: 0.1,
            shares: vec![0.25, 0.75],
            confidence: [1.0, 1.0, 0.0],
        };
        let widened = Calibration::Mixture(mixture).widened(3);
        widened.check(3).unwrap();
        let mut p = [0.5, 0.2, 0.3];
        widened.apply(&mut p);
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5 && p[2] > 0.0, "{p:?}");
        let temperature = Calibration::Temperature { temperature: 2.0 };
        assert_eq!(temperature.widened(3), temperature);
    }

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

    #[test]
    fn shares_of_one_are_classes() {
        let p = Matrix::new(3, 2, vec![0.9, 0.1, 0.2, 0.8, 0.7, 0.3]).unwrap();
        let hot = Matrix::new(3, 2, vec![1.0, 0.0, 1.0, 0.0, 1.0, 0.0]).unwrap();
        let by_class = Calibration::fit_temperature(&p, &[0, 0, 0]);
        assert_eq!(Calibration::fit(&p, &Labels::Soft(hot)), by_class);
        // Nine tenths are claimed of what three quarters are: 9^(1/T) = 3.
        let p = Matrix::new(2, 2, vec![0.9, 0.1, 0.9, 0.1]).unwrap();
        let shares = Matrix::new(2, 2, vec![0.8, 0.2, 0.7, 0.3]).unwrap();
        let fitted = Calibration::fit(&p, &Labels::Soft(shares));
        let Calibration::Temperature { temperature } = fitted else { panic!() };
        assert!((temperature - 2.0).abs() < 1e-6, "{temperature}");
        let none = Labels::Soft(Matrix::zeros(0, 2));
        assert_eq!(Calibration::fit(&Matrix::zeros(0, 2), &none), Calibration::None);
    }

    /// Documents whose classes 0 and 1 are answered with logits that are twice too large, the first
    /// shifted by 1 too, and a class 2 that nobody has.
    fn overconfident() -> (Matrix, Vec<Vec<u32>>) {
        let (mut p, mut sets) = (Vec::new(), Vec::new());
        for i in 0..2000_u32 {
            let z = f64::from(i % 40) / 10.0 - 2.0;
            let truth = 1.0 / (1.0 + (-z).exp());
            // Of the fifty documents with the same score, so many say yes.
            let yes = f64::from(i / 40) + 0.5 < 50.0 * truth;
            let claimed = |z: f64| (1.0 / (1.0 + (-z).exp())) as f32;
            p.extend([claimed(2.0 * z + 1.0), claimed(2.0 * z), 0.004]);
            sets.push(if yes { vec![0, 1] } else { vec![] });
        }
        (Matrix::new(2000, 3, p).unwrap(), sets)
    }

    #[test]
    fn each_class_has_its_own_scale_and_offset() {
        let (p, sets) = overconfident();
        let fitted = Calibration::fit(&p, &Labels::Multi(sets));
        let Calibration::Platt { scales, offsets } = &fitted else { panic!() };
        let near = |a: f64, b: f64| (a - b).abs() < 0.06;
        assert!(near(scales[0], 0.5) && near(scales[1], 0.5), "{scales:?}");
        assert!(near(offsets[0], -0.5) && near(offsets[1], 0.0), "{offsets:?}");
        // A class that nobody has stays near the others, and its probability falls.
        assert!((scales[2] - scales[1]).abs() < 0.15, "{scales:?}");
        let mut row = [0.5, 0.5, 0.004];
        fitted.apply(&mut row);
        assert!((row[1] - 0.5).abs() < 0.02 && row[2] < 0.03, "{row:?}");
    }

    #[test]
    fn certain_classes_stay_within_bounds() {
        let certain = Matrix::new(4, 2, [1.0, 0.0].repeat(4)).unwrap();
        for sets in [vec![vec![0]; 4], vec![vec![1]; 4], vec![vec![]; 4], vec![vec![0, 1]; 4]] {
            let fitted = Calibration::fit_platt(&certain, &several_hot(&sets, 2));
            let Calibration::Platt { scales, offsets } = &fitted else { panic!() };
            assert!(scales.iter().all(|a| *a >= 0.05 && a.is_finite()), "{sets:?} {scales:?}");
            assert!(offsets.iter().all(|b| b.is_finite()), "{sets:?} {offsets:?}");
            let mut row = [1.0, 0.0];
            fitted.apply(&mut row);
            assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{row:?}");
        }
    }

    fn log_loss(p: &Matrix, labels: &[u32]) -> f64 {
        let of = |(row, &l): (&[f32], &u32)| -f64::from(row[l as usize].max(LEAST)).ln();
        p.iter_rows().zip(labels).map(of).sum()
    }

    /// What Platt scaling makes least, the prior aside.
    fn binary_loss(p: &Matrix, y: &Matrix) -> f64 {
        let of = |(&p, &y): (&f32, &f32)| {
            let p = f64::from(p.clamp(1e-30, 1.0 - 1e-7));
            -f64::from(y) * p.ln() - f64::from(1.0 - y) * (1.0 - p).ln()
        };
        p.data().iter().zip(y.data()).map(of).sum()
    }

    proptest! {
        #[test]
        fn platt_scaling_does_no_harm_where_it_was_fitted(
            rows in prop::collection::vec((-6.0_f64..6.0, prop::bool::ANY), 2..60),
        ) {
            let claimed = rows.iter().map(|r| platt::sigmoid(r.0) as f32).collect();
            let p = Matrix::new(rows.len(), 1, claimed).unwrap();
            let y = rows.iter().map(|r| f32::from(u8::from(r.1))).collect();
            let y = Matrix::new(rows.len(), 1, y).unwrap();
            let fitted = Calibration::fit_platt(&p, &y);
            let Calibration::Platt { scales, offsets } = &fitted else { panic!() };
            let (a, b) = (scales[0], offsets[0]);
            prop_assert!(a >= 0.05);
            let loss = |a: f64, b: f64| {
                let mut p = p.clone();
                Calibration::Platt { scales: vec![a], offsets: vec![b] }.apply_rows(&mut p);
                binary_loss(&p, &y)
            };
            // The line of all classes is no worse than doing nothing, and that of the class no worse than it.
            prop_assert!(loss(a, b) <= loss(1.0, 0.0) + 1e-3);
        }

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
