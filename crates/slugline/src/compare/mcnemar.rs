//! Whether two shares of right answers to the same questions differ by chance.

use serde::Serialize;

/// McNemar's exact test: documents by which of two classifiers is right about them, and how probable a
/// difference like theirs is by chance.
///
/// Only documents on which one of the two is right tell them apart. If both were equally good, each of
/// these `n` would fall to either side with probability 1/2; with `k` of them on the smaller side,
/// `p = min(1, 2·Σᵢ₌₀ᵏ C(n, i)·2⁻ⁿ)`, and 1 where `n` is 0. That is the two-sided binomial test, as
/// `SciPy`'s `binomtest(k, n)`.
///
/// # Source
/// McNemar 1947, "Note on the sampling error of the difference between correlated proportions or
/// percentages", with the binomial distribution itself in place of the χ² that comes near it.
///
/// ```
/// use slugline::compare::McNemar;
///
/// assert_eq!(McNemar::new(80, 1, 6, 13).p_value, 0.125);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct McNemar {
    /// Documents on which both are right.
    pub both_right: u64,
    /// Documents on which only the first is.
    pub only_a: u64,
    /// Documents on which only the second is.
    pub only_b: u64,
    /// Documents on which neither is.
    pub both_wrong: u64,
    /// How probable it is that two equally good classifiers differ at least as much.
    pub p_value: f64,
}

impl McNemar {
    /// The test of these numbers of documents.
    pub fn new(both_right: u64, only_a: u64, only_b: u64, both_wrong: u64) -> Self {
        let p_value = two_sided(only_a.min(only_b), only_a + only_b);
        Self { both_right, only_a, only_b, both_wrong, p_value }
    }
}

/// Twice the probability of at most `k` heads of `n` fair coins, for `k ≤ n/2`; at most 1.
fn two_sided(k: u64, n: u64) -> f64 {
    // The probability of exactly k: its halvings are put in wherever the product of the others would
    // grow, so that it neither overflows nor vanishes before its time.
    let (mut exactly, mut halvings) = (1.0_f64, n);
    for i in 1..=k {
        exactly *= (n - k + i) as f64 / i as f64;
        while exactly > 1.0 && halvings > 0 {
            exactly /= 2.0;
            halvings -= 1;
        }
    }
    // 2⁻²⁰⁰⁰ is 0 already.
    exactly *= 0.5_f64.powi(halvings.min(2000) as i32);
    // From there down by the ratio of neighbours.
    let (mut sum, mut term) = (exactly, exactly);
    for i in (1..=k).rev() {
        term *= i as f64 / (n - i + 1) as f64;
        if term < sum * f64::EPSILON / 4.0 {
            break;
        }
        sum += term;
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `SciPy` 1.17.1: `binomtest(only_b, only_a + only_b, 0.5).pvalue`.
    #[test]
    fn p_values_are_scipys() {
        for (only_a, only_b, want) in [
            (0, 1, 1.0),
            (0, 5, 0.0625),
            (0, 6, 0.031_25),
            (3, 9, 0.145_996_093_75),
            (12, 12, 1.0),
            (10, 25, 0.016_673_847_800_120_715),
            (25, 10, 0.016_673_847_800_120_715),
            (100, 141, 0.009_831_541_178_608_736),
            (1000, 1200, 2.181_702_640_791_419_4e-5),
            (50_000, 50_600, 0.058_951_995_868_545_74),
            (0, 1000, 1.866_527_237_006_437_8e-301),
            (30, 2000, 0.0),
        ] {
            let found = McNemar::new(7, only_a, only_b, 5).p_value;
            assert!((found - want).abs() <= 1e-10 * want, "{only_a}, {only_b}: {found} {want}");
        }
        assert_eq!(McNemar::new(7, 0, 0, 5).p_value, 1.0);
    }
}
