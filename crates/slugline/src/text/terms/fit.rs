//! From training texts to a vectorizer and their rows.

use std::borrow::Cow;

use rayon::prelude::*;
use slugline_nn::{CsrMatrix, NnError};

use super::counted::{Counted, Part};
use super::grams::{self, Ngrams};
use super::options::{
    FeatureOrder, Selection, TermFrequency, VectorizerOptionError, VectorizerOptions,
};
use super::weights::{count, idf};
use super::{
    NONE, Open, TermKind, TermVectorizer, TermVocabulary, Tokenised, each_char_ngram, each_prefix,
};
use crate::corpus::Labels;
use crate::corpus::intern::Interner;
use crate::text::{Vocabulary, VocabularyError};

/// Why a vectorizer cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TermError {
    /// A setting is out of range.
    #[error(transparent)]
    Option(#[from] VectorizerOptionError),
    /// No feature is left of the texts.
    #[error(
        "none of the {documents} training texts has a feature that is kept: they hold {tokens} tokens; \
         lower min_df or raise max_df, or choose another token rule"
    )]
    NoFeatures {
        /// Number of texts.
        documents: usize,
        /// Their tokens.
        tokens: usize,
    },
    /// The words do not fit a vocabulary.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// The rows do not fit a matrix.
    #[error(transparent)]
    Matrix(#[from] NnError),
    /// The stored parts do not belong together.
    #[error("the stored vectorizer is broken: {problem}")]
    Broken {
        /// What was expected and found.
        problem: String,
    },
}

/// Rows that one task turns into features.
const CHUNK: usize = 256;

/// Chunks that are counted before their rows are put together.
const CHUNKS: usize = 64;

/// A feature that may be kept.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    kind: TermKind,
    /// Number of the token, prefix or part; place of the first token of an n-gram.
    id: u64,
    /// Tokens of an n-gram.
    length: u32,
    /// Documents that have it.
    df: u32,
    /// Times that it occurs.
    total: u64,
}

/// What tokens consist of, numbered.
struct Units {
    prefixes: Interner,
    chars: Interner,
    /// The prefixes and parts of each token, end to end: numbers from 0 on for prefixes, after all
    /// prefixes for parts.
    parts: Vec<u32>,
    ends: Vec<usize>,
}

impl Units {
    fn new(tokenised: &Tokenised, options: &VectorizerOptions) -> Self {
        let (mut prefixes, mut chars) = (Interner::default(), Interner::default());
        let mut lists: Vec<[Vec<u32>; 2]> = Vec::new();
        let any = !options.prefix_lengths.is_empty() || options.char_ngrams.is_some();
        for number in 0..if any { tokenised.distinct() as u32 } else { 0 } {
            let word = tokenised.word(number);
            let mut list = [Vec::new(), Vec::new()];
            each_prefix(word, &options.prefix_lengths, |p| {
                list[0].push(prefixes.number_or_insert(p));
            });
            each_char_ngram(word, options.char_ngrams, |p| {
                list[1].push(chars.number_or_insert(p));
            });
            lists.push(list);
        }
        let first = prefixes.len() as u32;
        let (mut parts, mut ends) = (Vec::new(), Vec::with_capacity(lists.len()));
        for [prefix, char] in lists {
            parts.extend(prefix);
            parts.extend(char.into_iter().map(|number| first + number));
            ends.push(parts.len());
        }
        Self { prefixes, chars, parts, ends }
    }

    fn len(&self) -> usize {
        self.prefixes.len() + self.chars.len()
    }

    /// The parts of a token.
    fn of(&self, word: u32) -> &[u32] {
        let word = word as usize;
        match self.ends.get(word) {
            None => &[],
            Some(&end) => {
                let start = word.checked_sub(1).map_or(0, |before| self.ends[before]);
                &self.parts[start..end]
            }
        }
    }
}

impl TermVectorizer {
    /// Learns the features of all texts and gives their rows.
    ///
    /// # Errors
    /// As [`fit_rows`](Self::fit_rows).
    pub fn fit_transform(
        tokenised: &Tokenised,
        options: &VectorizerOptions,
    ) -> Result<(Self, CsrMatrix), TermError> {
        let rows: Vec<usize> = (0..tokenised.len()).collect();
        Self::fit_rows(tokenised, &rows, options, None)
    }

    /// Learns the features of some of the texts, and gives the rows of these: shape `[rows.len(),
    /// width]`. `labels` are those of all texts, with the number of classes; they are needed for the
    /// factor [`VectorizerOptions::class_spread`] alone, which is left out without them.
    ///
    /// Works on all threads of the current pool; the result does not depend on their number.
    ///
    /// # Errors
    /// [`TermError::Option`] for a setting out of range, [`TermError::NoFeatures`] if no feature is
    /// kept, [`TermError::Vocabulary`] and [`TermError::Matrix`] for texts that are too large.
    ///
    /// # Panics
    /// If a row is not below the number of texts, or the texts were cut by other settings.
    pub fn fit_rows(
        tokenised: &Tokenised,
        rows: &[usize],
        options: &VectorizerOptions,
        labels: Option<(&Labels, usize)>,
    ) -> Result<(Self, CsrMatrix), TermError> {
        options.check()?;
        assert_eq!(tokenised.options(), &options.analyzer, "texts were cut by other settings");
        let tokens: usize = rows.iter().map(|&row| tokenised.ids(row).len()).sum();
        let mean_length = tokens as f32 / rows.len().max(1) as f32;
        let empty = || TermError::NoFeatures { documents: rows.len(), tokens };
        let (vocabulary, width) = match options.hashing {
            Some(bits) => (TermVocabulary::none()?, 1 << bits),
            None => learn(tokenised, rows, options)?.ok_or_else(empty)?,
        };
        let mut this = Self {
            options: options.clone(),
            vocabulary,
            factors: vec![1.0; width].into(),
            mean_length,
        };
        let mut counted = this.count(tokenised, rows);
        let df = counted.document_frequencies(width);
        if df.iter().all(|&df| df == 0) {
            return Err(empty());
        }
        let mut factors: Vec<f32> = df.iter().map(|&df| idf(options.idf, df, rows.len())).collect();
        this.weigh_kinds(&mut factors);
        if let (Some(floor), Some((labels, classes))) = (options.class_spread, labels) {
            counted.spread(rows, labels, &vec![0; classes], floor, &mut factors);
        }
        this.factors = factors.into();
        this.weigh(&mut counted, tokenised, rows);
        Ok((this, counted.into_matrix(width)?))
    }

    /// The rows of some of the texts: shape `[rows.len(), width]`.
    ///
    /// # Errors
    /// [`TermError::Matrix`] if they are too large.
    ///
    /// # Panics
    /// As [`fit_rows`](Self::fit_rows).
    pub fn transform(&self, tokenised: &Tokenised, rows: &[usize]) -> Result<CsrMatrix, TermError> {
        assert_eq!(tokenised.options(), &self.options.analyzer, "texts were cut by other settings");
        let mut counted = self.count(tokenised, rows);
        self.weigh(&mut counted, tokenised, rows);
        Ok(counted.into_matrix(self.width())?)
    }

    /// Multiplies the factors by the weights of the kinds of features. Hashed features, whose kinds
    /// share the buckets, count alike.
    pub(super) fn weigh_kinds(&self, factors: &mut [f32]) {
        let TermVocabulary { words, ngrams, prefixes, chars, features } = &self.vocabulary;
        let options = &self.options;
        let weights = std::iter::repeat_n(options.words.weight, words.len())
            .chain(std::iter::repeat_n(options.ngrams.weight, ngrams.len()))
            .chain(std::iter::repeat_n(options.prefixes.weight, prefixes.len()))
            .chain(std::iter::repeat_n(options.chars.weight, chars.len()));
        for (&feature, weight) in features.as_slice().iter().zip(weights) {
            if let Some(factor) = factors.get_mut(feature as usize) {
                *factor *= weight;
            }
        }
    }

    /// How often each feature occurs in each text.
    pub(super) fn count(&self, tokenised: &Tokenised, rows: &[usize]) -> Counted {
        // What a token gives by itself is found once.
        let tokens: Vec<(Option<u32>, Vec<u32>)> = (0..tokenised.distinct() as u32)
            .into_par_iter()
            .map(|number| {
                let mut features = Vec::new();
                let word = self.single(tokenised.word(number), |feature| features.push(feature));
                (word, features)
            })
            .collect();
        let chunk = |rows: &[usize]| {
            let mut part = Part::default();
            let mut features = Vec::new();
            for &row in rows {
                features.clear();
                let mut open = Open::default();
                for &id in tokenised.ids(row) {
                    let (word, single) = &tokens[id as usize];
                    features.extend_from_slice(single);
                    open.push(*word, self.options.word_ngrams, |key, _| {
                        features.extend(self.ngram(key));
                    });
                }
                features.sort_unstable();
                count(&features, &mut part.indices, &mut part.values);
                part.ends.push(part.indices.len());
            }
            part
        };
        let mut counted = Counted::new(rows.len());
        // A few chunks at a time: what is not yet in the one list that stays is small.
        for rows in rows.chunks(CHUNK * CHUNKS) {
            let parts: Vec<Part> = rows.par_chunks(CHUNK).map(chunk).collect();
            for part in &parts {
                counted.append(part);
            }
        }
        counted
    }

    /// Turns counts into values.
    fn weigh(&self, counted: &mut Counted, tokenised: &Tokenised, rows: &[usize]) {
        let weighing = self.weighing();
        let Counted { indices, values, indptr, .. } = counted;
        let (mut rest, mut chunks) = (values.as_mut_slice(), Vec::new());
        for (number, rows) in rows.chunks(CHUNK).enumerate() {
            let ends = &indptr[number * CHUNK..=number * CHUNK + rows.len()];
            let (values, after) = rest.split_at_mut(ends[rows.len()] - ends[0]);
            rest = after;
            chunks.push((rows, ends, values));
        }
        chunks.into_par_iter().for_each(|(rows, ends, values)| {
            for (&row, ends_of) in rows.iter().zip(ends.windows(2)) {
                let (start, end) = (ends_of[0], ends_of[1]);
                let values = &mut values[start - ends[0]..end - ends[0]];
                weighing.weigh(&indices[start..end], values, tokenised.ids(row).len());
            }
        });
    }
}

/// The features of the texts of some rows that are kept, and their number; `None` if there is none.
pub(super) fn learn(
    tokenised: &Tokenised,
    rows: &[usize],
    options: &VectorizerOptions,
) -> Result<Option<(TermVocabulary, usize)>, TermError> {
    let units = Units::new(tokenised, options);
    let mut kept = single_tokens(tokenised, rows, options, &units);
    for length in 2..=options.word_ngrams {
        kept.extend(ngrams(tokenised, rows, options, length));
    }
    if let Some(most) = options.max_features.filter(|&most| most < kept.len()) {
        let binary = options.tf == TermFrequency::Binary;
        let times = |c: &Candidate| if binary { u64::from(c.df) } else { c.total };
        kept.sort_unstable_by_key(|c| (std::cmp::Reverse(times(c)), c.kind, c.id, c.length));
        kept.truncate(most);
    }
    if kept.is_empty() {
        return Ok(None);
    }
    let stream = tokenised.stream();
    let gram = |c: &Candidate| &stream[c.id as usize..][..c.length as usize];
    match options.order {
        FeatureOrder::Frequency => {
            kept.sort_unstable_by_key(|c| (std::cmp::Reverse(c.df), c.kind, c.id, c.length));
        }
        FeatureOrder::Alphabet => {
            let text = |c: &Candidate| match c.kind {
                TermKind::Word => Cow::Borrowed(tokenised.word(c.id as u32)),
                TermKind::Prefix => Cow::Borrowed(units.prefixes.word(c.id as u32)),
                TermKind::Chars => Cow::Borrowed(units.chars.word(c.id as u32)),
                TermKind::Ngram => {
                    let tokens: Vec<&str> = gram(c).iter().map(|&id| tokenised.word(id)).collect();
                    Cow::Owned(tokens.join(" "))
                }
            };
            let mut named: Vec<(Cow<'_, str>, Candidate)> =
                kept.par_iter().map(|c| (text(c), *c)).collect();
            named.par_sort_unstable_by(|(a, c), (b, d)| (a, c.kind).cmp(&(b, d.kind)));
            kept = named.into_iter().map(|(_, candidate)| candidate).collect();
        }
    }
    let of = |kind| kept.iter().zip(0_u32..).filter(move |(c, _)| c.kind == kind);

    // Words in the order of their features, then those that only n-grams need.
    let mut positions = vec![NONE; tokenised.distinct()];
    let (mut words, mut features) = (Vec::new(), Vec::new());
    for (candidate, feature) in of(TermKind::Word) {
        positions[candidate.id as usize] = words.len() as u32;
        words.push(candidate.id as u32);
        features.push(feature);
    }
    let mut flat = Vec::new();
    for (candidate, _) in of(TermKind::Ngram) {
        for &word in gram(candidate) {
            let position = &mut positions[word as usize];
            if *position == NONE {
                *position = words.len() as u32;
                words.push(word);
                features.push(NONE);
            }
            flat.push(*position);
        }
    }
    let mut rest = flat.as_slice();
    let ngrams = Ngrams::new(of(TermKind::Ngram).map(|(candidate, _)| {
        let (gram, after) = rest.split_at(candidate.length as usize);
        rest = after;
        gram
    }));
    features.extend(of(TermKind::Ngram).map(|(_, feature)| feature));
    let mut listed = |kind, interner: &Interner| {
        let vocabulary = Vocabulary::new(of(kind).map(|(c, _)| interner.word(c.id as u32)));
        features.extend(of(kind).map(|(_, feature)| feature));
        vocabulary
    };
    let prefixes = listed(TermKind::Prefix, &units.prefixes)?;
    let chars = listed(TermKind::Chars, &units.chars)?;
    let words = Vocabulary::new(words.iter().map(|&word| tokenised.word(word)))?;
    let features = features.into();
    Ok(Some((TermVocabulary { words, ngrams, prefixes, chars, features }, kept.len())))
}

/// Whether a feature of `df` among `n` documents is kept.
fn selects(selection: Selection, df: u32, n: usize) -> bool {
    df >= selection.min_df.max(1) && f64::from(df) <= selection.max_df * n as f64
}

/// The tokens, prefixes and parts that are kept.
fn single_tokens(
    tokenised: &Tokenised,
    rows: &[usize],
    options: &VectorizerOptions,
    units: &Units,
) -> Vec<Candidate> {
    let words = tokenised.distinct();
    let all = words + units.len();
    // One share of the rows for each thread: sums of whole numbers do not depend on the shares.
    let share = rows.len().div_ceil(rayon::current_num_threads()).max(1);
    let counts = rows
        .par_chunks(share)
        .map(|rows| {
            let (mut df, mut total) = (vec![0_u32; all], vec![0_u64; all]);
            let mut ids = Vec::new();
            for &row in rows {
                ids.clear();
                for &word in tokenised.ids(row) {
                    ids.push(word);
                    ids.extend(units.of(word).iter().map(|&part| words as u32 + part));
                }
                ids.sort_unstable();
                for run in ids.chunk_by(|a, b| a == b) {
                    df[run[0] as usize] += 1;
                    total[run[0] as usize] += run.len() as u64;
                }
            }
            (df, total)
        })
        .reduce_with(|(mut df, mut total), (more_df, more_total)| {
            df.iter_mut().zip(more_df).for_each(|(a, b)| *a += b);
            total.iter_mut().zip(more_total).for_each(|(a, b)| *a += b);
            (df, total)
        });
    let (df, total) = counts.unwrap_or_default();
    let first_char = words + units.prefixes.len();
    let candidate = |(id, (df, total)): (usize, (u32, u64))| {
        let (kind, first, selection) = match id {
            _ if id < words => (TermKind::Word, 0, options.words),
            _ if id < first_char => (TermKind::Prefix, words, options.prefixes),
            _ => (TermKind::Chars, first_char, options.chars),
        };
        let id = (id - first) as u64;
        selects(selection, df, rows.len()).then_some(Candidate { kind, id, length: 1, df, total })
    };
    df.into_iter().zip(total).enumerate().filter_map(candidate).collect()
}

/// Tokens of the texts of a partition of the n-grams.
const PARTITION: usize = 1 << 22;

/// The n-grams of `length` tokens that are kept.
fn ngrams(
    tokenised: &Tokenised,
    rows: &[usize],
    options: &VectorizerOptions,
    length: usize,
) -> Vec<Candidate> {
    /// An n-gram of a document: key, place of its first token, times that it occurs.
    type Found = (u64, u64, u32);

    // Sorting a part of the n-grams at a time bounds the memory; the key alone tells the part.
    let parts = (tokenised.tokens() / PARTITION + 1).next_power_of_two();
    let of_part = |part: usize| -> Vec<Candidate> {
        let (mut all, mut own): (Vec<Found>, Vec<(u64, u64)>) = (Vec::new(), Vec::new());
        for &row in rows {
            own.clear();
            let ids = tokenised.ids(row);
            let first = tokenised.start(row) as u64;
            for (at, gram) in ids.windows(length).enumerate() {
                let key = grams::key(gram);
                if parts == 1 || grams::part(key, parts) == part {
                    own.push((key, first + at as u64));
                }
            }
            own.sort_unstable();
            let runs = own.chunk_by(|a, b| a.0 == b.0);
            all.extend(runs.map(|run| (run[0].0, run[0].1, run.len() as u32)));
        }
        all.sort_unstable();
        let runs = all.chunk_by(|a, b| a.0 == b.0);
        runs.filter(|run| selects(options.ngrams, run.len() as u32, rows.len()))
            .map(|run| Candidate {
                kind: TermKind::Ngram,
                // The first place of all, whatever the order of the rows.
                id: run.iter().map(|found| found.1).min().unwrap_or_default(),
                length: length as u32,
                df: run.len() as u32,
                total: run.iter().map(|found| u64::from(found.2)).sum(),
            })
            .collect()
    };
    (0..parts).into_par_iter().flat_map_iter(of_part).collect()
}
