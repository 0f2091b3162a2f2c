//! A document on a page.

use askama::Template;

use super::documents::{Fault, ReportedDocument};
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
        let ReportedDocument { truth, answer, probability, truth_probability, fault, .. } =
            document;
        let labels = if truth.is_empty() { "none".to_owned() } else { truth.join(", ") };
        let line = match fault {
            Some(Fault::Given) => {
                format!("labels: {labels}; {answer} is given too ({probability:.3})")
            }
            Some(Fault::Missing) => {
                format!("labels: {labels}; {answer} is not given ({probability:.3})")
            }
            Some(Fault::None) => {
                format!(
                    "labels: {labels}; farthest from it, though right, is {answer} ({probability:.3})"
                )
            }
            None if truth.contains(answer) => {
                format!("answer and truth {answer} ({probability:.3})")
            }
            None => {
                format!(
                    "answer {answer} ({probability:.3}), truth {labels} ({truth_probability:.3})"
                )
            }
        };
        let text = document.text.as_deref().zip(document.why.as_ref());
        Self {
            place: document.place.as_deref(),
            line,
            text: text.map(|(text, why)| Marked::beginning(why, text)),
        }
    }
}
