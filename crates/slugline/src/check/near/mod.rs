//! Texts that are nearly the same.

mod cluster;
mod minhash;

use std::cmp::Reverse;

use serde::Serialize;

use self::cluster::Clusters;
use self::minhash::{jaccard, pairs};
use super::Found;
use super::texts::{Texts, all_labels};
use crate::text::{AnalyzerOptions, Tokenised};

/// Texts to train on that are nearly the same.
///
/// Each is at least as similar as asked for to another one of them; to the first one it may be less
/// similar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearDuplicate {
    /// Whether not all of the documents have the same labels.
    pub conflicting: bool,
    /// The labels, in the order of their names.
    pub labels: Vec<String>,
    /// The first document with each of the texts, in their order.
    pub documents: Vec<NearDocument>,
}

/// A document among others with nearly the same text.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearDocument {
    /// The document.
    pub document: Found,
    /// Similarity to the first one of them, from 0 to 1; see
    /// [`CheckOptions::similarity`](super::CheckOptions::similarity).
    pub similarity: f64,
    /// The beginning of its text.
    pub excerpt: String,
}

/// A document to be scored on whose text is nearly one of those to train on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearLeak {
    /// The document.
    pub document: Found,
    /// The first document to train on with the most similar text.
    pub training: Found,
    /// Similarity of the two texts.
    pub similarity: f64,
    /// Whether their labels differ.
    pub conflicting: bool,
    /// The beginning of the document's text.
    pub excerpt: String,
    /// The beginning of the other text.
    pub training_excerpt: String,
}

/// Documents to train on of a cluster that one to be scored on is compared with: the first ones.
const MOST_COMPARED: usize = 256;

/// Distinct texts in clusters of texts that are alike.
pub(super) struct Near<'a> {
    texts: &'a Texts<'a>,
    tokenised: Tokenised,
    /// Numbers of distinct texts.
    clusters: Vec<Vec<usize>>,
    similarity: f64,
}

impl<'a> Near<'a> {
    pub(super) fn new(texts: &'a Texts<'a>, similarity: f64) -> Self {
        let distinct: Vec<&str> = texts.groups().iter().map(|group| texts.text(group[0])).collect();
        let tokenised = Tokenised::new(&distinct, &AnalyzerOptions::default());
        let clusters = Clusters::new(&tokenised, similarity).groups();
        Self { texts, tokenised, clusters, similarity }
    }

    fn set(&self, text: usize) -> Vec<u64> {
        pairs(self.tokenised.ids(text))
    }

    /// How many texts to train on nearly repeat another one, and the clusters that they are in: those
    /// with more than one label first, then those of the most documents.
    pub(super) fn duplicates(&self) -> (usize, Vec<NearDuplicate>) {
        let mut count = 0;
        let mut found = Vec::new();
        for cluster in &self.clusters {
            // Texts are numbered as they first appear, so that those to train on come first, in order.
            let position = |text: usize| self.texts.groups()[text][0];
            let own = &cluster[..cluster.partition_point(|&t| self.texts.trains(position(t)))];
            if own.len() < 2 {
                continue;
            }
            count += own.len() - 1;
            let first = self.set(own[0]);
            let near = |&text: &usize| NearDocument {
                document: self.texts.found(position(text)),
                similarity: jaccard(&first, &self.set(text)),
                excerpt: self.texts.excerpt(position(text)),
            };
            let documents: Vec<NearDocument> = own.iter().map(near).collect();
            let conflicting = self.texts.labels_differ(own.iter().map(|&text| position(text)));
            let labels = all_labels(documents.iter().map(|near| &near.document));
            found.push(NearDuplicate { conflicting, labels, documents });
        }
        found.sort_by_key(|near| Reverse((near.conflicting, near.documents.len())));
        (count, found)
    }

    /// Documents to be scored on whose text is nearly, but not to the letter, one of those to train
    /// on, in their order.
    pub(super) fn leaks(&self) -> Vec<NearLeak> {
        let groups = self.texts.groups();
        let mut leaks: Vec<(usize, NearLeak)> = Vec::new();
        for cluster in &self.clusters {
            let (known, new) = cluster
                .split_at(cluster.partition_point(|&text| self.texts.trains(groups[text][0])));
            if known.is_empty() || new.is_empty() {
                continue;
            }
            let sets: Vec<(usize, Vec<u64>)> =
                known.iter().take(MOST_COMPARED).map(|&text| (text, self.set(text))).collect();
            for &text in new {
                let set = self.set(text);
                let mut best: Option<(usize, f64)> = None;
                for (other, other_set) in &sets {
                    let similarity = jaccard(&set, other_set);
                    if best.is_none_or(|(_, most)| similarity > most) {
                        best = Some((groups[*other][0], similarity));
                    }
                }
                // It may be in the cluster by way of another one to be scored on.
                let Some((training, similarity)) = best.filter(|(_, s)| *s >= self.similarity)
                else {
                    continue;
                };
                leaks.extend(groups[text].iter().map(|&position| {
                    let leak = NearLeak {
                        document: self.texts.found(position),
                        training: self.texts.found(training),
                        similarity,
                        conflicting: self.texts.labels_differ([position, training].into_iter()),
                        excerpt: self.texts.excerpt(position),
                        training_excerpt: self.texts.excerpt(training),
                    };
                    (position, leak)
                }));
            }
        }
        leaks.sort_by_key(|(position, _)| *position);
        leaks.into_iter().map(|(_, leak)| leak).collect()
    }
}
