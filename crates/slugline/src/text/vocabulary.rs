//! Words and their numbers.

use slugline_nn::Buffer;
use twox_hash::XxHash3_64;

/// An ordered list of distinct words with a hash table over them.
///
/// It consists of three flat arrays, which a model file stores as they are: a mapped file needs no
/// parsing before the first look-up. Their form is frozen with the file format:
///
/// * `bytes`: the words in UTF-8, end to end;
/// * `offsets`: word `i` is `bytes[offsets[i]..offsets[i + 1]]`;
/// * `table`: `2ᵏ` entries, at least twice as many as words. An entry is 0 where it is free; else its
///   low half is `i + 1`, its high half the high half of the word's hash (XXH3, 64 bits, seed 0). A
///   word is looked for from the entry `hash mod 2ᵏ` upwards, round the end, up to a free one.
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

fn hash(word: &str) -> u64 {
    XxHash3_64::oneshot(word.as_bytes())
}

fn entry(hash: u64, position: usize) -> u64 {
    (hash & 0xFFFF_FFFF_0000_0000) | (position as u64 + 1)
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
        let mut table = vec![0u64; table_size(count)];
        let mask = table.len() - 1;
        let this = Self { bytes: bytes.into(), offsets: offsets.into(), table: Buffer::default() };
        for i in 0..count {
            let word = this.word(i).unwrap_or_default();
            let hash = hash(word);
            let mut at = hash as usize & mask;
            while table[at] != 0 {
                let other = (table[at] as u32 - 1) as usize;
                if this.word(other) == Some(word) {
                    return Err(VocabularyError::Duplicate {
                        word: word.to_owned(),
                        first: other,
                        second: i,
                    });
                }
                at = (at + 1) & mask;
            }
            table[at] = entry(hash, i);
        }
        Ok(Self { table: table.into(), ..this })
    }

    /// A vocabulary from its stored arrays, which are checked only as far as safety needs: the look-ups
    /// of a table with wrong entries find nothing, but neither fail nor hang.
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
        if found != table_size(count) {
            let expected = table_size(count);
            return broken(format!("{count} words need {expected} table entries, found {found}"));
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
        let offsets = self.offsets.as_slice();
        let range = *offsets.get(position)? as usize..*offsets.get(position + 1)? as usize;
        self.bytes.as_slice().get(range)
    }

    /// The position of a word, counted from 0.
    pub fn position(&self, word: &str) -> Option<u32> {
        let table = self.table.as_slice();
        let mask = table.len() - 1;
        let hash = hash(word);
        let mut at = hash as usize & mask;
        // A stored table without a free entry must not hang the search.
        for _ in 0..table.len() {
            let found = table[at];
            if found == 0 {
                return None;
            }
            let position = (found as u32).wrapping_sub(1);
            if (found ^ hash) >> 32 == 0
                && self.word_bytes(position as usize) == Some(word.as_bytes())
            {
                return Some(position);
            }
            at = (at + 1) & mask;
        }
        None
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

/// Entries of the table of a vocabulary of `words` words.
fn table_size(words: usize) -> usize {
    (2 * words).next_power_of_two().max(2)
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
        fn wrong_tables_neither_fail_nor_hang(table in prop::collection::vec(any::<u64>(), 8)) {
            let vocabulary = Vocabulary::from_stored(
                b"abcd".to_vec().into(), vec![0, 1, 9, 4].into(), table.into(),
            ).unwrap();
            for word in ["a", "b", "bc", ""] {
                if let Some(i) = vocabulary.position(word) {
                    prop_assert_eq!(vocabulary.word(i as usize), Some(word));
                }
            }
            let _ = vocabulary.words().count();
        }
    }

    #[test]
    fn the_stored_form_is_frozen() {
        let vocabulary = Vocabulary::new(["the", "wheat"]).unwrap();
        let (bytes, offsets, table) = vocabulary.stored();
        assert_eq!((bytes, offsets), (&b"thewheat"[..], &[0, 3, 8][..]));
        // XXH3-64 of both words, from the Python package xxhash 4.1.0.
        let want = [(0xcb12_8363_1cf3_3d7d_u64, 1), (0x1b79_8820_7151_9adc, 2)];
        let mut expected = [0u64; 4];
        for (hash, number) in want {
            let free = (0..4).map(|step| (hash as usize + step) % 4).find(|&i| expected[i] == 0);
            expected[free.unwrap()] = (hash >> 32 << 32) | number;
        }
        assert_eq!(table, expected);
    }

    #[test]
    fn duplicates_and_misfits_are_refused() {
        let err = Vocabulary::new(["a", "b", "a"]).unwrap_err().to_string();
        assert_eq!(err, "word \"a\" stands twice in the vocabulary, as number 0 and 2");
        let stored = |offsets: Vec<u32>, table: usize| {
            Vocabulary::from_stored(b"abc".to_vec().into(), offsets.into(), vec![0; table].into())
        };
        assert!(stored(vec![0, 3], 2).is_ok());
        assert!(stored(vec![0, 2], 2).is_err());
        assert!(stored(vec![], 2).is_err());
        assert!(stored(vec![0, 3], 4).is_err());
    }
}
