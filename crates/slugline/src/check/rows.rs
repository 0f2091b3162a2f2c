//! Findings as a table: one row each.

use std::fmt::Display;
use std::io::Write;

use super::{Damage, Found, Kind, Report};

/// The columns of [`Report::write_csv`].
const HEADER: [&str; 9] =
    ["kind", "file", "row", "label", "other_file", "other_row", "other_label", "score", "text"];

/// A finding.
struct Row<'a> {
    kind: Kind,
    document: Option<&'a Found>,
    /// The label that is spoken of, where it is not the document's.
    label: Option<&'a str>,
    other: Option<&'a Found>,
    other_label: Option<&'a str>,
    score: Option<String>,
    text: &'a str,
}

impl<'a> Row<'a> {
    fn of(kind: Kind, document: &'a Found, text: &'a str) -> Self {
        let (label, other, other_label, score) = (None, None, None, None);
        Self { kind, document: Some(document), label, other, other_label, score, text }
    }

    fn beside(self, other: &'a Found) -> Self {
        Self { other: Some(other), ..self }
    }

    fn scored(self, score: &dyn Display) -> Self {
        Self { score: Some(score.to_string()), ..self }
    }

    fn cells(&self) -> [String; 9] {
        let file = |found: Option<&Found>| found.map_or_else(String::new, Found::file);
        let row = |found: Option<&Found>| found.map_or_else(String::new, |f| f.row.to_string());
        let labels = |found: Option<&Found>, label: Option<&str>| match (label, found) {
            (Some(label), _) => label.to_owned(),
            (None, Some(found)) => found.labels.join(";"),
            (None, None) => String::new(),
        };
        [
            self.kind.name().to_owned(),
            file(self.document),
            row(self.document),
            labels(self.document, self.label),
            file(self.other),
            row(self.other),
            labels(self.other, self.other_label),
            self.score.clone().unwrap_or_default(),
            self.text.to_owned(),
        ]
    }
}

impl Report {
    /// Writes the findings as CSV, one row each, under a header:
    ///
    /// | column | content |
    /// |---|---|
    /// | `kind` | [`Kind::name`] |
    /// | `file`, `row`, `label` | the document; for want of a file `training` or `test`; several labels are joined by `;` |
    /// | `other_file`, `other_row`, `other_label` | the document that it is held against: the one to train on of a leak, the first one of a text that is repeated; of a label that is likely wrong the suggested one |
    /// | `score` | similarity of nearly the same texts; `margin` of [`LabelError`](super::LabelError); characters of an unusual length; documents of a small class; kind of damage |
    /// | `text` | the beginning of the text |
    ///
    /// Of a text with several labels there is a row for each document whose labels are not those of the
    /// first one; of a group of nearly the same texts one for each but the first, and where labels differ from
    /// the first one's another of the kind `near_conflicting`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_csv(&self, writer: impl Write) -> std::io::Result<()> {
        let mut csv = csv::Writer::from_writer(writer);
        csv.write_record(HEADER)?;
        for row in self.rows() {
            csv.write_record(row.cells())?;
        }
        csv.flush()
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let leaked = self.leaked_documents.iter().map(|leak| {
            Row::of(Kind::Leaked, &leak.document, &leak.excerpt).beside(&leak.training)
        });
        let near_leaked = self.near_leaked_documents.iter().map(|leak| {
            Row::of(Kind::NearLeaked, &leak.document, &leak.excerpt)
                .beside(&leak.training)
                .scored(&leak.similarity)
        });
        let conflicting = self.conflicting_texts.iter().flat_map(|conflict| {
            let first = &conflict.documents[0];
            let others = conflict.documents.iter().filter(|found| found.labels != first.labels);
            others.map(|found| Row::of(Kind::Conflicting, found, &conflict.excerpt).beside(first))
        });
        let near = |kind: Kind| {
            self.near_duplicate_texts.iter().flat_map(move |group| {
                let first = &group.documents[0].document;
                let others = group.documents[1..].iter();
                let differs = move |found: &Found| found.labels != first.labels;
                let wanted = others
                    .filter(move |near| kind != Kind::NearConflicting || differs(&near.document));
                wanted.map(move |near| {
                    Row::of(kind, &near.document, &near.excerpt)
                        .beside(first)
                        .scored(&near.similarity)
                })
            })
        };
        let label_errors = self.label_error_documents.iter().map(|error| Row {
            label: Some(&error.given.label),
            other_label: Some(&error.suggested.label),
            ..Row::of(Kind::LabelErrors, &error.document, &error.excerpt).scored(&error.margin)
        });
        let duplicates = self.duplicate_texts.iter().flat_map(|duplicate| {
            let (first, others) = (&duplicate.documents[0], &duplicate.documents[1..]);
            let row = |found| Row::of(Kind::Duplicates, found, &duplicate.excerpt).beside(first);
            others.iter().map(row)
        });
        let small = self.small_class_list.iter().map(|class| Row {
            kind: Kind::SmallClasses,
            document: None,
            label: Some(&class.name),
            other: None,
            other_label: None,
            score: Some(class.documents.to_string()),
            text: "",
        });
        let empty = self.empty_documents.iter().map(|found| Row::of(Kind::Empty, found, ""));
        let extremes = self.lengths.extremes.iter().map(|extreme| {
            Row::of(Kind::ExtremeLengths, &extreme.document, &extreme.excerpt)
                .scored(&extreme.characters)
        });
        let damaged = self.damaged_documents.iter().map(|damaged| {
            Row::of(Kind::Damaged, &damaged.document, &damaged.excerpt)
                .scored(&damaged.damage.name())
        });
        leaked
            .chain(near_leaked)
            .chain(conflicting)
            .chain(near(Kind::NearConflicting))
            .chain(label_errors)
            .chain(duplicates)
            .chain(near(Kind::NearDuplicates))
            .chain(small)
            .chain(empty)
            .chain(extremes)
            .chain(damaged)
    }
}

impl Damage {
    /// The name in JSON and CSV.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::WrongEncoding => "wrong_encoding",
            Self::ControlCharacters => "control_characters",
        }
    }
}

impl Found {
    /// The file, or else which part of the documents it is from: `training` or `test`.
    pub fn file(&self) -> String {
        let part = if self.against { "test" } else { "training" };
        self.source.clone().unwrap_or_else(|| part.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{CheckOptions, check};
    use crate::corpus::Documents;
    use crate::nn::Matrix;

    #[test]
    fn every_finding_is_a_row() {
        let mut train = Documents::new(vec!["a".into(), "b".into(), "rare".into()]);
        for (text, label) in [
            ("wheat, \"fell\"", 0),
            ("wheat, \"fell\"", 1),
            ("Wheat fell", 1),
            ("…", 0),
            ("cafÃ© au lait", 1),
            ("tin", 2),
        ] {
            train.push(text, label);
        }
        let mut test = Documents::new(train.class_names().to_vec());
        test.push("tin", 2);
        test.push("TIN", 0);
        let options = CheckOptions { min_class_size: 2, ..CheckOptions::default() };
        let mut p = [0.9, 0.1, 0.0].repeat(6);
        p[3..6].copy_from_slice(&[0.1, 0.9, 0.0]);
        let p = Matrix::new(6, 3, p).unwrap();
        let report = check(&train, Some(&test), &options).unwrap();
        let report = report.with_label_errors(&train, &p).unwrap();
        let mut csv = Vec::new();
        report.write_csv(&mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let want = "\
kind,file,row,label,other_file,other_row,other_label,score,text
leaked,test,1,rare,training,6,rare,,tin
near_leaked,test,2,a,training,6,rare,1,TIN
conflicting,training,2,b,training,1,a,,\"wheat, \"\"fell\"\"\"
near_conflicting,training,3,b,training,1,a,1,Wheat fell
";
        assert!(csv.starts_with(want), "{csv}");
        for wanted in [
            "label_errors,training,3,b,,,a,",
            "label_errors,training,6,rare,,,a,0.05",
            "duplicates,training,2,b,training,1,a,,",
            "near_duplicates,training,3,b,training,1,a,1,Wheat fell",
            "small_classes,,,rare,,,,1,",
            "empty,training,4,a,,,,,",
            "damaged,training,5,b,,,,wrong_encoding,",
        ] {
            assert!(csv.lines().any(|line| line.starts_with(wanted)), "{wanted} in {csv}");
        }
    }
}
