//! Calibration where some labels are wrong: a temperature, a share of labels that were drawn without
//! looking at the text, and a map of confidence.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{COLDEST, HOTTEST, LEAST};
use crate::nn::{Matrix, argmax};

/// What `Calibration::Mixture` holds.
///
/// Of the logits `z` of a document it makes `p = (1 − ε)·softmax(z / T) + ε·π`: with a chance of `ε` the
/// label was drawn from the classes' shares `π`, whatever the text says, else it follows the network.
/// Then the largest, `c`, becomes `sigmoid(a·ln c − b·ln(1 − c) + d)` (Kull, Silva Filho & Flach 2017,
/// "Beta calibration"), but stays the largest, and the others keep their proportions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mixture {
    /// `T`, from 0.05 to 20.
    pub temperature: f64,
    /// `ε`, from 0 to below 1.
    pub noise: f64,
    /// `π`: the share of each class among the labels, which sum to 1.
    pub shares: Vec<f32>,
    /// `a`, `b` and `d`; the first two at least 0.
    pub confidence: [f64; 3],
}

/// Most rounds of the search for `T` and `ε`.
const ROUNDS: usize = 60;

/// Documents with labels as they should be that are taken for granted beside those held out: a few
/// documents alone do not make `ε` large.
const GRANTED: f64 = 10.0;

/// Documents that one thread looks at in a row; sums are taken over these pieces in their order.
const CHUNK: usize = 64;

impl Mixture {
    /// What makes the log loss of held-out documents least: `T` and `ε` together by expectation and
    /// maximisation (who drew each label, then the best `T` and `ε` for that), after it `a`, `b` and `d` by
    /// the log loss of "the answer is right", with a normal prior of standard deviation 1 around 1, 1
    /// and 0, which change nothing.
    pub(super) fn fit(probabilities: &Matrix, labels: &[u32]) -> Self {
        let n = labels.len() as f64;
        let mut shares = vec![0.0_f32; probabilities.cols()];
        for &label in labels {
            shares[label as usize] += 1.0;
        }
        for share in &mut shares {
            *share = (f64::from(*share) / n) as f32;
        }
        let logits = logits(probabilities);
        let (mut inverse, mut noise) = (1.0, 0.05);
        for _ in 0..ROUNDS {
            let sums = sums(&logits, labels, &shares, inverse, noise);
            let next = (n - sums.clean) / (n + GRANTED);
            // Newton's step on the convex loss of the labels that follow the text, held within a factor.
            let step = if sums.curve > 0.0 { sums.slope / sums.curve } else { sums.slope };
            let moved = (inverse - step).clamp(inverse * 0.5, inverse * 2.0);
            let moved = moved.clamp(1.0 / HOTTEST, 1.0 / COLDEST);
            let still = (moved - inverse).abs() < 1e-6 * inverse && (next - noise).abs() < 1e-6;
            (inverse, noise) = (moved, next);
            if still {
                break;
            }
        }
        let mut fitted =
            Self { temperature: 1.0 / inverse, noise, shares, confidence: [1.0, 1.0, 0.0] };
        fitted.confidence = fitted.fit_confidence(probabilities, labels);
        fitted
    }

    fn fit_confidence(&self, probabilities: &Matrix, labels: &[u32]) -> [f64; 3] {
        let rows: Vec<(&[f32], u32)> =
            probabilities.iter_rows().zip(labels.iter().copied()).collect();
        let observed: Vec<([f64; 3], bool)> = rows
            .par_iter()
            .map(|(row, label)| {
                let mut row = row.to_vec();
                self.mix(&mut row);
                let answer = argmax(&row);
                (terms(f64::from(row[answer as usize])), answer == *label)
            })
            .collect();
        confidence_map(&observed)
    }

    /// Calibrates the probabilities of a document in place.
    pub(super) fn apply(&self, probabilities: &mut [f32]) {
        self.mix(probabilities);
        let top = argmax(probabilities) as usize;
        let Some(&largest) = probabilities.get(top) else { return };
        let (c, [a, b, d]) = (terms(f64::from(largest)), self.confidence);
        let wanted = sigmoid(a * c[0] + b * c[1] + d);
        let second = (0..).zip(&*probabilities).filter(|(i, _)| *i != top);
        let second = second.map(|(_, &p)| f64::from(p)).fold(0.0, f64::max);
        let rest = 1.0 - f64::from(largest);
        if rest <= 0.0 {
            return;
        }
        // With this much the second would be as probable.
        let least = second / (rest + second);
        let confidence = wanted.clamp(least, 1.0);
        let factor = (1.0 - confidence) / rest;
        for (i, p) in probabilities.iter_mut().enumerate() {
            *p = if i == top { confidence } else { f64::from(*p) * factor } as f32;
        }
    }

    /// The temperature and the share of drawn labels, without the map of confidence.
    fn mix(&self, probabilities: &mut [f32]) {
        let largest = probabilities.iter().copied().fold(LEAST, f32::max);
        let power = |p: f32| {
            let ratio = f64::from(p.max(LEAST)) / f64::from(largest);
            libm::exp(libm::log(ratio) / self.temperature)
        };
        let sum: f64 = probabilities.iter().map(|&p| power(p)).sum();
        for (p, &share) in probabilities.iter_mut().zip(&self.shares) {
            *p = ((1.0 - self.noise) * power(*p) / sum + self.noise * f64::from(share)) as f32;
        }
    }

    /// What is wrong with values that do not come from [`fit`](Self::fit): expected and found.
    pub(super) fn check(&self, classes: usize) -> Result<(), (String, String)> {
        let bad = |expected: &str, found: String| Err((expected.to_owned(), found));
        let Self { temperature, noise, shares, confidence: [a, b, d] } = self;
        if !(temperature.is_finite() && *temperature > 0.0) {
            return bad("a temperature above 0", temperature.to_string());
        }
        if !(0.0..1.0).contains(noise) {
            return bad("a noise of at least 0 and below 1", noise.to_string());
        }
        let sum: f64 = shares.iter().map(|&share| f64::from(share)).sum();
        let known = shares.iter().all(|share| (0.0..=1.0).contains(share));
        if shares.len() != classes || !known || (sum - 1.0).abs() > 1e-3 {
            let found = format!("{} shares with the sum {sum}", shares.len());
            return bad(&format!("{classes} shares from 0 to 1 with the sum 1"), found);
        }
        match [a, b].iter().all(|x| x.is_finite() && **x >= 0.0) && d.is_finite() {
            true => Ok(()),
            false => bad("three finite numbers for confidence, the first two at least 0", {
                format!("{a}, {b} and {d}")
            }),
        }
    }
}

/// Logarithms of the probabilities, the largest of each row 0.
fn logits(probabilities: &Matrix) -> Matrix {
    let mut logits = probabilities.clone();
    let columns = logits.cols().max(1);
    logits.data_mut().par_chunks_exact_mut(columns).for_each(|row| {
        let largest = row.iter().copied().fold(LEAST, f32::max);
        let largest = libm::log(f64::from(largest));
        for p in row {
            *p = (libm::log(f64::from(p.max(LEAST))) - largest) as f32;
        }
    });
    logits
}

/// Sums over the documents, each weighed by the chance that its label follows the text.
#[derive(Default)]
struct Sums {
    /// Of these chances.
    clean: f64,
    /// Of the derivative of the log loss by `1/T`.
    slope: f64,
    /// Of the second derivative.
    curve: f64,
}

fn sums(logits: &Matrix, labels: &[u32], shares: &[f32], inverse: f64, noise: f64) -> Sums {
    let columns = logits.cols().max(1);
    let of = |(rows, labels): (&[f32], &[u32])| {
        let mut sums = Sums::default();
        for (row, &label) in rows.chunks_exact(columns).zip(labels) {
            let (mut sum, mut first, mut second) = (0.0, 0.0, 0.0);
            for &z in row {
                let z = f64::from(z);
                let q = libm::exp(inverse * z);
                sum += q;
                first += q * z;
                second += q * z * z;
            }
            let z = f64::from(row[label as usize]);
            let follows = (1.0 - noise) * libm::exp(inverse * z) / sum;
            let drawn = noise * f64::from(shares[label as usize]);
            let clean = follows / (follows + drawn).max(f64::MIN_POSITIVE);
            let mean = first / sum;
            sums.clean += clean;
            sums.slope += clean * (mean - z);
            sums.curve += clean * (second / sum - mean * mean);
        }
        sums
    };
    let pieces: Vec<Sums> =
        logits.data().par_chunks(CHUNK * columns).zip(labels.par_chunks(CHUNK)).map(of).collect();
    pieces.iter().fold(Sums::default(), |all, piece| Sums {
        clean: all.clean + piece.clean,
        slope: all.slope + piece.slope,
        curve: all.curve + piece.curve,
    })
}

fn sigmoid(x: f64) -> f64 {
    let small = libm::exp(-x.abs());
    if x >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// `ln c`, `−ln(1 − c)` and 1, for a confidence within what can be told from certainty.
fn terms(confidence: f64) -> [f64; 3] {
    let c = confidence.clamp(1e-7, 1.0 - 1e-7);
    [libm::log(c), -libm::log1p(-c), 1.0]
}

/// The `a`, `b` and `d` that make the log loss of right and wrong answers least.
fn confidence_map(observed: &[([f64; 3], bool)]) -> [f64; 3] {
    const NOTHING: [f64; 3] = [1.0, 1.0, 0.0];
    let all = newton(observed, NOTHING, [true; 3]);
    // Confidence that falls where it should rise is noise: its factor is then held at nothing.
    let mut free = [true; 3];
    let mut start = NOTHING;
    for i in 0..2 {
        if all[i] < 0.0 {
            (free[i], start[i]) = (false, 0.0);
        }
    }
    let fitted = if free == [true; 3] { all } else { newton(observed, start, free) };
    if fitted[0] >= 0.0 && fitted[1] >= 0.0 { fitted } else { NOTHING }
}

/// Newton's method on the convex loss with its prior, halving steps that do not lower it.
#[allow(clippy::needless_range_loop, reason = "rows and columns of one small matrix")]
fn newton(observed: &[([f64; 3], bool)], start: [f64; 3], free: [bool; 3]) -> [f64; 3] {
    let prior = [1.0, 1.0, 0.0];
    let loss = |at: [f64; 3]| -> f64 {
        let own: f64 = at.iter().zip(prior).map(|(x, p)| 0.5 * (x - p) * (x - p)).sum();
        let of = |(x, right): &([f64; 3], bool)| {
            let s = dot(at, *x);
            s.max(0.0) - if *right { s } else { 0.0 } + libm::log1p(libm::exp(-s.abs()))
        };
        own + observed.iter().map(of).sum::<f64>()
    };
    let mut at = start;
    let mut value = loss(at);
    for _ in 0..50 {
        let mut gradient: [f64; 3] = std::array::from_fn(|i| at[i] - prior[i]);
        let mut curve = [[0.0; 3]; 3];
        for (i, row) in curve.iter_mut().enumerate() {
            row[i] = 1.0;
        }
        for (x, right) in observed {
            let p = sigmoid(dot(at, *x));
            let off = p - f64::from(u8::from(*right));
            for i in 0..3 {
                gradient[i] += off * x[i];
                for j in 0..3 {
                    curve[i][j] += p * (1.0 - p) * x[i] * x[j];
                }
            }
        }
        for i in (0..3).filter(|&i| !free[i]) {
            gradient[i] = 0.0;
            for j in 0..3 {
                curve[i][j] = 0.0;
                curve[j][i] = 0.0;
            }
            curve[i][i] = 1.0;
        }
        let step = solve(curve, gradient);
        let mut size = 1.0;
        let better = loop {
            let next: [f64; 3] = std::array::from_fn(|i| at[i] - size * step[i]);
            let reached = loss(next);
            if reached < value {
                break Some((next, reached));
            }
            size *= 0.5;
            if size < 1e-6 {
                break None;
            }
        };
        let Some((next, reached)) = better else { break };
        let gain = value - reached;
        (at, value) = (next, reached);
        if gain < 1e-9 * (1.0 + value) {
            break;
        }
    }
    at
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Solves three equations with a symmetric, positive definite matrix, by elimination.
#[allow(clippy::needless_range_loop, reason = "rows and columns of one small matrix")]
fn solve(mut a: [[f64; 3]; 3], mut b: [f64; 3]) -> [f64; 3] {
    for i in 0..3 {
        for row in i + 1..3 {
            let factor = a[row][i] / a[i][i];
            for column in i..3 {
                a[row][column] -= factor * a[i][column];
            }
            b[row] -= factor * b[i];
        }
    }
    for i in (0..3).rev() {
        for column in i + 1..3 {
            b[i] -= a[i][column] * b[column];
        }
        b[i] /= a[i][i];
    }
    b
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Documents of three classes whose probabilities are right but for a tenth of the labels, which
    /// are drawn from shares of 0.7, 0.2 and 0.1.
    fn noisy(n: usize) -> (Matrix, Vec<u32>) {
        let (mut data, mut labels) = (Vec::new(), Vec::new());
        // Low-discrepancy numbers instead of random ones: every share comes out as it should.
        let point = |i: usize, step: f64| (i as f64 * step).fract();
        let draw = |u: f64, shares: [f64; 3]| {
            u32::from(u >= shares[0]) + u32::from(u >= shares[0] + shares[1])
        };
        for i in 0..n {
            let sure = 0.4 + 0.59 * point(i, 0.618_033_988_749_895);
            let class = i % 3;
            let mut row = [(1.0 - sure) / 2.0; 3];
            row[class] = sure;
            let u = point(i, 0.754_877_666_246_693);
            let label = match point(i, 0.569_840_290_998_053) < 0.1 {
                true => draw(u, [0.7, 0.2, 0.1]),
                false => draw(u, row),
            };
            data.extend(row.map(|p| p as f32));
            labels.push(label);
        }
        (Matrix::new(n, 3, data).unwrap(), labels)
    }

    #[test]
    fn drawn_labels_are_found() {
        let (p, labels) = noisy(20_000);
        let fitted = Mixture::fit(&p, &labels);
        // The shares are those of all labels, not of the drawn ones alone, so that the estimate is near.
        assert!((0.05..0.2).contains(&fitted.noise), "{fitted:?}");
        assert!((0.8..1.2).contains(&fitted.temperature), "{fitted:?}");
        let mut calibrated = p.clone();
        calibrated.data_mut().chunks_exact_mut(3).for_each(|row| fitted.apply(row));
        let error = super::super::Reliability::new(&calibrated, &labels, 15).ece;
        let before = super::super::Reliability::new(&p, &labels, 15).ece;
        assert!(error < 0.01 && before > 0.03, "{error} {before}");
    }

    #[test]
    fn sound_labels_leave_probabilities_alone() {
        let (p, _) = noisy(5000);
        let labels: Vec<u32> = (0..5000)
            .map(|i| {
                let u = (i as f64 * 0.754_877_666_246_693).fract() as f32;
                let row = p.row(i);
                u32::from(u >= row[0]) + u32::from(u >= row[0] + row[1])
            })
            .collect();
        let fitted = Mixture::fit(&p, &labels);
        for i in 0..300 {
            let mut row = p.row(i).to_vec();
            fitted.apply(&mut row);
            for (a, b) in row.iter().zip(p.row(i)) {
                assert!((a - b).abs() < 0.04, "{:?} became {row:?} by {fitted:?}", p.row(i));
            }
        }
    }

    #[test]
    fn three_equations_are_solved() {
        let x = solve([[4.0, 1.0, 0.5], [1.0, 3.0, 0.25], [0.5, 0.25, 2.0]], [7.5, 7.75, 7.0]);
        for (got, want) in x.iter().zip([1.0, 2.0, 3.0]) {
            assert!((got - want).abs() < 1e-12, "{x:?}");
        }
    }

    proptest! {
        #[test]
        fn calibrated_rows_sum_to_one_and_keep_the_order_of_the_mixture(
            rows in prop::collection::vec((0.0_f32..1.0, 0.0_f32..1.0, 0.0_f32..1.0, 0_u32..3), 1..60),
        ) {
            let labels: Vec<u32> = rows.iter().map(|r| r.3).collect();
            let data = rows.iter().flat_map(|r| { let s = (r.0 + r.1 + r.2).max(1e-3); [r.0 / s, r.1 / s, r.2 / s] });
            let p = Matrix::new(rows.len(), 3, data.collect()).unwrap();
            let fitted = Mixture::fit(&p, &labels);
            prop_assert!(fitted.check(3).is_ok(), "{fitted:?}");
            for row in p.iter_rows() {
                let (mut mixed, mut all) = (row.to_vec(), row.to_vec());
                fitted.mix(&mut mixed);
                fitted.apply(&mut all);
                prop_assert!((all.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{all:?}");
                let top = argmax(&mixed) as usize;
                prop_assert!(all.iter().all(|&p| p <= all[top] + 1e-6 && (0.0..=1.0).contains(&p)), "{all:?}");
            }
        }
    }
}
