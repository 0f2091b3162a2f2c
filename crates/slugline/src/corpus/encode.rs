//! From text to word ids: the token rule, the ranking of words and Keras's numbering.
//!
//! Three steps, each usable alone:
//!
//! 1. [`TokenisedDocuments`] splits texts into tokens ([`tokenize`](super::tokenize)) and gives every distinct
//!    word a number in order of first appearance.
//! 2. [`TokenisedDocuments::rank`] counts words and renumbers them by falling count
//!    ([`RankedDocuments`]).
//! 3. [`keras_split`] shuffles and splits, and [`RankedDocuments::to_corpus`] turns ranks into ids.
//!
//! New text takes the same road through a [`TextEncoder`].

use super::intern::Interner;
use super::shuffle::legacy_permutation;
use super::tokenize::Tokenizer;
use super::{Corpus, CorpusError, SequenceOptions, Sequences, WordIndex};

/// Labelled documents as word numbers, counted from 0 in order of first appearance.
#[derive(Debug, Clone, Default)]
pub struct TokenisedDocuments {
    words: Interner,
    documents: Sequences,
    tokenizer: Tokenizer,
    scratch: Vec<u32>,
}

impl TokenisedDocuments {
    /// No documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// Splits `text` into tokens and adds them as a document with its `label`.
    pub fn push(&mut self, text: &str, label: u32) {
        self.scratch.clear();
        let Self { words, tokenizer, scratch, .. } = self;
        tokenizer.for_each(text, |token| scratch.push(words.number_or_insert(token.as_str())));
        self.documents.push(&self.scratch, label);
    }

    /// The documents in the order added, as word numbers.
    pub fn documents(&self) -> &Sequences {
        &self.documents
    }

    /// Number of distinct words.
    pub fn words(&self) -> usize {
        self.words.len()
    }

    /// Ranks the words of the documents at the positions `counted` by falling count, ties by first
    /// appearance among them, and rewrites all documents as ranks.
    ///
    /// A word that occurs in none of the counted documents gets rank 0, "unknown". Positions past
    /// the end count nothing.
    pub fn rank(self, counted: impl IntoIterator<Item = usize>) -> RankedDocuments {
        let mut counts = vec![0_u64; self.words.len()];
        let mut seen = Vec::with_capacity(counts.len());
        for ids in counted.into_iter().filter_map(|i| self.documents.get(i)) {
            for &number in ids {
                let count = &mut counts[number as usize];
                if *count == 0 {
                    seen.push(number);
                }
                *count += 1;
            }
        }
        // A stable sort leaves ties in the order of first appearance.
        seen.sort_by_key(|&number| std::cmp::Reverse(counts[number as usize]));

        let mut ranks = vec![0_u32; counts.len()];
        for (rank, &number) in (1..).zip(&seen) {
            ranks[number as usize] = rank;
        }
        let words = seen.iter().map(|&number| self.words.word(number).to_owned()).collect();
        let mut documents = self.documents;
        documents.map_ids(|number| ranks[number as usize]);
        RankedDocuments { word_index: WordIndex::from_ranked(words), documents }
    }
}

/// Labelled documents as word ranks: 1 is the most frequent word, 0 a word that was not ranked.
#[derive(Debug, Clone)]
pub struct RankedDocuments {
    /// The ranked words.
    pub word_index: WordIndex,
    /// The documents as ranks, with their labels.
    pub documents: Sequences,
}

/// What a corpus is called and what its labels stand for.
#[derive(Debug, Clone)]
pub struct CorpusInfo {
    /// Name as given on the command line, such as `reuters`.
    pub name: String,
    /// One sentence on what this is and where it came from; says so if the texts are generated.
    pub description: String,
    /// Name of each class, in the order of the labels.
    pub class_names: Vec<String>,
}

impl RankedDocuments {
    /// The ranks of all words over all `documents`, each a text and its label.
    pub fn from_texts<T: AsRef<str>>(documents: impl IntoIterator<Item = (T, u32)>) -> Self {
        let mut tokenised = TokenisedDocuments::new();
        for (text, label) in documents {
            tokenised.push(text.as_ref(), label);
        }
        let all = 0..tokenised.documents.len();
        tokenised.rank(all)
    }

    /// The number of words of each document, as [`keras_split`] wants it.
    pub fn lengths(&self) -> Vec<usize> {
        self.documents.iter().map(<[u32]>::len).collect()
    }

    /// The corpus of the documents at the positions in `split`, their ranks numbered by `options`.
    ///
    /// Where `options.num_words` is `None` or 0 it becomes, as in Keras, the largest id of the
    /// documents in `split`: that one id is then left out like every id above it would be.
    /// [`Corpus::options`] holds the number found.
    ///
    /// # Errors
    /// [`CorpusError::Option`] if ids would not fit in 32 bits; [`CorpusError::Label`] if a label is
    /// not below the number of class names.
    pub fn to_corpus(
        &self,
        info: CorpusInfo,
        split: &Split,
        options: &SequenceOptions,
    ) -> Result<Corpus, CorpusError> {
        let classes = info.class_names.len();
        for (document, &label) in self.documents.labels().iter().enumerate() {
            if label as usize >= classes {
                return Err(CorpusError::Label { document, label, classes });
            }
        }
        let mut options = options.clone();
        options.num_words = match options.num_words {
            None | Some(0) => self.largest_id(split, &options)?,
            given => given,
        };
        let part = |positions: &[usize]| {
            let mut part = Sequences::new();
            let mut ids = Vec::new();
            for &i in positions {
                if let (Some(ranks), Some(&label)) =
                    (self.documents.get(i), self.documents.labels().get(i))
                {
                    ids.clear();
                    options.encode_ranks(ranks.iter().copied(), &mut ids);
                    part.push(&ids, label);
                }
            }
            part
        };
        Ok(Corpus {
            name: info.name,
            description: info.description,
            class_names: info.class_names,
            word_index: self.word_index.clone(),
            train: part(&split.train),
            test: part(&split.test),
            options,
        })
    }

    /// The largest id that the documents in `split` would have if no word were left out; `None`
    /// where there is no id at all.
    fn largest_id(
        &self,
        split: &Split,
        options: &SequenceOptions,
    ) -> Result<Option<u32>, CorpusError> {
        let positions = split.train.iter().chain(&split.test);
        let documents = || positions.clone().filter_map(|&i| self.documents.get(i));
        let start = if documents().next().is_some() { options.start_char } else { None };
        match documents().flatten().max() {
            None => Ok(start),
            Some(&rank) => match rank.checked_add(options.index_from) {
                Some(id) => Ok(start.max(Some(id))),
                None => Err(CorpusError::Option {
                    name: "index_from",
                    value: options.index_from.to_string(),
                    problem: format!("the word of rank {rank} would get an id above {}", u32::MAX),
                }),
            },
        }
    }
}

/// Positions of the documents to train on and of those kept for testing, each in corpus order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// Positions of the documents to train on.
    pub train: Vec<usize>,
    /// Positions of the documents kept apart.
    pub test: Vec<usize>,
}

/// Shuffles and splits documents of the given `lengths` (words each) as Keras does.
///
/// All documents are shuffled ([`legacy_permutation`] of `options.seed`); those with `maxlen` ids or
/// more, the start mark included, are dropped (`maxlen` 0 drops none); the first
/// `trunc(n·(1 − test_split))` of the `n` that remain are for training.
///
/// # Errors
/// [`CorpusError::Option`] if `test_split` is not between 0 and 1;
/// [`CorpusError::TooManyDocuments`] past 2³² − 1 documents.
pub fn keras_split(lengths: &[usize], options: &SequenceOptions) -> Result<Split, CorpusError> {
    if !(0.0..=1.0).contains(&options.test_split) {
        return Err(CorpusError::Option {
            name: "test_split",
            value: options.test_split.to_string(),
            problem: "the share of documents kept for testing is between 0 and 1".to_owned(),
        });
    }
    let n = u32::try_from(lengths.len())
        .map_err(|_| CorpusError::TooManyDocuments { found: lengths.len() })?;
    let start = usize::from(options.start_char.is_some());
    let longest = options.maxlen.filter(|&maxlen| maxlen > 0);
    let mut train: Vec<usize> = legacy_permutation(options.seed, n)
        .into_iter()
        .map(|i| i as usize)
        .filter(|&i| longest.is_none_or(|maxlen| lengths[i] + start < maxlen))
        .collect();
    let boundary = (train.len() as f64 * (1.0 - options.test_split)) as usize;
    let test = train.split_off(boundary);
    Ok(Split { train, test })
}

impl Corpus {
    /// Builds a corpus from texts and their labels (indices into `info.class_names`): ranks the
    /// words of all documents, shuffles and splits ([`keras_split`]), and numbers the words.
    ///
    /// # Errors
    /// As [`keras_split`] and [`RankedDocuments::to_corpus`].
    pub fn from_texts<T: AsRef<str>>(
        info: CorpusInfo,
        documents: impl IntoIterator<Item = (T, u32)>,
        options: &SequenceOptions,
    ) -> Result<Self, CorpusError> {
        let ranked = RankedDocuments::from_texts(documents);
        let split = keras_split(&ranked.lengths(), options)?;
        ranked.to_corpus(info, &split, options)
    }

    /// Turns new text into ids exactly as the corpus's own documents were.
    pub fn encoder(&self) -> TextEncoder {
        TextEncoder::new(&self.word_index, self.options.clone())
    }
}

impl SequenceOptions {
    /// Appends the ids of a document, given as word ranks, to `ids`.
    ///
    /// The start mark comes first, if there is one. A word of rank `r` gets the id
    /// `r + index_from`. Every id outside `skip_top..num_words` (the start mark's too, as in Keras)
    /// and every unknown word (rank 0) becomes `oov_char`, or nothing where that is `None`. Where
    /// `num_words` is `None` or 0 there is no upper limit.
    pub fn encode_ranks(&self, ranks: impl IntoIterator<Item = u32>, ids: &mut Vec<u32>) {
        let end = self.num_words.filter(|&n| n > 0);
        let limit = |id: &u32| *id >= self.skip_top && end.is_none_or(|end| *id < end);
        if let Some(start) = self.start_char {
            ids.extend(Some(start).filter(limit).or(self.oov_char));
        }
        ids.extend(ranks.into_iter().filter_map(|rank| {
            let id = if rank == 0 { None } else { rank.checked_add(self.index_from) };
            id.filter(limit).or(self.oov_char)
        }));
    }
}

/// Turns text into word ids exactly as the documents of a corpus were.
#[derive(Debug, Clone)]
pub struct TextEncoder {
    words: Interner,
    /// Rank of each word by its number.
    ranks: Vec<u32>,
    options: SequenceOptions,
}

impl TextEncoder {
    /// For the words of `word_index`, numbered by `options`. A word that is listed twice has the
    /// rank of its first place.
    pub fn new(word_index: &WordIndex, options: SequenceOptions) -> Self {
        let mut words = Interner::default();
        let mut ranks = Vec::with_capacity(word_index.words().len());
        for (word, rank) in word_index.words().iter().zip(1..) {
            if words.number_or_insert(word) as usize == ranks.len() {
                ranks.push(rank);
            }
        }
        Self { words, ranks, options }
    }

    /// The ids of `text`. A word that the corpus does not have becomes `oov_char`.
    ///
    /// `maxlen` plays no part here: it drops documents from a corpus, it does not cut them.
    pub fn encode(&self, text: &str) -> Vec<u32> {
        let mut ranks = Vec::new();
        Tokenizer::default().for_each(text, |token| {
            let number = self.words.number(token.as_str());
            ranks.push(number.map_or(0, |number| self.ranks[number as usize]));
        });
        let mut ids = Vec::with_capacity(ranks.len() + 1);
        self.options.encode_ranks(ranks, &mut ids);
        ids
    }

    /// How words are numbered.
    pub fn options(&self) -> &SequenceOptions {
        &self.options
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::tokenize::tokens;
    use proptest::prelude::*;

    fn info(classes: usize) -> CorpusInfo {
        CorpusInfo {
            name: "test".into(),
            description: "made up for a test".into(),
            class_names: (0..classes).map(|i| i.to_string()).collect(),
        }
    }

    fn encoded(options: &SequenceOptions, ranks: &[u32]) -> Vec<u32> {
        let mut ids = Vec::new();
        options.encode_ranks(ranks.iter().copied(), &mut ids);
        ids
    }

    #[test]
    fn words_rank_by_count_then_first_appearance() {
        let ranked = RankedDocuments::from_texts([("b a c a", 0), ("c d", 1)]);
        assert_eq!(ranked.word_index.words(), ["a", "c", "b", "d"]);
        assert_eq!(ranked.documents.get(0), Some(&[3, 1, 2, 1][..]));
        assert_eq!(ranked.documents.get(1), Some(&[2, 4][..]));
        assert_eq!(ranked.documents.labels(), [0, 1]);
    }

    #[test]
    fn words_of_uncounted_documents_have_rank_0() {
        let mut tokenised = TokenisedDocuments::new();
        for text in ["x y", "z y z", "y w"] {
            tokenised.push(text, 0);
        }
        let ranked = tokenised.rank([1]);
        assert_eq!(ranked.word_index.words(), ["z", "y"]);
        assert_eq!(ranked.documents.get(0), Some(&[0, 2][..]));
        assert_eq!(ranked.documents.get(2), Some(&[2, 0][..]));
    }

    #[test]
    fn limits_apply_to_the_start_mark_too() {
        let mut options = SequenceOptions { num_words: Some(7), ..SequenceOptions::default() };
        assert_eq!(encoded(&options, &[1, 3, 4, 0]), [1, 4, 6, 2, 2]);
        options.skip_top = 5;
        assert_eq!(encoded(&options, &[1, 3, 4, 0]), [2, 2, 6, 2, 2]);
        options.oov_char = None;
        assert_eq!(encoded(&options, &[1, 3, 4, 0]), [6]);
        options = SequenceOptions { start_char: None, index_from: 0, ..SequenceOptions::default() };
        assert_eq!(encoded(&options, &[1, 3, u32::MAX]), [1, 3, u32::MAX]);
    }

    #[test]
    fn without_num_words_the_largest_id_is_left_out_as_in_keras() {
        let options = SequenceOptions { test_split: 0.0, ..SequenceOptions::default() };
        for num_words in [None, Some(0)] {
            let options = SequenceOptions { num_words, ..options.clone() };
            let corpus = Corpus::from_texts(info(1), [("a a b b c", 0)], &options).unwrap();
            assert_eq!(corpus.train.get(0), Some(&[1, 4, 4, 5, 5, 2][..]));
            assert_eq!(corpus.options.num_words, Some(6));
            assert_eq!(corpus.encoder().encode("C, b; new A!"), [1, 2, 5, 2, 4]);
        }
        let empty = Corpus::from_texts(info(1), [("", 0); 0], &options).unwrap();
        assert_eq!((empty.train.len(), empty.options.num_words), (0, None));
    }

    #[test]
    fn a_word_listed_twice_leaves_the_other_ranks_alone() {
        let words = ["a", "b", "a", "c"].map(str::to_owned).to_vec();
        let options = SequenceOptions { start_char: None, ..SequenceOptions::default() };
        let encoder = TextEncoder::new(&WordIndex::from_ranked(words), options);
        assert_eq!(encoder.encode("c b a d"), [7, 5, 4, 2]);
    }

    #[test]
    fn maxlen_counts_the_start_mark_and_drops_before_the_split() {
        let lengths = [1, 2, 3, 4, 5, 6, 7, 8];
        let options = SequenceOptions {
            maxlen: Some(6),
            test_split: 0.5,
            seed: 5,
            ..SequenceOptions::default()
        };
        let split = keras_split(&lengths, &options).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (2, 2));
        assert!(split.train.iter().chain(&split.test).all(|&i| lengths[i] < 5));
        let options = SequenceOptions { start_char: None, ..options };
        let split = keras_split(&lengths, &options).unwrap();
        assert_eq!((split.train.len(), split.test.len()), (2, 3));
        let options = SequenceOptions { maxlen: Some(0), ..options };
        assert_eq!(keras_split(&lengths, &options).unwrap().train.len(), 4);
    }

    #[test]
    fn bad_options_and_labels_are_named() {
        for test_split in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            let options = SequenceOptions { test_split, ..SequenceOptions::default() };
            let error = keras_split(&[1], &options).unwrap_err();
            assert!(error.to_string().contains("test_split"), "{error}");
        }
        let options = SequenceOptions { index_from: u32::MAX, ..SequenceOptions::default() };
        let error = Corpus::from_texts(info(1), [("a", 0)], &options).unwrap_err();
        assert!(error.to_string().contains("index_from"), "{error}");
        let error = Corpus::from_texts(info(2), [("a", 0), ("b", 2)], &SequenceOptions::default());
        assert!(matches!(
            error.unwrap_err(),
            CorpusError::Label { document: 1, label: 2, classes: 2 }
        ));
    }

    proptest! {
        #[test]
        fn encoding_keeps_lengths_where_words_left_out_have_an_id(
            ranks in prop::collection::vec(0..50_u32, 0..30),
            num_words in prop::option::of(0..60_u32),
            skip_top in 0..60_u32,
            start_char in prop::option::of(0..4_u32),
            index_from in 0..5_u32,
        ) {
            let options = SequenceOptions {
                num_words, skip_top, start_char, index_from, ..SequenceOptions::default()
            };
            let ids = encoded(&options, &ranks);
            prop_assert_eq!(ids.len(), ranks.len() + usize::from(start_char.is_some()));
            let end = num_words.filter(|&n| n > 0).unwrap_or(u32::MAX);
            prop_assert!(ids.iter().all(|id| *id == 2 || (skip_top..end).contains(id)));
        }

        #[test]
        fn an_encoder_gives_a_corpus_its_own_ids(
            texts in prop::collection::vec("[a-e ]{0,12}", 1..20),
            num_words in prop::option::of(0..10_u32),
            oov_char in prop::option::of(2..3_u32),
            maxlen in prop::option::of(1..12_usize),
            seed in any::<u32>(),
        ) {
            let options = SequenceOptions {
                num_words, maxlen, seed, oov_char, ..SequenceOptions::default()
            };
            let labelled = || texts.iter().map(|text| (text, 0));
            let corpus = Corpus::from_texts(info(1), labelled(), &options).unwrap();
            let lengths: Vec<usize> = texts.iter().map(|text| tokens(text).len()).collect();
            let split = keras_split(&lengths, &options).unwrap();
            let encoder = corpus.encoder();
            prop_assert_eq!(corpus.train.len(), split.train.len());
            for (ids, &i) in corpus.train.iter().zip(&split.train) {
                prop_assert_eq!(ids, encoder.encode(&texts[i]));
            }
            prop_assert_eq!(corpus.test.len(), split.test.len());
            for (ids, &i) in corpus.test.iter().zip(&split.test) {
                prop_assert_eq!(ids, encoder.encode(&texts[i]));
            }
        }
    }
}
