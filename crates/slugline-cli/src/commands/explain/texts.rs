//! Explanations of texts, one after the other.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use rayon::prelude::*;
use serde::Serialize;
use slugline::classifier::Classifier;
use slugline::explain::{ExplainOptions, Explainer, Explanation};
use slugline::nearest::Neighbour;
use slugline::report::explanation_page;

use super::ExplainArgs;
use super::terminal::Shown;
use crate::failure::Failure;
use crate::output::{Console, NewFile, out};

/// Lines that are explained together.
const BLOCK: usize = 1024;

/// What standard input is called in errors.
const STDIN: &str = "standard input";

pub(super) struct Texts<'a> {
    args: &'a ExplainArgs,
    classifier: &'a Classifier,
    explainer: Explainer<'a>,
    what: ExplainOptions,
    console: Console,
}

/// A text and why.
struct Explained {
    text: String,
    why: Explanation,
    nearest: Option<Vec<Neighbour>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    why: &'a Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<&'a [Neighbour]>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(
        args: &'a ExplainArgs,
        classifier: &'a Classifier,
        what: ExplainOptions,
        console: Console,
    ) -> Self {
        Self { args, classifier, explainer: classifier.explainer(), what, console }
    }

    /// Explains all texts, and puts them on a page too where one is asked for.
    pub(super) fn run(&self, file: Option<NewFile>) -> Result<(), Failure> {
        let mut page: Vec<Explained> = Vec::new();
        let mut shown = 0;
        let mut take = |texts: Vec<String>| {
            let all = self.explain(texts)?;
            self.write(&all, &mut shown)?;
            if file.is_some() {
                page.extend(all);
            }
            Ok(())
        };
        let stdin = ["-".to_owned()];
        let inputs = if self.args.inputs.is_empty() { &stdin[..] } else { &self.args.inputs };
        for input in inputs {
            if self.args.lines {
                each_line(input, &mut take)?;
            } else {
                take(vec![whole(input)?])?;
            }
        }
        let Some(mut file) = file else { return Ok(()) };
        let texts: Vec<_> = page
            .iter()
            .map(|one| (one.text.as_str(), &one.why, one.nearest.as_deref().unwrap_or_default()))
            .collect();
        let page = explanation_page(&texts)?;
        file.write(page.as_bytes())?;
        file.finish()
    }

    fn explain(&self, texts: Vec<String>) -> Result<Vec<Explained>, Failure> {
        let one = |explainer: &mut Explainer<'_>, text: String| {
            let why = explainer.explain(&text, self.what)?;
            let nearest =
                self.args.nearest.map(|k| self.classifier.nearest(&text, k)).transpose()?;
            Ok(Explained { text, why, nearest })
        };
        texts.into_par_iter().map_init(|| self.explainer.fork(), one).collect()
    }

    fn write(&self, all: &[Explained], shown: &mut usize) -> Result<(), Failure> {
        let mut out = out();
        for Explained { text, why, nearest } in all {
            if self.console.json() {
                serde_json::to_writer(&mut out, &Answer { why, nearest: nearest.as_deref() })?;
                writeln!(out)?;
                continue;
            }
            if *shown > 0 {
                writeln!(out)?;
            }
            *shown += 1;
            let nearest = nearest.as_deref().unwrap_or_default();
            write!(out, "{}", Shown { text, why, nearest, top_k: self.args.top_k })?;
        }
        out.flush()?;
        Ok(())
    }
}

/// Takes the lines of a file or of standard input, some at a time.
fn each_line(
    input: &str,
    take: &mut impl FnMut(Vec<String>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (name, reader): (&str, Box<dyn BufRead>) = match input {
        "-" => (STDIN, Box::new(BufReader::new(io::stdin()))),
        path => (path, Box::new(BufReader::new(open(Path::new(path))?))),
    };
    let mut block = Vec::new();
    for (number, line) in (1..).zip(reader.lines()) {
        let line = line.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => not_utf8(name, number),
            _ => unreadable(Path::new(name), error),
        })?;
        block.push(line);
        if block.len() == BLOCK {
            take(std::mem::take(&mut block))?;
        }
    }
    if block.is_empty() { Ok(()) } else { take(block) }
}

/// A text as it stands on the command line, or that of a file, or of standard input.
fn whole(input: &str) -> Result<String, Failure> {
    let path = Path::new(input);
    // A text may be longer than a file's name can be, and then no such file is there.
    let bytes = match input {
        "-" => {
            let mut bytes = Vec::new();
            io::stdin()
                .lock()
                .read_to_end(&mut bytes)
                .map_err(|source| unreadable(Path::new(STDIN), source))?;
            bytes
        }
        _ if path.exists() => {
            let mut bytes = Vec::new();
            open(path)?.read_to_end(&mut bytes).map_err(|source| unreadable(path, source))?;
            bytes
        }
        text => return Ok(text.to_owned()),
    };
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + memchr::memchr_iter(b'\n', valid).count() as u64;
        not_utf8(if input == "-" { STDIN } else { input }, line)
    })
}

fn not_utf8(input: &str, line: u64) -> Failure {
    let problem = "not UTF-8; convert the file, for example with iconv".into();
    Failure::Line { input: input.to_owned(), line, problem }
}

fn open(path: &Path) -> Result<File, Failure> {
    if fs::metadata(path).is_ok_and(|found| found.is_dir()) {
        let shown = path.display();
        return Err(Failure::Other(format!(
            "{shown} is a folder; give a text, or a file with one"
        )));
    }
    File::open(path).map_err(|source| unreadable(path, source))
}

fn unreadable(path: &Path, source: io::Error) -> Failure {
    Failure::File { action: "read", path: path.to_owned(), source }
}
