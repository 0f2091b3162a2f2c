//! What changes from one classifier to the other: answers, and the scores of classes.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;

use super::answers::Said;
use super::names_of;
use crate::evaluation::ClassScores;

/// Documents that have one answer of A and another one of B.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What A answers: the name of a class, or those of all labels.
    pub from: Vec<String>,
    /// What B answers.
    pub to: Vec<String>,
    /// How many documents.
    pub documents: u64,
    /// On how many of them A is right.
    pub a_right: u64,
    /// On how many B is.
    pub b_right: u64,
}

/// The scores of a class with both classifiers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassChange {
    /// Name of the class.
    pub name: String,
    /// Number of its documents.
    pub support: u64,
    /// The scores with A.
    pub a: ClassMeasures,
    /// The scores with B.
    pub b: ClassMeasures,
    /// Those with B less those with A.
    pub difference: ClassMeasures,
}

/// How well a class is found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ClassMeasures {
    /// Share of the answers with this class that are right.
    pub precision: f64,
    /// Share of its documents that are found.
    pub recall: f64,
    /// Harmonic mean of both.
    pub f1: f64,
}

/// The pairs of different answers, the most frequent first.
pub(super) fn changes(said: &[(Said, Said)], class_names: &[String]) -> Vec<Change> {
    let mut found: HashMap<(&[u32], &[u32]), [u64; 3]> = HashMap::new();
    for (a, b) in said.iter().filter(|(a, b)| a.classes != b.classes) {
        let counts = found.entry((&a.classes, &b.classes)).or_default();
        counts[0] += 1;
        counts[1] += u64::from(a.right);
        counts[2] += u64::from(b.right);
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_unstable_by_key(|&(pair, counts)| (Reverse(counts[0]), pair));
    let change =
        |((from, to), [documents, a_right, b_right]): ((&[u32], &[u32]), [u64; 3])| Change {
            from: names_of(from, class_names),
            to: names_of(to, class_names),
            documents,
            a_right,
            b_right,
        };
    found.into_iter().map(change).collect()
}

/// The classes, those whose F1 changes most first; of equals the largest.
pub(super) fn class_changes(a: &[ClassScores], b: &[ClassScores]) -> Vec<ClassChange> {
    let change = |(a, b): (&ClassScores, &ClassScores)| {
        let of =
            |c: &ClassScores| ClassMeasures { precision: c.precision, recall: c.recall, f1: c.f1 };
        let difference = ClassMeasures {
            precision: b.precision - a.precision,
            recall: b.recall - a.recall,
            f1: b.f1 - a.f1,
        };
        ClassChange { name: a.name.clone(), support: a.support, a: of(a), b: of(b), difference }
    };
    let mut all: Vec<ClassChange> = a.iter().zip(b).map(change).collect();
    let size = |class: &ClassChange| class.difference.f1.abs();
    all.sort_by(|x, y| size(y).total_cmp(&size(x)).then(y.support.cmp(&x.support)));
    all
}
