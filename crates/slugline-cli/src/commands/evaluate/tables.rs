//! The tables of an evaluation.

use slugline::corpus::LabelKind;
use slugline::evaluation::{ClassScores, Evaluation, Mean, Score};

use crate::output::{Align, BEST, Table, grouped, score};

const RIGHT: Align = Align::Right;

/// The scores with their intervals, beside the baselines.
pub(in crate::commands) fn scores_table(e: &Evaluation) -> Table {
    let heading = e.bootstrap.map(|b| format!("{}% interval", b.confidence * 100.0));
    let mut table =
        Table::new([("", Align::Left), ("", RIGHT), (heading.as_deref().unwrap_or(""), RIGHT)]);
    for (i, line) in e.headlines().iter().enumerate() {
        let indent = if line.baseline { "  " } else { "" };
        let name = format!("{indent}{}", line.name);
        let value = match i {
            0 => format!("{BEST}{}{BEST:#}", score(line.value)),
            _ => score(line.value),
        };
        table.row([&name, &value, &range(line.interval)]);
    }
    table
}

/// An interval as text, empty where there is none.
fn range(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(String::new, |[low, high]| format!("{} – {}", score(low), score(high)))
}

/// The interval of a score as text, empty where there is none.
fn interval(e: &Evaluation, of: Score) -> String {
    range(e.intervals.get(of).copied())
}

/// Precision, recall and F1 by every mean.
pub(super) fn means_table(e: &Evaluation) -> Table {
    let mut table =
        Table::new([("mean", Align::Left), ("precision", RIGHT), ("recall", RIGHT), ("F1", RIGHT)]);
    for mean in [Mean::Macro, Mean::Micro, Mean::Weighted, Mean::Samples] {
        let all = [Score::Precision(mean), Score::Recall(mean), Score::F1(mean)];
        if let [Some(p), Some(r), Some(f)] = all.map(|found| e.score(found).map(score)) {
            table.row([&mean, &p, &r, &f]);
        }
    }
    table
}

/// What thresholds and `unknown` do; none where every document is answered without thresholds.
pub(super) fn decisions_table(e: &Evaluation) -> Option<Table> {
    let d = &e.decisions;
    if d.unknown == 0 && d.classes.is_empty() {
        return None;
    }
    let mut table = Table::new([("", Align::Left), ("", RIGHT), ("", RIGHT)]);
    table.row([&"documents answered", &grouped(d.answered)]);
    table.row([&"coverage", &score(d.coverage), &interval(e, Score::Coverage)]);
    if let Some(accuracy) = d.accuracy {
        let of = Score::AnsweredAccuracy;
        table.row([&"accuracy of the answers", &score(accuracy), &interval(e, of)]);
    }
    table.row([&"macro precision of the answers", &score(d.macro_precision)]);
    table.row([&"macro recall", &score(d.macro_recall)]);
    table.row([&"macro F1", &score(d.macro_f1)]);
    table.row([&"unknown", &grouped(d.unknown)]);
    for (name, count) in [
        ("  nothing known", d.reasons.nothing_known),
        ("  too many unknown words", d.reasons.unknown_words),
        ("  too little confidence", d.reasons.confidence),
        ("  no threshold reached", d.reasons.threshold),
    ] {
        if count > 0 {
            table.row([&name, &grouped(count)]);
        }
    }
    Some(table)
}

/// Each class by the answers that reach its threshold.
pub(super) fn decided_table(e: &Evaluation) -> Table {
    let mut table = Table::new([
        ("class", Align::Left),
        ("threshold", RIGHT),
        ("documents", RIGHT),
        ("answered", RIGHT),
        ("precision", RIGHT),
        ("recall", RIGHT),
        ("F1", RIGHT),
    ]);
    for class in &e.decisions.classes {
        let threshold = match class.threshold > 1.0 {
            true => "never".to_owned(),
            false => format!("{:.4}", class.threshold),
        };
        let shown = [class.precision, class.recall, class.f1].map(|value| format!("{value:.3}"));
        table.row([
            &class.name,
            &threshold,
            &grouped(class.support),
            &grouped(class.predicted),
            &shown[0],
            &shown[1],
            &shown[2],
        ]);
    }
    table
}

/// What is left where only confident answers are given.
pub(super) fn risk_coverage_table(e: &Evaluation) -> Table {
    let mut table =
        Table::new([("min confidence", RIGHT), ("coverage", RIGHT), ("accuracy", RIGHT)]);
    for row in &e.decisions.risk_coverage {
        let min_confidence = score(f64::from(row.min_confidence));
        table.row([&min_confidence, &score(row.coverage), &score(row.accuracy)]);
    }
    table
}

/// Confidence and accuracy by bin.
pub(super) fn reliability_table(e: &Evaluation) -> Table {
    let multi = e.label_kind == LabelKind::Multi;
    let (what, so) = if multi { ("labels", "given") } else { ("documents", "accuracy") };
    let mut table =
        Table::new([("confidence", RIGHT), (what, RIGHT), ("mean confidence", RIGHT), (so, RIGHT)]);
    let bins = &e.reliability.bins;
    for (i, bin) in bins.iter().enumerate().filter(|(_, bin)| bin.samples > 0) {
        let end = (i + 1) as f64 / bins.len() as f64;
        table.row([
            &format_args!("to {end:.3}"),
            &grouped(bin.samples),
            &score(bin.confidence),
            &score(bin.accuracy),
        ]);
    }
    table
}

/// The classes that have documents, in the order of a key.
pub(super) fn by<K: Ord>(e: &Evaluation, key: impl Fn(&ClassScores) -> K) -> Vec<&ClassScores> {
    let mut classes: Vec<_> = e.classes.iter().filter(|class| class.support > 0).collect();
    classes.sort_by_key(|class| key(class));
    classes
}

pub(super) fn class_table(classes: &[&ClassScores]) -> Table {
    let mut table = Table::new([
        ("class", Align::Left),
        ("documents", RIGHT),
        ("precision", RIGHT),
        ("recall", RIGHT),
        ("F1", RIGHT),
        ("ROC-AUC", RIGHT),
        ("avg. precision", RIGHT),
    ]);
    let three = |value: f64| format!("{value:.3}");
    for class in classes {
        let shown = [class.precision, class.recall, class.f1].map(three);
        let areas = [class.roc_auc, class.average_precision]
            .map(|area| area.map_or_else(|| "–".to_owned(), three));
        table.row([
            &class.name,
            &grouped(class.support),
            &shown[0],
            &shown[1],
            &shown[2],
            &areas[0],
            &areas[1],
        ]);
    }
    table
}
