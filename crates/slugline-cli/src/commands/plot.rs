//! `slugline plot`: pictures of a training, a model and its answers.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::json;
use slugline::classifier::Classifier;
use slugline::corpus::LabelKind;
use slugline::evaluation::{Evaluation, EvaluationOptions};
use slugline::plot::{
    Architecture, ClassOrder, ClassSizes, Confusion, Curves, DocumentMap, MOST_POINTS, Picture,
    PlotFormat, ReliabilityDiagram,
};

use super::open_model;
use crate::failure::Failure;
use crate::options::{Data, Part, PlotTheme, ScoredArgs, data_to_score, one_of, positive};
use crate::output::{BEST, Console, NewFile, check_not_read, out, write_json_with};

/// Draw a training, a model or its answers, as SVG or PNG
///
/// `curves`, `architecture` and `classes` need the model alone; `confusion`, `reliability` and
/// `embedding` labelled documents too. Whatever is drawn can be had as data, by --format json.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct PlotArgs {
    /// The model file
    model: PathBuf,
    /// Documents to draw: labelled files as for `train`, or a corpus: sample, reuters, reuters-clean
    /// [default: the corpus that it was trained on]
    #[arg(value_name = "DATA")]
    data: Vec<String>,
    /// The same as an option
    #[arg(long = "data", value_name = "DATA", conflicts_with = "data")]
    named_data: Vec<String>,
    /// What to draw
    #[arg(long, short, value_enum)]
    kind: Kind,
    /// The picture, by its ending as .svg or .png; may be left out with --format json
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Colours of the picture
    #[arg(long, value_name = "NAME", value_enum, default_value_t)]
    theme: PlotTheme,
    /// Order of the classes of a confusion matrix; by similarity, those that are taken for each other
    /// stand side by side [default: size]
    #[arg(long, value_name = "NAME",
        value_parser = one_of(ClassOrder::ALL.map(ClassOrder::name),
            |name| ClassOrder::ALL.into_iter().find(|order| order.name() == name)))]
    order: Option<ClassOrder>,
    /// Most documents of an embedding; of more, so many at equal distances [default: 5000]
    #[arg(long, value_name = "N", value_parser = positive())]
    points: Option<usize>,
    #[command(flatten)]
    scored: ScoredArgs,
}

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Loss and accuracy epoch by epoch, and where overfitting begins
    Curves,
    /// True classes against answers
    Confusion,
    /// How confidence and accuracy agree
    Reliability,
    /// The layers of the network, with shapes and parameters
    Architecture,
    /// Training documents of each class
    Classes,
    /// Documents as the last hidden layer sees them, in the plane where they differ most
    Embedding,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Curves => "curves",
            Self::Confusion => "confusion",
            Self::Reliability => "reliability",
            Self::Architecture => "architecture",
            Self::Classes => "classes",
            Self::Embedding => "embedding",
        }
    }

    /// Whether it shows documents, beside the model.
    fn needs_data(self) -> bool {
        matches!(self, Self::Confusion | Self::Reliability | Self::Embedding)
    }
}

const AFTER_HELP: &str = "\
Examples:
  slugline plot reuters.slug --kind curves -o curves.svg
  slugline plot reuters.slug reuters --kind confusion --order similarity -o confusion.png
  slugline plot tickets.slug tickets-of-june.csv --kind reliability --theme dark -o calibration.svg
  slugline plot reuters.slug --kind architecture -o network.svg
  slugline plot reuters.slug --kind classes -o classes.png
  slugline plot reuters.slug reuters --kind embedding --points 2000 -o map.svg
  slugline plot reuters.slug --kind curves --format json | jq .val_loss

Text of an SVG is text, in the viewer's own font; a PNG has two dots for each unit of length, and text
in DejaVu Sans.

JSON (stable; more fields may be added): one object with
  model, kind, plot      the model file, what is drawn, the picture or null
  data, split            what is drawn of the documents; absent where none are needed
  name                   what stands before the title
and of each kind
  curves        epochs, loss, val_loss, accuracy, val_accuracy: one number an epoch; micro_f1 and
                val_micro_f1 in place of accuracy for any number of labels; val_… are null or absent
                without validation; best_epoch, overfits_after: numbers of epochs or null
  confusion     classes in the order in which they stand; counts: documents by true class (row) and
                most probable class (column); accuracy
  reliability   label_kind, ece, mce, bins: {samples, confidence, accuracy} of each bin of confidence
  architecture  features, input, layers: {name, units, activation, rate, parameters}, classes,
                label_kind, parameters
  classes       classes: {name, documents}, the largest first
  embedding     documents, classes, coloured: {class, points} of those with a colour, explained: share
                of the variance along each axis, points: {document, x, y, class}; classes are counted
                from 0, a document without labels has null";

impl PlotArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        self.check(console)?;
        let file = match &self.output {
            None => None,
            Some(path) => {
                let named = Data::of(self.named());
                let data = named.paths().map(|path| ("the data", path));
                check_not_read(path, data.chain([("the model", self.model.as_path())]))?;
                Some((PlotFormat::of(path)?, NewFile::of_bytes(path)?))
            }
        };
        let classifier = open_model(&self.model)?;
        let record = classifier.record();
        match self.kind {
            Kind::Curves => {
                let curves = Curves::new(&record.corpus.name, &record.history);
                self.show(&curves, None, file, console)
            }
            Kind::Architecture => self.show(&Architecture::of(&classifier), None, file, console),
            Kind::Classes => self.show(&ClassSizes::of(&classifier), None, file, console),
            Kind::Confusion => {
                if classifier.label_kind() == LabelKind::Multi {
                    return Err(usage(
                        "--kind confusion takes one class a document, and the model gives any number of \
                         labels; use --kind reliability, or `slugline evaluate --verbose`"
                            .into(),
                    ));
                }
                let (name, evaluation) = self.evaluation(&classifier, console)?;
                let order = self.order.unwrap_or_default();
                let picture = Confusion::new(self.titled(&name), &evaluation, order)?;
                self.show(&picture, Some(&name), file, console)
            }
            Kind::Reliability => {
                let (name, evaluation) = self.evaluation(&classifier, console)?;
                let picture = ReliabilityDiagram::new(self.titled(&name), &evaluation);
                self.show(&picture, Some(&name), file, console)
            }
            Kind::Embedding => {
                let data = data_to_score("plot", self.named(), &classifier)?;
                let (name, most) = (data.name(), self.points.unwrap_or(MOST_POINTS));
                let documents = self.scored.documents(&data, &classifier, console)?;
                let title = self.titled(&name);
                let map = || DocumentMap::of(&classifier, &documents, &title, most);
                let map = self.scored.on_threads(map)??;
                self.show(&map, Some(&name), file, console)
            }
        }
    }

    /// The documents that are named, in either way.
    fn named(&self) -> &[String] {
        if self.data.is_empty() { &self.named_data } else { &self.data }
    }

    /// Refuses what has no meaning for the kind.
    fn check(&self, console: Console) -> Result<(), Failure> {
        let kind = self.kind.name();
        if !self.named().is_empty() && !self.kind.needs_data() {
            return Err(usage(format!(
                "--kind {kind} is drawn of the model alone and takes no DATA"
            )));
        }
        for (argument, given, of) in [
            ("--order", self.order.is_some(), Kind::Confusion),
            ("--points", self.points.is_some(), Kind::Embedding),
        ] {
            if given && self.kind != of {
                let of = of.name();
                return Err(usage(format!(
                    "{argument} has no meaning for --kind {kind}; it belongs to --kind {of}"
                )));
            }
        }
        if self.output.is_none() && !console.json() {
            return Err(usage(
                "name the picture: -o FILE.svg or -o FILE.png; --format json gives its data without".into(),
            ));
        }
        Ok(())
    }

    fn evaluation(
        &self,
        classifier: &Classifier,
        console: Console,
    ) -> Result<(String, Evaluation), Failure> {
        let data = data_to_score("plot", self.named(), classifier)?;
        let options = EvaluationOptions::without_intervals();
        let (evaluation, _) = self.scored.score(&data, classifier, &options, console)?;
        Ok((data.name(), evaluation))
    }

    /// What stands before the title of a picture of documents.
    fn titled(&self, data: &str) -> String {
        match self.scored.split {
            Part::Test => data.to_owned(),
            Part::Train => format!("{data}, training part"),
        }
    }

    /// Writes the picture, and says where it is or what it shows.
    fn show(
        &self,
        picture: &(impl Picture + Serialize),
        data: Option<&str>,
        file: Option<(PlotFormat, NewFile)>,
        console: Console,
    ) -> Result<(), Failure> {
        if let Some((format, mut file)) = file {
            file.write(&picture.file(format, self.theme.theme())?)?;
            file.finish()?;
        }
        let plot = self.output.as_ref().map(|path| path.display().to_string());
        if console.json() {
            let mut head = json!({
                "model": self.model.display().to_string(),
                "kind": self.kind.name(),
                "plot": plot,
            });
            if let Some(data) = data {
                head["data"] = data.into();
                head["split"] = self.scored.split.name().into();
            }
            return write_json_with(&head, picture);
        }
        let mut out = out();
        writeln!(out, "  plot: {BEST}{}{BEST:#}", plot.unwrap_or_default())?;
        out.flush()?;
        Ok(())
    }
}

fn usage(problem: String) -> Failure {
    Failure::Usage { command: "plot", problem }
}
