//! `slugline predict`: an answer for each text.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use clap::Args;
use rayon::prelude::*;
use serde::{Serialize, Serializer};
use slugline::classifier::{Classifier, Prediction, TextPredictor};
use slugline::corpus::LabelKind;
use slugline::decision::{Answer as Decided, Reason, UNKNOWN};
use slugline::nn::with_threads;

use super::open_model;
use crate::failure::Failure;
use crate::options::{AnswerArgs, threads};
use crate::output::{Console, QUIET, STRONG, out};

/// Answer texts with a label and probabilities
///
/// One text a line, one answer a line, in the same order; an empty line is a text without words and
/// gets an answer too. A line may end with LF or CR LF. Input must be UTF-8: at a line that is not,
/// the answers until there are written, and the exit code is 1.
///
/// Answers follow as soon as a text is complete, and memory does not grow with the input.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct PredictArgs {
    /// The model file
    model: PathBuf,
    /// File with one text a line; `-` or nothing for standard input
    #[arg(conflicts_with = "text")]
    file: Option<PathBuf>,
    /// A text to answer, instead of a file; may be given several times
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,
    /// How many classes to tell, the most probable first; `all` for all of them
    #[arg(long, short = 'k', value_name = "K", default_value = "5")]
    top_k: TopK,
    /// Threads to work on, 0 for one a core
    #[arg(long, value_name = "N", default_value_t = 0,
        value_parser = threads())]
    threads: usize,
    #[command(flatten)]
    answers: AnswerArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline predict reuters.slug --text 'Wheat prices rose after the drought.'
  slugline predict reuters.slug wires.txt --top-k 1
  zcat wires.gz | slugline predict reuters.slug --format json | jq -r .label
  slugline predict reuters.slug wires.txt --min-confidence 0.6 --max-unknown-words 0.5

The answer is the most probable class whose probability reaches its threshold (see `slugline help
threshold`), without thresholds the most probable one. It is `unknown` where there is none, where the
largest probability is below --min-confidence, where the share of unknown words is above
--max-unknown-words, and always where nothing of the text is known: no word and no part of one.
A multi-label model answers with all labels that reach their thresholds, 0.5 without any.

Text output: the answer and its probability, then the other classes in falling order, --top-k in all,
parted by tabs; `unknown` has the largest probability:
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
  unknown_words    how many of them the model does not know
  unknown_share    their share of the words; 0 for a text without words
  reason           why the answer is `unknown`: nothing_known, unknown_words, confidence or
                   threshold; else null";

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

/// Longest text in bytes; something that is longer is hardly one text a line.
const LONGEST_LINE: usize = 64 << 20;
/// Most texts answered together.
const CHUNK_TEXTS: usize = 4096;
/// Texts that one thread answers at a time.
const TASK_TEXTS: usize = 48;
/// Size of the input buffer, and so of the texts answered together.
const BUFFER: usize = 2 << 20;

impl PredictArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let input = match &self.file {
            Some(path) if path != Path::new("-") => Some(open(path)?),
            _ => None,
        };
        let classifier = self.answers.apply(open_model(&self.model)?)?;
        let answers = Answers {
            classifier: &classifier,
            predictor: classifier.predictor(),
            console,
            top_k: self.top_k.0,
        };
        with_threads(self.threads, || {
            if !self.text.is_empty() {
                let texts: Vec<&str> = self.text.iter().map(String::as_str).collect();
                return answers.write(&texts);
            }
            let (name, input): (String, Box<dyn Read + Send>) = match (input, &self.file) {
                (Some(file), Some(path)) => (path.display().to_string(), Box::new(file)),
                _ => ("standard input".to_owned(), Box::new(io::stdin())),
            };
            let lines = Lines {
                name,
                input: BufReader::with_capacity(BUFFER, input),
                number: 0,
                line: Vec::new(),
            };
            for (texts, end) in read_ahead(lines) {
                // What was read before an unreadable line is answered first.
                answers.write(&texts.lines())?;
                end?;
            }
            Ok(())
        })?
    }
}

/// Reads texts on a thread of its own, while those before them are answered: each time the texts that
/// are here and, at last, why there are no more. The thread is left behind by a run that ends early,
/// since its input may be a long time coming.
fn read_ahead<R: Read + Send + 'static>(
    mut lines: Lines<R>,
) -> Receiver<(Texts, Result<(), Failure>)> {
    let (send, receive) = mpsc::sync_channel(1);
    thread::spawn(move || {
        loop {
            let mut texts = Texts::default();
            let read = lines.chunk(&mut texts);
            let more = matches!(read, Ok(true));
            if send.send((texts, read.map(|_| ()))).is_err() || !more {
                break;
            }
        }
    });
    receive
}

fn open(path: &Path) -> Result<File, Failure> {
    let failed = |source| Failure::File { action: "read", path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        Err(Failure::Other(format!(
            "{} is a folder; give a file with one text a line",
            path.display()
        )))
    } else {
        Ok(file)
    }
}

/// Texts end to end.
#[derive(Default)]
struct Texts {
    text: String,
    ends: Vec<usize>,
}

impl Texts {
    fn lines(&self) -> Vec<&str> {
        let mut start = 0;
        self.ends.iter().map(|&end| &self.text[std::mem::replace(&mut start, end)..end]).collect()
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }
}

/// The texts of an input, a line each.
struct Lines<R> {
    name: String,
    input: BufReader<R>,
    /// Number of the line read last, counted from 1.
    number: u64,
    /// The beginning of a line that the buffer does not hold as a whole.
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// Reads the texts to answer next: one, and whatever further ones are already here. `false` after
    /// the last one. On failure `texts`, empty before, holds those before it.
    fn chunk(&mut self, texts: &mut Texts) -> Result<bool, Failure> {
        if !self.first(texts)? {
            return Ok(false);
        }
        while texts.ends.len() < CHUNK_TEXTS {
            let Some(end) = memchr::memchr(b'\n', self.input.buffer()) else { break };
            let text = check(&self.input.buffer()[..end], false);
            self.number += 1;
            texts.push(text.map_err(|problem| self.bad_line(problem))?);
            self.input.consume(end + 1);
        }
        Ok(true)
    }

    /// Reads one text, waiting for it; `false` if there is none.
    fn first(&mut self, texts: &mut Texts) -> Result<bool, Failure> {
        self.line.clear();
        let limit = LONGEST_LINE as u64 + 1;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line);
        let read = read.map_err(|source| Failure::File {
            action: "read",
            path: PathBuf::from(&self.name),
            source,
        })?;
        if read == 0 {
            return Ok(false);
        }
        self.number += 1;
        if self.line.len() > LONGEST_LINE {
            let problem = format!("longer than {LONGEST_LINE} bytes; give one text a line");
            return Err(self.bad_line(problem));
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        texts.push(check(line, self.number == 1).map_err(|problem| self.bad_line(problem))?);
        Ok(true)
    }

    fn bad_line(&self, problem: String) -> Failure {
        Failure::Line { input: self.name.clone(), line: self.number, problem }
    }
}

/// The text of a line without its end; the first of a file may have a byte order mark, which editors
/// on Windows put there.
fn check(line: &[u8], first: bool) -> Result<&str, String> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mark = if first { line.strip_prefix(b"\xEF\xBB\xBF") } else { None };
    std::str::from_utf8(mark.unwrap_or(line)).map_err(|error| {
        format!(
            "not UTF-8 text (byte {} of the line is wrong); convert the input, for example with \
             `iconv -f LATIN1 -t UTF-8`",
            error.valid_up_to() + 1
        )
    })
}

/// An answer for machines.
#[derive(Serialize)]
struct Answer<'a> {
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<Vec<&'a str>>,
    probabilities: Ranked<&'a str>,
    words: usize,
    unknown_words: usize,
    unknown_share: f32,
    reason: Option<Reason>,
}

/// Classes and their probabilities in falling order.
pub(super) struct Ranked<N>(Vec<(N, f32)>);

impl<'a> Ranked<&'a str> {
    pub(super) fn of(classifier: &'a Classifier, prediction: &Prediction, top_k: usize) -> Self {
        let names = classifier.class_names();
        let ranked = prediction.top_k(top_k).into_iter();
        Self(
            ranked
                .filter_map(|(class, p)| Some((names.get(class as usize)?.as_str(), p)))
                .collect(),
        )
    }

    pub(super) fn into_owned(self) -> Ranked<String> {
        Ranked(self.0.into_iter().map(|(name, p)| (name.to_owned(), p)).collect())
    }
}

impl<N: Serialize> Serialize for Ranked<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, p)| (name, p)))
    }
}

/// Answers texts on standard output.
struct Answers<'a> {
    classifier: &'a Classifier,
    predictor: TextPredictor<'a>,
    console: Console,
    top_k: usize,
}

impl Answers<'_> {
    /// Predicts and formats on all threads, then writes the answers in order.
    fn write(&self, texts: &[&str]) -> Result<(), Failure> {
        let blocks: Vec<Result<Vec<u8>, Failure>> = texts
            .par_chunks(TASK_TEXTS)
            .map_init(
                || self.predictor.fork(),
                |predictor, texts| self.format(&predictor.predict_batch(texts)),
            )
            .collect();
        let mut out = out();
        for block in blocks {
            out.write_all(&block?)?;
        }
        out.flush()?;
        Ok(())
    }

    fn format(&self, predictions: &[Prediction]) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        for prediction in predictions {
            if self.console.json() {
                serde_json::to_writer(&mut bytes, &self.as_json(prediction))?;
                bytes.push(b'\n');
            } else {
                self.write_text(&mut bytes, prediction)?;
            }
        }
        Ok(bytes)
    }

    fn as_json<'a>(&'a self, prediction: &'a Prediction) -> Answer<'a> {
        Answer {
            label: Some(prediction.label.as_str()).filter(|label| !label.is_empty()),
            labels: self.multi_label().then(|| self.labels(prediction)),
            probabilities: Ranked::of(self.classifier, prediction, self.top_k),
            words: prediction.words,
            unknown_words: prediction.unknown_words,
            unknown_share: prediction.unknown_share(),
            reason: match prediction.answer {
                Decided::Unknown(reason) => Some(reason),
                Decided::Class(_) | Decided::Labels(_) => None,
            },
        }
    }

    fn multi_label(&self) -> bool {
        self.classifier.label_kind() == LabelKind::Multi
    }

    /// The names of the labels that are the answer.
    fn labels<'a>(&'a self, prediction: &Prediction) -> Vec<&'a str> {
        let names = self.classifier.class_names();
        let name = |&class: &u32| names.get(class as usize).map(String::as_str);
        match &prediction.answer {
            Decided::Class(class) => name(class).into_iter().collect(),
            Decided::Labels(labels) => labels.iter().filter_map(name).collect(),
            Decided::Unknown(_) => Vec::new(),
        }
    }

    fn write_text(&self, out: &mut impl Write, prediction: &Prediction) -> io::Result<()> {
        let mut ranked = Ranked::of(self.classifier, prediction, self.top_k);
        if self.multi_label() {
            let labels = match prediction.answer {
                Decided::Unknown(_) => UNKNOWN.to_owned(),
                _ => self.labels(prediction).join(","),
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

    fn read(input: &[u8]) -> (Vec<String>, Option<String>) {
        let mut lines = Lines {
            name: "wires.txt".into(),
            input: BufReader::with_capacity(8, input),
            number: 0,
            line: Vec::new(),
        };
        let mut all = Vec::new();
        loop {
            let mut texts = Texts::default();
            let end = lines.chunk(&mut texts);
            all.extend(texts.lines().into_iter().map(str::to_owned));
            match end {
                Ok(true) => {}
                Ok(false) => return (all, None),
                Err(failure) => return (all, Some(failure.to_string())),
            }
        }
    }

    #[test]
    fn every_line_is_a_text() {
        for (input, want) in [
            (&b""[..], &[][..]),
            (b"a", &["a"]),
            (b"a\n", &["a"]),
            (b"a\r\n\r\n\nb b\r\n", &["a", "", "", "b b"]),
            (
                b"\xEF\xBB\xBFa longer line than the buffer\nb",
                &["a longer line than the buffer", "b"],
            ),
        ] {
            assert_eq!(read(input), (want.iter().map(ToString::to_string).collect(), None));
        }
    }

    #[test]
    fn a_line_that_is_no_text_is_named() {
        let (texts, failure) = read(b"fine\nnot \xE9 fine\nfine");
        assert_eq!(texts, ["fine"]);
        let failure = failure.unwrap();
        assert!(failure.starts_with("wires.txt, line 2: not UTF-8 text (byte 5"), "{failure}");
    }

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
