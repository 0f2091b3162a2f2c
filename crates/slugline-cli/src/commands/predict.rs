//! `slugline predict`: an answer for each text.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use rayon::prelude::*;
use serde::{Serialize, Serializer};
use serde_json::Value;
use slugline::classifier::{Classifier, DescribedAnswer, Prediction, Ranked, TextPredictor};
use slugline::corpus::LabelKind;
use slugline::corpus::read::{Format, ReadOptions};
use slugline::decision::{Answer as Decided, UNKNOWN};
use slugline::nn::with_threads;

use super::open_model;
use crate::failure::Failure;
use crate::input::{self, About, Bad, Batch, Item, Lines, ReadAhead, STDIN, unreadable};
use crate::options::{AnswerArgs, FormArgs, note_skipped, threads};
use crate::output::{Console, NewFile, PredictBar, QUIET, STRONG, check_not_read, out};

/// Answer texts with a label and probabilities
///
/// One answer for each text, in the same order. A file whose name ends in .csv, .tsv, .jsonl, .ndjson,
/// .parquet, .arrow, .feather, .ipc, .svm or .libsvm (or in one of these and .gz or .zst) is a table,
/// its columns guessed as by `train`; labels are not needed. Anything else has one text a line, unless
/// --input-format says what it is: an empty line is a text without words and gets an answer too. gzip
/// and zstd are unpacked.
///
/// At a bad row, such as a line that is not UTF-8, the answers until there are written, and the exit
/// code is 1; with --on-error skip it is counted, and an answer that tells what is wrong stands in its
/// place (in text an empty line).
///
/// Answers follow as soon as a text is complete, and memory does not grow with the input.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct PredictArgs {
    /// The model file
    model: PathBuf,
    /// File with texts; `-` or nothing for standard input
    file: Option<PathBuf>,
    /// Without FILE: a text to answer; may be given several times. With FILE or --input-format: the
    /// columns (or JSON keys) with the text, joined by a newline [default: by name, else the longest]
    #[arg(long, value_name = "TEXT|COLUMN,…")]
    text: Vec<String>,
    /// Columns whose values stand beside each answer, such as an id
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    keep: Vec<String>,
    /// File for the answers, written once all are there; in place of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How many classes to tell, the most probable first; `all` for all of them
    #[arg(long, short = 'k', value_name = "K", default_value = "5")]
    top_k: TopK,
    /// Threads to work on, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = threads())]
    threads: usize,
    #[command(flatten)]
    answers: AnswerArgs,
    #[command(flatten)]
    form: FormArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline predict reuters.slug --text 'Wheat prices rose after the drought.'
  slugline predict reuters.slug wires.txt --top-k 1
  slugline predict tickets.slug tickets.parquet --text subject,body --keep id -o answers.tsv
  tail -f wires.log | slugline predict reuters.slug --format json | jq -r .label
  slugline predict tickets.slug - --input-format jsonl --on-error skip --format json < tickets.jsonl
  slugline predict reuters.slug wires.txt --min-confidence 0.6 --max-unknown-words 0.5

The answer is the most probable class whose probability reaches its threshold (see `slugline help
threshold`), without thresholds the most probable one. It is `unknown` where there is none, where the
largest probability is below --min-confidence, where the share of unknown words is above
--max-unknown-words, and always where nothing of the text is known: no word and no part of one.
A multi-label model answers with all labels that reach their thresholds, 0.5 without any.

Text output: the answer and its probability, then the other classes in falling order, --top-k in all,
parted by tabs, after the values of the columns that are kept; `unknown` has the largest probability:
  wheat<TAB>0.8612<TAB>grain<TAB>0.1204<TAB>…
  unknown<TAB>0.2107<TAB>wheat<TAB>0.2107<TAB>…
A multi-label model's labels come first, with commas, or `-` for none; then all classes as above:
  wheat,grain<TAB>wheat<TAB>0.9410<TAB>grain<TAB>0.7718<TAB>corn<TAB>0.0312<TAB>…
With --verbose every line ends with `unknown words` and their share.

JSON (stable; more fields may be added): one object a line with
  label            the class that is the answer, or `unknown`; of a multi-label model the most
                   probable of its labels, null where there is none
  labels           the labels of a multi-label model, the most probable first; absent for others
  probabilities    {class: probability}, in falling order, --top-k of them
  words            number of words of the text
  unknown_words    how many of them the model does not know; of a list of features (SVMlight), pairs
  unknown_share    their share of the words; 0 for a text without words
  reason           why the answer is `unknown`: nothing_known, unknown_words, confidence or
                   threshold; else null
For rows of a table, before these,
  row              number of the row: its line in a file of lines, else counted from 1
  source           the file, where there are several
  kept             {column: value} of the columns in --keep
A bad row that was skipped has row, source and error.";

/// How many classes to tell.
#[derive(Debug, Clone, Copy)]
struct TopK(usize);

impl FromStr for TopK {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("all", _) => Ok(Self(usize::MAX)),
            (_, Ok(k)) if k > 0 => Ok(Self(k)),
            _ => Err("expected a whole number of at least 1, or `all`".into()),
        }
    }
}

/// Bad rows that are told one by one.
const LISTED: usize = 100;
/// Texts that one thread answers at a time.
const TASK_TEXTS: usize = 48;

/// Where texts come from.
enum Input<'a> {
    /// The command line.
    Words(&'a [String]),
    /// A text a line of a file, or of standard input.
    Lines(Option<&'a Path>),
    /// Rows of a file, or of standard input.
    Rows(Option<&'a Path>, Format, Box<ReadOptions>),
}

impl PredictArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        self.check_columns()?;
        if let Some(path) = self.file.as_deref().filter(|path| *path != Path::new("-")) {
            // A file that is not there is told of before the model is loaded.
            std::fs::metadata(path).map_err(|source| unreadable(path, source))?;
        }
        if let Some(output) = &self.output {
            let input = self.file.iter().map(|path| ("the input", path.as_path()));
            check_not_read(output, input.chain([("the model", self.model.as_path())]))?;
        }
        let classifier = self.answers.apply(open_model(&self.model)?)?;
        let input = self.input(&classifier)?;
        let mut file = self.output.as_deref().map(NewFile::create).transpose()?;
        let answers = Answers {
            classifier: &classifier,
            predictor: classifier.predictor(),
            console,
            top_k: self.top_k.0,
            keep: &self.keep,
        };
        with_threads(self.threads, || match input {
            Input::Words(texts) => {
                let mut batch = Batch::default();
                for text in texts {
                    batch.push(text, None);
                }
                answers.write(&batch, file.as_mut())
            }
            Input::Lines(path) => {
                let on_error = self.form.options().on_error;
                let (lines, total) = match path {
                    None => (Lines::open(STDIN.into(), io::stdin(), on_error)?, None),
                    Some(path) => {
                        let so = "a file with one text a line, or say --input-format folder";
                        let (file, total) = input::open(path, so)?;
                        (Lines::open(path.display().to_string(), file, on_error)?, total)
                    }
                };
                answers.all(ReadAhead::start(lines), total, file.as_mut())
            }
            Input::Rows(path, format, options) => {
                let rows = input::rows(path, format, *options)?;
                let total = rows.total();
                answers.all(ReadAhead::start(rows), total, file.as_mut())
            }
        })??;
        file.map_or(Ok(()), NewFile::finish)
    }

    /// Checks that columns are named only where there are some.
    fn check_columns(&self) -> Result<(), Failure> {
        let name = self.file.as_ref().map(|path| path.to_string_lossy());
        let table = self.form.input_format.is_some()
            || name.as_ref().is_some_and(|name| Format::of_name(name).is_some());
        let (option, named) = match &name {
            Some(_) if !self.text.is_empty() => ("--text", true),
            _ => ("--keep", !self.keep.is_empty()),
        };
        match named && !table {
            false => Ok(()),
            true => Err(Failure::Usage {
                command: "predict",
                problem: format!(
                    "{option} names columns, and the input is taken for one text a line; say \
                     --input-format"
                ),
            }),
        }
    }

    /// Where texts come from, by the arguments, the name of the file and what the model reads.
    fn input(&self, classifier: &Classifier) -> Result<Input<'_>, Failure> {
        let given = self.form.input_format;
        if self.file.is_none() && given.is_none() && !self.text.is_empty() {
            return Ok(Input::Words(&self.text));
        }
        let path = self.file.as_deref().filter(|path| *path != Path::new("-"));
        let Some(format) = input::row_format(given, path, classifier)? else {
            return Ok(Input::Lines(path));
        };
        let split = |columns: &[String]| -> Vec<String> {
            columns.iter().flat_map(|columns| columns.split(',')).map(str::to_owned).collect()
        };
        let options =
            ReadOptions { text: split(&self.text), keep: self.keep.clone(), ..self.form.options() };
        Ok(Input::Rows(path, format, Box::new(options)))
    }
}

/// An answer for a row of a table.
#[derive(Serialize)]
struct RowAnswer<'a> {
    row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<Kept<'a>>,
    #[serde(flatten)]
    answer: DescribedAnswer<'a>,
}

/// What stands in place of an answer for a row that is none.
#[derive(Serialize)]
struct BadRow<'a> {
    row: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    error: &'a str,
}

/// Columns that are kept, and their values.
struct Kept<'a> {
    names: &'a [String],
    values: &'a [Value],
}

impl Serialize for Kept<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.iter().zip(self.values))
    }
}

/// A value as a field between tabs.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.replace(['\t', '\n', '\r'], " ")
}

/// Answers texts on standard output.
struct Answers<'a> {
    classifier: &'a Classifier,
    predictor: TextPredictor<'a>,
    console: Console,
    top_k: usize,
    keep: &'a [String],
}

impl Answers<'_> {
    /// Answers all rows, and tells how far that has come and what was left out.
    fn all(
        &self,
        batches: ReadAhead,
        total: Option<u64>,
        mut file: Option<&mut NewFile>,
    ) -> Result<(), Failure> {
        let mut bar = PredictBar::new(self.console, total, file.is_some());
        let mut skipped: (u64, Vec<Bad>) = (0, Vec::new());
        for (batch, end) in batches {
            bar.suspend(|| {
                for note in &batch.notes {
                    self.console.note(format_args!("{note}"));
                }
            });
            for item in batch.items() {
                if let Item::Bad(bad) = item {
                    skipped.0 += 1;
                    if skipped.1.len() < LISTED {
                        skipped.1.push(bad.clone());
                    }
                }
            }
            // What was read before an unreadable row is answered first.
            self.write(&batch, file.as_deref_mut())?;
            bar.advance(batch.len() as u64, batch.bytes);
            end?;
        }
        drop(bar);
        let place = |bad: &Bad| match &bad.source {
            Some(source) => format!("{source}:{}", bad.row),
            None => format!("row {}", bad.row),
        };
        let first = skipped.1.iter().map(|bad| (place(bad), &bad.problem));
        note_skipped(self.console, skipped.0, first);
        Ok(())
    }

    /// Predicts and formats on all threads, then writes the answers in order.
    fn write(&self, batch: &Batch, file: Option<&mut NewFile>) -> Result<(), Failure> {
        let blocks: Vec<Result<Vec<u8>, Failure>> = batch
            .items()
            .par_chunks(TASK_TEXTS)
            .map_init(|| self.predictor.fork(), |predictor, items| self.format(predictor, items))
            .collect();
        if let Some(file) = file {
            for block in blocks {
                file.write(&block?)?;
            }
            return Ok(());
        }
        let mut out = out();
        for block in blocks {
            out.write_all(&block?)?;
        }
        out.flush()?;
        Ok(())
    }

    fn format(
        &self,
        predictor: &mut TextPredictor<'_>,
        items: &[Item<'_>],
    ) -> Result<Vec<u8>, Failure> {
        let texts: Vec<&str> = items.iter().filter_map(Item::text).collect();
        let mut predictions = predictor.predict_batch(&texts).into_iter();
        let mut bytes = Vec::new();
        for item in items {
            match item {
                Item::Bad(bad) if self.console.json() => {
                    let bad =
                        BadRow { row: bad.row, source: bad.source.as_deref(), error: &bad.problem };
                    serde_json::to_writer(&mut bytes, &bad)?;
                    bytes.push(b'\n');
                }
                Item::Bad(_) => bytes.push(b'\n'),
                Item::Text(_, about) => {
                    let Some(prediction) = predictions.next() else { break };
                    self.one(&mut bytes, &prediction, *about)?;
                }
            }
        }
        Ok(bytes)
    }

    /// Writes one answer.
    fn one(
        &self,
        bytes: &mut Vec<u8>,
        prediction: &Prediction,
        about: Option<&About>,
    ) -> Result<(), Failure> {
        match (self.console.json(), about) {
            (true, None) => serde_json::to_writer(&mut *bytes, &self.as_json(prediction))?,
            (true, Some(about)) => {
                let kept = Kept { names: self.keep, values: &about.kept };
                let answer = RowAnswer {
                    row: about.row,
                    source: about.source.as_deref(),
                    kept: (!self.keep.is_empty()).then_some(kept),
                    answer: self.as_json(prediction),
                };
                serde_json::to_writer(&mut *bytes, &answer)?;
            }
            (false, about) => {
                for value in about.iter().flat_map(|about| &about.kept) {
                    write!(bytes, "{}\t", plain(value))?;
                }
                return Ok(self.write_text(bytes, prediction)?);
            }
        }
        bytes.push(b'\n');
        Ok(())
    }

    fn as_json<'a>(&'a self, prediction: &'a Prediction) -> DescribedAnswer<'a> {
        self.classifier.described(prediction, self.top_k)
    }

    fn multi_label(&self) -> bool {
        self.classifier.label_kind() == LabelKind::Multi
    }

    fn write_text(&self, out: &mut impl Write, prediction: &Prediction) -> io::Result<()> {
        let mut ranked = self.classifier.ranked(prediction, self.top_k);
        if self.multi_label() {
            let labels = match prediction.answer {
                Decided::Unknown(_) => UNKNOWN.to_owned(),
                _ => self.classifier.answered(prediction).join(","),
            };
            let labels = if labels.is_empty() { "-" } else { &labels };
            write!(out, "{STRONG}{labels}{STRONG:#}\t")?;
        } else if prediction.answer != Decided::Class(prediction.class) {
            self.put_first(&mut ranked, prediction);
        }
        for (i, (name, p)) in ranked.0.iter().enumerate() {
            let p = FourPlaces(*p);
            match i {
                0 => write!(out, "{STRONG}{name}\t{p}{STRONG:#}")?,
                _ => write!(out, "\t{QUIET}{name}\t{p}{QUIET:#}")?,
            }
        }
        if self.console.verbose {
            write!(out, "\tunknown words\t{}", FourPlaces(prediction.unknown_share()))?;
        }
        writeln!(out)
    }

    /// Puts an answer that is not the most probable class before the others.
    fn put_first<'a>(&self, ranked: &mut Ranked<&'a str>, prediction: &'a Prediction) {
        let answered = match prediction.answer {
            Decided::Class(class) => class,
            Decided::Labels(_) | Decided::Unknown(_) => prediction.class,
        };
        let p = prediction.probabilities.get(answered as usize).copied().unwrap_or(0.0);
        let name = prediction.label.as_str();
        ranked.0.retain(|(other, _)| *other != name);
        ranked.0.insert(0, (name, p));
        ranked.0.truncate(self.top_k);
    }
}

/// A probability to four places, as `{:.4}` writes it but in a tenth of the time: in double precision
/// the product is exact.
struct FourPlaces(f32);

impl fmt::Display for FourPlaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !(0.0..=1.0).contains(&self.0) {
            return write!(f, "{:.4}", self.0);
        }
        let places = (f64::from(self.0) * 1e4).round_ties_even() as u32;
        write!(f, "{}.{:04}", places / 10_000, places % 10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_places_are_those_of_the_standard_library() {
        let some = (0..=1u32 << 20).map(|i| i as f32 / (1u32 << 20) as f32);
        for p in some.chain([0.00005, 0.99995, 0.999_949_9, 0.03125, 1e-30, -0.5, f32::NAN]) {
            assert_eq!(FourPlaces(p).to_string(), format!("{p:.4}"), "{p}");
        }
    }

    #[test]
    fn top_k_is_a_number_or_all() {
        assert_eq!("3".parse::<TopK>().unwrap().0, 3);
        assert_eq!("all".parse::<TopK>().unwrap().0, usize::MAX);
        for bad in ["0", "-1", "x", ""] {
            assert!(bad.parse::<TopK>().is_err(), "{bad}");
        }
    }
}
