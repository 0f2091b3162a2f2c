//! Sets of word pairs, and keys that similar sets are likely to share.
//!
//! # Source
//! Broder 1997, "On the resemblance and containment of documents" (shingles, min-wise hashing);
//! Indyk and Motwani 1998, "Approximate nearest neighbors" (locality-sensitive hashing); the banding
//! as in Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Hash functions that all bands have together, at most.
const HASHES: usize = 128;

/// Two texts of just the similarity asked for are to share a key with this probability or more.
const RECALL: f64 = 0.999;

/// Settles the hash functions, so that every run finds the same.
const SEED: u64 = 0x5149_4d49;

/// The distinct pairs of neighbouring words of a text, in rising order, as numbers that are different
/// for different pairs. The only word of a text makes a pair with nothing.
pub(super) fn pairs(words: &[u32]) -> Vec<u64> {
    let mut set: Vec<u64> = stream(words).collect();
    set.sort_unstable();
    set.dedup();
    set
}

/// The pairs in the order of the text.
fn stream(words: &[u32]) -> impl Iterator<Item = u64> + '_ {
    let pair = |a: u32, b: u32| u64::from(a) << 32 | u64::from(b);
    let single = match words {
        [word] => Some(pair(*word, u32::MAX)),
        _ => None,
    };
    single.into_iter().chain(words.windows(2).map(move |w| pair(w[0], w[1])))
}

/// Jaccard's similarity of two sets, `|A ∩ B| / |A ∪ B|`, given in rising order; of two empty sets 1.
pub(super) fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut shared) = (0, 0, 0_usize);
    while i < a.len() && j < b.len() {
        let (x, y) = (a[i], b[j]);
        shared += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    match a.len() + b.len() - shared {
        0 => 1.0,
        union => shared as f64 / union as f64,
    }
}

/// Hash functions in bands. Two texts share the key of a band if the least hash of their pairs is the
/// same under all functions of the band, which happens with probability `sʳ` for similarity `s` and
/// `r` functions a band.
#[derive(Debug, Clone)]
pub(super) struct Bands {
    /// Factor and summand of each function.
    functions: Vec<(u64, u64)>,
    /// Functions a band.
    rows: usize,
}

impl Bands {
    /// The bands that tell dissimilar texts apart best and yet miss hardly any of this similarity.
    pub(super) fn new(similarity: f64) -> Self {
        let found = |rows: usize| {
            let missed = 1.0 - similarity.powi(rows as i32);
            1.0 - missed.powi((HASHES / rows) as i32)
        };
        let rows = (1..=HASHES).rev().find(|&rows| found(rows) >= RECALL).unwrap_or(1);
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let count = HASHES / rows * rows;
        let functions = (0..count).map(|_| (random.next_u64() | 1, random.next_u64())).collect();
        Self { functions, rows }
    }

    /// Number of bands.
    pub(super) fn count(&self) -> usize {
        self.functions.len() / self.rows
    }

    /// Writes the keys of a text that has words.
    pub(super) fn keys(&self, words: &[u32], keys: &mut [u32]) {
        let mut least = [u32::MAX; HASHES];
        for pair in stream(words) {
            let x = mix(pair);
            for (least, &(a, b)) in least.iter_mut().zip(&self.functions) {
                // Dietzfelbinger's multiply-shift over a mixed number.
                *least = (*least).min((a.wrapping_mul(x).wrapping_add(b) >> 32) as u32);
            }
        }
        for (key, band) in keys.iter_mut().zip(least.chunks_exact(self.rows)) {
            *key = band.iter().fold(0, |key, &least| mix(key ^ u64::from(least))) as u32;
        }
    }
}

/// `SplitMix64`'s step (Steele, Lea and Flood 2014).
fn mix(x: u64) -> u64 {
    let mut z = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bands_are_narrow_for_similar_texts_and_many_for_others() {
        let shape = |similarity| {
            let bands = Bands::new(similarity);
            (bands.count(), bands.rows)
        };
        assert_eq!(shape(0.9), (16, 8));
        assert_eq!(shape(0.5), (64, 2));
        assert_eq!(shape(1.0), (1, 128));
    }

    /// The share of bands in which the keys agree is `sʳ` on average: within five standard deviations.
    #[test]
    fn keys_agree_as_often_as_the_similarity_says() {
        let bands = Bands::new(0.9);
        let (mut agree, trials) = (0, 400);
        let mut similarity = 0.0;
        for trial in 0..trials {
            // 101 words make 100 pairs; another word in the middle changes 2 of them.
            let mut words: Vec<u32> = (0..101).map(|i| trial * 1000 + i).collect();
            let mut keys = [vec![0; bands.count()], vec![0; bands.count()]];
            bands.keys(&words, &mut keys[0]);
            let before = pairs(&words);
            words[50] = trial * 1000 + 500;
            bands.keys(&words, &mut keys[1]);
            similarity = jaccard(&before, &pairs(&words));
            agree += keys[0].iter().zip(&keys[1]).filter(|(a, b)| a == b).count();
        }
        assert_eq!(similarity, 98.0 / 102.0);
        let n = f64::from(trials) * bands.count() as f64;
        let p = similarity.powi(bands.rows as i32);
        let share = agree as f64 / n;
        assert!((share - p).abs() < 5.0 * (p * (1.0 - p) / n).sqrt(), "{share} {p}");
    }

    proptest! {
        #[test]
        fn similarity_is_that_of_sets(a in prop::collection::vec(0_u32..4, 0..12), b in prop::collection::vec(0_u32..4, 0..12)) {
            let set = |words: &[u32]| -> BTreeSet<(u32, Option<u32>)> {
                match words {
                    [word] => BTreeSet::from([(*word, None)]),
                    _ => words.windows(2).map(|w| (w[0], Some(w[1]))).collect(),
                }
            };
            let (x, y) = (set(&a), set(&b));
            let union = x.union(&y).count();
            let want = if union == 0 { 1.0 } else { x.intersection(&y).count() as f64 / union as f64 };
            prop_assert_eq!(jaccard(&pairs(&a), &pairs(&b)), want);
        }
    }
}
