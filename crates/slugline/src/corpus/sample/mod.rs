//! The embedded corpus: generated newswires that need no file and no network.
//!
//! **None of it is real news.** A seeded generator writes 11,000 short wires over 46 topics from the
//! phrases in `vocabulary/*.txt` and from names put together of syllables; places, people and firms
//! do not exist. The corpus is made to behave like a real one: a third of the documents has one
//! topic and some topics have fewer than twenty; neighbouring topics share words; names and figures
//! are many and rare, so that a network can learn its training documents by heart; and some
//! documents are hard to place, each of which says so in [`SampleDocument::origin`]:
//!
//! * one in ten is written in the words of two topics and labelled with one of them,
//! * one in twenty carries the label of another document.
//!
//! A small network (the 10,000 most frequent words, two hidden layers of 64 units) gets 80 to 84% of
//! the test documents right. Its validation loss is lowest after 7 to 10 epochs and more than a third
//! higher after 20, when it knows nearly all training documents by heart.
//!
//! The same seed gives the same text on every platform: choices are integer arithmetic on `ChaCha8`.

mod draw;
mod names;
mod plan;
mod vocabulary;
mod writer;

use self::draw::Draw;
use self::vocabulary::NEWSROOM;
use super::encode::{CorpusInfo, TokenisedDocuments, keras_split};
use super::{Corpus, CorpusError, SequenceOptions};

/// Seed of the documents that [`load`] uses.
pub const DEFAULT_SEED: u64 = 46;

/// Name of the corpus.
pub const NAME: &str = "sample";

/// One sentence on what the corpus is.
pub const DESCRIPTION: &str = "Generated newswires, not real news: 11,000 short texts over 46 \
    topics, written by Slugline's own seeded generator";

/// A generated document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleDocument {
    /// Its class, an index into [`class_names`].
    pub label: u32,
    /// A newswire of one to a few dozen sentences, in ASCII.
    pub text: String,
    /// How text and label belong together.
    pub origin: Origin,
}

/// How the text and the label of a [`SampleDocument`] belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Written in the words of the topic that it is labelled with.
    Plain,
    /// Written in the words of two topics, a sentence in those of its label being somewhat more
    /// probable than one in those of the other.
    Mixed {
        /// The topic that it is not labelled with, an index into [`class_names`].
        with: u32,
    },
    /// Written in the words of one topic and labelled with another.
    Mislabelled {
        /// The topic it is written in, an index into [`class_names`].
        written_as: u32,
    },
}

/// The names of the 46 topics, in the order of the labels.
pub fn class_names() -> Vec<String> {
    NEWSROOM.topics.iter().map(|topic| topic.name.to_owned()).collect()
}

/// Writes 11,000 documents, in random order.
///
/// Class sizes and the made-up names are the same for every seed; the documents are different ones.
///
/// ```
/// use slugline::corpus::sample;
///
/// let documents = sample::documents(sample::DEFAULT_SEED);
/// assert_eq!(documents.len(), 11_000);
/// assert!(documents[0].text.ends_with('.'));
/// ```
pub fn documents(seed: u64) -> Vec<SampleDocument> {
    let drafts = plan::drafts(&NEWSROOM.topics, &mut Draw::new(seed, 0));
    // A stream a document: a longer one does not change those that follow.
    let streams = 1_u64..;
    drafts
        .iter()
        .zip(streams)
        .map(|(draft, stream)| SampleDocument {
            label: draft.label as u32,
            text: writer::write(draft, &mut Draw::new(seed, stream)),
            origin: draft.origin(),
        })
        .collect()
}

/// The generated documents of [`DEFAULT_SEED`] as a corpus named `sample`.
///
/// Split and numbered as the Reuters newswires are ([`keras_split`]), with one difference: words are
/// ranked by their counts in the training documents alone, so that nothing of the test documents
/// goes into the features. Words that only the test documents have become `oov_char`.
///
/// # Errors
/// [`CorpusError::Option`] if `test_split` is not between 0 and 1 or ids would not fit in 32 bits.
pub fn load(options: &SequenceOptions) -> Result<Corpus, CorpusError> {
    let mut tokenised = TokenisedDocuments::new();
    for document in documents(DEFAULT_SEED) {
        tokenised.push(&document.text, document.label);
    }
    let lengths: Vec<usize> = tokenised.documents().iter().map(<[u32]>::len).collect();
    let split = keras_split(&lengths, options)?;
    let ranked = tokenised.rank(split.train.iter().copied());
    let info = CorpusInfo {
        name: NAME.to_owned(),
        description: DESCRIPTION.to_owned(),
        class_names: class_names(),
    };
    ranked.to_corpus(info, &split, options)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use sha2::{Digest, Sha256};

    use super::super::Sequences;
    use super::super::tokenize::for_each_token;
    use super::*;

    fn class_sizes(documents: &[SampleDocument]) -> Vec<usize> {
        let mut sizes = vec![0; class_names().len()];
        for document in documents {
            sizes[document.label as usize] += 1;
        }
        sizes
    }

    /// Stored when the generator was written. Models and figures refer to these documents: a change
    /// of the words or of the generator needs a new hash here and a line in the changelog.
    #[test]
    fn documents_never_change_silently() {
        let mut hash = Sha256::new();
        for document in documents(DEFAULT_SEED) {
            hash.update(document.label.to_le_bytes());
            hash.update((document.text.len() as u64).to_le_bytes());
            hash.update(&document.text);
        }
        let hex: Vec<String> = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            hex.concat(),
            "04ae30e8d3b24e7dc93c9004cb907468584d123de1b38ed67d78083bcdaf6a6a"
        );
    }

    #[test]
    fn a_seed_changes_the_documents_but_not_the_classes() {
        let (first, again, other) = (documents(1), documents(1), documents(2));
        assert_eq!(first, again);
        assert_eq!(class_sizes(&first), class_sizes(&other));
        let texts: HashSet<&str> = first.iter().map(|document| document.text.as_str()).collect();
        let shared = other.iter().filter(|document| texts.contains(document.text.as_str())).count();
        assert_eq!(shared, 0);
    }

    #[test]
    fn classes_are_skewed_like_a_real_set() {
        let documents = documents(DEFAULT_SEED);
        let mut sizes = class_sizes(&documents);
        let planned: Vec<usize> = NEWSROOM.topics.iter().map(|topic| topic.documents).collect();
        assert_eq!(sizes, planned);
        assert_eq!((documents.len(), sizes.len()), (11_000, 46));
        assert_eq!(class_names().iter().collect::<HashSet<_>>().len(), 46);

        sizes.sort_unstable_by_key(|&size| std::cmp::Reverse(size));
        assert!((3_300..=3_960).contains(&sizes[0]), "a third: {}", sizes[0]);
        assert!((1_650..=2_000).contains(&sizes[1]), "a sixth: {}", sizes[1]);
        assert!(sizes[2] * 2 < sizes[1]);
        assert!(sizes[45] >= 15);
        assert!(sizes.iter().filter(|&&size| size <= 60).count() >= 15);
    }

    #[test]
    fn texts_read_like_wires() {
        let documents = documents(DEFAULT_SEED);
        let mut lengths = Vec::new();
        for SampleDocument { text, .. } in &documents {
            assert!(text.is_ascii() && text.ends_with('.'), "{text}");
            assert!(text.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()));
            assert!(!text.contains(['{', '}', '\n']) && !text.contains("  "), "{text}");
            let mut tokens = 0;
            for_each_token(text, |_| tokens += 1);
            lengths.push(tokens);
        }
        lengths.sort_unstable();
        assert!(lengths[0] >= 15, "shortest: {}", lengths[0]);
        assert!((60..=90).contains(&lengths[5_500]), "median: {}", lengths[5_500]);
        assert!((400..=800).contains(&lengths[10_999]), "longest: {}", lengths[10_999]);
        let mean = lengths.iter().sum::<usize>() / lengths.len();
        assert!(mean > lengths[5_500] + 15, "skewed to the right: mean {mean}");
    }

    #[test]
    fn no_text_occurs_twice() {
        let documents = documents(DEFAULT_SEED);
        let texts: HashSet<&str> = documents.iter().map(|d| d.text.as_str()).collect();
        assert_eq!(texts.len(), documents.len());
    }

    #[test]
    fn origins_say_which_documents_are_hard() {
        let documents = documents(DEFAULT_SEED);
        let (mut mixed, mut mislabelled) = (0, 0);
        for document in &documents {
            match document.origin {
                Origin::Plain => {}
                Origin::Mixed { with } => {
                    assert_ne!(with, document.label);
                    mixed += 1;
                }
                Origin::Mislabelled { written_as } => {
                    assert_ne!(written_as, document.label);
                    mislabelled += 1;
                }
            }
        }
        assert!((1_000..=1_200).contains(&mixed), "{mixed}");
        assert_eq!(mislabelled, 550);
    }

    #[test]
    fn only_training_documents_rank_words() {
        let options = SequenceOptions {
            num_words: Some(u32::MAX),
            skip_top: 1,
            ..SequenceOptions::default()
        };
        let corpus = load(&options).unwrap();
        assert_eq!((corpus.train.len(), corpus.test.len()), (8_800, 2_200));
        assert_eq!(corpus.train.labels().iter().collect::<HashSet<_>>().len(), 46);

        let ids = |part: &Sequences| part.iter().flatten().copied().collect::<HashSet<u32>>();
        let (in_train, in_test) = (ids(&corpus.train), ids(&corpus.test));
        let words = corpus.word_index.words().len() as u32;
        assert!((12_000..30_000).contains(&words), "{words}");
        // Start mark, then every ranked word; a word left out (2) only in the test documents.
        let expected: HashSet<u32> = std::iter::once(1).chain(4..words + 4).collect();
        assert_eq!(in_train, expected);
        assert!(in_test.contains(&2));
    }

    #[test]
    fn a_corpus_says_that_it_is_generated_and_refuses_a_bad_split() {
        let corpus = load(&SequenceOptions::default()).unwrap();
        assert_eq!(corpus.name, "sample");
        assert!(
            corpus.description.contains("Generated") && corpus.description.contains("not real")
        );
        assert_eq!(corpus.class_names, class_names());
        let error = load(&SequenceOptions { test_split: 1.5, ..SequenceOptions::default() });
        assert!(matches!(error, Err(CorpusError::Option { name: "test_split", .. })));
    }

    /// Test accuracy of multinomial naive Bayes on the presence of words, with add-one smoothing.
    fn naive_bayes_accuracy(corpus: &Corpus) -> f64 {
        let classes = corpus.class_names.len();
        let distinct = |ids: &[u32]| ids.iter().copied().collect::<HashSet<u32>>();
        let mut documents = vec![0.0_f64; classes];
        let mut totals = vec![0.0_f64; classes];
        let mut counts: HashMap<u32, Vec<f64>> = HashMap::new();
        for (ids, &label) in corpus.train.iter().zip(corpus.train.labels()) {
            documents[label as usize] += 1.0;
            for id in distinct(ids) {
                counts.entry(id).or_insert_with(|| vec![0.0; classes])[label as usize] += 1.0;
                totals[label as usize] += 1.0;
            }
        }
        let words = counts.len() as f64;
        let mut right = 0;
        for (ids, &label) in corpus.test.iter().zip(corpus.test.labels()) {
            let mut scores: Vec<f64> = documents.iter().map(|n| n.ln()).collect();
            for count in distinct(ids).iter().filter_map(|id| counts.get(id)) {
                for ((score, n), total) in scores.iter_mut().zip(count).zip(&totals) {
                    *score += ((n + 1.0) / (total + words)).ln();
                }
            }
            let best = (0..classes).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            right += usize::from(best == Some(label as usize));
        }
        right as f64 / corpus.test.len() as f64
    }

    /// Small classes have too few documents for naive Bayes, which is why it stays well below a
    /// network; it must still find much more than the largest class, and not everything.
    #[test]
    fn topics_can_be_told_apart_but_not_always() {
        let options = SequenceOptions { num_words: Some(10_000), ..SequenceOptions::default() };
        let accuracy = naive_bayes_accuracy(&load(&options).unwrap());
        assert!((0.5..0.85).contains(&accuracy), "{accuracy}");
    }
}
