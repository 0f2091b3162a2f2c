//! Text and word ids to multi-hot rows.

use std::ops::Range;

use slugline_nn::{CsrMatrix, NnError, SparseRow};

use super::analyzer::Analyzer;
use super::places::Places;
use super::vocabulary::{Vocabulary, VocabularyError};
use crate::corpus::intern::Interner;
use crate::corpus::tokenize::Tokenizer;
use crate::corpus::{Corpus, SequenceOptions, Sequences};

/// Turns text into the multi-hot row that a document of the corpus with the same words has: a 1 at
/// each id that occurs.
///
/// The row includes the start mark and the mark of left-out words, as in the published example.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiHotVectorizer {
    vocabulary: Vocabulary,
    options: SequenceOptions,
    width: usize,
}

/// Buffers for one thread's texts, and what the last text turned into.
#[derive(Debug, Clone, Default)]
pub struct FeatureBuffer {
    tokenizer: Tokenizer,
    set: IdSet,
    pub(super) indices: Vec<u32>,
    pub(super) values: Vec<f32>,
    pub(super) analyzer: Option<Analyzer>,
    pub(super) features: Vec<u32>,
    /// Columns and values in the order of a list.
    pub(super) pairs: Vec<(u32, f32)>,
    pub(super) words: usize,
    pub(super) unknown_words: usize,
}

impl FeatureBuffer {
    /// The row of the last text.
    pub fn row(&self) -> SparseRow<'_> {
        SparseRow { indices: &self.indices, values: &self.values }
    }

    /// Number of words of the last text.
    pub fn words(&self) -> usize {
        self.words
    }

    /// How many of them the vocabulary does not have.
    pub fn unknown_words(&self) -> usize {
        self.unknown_words
    }
}

impl MultiHotVectorizer {
    /// The vectorizer of a corpus: its words and its numbering, `width` features.
    ///
    /// Only words that can get an id below `width` are kept.
    ///
    /// # Errors
    /// [`VocabularyError`] if the corpus ranks a word twice or too many.
    pub fn from_corpus(corpus: &Corpus, width: usize) -> Result<Self, VocabularyError> {
        let keep = width.saturating_sub(corpus.options.index_from as usize + 1);
        let vocabulary = Vocabulary::new(corpus.word_index.words().iter().take(keep))?;
        Ok(Self { vocabulary, options: corpus.options.clone(), width })
    }

    /// A vectorizer from its parts, as a model file holds them.
    pub fn from_parts(vocabulary: Vocabulary, options: SequenceOptions, width: usize) -> Self {
        Self { vocabulary, options, width }
    }

    /// The words, the most frequent first: position `i` has rank `i + 1`.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// How words are numbered.
    pub fn options(&self) -> &SequenceOptions {
        &self.options
    }

    /// Number of features of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The word that a feature stands for; `None` for the marks.
    pub fn feature_word(&self, feature: u32) -> Option<&str> {
        let position = feature.checked_sub(self.options.index_from)?.checked_sub(1)?;
        self.vocabulary.word(position as usize)
    }

    /// The first way in which `other` makes other rows of the same text, in words; `None` if there is
    /// none.
    pub fn numbering_difference(&self, other: &Self) -> Option<String> {
        if self.width != other.width {
            return Some(format!("{} features there and {} here", other.width, self.width));
        }
        let options = |o: &SequenceOptions| {
            [
                ("num_words", o.num_words.filter(|&n| n > 0)),
                ("skip_top", Some(o.skip_top)),
                ("start_char", o.start_char),
                ("oov_char", o.oov_char),
                ("index_from", Some(o.index_from)),
            ]
        };
        for ((name, ours), (_, theirs)) in
            options(&self.options).into_iter().zip(options(&other.options))
        {
            if ours != theirs {
                let say = |value: Option<u32>| value.map_or("none".into(), |n| n.to_string());
                return Some(format!("{name} is {} there and {} here", say(theirs), say(ours)));
            }
        }
        let words = |i| (self.vocabulary.word(i), other.vocabulary.word(i));
        let longer = self.vocabulary.len().max(other.vocabulary.len());
        let rank = (0..longer).find(|&i| words(i).0 != words(i).1)?;
        let say = |word: Option<&str>| word.map_or("none".into(), |word| format!("{word:?}"));
        let (ours, theirs) = words(rank);
        Some(format!("word {} is {} there and {} here", rank + 1, say(theirs), say(ours)))
    }

    /// The same vectorizer with the words of at least two of `texts` that it does not know, behind its
    /// own by falling number of these texts, then in the order of their first appearance. Their ids
    /// follow, and `num_words` and the width grow with them.
    ///
    /// # Errors
    /// [`VocabularyError::TooLarge`].
    pub(crate) fn extended<'t>(
        &self,
        texts: impl Iterator<Item = &'t str>,
    ) -> Result<Self, VocabularyError> {
        let (mut found, mut counts) = (Interner::default(), Vec::<(u32, usize)>::new());
        let mut tokenizer = Tokenizer::default();
        for (number, text) in texts.enumerate() {
            tokenizer.for_each(text, |token| {
                if self.vocabulary.position(token.as_str()).is_some() {
                    return;
                }
                let word = found.number_or_insert(token.as_str()) as usize;
                counts.resize(counts.len().max(word + 1), (0, usize::MAX));
                let (count, last) = &mut counts[word];
                *count += u32::from(*last != number);
                *last = number;
            });
        }
        let mut new: Vec<(u32, u32)> =
            (0..).zip(&counts).map(|(word, (count, _))| (*count, word)).collect();
        new.retain(|(count, _)| *count >= 2);
        new.sort_unstable_by_key(|&(count, word)| (std::cmp::Reverse(count), word));
        let words = self.vocabulary.words().chain(new.iter().map(|&(_, word)| found.word(word)));
        let vocabulary = Vocabulary::new(words)?;
        let mut options = self.options.clone();
        let end = vocabulary.len() + options.index_from as usize + 1;
        let width = if new.is_empty() { self.width } else { self.width.max(end) };
        if let Some(most) = options.num_words.as_mut().filter(|most| **most > 0)
            && !new.is_empty()
        {
            *most = (*most).max(end as u32);
        }
        Ok(Self { vocabulary, options, width })
    }

    /// The id of the word at a position of the vocabulary, if it is not left out.
    #[inline]
    fn id(&self, position: u32) -> Option<u32> {
        let options = &self.options;
        let id = position.checked_add(1)?.checked_add(options.index_from)?;
        let kept = id >= options.skip_top && options.num_words.is_none_or(|n| n == 0 || id < n);
        Some(id).filter(|_| kept)
    }

    /// Turns `text` into a row, which `buffer` then holds.
    ///
    /// ```
    /// use slugline::corpus::{sample, SequenceOptions};
    /// use slugline::text::{FeatureBuffer, MultiHotVectorizer};
    ///
    /// let corpus = sample::load(&SequenceOptions { num_words: Some(1000), ..Default::default() })?;
    /// let vectorizer = MultiHotVectorizer::from_corpus(&corpus, 1000)?;
    /// let mut buffer = FeatureBuffer::default();
    /// vectorizer.vectorize("the said the", &mut buffer);
    /// assert_eq!(buffer.words(), 3);
    /// assert!(buffer.row().indices.len() <= 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn vectorize(&self, text: &str, buffer: &mut FeatureBuffer) {
        self.vectorize_with(text, buffer, |_, _| {});
    }

    /// [`vectorize`](Self::vectorize), which also tells of every token, counted from 0, which feature it
    /// has: that of its word, or the mark of left-out words.
    pub fn vectorize_with(
        &self,
        text: &str,
        buffer: &mut FeatureBuffer,
        mut found: impl FnMut(u32, usize),
    ) {
        let FeatureBuffer { tokenizer, set, indices, values, words, unknown_words, .. } = buffer;
        indices.clear();
        let (mut seen, mut unknown) = (0, 0);
        self.options.encode_ranks([], indices);
        let lookup = self.vocabulary.lookup();
        tokenizer.for_each(text, |token| {
            let id = lookup.position_of(token).and_then(|position| self.id(position));
            unknown += usize::from(id.is_none());
            if let Some(id) = id.or(self.options.oov_char) {
                indices.push(id);
                found(id, seen);
            }
            seen += 1;
        });
        (*words, *unknown_words) = (seen, unknown);
        set.make(indices, self.width);
        values.clear();
        values.resize(indices.len(), 1.0);
    }
}

/// Where the tokens of `text` stand in it, in characters counted from 0.
pub(super) fn token_spans(text: &str) -> Vec<Range<usize>> {
    let places = Places::new(text, |seen, out| {
        out.clear();
        out.push_str(&seen.to_lowercase());
    });
    let mut spans = Vec::new();
    Tokenizer::default().for_each(text, |token| {
        spans.push(places.chars(token.start()..token.start() + token.len()));
    });
    spans
}

/// Turns lists of ids into sets, reusing its marks.
#[derive(Debug, Clone, Default)]
struct IdSet {
    /// One bit an id; all zero between lists.
    marks: Vec<u64>,
}

impl IdSet {
    /// Sorts ids, keeps each once, and drops those that a row of `width` features has no place for.
    fn make(&mut self, ids: &mut Vec<u32>, width: usize) {
        // Reading all marks pays while they are not many more than the ids to be sorted.
        let words = width.div_ceil(64);
        if words > 4 * ids.len() + 64 {
            ids.retain(|&id| (id as usize) < width);
            ids.sort_unstable();
            ids.dedup();
            return;
        }
        self.marks.resize(words, 0);
        let marks = &mut self.marks[..words];
        for &id in ids.iter().filter(|&&id| (id as usize) < width) {
            marks[id as usize / 64] |= 1 << (id % 64);
        }
        ids.clear();
        for (word, bits) in marks.iter_mut().enumerate() {
            while *bits != 0 {
                ids.push(word as u32 * 64 + bits.trailing_zeros());
                *bits &= *bits - 1;
            }
        }
    }
}

/// The multi-hot rows of documents: shape `[documents.len(), width]`, 1 at each id that occurs in
/// the document.
///
/// ```
/// use slugline::corpus::Sequences;
/// use slugline::text::multi_hot;
///
/// let mut documents = Sequences::new();
/// documents.push(&[1, 4, 4, 2], 0);
/// let x = multi_hot(&documents, 5)?;
/// assert_eq!(x.row(0).indices, [1, 2, 4]);
/// # Ok::<(), slugline::nn::NnError>(())
/// ```
///
/// # Errors
/// [`NnError::Csr`] for a document with an id that is not below `width`: load the corpus with
/// `num_words` of at most `width`.
pub fn multi_hot(documents: &Sequences, width: usize) -> Result<CsrMatrix, NnError> {
    let mut indptr = Vec::with_capacity(documents.len() + 1);
    let mut indices: Vec<u32> = Vec::with_capacity(documents.total_ids());
    let (mut row, mut set) = (Vec::new(), IdSet::default());
    indptr.push(0);
    for (number, ids) in documents.iter().enumerate() {
        if let Some(id) = ids.iter().find(|&&id| id as usize >= width) {
            return Err(NnError::Csr {
                row: number,
                reason: format!(
                    "word id {id} with {width} features; load the corpus with num_words of at most {width}"
                ),
            });
        }
        row.clear();
        row.extend_from_slice(ids);
        set.make(&mut row, width);
        indices.extend_from_slice(&row);
        indptr.push(indices.len());
    }
    let values = vec![1.0; indices.len()];
    CsrMatrix::new(width, indptr, indices, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::CorpusInfo;

    fn corpus(options: &SequenceOptions) -> (Vec<&'static str>, Corpus) {
        let texts = vec![
            "wheat and corn and wheat",
            "the price of wheat",
            "rain on the corn",
            "the bank's rate rose",
            "corn fell",
        ];
        let info = CorpusInfo {
            name: "tiny".into(),
            description: "five texts".into(),
            class_names: vec!["one".into()],
        };
        let corpus = Corpus::from_texts(info, texts.iter().map(|t| (*t, 0)), options).unwrap();
        (texts, corpus)
    }

    #[test]
    fn raw_text_gets_the_row_of_the_corpus_document() {
        for (num_words, skip_top, oov_char, start_char) in [
            (None, 0, Some(2), Some(1)),
            (Some(8), 0, Some(2), Some(1)),
            (Some(9), 5, Some(2), Some(1)),
            (Some(9), 5, None, None),
        ] {
            let options = SequenceOptions {
                num_words,
                skip_top,
                oov_char,
                start_char,
                test_split: 0.0,
                ..Default::default()
            };
            let (texts, corpus) = corpus(&options);
            let width = num_words.unwrap_or(50) as usize;
            let rows = multi_hot(&corpus.train, width).unwrap();
            let vectorizer = MultiHotVectorizer::from_corpus(&corpus, width).unwrap();
            let mut buffer = FeatureBuffer::default();
            let mut from_text: Vec<Vec<u32>> = texts
                .iter()
                .map(|text| {
                    vectorizer.vectorize(text, &mut buffer);
                    buffer.row().indices.to_vec()
                })
                .collect();
            let mut from_corpus: Vec<Vec<u32>> =
                rows.iter_rows().map(|r| r.indices.to_vec()).collect();
            from_text.sort();
            from_corpus.sort();
            assert_eq!(from_text, from_corpus, "{options:?}");
        }
    }

    #[test]
    fn the_first_difference_in_numbering_is_told() {
        let make = |options: &SequenceOptions, width| {
            MultiHotVectorizer::from_corpus(&corpus(options).1, width).unwrap()
        };
        let options = SequenceOptions { num_words: Some(9), ..Default::default() };
        let ours = make(&options, 50);
        assert_eq!(ours.numbering_difference(&make(&options, 50)), None);
        let otherwise_split = SequenceOptions { test_split: 0.4, seed: 1, ..options.clone() };
        assert_eq!(ours.numbering_difference(&make(&otherwise_split, 50)), None);

        let wider = ours.numbering_difference(&make(&options, 51));
        assert_eq!(wider.as_deref(), Some("51 features there and 50 here"));
        let unmarked = SequenceOptions { start_char: None, ..options.clone() };
        let marks = ours.numbering_difference(&make(&unmarked, 50));
        assert_eq!(marks.as_deref(), Some("start_char is none there and 1 here"));
        let mut fewer = ours.clone();
        fewer.vocabulary = Vocabulary::new(["the", "wheat"]).unwrap();
        let words = ours.numbering_difference(&fewer);
        assert_eq!(words.as_deref(), Some("word 1 is \"the\" there and \"wheat\" here"));
    }

    #[test]
    fn unknown_words_are_counted() {
        let (_, corpus) = corpus(&SequenceOptions::default());
        let vectorizer = MultiHotVectorizer::from_corpus(&corpus, 50).unwrap();
        let mut buffer = FeatureBuffer::default();
        vectorizer.vectorize("Wheat, quinoa & CORN!", &mut buffer);
        assert_eq!((buffer.words(), buffer.unknown_words()), (3, 1));
        let words: Vec<_> =
            buffer.row().indices.iter().filter_map(|&i| vectorizer.feature_word(i)).collect();
        assert_eq!(words, ["wheat", "corn"]);
        vectorizer.vectorize("", &mut buffer);
        assert_eq!((buffer.words(), buffer.row().indices), (0, &[1][..]));
    }

    #[test]
    fn new_words_come_behind_the_old_ones() {
        let options = SequenceOptions { num_words: Some(9), ..Default::default() };
        let vectorizer = MultiHotVectorizer::from_corpus(&corpus(&options).1, 9).unwrap();
        let texts = ["a tanker sank", "the tanker and barley", "barley rose, barley", "tanker"];
        let longer = vectorizer.extended(texts.into_iter()).unwrap();
        let words = longer.vocabulary().len();
        let known: Vec<_> = vectorizer.vocabulary().words().collect();
        assert_eq!(longer.vocabulary().words().take(known.len()).collect::<Vec<_>>(), known);
        // Of three and of two texts; `sank` is of one alone.
        let new: Vec<_> = longer.vocabulary().words().skip(known.len()).collect();
        assert_eq!(new, ["tanker", "barley"]);
        assert_eq!(longer.width(), words + 4);
        let mut buffer = FeatureBuffer::default();
        let mut row = |v: &MultiHotVectorizer, text: &str| {
            v.vectorize(text, &mut buffer);
            (buffer.row().indices.to_vec(), buffer.unknown_words())
        };
        assert_eq!(row(&longer, "the corn"), row(&vectorizer, "the corn"));
        let last = longer.width() as u32 - 1;
        assert_eq!(row(&longer, "barley"), (vec![1, last], 0));
        let same = vectorizer.extended(["the wheat sank"].into_iter()).unwrap();
        assert_eq!(same, vectorizer);
    }

    #[test]
    fn sets_are_the_same_by_marks_and_by_sorting() {
        let ids: Vec<u32> = (0..300).map(|i| i * 7919 % 1000).chain([5000]).collect();
        let want: std::collections::BTreeSet<u32> =
            ids.iter().copied().filter(|&id| id < 1000).collect();
        let (mut marked, mut set) = (ids, IdSet::default());
        set.make(&mut marked, 1000);
        assert_eq!(marked, Vec::from_iter(want));
        let mut few = vec![7, 3, 7, 100_000, 3];
        set.make(&mut few, 100_000);
        assert_eq!(few, [3, 7]);
        assert!(set.marks.iter().all(|&m| m == 0));
    }

    #[test]
    fn an_id_beyond_the_width_is_named() {
        let mut documents = Sequences::new();
        documents.push(&[1, 7], 0);
        let err = multi_hot(&documents, 5).unwrap_err().to_string();
        assert!(err.contains("row 0: word id 7 with 5 features"), "{err}");
    }
}
