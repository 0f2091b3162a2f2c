//! A page that says why.

use askama::Template;

use super::ReportError;
use super::marked::{Marked, side, signed};
use crate::explain::{Explanation, Sum};
use crate::nearest::Neighbour;

/// Stretches that are listed.
const LISTED: usize = 40;

/// Width of the longest bar, in the width of letters.
const LONGEST: f64 = 12.0;

#[derive(Template)]
#[template(path = "explanation.html")]
struct Page<'a> {
    version: &'static str,
    first_label: &'a str,
    texts: Vec<Explained<'a>>,
}

struct Explained<'a> {
    label: &'a str,
    against: Option<&'a str>,
    answer: &'a str,
    probability: String,
    logit: String,
    baseline: String,
    rise: String,
    words: usize,
    unknown_words: usize,
    marked: Marked<'a>,
    rows: Vec<Row>,
    nearest: &'a [Neighbour],
}

struct Row {
    text: String,
    times: usize,
    contribution: String,
    side: &'static str,
    length: String,
}

/// A page of explained texts, each with the explanation and the nearest training documents, if any.
///
/// ```
/// use slugline::classifier::{Classifier, TrainingOptions};
/// use slugline::corpus::{SequenceOptions, sample};
/// use slugline::report::explanation_page;
///
/// let corpus = sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() })?;
/// let options = TrainingOptions { max_features: 2000, epochs: 1, ..Default::default() };
/// let classifier = Classifier::train(&corpus, &options)?;
/// let text = "Wheat & corn rose.";
/// let page = explanation_page(&[(text, &classifier.explain(text), &[])])?;
/// assert!(page.contains("Wheat</mark>") && !page.contains("Wheat & corn"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`ReportError::Page`], which does not happen where memory suffices.
pub fn explanation_page(
    texts: &[(&str, &Explanation, &[Neighbour])],
) -> Result<String, ReportError> {
    let page = Page {
        version: env!("CARGO_PKG_VERSION"),
        first_label: texts.first().map_or("", |(_, why, _)| &why.label),
        texts: texts.iter().map(|&(text, why, near)| Explained::of(text, why, near)).collect(),
    };
    Ok(page.render()?)
}

impl<'a> Explained<'a> {
    fn of(text: &'a str, why: &'a Explanation, nearest: &'a [Neighbour]) -> Self {
        let by_text = why.by_text();
        let most = by_text.iter().map(|s| s.contribution.abs()).fold(f64::MIN_POSITIVE, f64::max);
        let row = |sum: Sum| Row {
            contribution: signed(sum.contribution),
            side: side(sum.contribution),
            length: format!("{:.2}", LONGEST * sum.contribution.abs() / most),
            times: sum.times,
            text: sum.text,
        };
        Self {
            label: &why.label,
            against: why.against.as_deref(),
            answer: why.answer.as_deref().unwrap_or("no label"),
            probability: format!("{:.4}", why.probability),
            logit: format!("{:.2}", why.logit),
            baseline: format!("{:.2}", why.baseline),
            rise: signed(why.logit - why.baseline),
            words: why.words,
            unknown_words: why.unknown_words,
            marked: Marked::whole(why, text),
            rows: by_text.into_iter().take(LISTED).map(row).collect(),
            nearest,
        }
    }
}
