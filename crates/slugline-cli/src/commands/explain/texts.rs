//! Explanations of texts, one after the other.

use std::io::{self, Write};
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use slugline::classifier::Classifier;
use slugline::corpus::read::Format;
use slugline::explain::{ExplainOptions, Explainer, Explanation};
use slugline::nearest::Neighbour;
use slugline::report::explanation_page;

use super::ExplainArgs;
use super::terminal::Shown;
use crate::failure::Failure;
use crate::input::{self, About, Bad, Item, Lines, ReadAhead, STDIN};
use crate::output::{Console, NewFile, out};

/// Explains the texts that the arguments name.
pub(super) struct Texts<'a> {
    args: &'a ExplainArgs,
    classifier: &'a Classifier,
    explainer: Explainer<'a>,
    what: ExplainOptions,
    console: Console,
    /// Texts that were shown.
    shown: usize,
    /// Those that are put on a page at the end.
    page: Option<Vec<Explained>>,
}

/// Where a text or several come from; no path is standard input.
enum Input<'a> {
    /// The command line.
    Words(&'a str),
    /// All that a file holds.
    Whole(Option<&'a Path>),
    /// A text a line.
    Lines(Option<&'a Path>),
    /// A text a row.
    Rows(Option<&'a Path>, Format),
}

/// A text and why, or what is wrong with its row.
struct Explained {
    text: String,
    why: Explanation,
    nearest: Option<Vec<Neighbour>>,
    row: Option<u64>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<u64>,
    #[serde(flatten)]
    why: &'a Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<&'a [Neighbour]>,
}

#[derive(Serialize)]
struct BadRow<'a> {
    row: u64,
    error: &'a str,
}

impl<'a> Texts<'a> {
    pub(super) fn new(
        args: &'a ExplainArgs,
        classifier: &'a Classifier,
        what: ExplainOptions,
        console: Console,
    ) -> Self {
        let page = args.html.as_ref().map(|_| Vec::new());
        let explainer = classifier.explainer();
        Self { args, classifier, explainer, what, console, shown: 0, page }
    }

    /// Explains all texts, and puts them on a page too where one is asked for.
    pub(super) fn run(mut self, file: Option<NewFile>) -> Result<(), Failure> {
        let stdin = ["-".to_owned()];
        let inputs = if self.args.inputs.is_empty() { &stdin[..] } else { &self.args.inputs };
        for name in inputs {
            match self.input(name)? {
                Input::Words(text) => self.take(&[Item::Text(text, None)])?,
                Input::Whole(None) => {
                    let text = input::whole(STDIN, io::stdin())?;
                    self.take(&[Item::Text(&text, None)])?;
                }
                Input::Whole(Some(path)) => {
                    let (file, _) = input::open(path, "a text, or a file with one")?;
                    let text = input::whole(&path.display().to_string(), file)?;
                    self.take(&[Item::Text(&text, None)])?;
                }
                Input::Lines(path) => {
                    let on_error = self.args.scored.reading().on_error;
                    let lines = match path {
                        None => Lines::open(STDIN.into(), io::stdin(), on_error)?,
                        Some(path) => {
                            let (file, _) = input::open(path, "a file with one text a line")?;
                            Lines::open(path.display().to_string(), file, on_error)?
                        }
                    };
                    self.all(ReadAhead::start(lines))?;
                }
                Input::Rows(path, format) => {
                    let rows = input::rows(path, format, self.args.scored.reading())?;
                    self.all(ReadAhead::start(rows))?;
                }
            }
        }
        let (Some(page), Some(mut file)) = (&self.page, file) else { return Ok(()) };
        let texts: Vec<_> = page
            .iter()
            .map(|one| (one.text.as_str(), &one.why, one.nearest.as_deref().unwrap_or_default()))
            .collect();
        file.write(explanation_page(&texts)?.as_bytes())?;
        file.finish()
    }

    /// What an argument is: standard input, the name of a file, or a text.
    fn input<'i>(&self, name: &'i str) -> Result<Input<'i>, Failure> {
        let given = self.args.scored.reading().format;
        let path = Path::new(name);
        // A text may be longer than a name can be, and then no such file is there.
        if name != "-" && given.is_none() && !self.args.lines && !path.exists() {
            let like_a_name = !name.contains(char::is_whitespace) && name.contains(['.', '/']);
            if like_a_name {
                self.console.note(format_args!(
                    "note: there is no file {name}; explained is what stands there"
                ));
            }
            return Ok(Input::Words(name));
        }
        let path = (name != "-").then_some(path);
        if self.args.lines {
            return Ok(Input::Lines(path));
        }
        let format = input::row_format(given, path, self.classifier)?;
        Ok(format.map_or(Input::Whole(path), |format| Input::Rows(path, format)))
    }

    fn all(&mut self, batches: ReadAhead) -> Result<(), Failure> {
        for (batch, end) in batches {
            for note in &batch.notes {
                self.console.note(format_args!("{note}"));
            }
            self.take(&batch.items())?;
            end?;
        }
        Ok(())
    }

    /// Explains some texts and shows them.
    fn take(&mut self, items: &[Item<'_>]) -> Result<(), Failure> {
        let one = |explainer: &mut Explainer<'_>, item: &Item<'_>| match *item {
            Item::Bad(bad) => Ok(Err(bad.clone())),
            Item::Text(text, about) => {
                let why = explainer.explain(text, self.what)?;
                let nearest = self.args.nearest.map(|k| self.classifier.nearest(text, k));
                Ok(Ok(Explained {
                    text: text.to_owned(),
                    why,
                    nearest: nearest.transpose()?,
                    row: about.map(|about: &About| about.row),
                }))
            }
        };
        let explained: Vec<Result<Explained, Bad>> = items
            .par_iter()
            .map_init(|| self.explainer.fork(), one)
            .collect::<Result<_, Failure>>()?;
        let mut out = out();
        for one in explained {
            match one {
                Ok(explained) => {
                    self.show(&mut out, &explained)?;
                    if let Some(page) = &mut self.page {
                        page.push(explained);
                    }
                }
                Err(Bad { row, problem, .. }) if self.console.json() => {
                    serde_json::to_writer(&mut out, &BadRow { row, error: &problem })?;
                    writeln!(out)?;
                }
                Err(Bad { row, problem, .. }) => {
                    self.console.note(format_args!("row {row} is left out: {problem}"));
                }
            }
        }
        out.flush()?;
        Ok(())
    }

    fn show(&mut self, out: &mut impl Write, explained: &Explained) -> Result<(), Failure> {
        let Explained { text, why, nearest, row } = explained;
        if self.console.json() {
            let nearest = nearest.as_deref();
            serde_json::to_writer(&mut *out, &Answer { row: *row, why, nearest })?;
            writeln!(out)?;
            return Ok(());
        }
        if self.shown > 0 {
            writeln!(out)?;
        }
        self.shown += 1;
        if let Some(row) = row {
            write!(out, "row {row}: ")?;
        }
        let nearest = nearest.as_deref().unwrap_or_default();
        write!(out, "{}", Shown { text, why, nearest, top_k: self.args.top_k })?;
        Ok(())
    }
}
