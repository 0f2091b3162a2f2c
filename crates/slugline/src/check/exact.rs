//! Texts that are the same to the letter.

use std::cmp::Reverse;

use serde::Serialize;

use super::Found;
use super::texts::{Texts, all_labels};

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

/// Documents to be scored on whose text is one of those to train on, in their order.
pub(super) fn leaks(texts: &Texts<'_>) -> Vec<Leak> {
    let mut leaks: Vec<(usize, Leak)> = Vec::new();
    for group in texts.groups().iter().filter(|group| texts.trains(group[0])) {
        for &position in &group[texts.training(group).len()..] {
            let leak = Leak {
                document: texts.found(position),
                training: texts.found(group[0]),
                excerpt: texts.excerpt(position),
            };
            leaks.push((position, leak));
        }
    }
    leaks.sort_by_key(|(position, _)| *position);
    leaks.into_iter().map(|(_, leak)| leak).collect()
}

/// Texts whose documents do not all have the same labels, those of the most documents first.
pub(super) fn conflicts(texts: &Texts<'_>) -> Vec<Conflict> {
    let differ = |group: &&Vec<usize>| texts.labels_differ(group.iter().copied());
    let mut conflicts: Vec<Conflict> = texts
        .groups()
        .iter()
        .filter(differ)
        .map(|group| {
            let documents: Vec<Found> = group.iter().map(|&p| texts.found(p)).collect();
            let labels = all_labels(documents.iter());
            Conflict { labels, documents, excerpt: texts.excerpt(group[0]) }
        })
        .collect();
    // Stable: equals stay in the order of first appearance.
    conflicts.sort_by_key(|conflict| Reverse(conflict.documents.len()));
    conflicts
}

/// How many documents to train on repeat a text, and the texts that are repeated, the most frequent
/// first.
pub(super) fn duplicates(texts: &Texts<'_>) -> (usize, Vec<Duplicate>) {
    let own = || texts.groups().iter().map(|group| texts.training(group));
    let count = own().map(|group| group.len().saturating_sub(1)).sum();
    let mut repeated: Vec<Duplicate> = own()
        .filter(|group| group.len() > 1)
        .map(|group| Duplicate {
            documents: group.iter().map(|&p| texts.found(p)).collect(),
            excerpt: texts.excerpt(group[0]),
        })
        .collect();
    repeated.sort_by_key(|duplicate| Reverse(duplicate.documents.len()));
    (count, repeated)
}
