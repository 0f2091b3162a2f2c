//! Text to weighted features: words, n-grams, beginnings and parts of words.

mod counted;
mod extend;
mod fit;
mod grams;
mod options;
mod tokenised;
mod weights;

use slugline_nn::Buffer;
use twox_hash::XxHash3_64;

use super::analyzer::Analyzer;
use super::multi_hot::FeatureBuffer;
use super::vocabulary::Vocabulary;
use weights::{Weighing, count};

pub(crate) use extend::Earlier;
pub use fit::TermError;
pub use grams::Ngrams;
pub use options::{
    FeatureOrder, Idf, Norm, Selection, TermFrequency, VectorizerOptionError, VectorizerOptions,
};
pub use tokenised::Tokenised;
pub use weights::class_spread;

/// Stands for "no feature".
const NONE: u32 = u32::MAX;

/// Kinds of features, in the order in which their entries are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TermKind {
    /// A token.
    Word,
    /// Neighbouring tokens.
    Ngram,
    /// The beginning of a longer token.
    Prefix,
    /// A part of a token, spaces standing for its ends.
    Chars,
}

/// What a feature stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Its kind.
    pub kind: TermKind,
    /// Its characters; the tokens of an n-gram with a space between them.
    pub text: String,
}

/// Turns text into weighted features, learned from training texts.
///
/// Where features are hashed, the bucket of a hash `h` is `(h ^ h/2³²) mod 2^bits`; `h` is the XXH3 hash
/// (64 bits) of a token, prefix or part with seed 1, 3 or 4, and for n-grams a mixture of the low
/// halves of its tokens' hashes.
///
/// Features are numbered as [`VectorizerOptions::order`] says; the same texts give the same numbers.
///
/// ```
/// use slugline::text::{FeatureBuffer, TermVectorizer, Tokenised, VectorizerOptions};
///
/// let options = VectorizerOptions { word_ngrams: 2, ..Default::default() }.tf_idf(true);
/// let texts = ["wheat fell", "gold rose", "wheat rose"];
/// let tokenised = Tokenised::new(&texts, &options.analyzer);
/// let (vectorizer, x) = TermVectorizer::fit_transform(&tokenised, &options)?;
/// assert_eq!((x.rows(), x.cols()), (3, 7));
///
/// let mut buffer = FeatureBuffer::default();
/// vectorizer.vectorize("Wheat rose.", &mut buffer);
/// assert_eq!(buffer.row().indices, x.row(2).indices);
/// assert_eq!(vectorizer.terms()[x.row(2).indices[2] as usize].text, "wheat rose");
/// # Ok::<(), slugline::text::TermError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TermVectorizer {
    options: VectorizerOptions,
    vocabulary: TermVocabulary,
    /// The factor of each feature.
    factors: Buffer<f32>,
    mean_length: f32,
}

/// The words, n-grams, prefixes and parts of words that a [`TermVectorizer`] knows: entries, numbered
/// in this order, and the feature of each.
#[derive(Debug, Clone, PartialEq)]
pub struct TermVocabulary {
    /// Tokens that are features or part of one.
    pub words: Vocabulary,
    /// n-grams of positions in `words`.
    pub ngrams: Ngrams,
    /// Beginnings of tokens.
    pub prefixes: Vocabulary,
    /// Parts of tokens.
    pub chars: Vocabulary,
    /// The feature of each entry; 2³² − 1 for a word that is only part of n-grams.
    pub features: Buffer<u32>,
}

impl TermVocabulary {
    /// No entries, for hashed features.
    fn none() -> Result<Self, TermError> {
        let empty = || Vocabulary::new([""; 0]);
        let (words, prefixes, chars) = (empty()?, empty()?, empty()?);
        Ok(Self {
            words,
            ngrams: Ngrams::new(std::iter::empty()),
            prefixes,
            chars,
            features: vec![].into(),
        })
    }

    fn len(&self) -> usize {
        self.words.len() + self.ngrams.len() + self.prefixes.len() + self.chars.len()
    }
}

impl TermVectorizer {
    /// A vectorizer from its parts, as a model file holds them.
    ///
    /// # Errors
    /// [`TermError`] if a setting is out of range or the parts do not fit each other.
    pub fn from_parts(
        options: VectorizerOptions,
        vocabulary: TermVocabulary,
        factors: Buffer<f32>,
        mean_length: f32,
    ) -> Result<Self, TermError> {
        options.check()?;
        let (entries, features) = (vocabulary.len(), vocabulary.features.as_slice());
        let width = factors.as_slice().len();
        let expected = options.hashing.map(|bits| 1 << bits);
        let problem = if features.len() != entries {
            Some(format!("{entries} entries have {} features", features.len()))
        } else if let Some(expected) = expected.filter(|&expected| expected != width) {
            Some(format!("{expected} buckets have {width} factors"))
        } else if !mean_length.is_finite() || mean_length < 0.0 {
            Some(format!("the mean length is {mean_length}"))
        } else {
            features
                .iter()
                .find(|&&feature| feature != NONE && feature as usize >= width)
                .map(|feature| format!("feature {feature} is beyond the {width} factors"))
        };
        match problem {
            Some(problem) => Err(TermError::Broken { problem }),
            None => Ok(Self { options, vocabulary, factors, mean_length }),
        }
    }

    /// The settings.
    pub fn options(&self) -> &VectorizerOptions {
        &self.options
    }

    /// The words and other entries.
    pub fn vocabulary(&self) -> &TermVocabulary {
        &self.vocabulary
    }

    /// The factor of each feature: rarity, spread over the classes and weight of its kind.
    pub fn factors(&self) -> &[f32] {
        self.factors.as_slice()
    }

    /// Tokens of a training document on average.
    pub fn mean_length(&self) -> f32 {
        self.mean_length
    }

    /// Number of features of a row.
    pub fn width(&self) -> usize {
        self.factors.as_slice().len()
    }

    /// What each feature stands for, in their order; empty where features are hashed.
    pub fn terms(&self) -> Vec<Term> {
        if self.options.hashing.is_some() {
            return Vec::new();
        }
        let TermVocabulary { words, ngrams, prefixes, chars, features } = &self.vocabulary;
        let word = |i: usize| words.word(i).unwrap_or_default();
        let gram = |i: usize| {
            let gram = ngrams.gram(i).unwrap_or_default();
            gram.iter().map(|&w| word(w as usize)).collect::<Vec<_>>().join(" ")
        };
        let listed = |vocabulary: &Vocabulary, kind| {
            vocabulary.words().map(|text| (kind, text.to_owned())).collect::<Vec<_>>()
        };
        let mut entries = listed(words, TermKind::Word);
        entries.extend((0..ngrams.len()).map(|i| (TermKind::Ngram, gram(i))));
        entries.extend(listed(prefixes, TermKind::Prefix));
        entries.extend(listed(chars, TermKind::Chars));
        let unnamed = Term { kind: TermKind::Word, text: String::new() };
        let mut terms = vec![unnamed; self.width()];
        for ((kind, text), &feature) in entries.into_iter().zip(features.as_slice()) {
            if let Some(term) = terms.get_mut(feature as usize) {
                *term = Term { kind, text };
            }
        }
        terms
    }

    /// Turns `text` into a row, which `buffer` then holds.
    pub fn vectorize(&self, text: &str, buffer: &mut FeatureBuffer) {
        self.vectorize_with(text, buffer, |_, _, _| {});
    }

    /// [`vectorize`](Self::vectorize), which also tells of every feature from which token it begins to
    /// which token it goes (counted from 0, both included), in the order of the tokens' ends.
    pub fn vectorize_with(
        &self,
        text: &str,
        buffer: &mut FeatureBuffer,
        mut found: impl FnMut(u32, usize, usize),
    ) {
        let FeatureBuffer { analyzer, indices, values, features, words, unknown_words, .. } =
            buffer;
        if analyzer.as_ref().is_none_or(|a| *a.options() != self.options.analyzer) {
            *analyzer = Some(Analyzer::new(self.options.analyzer.clone()));
        }
        features.clear();
        (*words, *unknown_words) = (0, 0);
        let mut open = Open::default();
        if let Some(analyzer) = analyzer {
            analyzer.for_each(text, |token| {
                let at = *words;
                *words += 1;
                let mut add = |feature, length| {
                    features.push(feature);
                    found(feature, at + 1 - length, at);
                };
                let word = self.single(token, |feature| add(feature, 1));
                open.push(word, self.options.word_ngrams, |key, length| {
                    if let Some(feature) = self.ngram(key) {
                        add(feature, length);
                    }
                });
                *unknown_words += usize::from(word.is_none());
            });
        }
        indices.clear();
        values.clear();
        features.sort_unstable();
        count(features, indices, values);
        self.weighing().weigh(indices, values, *words);
    }

    /// The value of a feature in a row that has no other.
    pub(super) fn value_alone(&self, feature: u32) -> f32 {
        let mut value = [1.0];
        self.weighing().weigh(&[feature], &mut value, 1);
        value[0]
    }

    fn weighing(&self) -> Weighing<'_> {
        Weighing {
            tf: self.options.tf,
            norm: self.options.norm,
            factors: self.factors.as_slice(),
            mean_length: self.mean_length,
        }
    }

    /// Calls `f` with every feature that `token` has by itself; gives the number that it has in
    /// n-grams, `None` for an unknown token.
    #[inline]
    fn single(&self, token: &str, mut f: impl FnMut(u32)) -> Option<u32> {
        let options = &self.options;
        if let Some(bits) = options.hashing {
            let hash = |seed, text: &str| XxHash3_64::oneshot_with_seed(seed, text.as_bytes());
            let word = hash(1, token);
            f(bucket(word, bits));
            each_prefix(token, &options.prefix_lengths, |part| f(bucket(hash(3, part), bits)));
            each_char_ngram(token, options.char_ngrams, |part| f(bucket(hash(4, part), bits)));
            return Some(word as u32);
        }
        let TermVocabulary { words, ngrams, prefixes, chars, features } = &self.vocabulary;
        let features = features.as_slice();
        let mut entry = |entry: usize| {
            if let Some(&feature) = features.get(entry).filter(|&&feature| feature != NONE) {
                f(feature);
            }
        };
        let word = words.position(token);
        if let Some(word) = word {
            entry(word as usize);
        }
        let base = words.len() + ngrams.len();
        each_prefix(token, &options.prefix_lengths, |part| {
            if let Some(i) = prefixes.position(part) {
                entry(base + i as usize);
            }
        });
        let base = base + prefixes.len();
        each_char_ngram(token, options.char_ngrams, |part| {
            if let Some(i) = chars.position(part) {
                entry(base + i as usize);
            }
        });
        word
    }

    /// The feature of the n-gram with a key.
    #[inline]
    fn ngram(&self, key: u64) -> Option<u32> {
        if let Some(bits) = self.options.hashing {
            let mixed = key.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            return Some(bucket(mixed ^ mixed >> 29, bits));
        }
        let entry = self.vocabulary.words.len() + self.vocabulary.ngrams.find(key)? as usize;
        self.vocabulary.features.as_slice().get(entry).copied().filter(|&feature| feature != NONE)
    }
}

/// The bucket of a hash.
fn bucket(hash: u64, bits: u32) -> u32 {
    ((hash ^ hash >> 32) & ((1 << bits) - 1)) as u32
}

/// Keys of the n-grams that the next token may end, the longest first.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    keys: [u64; options::LONGEST],
    count: usize,
}

impl Open {
    /// Takes the next token, `None` for one that no n-gram holds, and calls `f` with the key and the
    /// length of each n-gram of up to `longest` tokens that it ends.
    #[inline]
    fn push(&mut self, token: Option<u32>, longest: usize, mut f: impl FnMut(u64, usize)) {
        let Some(token) = token.filter(|_| longest > 1) else {
            self.count = 0;
            return;
        };
        for (i, key) in self.keys[..self.count].iter_mut().enumerate() {
            *key = grams::extend(*key, token);
            f(*key, self.count + 1 - i);
        }
        if self.count == longest - 1 {
            self.keys.copy_within(1..self.count, 0);
            self.count -= 1;
        }
        self.keys[self.count] = grams::begin(token);
        self.count += 1;
    }
}

/// Calls `f` with the beginnings of a token that is longer than they are.
#[inline]
fn each_prefix(token: &str, lengths: &[usize], mut f: impl FnMut(&str)) {
    for &length in lengths {
        // The character after the prefix begins where the prefix ends.
        if token.len() <= length {
            continue;
        }
        if let Some((end, _)) = token.char_indices().nth(length) {
            f(&token[..end]);
        }
    }
}

/// Calls `f` with the character n-grams of a token between two spaces; a token that is shorter than an
/// n-gram gives itself once, as in scikit-learn.
fn each_char_ngram(token: &str, range: Option<(usize, usize)>, mut f: impl FnMut(&str)) {
    let Some((shortest, longest)) = range else { return };
    let padded = format!(" {token} ");
    let starts: Vec<usize> = padded.char_indices().map(|(i, _)| i).chain([padded.len()]).collect();
    let count = starts.len() - 1;
    for n in shortest..=longest {
        if n >= count {
            f(&padded);
            break;
        }
        for at in 0..=count - n {
            f(&padded[starts[at]..starts[at + n]]);
        }
    }
}

#[cfg(test)]
mod tests;
