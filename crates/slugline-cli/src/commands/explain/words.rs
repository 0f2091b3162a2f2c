//! What speaks for and against the classes.

use std::io::Write;

use serde_json::json;
use slugline::classifier::Classifier;
use slugline::explain::{ClassWords, WeightedWord};

use super::ExplainArgs;
use crate::failure::Failure;
use crate::options::Data;
use crate::output::{Align, Console, HEADING, QUIET, Table, out, write_json};

pub(super) fn run(
    args: &ExplainArgs,
    classifier: &Classifier,
    class: Option<u32>,
    k: usize,
    console: Console,
) -> Result<(), Failure> {
    let mut classes = if args.data.is_empty() {
        args.scored.on_threads(|| classifier.class_words(k))??
    } else {
        let data = Data::of(&args.data);
        let documents = args.scored.documents(&data, classifier, console)?;
        args.scored.on_threads(|| classifier.words_of(&documents, k))??
    };
    if let Some(class) = class {
        classes = classes.into_iter().skip(class as usize).take(1).collect();
    }
    if console.json() {
        return write_json(&json!({ "classes": classes }));
    }
    let mut out = out();
    for (number, ClassWords { class, speak_for, against }) in classes.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{HEADING}{class}{HEADING:#}")?;
        if speak_for.is_empty() && against.is_empty() {
            writeln!(out, "  {QUIET}no documents{QUIET:#}")?;
            continue;
        }
        let mut table = Table::new([
            ("for", Align::Left),
            ("weight", Align::Right),
            ("against", Align::Left),
            ("weight", Align::Right),
        ]);
        for row in 0..speak_for.len().max(against.len()) {
            let cells = [speak_for, against].map(|words| words.get(row));
            let text = |word: Option<&WeightedWord>| word.map_or(String::new(), |w| w.text.clone());
            let weight = |word: Option<&WeightedWord>| {
                word.map_or(String::new(), |w| format!("{:+.3}", w.weight))
            };
            let [a, b] = cells;
            table.row([&text(a), &weight(a), &text(b), &weight(b)]);
        }
        write!(out, "{table}")?;
    }
    out.flush()?;
    Ok(())
}
