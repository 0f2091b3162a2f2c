//! When a classifier answers, and with what: thresholds of the classes, and `unknown`.
//!
//! The rule, in this order:
//!
//! 1. A text without anything that the model knows (no known word, nor a part of one) is `unknown`.
//! 2. So is one whose share of unknown words is above [`Decisions::max_unknown_words`],
//! 3. and one whose confidence, the largest probability, is below [`Decisions::min_confidence`].
//! 4. A classifier with one class a text answers with the most probable class whose probability is at
//!    least its threshold, of equals the first; with `unknown` where there is none. Without thresholds
//!    that is the most probable class.
//! 5. A multi-label classifier answers with every class whose probability is at least its threshold,
//!    0.5 without thresholds; there may be none.
//!
//! Thresholds are set, or fitted to an [`Aim`] on documents that were not trained on; see
//! [`DecisionOptions::fit`].

mod fit;
mod threshold;

use serde::{Deserialize, Serialize};

use crate::corpus::LabelKind;

pub use fit::{FittedClass, FittedThresholds};
pub use threshold::{Aim, Threshold};

/// The answer of a classifier that does not know.
pub const UNKNOWN: &str = "unknown";

/// The threshold of a class of a multi-label classifier that nothing else is known of.
pub const EVEN: f32 = 0.5;

/// A threshold above every probability: the class is never answered.
pub const NEVER: f32 = 2.0;

/// When a classifier answers, and with what.
///
/// ```
/// use slugline::corpus::LabelKind;
/// use slugline::decision::{Answer, Decisions, Known, Reason};
///
/// let decisions = Decisions { thresholds: vec![0.9, 0.2, 0.3], ..Decisions::default() };
/// let words = Known { words: 5, unknown_words: 1, nothing: false };
/// let answer = |p: &[f32]| decisions.answer(LabelKind::Single, p, words);
/// // The most probable class does not reach its threshold, the next one does.
/// assert_eq!(answer(&[0.5, 0.3, 0.2]), Answer::Class(1));
/// assert_eq!(answer(&[0.8, 0.1, 0.1]), Answer::Unknown(Reason::Threshold));
/// let labels = decisions.answer(LabelKind::Multi, &[0.5, 0.3, 0.4], words);
/// assert_eq!(labels, Answer::Labels(vec![2, 1]));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Decisions {
    /// The probability from which on each class is answered, in the order of the classes; above 1 for
    /// a class that is never answered. Empty for no thresholds.
    pub thresholds: Vec<f32>,
    /// How the thresholds were fitted, if they were.
    pub fitted: Option<FittedThresholds>,
    /// The smallest confidence of an answer, from 0 to 1. Default 0.
    pub min_confidence: f32,
    /// The largest share of unknown words of a text that is answered, from 0 to 1. Default 1.
    pub max_unknown_words: f32,
}

impl Default for Decisions {
    fn default() -> Self {
        let (min_confidence, max_unknown_words) = (0.0, 1.0);
        Self { thresholds: Vec::new(), fitted: None, min_confidence, max_unknown_words }
    }
}

/// What is wrong with decisions.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// A number out of range.
    #[error("{what} is {value}: expected {expected}")]
    Range {
        /// Of which number.
        what: String,
        /// The number.
        value: f32,
        /// The range.
        expected: &'static str,
    },
    /// Not one threshold for each class.
    #[error("{found} thresholds for {classes} classes: expected one for each, or none")]
    Classes {
        /// Number of thresholds.
        found: usize,
        /// Number of classes.
        classes: usize,
    },
    /// Nothing to fit thresholds on.
    #[error(
        "thresholds for {aim} are fitted on documents that are not trained on, and there are none; hold \
         some out, or fit the thresholds afterwards"
    )]
    NothingHeldOut {
        /// What they were to be fitted for.
        aim: Aim,
    },
}

/// What a classifier answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// One class.
    Class(u32),
    /// The classes of a multi-label classifier, the most probable first; there may be none.
    Labels(Vec<u32>),
    /// It does not know.
    Unknown(Reason),
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The text has nothing that the model knows.
    NothingKnown,
    /// Too many of its words are unknown.
    UnknownWords,
    /// No class is probable enough.
    Confidence,
    /// No class reaches its threshold.
    Threshold,
}

impl Reason {
    /// Every reason, in the order of the rule.
    pub const ALL: [Self; 4] =
        [Self::NothingKnown, Self::UnknownWords, Self::Confidence, Self::Threshold];

    /// Its name, as in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NothingKnown => "nothing_known",
            Self::UnknownWords => "unknown_words",
            Self::Confidence => "confidence",
            Self::Threshold => "threshold",
        }
    }
}

/// How much of a text a model knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Number of words.
    pub words: usize,
    /// How many of them the model does not know.
    pub unknown_words: usize,
    /// Whether it knows no word and no part of one.
    pub nothing: bool,
}

impl Known {
    /// The share of unknown words; 0 for a text without words.
    pub fn unknown_share(&self) -> f32 {
        self.unknown_words as f32 / self.words.max(1) as f32
    }
}

impl Decisions {
    /// Checks that the numbers are in range, and fit so many classes.
    ///
    /// # Errors
    /// [`DecisionError::Range`], [`DecisionError::Classes`].
    pub fn check(&self, classes: usize) -> Result<(), DecisionError> {
        let found = self.thresholds.len();
        let fitted = self.fitted.as_ref().map_or(found, |fitted| fitted.classes.len());
        if !(found == 0 || found == classes) || fitted != found {
            return Err(DecisionError::Classes { found: fitted.max(found), classes });
        }
        let whole = "a number from 0 to 1";
        for (what, value) in [
            ("the smallest confidence", self.min_confidence),
            ("the largest share of unknown words", self.max_unknown_words),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(DecisionError::Range { what: what.into(), value, expected: whole });
            }
        }
        let bad = |t: &f32| !(t.is_finite() && *t >= 0.0);
        if let Some(class) = self.thresholds.iter().position(bad) {
            let (what, value) = (format!("threshold {class}"), self.thresholds[class]);
            return Err(DecisionError::Range { what, value, expected: "a number of at least 0" });
        }
        Ok(())
    }

    /// Whether they change any answer but that of a text of which nothing is known.
    pub fn are_default(&self) -> bool {
        *self == Self::default()
    }

    /// The answer for the probabilities of a text: one a class, in the order of the classes.
    pub fn answer(&self, kind: LabelKind, probabilities: &[f32], known: Known) -> Answer {
        self.answer_with(kind, probabilities, crate::nn::argmax(probabilities), known)
    }

    /// [`answer`](Self::answer) where the most probable class is known.
    pub(crate) fn answer_with(
        &self,
        kind: LabelKind,
        probabilities: &[f32],
        most_probable: u32,
        known: Known,
    ) -> Answer {
        let confidence = probabilities.get(most_probable as usize).copied().unwrap_or(0.0);
        if known.nothing {
            Answer::Unknown(Reason::NothingKnown)
        } else if known.unknown_share() > self.max_unknown_words {
            Answer::Unknown(Reason::UnknownWords)
        } else if confidence < self.min_confidence {
            Answer::Unknown(Reason::Confidence)
        } else if kind == LabelKind::Multi {
            Answer::Labels(reaching(&self.thresholds, probabilities))
        } else if self.thresholds.is_empty() {
            Answer::Class(most_probable)
        } else {
            let best = most_probable_reaching(&self.thresholds, probabilities);
            best.map_or(Answer::Unknown(Reason::Threshold), Answer::Class)
        }
    }
}

/// The most probable class whose probability reaches its threshold, of equals the first.
pub(crate) fn most_probable_reaching(thresholds: &[f32], probabilities: &[f32]) -> Option<u32> {
    let mut best: Option<(u32, f32)> = None;
    for (class, (&p, &threshold)) in (0..).zip(probabilities.iter().zip(thresholds)) {
        if p >= threshold && best.is_none_or(|(_, most)| p > most) {
            best = Some((class, p));
        }
    }
    best.map(|(class, _)| class)
}

/// The classes whose probabilities reach their thresholds ([`EVEN`] without any), the most probable
/// first.
fn reaching(thresholds: &[f32], probabilities: &[f32]) -> Vec<u32> {
    let threshold = |class: usize| thresholds.get(class).copied().unwrap_or(EVEN);
    let reached = (0..).zip(probabilities).filter(|&(class, &p)| p >= threshold(class as usize));
    let mut classes: Vec<u32> = reached.map(|(class, _)| class).collect();
    let p = |class: u32| probabilities[class as usize];
    classes.sort_by(|&a, &b| p(b).total_cmp(&p(a)));
    classes
}

/// What is asked of the answers of a classifier that is to be trained.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecisionOptions {
    /// The thresholds of the classes. Default none.
    pub threshold: Threshold,
    /// The smallest confidence of an answer, from 0 to 1. Default 0.
    pub min_confidence: f32,
    /// The largest share of unknown words of a text that is answered, from 0 to 1. Default 1.
    pub max_unknown_words: f32,
}

impl Default for DecisionOptions {
    fn default() -> Self {
        let Decisions { min_confidence, max_unknown_words, .. } = Decisions::default();
        Self { threshold: Threshold::None, min_confidence, max_unknown_words }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SOME: Known = Known { words: 4, unknown_words: 1, nothing: false };

    #[test]
    fn reasons_come_in_the_order_of_the_rule() {
        let decisions = Decisions {
            thresholds: vec![0.7, 0.7],
            min_confidence: 0.6,
            max_unknown_words: 0.5,
            ..Decisions::default()
        };
        let of = |p: [f32; 2], known| decisions.answer(LabelKind::Single, &p, known);
        let nothing = Known { words: 2, unknown_words: 2, nothing: true };
        let many = Known { words: 4, unknown_words: 3, nothing: false };
        assert_eq!(of([0.9, 0.1], nothing), Answer::Unknown(Reason::NothingKnown));
        assert_eq!(of([0.55, 0.45], many), Answer::Unknown(Reason::UnknownWords));
        assert_eq!(of([0.55, 0.45], SOME), Answer::Unknown(Reason::Confidence));
        assert_eq!(of([0.65, 0.35], SOME), Answer::Unknown(Reason::Threshold));
        assert_eq!(of([0.3, 0.7], SOME), Answer::Class(1));
        // Half of the words are no more than the share allowed.
        let half = Known { words: 4, unknown_words: 2, nothing: false };
        assert_eq!(of([0.3, 0.7], half), Answer::Class(1));
        let empty = Known { words: 0, unknown_words: 0, nothing: true };
        let plain = Decisions::default();
        for kind in [LabelKind::Single, LabelKind::Multi, LabelKind::Soft] {
            let answer = plain.answer(kind, &[0.9, 0.1], empty);
            assert_eq!(answer, Answer::Unknown(Reason::NothingKnown));
        }
        assert_eq!(plain.answer(LabelKind::Multi, &[0.4, 0.1], SOME), Answer::Labels(vec![]));
        assert_eq!(plain.answer(LabelKind::Multi, &[0.5, 0.6], SOME), Answer::Labels(vec![1, 0]));
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        let ok = Decisions { thresholds: vec![0.5, NEVER], ..Decisions::default() };
        ok.check(2).unwrap();
        let refused = |d: Decisions| d.check(2).unwrap_err().to_string();
        let three = Decisions { thresholds: vec![0.5; 3], ..Decisions::default() };
        assert_eq!(refused(three), "3 thresholds for 2 classes: expected one for each, or none");
        let nan = Decisions { thresholds: vec![0.5, f32::NAN], ..Decisions::default() };
        assert!(refused(nan).starts_with("threshold 1 is NaN"));
        let high = Decisions { min_confidence: 1.5, ..Decisions::default() };
        assert!(refused(high).starts_with("the smallest confidence is 1.5: expected"));
    }

    proptest! {
        #[test]
        fn an_answer_reaches_its_threshold_and_nothing_more_probable_does(
            row in prop::collection::vec((0.0_f32..1.0, 0.0_f32..1.0), 1..8),
        ) {
            let (p, thresholds): (Vec<f32>, Vec<f32>) = row.into_iter().unzip();
            let decisions = Decisions { thresholds: thresholds.clone(), ..Decisions::default() };
            let reaches = |i: usize| p[i] >= thresholds[i];
            match decisions.answer(LabelKind::Single, &p, SOME) {
                Answer::Class(class) => {
                    let class = class as usize;
                    prop_assert!(reaches(class));
                    prop_assert!((0..p.len()).all(|i| !reaches(i) || p[i] <= p[class]));
                }
                Answer::Unknown(reason) => {
                    prop_assert_eq!(reason, Reason::Threshold);
                    prop_assert!((0..p.len()).all(|i| !reaches(i)));
                }
                Answer::Labels(_) => prop_assert!(false),
            }
            let Answer::Labels(labels) = decisions.answer(LabelKind::Multi, &p, SOME) else {
                return Err(TestCaseError::fail("not labels"));
            };
            prop_assert!(labels.windows(2).all(|w| p[w[0] as usize] >= p[w[1] as usize]));
            prop_assert!((0..p.len()).all(|i| reaches(i) == labels.contains(&(i as u32))));
        }
    }
}
