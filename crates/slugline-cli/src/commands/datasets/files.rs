//! What files hold.

use std::io::Write;

use slugline::corpus::read::{FilesDescription, FilesPart, Read};
use slugline::corpus::{Content, LabelKind};

use crate::failure::Failure;
use crate::output::{Align, Console, HEADING, QUIET, Table, grouped, out, write_json};

/// Bad rows that are shown without `--verbose`.
const SHOWN: usize = 5;

/// Describes files.
pub(super) fn info(found: &Read, console: Console) -> Result<(), Failure> {
    let description = found.describe();
    if console.json() {
        return write_json(&description);
    }
    let mut out = out();
    for layout in &description.layouts {
        writeln!(out, "{layout}")?;
    }
    for file in &description.empty_files {
        writeln!(out, "{file}: empty")?;
    }
    let labels = match description.label_kind {
        LabelKind::Single => "one class a document",
        LabelKind::Multi => "any number of classes a document",
        LabelKind::Soft => "a share of every class",
    };
    writeln!(out, "labels: {labels}\n\n{}", parts_table(&description))?;
    let classes = description.classes.len();
    writeln!(
        out,
        "{HEADING}{} classes{HEADING:#}\n{}",
        grouped(classes),
        classes_table(&description)
    )?;
    if description.bad_rows == 0 {
        writeln!(out, "{QUIET}no bad rows{QUIET:#}")?;
    } else {
        writeln!(out, "{HEADING}{} bad rows{HEADING:#}", grouped(description.bad_rows))?;
        let shown = if console.verbose { usize::MAX } else { SHOWN };
        for bad in description.bad_row_list.iter().take(shown) {
            writeln!(out, "  {}:{}: {}", bad.source, bad.row, bad.problem)?;
        }
        let more = description.bad_rows - description.bad_row_list.len().min(shown) as u64;
        if more > 0 {
            writeln!(out, "  {QUIET}and {} more{QUIET:#}", grouped(more))?;
        }
    }
    out.flush()?;
    Ok(())
}

/// Documents and their lengths.
fn parts_table(description: &FilesDescription) -> Table {
    let right = Align::Right;
    let unit = match description.content {
        Content::Text => "tokens",
        Content::Features => "features",
    };
    let mut table = Table::new([
        ("part", Align::Left),
        ("documents", right),
        (unit, right),
        ("shortest", right),
        ("median", right),
        ("mean", right),
        ("longest", right),
        ("empty", right),
        ("unlabelled", right),
    ]);
    let parts = [
        ("training", Some(&description.train)),
        ("validation", description.validation.as_ref()),
        ("test", description.test.as_ref()),
    ];
    for (name, part) in parts.into_iter().filter_map(|(name, part)| Some((name, part?))) {
        let FilesPart { documents, total_tokens, lengths, empty_texts, unlabelled } = part;
        let (documents, tokens) = (grouped(*documents), grouped(*total_tokens));
        let (empty, unlabelled) = (grouped(*empty_texts), grouped(*unlabelled));
        match lengths {
            None => {
                table.row([
                    &name,
                    &documents,
                    &tokens,
                    &"–",
                    &"–",
                    &"–",
                    &"–",
                    &empty,
                    &unlabelled,
                ]);
            }
            Some(l) => table.row([
                &name,
                &documents,
                &tokens,
                &grouped(l.min),
                &l.median,
                &format_args!("{:.1}", l.mean),
                &grouped(l.max),
                &empty,
                &unlabelled,
            ]),
        }
    }
    table
}

/// The classes and their documents, the largest first.
fn classes_table(description: &FilesDescription) -> Table {
    let right = Align::Right;
    let mut table = Table::new([
        ("class", Align::Left),
        ("training", right),
        ("validation", right),
        ("test", right),
        ("share", right),
    ]);
    let total = description.train.documents.max(1);
    let mut classes: Vec<_> = description.classes.iter().collect();
    classes.sort_by_key(|class| std::cmp::Reverse(class.train));
    for class in classes {
        let share = 100.0 * class.train as f64 / total as f64;
        table.row([
            &class.name,
            &grouped(class.train),
            &grouped(class.validation),
            &grouped(class.test),
            &format_args!("{share:.1}%"),
        ]);
    }
    table
}
