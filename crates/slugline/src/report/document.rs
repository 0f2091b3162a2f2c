//! A document on a page.

use askama::Template;

use super::documents::ReportedDocument;
use super::marked::Marked;

/// A document with what the model makes of it.
#[derive(Template)]
#[template(path = "document.html")]
pub(super) struct Document<'a> {
    place: Option<&'a str>,
    line: String,
    text: Option<Marked<'a>>,
}

impl<'a> Document<'a> {
    pub(super) fn of(document: &'a ReportedDocument) -> Self {
        let ReportedDocument { truth, answer, probability, truth_probability, .. } = document;
        let line = match truth.as_slice() {
            [truth] if truth != answer => format!(
                "answer {answer} ({probability:.3}), truth {truth} ({truth_probability:.3})"
            ),
            [truth] => format!("answer and truth {truth} ({truth_probability:.3})"),
            [] => format!("no label; answer {answer} ({probability:.3})"),
            several if several.contains(answer) => {
                format!("labels {}; {answer} has {probability:.3}", several.join(", "))
            }
            several => {
                format!(
                    "labels {}; {answer}, which is none, has {probability:.3}",
                    several.join(", ")
                )
            }
        };
        let text = document.text.as_deref().zip(document.why.as_ref());
        Self {
            place: document.place.as_deref(),
            line,
            text: text.map(|(text, why)| Marked::of(why, text)),
        }
    }
}
