//! Where tokens stand in a text that was folded before it was cut.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Tells, for bytes of a folded text, the characters of the text itself that they come from.
///
/// Case and normal form change the length of letters. Almost always they act within what is seen as one
/// character, so that folding these one by one tells which bytes come from which; neighbours that fold
/// otherwise together, such as compatibility letters of Hangul, are taken as one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Places {
    /// Every byte is the character of the same number.
    Ascii,
    /// For each character as it is seen, where its folded bytes end, and where its characters (Unicode
    /// scalar values) end.
    Folded(Vec<(usize, usize)>),
}

impl Places {
    /// The places of a text that `fold` folds.
    pub(super) fn new(text: &str, mut fold: impl FnMut(&str, &mut String)) -> Self {
        if text.is_ascii() {
            return Self::Ascii;
        }
        let mut folded = String::new();
        let mut length = |piece: &str| {
            fold(piece, &mut folded);
            folded.len()
        };
        let mut pieces: Vec<(&str, usize)> =
            text.graphemes(true).map(|seen| (seen, length(seen))).collect();
        if pieces.iter().map(|piece| piece.1).sum::<usize>() != length(text) {
            pieces = together(text, pieces, length);
        }
        let (mut bytes, mut chars) = (0, 0);
        let ends = pieces.into_iter().map(|(piece, length)| {
            bytes += length;
            chars += piece.chars().count();
            (bytes, chars)
        });
        Self::Folded(ends.collect())
    }

    /// The characters that a stretch of folded bytes comes from; characters as they are seen are whole.
    pub(super) fn chars(&self, bytes: Range<usize>) -> Range<usize> {
        let Self::Folded(ends) = self else { return bytes };
        let holds = |byte: usize| ends.partition_point(|&(end, _)| end <= byte);
        let end_of = |seen: usize| ends.get(seen).or(ends.last()).map_or(0, |&(_, end)| end);
        let start = holds(bytes.start).checked_sub(1).map_or(0, end_of);
        start..end_of(holds(bytes.end.saturating_sub(1)))
    }
}

/// Puts neighbouring pieces of a text together whose length is another one when they are folded as one.
fn together<'t>(
    text: &'t str,
    pieces: Vec<(&'t str, usize)>,
    mut length: impl FnMut(&str) -> usize,
) -> Vec<(&'t str, usize)> {
    let mut out: Vec<(&str, usize)> = Vec::new();
    let mut end = 0;
    for (piece, alone) in pieces {
        end += piece.len();
        let joined = out.last().and_then(|&(before, its)| {
            let both = &text[end - piece.len() - before.len()..end];
            let length = length(both);
            (length != its + alone).then_some((both, length))
        });
        match (joined, out.last_mut()) {
            (Some(joined), Some(last)) => *last = joined,
            _ => out.push((piece, alone)),
        }
    }
    out
}

/// Where `part`, a piece of `whole`, begins in it.
pub(super) fn offset(whole: &str, part: &str) -> usize {
    (part.as_ptr() as usize).wrapping_sub(whole.as_ptr() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_change_their_length_are_found() {
        let text = "İI ﬁn ẞ";
        let places = Places::new(text, |seen, out| {
            out.clear();
            out.push_str(&seen.to_lowercase());
        });
        let folded = text.to_lowercase();
        let of = |part: &str| {
            let at = folded.find(part).unwrap();
            places.chars(at..at + part.len())
        };
        assert_eq!(of("i\u{307}i"), 0..2);
        assert_eq!(of("ﬁn"), 3..5);
        assert_eq!(of("ß"), 6..7);
        // Half of what is seen as one character is all of it.
        assert_eq!(places.chars(0..1), 0..1);
        assert_eq!(Places::new("", |_, _| {}).chars(0..0), 0..0);
        assert_eq!(offset("abc", &"abc"[1..2]), 1);
    }
}
