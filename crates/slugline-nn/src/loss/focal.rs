//! Focal losses from pre-activations: nothing overflows, and nothing is clipped.

/// `−y·ln p − (1−y)·ln(1−p)` with `p = sigmoid(z)`.
pub(super) fn binary_crossentropy(y: f64, z: f64) -> f64 {
    z.max(0.0) - z * y + libm::log1p(libm::exp(-z.abs()))
}

/// `α·Σⱼ (1 − pⱼ)^γ·yⱼ·(−ln pⱼ)` of a softmax row.
pub(super) struct Categorical {
    pub(super) alpha: f32,
    pub(super) gamma: f32,
    /// `ln Σ eᶻ` of the row.
    pub(super) log_sum: f64,
}

impl Categorical {
    /// The loss of a row; puts `factor` times its derivative by the pre-activations into `gradient`,
    /// unless that is empty.
    ///
    /// With `f(p) = −(1−p)^γ·ln p` and `hⱼ = α·yⱼ·f'(pⱼ)·pⱼ` the derivative by `zₖ` is
    /// `hₖ − pₖ·Σⱼ hⱼ`.
    pub(super) fn loss_and_gradient(
        &self,
        y: impl Iterator<Item = f32> + Clone,
        logits: &[f32],
        factor: f32,
        gradient: &mut [f32],
    ) -> f64 {
        let (alpha, gamma) = (f64::from(self.alpha), f64::from(self.gamma));
        let (mut loss, mut sum) = (0.0, 0.0);
        for (j, (y, &z)) in y.zip(logits).enumerate() {
            // A target of 0 adds nothing to either.
            let mut h = 0.0;
            if y != 0.0 {
                let log_p = f64::from(z) - self.log_sum;
                let rest = -libm::expm1(log_p);
                let weight = alpha * f64::from(y) * libm::pow(rest, gamma);
                loss -= weight * log_p;
                // ln p / (1 − p), which ends in −1 where the probability does in 1.
                let ratio = if rest > 0.0 { log_p / rest } else { -1.0 };
                h = weight * (gamma * libm::exp(log_p) * ratio - 1.0);
            }
            sum += h;
            if let Some(g) = gradient.get_mut(j) {
                *g = (h * f64::from(factor)) as f32;
            }
        }
        for (g, &z) in gradient.iter_mut().zip(logits) {
            let p = libm::exp(f64::from(z) - self.log_sum);
            *g = (f64::from(*g) - p * sum * f64::from(factor)) as f32;
        }
        loss
    }
}

/// `w·u^γ·b` of a sigmoid output, with the binary cross-entropy `b` and `u = y·(1−p) + (1−y)·p`, which
/// is `1 − p_t`.
pub(super) struct Binary {
    /// `α`, where `w` is `y·α + (1−y)·(1−α)`; 1 without.
    pub(super) balance: Option<f32>,
    pub(super) gamma: f32,
}

impl Binary {
    /// The loss of an output and its derivative by the pre-activation `z`:
    /// `w·u^γ·(γ·(1 − 2y)·p·(1−p)/u·b + p − y)`.
    pub(super) fn loss_and_slope(&self, y: f64, z: f64) -> (f64, f64) {
        let gamma = f64::from(self.gamma);
        let small = libm::exp(-z.abs());
        let (larger, smaller) = (1.0 / (1.0 + small), small / (1.0 + small));
        let (p, q) = if z >= 0.0 { (larger, smaller) } else { (smaller, larger) };
        let b = binary_crossentropy(y, z);
        let u = y * q + (1.0 - y) * p;
        let weight = self.balance.map_or(1.0, |alpha| {
            let alpha = f64::from(alpha);
            y * alpha + (1.0 - y) * (1.0 - alpha)
        });
        let outer = weight * libm::pow(u, gamma);
        // Where u vanishes so does b, faster than this ratio could grow.
        let ratio = if u > 0.0 { p * q / u } else { 1.0 };
        (outer * b, outer * (gamma * (1.0 - 2.0 * y) * ratio * b + p - y))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Log of the sum of exponentials, as the forward pass gives it.
    fn log_sum(logits: &[f32]) -> f64 {
        let largest = logits.iter().copied().fold(f32::MIN, f32::max);
        let sum: f64 = logits.iter().map(|z| f64::from(z - largest).exp()).sum();
        f64::from(largest) + sum.ln()
    }

    #[test]
    fn certain_and_hopeless_answers_have_finite_losses_and_gradients() {
        for gamma in [0.0, 0.5, 2.0] {
            for z in [-1e4_f32, -800.0, -50.0, 50.0, 800.0, 1e4] {
                for y in [0.0, 0.05, 1.0] {
                    let binary = Binary { balance: Some(0.25), gamma };
                    let (loss, slope) = binary.loss_and_slope(y, f64::from(z));
                    assert!(
                        loss.is_finite() && loss >= 0.0 && slope.is_finite(),
                        "{gamma} {z} {y}"
                    );
                }
                let logits = [z, 0.0];
                let focal = Categorical { alpha: 0.25, gamma, log_sum: log_sum(&logits) };
                let mut gradient = [0.0; 2];
                let loss =
                    focal.loss_and_gradient([1.0, 0.0].into_iter(), &logits, 1.0, &mut gradient);
                assert!(loss.is_finite() && loss >= 0.0, "{gamma} {z}: {loss}");
                assert!(gradient.iter().all(|g| g.is_finite()), "{gamma} {z}: {gradient:?}");
                // A hopeless answer is pushed by α in full, a certain one is left alone.
                let want = if z < 0.0 { 0.25 } else { 0.0 };
                assert!((f64::from(-gradient[0]) - want).abs() < 1e-6, "{gamma} {z}: {gradient:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn without_a_focus_they_are_the_plain_cross_entropies(z in -9.0_f64..9.0, y in 0.0_f64..1.0) {
            let (loss, slope) = Binary { balance: None, gamma: 0.0 }.loss_and_slope(y, z);
            prop_assert!((loss - binary_crossentropy(y, z)).abs() < 1e-12);
            prop_assert!((slope - (1.0 / (1.0 + (-z).exp()) - y)).abs() < 1e-12);
        }

        #[test]
        fn slopes_are_those_of_the_loss(z in -9.0_f64..9.0, y in 0.0_f64..1.0, gamma in 0.0_f32..4.0) {
            let binary = Binary { balance: Some(0.3), gamma };
            let h = 1e-5;
            let at = |z| binary.loss_and_slope(y, z).0;
            let numeric = (at(z + h) - at(z - h)) / (2.0 * h);
            prop_assert!((binary.loss_and_slope(y, z).1 - numeric).abs() < 1e-7);
        }
    }
}
