//! n-grams of tokens and their numbers.

use slugline_nn::Buffer;

/// Key of the n-gram that begins with the token `first`.
#[inline]
pub(super) fn begin(first: u32) -> u64 {
    u64::from(first)
}

/// Key of an n-gram that is one token longer than that of `key`. One to one for two tokens; for more
/// it scatters, so that two n-grams of a million collide once in thirty million corpora.
#[inline]
pub(super) fn extend(key: u64, next: u32) -> u64 {
    let long = key >> 32 != 0;
    let mixed = if long { scatter(key) } else { key << 32 };
    let key = mixed ^ u64::from(next);
    // The first token of a pair may have the number 0; the key of a pair must not look like a token.
    if long { key | 1 << 63 } else { key.wrapping_add(1 << 32) }
}

/// Which of `parts` parts, a power of two, a key belongs to.
pub(super) fn part(key: u64, parts: usize) -> usize {
    (scatter(key) >> 20) as usize & (parts - 1)
}

fn scatter(key: u64) -> u64 {
    let key = (key ^ key >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (key ^ key >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

/// n-grams in order, each a list of token numbers, with a hash table over their keys.
///
/// Three flat arrays, which a model file stores as they are: `words`, the tokens of all n-grams end
/// to end; `ends`, where each one's tokens end; `table`, `2ᵏ` entries of key and number plus 1 (0 where
/// an entry is free), the fewest that are half as many again as n-grams, searched upwards from
/// `scatter(key) / 2⁶⁴⁻ᵏ` round the end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ngrams {
    words: Buffer<u32>,
    ends: Buffer<u32>,
    table: Buffer<u64>,
}

/// Entries of the table over `count` n-grams.
fn entries(count: usize) -> usize {
    (count + count / 2).next_power_of_two().max(2)
}

fn first_entry(key: u64, entries: usize) -> usize {
    (scatter(key) >> (64 - entries.trailing_zeros())) as usize
}

impl Ngrams {
    /// The n-grams in order; none may stand in the list twice.
    pub(super) fn new<'a>(grams: impl Iterator<Item = &'a [u32]>) -> Self {
        let (mut words, mut ends) = (Vec::new(), Vec::new());
        let mut keys = Vec::new();
        for gram in grams {
            words.extend_from_slice(gram);
            ends.push(words.len() as u32);
            keys.push(key(gram));
        }
        let mut table = vec![0; 2 * entries(keys.len())];
        let (pairs, _) = table.as_chunks_mut::<2>();
        for (number, &key) in keys.iter().enumerate() {
            let mut at = first_entry(key, pairs.len());
            while pairs[at][1] != 0 {
                at = (at + 1) & (pairs.len() - 1);
            }
            pairs[at] = [key, number as u64 + 1];
        }
        Self { words: words.into(), ends: ends.into(), table: table.into() }
    }

    /// n-grams from their stored arrays, checked as far as safety needs: a wrong table finds wrong
    /// n-grams or none, but neither fails nor hangs. `None` if the arrays do not fit each other.
    pub fn from_stored(words: Buffer<u32>, ends: Buffer<u32>, table: Buffer<u64>) -> Option<Self> {
        let (all, last) = (ends.as_slice(), words.as_slice().len());
        let rising = all.is_sorted() && all.last().is_none_or(|&end| end as usize == last);
        let fits = rising
            && (!all.is_empty() || last == 0)
            && table.as_slice().len() == 2 * entries(all.len());
        fits.then_some(Self { words, ends, table })
    }

    /// The stored arrays: words, ends, table.
    pub fn stored(&self) -> (&[u32], &[u32], &[u64]) {
        (self.words.as_slice(), self.ends.as_slice(), self.table.as_slice())
    }

    /// Number of n-grams.
    pub fn len(&self) -> usize {
        self.ends.as_slice().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The token numbers of an n-gram.
    pub(crate) fn gram(&self, number: usize) -> Option<&[u32]> {
        let ends = self.ends.as_slice();
        let start = number.checked_sub(1).map_or(0, |before| ends[before] as usize);
        self.words.as_slice().get(start..*ends.get(number)? as usize)
    }

    /// The number of the n-gram with a key.
    #[inline]
    pub(super) fn find(&self, key: u64) -> Option<u32> {
        let (table, _) = self.table.as_slice().as_chunks::<2>();
        if self.is_empty() {
            return None;
        }
        let mut at = first_entry(key, table.len());
        for _ in 0..table.len() {
            let [found, place] = *table.get(at)?;
            if place == 0 {
                return None;
            }
            if found == key {
                let number = (place - 1) as u32;
                return Some(number).filter(|&n| (n as usize) < self.len());
            }
            at = (at + 1) & (table.len() - 1);
        }
        None
    }
}

/// Key of a whole n-gram.
pub(super) fn key(gram: &[u32]) -> u64 {
    let mut tokens = gram.iter();
    let first = tokens.next().copied().map_or(0, begin);
    tokens.fold(first, |key, &token| extend(key, token))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_ngram_is_found_and_no_other(
            grams in prop::collection::btree_set(prop::collection::vec(0_u32..9, 2..5), 0..200),
            other in prop::collection::vec(0_u32..9, 2..5),
        ) {
            let all = Ngrams::new(grams.iter().map(Vec::as_slice));
            for (i, gram) in grams.iter().enumerate() {
                prop_assert_eq!(all.find(key(gram)), Some(i as u32));
                prop_assert_eq!(all.gram(i), Some(gram.as_slice()));
            }
            prop_assert_eq!(all.find(key(&other)).is_some(), grams.contains(&other));
            let (words, ends, table) = all.stored();
            let again = Ngrams::from_stored(words.to_vec().into(), ends.to_vec().into(), table.to_vec().into());
            prop_assert_eq!(again, Some(all.clone()));
        }

        #[test]
        fn wrong_tables_neither_fail_nor_hang(table in prop::collection::vec(0_u64..9, 4), key in 0_u64..9) {
            let grams = Ngrams::from_stored(vec![1, 2].into(), vec![2].into(), table.into()).unwrap();
            if let Some(n) = grams.find(key) {
                prop_assert!(grams.gram(n as usize).is_some());
            }
        }
    }

    #[test]
    fn keys_of_pairs_are_one_to_one_and_unlike_tokens() {
        let ends = [0, 1, 2, u32::MAX - 1];
        let mut seen = BTreeMap::new();
        for a in ends {
            for b in ends {
                let pair = extend(begin(a), b);
                assert!(pair > u64::from(u32::MAX));
                assert_eq!(seen.insert(pair, (a, b)), None);
            }
        }
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused() {
        let stored = |words: Vec<u32>, ends: Vec<u32>, table: usize| {
            Ngrams::from_stored(words.into(), ends.into(), vec![0; table].into())
        };
        assert!(stored(vec![1, 2], vec![2], 4).is_some());
        assert!(stored(vec![1, 2], vec![3], 4).is_none());
        assert!(stored(vec![1, 2], vec![], 4).is_none());
        assert!(stored(vec![1, 2, 3], vec![2, 1, 3], 8).is_none());
        assert!(stored(vec![1, 2], vec![2], 2).is_none());
    }
}
