//! `slugline explain`: why this label, and what speaks for the classes.

mod terminal;
mod texts;
mod words;

use std::path::{Path, PathBuf};

use clap::Args;
use slugline::classifier::Classifier;
use slugline::explain::ExplainOptions;

use super::open_model;
use crate::failure::Failure;
use crate::options::{AnswerArgs, ScoredArgs, positive};
use crate::output::{Console, NewFile, check_not_read};
use texts::Texts;

/// Say why a text has its label: what every word and n-gram adds to it
///
/// Contributions are integrated gradients from the empty text on; for a model without hidden layers they
/// are weight times value. With the baseline, what the empty text gets, they add up to the logit: what
/// the network gives the class before it is made a probability.
///
/// With --words it says of every class, without a text, what speaks most for and against it.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct ExplainArgs {
    /// The model file
    model: PathBuf,
    /// A text, a file that holds one, or a table with one a row (told by its name or --input-format);
    /// `-` or nothing for standard input
    #[arg(value_name = "TEXT|FILE")]
    inputs: Vec<String>,
    /// The class to explain, by its name [default: the most probable one besides
    /// --against]
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Why the class and not this one: the contributions to the difference of their logits
    #[arg(long, value_name = "CLASS")]
    against: Option<String>,
    /// Take every line of a file or of standard input for a text of its own
    #[arg(long)]
    lines: bool,
    /// Show the K training documents nearest to the text, by the last hidden layer; of a model that was
    /// trained with --index
    #[arg(long, value_name = "K", value_parser = positive())]
    nearest: Option<usize>,
    /// Stretches of text to list, the largest contributions first
    #[arg(long, short = 'k', value_name = "K", default_value_t = 12, value_parser = positive())]
    top_k: usize,
    /// Write a page of HTML with the words marked, which needs nothing beside it
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Say of every class, or of --class, which K words, n-grams and parts of words speak most for and
    /// against it
    #[arg(long, value_name = "K", value_parser = positive(),
        conflicts_with_all = ["inputs", "lines", "nearest", "against", "html", "top_k"])]
    words: Option<usize>,
    /// With --words: documents to weigh the words by, labelled files as for `train`, or a corpus: sample,
    /// reuters, reuters-clean
    #[arg(long, value_name = "DATA", requires = "words")]
    data: Vec<String>,
    #[command(flatten)]
    answers: AnswerArgs,
    #[command(flatten)]
    scored: ScoredArgs,
}

const AFTER_HELP: &str = "\
Examples:
  slugline explain reuters.slug 'Wheat prices rose after the drought.'
  slugline explain reuters.slug wire.txt --class grain --against corn
  slugline explain reuters.slug wire.txt --html why.html
  slugline explain tickets.slug ticket.txt --nearest 3
  slugline explain reuters.slug wires.txt --lines --format json | jq '.spans[0]'
  slugline explain tickets.slug tickets.csv --text subject,body --format json
  slugline explain reuters.slug --words 10 --class grain
  slugline explain tickets.slug --words 10 --data tickets-of-june.csv

Several places of a word share its contribution evenly. On a terminal with colours the words are marked
in the text: blue for, orange against; n-grams count for their words there, in even parts.

--words without --data tells what a text of the word alone would get, less the mean over all classes;
with --data, what the word contributes to the documents of the class on average, so that rare words
count little. Beginnings of words end with `…`, parts of words have one on both sides. Models of hashed
features do not know their words.

JSON (stable; more fields may be added): one object a text with
  label           the class that is explained
  against         the class that it is held against; absent without --against
  probability     its calibrated probability
  answer          the answer for the text, as `label` of `slugline predict`; null for no label
  logit           what the network gives the class, before it becomes a probability; with --against the
                  difference of the two
  baseline        the same for the empty text: baseline + contributions = logit
  spans           a list of {start, end, text, contribution} for each word and n-gram, by their places,
                  in characters (Unicode code points) from 0; n-grams overlap with their words
  tokens          the same for single tokens, those of their n-grams shared out: none overlaps
  words, unknown_words
  nearest         with --nearest a list of {document, similarity, labels, text}
  row             of a table, the number of the row; a bad row that was skipped has row and error
With --words one object with
  classes         a list of {class, for, against}, the last two lists of {text, weight}";

impl ExplainArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        if let Some(path) = &self.html {
            let texts = self.inputs.iter().map(|input| ("a text", Path::new(input)));
            check_not_read(path, texts.chain([("the model", self.model.as_path())]))?;
        }
        let page = self.html.as_deref().map(NewFile::of_bytes).transpose()?;
        let classifier = self.answers.apply(open_model(&self.model)?)?;
        let class =
            self.class.as_deref().map(|name| class_number(&classifier, name)).transpose()?;
        if let Some(k) = self.words {
            return words::run(self, &classifier, class, k, console);
        }
        let against =
            self.against.as_deref().map(|name| class_number(&classifier, name)).transpose()?;
        if self.nearest.is_some() && classifier.index().is_none() {
            return Err(Failure::Other(format!(
                "{} has no index of training documents; train it with --index",
                self.model.display()
            )));
        }
        let what = ExplainOptions { class, against };
        if class.is_some() && class == against {
            return Err(Failure::Usage {
                command: "explain",
                problem: "--class and --against name the same class".into(),
            });
        }
        self.scored.on_threads(|| Texts::new(self, &classifier, what, console).run(page))?
    }
}

/// Classes that an error tells.
const TOLD: usize = 20;

/// The number of a class.
fn class_number(classifier: &Classifier, name: &str) -> Result<u32, Failure> {
    let names = classifier.class_names();
    if let Some(number) = names.iter().position(|known| known == name) {
        return Ok(number as u32);
    }
    let told = names[..names.len().min(TOLD)].join(", ");
    let rest = match names.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(" and {more} more (see `slugline inspect`)"),
    };
    Err(Failure::Other(format!("the model has no class `{name}`; it has {told}{rest}")))
}
