//! Look at the data before trusting it: what makes scores better than they are, and models worse.
//!
//! [`check`] looks at labelled documents, and at others that are to be scored on: texts that occur
//! again, to the letter or nearly, with other labels, or on both sides; classes too small to learn;
//! texts without words or of unusual length; encodings gone wrong. [`label_errors`] tells labels that
//! are likely wrong from the probabilities of a cross-validation.
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
//! let report = check(&train, Some(&test), &CheckOptions::default())?;
//! assert_eq!((report.duplicates, report.conflicting, report.leaked), (1, 1, 1));
//! # Ok::<(), slugline::check::CheckError>(())
//! ```

mod confident;
mod damage;
mod exact;
mod label_errors;
mod lengths;
mod near;
mod report;
mod rows;
mod texts;

use std::collections::BTreeMap;

use serde::Serialize;

use self::near::Near;
use self::texts::Texts;
use crate::corpus::{Documents, LabelKind};

pub use damage::{Damage, Damaged};
pub use exact::{Conflict, Duplicate, Leak};
pub use label_errors::{ClassEvidence, LabelError, label_errors};
pub use lengths::{Extreme, Lengths};
pub use near::{NearDocument, NearDuplicate, NearLeak};
pub use report::{Kind, Report};

/// What counts as a finding.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CheckOptions {
    /// Classes with fewer documents to train on are too small. Default 5.
    pub min_class_size: u64,
    /// Texts are nearly the same from this similarity on, from 0.5 to 1. Default 0.9.
    ///
    /// It is the share of the distinct pairs of neighbouring words, in lower case and without
    /// punctuation, that two texts have in common (Jaccard's similarity): at 0.9, one word in forty
    /// may be another one. Texts that differ in case and punctuation alone have similarity 1.
    pub similarity: f64,
}

impl Default for CheckOptions {
    fn default() -> Self {
        Self { min_class_size: 5, similarity: 0.9 }
    }
}

/// Why documents could not be looked at.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// A similarity out of range.
    #[error("similarity {found}: expected a number from 0.5 to 1")]
    Similarity {
        /// The one asked for.
        found: f64,
    },
    /// Labels among which errors cannot be told.
    #[error(
        "errors are told among labels of one class a document, and these are {}",
        match found {
            LabelKind::Multi => "any number of classes a document",
            LabelKind::Soft => "soft",
            LabelKind::Single => "single",
        }
    )]
    LabelKind {
        /// What kind they are.
        found: LabelKind,
    },
    /// Probabilities that do not belong to the documents.
    #[error(
        "probabilities: expected {} rows (documents) of {} columns (classes), found {} of {}",
        expected.0, expected.1, found.0, found.1
    )]
    Probabilities {
        /// Documents and classes.
        expected: (usize, usize),
        /// Rows and columns.
        found: (usize, usize),
    },
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

/// Looks at documents to train on, and at others to be scored on, on all threads of the current pool.
///
/// Exact for texts that are the same to the letter. Texts that are nearly the same are looked for by
/// hashes (`MinHash`) with a fixed seed and verified by their similarity: what is told is so, and of two texts
/// of just the similarity asked for one pair in a thousand is missed, of more similar ones fewer. A crowd
/// of more than 17 texts with the same key is compared among neighbours only.
///
/// # Errors
/// [`CheckError::Similarity`] for a similarity out of range.
pub fn check(
    documents: &Documents,
    against: Option<&Documents>,
    options: &CheckOptions,
) -> Result<Report, CheckError> {
    if !(0.5..=1.0).contains(&options.similarity) {
        return Err(CheckError::Similarity { found: options.similarity });
    }
    let texts = Texts::new(documents, against);
    let (leaked_documents, conflicting_texts) = (exact::leaks(&texts), exact::conflicts(&texts));
    let (duplicates, duplicate_texts) = exact::duplicates(&texts);
    let near = Near::new(&texts, options.similarity);
    let (near_duplicates, near_duplicate_texts) = near.duplicates();
    let near_leaked_documents = near.leaks();
    let empty_documents: Vec<Found> = (0..documents.len())
        .filter(|&i| !documents.text(i).contains(char::is_alphanumeric))
        .map(|i| found(documents, i, false))
        .collect();
    let lengths = Lengths::of(documents);
    let damaged_documents = damage::damaged(documents);
    let small_class_list = small_classes(documents, against, options.min_class_size);
    Ok(Report {
        documents: documents.len(),
        against: against.map(Documents::len),
        similarity: options.similarity,
        leaked: leaked_documents.len(),
        near_leaked: near_leaked_documents.len(),
        conflicting: conflicting_texts.len(),
        near_conflicting: near_duplicate_texts.iter().filter(|near| near.conflicting).count(),
        label_errors: None,
        duplicates,
        near_duplicates,
        small_classes: small_class_list.len(),
        empty: empty_documents.len(),
        extreme_lengths: lengths.extremes.len(),
        damaged: damaged_documents.len(),
        leaked_documents,
        near_leaked_documents,
        conflicting_texts,
        label_error_documents: Vec::new(),
        duplicate_texts,
        near_duplicate_texts,
        small_class_list,
        empty_documents,
        lengths,
        damaged_documents,
    })
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
        let options = CheckOptions { min_class_size: 2, ..CheckOptions::default() };
        let report = check(&train, Some(&test), &options).unwrap();
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
        let counts = Kind::ALL.map(|kind| report.count(kind));
        let lengths = report.extreme_lengths;
        assert_eq!(counts, [2, 0, 2, 0, 0, 2, 0, 2, 1, lengths, 1]);
        let alone = check(&train, None, &CheckOptions::default()).unwrap();
        assert_eq!((alone.leaked, alone.conflicting, alone.against), (0, 1, None));
    }

    #[test]
    fn the_same_labels_under_other_numbers_are_no_conflict() {
        let of = |names: [&str; 2]| {
            let mut all = Documents::new(names.map(str::to_owned).to_vec());
            all.push_text("one two");
            all.with_labels(crate::corpus::Labels::Multi(vec![vec![0, 1]])).unwrap()
        };
        let report =
            check(&of(["a", "b"]), Some(&of(["b", "a"])), &CheckOptions::default()).unwrap();
        assert_eq!((report.leaked, report.conflicting), (1, 0));
    }

    #[test]
    fn texts_that_are_nearly_the_same_are_told() {
        let words: Vec<String> = (0..60).map(|i| format!("w{i}")).collect();
        let long = |end: &str| format!("{} {end}", words.join(" "));
        let (a, b, c) = (long("x"), long("y"), format!("W0, {}!", &long("x")[3..]));
        let train = documents(&[(&a, 0), ("other", 0), (&b, 1), ("one two three", 2), (&b, 1)]);
        let test = documents(&[(&c, 0), (&a, 0), ("One, two: three", 1), ("one two four", 2)]);
        let report = check(&train, Some(&test), &CheckOptions::default()).unwrap();
        assert_eq!((report.leaked, report.duplicates), (1, 1));
        assert_eq!(
            (report.near_duplicates, report.near_leaked, report.near_conflicting),
            (1, 2, 1)
        );
        let near = &report.near_duplicate_texts[0];
        assert_eq!((near.conflicting, near.labels.join(" ")), (true, "a b".into()));
        let found: Vec<_> = near.documents.iter().map(|n| (n.document.row, n.similarity)).collect();
        // 61 words make 60 pairs, of which the last one differs.
        assert_eq!(found, [(1, 1.0), (3, 59.0 / 61.0)]);
        let leaks: Vec<_> = report
            .near_leaked_documents
            .iter()
            .map(|leak| (leak.document.row, leak.training.row, leak.similarity, leak.conflicting))
            .collect();
        assert_eq!(leaks, [(1, 1, 1.0, false), (3, 4, 1.0, true)]);
        let strict = CheckOptions { similarity: 1.0, ..CheckOptions::default() };
        let report = check(&train, Some(&test), &strict).unwrap();
        assert_eq!((report.near_duplicates, report.near_leaked), (0, 2));
        for similarity in [0.4, 1.1, f64::NAN] {
            let options = CheckOptions { similarity, ..CheckOptions::default() };
            let error = check(&train, None, &options).unwrap_err().to_string();
            assert!(error.contains("from 0.5 to 1"), "{error}");
        }
    }

    #[test]
    fn excerpts_are_one_short_line() {
        assert_eq!(excerpt(" a\n\tb\u{7} "), "a b\u{FFFD}");
        assert_eq!(excerpt(&"x".repeat(200)).chars().count(), EXCERPT + 1);
        assert_eq!(excerpt(""), "");
    }
}
