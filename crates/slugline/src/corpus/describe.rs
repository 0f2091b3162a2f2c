//! A corpus in figures, and its documents back in words.

use serde::Serialize;

use super::{Corpus, Sequences};

/// A corpus in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Description {
    /// Name of the corpus.
    pub name: String,
    /// What it is and where it came from.
    pub description: String,
    /// The training part.
    pub train: PartDescription,
    /// The test part.
    pub test: PartDescription,
    /// The classes in the order of their labels.
    pub classes: Vec<ClassSize>,
    /// Number of ranked words.
    pub ranked_words: usize,
    /// Number of distinct ids used in the documents of both parts, reserved ids included.
    pub vocabulary: usize,
    /// Largest id used; `None` where there are no ids.
    pub largest_id: Option<u32>,
}

/// The training or the test part of a corpus in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PartDescription {
    /// Number of documents.
    pub documents: usize,
    /// Number of ids over all documents, start marks included.
    pub total_ids: usize,
    /// Ids a document; `None` where there are no documents.
    pub lengths: Option<Lengths>,
}

/// Lengths of documents: in ids, start marks included, or in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lengths {
    /// The shortest.
    pub min: usize,
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The longest.
    pub max: usize,
}

/// A class and how many documents it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassSize {
    /// Name of the class.
    pub name: String,
    /// Documents in the training part.
    pub train: usize,
    /// Documents in the test part.
    pub test: usize,
}

impl Corpus {
    /// The corpus in figures.
    pub fn describe(&self) -> Description {
        let train = class_sizes(&self.train, self.class_names.len());
        let test = class_sizes(&self.test, self.class_names.len());
        let mut ids: Vec<u32> = self.train.ids().iter().chain(self.test.ids()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        Description {
            name: self.name.clone(),
            description: self.description.clone(),
            train: describe_part(&self.train),
            test: describe_part(&self.test),
            classes: self
                .class_names
                .iter()
                .zip(train.into_iter().zip(test))
                .map(|(name, (train, test))| ClassSize { name: name.clone(), train, test })
                .collect(),
            ranked_words: self.word_index.words().len(),
            vocabulary: ids.len(),
            largest_id: ids.last().copied(),
        }
    }

    /// The words of a document, parted by spaces, with `?` for every id that stands for no word:
    /// the start mark, words left out, and ids beyond the ranked words.
    ///
    /// An id stands for the word of rank `id − index_from`. Where `index_from` is smaller than the
    /// start mark or `oov_char` their ids are some word's too, and that word is shown.
    pub fn decode(&self, ids: &[u32]) -> String {
        let mut text = String::new();
        for (i, &id) in ids.iter().enumerate() {
            if i > 0 {
                text.push(' ');
            }
            let rank = id.checked_sub(self.options.index_from);
            text.push_str(rank.and_then(|rank| self.word_index.word(rank)).unwrap_or("?"));
        }
        text
    }
}

fn class_sizes(part: &Sequences, classes: usize) -> Vec<usize> {
    let mut sizes = vec![0; classes];
    for &label in part.labels() {
        if let Some(size) = sizes.get_mut(label as usize) {
            *size += 1;
        }
    }
    sizes
}

fn describe_part(part: &Sequences) -> PartDescription {
    let lengths: Vec<usize> = part.iter().map(<[u32]>::len).collect();
    PartDescription {
        documents: lengths.len(),
        total_ids: part.total_ids(),
        lengths: Lengths::of(lengths),
    }
}

impl Lengths {
    /// The figures of some lengths; `None` if there are none.
    pub(super) fn of(mut lengths: Vec<usize>) -> Option<Self> {
        lengths.sort_unstable();
        let (n, total) = (lengths.len(), lengths.iter().sum::<usize>());
        (n > 0).then(|| Self {
            min: lengths[0],
            median: (lengths[(n - 1) / 2] + lengths[n / 2]) as f64 / 2.0,
            mean: total as f64 / n as f64,
            max: lengths[n - 1],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{CorpusInfo, SequenceOptions};

    fn corpus(documents: &[(&str, u32)], test_split: f64) -> Corpus {
        let info = CorpusInfo {
            name: "tiny".into(),
            description: "made up for a test".into(),
            class_names: vec!["a".into(), "b".into()],
        };
        let options =
            SequenceOptions { num_words: Some(100), test_split, ..SequenceOptions::default() };
        Corpus::from_texts(info, documents.iter().copied(), &options).unwrap()
    }

    #[test]
    fn figures_of_a_tiny_corpus() {
        let corpus = corpus(&[("x y x", 0), ("x", 0), ("", 1), ("z z z z z y", 1)], 0.0);
        let description = corpus.describe();
        assert_eq!(description.train.documents, 4);
        assert_eq!(description.train.total_ids, 14);
        let lengths = Lengths { min: 1, median: 3.0, mean: 3.5, max: 7 };
        assert_eq!(description.train.lengths, Some(lengths));
        assert_eq!(description.test.lengths, None);
        let sizes: Vec<_> = description.classes.iter().map(|c| (c.train, c.test)).collect();
        assert_eq!(sizes, [(2, 0), (2, 0)]);
        assert_eq!((description.ranked_words, description.vocabulary), (3, 4));
        assert_eq!(description.largest_id, Some(6));
        let json = serde_json::to_value(&description).unwrap();
        assert_eq!(json["train"]["lengths"]["median"], 3.0);
    }

    #[test]
    fn decoding_shows_reserved_and_unknown_ids_as_question_marks() {
        let corpus = corpus(&[("x y x", 0)], 0.0);
        assert_eq!(corpus.decode(&[0, 1, 2, 3, 4, 5, 6, u32::MAX]), "? ? ? ? x y ? ?");
        assert_eq!(corpus.decode(&[]), "");
    }
}
