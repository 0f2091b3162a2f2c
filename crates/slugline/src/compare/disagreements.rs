//! The documents on which two classifiers disagree most.

use serde::Serialize;

use super::answers::Said;
use super::names_of;
use crate::corpus::Documents;

/// Characters of a text that are kept. More than nearly all documents have, and a bound for those that
/// are whole books.
const LONGEST_TEXT: usize = 10_000;

/// Documents with different answers of A and B, the largest changes of the probability of the truth
/// first.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Disagreements {
    /// Only A is right.
    pub only_a_right: Vec<Disagreement>,
    /// Only B is right.
    pub only_b_right: Vec<Disagreement>,
    /// Both are wrong, each in its way.
    pub both_wrong: Vec<Disagreement>,
}

/// A document with different answers of A and B.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Disagreement {
    /// Its number among the documents, from 0.
    pub document: usize,
    /// Where it stands (file and row), if that is known.
    pub place: Option<String>,
    /// Its labels.
    pub truth: Vec<String>,
    /// What A says.
    pub a: Opinion,
    /// What B says.
    pub b: Opinion,
    /// Its text, of which at most 10,000 characters and then `…`.
    pub text: String,
}

/// What a classifier says of a document.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opinion {
    /// Its answer: the name of a class, or those of all labels.
    pub answer: Vec<String>,
    /// The probability that it gives its answer; of labels, the probability of exactly these, as if each
    /// were independent of the others.
    pub probability: f64,
    /// The probability that it gives the truth, in the same way.
    pub truth_probability: f64,
}

/// At most `limit` of each kind.
pub(super) fn disagreements(
    said: &[(Said, Said)],
    documents: &Documents,
    truth: &[Vec<u32>],
    limit: usize,
) -> Disagreements {
    let names = documents.class_names();
    let of_kind = |a_right: bool, b_right: bool| {
        let wanted = |(a, b): &(Said, Said)| {
            a.right == a_right && b.right == b_right && a.classes != b.classes
        };
        let mut found: Vec<usize> = (0..said.len()).filter(|&i| wanted(&said[i])).collect();
        let change = |i: usize| (said[i].1.of_truth - said[i].0.of_truth).abs();
        found.sort_by(|&x, &y| change(y).total_cmp(&change(x)));
        found.truncate(limit);
        let opinion = |said: &Said| Opinion {
            answer: names_of(&said.classes, names),
            probability: said.probability,
            truth_probability: said.of_truth,
        };
        let disagreement = |i: usize| Disagreement {
            document: i,
            place: documents.place(i).map(|place| place.to_string()),
            truth: names_of(&truth[i], names),
            a: opinion(&said[i].0),
            b: opinion(&said[i].1),
            text: beginning(documents.text(i)),
        };
        found.into_iter().map(disagreement).collect()
    };
    Disagreements {
        only_a_right: of_kind(true, false),
        only_b_right: of_kind(false, true),
        both_wrong: of_kind(false, false),
    }
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = "ä".repeat(LONGEST_TEXT);
        assert_eq!(beginning(&text), text);
        assert_eq!(beginning(&format!("{text}ö")), format!("{text}…"));
    }
}
