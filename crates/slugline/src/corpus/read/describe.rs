//! What files hold, in figures.

use rayon::prelude::*;
use serde::Serialize;

use super::Read;
use crate::corpus::{Content, Documents, LabelKind, Labels, Lengths};
use crate::text::{Analyzer, AnalyzerOptions};

/// What files hold, in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilesDescription {
    /// What each file was taken for, in a line.
    pub layouts: Vec<String>,
    /// Files without rows, which were passed over.
    pub empty_files: Vec<String>,
    /// What the texts are.
    pub content: Content,
    /// What kind of labels there are.
    pub label_kind: LabelKind,
    /// Documents to train on.
    pub train: FilesPart,
    /// Documents to choose by, if the files say so.
    pub validation: Option<FilesPart>,
    /// Documents to score on, if the files say so.
    pub test: Option<FilesPart>,
    /// The classes in the order of their numbers.
    pub classes: Vec<FilesClass>,
    /// Bad rows that were left out.
    pub bad_rows: u64,
    /// The first of them.
    pub bad_row_list: Vec<BadRow>,
}

/// Documents of one part, in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FilesPart {
    /// How many.
    pub documents: usize,
    /// Tokens of all of them, by the usual [`Analyzer`]; of lists of features, pairs.
    pub total_tokens: usize,
    /// Tokens of a document; `None` where there are no documents.
    pub lengths: Option<Lengths>,
    /// Documents whose text is empty, or white space.
    pub empty_texts: usize,
    /// Documents without a label, where there may be any number.
    pub unlabelled: usize,
}

/// A class and how many documents it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FilesClass {
    /// Name of the class.
    pub name: String,
    /// Documents to train on.
    pub train: u64,
    /// Documents to choose by.
    pub validation: u64,
    /// Documents to score on.
    pub test: u64,
}

/// A row that was left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The file.
    pub source: String,
    /// Its row there.
    pub row: u64,
    /// Why.
    pub problem: String,
}

impl Read {
    /// What was read, in figures.
    ///
    /// ```
    /// use slugline::corpus::read::{ReadOptions, read};
    ///
    /// let folder = tempfile::tempdir()?;
    /// let path = folder.path().join("news.csv");
    /// std::fs::write(&path, "topic,body\ngrain,\"Wheat fell, corn rose.\"\nmetal,Gold rose.\n")?;
    /// let news = read(&[path.to_str().unwrap().into()], &ReadOptions::default(), &mut |_| {})?;
    /// let described = news.describe();
    /// assert_eq!((described.train.documents, described.train.total_tokens), (2, 6));
    /// assert_eq!(described.classes[0].name, "grain");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn describe(&self) -> FilesDescription {
        let Self { train, validation, test, layouts, empty_files, skipped, .. } = self;
        let counts = train.class_counts();
        let of = |part: &Option<Documents>| part.as_ref().map(Documents::class_counts);
        let (validated, tested) = (of(validation), of(test));
        let at = |counts: &Option<Vec<u64>>, class: usize| {
            counts.as_ref().and_then(|counts| counts.get(class)).copied().unwrap_or(0)
        };
        let classes = train.class_names().iter().zip(counts).enumerate();
        let classes = classes.map(|(class, (name, train))| FilesClass {
            name: name.clone(),
            train,
            validation: at(&validated, class),
            test: at(&tested, class),
        });
        let bad = skipped.first.iter().map(|(place, problem)| BadRow {
            source: place.source.to_string(),
            row: place.row,
            problem: problem.clone(),
        });
        FilesDescription {
            layouts: layouts.iter().map(ToString::to_string).collect(),
            empty_files: empty_files.clone(),
            content: train.content(),
            label_kind: train.label_kind(),
            classes: classes.collect(),
            train: describe_part(train),
            validation: validation.as_ref().map(describe_part),
            test: test.as_ref().map(describe_part),
            bad_rows: skipped.count,
            bad_row_list: bad.collect(),
        }
    }
}

fn describe_part(documents: &Documents) -> FilesPart {
    const BLOCK: usize = 1024;
    let count = |analyzer: &mut Analyzer, text: &str| match documents.content() {
        Content::Features => text.split_ascii_whitespace().count(),
        Content::Text => {
            let mut tokens = 0;
            analyzer.for_each(text, |_| tokens += 1);
            tokens
        }
    };
    let positions: Vec<usize> = (0..documents.len()).collect();
    let blocks = positions.par_chunks(BLOCK).map_init(
        || Analyzer::new(AnalyzerOptions::default()),
        |analyzer, block| {
            block.iter().map(|&i| count(analyzer, documents.text(i))).collect::<Vec<_>>()
        },
    );
    let lengths: Vec<usize> = blocks.flatten_iter().collect();
    let unlabelled = match documents.labels() {
        Labels::Multi(sets) => sets.iter().filter(|set| set.is_empty()).count(),
        Labels::Single(_) | Labels::Soft(_) => 0,
    };
    FilesPart {
        documents: documents.len(),
        total_tokens: lengths.iter().sum(),
        lengths: Lengths::of(lengths),
        empty_texts: documents.texts().filter(|text| text.trim().is_empty()).count(),
        unlabelled,
    }
}
