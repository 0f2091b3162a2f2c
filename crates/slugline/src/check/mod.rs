//! Look at the data before trusting it: what makes scores better than they are, and models worse.
//!
//! [`check`] looks at labelled documents, and at others that are to be scored on: texts that occur
//! again, with other labels, or on both sides; classes too small to learn; texts without words or of
//! unusual length; encodings gone wrong.
//!
//! ```
//! use slugline::check::{CheckOptions, check};
//! use slugline::corpus::Documents;
//!
//! let mut train = Documents::new(vec!["grain".into(), "metal".into()]);
//! train.push("Wheat fell.", 0);
//! train.push("Wheat fell.", 1);
//! let mut test = Documents::new(train.class_names().to_vec());
//! test.push("Wheat fell.", 0);
//! let report = check(&train, Some(&test), &CheckOptions::default());
//! assert_eq!((report.duplicates, report.conflicting, report.leaked), (1, 1, 1));
//! ```

mod damage;
mod exact;
mod lengths;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::corpus::Documents;

pub use damage::{Damage, Damaged};
pub use exact::{Conflict, Duplicate, Leak};
pub use lengths::{Extreme, Lengths};

/// What counts as a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckOptions {
    /// Classes with fewer documents to train on are too small. Default 5.
    pub min_class_size: u64,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { min_class_size: 5 }
    }
}

/// A document that something is said of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The file, if it is known.
    pub source: Option<String>,
    /// Its row there; else its position among the documents, counted from 1.
    pub row: u64,
    /// Whether it is one of those to be scored on.
    pub against: bool,
    /// Its labels.
    pub labels: Vec<String>,
}

/// A class and its number of documents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassFound {
    /// Its name.
    pub name: String,
    /// Documents to train on.
    pub documents: u64,
}

/// What [`check`] found. In JSON, the counts come first; each list holds the evidence for one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Documents to train on.
    pub documents: usize,
    /// Documents to be scored on.
    pub against: Option<usize>,
    /// Documents to be scored on whose text is one of those to train on.
    pub leaked: usize,
    /// Distinct texts that stand under more than one label, of all documents together.
    pub conflicting: usize,
    /// Documents to train on whose text stood before.
    pub duplicates: usize,
    /// Classes with too few documents.
    pub small_classes: usize,
    /// Documents without a letter or a digit.
    pub empty: usize,
    /// Documents whose length is far from the usual.
    pub extreme_lengths: usize,
    /// Documents whose encoding has gone wrong.
    pub damaged: usize,
    /// Evidence for `leaked`, in the order of the documents.
    pub leaked_documents: Vec<Leak>,
    /// Evidence for `conflicting`, the texts of the most documents first.
    pub conflicting_texts: Vec<Conflict>,
    /// Evidence for `duplicates`: texts that occur again, the most frequent first.
    pub duplicate_texts: Vec<Duplicate>,
    /// Evidence for `small_classes`, the smallest first; a class without any document to train on has
    /// documents to be scored on.
    pub small_class_list: Vec<ClassFound>,
    /// Evidence for `empty`.
    pub empty_documents: Vec<Found>,
    /// Lengths of the documents, and those that are far from the usual.
    pub lengths: Lengths,
    /// Evidence for `damaged`.
    pub damaged_documents: Vec<Damaged>,
}

impl Report {
    /// How many things there are to look at.
    pub fn findings(&self) -> usize {
        self.leaked
            + self.conflicting
            + self.duplicates
            + self.small_classes
            + self.empty
            + self.extreme_lengths
            + self.damaged
    }
}

/// Characters of a text that are shown as evidence.
const EXCERPT: usize = 80;

/// The beginning of a text on one line.
fn excerpt(text: &str) -> String {
    let mut shown = String::new();
    for (i, c) in text.split_whitespace().flat_map(|word| word.chars().chain([' '])).enumerate() {
        if i == EXCERPT {
            shown.push('…');
            return shown;
        }
        shown.push(if c.is_control() { '\u{FFFD}' } else { c });
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// Document `i` as evidence.
fn found(documents: &Documents, i: usize, against: bool) -> Found {
    let place = documents.place(i);
    Found {
        row: place.as_ref().map_or(i as u64 + 1, |place| place.row),
        source: place.map(|place| place.source.to_string()),
        against,
        labels: names_of(documents, i).map(str::to_owned).collect(),
    }
}

/// The names of the classes of document `i`.
fn names_of(documents: &Documents, i: usize) -> impl Iterator<Item = &str> {
    let classes = documents.labels().classes(i);
    classes.into_iter().map(|class| documents.class_names()[class as usize].as_str())
}

/// Looks at documents to train on, and at others to be scored on.
pub fn check(documents: &Documents, against: Option<&Documents>, options: &CheckOptions) -> Report {
    let exact = exact::Exact::new(documents, against);
    let (leaked_documents, conflicting_texts) = (exact.leaks(), exact.conflicts());
    let (duplicates, duplicate_texts) = exact.duplicates();
    let empty_documents: Vec<Found> = (0..documents.len())
        .filter(|&i| !documents.text(i).contains(char::is_alphanumeric))
        .map(|i| found(documents, i, false))
        .collect();
    let lengths = Lengths::of(documents);
    let damaged_documents = damage::damaged(documents);
    let small_class_list = small_classes(documents, against, options.min_class_size);
    Report {
        documents: documents.len(),
        against: against.map(Documents::len),
        leaked: leaked_documents.len(),
        conflicting: conflicting_texts.len(),
        duplicates,
        small_classes: small_class_list.len(),
        empty: empty_documents.len(),
        extreme_lengths: lengths.extremes.len(),
        damaged: damaged_documents.len(),
        leaked_documents,
        conflicting_texts,
        duplicate_texts,
        small_class_list,
        empty_documents,
        lengths,
        damaged_documents,
    }
}

/// The classes with fewer documents than wanted that any document has, the smallest first.
fn small_classes(
    documents: &Documents,
    against: Option<&Documents>,
    least: u64,
) -> Vec<ClassFound> {
    // By name, as above; only classes that have documents somewhere.
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (part, trained) in [(Some(documents), 1), (against, 0)] {
        let Some(part) = part else { continue };
        for (name, count) in part.class_names().iter().zip(part.class_counts()) {
            if count > 0 {
                *counts.entry(name).or_default() += count * trained;
            }
        }
    }
    let few = counts.into_iter().filter(|(_, count)| *count < least);
    let mut small: Vec<ClassFound> =
        few.map(|(name, documents)| ClassFound { name: name.to_owned(), documents }).collect();
    small.sort_by(|a, b| a.documents.cmp(&b.documents).then_with(|| a.name.cmp(&b.name)));
    small
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents(texts: &[(&str, u32)]) -> Documents {
        let mut all = Documents::new(vec!["a".into(), "b".into(), "c".into()]);
        for (text, label) in texts {
            all.push(text, *label);
        }
        all
    }

    #[test]
    fn every_kind_of_finding_is_counted_and_shown() {
        let train = documents(&[
            ("one two", 0),
            ("one two", 0),
            ("one two", 1),
            ("three", 0),
            ("…", 0),
            ("four", 0),
            ("caf\u{C3}\u{A9} au lait", 0),
        ]);
        let test = documents(&[("three", 0), ("four", 1), ("five", 2)]);
        let report = check(&train, Some(&test), &CheckOptions { min_class_size: 2 });
        assert_eq!((report.documents, report.against), (7, Some(3)));
        assert_eq!((report.duplicates, report.conflicting, report.leaked), (2, 2, 2));
        assert_eq!(report.conflicting_texts[0].labels, ["a", "b"]);
        assert_eq!(report.conflicting_texts[0].documents.len(), 3);
        assert!(report.conflicting_texts[1].documents[1].against);
        assert_eq!(report.leaked_documents[1].training.labels, ["a"]);
        assert_eq!(report.leaked_documents[1].document.row, 2);
        assert_eq!(report.duplicate_texts[0].documents.len(), 3);
        let small: Vec<_> =
            report.small_class_list.iter().map(|c| (c.name.as_str(), c.documents)).collect();
        assert_eq!(small, [("c", 0), ("b", 1)]);
        assert_eq!(report.empty_documents[0].row, 5);
        assert_eq!(report.damaged_documents[0].damage, Damage::WrongEncoding);
        assert_eq!(report.findings(), 2 + 2 + 2 + 2 + 1 + report.extreme_lengths + 1);
        let alone = check(&train, None, &CheckOptions::default());
        assert_eq!((alone.leaked, alone.conflicting, alone.against), (0, 1, None));
    }

    #[test]
    fn the_same_labels_under_other_numbers_are_no_conflict() {
        let of = |names: [&str; 2]| {
            let mut all = Documents::new(names.map(str::to_owned).to_vec());
            all.push_text("one two");
            all.with_labels(crate::corpus::Labels::Multi(vec![vec![0, 1]])).unwrap()
        };
        let report = check(&of(["a", "b"]), Some(&of(["b", "a"])), &CheckOptions::default());
        assert_eq!((report.leaked, report.conflicting), (1, 0));
    }

    #[test]
    fn excerpts_are_one_short_line() {
        assert_eq!(excerpt(" a\n\tb\u{7} "), "a b\u{FFFD}");
        assert_eq!(excerpt(&"x".repeat(200)).chars().count(), EXCERPT + 1);
        assert_eq!(excerpt(""), "");
    }
}
