//! The tables of a comparison.

use slugline::compare::{ClassChange, Comparison, ScoreChange};

use super::words::answer;
use crate::output::{Align, QUIET, Table, grouped, score};

const LEFT: Align = Align::Left;
const RIGHT: Align = Align::Right;

/// Rows shown without `--verbose`.
const SHOWN: usize = 8;

/// Letters of an answer shown without `--verbose`: two of them and the numbers beside are a line.
const LONGEST: usize = 22;

/// The scores of both and their differences; those whose interval leaves out 0 stand out.
pub(super) fn scores(c: &Comparison) -> Table {
    let heading =
        c.bootstrap.map_or_else(String::new, |b| format!("{}% interval", b.confidence * 100.0));
    let header = [("", LEFT), ("A", RIGHT), ("B", RIGHT), ("B − A", RIGHT), (&heading, RIGHT)];
    let mut table = Table::new(header);
    for ScoreChange { name, a, b, difference, difference_interval, .. } in &c.scores {
        let interval = difference_interval
            .map_or_else(String::new, |[low, high]| format!("{} to {}", signed(low), signed(high)));
        let cells = vec![name.clone(), score(*a), score(*b), signed(*difference), interval];
        let stands_out = difference_interval.is_some_and(|[low, high]| low > 0.0 || high < 0.0);
        table.push(cells, stands_out);
    }
    table
}

/// Documents by which of the two is right.
pub(super) fn right_and_wrong(c: &Comparison) -> Table {
    let m = &c.mcnemar;
    let mut table = Table::new([("", LEFT), ("B right", RIGHT), ("B wrong", RIGHT)]);
    table.row([&"A right", &grouped(m.both_right), &grouped(m.only_a)]);
    table.row([&"A wrong", &grouped(m.only_b), &grouped(m.both_wrong)]);
    table
}

/// Pairs of different answers.
pub(super) fn changes(c: &Comparison, all: bool) -> String {
    let mut table = Table::new([
        ("A answers", LEFT),
        ("B answers", LEFT),
        ("documents", RIGHT),
        ("A right", RIGHT),
        ("B right", RIGHT),
    ]);
    let shown = if all { c.changes.len() } else { SHOWN };
    let name = |labels: &[String]| {
        let whole = answer(labels);
        match whole.char_indices().nth(LONGEST - 1) {
            Some((end, last)) if !all && whole.len() > end + last.len_utf8() => {
                format!("{}…", &whole[..end])
            }
            _ => whole,
        }
    };
    for change in c.changes.iter().take(shown) {
        table.row([
            &name(&change.from),
            &name(&change.to),
            &grouped(change.documents),
            &grouped(change.a_right),
            &grouped(change.b_right),
        ]);
    }
    with_rest(&table, c.changes.get(shown..).unwrap_or_default().len(), "pairs")
}

/// Classes by the change of their F1; none where there is none to show.
pub(super) fn classes(c: &Comparison, all: bool) -> Option<String> {
    let changes = |class: &&ClassChange| {
        let d = class.difference;
        [d.f1, d.precision, d.recall].iter().any(|change| *change != 0.0)
    };
    let changed: Vec<&ClassChange> =
        c.classes.iter().filter(|class| all || changes(class)).collect();
    if changed.is_empty() {
        return None;
    }
    let mut table = Table::new([
        ("class", LEFT),
        ("documents", RIGHT),
        ("F1 of A", RIGHT),
        ("of B", RIGHT),
        ("change", RIGHT),
        ("of precision", RIGHT),
        ("of recall", RIGHT),
    ]);
    let shown = if all { changed.len() } else { SHOWN };
    for class in changed.iter().take(shown) {
        let [precision, recall, f1] =
            [class.difference.precision, class.difference.recall, class.difference.f1]
                .map(|change| format!("{change:+.3}"));
        table.row([
            &class.name,
            &grouped(class.support),
            &format_args!("{:.3}", class.a.f1),
            &format_args!("{:.3}", class.b.f1),
            &f1,
            &precision,
            &recall,
        ]);
    }
    Some(with_rest(&table, changed.get(shown..).unwrap_or_default().len(), "classes"))
}

fn with_rest(table: &Table, rest: usize, what: &str) -> String {
    match rest {
        0 => table.to_string(),
        _ => format!("{table}  {QUIET}and {} more {what}{QUIET:#}\n", grouped(rest)),
    }
}

/// A difference with its sign, 0 without one.
fn signed(difference: f64) -> String {
    let shown = format!("{difference:+.4}");
    match shown.as_str() {
        "+0.0000" | "-0.0000" => score(0.0),
        _ => shown,
    }
}
