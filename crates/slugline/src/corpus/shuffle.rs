//! NumPy's legacy shuffle, which decides the order of documents in Keras's text data sets.

use rand_mt::Mt;

/// The order that `numpy.random.RandomState(seed).shuffle(numpy.arange(n))` leaves behind.
///
/// The generator is the 32-bit Mersenne Twister, seeded as NumPy seeds it from one integer
/// (Knuth's recurrence, `init_genrand` of the reference code). The shuffle walks down from the last
/// element and swaps each element `i` with one of `0..=i`, drawn by masked rejection: draw 32 bits,
/// keep as many low bits as `i` has, draw again while the result exceeds `i`.
///
/// ```
/// # use slugline::corpus::shuffle::legacy_permutation;
/// assert_eq!(legacy_permutation(113, 11_228)[..4], [1341, 4427, 5095, 2044]);
/// ```
///
/// # Source
/// Matsumoto and Nishimura 1998, "Mersenne Twister"; NumPy's documentation of `RandomState`, which
/// is frozen, so the order never changes.
pub fn legacy_permutation(seed: u32, n: u32) -> Vec<u32> {
    let mut generator = Mt::new(seed);
    let mut order: Vec<u32> = (0..n).collect();
    for i in (1..n).rev() {
        let j = at_most(&mut generator, i);
        order.swap(i as usize, j as usize);
    }
    order
}

/// An even draw from `0..=max`, where `max` is at least 1.
fn at_most(generator: &mut Mt, max: u32) -> u32 {
    let mask = u32::MAX >> max.leading_zeros();
    loop {
        let value = generator.next_u32() & mask;
        if value <= max {
            return value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_appears_once() {
        for n in [0, 1, 2, 3, 31, 32, 33, 1000] {
            let mut order = legacy_permutation(7, n);
            order.sort_unstable();
            assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
    }

    /// Figures from NumPy 2.4.6:
    ///
    /// ```text
    /// import numpy as np
    /// for seed, n in [(113, 11228), (0, 10), (1, 16), (42, 17), (2**32 - 1, 10), (7, 100_000)]:
    ///     a = np.arange(n); np.random.RandomState(seed).shuffle(a)
    ///     print(seed, n, a[:10].tolist(), a[-3:].tolist(), int((a * np.arange(n)).sum()))
    /// ```
    #[test]
    fn agrees_with_numpy() {
        let head = [1341, 4427, 5095, 2044, 3024, 1792, 1931, 2375, 2080, 9868];
        check(113, 11_228, head, [11010, 6306, 4828], 354_672_646_129);
        check(0, 10, [2, 8, 4, 9, 1, 6, 7, 3, 0, 5], [3, 0, 5], 185);
        check(1, 16, [3, 13, 7, 2, 6, 10, 4, 1, 14, 0], [12, 11, 5], 980);
        check(42, 17, [0, 1, 5, 15, 11, 14, 8, 13, 2, 9], [12, 3, 6], 1133);
        check(u32::MAX, 10, [6, 9, 5, 1, 8, 0, 7, 4, 2, 3], [4, 2, 3], 167);
        let head = [33909, 92307, 89107, 9538, 31008, 71305, 71012, 62938, 20435, 3703];
        check(7, 100_000, head, [49689, 58564, 61615], 250_316_905_599_413);
    }

    fn check(seed: u32, n: u32, head: [u32; 10], tail: [u32; 3], checksum: u64) {
        let order = legacy_permutation(seed, n);
        assert_eq!(order[..10], head, "seed {seed}, n {n}");
        assert_eq!(order[order.len() - 3..], tail, "seed {seed}, n {n}");
        let sum: u64 = (0_u64..).zip(&order).map(|(i, &x)| i * u64::from(x)).sum();
        assert_eq!(sum, checksum, "seed {seed}, n {n}");
    }
}
