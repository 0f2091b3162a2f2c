//! Square root and reciprocal by multiply-adds alone, as the optimizers need them for every weight.
//!
//! The units that divide and take roots serve one vector where those for multiply-adds serve ten.
//! Both functions start from the bits of the argument, whose exponent halved or negated is a first
//! guess, and correct it by the series of `(1 − e)^(−1/2)` and `(1 − e)^(−1)` in the guess's error
//! `e`. Every operation is correctly rounded, so that the results are the same on every CPU.

/// `√x` with a relative error below 2⁻²², for `x` of at least 2⁻¹²⁶; below that, at most 2⁻⁶².
#[inline(always)]
pub(crate) fn root(x: f32) -> f32 {
    // Within 3.5 % of 1/√x.
    let guess = f32::from_bits(0x5F37_5A86_u32.wrapping_sub(x.to_bits() >> 1));
    let e = (-(x * guess)).mul_add(guess, 1.0);
    let inverse = (guess * e).mul_add(e.mul_add(0.375, 0.5), guess);
    // Now within 1.1e-4, so that the first term of the series is enough.
    let root = x * inverse;
    let e = (-root).mul_add(inverse, 1.0);
    (0.5 * root).mul_add(e, root)
}

/// `1 / x` with a relative error below 2⁻²², for `x` from 2⁻¹²⁶ to 2¹²⁵.
#[inline(always)]
pub(crate) fn reciprocal(x: f32) -> f32 {
    // Within 12.2 % of 1/x.
    let mut y = f32::from_bits(0x7EF3_11C3_u32.wrapping_sub(x.to_bits()));
    for _ in 0..2 {
        let e = (-x).mul_add(y, 1.0);
        y = y.mul_add(e.mul_add(e, e), y);
    }
    y
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOUND: f64 = 1.0 / (1 << 22) as f64;

    fn error(got: f32, want: f64) -> f64 {
        (f64::from(got) - want).abs() / want
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
