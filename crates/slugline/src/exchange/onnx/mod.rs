//! ONNX graphs.
//!
//! | input | shape | what it is |
//! |---|---|---|
//! | `features` | float `[N, width]` | dense rows of the vectorizer's features, with [`OnnxInput::Features`] |
//! | `text` | string `[N]` | the texts, with [`OnnxInput::Text`] |
//!
//! | output | shape | what it is |
//! |---|---|---|
//! | `probabilities` | float `[N, classes]` | what [`Classifier::predict`] gives as probabilities, calibrated alike |
//! | `label` | string `[N]` | the name of the most probable class; absent for any number of labels |
//!
//! `N` is any number, 0 included. Graphs over features take version 13 of the operators and version 7 of
//! the format, the lowest that have all that is used; graphs over text take version 20 of the operators,
//! which brought those that cut texts, version 2 of `ai.onnx.ml` and version 9 of the format. Calibration
//! is computed in double precision, as here.
//!
//! The entries of `metadata_props` are `slugline_version`, `model_checksum`, `label_kind`, and as JSON
//! `labels`, `calibration` (of the graph), `decisions` (which are not in the graph: thresholds, and when
//! the answer is unknown), and over features `feature_names`.

mod calibration;
mod graph;
mod network;
mod schema;
#[cfg(test)]
mod tests;
mod text;

use std::path::Path;

use prost::Message;
use serde::Serialize;
use serde_json::json;

use super::ExchangeError;
use crate::classifier::Classifier;
use crate::corpus::LabelKind;
use crate::evaluation::Calibration;
use graph::{Graph, ML};
use schema::{
    AttributeProto, Dimension, ModelProto, OperatorSetIdProto, StringStringEntryProto, Type,
    ValueInfoProto,
};

/// What a graph is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnnxInput {
    /// Dense rows of features. The default: exact for every model.
    #[default]
    Features,
    /// Texts. For models whose preprocessing standard operators can do exactly: those of numbered corpora,
    /// and words and n-grams of [`TokenRule::Keras`](crate::text::TokenRule) or `Whitespace` without
    /// normalisation.
    Text,
}

impl OnnxInput {
    /// The name of the graph's input.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Features => "features",
            Self::Text => "text",
        }
    }

    /// The version of the operators that the graph takes.
    pub const fn opset(self) -> i64 {
        match self {
            Self::Features => 13,
            Self::Text => 20,
        }
    }

    /// The version of the format, the oldest that goes with the operators.
    pub const fn ir_version(self) -> i64 {
        match self {
            Self::Features => 7,
            Self::Text => 9,
        }
    }
}

/// What an ONNX graph is to be like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnnxOptions {
    /// What it is given. Default features.
    pub input: OnnxInput,
    /// Whether its probabilities are calibrated as the classifier's are. Default yes.
    pub calibrated: bool,
}

impl Default for OnnxOptions {
    fn default() -> Self {
        Self { input: OnnxInput::default(), calibrated: true }
    }
}

/// The largest message that protocol buffers can hold.
const LARGEST: u64 = i32::MAX as u64;

/// A classifier as an ONNX file.
///
/// # Errors
/// [`ExchangeError::Inexpressible`] for a text graph of preprocessing that operators cannot do exactly,
/// [`ExchangeError::TooLarge`] beyond 2 GiB, [`ExchangeError::Model`] for weights that are not finite.
pub fn to_bytes(classifier: &Classifier, options: OnnxOptions) -> Result<Vec<u8>, ExchangeError> {
    let model = model(classifier, options)?;
    let bytes = model.encoded_len() as u64;
    if bytes > LARGEST {
        return Err(ExchangeError::TooLarge { form: "an ONNX file", bytes, most: LARGEST });
    }
    Ok(model.encode_to_vec())
}

/// Writes a classifier to an ONNX file, atomically.
///
/// # Errors
/// As [`to_bytes`]; [`ExchangeError::Write`] if the system refuses.
pub fn save(
    classifier: &Classifier,
    path: impl AsRef<Path>,
    options: OnnxOptions,
) -> Result<(), ExchangeError> {
    super::write(path.as_ref(), &to_bytes(classifier, options)?)
}

fn model(classifier: &Classifier, options: OnnxOptions) -> Result<ModelProto, ExchangeError> {
    let OnnxOptions { input, calibrated } = options;
    let metadata = metadata(classifier, options)?;
    let (network, names) = (classifier.network(), classifier.class_names());
    let mut graph = Graph::default();
    let documents = Dimension::documents;
    let (rows, given) = match input {
        OnnxInput::Features => {
            let width = Dimension::of(network.input_width());
            let dims = [documents(), width];
            (input.name().to_owned(), ValueInfoProto::tensor(input.name(), Type::Float, &dims))
        }
        OnnxInput::Text => {
            let rows = text::add(&mut graph, classifier.vectorizer(), input.name())?;
            (rows, ValueInfoProto::tensor(input.name(), Type::String, &[documents()]))
        }
    };
    let mut value = network::add(&mut graph, network, &rows);
    if calibrated {
        value = calibration::add(&mut graph, classifier.calibration(), names.len(), &value);
    }
    graph.output(&value, "probabilities");
    let dims = [documents(), Dimension::of(names.len())];
    let mut outputs = vec![ValueInfoProto::tensor("probabilities", Type::Float, &dims)];
    if classifier.label_kind() != LabelKind::Multi {
        let along = vec![AttributeProto::int("axis", 1), AttributeProto::int("keepdims", 0)];
        let class = graph.node("ArgMax", &["probabilities"], along);
        let labels: Vec<&str> = names.iter().map(String::as_str).collect();
        let labels = graph.strings("labels", &[labels.len()], &labels);
        let label = graph.node("Gather", &[&labels, &class], vec![]);
        graph.output(&label, "label");
        outputs.push(ValueInfoProto::tensor("label", Type::String, &[documents()]));
    }
    let set = |domain: &str, version| OperatorSetIdProto { domain: domain.into(), version };
    let mut opset_import = vec![set("", input.opset())];
    if input == OnnxInput::Text {
        opset_import.push(set(ML, 2));
    }
    Ok(ModelProto {
        ir_version: input.ir_version(),
        producer_name: "slugline".into(),
        producer_version: env!("CARGO_PKG_VERSION").into(),
        doc_string:
            "A text classifier. Its thresholds, and when the answer is unknown, are not in the \
                     graph but in the metadata, as decisions."
                .into(),
        graph: Some(graph.finish("classifier", vec![given], outputs)),
        opset_import,
        metadata_props: metadata,
    })
}

fn metadata(
    classifier: &Classifier,
    options: OnnxOptions,
) -> Result<Vec<StringStringEntryProto>, ExchangeError> {
    let calibration =
        if options.calibrated { classifier.calibration() } else { &Calibration::None };
    let plain = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        value => value.to_string(),
    };
    let mut entries = vec![
        ("slugline_version", env!("CARGO_PKG_VERSION").into()),
        ("model_checksum", classifier.checksum()?),
        ("label_kind", plain(json!(classifier.label_kind()))),
        ("labels", plain(json!(classifier.class_names()))),
        ("calibration", plain(json!(calibration))),
        ("decisions", plain(json!(classifier.decisions()))),
    ];
    if options.input == OnnxInput::Features {
        let names = json!(classifier.vectorizer().feature_names());
        entries.push(("feature_names", plain(names)));
    }
    let entry = |(key, value): (&str, String)| StringStringEntryProto { key: key.into(), value };
    Ok(entries.into_iter().map(entry).collect())
}
