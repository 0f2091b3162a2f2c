//! Words and their numbers.

use slugline_nn::Buffer;
use twox_hash::XxHash3_64;

use crate::corpus::tokenize::{Token, prefix};

/// An ordered list of distinct words with a hash table over them.
///
/// It consists of three flat arrays, which a model file stores as they are: a mapped file needs no
/// parsing before the first look-up. Their form is frozen with the file format:
///
/// * `bytes`: the words in UTF-8, end to end;
/// * `offsets`: word `i` is `bytes[offsets[i]..offsets[i + 1]]`;
/// * `table`: `2ᵏ` entries of two numbers, the fewest (but at least two) that are half as many again as
///   words. The second number is 0 where an entry is free; else its low half is `i + 1`, its high half
///   the word's length in bytes. The first number is the word's key: for words of up to eight bytes
///   the bytes themselves, little-endian with zeros behind; up to sixteen, the first eight bytes plus
///   `0xD6E8FEB86659FD93` times the last eight, mod 2⁶⁴; for longer ones their XXH3 hash (64 bits, seed
///   0). A word is looked for from the entry `(key · 0x9E3779B97F4A7C15 mod 2⁶⁴) / 2⁶⁴⁻ᵏ` upwards,
///   round the end, up to a free one. So most words are found by one read and one comparison.
///
/// ```
/// use slugline::text::Vocabulary;
///
/// let words = Vocabulary::new(["the", "wheat", "café"])?;
/// assert_eq!(words.position("wheat"), Some(1));
/// assert_eq!(words.position("barley"), None);
/// assert_eq!(words.word(2), Some("café"));
/// # Ok::<(), slugline::text::VocabularyError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    bytes: Buffer<u8>,
    offsets: Buffer<u32>,
    table: Buffer<u64>,
}

/// Why a vocabulary cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VocabularyError {
    /// A word stands in the list twice.
    #[error("word {word:?} stands twice in the vocabulary, as number {first} and {second}")]
    Duplicate {
        /// The word.
        word: String,
        /// Its first place, counted from 0.
        first: usize,
        /// Its second place.
        second: usize,
    },
    /// All words together are longer than the form allows.
    #[error(
        "a vocabulary of {words} words and {bytes} bytes: at most 2^31 words and 2^32 - 1 bytes fit"
    )]
    TooLarge {
        /// Number of words.
        words: usize,
        /// Their length.
        bytes: usize,
    },
    /// The stored arrays do not belong together.
    #[error("the stored vocabulary is broken: {problem}")]
    Broken {
        /// What was expected and found.
        problem: String,
    },
}

/// Longest word that is its own key.
const SHORT: usize = 8;

/// Key of a word, given its first eight bytes.
#[inline]
fn key(word: &[u8], prefix: u64) -> u64 {
    match (word.len(), word.last_chunk::<SHORT>()) {
        (..=SHORT, _) => prefix,
        (..=16, Some(last)) => {
            prefix.wrapping_add(u64::from_le_bytes(*last).wrapping_mul(0xD6E8_FEB8_6659_FD93))
        }
        _ => XxHash3_64::oneshot(word),
    }
}

/// The entry of a table of `entries` at which the search for a key begins.
#[inline]
fn first_entry(key: u64, entries: usize) -> usize {
    let scattered = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (scattered >> (64 - entries.trailing_zeros())) as usize
}

impl Vocabulary {
    /// A vocabulary of the words in order; word `i` gets the position `i`.
    ///
    /// # Errors
    /// [`VocabularyError::Duplicate`], [`VocabularyError::TooLarge`].
    pub fn new<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Result<Self, VocabularyError> {
        let (mut bytes, mut offsets) = (Vec::new(), vec![0u32]);
        for word in words {
            bytes.extend_from_slice(word.as_ref().as_bytes());
            offsets.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        let count = offsets.len() - 1;
        if u32::try_from(bytes.len()).is_err() || count > 1 << 31 {
            return Err(VocabularyError::TooLarge { words: count, bytes: bytes.len() });
        }
        let entries = table_entries(count);
        let mut table = vec![[0u64; 2]; entries];
        let this = Self { bytes: bytes.into(), offsets: offsets.into(), table: Buffer::default() };
        for i in 0..count {
            let word = this.word_bytes(i).unwrap_or_default();
            let key = key(word, prefix(word));
            let mut at = first_entry(key, entries);
            while table[at][1] != 0 {
                let other = (table[at][1] as u32 - 1) as usize;
                if this.word_bytes(other) == Some(word) {
                    return Err(VocabularyError::Duplicate {
                        word: String::from_utf8_lossy(word).into_owned(),
                        first: other,
                        second: i,
                    });
                }
                at = (at + 1) % entries;
            }
            table[at] = [key, (word.len() as u64) << 32 | (i as u64 + 1)];
        }
        Ok(Self { table: table.into_flattened().into(), ..this })
    }

    /// A vocabulary from its stored arrays, which are checked only as far as safety needs: the look-ups
    /// of a table with wrong entries find wrong words or none, but neither fail nor hang.
    ///
    /// # Errors
    /// [`VocabularyError::Broken`] if the arrays do not fit each other.
    pub fn from_stored(
        bytes: Buffer<u8>,
        offsets: Buffer<u32>,
        table: Buffer<u64>,
    ) -> Result<Self, VocabularyError> {
        let broken = |problem| Err(VocabularyError::Broken { problem });
        let (ends, length) = (offsets.as_slice(), bytes.as_slice().len());
        if ends.first() != Some(&0) || ends.last().map(|&end| end as usize) != Some(length) {
            return broken(format!(
                "offsets must run from 0 to {length}, found {:?} to {:?}",
                ends.first(),
                ends.last()
            ));
        }
        let (count, found) = (ends.len() - 1, table.as_slice().len());
        let expected = 2 * table_entries(count);
        if found != expected {
            return broken(format!(
                "{count} words need a table of {expected} numbers, found {found}"
            ));
        }
        Ok(Self { bytes, offsets, table })
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.offsets.as_slice().len().saturating_sub(1)
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The word at a position, counted from 0.
    pub fn word(&self, position: usize) -> Option<&str> {
        std::str::from_utf8(self.word_bytes(position)?).ok()
    }

    fn word_bytes(&self, position: usize) -> Option<&[u8]> {
        self.lookup().word_bytes(position)
    }

    /// The position of a word, counted from 0.
    pub fn position(&self, word: &str) -> Option<u32> {
        self.lookup().find(word.as_bytes(), prefix(word.as_bytes()))
    }

    /// The arrays, to look many words up: whoever keeps them need not be asked for each.
    pub(super) fn lookup(&self) -> Lookup<'_> {
        Lookup {
            bytes: self.bytes.as_slice(),
            offsets: self.offsets.as_slice(),
            table: self.table.as_slice().as_chunks().0,
        }
    }

    /// The words in order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|i| self.word(i).unwrap_or("\u{FFFD}"))
    }

    /// The stored arrays: bytes, offsets, table.
    pub fn stored(&self) -> (&[u8], &[u32], &[u64]) {
        (self.bytes.as_slice(), self.offsets.as_slice(), self.table.as_slice())
    }
}

/// The arrays of a vocabulary.
#[derive(Clone, Copy)]
pub(super) struct Lookup<'a> {
    bytes: &'a [u8],
    offsets: &'a [u32],
    table: &'a [[u64; 2]],
}

impl<'a> Lookup<'a> {
    /// The position of a token, counted from 0.
    #[inline]
    pub(super) fn position_of(&self, token: Token<'_>) -> Option<u32> {
        self.find(token.as_bytes(), token.prefix())
    }

    fn word_bytes(&self, position: usize) -> Option<&'a [u8]> {
        let offsets = self.offsets;
        let range = *offsets.get(position)? as usize..*offsets.get(position + 1)? as usize;
        self.bytes.get(range)
    }

    /// The position of a word, given its first eight bytes.
    #[inline]
    fn find(&self, word: &[u8], prefix: u64) -> Option<u32> {
        let table = self.table;
        let key = key(word, prefix);
        let mut at = first_entry(key, table.len());
        // A stored table without a free entry must not hang the search.
        for _ in 0..table.len() {
            let [found, place] = *table.get(at)?;
            if place == 0 {
                return None;
            }
            if found == key && place >> 32 == word.len() as u64 {
                let position = (place as u32).wrapping_sub(1);
                if word.len() <= SHORT || self.word_bytes(position as usize) == Some(word) {
                    return Some(position).filter(|&p| (p as usize) + 1 < self.offsets.len());
                }
            }
            at = (at + 1) & (table.len() - 1);
        }
        None
    }
}

/// Entries of the table of a vocabulary of `words` words.
fn table_entries(words: usize) -> usize {
    (words + words / 2).next_power_of_two().max(2)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_word_is_found_and_no_other(
            words in prop::collection::btree_set("\\PC{0,6}", 0..200), other in "\\PC{0,6}",
        ) {
            let words: BTreeSet<String> = words;
            let vocabulary = Vocabulary::new(&words).unwrap();
            for (i, word) in words.iter().enumerate() {
                prop_assert_eq!(vocabulary.position(word), Some(i as u32));
                prop_assert_eq!(vocabulary.word(i), Some(word.as_str()));
            }
            prop_assert_eq!(vocabulary.position(&other).is_some(), words.contains(&other));
            prop_assert_eq!(vocabulary.word(words.len()), None);
        }

        #[test]
        fn wrong_tables_neither_fail_nor_hang(
            keys in prop::collection::vec(prop_oneof![Just(0x61_u64), Just(0x62), any::<u64>()], 4),
            places in prop::collection::vec(prop_oneof![0_u64..6, (0_u64..6).prop_map(|p| p | 1 << 32), any::<u64>()], 4),
        ) {
            let table: Vec<u64> = keys.into_iter().zip(places).flat_map(|(k, p)| [k, p]).collect();
            let vocabulary = Vocabulary::from_stored(
                b"abcd".to_vec().into(), vec![0, 1, 9, 4].into(), table.into(),
            ).unwrap();
            for word in ["a", "b", "bc", "", "a long word"] {
                if let Some(i) = vocabulary.position(word) {
                    prop_assert!((i as usize) < vocabulary.len());
                }
            }
            prop_assert_eq!(vocabulary.words().count(), 3);
        }
    }

    #[test]
    fn the_stored_form_is_frozen() {
        let words = ["the", "shareholders", "telecommunications"];
        let vocabulary = Vocabulary::new(words).unwrap();
        let (bytes, offsets, table) = vocabulary.stored();
        assert_eq!((bytes.len(), offsets), (33, &[0, 3, 15, 33][..]));
        // Keys and places by the stated rule in Python, the third key from the package xxhash 4.1.0.
        let mut expected = [[0; 2]; 4];
        expected[1] = [0x0000_0000_0065_6874, 3 << 32 | 1];
        expected[0] = [0x8ba1_3525_59a3_2b72, 12 << 32 | 2];
        expected[2] = [0xec5a_3db0_538a_9f9a, 18 << 32 | 3];
        assert_eq!(table, expected.as_flattened());
    }

    #[test]
    fn duplicates_and_misfits_are_refused() {
        let err = Vocabulary::new(["a", "b", "a"]).unwrap_err().to_string();
        assert_eq!(err, "word \"a\" stands twice in the vocabulary, as number 0 and 2");
        let stored = |offsets: Vec<u32>, table: usize| {
            Vocabulary::from_stored(b"abc".to_vec().into(), offsets.into(), vec![0; table].into())
        };
        assert!(stored(vec![0, 3], 4).is_ok());
        assert!(stored(vec![0, 2], 4).is_err());
        assert!(stored(vec![], 4).is_err());
        assert!(stored(vec![0, 3], 2).is_err());
    }
}
