//! What `slugline check` found, for people.

use std::fmt::Display;
use std::io::Write;

use slugline::check::{Damage, Found, LabelError, Report};

use crate::failure::Failure;
use crate::output::{Align, HEADING, QUIET, Table, grouped};

/// Findings and how many of them are shown.
pub(super) struct Findings<'a> {
    pub(super) report: &'a Report,
    pub(super) min_class_size: u64,
    /// Findings of a kind.
    pub(super) limit: usize,
    pub(super) verbose: bool,
}

/// A finding in a line: where, what, the beginning of the text.
type Line = [String; 3];

impl Findings<'_> {
    pub(super) fn print(&self, out: &mut impl Write) -> Result<(), Failure> {
        writeln!(out, "{}", self.counts())?;
        self.sides(out)?;
        self.labels(out)?;
        self.repeats(out)?;
        self.texts(out)?;
        out.flush()?;
        Ok(())
    }

    fn counts(&self) -> Table {
        let Report { documents, against, label_errors, .. } = self.report;
        let report = self.report;
        let mut counts = Table::pairs();
        counts.row([&"documents", &grouped(*documents)]);
        if let Some(against) = against {
            counts.row([&"to be scored on", &grouped(*against)]);
            counts.row([&"  of these, with a text to train on", &grouped(report.leaked)]);
            counts.row([&"  of these, nearly a text to train on", &grouped(report.near_leaked)]);
        }
        counts.row([&"texts with more than one label", &grouped(report.conflicting)]);
        let near = grouped(report.near_conflicting);
        counts.row([&"nearly the same, with more than one label", &near]);
        let errors = label_errors.map_or_else(|| "not looked for".to_owned(), grouped);
        counts.row([&"labels that are likely wrong", &errors]);
        counts.row([&"documents whose text stood before", &grouped(report.duplicates)]);
        counts.row([&"texts that nearly stood before", &grouped(report.near_duplicates)]);
        let small = format!("classes with fewer than {} documents", self.min_class_size);
        counts.row([&small, &grouped(report.small_classes)]);
        counts.row([&"documents without words", &grouped(report.empty)]);
        counts.row([&"documents of unusual length", &grouped(report.extreme_lengths)]);
        counts.row([&"documents with damaged characters", &grouped(report.damaged)]);
        let [least, first, half, third, most] = report.lengths.quartiles;
        let lengths = format_args!("{least}, {first}, {half}, {third}, {most}").to_string();
        counts.row([&"characters: least, quarters, most", &lengths]);
        counts
    }

    /// What stands on both sides.
    fn sides(&self, out: &mut impl Write) -> Result<(), Failure> {
        let leaked = self.report.leaked_documents.iter().map(|leak| {
            let training = beside(&leak.training, &leak.document);
            [place(&leak.document), format!("as {training}"), leak.excerpt.clone()]
        });
        self.section(out, "Leaked", leaked)?;
        let near = self.report.near_leaked_documents.iter().map(|leak| {
            let labels = match leak.conflicting {
                true => format!(
                    ", {} for {}",
                    leak.document.labels.join("+"),
                    leak.training.labels.join("+")
                ),
                false => String::new(),
            };
            let training = beside(&leak.training, &leak.document);
            let what = format!("{:.2} of {training}{labels}", leak.similarity);
            [place(&leak.document), what, leak.excerpt.clone()]
        });
        self.section(out, "Nearly leaked", near)
    }

    /// What is wrong with labels.
    fn labels(&self, out: &mut impl Write) -> Result<(), Failure> {
        let conflicts = self.report.conflicting_texts.iter().map(|conflict| {
            let labels = conflict.labels.join(", ");
            [places(conflict.documents.iter()), labels, conflict.excerpt.clone()]
        });
        self.section(out, "More than one label", conflicts)?;
        let errors = self.report.label_error_documents.iter().map(|error| self.label_error(error));
        self.section(out, "Labels that are likely wrong", errors)
    }

    fn label_error(&self, error: &LabelError) -> Line {
        let LabelError { given, suggested, .. } = error;
        let what = match self.verbose {
            true => format!(
                "{} {:.2} (usual {:.2}), rather {} {:.2} (usual {:.2})",
                given.label,
                given.probability,
                given.threshold,
                suggested.label,
                suggested.probability,
                suggested.threshold
            ),
            false => format!(
                "{} {:.2}, rather {} {:.2}",
                given.label, given.probability, suggested.label, suggested.probability
            ),
        };
        [place(&error.document), what, error.excerpt.clone()]
    }

    fn repeats(&self, out: &mut impl Write) -> Result<(), Failure> {
        let repeated = self.report.duplicate_texts.iter().map(|duplicate| {
            let times = format!("{} times", duplicate.documents.len());
            [places(duplicate.documents.iter()), times, duplicate.excerpt.clone()]
        });
        self.section(out, "Repeated", repeated)?;
        let near = self.report.near_duplicate_texts.iter().map(|group| {
            let documents = &group.documents;
            let least = documents.iter().map(|near| near.similarity).fold(1.0, f64::min);
            let labels = match group.conflicting {
                true => format!(", {}", group.labels.join(", ")),
                false => String::new(),
            };
            let what = format!("{} times, {least:.2}{labels}", documents.len());
            let found = documents.iter().map(|near| &near.document);
            [places(found), what, documents[0].excerpt.clone()]
        });
        self.section(out, "Nearly repeated", near)
    }

    /// What is wrong with classes and single texts.
    fn texts(&self, out: &mut impl Write) -> Result<(), Failure> {
        let small = self.report.small_class_list.iter().map(|class| {
            [class.name.clone(), format!("{} documents", class.documents), String::new()]
        });
        self.section(out, "Small classes", small)?;
        let empty = self.report.empty_documents.iter();
        let empty = empty.map(|found| [place(found), found.labels.join(", "), String::new()]);
        self.section(out, "Without words", empty)?;
        let extremes = self.report.lengths.extremes.iter().map(|extreme| {
            let characters = format!("{} characters", grouped(extreme.characters));
            [place(&extreme.document), characters, extreme.excerpt.clone()]
        });
        self.section(out, "Unusual length", extremes)?;
        let damaged = self.report.damaged_documents.iter().map(|damaged| {
            let what = match damaged.damage {
                Damage::Replaced => "characters lost",
                Damage::WrongEncoding => "UTF-8 read as Latin-1",
                Damage::ControlCharacters => "control characters",
            };
            [place(&damaged.document), what.to_owned(), damaged.excerpt.clone()]
        });
        self.section(out, "Damaged characters", damaged)
    }

    /// The first findings of a kind under a heading.
    fn section(
        &self,
        out: &mut impl Write,
        heading: &str,
        findings: impl ExactSizeIterator<Item = Line>,
    ) -> Result<(), Failure> {
        let count = findings.len();
        if count == 0 {
            return Ok(());
        }
        let mut table = Table::new([("", Align::Left); 3]);
        for [place, what, excerpt] in findings.take(self.limit) {
            table.row([&place as &dyn Display, &what, &format_args!("{QUIET}{excerpt}{QUIET:#}")]);
        }
        write!(out, "{HEADING}{heading}{HEADING:#}\n{table}")?;
        if count > self.limit {
            let more = grouped(count - self.limit);
            writeln!(out, "{QUIET}  and {more} more: --limit {count}, or --verbose{QUIET:#}")?;
        }
        writeln!(out)?;
        Ok(())
    }
}

/// Where a document stands.
fn place(found: &Found) -> String {
    match &found.source {
        Some(source) => format!("{source}:{}", found.row),
        None => format!("{} {}", found.file(), found.row),
    }
}

/// Where a document stands, beside another one: the row alone in the same file.
fn beside(found: &Found, other: &Found) -> String {
    match found.source.is_some() && found.source == other.source {
        true => format!("row {}", found.row),
        false => place(found),
    }
}

/// Where the first of some documents stand.
fn places<'a>(mut documents: impl ExactSizeIterator<Item = &'a Found>) -> String {
    const SHOWN: usize = 2;
    let more = documents.len() > SHOWN;
    let Some(first) = documents.next() else { return String::new() };
    let mut shown = place(first);
    for found in documents.take(SHOWN - 1) {
        shown = format!("{shown}, {}", beside(found, first));
    }
    if more {
        shown.push_str(", …");
    }
    shown
}
