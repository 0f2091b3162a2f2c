//! Probabilities of independent classes calibrated one by one: Platt scaling.

use rayon::prelude::*;

use crate::nn::Matrix;

/// How far the scale of a class, and its value at the mean score, usually are from those of all classes
/// together: the standard deviation of the normal prior that draws them there.
const SPREAD: f64 = 0.5;

/// The least scale: a higher score never means a lower probability.
const LEAST_SCALE: f64 = 0.05;

/// Steps of Newton's method; it needs far fewer.
const STEPS: usize = 60;

/// `ln(p / (1 − p))` of a probability, within what 32-bit numbers can tell apart.
pub(super) fn logit(p: f32) -> f64 {
    let p = f64::from(p.clamp(f32::MIN_POSITIVE, 1.0 - f32::EPSILON / 2.0));
    libm::log(p) - libm::log1p(-p)
}

/// `1 / (1 + e^−z)`.
pub(super) fn sigmoid(z: f64) -> f64 {
    let small = libm::exp(-z.abs());
    if z >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) }
}

/// A scale and an offset of logits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) scale: f64,
    pub(super) offset: f64,
}

/// Logits with the truth of each, from 0 to 1.
type Scores = Vec<(f64, f64)>;

/// The line of each class. `truth` has one row a document and one column a class: 1 for yes.
pub(super) fn fit(probabilities: &Matrix, truth: &Matrix) -> Vec<Line> {
    let column = |j: usize| -> Scores {
        let rows = probabilities.iter_rows().zip(truth.iter_rows());
        rows.map(|(p, y)| (logit(p[j]), f64::from(y[j]))).collect()
    };
    let columns: Vec<Scores> = (0..probabilities.cols()).into_par_iter().map(column).collect();
    let as_it_is = Line { scale: 1.0, offset: 0.0 };
    // A prior as weak as one document keeps the scale finite where all answers are right.
    let shared = newton(&columns, as_it_is, 1.0);
    columns.into_par_iter().map(|scores| around_mean(scores, shared)).collect()
}

/// The line of one class, which its prior holds by scale and by value at the mean score: that most
/// documents lack the class says nothing of the scale then.
fn around_mean(mut scores: Scores, shared: Line) -> Line {
    let mean = scores.iter().map(|(z, _)| z).sum::<f64>() / scores.len() as f64;
    for (z, _) in &mut scores {
        *z -= mean;
    }
    let prior = Line { offset: shared.offset + shared.scale * mean, ..shared };
    let Line { scale, offset } = newton(&[scores], prior, 1.0 / (SPREAD * SPREAD));
    Line { scale, offset: offset - scale * mean }
}

/// Sum of `b(y, a·z + b)` and `½·weight·((a − a₀)² + (b − b₀)²)`.
fn objective(columns: &[Scores], prior: Line, weight: f64, at: Line) -> f64 {
    let of = |scores: &Scores| -> f64 {
        let loss = |&(z, y): &(f64, f64)| {
            let s = at.scale * z + at.offset;
            s.max(0.0) - s * y + libm::log1p(libm::exp(-s.abs()))
        };
        scores.iter().map(loss).sum()
    };
    let sums: Vec<f64> = columns.par_iter().map(of).collect();
    let (a, b) = (at.scale - prior.scale, at.offset - prior.offset);
    sums.iter().sum::<f64>() + 0.5 * weight * (a * a + b * b)
}

/// Gradient by scale and offset, and the second derivatives `aa`, `ab`, `bb`.
fn derivatives(columns: &[Scores], prior: Line, weight: f64, at: Line) -> [f64; 5] {
    let of = |scores: &Scores| {
        let mut sums = [0.0; 5];
        for &(z, y) in scores {
            let p = sigmoid(at.scale * z + at.offset);
            let (rest, curve) = (p - y, p * (1.0 - p));
            let terms = [rest * z, rest, curve * z * z, curve * z, curve];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        sums
    };
    let (a, b) = (at.scale - prior.scale, at.offset - prior.offset);
    let mut total = [weight * a, weight * b, weight, 0.0, weight];
    let parts: Vec<[f64; 5]> = columns.par_iter().map(of).collect();
    for part in parts {
        total.iter_mut().zip(part).for_each(|(sum, term)| *sum += term);
    }
    total
}

/// The least of the objective, which is convex: Newton's method with halved steps where a whole one
/// does not fall.
fn newton(columns: &[Scores], prior: Line, weight: f64) -> Line {
    let mut at = prior;
    let mut value = objective(columns, prior, weight, at);
    for _ in 0..STEPS {
        let [ga, gb, aa, ab, bb] = derivatives(columns, prior, weight, at);
        let determinant = aa * bb - ab * ab;
        let (mut da, mut db) =
            ((bb * ga - ab * gb) / determinant, (aa * gb - ab * ga) / determinant);
        if at.scale - da < LEAST_SCALE {
            // At the bound the offset alone is free.
            da = at.scale - LEAST_SCALE;
            db = (gb - ab * da) / bb;
        }
        let mut size = 1.0;
        let next = loop {
            let next = Line { scale: at.scale - size * da, offset: at.offset - size * db };
            let reached = objective(columns, prior, weight, next);
            if reached <= value {
                break Some((next, reached));
            }
            size *= 0.5;
            if size < 1e-9 {
                break None;
            }
        };
        let Some((next, reached)) = next else { break };
        let gain = value - reached;
        (at, value) = (next, reached);
        if gain <= 1e-12 * value.abs() {
            break;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn derivatives_agree_with_finite_differences_and_vanish_at_the_least(
            scores in prop::collection::vec((-8.0_f64..8.0, 0.0_f64..=1.0), 1..40),
            (scale, offset) in (0.1_f64..2.0, -1.0_f64..1.0),
        ) {
            let columns = [scores];
            let (prior, at, weight) =
                (Line { scale: 0.8, offset: 0.1 }, Line { scale, offset }, 4.0);
            let value = |a: f64, b: f64| {
                objective(&columns, prior, weight, Line { scale: a, offset: b })
            };
            let [ga, gb, aa, ab, bb] = derivatives(&columns, prior, weight, at);
            let h = 1e-4;
            let close = |got: f64, want: f64| (got - want).abs() < 1e-4 * (1.0 + want.abs());
            let along = |a: f64, b: f64| (value(scale + a, offset + b) - value(scale - a, offset - b)) / (2.0 * h);
            prop_assert!(close(ga, along(h, 0.0)) && close(gb, along(0.0, h)));
            let slopes = |a: f64, b: f64| {
                derivatives(&columns, prior, weight, Line { scale: scale + a, offset: offset + b })
            };
            let second = |of: usize, a: f64, b: f64| (slopes(a, b)[of] - slopes(-a, -b)[of]) / (2.0 * h);
            prop_assert!(close(aa, second(0, h, 0.0)) && close(bb, second(1, 0.0, h)));
            prop_assert!(close(ab, second(0, 0.0, h)));

            let least = newton(&columns, prior, weight);
            let [ga, gb, ..] = derivatives(&columns, prior, weight, least);
            prop_assert!(gb.abs() < 1e-3, "{gb} at {least:?}");
            // At the bound the scale may want to go on falling.
            prop_assert!(ga.abs() < 1e-3 || (least.scale < LEAST_SCALE + 1e-9 && ga > 0.0), "{ga} at {least:?}");
        }
    }

    #[test]
    fn logits_and_probabilities_turn_into_each_other() {
        for p in [1e-30_f32, 1e-4, 0.3, 0.5, 0.9, 0.9999] {
            assert!((sigmoid(logit(p)) as f32 / p - 1.0).abs() < 1e-6, "{p}");
        }
        assert!(logit(0.0).is_finite() && logit(1.0).is_finite());
        assert_eq!((sigmoid(-1e4), sigmoid(1e4)), (0.0, 1.0));
    }
}
