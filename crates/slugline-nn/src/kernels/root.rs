//! Square root and reciprocal by multiply-adds alone, as the optimizers need them for every weight.
//!
//! The units that divide and take roots serve one vector where those for multiply-adds serve ten.
//! Both functions start from the bits of the argument, whose exponent halved or negated is a first
//! guess, and correct it by the series of `(1 − e)^(−1/2)` and `(1 − e)^(−1)` in the guess's error
//! `e`. Every operation is correctly rounded, so that the results are the same on every CPU.

use pulp::Simd;

/// `√x` with a relative error below 2⁻²², for `x` of at least 2⁻¹²⁶; below that, at most 2⁻⁶².
#[inline(always)]
pub(crate) fn root<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let splat = |c: f32| simd.splat_f32s(c);
    // Within 3.5 % of 1/√x.
    let halved = simd.wrapping_dyn_shr_u32s(simd.transmute_u32s_f32s(x), simd.splat_u32s(1));
    let guess = simd.transmute_f32s_u32s(simd.sub_u32s(simd.splat_u32s(0x5F37_5A86), halved));
    let e = simd.negate_mul_add_f32s(simd.mul_f32s(x, guess), guess, splat(1.0));
    let series = simd.mul_add_f32s(e, splat(0.375), splat(0.5));
    let inverse = simd.mul_add_f32s(simd.mul_f32s(guess, e), series, guess);
    // Now within 1.1e-4, so that the first term of the series is enough.
    let root = simd.mul_f32s(x, inverse);
    let e = simd.negate_mul_add_f32s(root, inverse, splat(1.0));
    simd.mul_add_f32s(simd.mul_f32s(splat(0.5), root), e, root)
}

/// `1 / x` with a relative error below 2⁻²², for `x` from 2⁻¹²⁶ to 2¹²⁵.
#[inline(always)]
pub(crate) fn reciprocal<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    // Within 12.2 % of 1/x.
    let bits = simd.sub_u32s(simd.splat_u32s(0x7EF3_11C3), simd.transmute_u32s_f32s(x));
    let mut y = simd.transmute_f32s_u32s(bits);
    for _ in 0..2 {
        let e = simd.negate_mul_add_f32s(x, y, simd.splat_f32s(1.0));
        y = simd.mul_add_f32s(y, simd.mul_add_f32s(e, e, e), y);
    }
    y
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulp::Scalar;

    const BOUND: f64 = 1.0 / (1 << 22) as f64;

    fn error(got: f32, want: f64) -> f64 {
        (f64::from(got) - want).abs() / want
    }

    fn root(x: f32) -> f32 {
        super::root(Scalar::new(), x)
    }

    fn reciprocal(x: f32) -> f32 {
        super::reciprocal(Scalar::new(), x)
    }

    #[test]
    fn every_mantissa_is_within_the_bound() {
        // Two binades hold every case of the root, one every case of the reciprocal.
        for bits in (1.0f32.to_bits()..4.0f32.to_bits()).step_by(7) {
            let x = f32::from_bits(bits);
            assert!(error(root(x), f64::from(x).sqrt()) < BOUND, "√{x}");
            assert!(error(reciprocal(x), 1.0 / f64::from(x)) < BOUND, "1/{x}");
        }
    }

    #[test]
    fn the_ends_of_the_range_are_tame() {
        assert_eq!(root(0.0), 0.0);
        for x in [1e-45f32, 1e-40, f32::MIN_POSITIVE] {
            assert!((0.0..=2f32.powi(-62)).contains(&root(x)), "{x}");
        }
        assert!(error(root(f32::MAX), f64::from(f32::MAX).sqrt()) < BOUND);
    }

    proptest! {
        #[test]
        fn every_exponent_is_within_the_bound(x in 1.2e-38f32..3.4e38) {
            prop_assert!(error(root(x), f64::from(x).sqrt()) < BOUND);
        }

        #[test]
        fn every_exponent_is_within_the_bound_of_a_reciprocal(exponent in -126i32..125, m in 1.0f32..2.0) {
            let x = m * 2f32.powi(exponent);
            prop_assert!(error(reciprocal(x), 1.0 / f64::from(x)) < BOUND);
        }
    }
}
