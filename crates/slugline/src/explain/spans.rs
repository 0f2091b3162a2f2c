//! From the contributions of features to stretches of the text.

use std::ops::Range;

use super::Span;
use crate::text::Occurrence;

/// The contributions of a text by stretches, and by tokens.
pub(super) struct Found {
    pub(super) spans: Vec<Span>,
    pub(super) tokens: Vec<Span>,
}

/// Shares the contribution of each feature among its occurrences by their weights, and adds up what falls on one
/// stretch of tokens. `contributions` are by rising feature, `places` are the characters of each token.
/// The occurrences are put in order.
pub(super) fn of_occurrences(
    text: &str,
    places: &[Range<usize>],
    occurrences: &mut [Occurrence],
    contributions: &[(u32, f64)],
) -> Found {
    let mut shares: Vec<(usize, usize, f64)> = Vec::with_capacity(occurrences.len());
    occurrences.sort_unstable_by_key(|o| o.feature);
    let mut rest = contributions;
    for same in occurrences.chunk_by(|a, b| a.feature == b.feature) {
        let feature = same[0].feature;
        rest = &rest[rest.partition_point(|&(f, _)| f < feature)..];
        // A feature whose value is zero has none.
        let Some(&(_, all)) = rest.first().filter(|&&(f, _)| f == feature) else { continue };
        let weights: f64 = same.iter().map(|o| f64::from(o.weight)).sum();
        // Weights that cancel each other to within rounding say nothing of who has which share.
        let share = |o: &Occurrence| match weights.abs() > 1e-9 {
            true => all * f64::from(o.weight) / weights,
            false => all / same.len() as f64,
        };
        shares.extend(same.iter().map(|o| (o.first, o.last, share(o))));
    }
    shares.sort_by_key(|&(first, last, _)| (first, last));

    let text = Characters::of(text);
    let mut tokens = vec![0.0; places.len()];
    let mut touched = vec![false; places.len()];
    let mut spans = Vec::new();
    for same in shares.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
        let (first, last, _) = same[0];
        let contribution: f64 = same.iter().map(|share| share.2).sum();
        let within = first..=last;
        let even = contribution / (last - first + 1) as f64;
        tokens[within.clone()].iter_mut().for_each(|token| *token += even);
        touched[within].fill(true);
        spans.push(text.span(places[first].start..places[last].end, contribution));
    }
    let all = places.iter().zip(tokens).zip(touched).filter(|(_, touched)| *touched);
    let tokens =
        all.map(|((place, contribution), _)| text.span(place.clone(), contribution)).collect();
    Found { spans, tokens }
}

/// A text by its characters.
struct Characters<'a> {
    text: &'a str,
    /// Where each character begins, and the end; empty where every character is a byte.
    starts: Vec<usize>,
}

impl<'a> Characters<'a> {
    fn of(text: &'a str) -> Self {
        let starts = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).collect()
        };
        Self { text, starts }
    }

    fn span(&self, place: Range<usize>, contribution: f64) -> Span {
        let Range { start, end } = place;
        let bytes = match self.starts.as_slice() {
            [] => start..end,
            starts => starts[start]..starts[end],
        };
        Span { start, end, text: self.text[bytes].to_owned(), contribution }
    }
}
