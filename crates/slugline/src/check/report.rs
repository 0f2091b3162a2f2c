//! All that was found.

use serde::Serialize;

use super::{
    CheckError, ClassFound, Conflict, Damaged, Duplicate, Found, LabelError, Leak, Lengths,
    NearDuplicate, NearLeak, label_errors,
};
use crate::corpus::Documents;
use crate::nn::Matrix;

/// What [`check`](super::check) found. In JSON, the counts come first, in the order of
/// [`Kind::ALL`]; each list holds the evidence for one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Documents to train on.
    pub documents: usize,
    /// Documents to be scored on.
    pub against: Option<usize>,
    /// Similarity from which on texts are nearly the same.
    pub similarity: f64,
    /// Documents to be scored on whose text is one of those to train on.
    pub leaked: usize,
    /// Documents to be scored on whose text is nearly, but not to the letter, one of those to train on.
    pub near_leaked: usize,
    /// Distinct texts that stand under more than one label, of all documents together.
    pub conflicting: usize,
    /// Groups of nearly the same texts to train on that stand under more than one label.
    pub near_conflicting: usize,
    /// Documents to train on whose label is likely wrong; `None` where nobody looked.
    pub label_errors: Option<usize>,
    /// Documents to train on whose text stood before.
    pub duplicates: usize,
    /// Distinct texts to train on that nearly repeat one that stood before.
    pub near_duplicates: usize,
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
    /// Evidence for `near_leaked`, in the order of the documents.
    pub near_leaked_documents: Vec<NearLeak>,
    /// Evidence for `conflicting`, the texts of the most documents first.
    pub conflicting_texts: Vec<Conflict>,
    /// Evidence for `label_errors`, the most certain first.
    pub label_error_documents: Vec<LabelError>,
    /// Evidence for `duplicates`: texts that occur again, the most frequent first.
    pub duplicate_texts: Vec<Duplicate>,
    /// Evidence for `near_duplicates` and `near_conflicting`: those with more than one label first, then
    /// those of the most documents.
    pub near_duplicate_texts: Vec<NearDuplicate>,
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

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// See [`Report::leaked`].
    Leaked,
    /// See [`Report::near_leaked`].
    NearLeaked,
    /// See [`Report::conflicting`].
    Conflicting,
    /// See [`Report::near_conflicting`].
    NearConflicting,
    /// See [`Report::label_errors`].
    LabelErrors,
    /// See [`Report::duplicates`].
    Duplicates,
    /// See [`Report::near_duplicates`].
    NearDuplicates,
    /// See [`Report::small_classes`].
    SmallClasses,
    /// See [`Report::empty`].
    Empty,
    /// See [`Report::extreme_lengths`].
    ExtremeLengths,
    /// See [`Report::damaged`].
    Damaged,
}

impl Kind {
    /// Every kind, what spoils most first.
    pub const ALL: [Self; 11] = [
        Self::Leaked,
        Self::NearLeaked,
        Self::Conflicting,
        Self::NearConflicting,
        Self::LabelErrors,
        Self::Duplicates,
        Self::NearDuplicates,
        Self::SmallClasses,
        Self::Empty,
        Self::ExtremeLengths,
        Self::Damaged,
    ];

    /// The name of its count in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leaked => "leaked",
            Self::NearLeaked => "near_leaked",
            Self::Conflicting => "conflicting",
            Self::NearConflicting => "near_conflicting",
            Self::LabelErrors => "label_errors",
            Self::Duplicates => "duplicates",
            Self::NearDuplicates => "near_duplicates",
            Self::SmallClasses => "small_classes",
            Self::Empty => "empty",
            Self::ExtremeLengths => "extreme_lengths",
            Self::Damaged => "damaged",
        }
    }

    /// The kind of a name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl Report {
    /// How many findings of a kind there are; 0 of a kind that was not looked for.
    pub fn count(&self, kind: Kind) -> usize {
        match kind {
            Kind::Leaked => self.leaked,
            Kind::NearLeaked => self.near_leaked,
            Kind::Conflicting => self.conflicting,
            Kind::NearConflicting => self.near_conflicting,
            Kind::LabelErrors => self.label_errors.unwrap_or(0),
            Kind::Duplicates => self.duplicates,
            Kind::NearDuplicates => self.near_duplicates,
            Kind::SmallClasses => self.small_classes,
            Kind::Empty => self.empty,
            Kind::ExtremeLengths => self.extreme_lengths,
            Kind::Damaged => self.damaged,
        }
    }

    /// The same report with the labels that are likely wrong, by the probabilities of classifiers that
    /// were not trained on the documents; see [`label_errors`].
    ///
    /// # Errors
    /// As [`label_errors`].
    pub fn with_label_errors(
        mut self,
        documents: &Documents,
        probabilities: &Matrix,
    ) -> Result<Self, CheckError> {
        self.label_error_documents = label_errors(documents, probabilities)?;
        self.label_errors = Some(self.label_error_documents.len());
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{CheckOptions, check};

    #[test]
    fn kinds_are_called_as_their_counts_in_json() {
        let report = check(&Documents::new(vec![]), None, &CheckOptions::default()).unwrap();
        let json = serde_json::to_value(&report).unwrap();
        let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(keys[3..3 + Kind::ALL.len()], Kind::ALL.map(Kind::name));
        assert!(Kind::ALL.iter().all(|kind| Kind::by_name(kind.name()) == Some(*kind)));
        assert_eq!(Kind::by_name("leak"), None);
    }
}
