//! The texts of documents to train on and of those to be scored on, each distinct one once.

use std::collections::HashMap;

use super::{Found, excerpt, found, names_of};
use crate::corpus::Documents;

/// Distinct texts, each with the documents that have it.
pub(super) struct Texts<'a> {
    train: &'a Documents,
    against: Option<&'a Documents>,
    /// In the order of first appearance: positions in `train`, and after those in `against`.
    groups: Vec<Vec<usize>>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(train: &'a Documents, against: Option<&'a Documents>) -> Self {
        let mut numbers: HashMap<&str, usize> = HashMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let texts = train.texts().chain(against.into_iter().flat_map(Documents::texts));
        for (i, text) in texts.enumerate() {
            let number = *numbers.entry(text).or_insert_with(|| {
                groups.push(Vec::with_capacity(1));
                groups.len() - 1
            });
            groups[number].push(i);
        }
        Self { train, against, groups }
    }

    /// The documents of each distinct text, as rising positions.
    pub(super) fn groups(&self) -> &[Vec<usize>] {
        &self.groups
    }

    /// Whether a position is that of a document to train on.
    pub(super) fn trains(&self, position: usize) -> bool {
        position < self.train.len()
    }

    /// The documents to train on of a group: they come first.
    pub(super) fn training<'g>(&self, group: &'g [usize]) -> &'g [usize] {
        &group[..group.partition_point(|&position| self.trains(position))]
    }

    /// The document at a position, and whether it is one to be scored on.
    fn at(&self, position: usize) -> (&'a Documents, usize, bool) {
        match (position.checked_sub(self.train.len()), self.against) {
            (Some(i), Some(against)) => (against, i, true),
            _ => (self.train, position, false),
        }
    }

    pub(super) fn text(&self, position: usize) -> &'a str {
        let (documents, i, _) = self.at(position);
        documents.text(i)
    }

    pub(super) fn found(&self, position: usize) -> Found {
        let (documents, i, against) = self.at(position);
        found(documents, i, against)
    }

    pub(super) fn excerpt(&self, position: usize) -> String {
        excerpt(self.text(position))
    }

    /// Whether not all of some documents have the same labels. Labels are compared by name: the two
    /// lists of documents may number their classes differently.
    pub(super) fn labels_differ(&self, mut positions: impl Iterator<Item = usize>) -> bool {
        let labels = |position: usize| {
            let (documents, i, _) = self.at(position);
            let mut names: Vec<&str> = names_of(documents, i).collect();
            names.sort_unstable();
            names
        };
        let Some(first) = positions.next() else { return false };
        positions.any(|position| labels(position) != labels(first))
    }
}

/// All labels of some documents, each once, in the order of their names.
pub(super) fn all_labels<'d>(documents: impl Iterator<Item = &'d Found>) -> Vec<String> {
    let mut labels: Vec<String> = documents.flat_map(|found| found.labels.clone()).collect();
    labels.sort();
    labels.dedup();
    labels
}
