//! Texts with their words marked by what they contribute.

use askama::Template;

use crate::explain::Explanation;

/// A text with its words marked.
#[derive(Template)]
#[template(path = "marked.html")]
pub(super) struct Marked<'a> {
    pieces: Vec<Piece<'a>>,
}

/// A piece of a text; marked where it contributes.
struct Piece<'a> {
    text: &'a str,
    /// How strongly it is marked, from 0 to 1.
    share: Option<String>,
    side: &'static str,
    contribution: String,
}

/// The style of what speaks for a class, or against it.
pub(super) fn side(contribution: f64) -> &'static str {
    if contribution < 0.0 { "against" } else { "for" }
}

/// A contribution with its sign.
pub(super) fn signed(contribution: f64) -> String {
    // Rounded to nothing it has no sign.
    let text = format!("{contribution:+.2}");
    if text == "-0.00" { "+0.00".into() } else { text }
}

/// Bytes that a beginning has at most.
const LONGEST: usize = 1_600;

/// Marks weaker than this are not drawn.
const FAINTEST: f64 = 0.1;

impl<'a> Marked<'a> {
    /// The text that was explained.
    pub(super) fn whole(why: &Explanation, text: &'a str) -> Self {
        Self::of(why, text, usize::MAX)
    }

    /// Its beginning.
    pub(super) fn beginning(why: &Explanation, text: &'a str) -> Self {
        Self::of(why, text, LONGEST)
    }

    fn of(why: &Explanation, text: &'a str, longest: usize) -> Self {
        let sizes = why.tokens.iter().map(|token| token.contribution.abs());
        let most = sizes.fold(f64::MIN_POSITIVE, f64::max);
        let piece = |(text, contribution): (&'a str, Option<f64>)| {
            let share = contribution.map(|c| c.abs() / most).filter(|&share| share > FAINTEST);
            let contribution = contribution.unwrap_or_default();
            Piece {
                text,
                share: share.map(|share| format!("{share:.2}")),
                side: side(contribution),
                contribution: signed(contribution),
            }
        };
        let (mut pieces, mut left) = (Vec::new(), longest);
        for (text, contribution) in why.pieces(text) {
            let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
            let kept = ends.take_while(|&end| end <= left).last().unwrap_or(0);
            pieces.push(piece((&text[..kept], contribution)));
            left -= kept;
            if kept < text.len() {
                pieces.push(piece((" …", None)));
                break;
            }
        }
        Self { pieces }
    }
}
