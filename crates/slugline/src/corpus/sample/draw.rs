//! Random choices that come out the same on every platform: `ChaCha8` and integer arithmetic only.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A seeded source of choices.
pub(super) struct Draw {
    generator: ChaCha8Rng,
}

impl Draw {
    /// The choices of a `seed`. Each `stream` of one seed is independent of the others.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        // The key is written out, so that it hangs on the definition of ChaCha alone.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut generator = ChaCha8Rng::from_seed(key);
        generator.set_stream(stream);
        Self { generator }
    }

    /// An even draw from `0..n`; 0 where `n` is 0.
    ///
    /// By multiplication: some values are more probable than others by a share of `n`/2³², far
    /// below what 11,000 documents could show.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        ((u64::from(self.generator.next_u32()) * u64::from(n)) >> 32) as u32
    }

    /// An even draw from `low..=high`.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// An index drawn by `weights`; 0 where there are none.
    pub(super) fn weighted(&mut self, weights: &Weights) -> usize {
        let Some(&total) = weights.cumulative.last() else { return 0 };
        let product = u128::from(self.generator.next_u64()) * u128::from(total);
        let point = (product >> 64) as u64;
        weights.cumulative.partition_point(|&end| end <= point)
    }

    /// Brings `items` into random order.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u32 + 1) as usize);
        }
    }
}

/// Relative frequencies of the entries of a list.
#[derive(Debug, Clone, Default)]
pub(super) struct Weights {
    /// Sum of the weights up to and including each entry.
    cumulative: Vec<u64>,
}

impl Weights {
    /// One weight an entry.
    pub(super) fn new(weights: impl IntoIterator<Item = u64>) -> Self {
        let mut total = 0;
        let cumulative = weights
            .into_iter()
            .map(|weight| {
                total += weight;
                total
            })
            .collect();
        Self { cumulative }
    }

    /// Zipf's law with a flattened head: entry `k` of `n` (counted from 0) weighs 1/(`k` + `shift`).
    pub(super) fn zipf(n: usize, shift: u64) -> Self {
        Self::new((0..n as u64).map(|k| (1 << 32) / (k + shift).max(1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_their_weights() {
        let mut draw = Draw::new(1, 0);
        let weights = Weights::new([6, 0, 3, 1]);
        let mut counts = [0; 4];
        for _ in 0..10_000 {
            counts[draw.weighted(&weights)] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, expected) in counts.into_iter().zip([6_000_i32, 0, 3_000, 1_000]) {
            assert!((count - expected).abs() < 200, "{counts:?}");
        }
    }

    #[test]
    fn even_draws_reach_both_ends() {
        let mut draw = Draw::new(2, 0);
        let drawn: Vec<u32> = (0..1_000).map(|_| draw.between(3, 6)).collect();
        assert!((3..=6).all(|value| drawn.contains(&value)));
        assert!(drawn.iter().all(|value| (3..=6).contains(value)));
    }

    #[test]
    fn seeds_and_streams_differ() {
        let first = |seed, stream| Draw::new(seed, stream).below(u32::MAX);
        assert_eq!(first(1, 0), first(1, 0));
        assert_ne!(first(1, 0), first(2, 0));
        assert_ne!(first(1, 0), first(1, 1));
    }

    #[test]
    fn zipf_weights_halve_as_the_rank_doubles() {
        let weights = Weights::zipf(4, 1);
        let unit = 1 << 32;
        assert_eq!(weights.cumulative[0], unit);
        assert_eq!(weights.cumulative[1] - weights.cumulative[0], unit / 2);
        assert_eq!(weights.cumulative[3] - weights.cumulative[2], unit / 4);
    }
}
