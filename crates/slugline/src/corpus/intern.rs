//! Numbers for words: one hash and one look into a table a token, the words end to end in one text.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use twox_hash::XxHash3_64;

/// Distinct words, numbered from 0 in the order in which they were added.
#[derive(Debug, Clone)]
pub(crate) struct Interner {
    /// The words, end to end.
    text: String,
    /// Where each word ends in `text`.
    ends: Vec<usize>,
    numbers: HashTable<u32>,
    /// Differs between runs, so that no input can be made to collide. Numbers do not depend on it.
    seed: u64,
}

impl Default for Interner {
    fn default() -> Self {
        Self {
            text: String::new(),
            ends: Vec::new(),
            numbers: HashTable::new(),
            seed: RandomState::new().hash_one(0_u8),
        }
    }
}

impl Interner {
    /// The number of `word`, added if it is new.
    pub(crate) fn number_or_insert(&mut self, word: &str) -> u32 {
        let hash = hash(self.seed, word);
        let (text, ends, seed) = (&self.text, &self.ends, self.seed);
        if let Some(&number) = self.numbers.find(hash, |&n| word_at(text, ends, n) == word) {
            return number;
        }
        let number = self.ends.len() as u32;
        self.numbers.insert_unique(hash, number, |&n| hash_at(seed, text, ends, n));
        self.text.push_str(word);
        self.ends.push(self.text.len());
        number
    }

    /// The number of `word`, or `None` if it was never added.
    pub(crate) fn number(&self, word: &str) -> Option<u32> {
        let hash = hash(self.seed, word);
        self.numbers.find(hash, |&n| self.word(n) == word).copied()
    }

    /// The word of a number that [`Self::number_or_insert`] gave.
    pub(crate) fn word(&self, number: u32) -> &str {
        word_at(&self.text, &self.ends, number)
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }
}

fn hash(seed: u64, word: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(seed, word.as_bytes())
}

fn hash_at(seed: u64, text: &str, ends: &[usize], number: u32) -> u64 {
    hash(seed, word_at(text, ends, number))
}

fn word_at<'a>(text: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
    &text[start..ends[number]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn numbers_are_those_of_a_map(words in prop::collection::vec("[a-cé]{0,3}", 0..300)) {
            let mut interner = Interner::default();
            let mut map = HashMap::new();
            for word in &words {
                let next = map.len() as u32;
                let number = *map.entry(word.as_str()).or_insert(next);
                prop_assert_eq!(interner.number_or_insert(word), number);
            }
            prop_assert_eq!(interner.len(), map.len());
            for (word, number) in map {
                prop_assert_eq!(interner.number(word), Some(number));
                prop_assert_eq!(interner.word(number), word);
            }
            prop_assert_eq!(interner.number("d"), None);
        }
    }
}
