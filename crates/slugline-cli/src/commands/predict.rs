//! `slugline predict`: an answer for each text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::Args;
use serde::{Serialize, Serializer};
use slugline::classifier::{Classifier, Prediction};
use slugline::nn::with_threads;

use super::open_model;
use crate::failure::Failure;
use crate::options::threads;
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
}

const AFTER_HELP: &str = "\
Examples:
  slugline predict reuters.slug --text 'Wheat prices rose after the drought.'
  slugline predict reuters.slug wires.txt --top-k 1
  zcat wires.gz | slugline predict reuters.slug --format json | jq -r .label

Text output: the classes of a text and their probabilities in falling order, parted by tabs:
  wheat<TAB>0.8612<TAB>grain<TAB>0.1204<TAB>…

JSON (stable; more fields may be added): one object a line with
  label            the most probable class
  probabilities    {class: probability}, in falling order, --top-k of them
  words            number of words of the text
  unknown_words    how many of them the model does not know";

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
const CHUNK_TEXTS: usize = 1024;
/// Size of the input buffer, and so of the texts answered together.
const BUFFER: usize = 1 << 20;

impl PredictArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        let input = match &self.file {
            Some(path) if path != Path::new("-") => Some(open(path)?),
            _ => None,
        };
        let classifier = open_model(&self.model)?;
        let answers = Answers { classifier: &classifier, console, top_k: self.top_k.0 };
        with_threads(self.threads, || {
            if !self.text.is_empty() {
                return answers.write(&self.text);
            }
            let (name, input): (String, Box<dyn Read + Send>) = match (input, &self.file) {
                (Some(file), Some(path)) => (path.display().to_string(), Box::new(file)),
                _ => ("standard input".to_owned(), Box::new(io::stdin())),
            };
            let mut lines = Lines {
                name,
                input: BufReader::with_capacity(BUFFER, input),
                number: 0,
                bytes: Vec::new(),
            };
            let mut texts = Vec::new();
            loop {
                let end = lines.chunk(&mut texts);
                // What was read before an unreadable line is answered first.
                answers.write(&texts)?;
                if !end? {
                    return Ok(());
                }
            }
        })?
    }
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

/// The texts of an input, a line each.
struct Lines<R> {
    name: String,
    input: BufReader<R>,
    /// Number of the line read last, counted from 1.
    number: u64,
    bytes: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// Reads the texts to answer next: one, and whatever further ones are already here. `false` after
    /// the last one. On failure `texts` holds those before it.
    fn chunk(&mut self, texts: &mut Vec<String>) -> Result<bool, Failure> {
        texts.clear();
        while texts.len() < CHUNK_TEXTS {
            match self.line()? {
                None => return Ok(false),
                Some(text) => texts.push(text),
            }
            if !self.input.buffer().contains(&b'\n') {
                break;
            }
        }
        Ok(true)
    }

    fn line(&mut self) -> Result<Option<String>, Failure> {
        self.bytes.clear();
        let limit = LONGEST_LINE as u64 + 1;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.bytes);
        let read = read.map_err(|source| Failure::File {
            action: "read",
            path: PathBuf::from(&self.name),
            source,
        })?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if self.bytes.len() > LONGEST_LINE {
            let problem = format!("longer than {LONGEST_LINE} bytes; give one text a line");
            return Err(self.bad_line(problem));
        }
        let mut text = &self.bytes[..];
        for end in [b"\n".as_slice(), b"\r"] {
            text = text.strip_suffix(end).unwrap_or(text);
        }
        if self.number == 1 {
            // Editors on Windows put a byte order mark before the first line.
            text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
        }
        match std::str::from_utf8(text) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(error) => Err(self.bad_line(format!(
                "not UTF-8 text (byte {} of the line is wrong); convert the input, for example \
                 with `iconv -f LATIN1 -t UTF-8`",
                error.valid_up_to() + 1
            ))),
        }
    }

    fn bad_line(&self, problem: String) -> Failure {
        Failure::Line { input: self.name.clone(), line: self.number, problem }
    }
}

/// An answer for machines.
#[derive(Serialize)]
struct Answer<'a> {
    label: &'a str,
    probabilities: Ranked,
    words: usize,
    unknown_words: usize,
}

/// Classes and their probabilities in falling order.
pub(super) struct Ranked(Vec<(String, f32)>);

impl Ranked {
    pub(super) fn of(classifier: &Classifier, prediction: &Prediction, top_k: usize) -> Self {
        let names = classifier.class_names();
        let ranked = prediction.top_k(top_k).into_iter();
        Self(
            ranked.filter_map(|(class, p)| Some((names.get(class as usize)?.clone(), p))).collect(),
        )
    }
}

impl Serialize for Ranked {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, p)| (name, p)))
    }
}

/// Answers texts on standard output.
struct Answers<'a> {
    classifier: &'a Classifier,
    console: Console,
    top_k: usize,
}

impl Answers<'_> {
    fn write(&self, texts: &[String]) -> Result<(), Failure> {
        if texts.is_empty() {
            return Ok(());
        }
        let predictions = self.classifier.predict_batch(texts);
        let mut out = out();
        for prediction in &predictions {
            if self.console.json() {
                serde_json::to_writer(&mut out, &self.as_json(prediction))?;
                writeln!(out)?;
            } else {
                self.write_text(&mut out, prediction)?;
            }
        }
        out.flush()?;
        Ok(())
    }

    fn as_json<'a>(&'a self, prediction: &'a Prediction) -> Answer<'a> {
        Answer {
            label: &prediction.label,
            probabilities: Ranked::of(self.classifier, prediction, self.top_k),
            words: prediction.words,
            unknown_words: prediction.unknown_words,
        }
    }

    fn write_text(&self, out: &mut impl Write, prediction: &Prediction) -> io::Result<()> {
        let ranked = Ranked::of(self.classifier, prediction, self.top_k);
        for (i, (name, p)) in ranked.0.iter().enumerate() {
            match i {
                0 => write!(out, "{STRONG}{name}\t{p:.4}{STRONG:#}")?,
                _ => write!(out, "\t{QUIET}{name}\t{p:.4}{QUIET:#}")?,
            }
        }
        writeln!(out)
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
            bytes: Vec::new(),
        };
        let (mut all, mut texts) = (Vec::new(), Vec::new());
        loop {
            let end = lines.chunk(&mut texts);
            all.append(&mut texts);
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
    fn top_k_is_a_number_or_all() {
        assert_eq!("3".parse::<TopK>().unwrap().0, 3);
        assert_eq!("all".parse::<TopK>().unwrap().0, usize::MAX);
        for bad in ["0", "-1", "x", ""] {
            assert!(bad.parse::<TopK>().is_err(), "{bad}");
        }
    }
}
