//! How long documents are.

use serde::Serialize;

use super::{Found, excerpt, found};
use crate::corpus::Documents;

/// Lengths of documents in characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lengths {
    /// The shortest, a quarter, half, three quarters, the longest.
    pub quartiles: [usize; 5],
    /// Documents far from the usual: on the scale of logarithms, more than three times the distance of
    /// the quartiles below the first or above the third (Tukey's outer fences), the longest first.
    pub extremes: Vec<Extreme>,
}

/// A document of unusual length.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extreme {
    /// The document.
    pub document: Found,
    /// Its characters.
    pub characters: usize,
    /// The beginning of the text.
    pub excerpt: String,
}

impl Lengths {
    pub(super) fn of(documents: &Documents) -> Self {
        let lengths: Vec<usize> = documents.texts().map(|text| text.chars().count()).collect();
        let mut sorted = lengths.clone();
        sorted.sort_unstable();
        let at = |quarter: usize| match sorted.len() {
            0 => 0,
            n => sorted[(n - 1) * quarter / 4],
        };
        let log = |n: usize| libm::log(n as f64 + 1.0);
        let (first, third) = (log(at(1)), log(at(3)));
        // Where half of the documents have one length, others are not far from it by that alone.
        let reach = 3.0 * (third - first).max(0.5);
        let far = |length: usize| {
            let length = log(length);
            length < first - reach || length > third + reach
        };
        let mut extremes: Vec<Extreme> = lengths
            .iter()
            .enumerate()
            .filter(|&(_, &length)| far(length))
            .map(|(i, &characters)| Extreme {
                document: found(documents, i, false),
                characters,
                excerpt: excerpt(documents.text(i)),
            })
            .collect();
        extremes.sort_by_key(|extreme| std::cmp::Reverse(extreme.characters));
        Self { quartiles: [0, 1, 2, 3, 4].map(at), extremes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_far_from_the_usual_are_told() {
        let mut documents = Documents::new(vec!["a".into()]);
        for i in 0..40 {
            documents.push(&"x".repeat(90 + i), 0);
        }
        documents.push("x", 0);
        documents.push(&"x".repeat(5000), 0);
        let lengths = Lengths::of(&documents);
        assert_eq!(lengths.quartiles, [1, 99, 109, 119, 5000]);
        let found: Vec<usize> = lengths.extremes.iter().map(|e| e.characters).collect();
        assert_eq!(found, [5000, 1]);
        assert_eq!(Lengths::of(&Documents::new(vec![])).quartiles, [0; 5]);
    }
}
