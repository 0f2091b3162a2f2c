//! What a comparison says in words.

use std::cmp::Ordering;

use slugline::compare::{Comparison, Disagreement, Opinion};
use slugline::corpus::LabelKind;
use slugline::evaluation::Score;

use crate::output::{BEST, QUIET, STRONG, grouped, printable, score, wrapped};

/// Differences that are less probable than this by chance are taken for real.
const LEVEL: f64 = 0.05;

/// Characters of a text that are shown: about two lines.
const EXCERPT: usize = 150;

/// Which is better by how much, whether that could be chance, and on how many documents they differ.
pub(super) fn judgement(c: &Comparison) -> String {
    let changed = match c.changed {
        0 => "They answer every document alike.".to_owned(),
        n => format!("They answer {} of {} documents differently.", grouped(n), grouped(c.samples)),
    };
    let Some(accuracy) = c.score(Score::Accuracy) else { return changed };
    let right = match c.label_kind {
        LabelKind::Multi => "gets all labels right on",
        LabelKind::Single | LabelKind::Soft => "is right on",
    };
    let percent = |share: f64| format!("{:.1}%", share * 100.0);
    let (a, b) = (percent(accuracy.a), percent(accuracy.b));
    let m = c.mcnemar;
    let sign = match m.only_b.cmp(&m.only_a) {
        Ordering::Less => -1.0,
        Ordering::Greater => 1.0,
        Ordering::Equal => {
            return format!(
                "{STRONG}Neither is better{STRONG:#}: each {right} {a} of the documents. {changed}"
            );
        }
    };
    let points = |share: f64| format!("{:.1}", sign * share * 100.0);
    let interval = accuracy.difference_interval.zip(c.bootstrap).map(|([low, high], bootstrap)| {
        let (low, high) = if sign > 0.0 { (low, high) } else { (high, low) };
        let percent = bootstrap.confidence * 100.0;
        format!(" ({percent}% interval {} to {})", points(low), points(high))
    });
    let by = format!("by {} points{}", points(accuracy.difference), interval.unwrap_or_default());
    let ([leads, other], [more, less]) =
        if sign > 0.0 { (["B", "A"], [b, a]) } else { (["A", "B"], [a, b]) };
    let how = format!("it {right} {more} of the documents, {other} on {less}");
    let p = match m.p_value {
        p if p < 1e-4 => "p below 0.0001".to_owned(),
        p => format!("p = {}", score(p)),
    };
    let test = format!("({p}, McNemar's exact test)");
    if m.p_value < LEVEL {
        format!(
            "{BEST}{leads} is better{BEST:#} {by}: {how}. That is more than chance at the 5% level {test}. \
             {changed}"
        )
    } else {
        format!(
            "{STRONG}Neither is better for certain{STRONG:#}. {leads} leads {by}: {how}. That could be \
             chance at the 5% level {test}. {changed}"
        )
    }
}

/// A document on which they differ, with the beginning of its text.
pub(super) fn disagreement(document: &Disagreement) -> String {
    let truth = answer(&document.truth);
    let place = match &document.place {
        Some(place) => place.clone(),
        None => format!("document {}", grouped(document.document)),
    };
    let opinion = |opinion: &Opinion| {
        let Opinion { answer: given, probability, truth_probability } = opinion;
        let given_name = answer(given);
        match *given == document.truth {
            true => format!("{given_name} {probability:.3}"),
            false => {
                format!(
                    "{given_name} {probability:.3} {QUIET}({truth} {truth_probability:.3}){QUIET:#}"
                )
            }
        }
    };
    format!(
        "  {STRONG}{truth}{STRONG:#}   {QUIET}{place}{QUIET:#}\n  A  {}\n  B  {}\n{}",
        opinion(&document.a),
        opinion(&document.b),
        wrapped(&excerpt(&document.text), usize::MAX)
    )
}

/// An answer as people read it.
pub(super) fn answer(labels: &[String]) -> String {
    match labels {
        [] => "no label".to_owned(),
        labels => labels.join(", "),
    }
}

/// The beginning of a text, without what a terminal would take for a command.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None if text.trim().is_empty() => "(no text)".to_owned(),
        None => printable(text),
    }
}
