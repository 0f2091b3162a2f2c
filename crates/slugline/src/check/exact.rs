//! Texts that are the same to the letter.

use std::collections::HashMap;

use serde::Serialize;

use super::{Found, excerpt, found, names_of};
use crate::corpus::Documents;

/// A document to be scored on whose text is one of those to train on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The document.
    pub document: Found,
    /// The first document to train on with the same text.
    pub training: Found,
    /// The beginning of the text.
    pub excerpt: String,
}

/// A text that stands under more than one label.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// The labels, in the order of their names.
    pub labels: Vec<String>,
    /// The documents with this text.
    pub documents: Vec<Found>,
    /// The beginning of the text.
    pub excerpt: String,
}

/// A text that occurs again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// The documents with this text.
    pub documents: Vec<Found>,
    /// The beginning of the text.
    pub excerpt: String,
}

/// Distinct texts, each with the documents that have it.
pub(super) struct Exact<'a> {
    train: &'a Documents,
    against: Option<&'a Documents>,
    /// In the order of first appearance: positions in `train`, and after those in `against`.
    groups: Vec<Vec<usize>>,
}

impl<'a> Exact<'a> {
    pub(super) fn new(train: &'a Documents, against: Option<&'a Documents>) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let texts = train.texts().chain(against.into_iter().flat_map(Documents::texts));
        for (i, text) in texts.enumerate() {
            let number = *numbers.entry(text).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[number].push(i);
        }
        Self { train, against, groups }
    }

    /// The document at a position, and whether it is one to be scored on.
    fn at(&self, position: usize) -> (&'a Documents, usize, bool) {
        match (position.checked_sub(self.train.len()), self.against) {
            (Some(i), Some(against)) => (against, i, true),
            _ => (self.train, position, false),
        }
    }

    fn found(&self, position: usize) -> Found {
        let (documents, i, against) = self.at(position);
        found(documents, i, against)
    }

    fn excerpt(&self, group: &[usize]) -> String {
        let (documents, i, _) = self.at(group[0]);
        excerpt(documents.text(i))
    }

    pub(super) fn leaks(&self) -> Vec<Leak> {
        let n = self.train.len();
        let mut leaks: Vec<(usize, Leak)> = Vec::new();
        for group in self.groups.iter().filter(|group| group[0] < n) {
            for &position in group.iter().filter(|&&position| position >= n) {
                let leak = Leak {
                    document: self.found(position),
                    training: self.found(group[0]),
                    excerpt: self.excerpt(group),
                };
                leaks.push((position, leak));
            }
        }
        leaks.sort_by_key(|(position, _)| *position);
        leaks.into_iter().map(|(_, leak)| leak).collect()
    }

    /// Texts whose documents do not all have the same labels.
    pub(super) fn conflicts(&self) -> Vec<Conflict> {
        // By name: the two lists of documents may number their classes differently.
        let labels = |&position: &usize| -> Vec<&str> {
            let (documents, i, _) = self.at(position);
            let mut names: Vec<&str> = names_of(documents, i).collect();
            names.sort_unstable();
            names
        };
        let differ = |group: &&Vec<usize>| group.iter().any(|p| labels(p) != labels(&group[0]));
        let mut conflicts: Vec<Conflict> = self
            .groups
            .iter()
            .filter(differ)
            .map(|group| {
                let documents: Vec<Found> = group.iter().map(|&p| self.found(p)).collect();
                let mut labels: Vec<String> =
                    documents.iter().flat_map(|found| found.labels.clone()).collect();
                labels.sort();
                labels.dedup();
                Conflict { labels, documents, excerpt: self.excerpt(group) }
            })
            .collect();
        // Stable: equals stay in the order of first appearance.
        conflicts.sort_by_key(|conflict| std::cmp::Reverse(conflict.documents.len()));
        conflicts
    }

    /// How many documents to train on repeat a text, and the texts that are repeated.
    pub(super) fn duplicates(&self) -> (usize, Vec<Duplicate>) {
        let n = self.train.len();
        let own = |group: &Vec<usize>| group.iter().take_while(|&&p| p < n).count();
        let count = self.groups.iter().map(|group| own(group).saturating_sub(1)).sum();
        let mut repeated: Vec<Duplicate> = self
            .groups
            .iter()
            .filter(|group| own(group) > 1)
            .map(|group| Duplicate {
                documents: group[..own(group)].iter().map(|&p| self.found(p)).collect(),
                excerpt: self.excerpt(group),
            })
            .collect();
        repeated.sort_by_key(|duplicate| std::cmp::Reverse(duplicate.documents.len()));
        (count, repeated)
    }
}
