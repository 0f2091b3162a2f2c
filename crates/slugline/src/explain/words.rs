//! What speaks for and against a class in general.

use rayon::prelude::*;
use serde::Serialize;

use super::Explainer;
use crate::classifier::{Classifier, ClassifierError};
use crate::corpus::{Content, Documents, LabelKind};
use crate::nn::{CsrMatrix, NnError, SparseRow};
use crate::text::FeatureBuffer;

/// The words, n-grams and parts of words that speak most for and against a class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassWords {
    /// Name of the class.
    pub class: String,
    /// What speaks most for it, the strongest first.
    #[serde(rename = "for")]
    pub speak_for: Vec<WeightedWord>,
    /// What speaks most against it, the strongest first.
    pub against: Vec<WeightedWord>,
}

/// A word, n-gram or part of a word, and how much it speaks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightedWord {
    /// What it is; beginnings of words end with `…`, parts of words have one on both sides.
    pub text: String,
    /// How much it adds to the logit of the class, below 0 where it speaks against it.
    pub weight: f64,
}

/// Why nothing can be said of the words of a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WordsError {
    /// The names of the features are not kept.
    #[error(
        "the model hashes its features, so that it does not know their names; explain single texts, or \
         train without hashing"
    )]
    Hashed,
    /// There are no documents.
    #[error("there are no documents of which to say what their words contribute")]
    NoDocuments,
    /// The documents do not fit the model.
    #[error(transparent)]
    Classifier(#[from] ClassifierError),
    /// The network refused.
    #[error(transparent)]
    Network(#[from] NnError),
}

/// Texts of one word that are looked at together.
const BLOCK: usize = 256;

impl Classifier {
    /// The `k` words (n-grams, parts of words) that speak most for and against each class, in the order
    /// of the classes.
    ///
    /// A word's weight is what a text of it alone would get beyond the empty text: the difference of the
    /// two logits of the class, less the mean of this difference over all classes, as only differences
    /// between classes change an answer. Where classes are independent of each other (multi-label),
    /// the mean stays. Rare words can have large weights; [`words_of`](Self::words_of) weighs by what
    /// documents really hold.
    ///
    /// # Errors
    /// [`WordsError::Hashed`] for hashed features.
    pub fn class_words(&self, k: usize) -> Result<Vec<ClassWords>, WordsError> {
        let names = self.feature_names()?;
        let mut attributor = self.network().attributor();
        let mut buffer = FeatureBuffer::default();
        let empty = self.vectorizer().vectorize("", &mut buffer);
        attributor.set_path(empty, empty)?;
        let baseline = attributor.baseline_logits().to_vec();
        let (empty_ids, empty_values) = (empty.indices.to_vec(), empty.values.to_vec());
        let features: Vec<u32> = (0..names.len() as u32)
            .filter(|&f| names[f as usize].is_some() && empty_ids.binary_search(&f).is_err())
            .collect();
        let centred = self.label_kind() != LabelKind::Multi;
        let block = |features: &[u32]| -> Result<Vec<Vec<f64>>, NnError> {
            let mut rows = CsrMatrix::with_cols(self.network().input_width());
            for &feature in features {
                let at = empty_ids.partition_point(|&id| id < feature);
                let (mut ids, mut values) = (empty_ids.clone(), empty_values.clone());
                ids.insert(at, feature);
                values.insert(at, self.vectorizer().value_alone(feature));
                rows.push_row(&ids, &values)?;
            }
            let logits = self.network().logits(&rows)?;
            let rise = |row: &[f32]| {
                let mut rise: Vec<f64> =
                    row.iter().zip(&baseline).map(|(&z, b)| f64::from(z) - b).collect();
                if centred {
                    let mean = rise.iter().sum::<f64>() / rise.len() as f64;
                    for z in &mut rise {
                        *z -= mean;
                    }
                }
                rise
            };
            Ok(logits.iter_rows().map(rise).collect())
        };
        let blocks: Vec<Vec<Vec<f64>>> =
            features.par_chunks(BLOCK).map(block).collect::<Result<_, _>>()?;
        let rises: Vec<(u32, Vec<f64>)> =
            features.iter().copied().zip(blocks.into_iter().flatten()).collect();
        let of_class = |(class, name): (usize, &String)| {
            let weights: Vec<(u32, f64)> =
                rises.iter().map(|(f, rise)| (*f, rise[class])).collect();
            strongest(name, weights, &names, k)
        };
        Ok(self.class_names().par_iter().enumerate().map(of_class).collect())
    }

    /// The `k` words (n-grams, parts of words) that contribute most to and most against each class in
    /// the documents that have it, in the order of the classes; classes without documents have none.
    ///
    /// A word's weight is the sum of its [contributions](super::Explanation) over the documents of the
    /// class, divided by their number.
    ///
    /// # Errors
    /// [`WordsError::Hashed`] for hashed features, [`WordsError::NoDocuments`] for none,
    /// [`ClassifierError::OtherClasses`] and [`ClassifierError::OtherContent`] for documents that do not
    /// fit the model.
    pub fn words_of(&self, documents: &Documents, k: usize) -> Result<Vec<ClassWords>, WordsError> {
        let names = self.feature_names()?;
        if documents.is_empty() {
            return Err(WordsError::NoDocuments);
        }
        self.check_documents("the documents", documents)?;
        let mut members: Vec<Vec<usize>> = vec![Vec::new(); self.class_names().len()];
        for document in 0..documents.len() {
            for class in documents.labels().classes(document) {
                members[class as usize].push(document);
            }
        }
        let shared = self.explainer();
        let of_class = |explainer: &mut Explainer<'_>,
                        (class, members): (usize, &Vec<usize>)|
         -> Result<ClassWords, NnError> {
            let mut sums = vec![0.0; names.len()];
            for &document in members {
                let contributions =
                    explainer.feature_contributions(documents.text(document), class as u32)?;
                for &(feature, contribution) in contributions {
                    sums[feature as usize] += contribution;
                }
            }
            let n = members.len().max(1) as f64;
            let named = (0..).zip(sums).filter(|(_, sum)| *sum != 0.0);
            let weights = named.map(|(feature, sum): (u32, f64)| (feature, sum / n)).collect();
            Ok(strongest(&self.class_names()[class], weights, &names, k))
        };
        let all = members.par_iter().enumerate();
        Ok(all.map_init(|| shared.fork(), of_class).collect::<Result<_, _>>()?)
    }

    fn feature_names(&self) -> Result<Vec<Option<String>>, WordsError> {
        let names = self.vectorizer().feature_names();
        let known = names.iter().any(Option::is_some);
        if known || self.vectorizer().content() == Content::Features {
            Ok(names)
        } else {
            Err(WordsError::Hashed)
        }
    }
}

impl Explainer<'_> {
    /// What each feature of a text contributes to a class.
    fn feature_contributions(&mut self, text: &str, class: u32) -> Result<&[(u32, f64)], NnError> {
        let Self { classifier, buffer, attributor, empty, .. } = self;
        let row = classifier.vectorizer().vectorize(text, buffer);
        attributor.set_path(SparseRow { indices: &empty.0, values: &empty.1 }, row)?;
        attributor.contributions(class, None)
    }
}

/// The `k` features of the largest weights and those of the smallest, of equals the first features.
fn strongest(
    class: &str,
    mut weights: Vec<(u32, f64)>,
    names: &[Option<String>],
    k: usize,
) -> ClassWords {
    weights.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let word = |&(feature, weight): &(u32, f64)| {
        Some(WeightedWord { text: names.get(feature as usize)?.clone()?, weight })
    };
    let speak_for = weights.iter().take_while(|w| w.1 > 0.0).filter_map(word).take(k).collect();
    let from_the_end = weights.iter().rev().take_while(|w| w.1 < 0.0);
    let against = from_the_end.filter_map(word).take(k).collect();
    ClassWords { class: class.to_owned(), speak_for, against }
}
