//! `slugline export`: a model for other programs.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use slugline::classifier::Classifier;
use slugline::corpus::LabelKind;
use slugline::decision::Decisions;
use slugline::evaluation::Calibration;
use slugline::exchange::onnx::{OnnxInput, OnnxOptions};
use slugline::exchange::{ExchangeError, keras, onnx, safetensors};

use super::open_model;
use crate::failure::Failure;
use crate::output::{BEST, Console, NewFile, bytes, check_not_read, out, write_json};

/// Write a model for other programs: ONNX, Keras, or plain weights as safetensors
///
/// What the other form cannot say is refused; what is left out, or comes out otherwise, is told.
#[derive(Debug, Args)]
#[command(after_long_help = AFTER_HELP)]
pub(crate) struct ExportArgs {
    /// The model file
    model: PathBuf,
    /// The form of the file
    #[arg(long, value_name = "FORM", value_enum)]
    to: Form,
    /// The file [default: MODEL.onnx, MODEL.keras or MODEL.safetensors]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What an ONNX graph is given [default: features]
    #[arg(long, value_name = "WHAT", value_enum)]
    input: Option<Input>,
    /// Write the network without its calibration: other probabilities than those of `predict`
    #[arg(long)]
    uncalibrated: bool,
}

/// A form of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    /// A graph that ONNX Runtime and others run
    Onnx,
    /// The weights under standard names, with labels and layers as JSON
    Safetensors,
    /// An archive that Keras 3 loads
    Keras,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Onnx => "onnx",
            Self::Safetensors => "safetensors",
            Self::Keras => "keras",
        }
    }
}

/// What an ONNX graph is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Input {
    /// Dense rows of features
    Features,
    /// Texts; for models whose preprocessing standard operators do exactly
    Text,
}

const AFTER_HELP: &str = "\
Examples:
  slugline export reuters.slug --to onnx
  slugline export reuters.slug --to onnx --input text -o reuters-text.onnx
  slugline export tickets.slug --to keras --uncalibrated -o tickets.keras
  slugline export tickets.slug --to safetensors --format json

What is in the files, names and shapes: docs/exchange.md. In short:
  onnx          takes `features`, float [N, width], or `text`, string [N]; gives `probabilities`, float
                [N, classes], calibrated as those of `predict`, and `label`, string [N], unless a text may
                have any number of labels
  keras         a Sequential of the same layers; a calibration that its last layer cannot hold is refused
                without --uncalibrated
  safetensors   layers.0.kernel [inputs, units], layers.0.bias [units], …; the rest as JSON
Thresholds, and when the answer is `unknown`, are in none of them.
--input text takes models of --preset notebook, and of --token-rule whitespace or keras with
--normalization none, with words and n-grams. An existing file is replaced.

JSON (stable; more fields may be added): one object with
  model, to, file, bytes   the model file, the form, what was written and its size
  calibration              none: the model has none; included; nearly: in Keras's last layer, but for
                           outputs above 0.9999; metadata: beside the weights, not in them; left_out,
                           with --uncalibrated
  left_out                 a list: of vocabulary, labels, calibration, decisions
and of ONNX
  input, width, opset      features or text, columns of a row or null, version of the operators";

/// What was written.
#[derive(Debug, Serialize)]
struct Written {
    model: String,
    to: Form,
    file: String,
    bytes: usize,
    calibration: &'static str,
    left_out: Vec<&'static str>,
    #[serde(flatten)]
    onnx: Option<OnnxPart>,
}

#[derive(Debug, Serialize)]
struct OnnxPart {
    input: OnnxInput,
    width: Option<usize>,
    opset: i64,
}

impl ExportArgs {
    pub(crate) fn run(&self, console: Console) -> Result<(), Failure> {
        self.check()?;
        let default = || self.model.with_extension(self.to.name());
        let path = self.output.clone().unwrap_or_else(default);
        check_not_read(&path, [("the model", self.model.as_path())])?;
        let mut file = NewFile::of_bytes(&path)?;
        let classifier = open_model(&self.model)?;
        let content = self.content(&classifier)?;
        file.write(&content)?;
        file.finish()?;
        let written = self.written(&classifier, path.display().to_string(), content.len());
        match console.json() {
            true => write_json(&written),
            false => written.tell(&classifier),
        }
    }

    fn check(&self) -> Result<(), Failure> {
        let problem = match self.to {
            Form::Safetensors | Form::Keras if self.input.is_some() => {
                "--input is for --to onnx; the other forms hold the network, which takes features"
            }
            Form::Safetensors if self.uncalibrated => {
                "--uncalibrated is for --to onnx and keras; weights are never calibrated"
            }
            _ => return Ok(()),
        };
        Err(Failure::Usage { command: "export", problem: problem.into() })
    }

    fn input(&self) -> OnnxInput {
        match self.input {
            None | Some(Input::Features) => OnnxInput::Features,
            Some(Input::Text) => OnnxInput::Text,
        }
    }

    fn content(&self, classifier: &Classifier) -> Result<Vec<u8>, Failure> {
        let calibrated = !self.uncalibrated;
        let content = match self.to {
            Form::Onnx => {
                onnx::to_bytes(classifier, OnnxOptions { input: self.input(), calibrated })
            }
            Form::Safetensors => safetensors::to_bytes(classifier),
            Form::Keras => match keras::to_bytes(classifier, calibrated) {
                Err(error @ ExchangeError::Inexpressible { .. }) => {
                    return Err(Failure::Other(format!("{error}: --uncalibrated")));
                }
                other => other,
            },
        };
        Ok(content?)
    }

    fn written(&self, classifier: &Classifier, file: String, bytes: usize) -> Written {
        let calibration = match (classifier.calibration(), self.to) {
            (Calibration::None, _) => "none",
            (_, Form::Safetensors) => "metadata",
            _ if self.uncalibrated => "left_out",
            (Calibration::Platt { .. }, Form::Keras) => "nearly",
            _ => "included",
        };
        let text = self.to == Form::Onnx && self.input() == OnnxInput::Text;
        let left_out = [
            ("vocabulary", !text),
            ("labels", self.to == Form::Keras),
            ("calibration", matches!(calibration, "metadata" | "left_out")),
            ("decisions", *classifier.decisions() != Decisions::default()),
        ];
        let onnx = (self.to == Form::Onnx).then(|| OnnxPart {
            input: self.input(),
            width: (!text).then(|| classifier.network().input_width()),
            opset: self.input().opset(),
        });
        Written {
            model: self.model.display().to_string(),
            to: self.to,
            file,
            bytes,
            calibration,
            left_out: left_out.into_iter().filter(|(_, out)| *out).map(|(what, _)| what).collect(),
            onnx,
        }
    }
}

impl Written {
    /// Says what was written, and what is not in it.
    fn tell(&self, classifier: &Classifier) -> Result<(), Failure> {
        let (width, classes) = (classifier.network().input_width(), classifier.class_names().len());
        let mut out = out();
        let size = bytes(self.bytes as u64);
        writeln!(out, "  file         {BEST}{}{BEST:#} ({size})", self.file)?;
        let input = match &self.onnx {
            Some(onnx) if onnx.input == OnnxInput::Text => "text, string [N]".to_owned(),
            Some(_) => format!("features, float [N, {width}]"),
            None => format!("rows of {width} features"),
        };
        writeln!(out, "  takes        {input}")?;
        let label = match classifier.label_kind() {
            LabelKind::Multi => "",
            _ => "; label, string [N]",
        };
        match &self.onnx {
            Some(_) => writeln!(out, "  gives        probabilities, float [N, {classes}]{label}")?,
            None => writeln!(out, "  gives        {classes} probabilities a row")?,
        }
        let calibration = match self.calibration {
            "none" => "the model has none",
            "included" => "included: the probabilities are those of `slugline predict`",
            "nearly" => {
                "in the last layer; where the network itself says more than 0.9999, other probabilities \
                 than those of `slugline predict`"
            }
            "metadata" => {
                "beside the weights, as JSON; they give other probabilities than `slugline predict`"
            }
            _ => "left out: other probabilities than those of `slugline predict`",
        };
        writeln!(out, "  calibration  {calibration}")?;
        if !self.left_out.is_empty() {
            writeln!(out, "  left out     {}", self.left_out.join(", "))?;
        }
        out.flush()?;
        Ok(())
    }
}
