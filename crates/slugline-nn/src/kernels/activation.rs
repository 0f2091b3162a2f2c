//! Activations and their derivatives, over whole blocks of rows.

use pulp::{Arch, Simd, WithSimd};

use crate::buffer::LINE;
use crate::layers::Activation;

/// `e^x` with a relative error below 1.5 units in the last place, 0 below −87.3 and capped at
/// `e^88`, by range reduction and a degree-6 polynomial in plain, vectorisable arithmetic.
///
/// `x = n·ln 2 + r` with `|r| ≤ ln 2 / 2` (Cody and Waite's two-part `ln 2`), `e^x = 2ⁿ·e^r`; the
/// polynomial is the truncated Taylor series, whose remainder on that interval is below 2⁻²⁵.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // 1.5·2²³: adding it rounds to the nearest integer and leaves that in the low mantissa bits.
    const ROUND: f32 = 12_582_912.0;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let capped = x.clamp(-87.3, 88.0);
    let shifted = capped.mul_add(std::f32::consts::LOG2_E, ROUND);
    let n = shifted - ROUND;
    let r = n.mul_add(-LN2_LOW, n.mul_add(-LN2_HIGH, capped));
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = r.mul_add(p, c);
    }
    let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    zero_if(x < -87.3, p * scale)
}

/// 0 where the condition holds, else `x`: by masking bits, which becomes a vector instruction where a
/// branch would become a slow masked store.
#[inline(always)]
fn zero_if(condition: bool, x: f32) -> f32 {
    f32::from_bits(x.to_bits() & u32::from(condition).wrapping_sub(1))
}

/// `1 / (1 + e^−x)`, in the form that does not overflow.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    let small = e / (1.0 + e);
    if x < 0.0 { small } else { 1.0 - small }
}

/// `Φ(x)·x` with the normal distribution function by `erf`: Keras's default, not its tanh form.
fn gelu(x: f32) -> f32 {
    0.5 * x * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
}

/// `Φ(x) + x·φ(x)`.
fn gelu_derivative(x: f32) -> f32 {
    const INV_SQRT_TAU: f32 = 0.398_942_3;
    0.5 * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2))
        + x * INV_SQRT_TAU * exp(-0.5 * x * x)
}

/// The softmax of the first `width` numbers of a row, in place: `e^(xᵢ − max) / Σ`; what lies beyond
/// becomes 0. Returns `max + ln Σ`, the logarithm of the sum of exponentials, in double precision.
#[inline(always)]
fn softmax_row(row: &mut [f32], width: usize) -> f64 {
    // As if there were that many classes more that nobody expects: whole vectors, the same sums.
    row[width..].fill(f32::NEG_INFINITY);
    let max = largest(row);
    for x in row.iter_mut() {
        *x = exp(*x - max);
    }
    // Eight partial sums have a fixed order and still fill a vector register.
    let mut sums = [0.0f32; 8];
    let (chunks, rest) = row.as_chunks::<8>();
    for chunk in chunks {
        for (s, x) in sums.iter_mut().zip(chunk) {
            *s += x;
        }
    }
    for (s, x) in sums.iter_mut().zip(rest) {
        *s += x;
    }
    let sum =
        ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]));
    let scale = 1.0 / sum;
    for x in row.iter_mut() {
        *x *= scale;
    }
    f64::from(max) + f64::from(sum).ln()
}

/// The largest number, found line by line: one after the other would wait for each comparison.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut best = [f32::NEG_INFINITY; LINE];
    let (lines, rest) = row.as_chunks::<LINE>();
    for line in lines {
        for (best, &x) in best.iter_mut().zip(line) {
            *best = larger(*best, x);
        }
    }
    best.into_iter().chain(rest.iter().copied()).fold(f32::NEG_INFINITY, larger)
}

/// The place of the largest number, the first one of equals; 0 where there are only NaNs.
pub(crate) fn argmax(cpu: Arch, row: &[f32]) -> usize {
    struct Op<'a>(&'a [f32]);
    impl WithSimd for Op<'_> {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            let best = largest(self.0);
            self.0.iter().position(|&v| v == best).unwrap_or(0)
        }
    }
    cpu.dispatch(Op(row))
}

/// Turns pre-activations into activations, in place: rows of `width` numbers, `stride` apart. `before`
/// receives the pre-activations where the derivative needs them (gelu), and `log_sums` one `ln Σ eˣ` a
/// row from softmax.
pub(crate) fn forward(
    cpu: Arch,
    activation: Activation,
    width: usize,
    stride: usize,
    z: &mut [f32],
    before: &mut Vec<f32>,
    log_sums: &mut Vec<f64>,
) {
    struct Op<'a> {
        activation: Activation,
        width: usize,
        stride: usize,
        z: &'a mut [f32],
        log_sums: &'a mut Vec<f64>,
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self { activation, width, stride, z, log_sums } = self;
            match activation {
                Activation::Linear => {}
                Activation::Relu => {
                    for x in z {
                        // A NaN stays one and is noticed in the loss.
                        *x = zero_if(*x < 0.0, *x);
                    }
                }
                Activation::Tanh => z.iter_mut().for_each(|x| *x = libm::tanhf(*x)),
                Activation::Sigmoid => z.iter_mut().for_each(|x| *x = sigmoid(*x)),
                Activation::Gelu => z.iter_mut().for_each(|x| *x = gelu(*x)),
                Activation::Softmax => {
                    for row in z.chunks_exact_mut(stride) {
                        log_sums.push(softmax_row(row, width));
                    }
                }
            }
        }
    }
    before.clear();
    if activation == Activation::Gelu {
        before.extend_from_slice(z);
    }
    log_sums.clear();
    cpu.dispatch(Op { activation, width, stride, z, log_sums });
}

/// Turns the gradient of the activations into that of the pre-activations, in place:
/// `delta · f′(z)`, where `output` holds `f(z)` and `before` holds `z` for gelu. Softmax uses its
/// full Jacobian, `pᵢ·(dᵢ − Σⱼ pⱼ·dⱼ)`. Rows have `stride` numbers; where they are longer than the
/// layer is wide, both ends are 0 and stay so.
pub(crate) fn backward(
    cpu: Arch,
    activation: Activation,
    stride: usize,
    output: &[f32],
    before: &[f32],
    delta: &mut [f32],
) {
    struct Op<'a> {
        activation: Activation,
        stride: usize,
        output: &'a [f32],
        before: &'a [f32],
        delta: &'a mut [f32],
    }
    impl WithSimd for Op<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let Self { activation, stride, output, before, delta } = self;
            let pairs = delta.iter_mut().zip(output);
            match activation {
                Activation::Linear => {}
                Activation::Relu => pairs.for_each(|(d, &y)| *d = zero_if(y <= 0.0, *d)),
                Activation::Tanh => pairs.for_each(|(d, &y)| *d *= 1.0 - y * y),
                Activation::Sigmoid => pairs.for_each(|(d, &y)| *d *= y * (1.0 - y)),
                Activation::Gelu => {
                    delta.iter_mut().zip(before).for_each(|(d, &z)| *d *= gelu_derivative(z));
                }
                Activation::Softmax => {
                    for (d, p) in delta.chunks_exact_mut(stride).zip(output.chunks_exact(stride)) {
                        let dot: f32 = d.iter().zip(p).map(|(d, p)| d * p).sum();
                        d.iter_mut().zip(p).for_each(|(d, p)| *d = p * (*d - dot));
                    }
                }
            }
        }
    }
    cpu.dispatch(Op { activation, stride, output, before, delta });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernels::{self, every_cpu};

    const ALL: [Activation; 6] = [
        Activation::Linear,
        Activation::Relu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softmax,
        Activation::Gelu,
    ];

    #[test]
    fn exp_stays_within_its_stated_error() {
        let mut worst = 0.0f64;
        for i in -87_300..88_000 {
            let x = i as f32 / 1000.0;
            let want = f64::from(x).exp();
            worst = worst.max((f64::from(exp(x)) - want).abs() / want);
        }
        assert!(worst < 1.5 * f64::from(f32::EPSILON), "{worst:e}");
        assert_eq!((exp(0.0), exp(-200.0), exp(f32::NEG_INFINITY)), (1.0, 0.0, 0.0));
        assert!(exp(f32::NAN).is_nan() && exp(1e9).is_finite());
    }

    #[test]
    fn sigmoid_is_symmetric_and_does_not_overflow() {
        for x in [0.0, 1e-3, 1.0, 20.0, 90.0, 1e6] {
            let want = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) - want).abs() < 1e-7, "{x}");
            assert!((sigmoid(x) + sigmoid(-x) - 1.0).abs() < 1e-7, "{x}");
        }
    }

    #[test]
    fn room_behind_a_row_changes_no_bit() {
        for width in 1..40 {
            let z: Vec<f32> = (0..width).map(|i| ((i * 7) as f32).sin() * 9.0).collect();
            let stride = crate::buffer::padded(width);
            for activation in ALL {
                let (mut y, mut before, mut sums) = (z.clone(), Vec::new(), Vec::new());
                forward(kernels::cpu(), activation, width, width, &mut y, &mut before, &mut sums);
                let mut roomy = [&z[..], &vec![0.0; stride - width]].concat();
                let mut roomy_sums = Vec::new();
                forward(
                    kernels::cpu(),
                    activation,
                    width,
                    stride,
                    &mut roomy,
                    &mut before,
                    &mut roomy_sums,
                );
                assert_eq!((&y[..], &sums), (&roomy[..width], &roomy_sums), "{activation} {width}");
            }
        }
    }

    #[test]
    fn the_largest_is_found_anywhere() {
        for at in 0..40 {
            let mut row = vec![-2.0; 40];
            row[at] = -1.0;
            assert_eq!(largest(&row), -1.0);
        }
        assert_eq!(largest(&[]), f32::NEG_INFINITY);
        assert_eq!(largest(&[f32::NAN, 1.0]), 1.0);
    }

    proptest! {
        #[test]
        fn every_cpu_gives_the_same_bits(
            z in prop::collection::vec(-30.0f32..30.0, 1..60), d in -2.0f32..2.0,
        ) {
            for activation in ALL {
                let mut results = Vec::new();
                for cpu in every_cpu() {
                    let (mut y, mut before, mut sums) = (z.clone(), Vec::new(), Vec::new());
                    forward(cpu, activation, z.len(), z.len(), &mut y, &mut before, &mut sums);
                    let mut delta: Vec<f32> = (0..z.len()).map(|i| d + i as f32 * 0.01).collect();
                    backward(cpu, activation, z.len(), &y, &before, &mut delta);
                    results.push((y, delta, sums));
                }
                prop_assert_eq!(&results[0], &results[1], "{:?}", activation);
            }
        }

        #[test]
        fn derivatives_agree_with_finite_differences(
            z in prop::collection::vec(-3.0f64..3.0, 2..9), at in 0usize..9,
        ) {
            let at = at % z.len();
            for activation in ALL {
                // The gradient of Σ cᵢ·f(z)ᵢ with respect to z[at], against a central difference.
                let c: Vec<f32> = (0..z.len()).map(|i| 0.3 + 0.1 * i as f32).collect();
                let value = |z: &[f64]| -> f64 {
                    let mut y: Vec<f32> = z.iter().map(|&v| v as f32).collect();
                    forward(Arch::Scalar, activation, z.len(), z.len(), &mut y, &mut Vec::new(), &mut Vec::new());
                    y.iter().zip(&c).map(|(y, c)| f64::from(*y) * f64::from(*c)).sum()
                };
                let h = 1e-2;
                prop_assume!(activation != Activation::Relu || z[at].abs() > 2.0 * h);
                let (mut up, mut down) = (z.clone(), z.clone());
                up[at] += h;
                down[at] -= h;
                let numeric = (value(&up) - value(&down)) / (2.0 * h);
                let mut y: Vec<f32> = z.iter().map(|&v| v as f32).collect();
                let mut before = Vec::new();
                forward(Arch::Scalar, activation, z.len(), z.len(), &mut y, &mut before, &mut Vec::new());
                let mut delta = c.clone();
                backward(Arch::Scalar, activation, z.len(), &y, &before, &mut delta);
                prop_assert!((f64::from(delta[at]) - numeric).abs() < 1e-3, "{:?}: {} against {}", activation, delta[at], numeric);
            }
        }
    }
}
