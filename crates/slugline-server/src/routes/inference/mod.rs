//! `/v2`: the Open Inference Protocol, as `KServe`, Triton and their clients speak it.

mod tensors;

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use slugline::classifier::Prediction;

use super::operation::check_ready;
use super::{Reply, check_texts, compute, invalid, log_texts, unreadable};
use crate::body::{self, Buffered};
use crate::models::Model;
use crate::problem::{Code, Problem};
use crate::service::Service;

pub(crate) use tensors::HEADER_LENGTH;
use tensors::{Input, Object, Output, Split};

/// The one version of every model.
const VERSION: &str = "1";

/// The tensor of texts.
const TEXT: &str = "text";

/// What is told of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Label,
    Probability,
    Probabilities,
    UnknownShare,
}

impl Told {
    const ALL: [Self; 4] =
        [Self::Label, Self::Probability, Self::Probabilities, Self::UnknownShare];

    const fn name(self) -> &'static str {
        match self {
            Self::Label => "label",
            Self::Probability => "probability",
            Self::Probabilities => "probabilities",
            Self::UnknownShare => "unknown_share",
        }
    }

    const fn datatype(self) -> &'static str {
        match self {
            Self::Label => "BYTES",
            Self::Probability | Self::Probabilities | Self::UnknownShare => "FP32",
        }
    }

    /// As a tensor.
    fn of(self, model: &Model, predictions: &[Prediction]) -> Output {
        let rows = predictions.len();
        let (shape, data) = match self {
            Self::Label => {
                let label = |p: &Prediction| match model.classifier().answered(p).as_slice() {
                    [] => p.label.clone(),
                    labels => labels.join(","),
                };
                (vec![rows], tensors::Data::Bytes(predictions.iter().map(label).collect()))
            }
            Self::Probability => (
                vec![rows],
                tensors::Data::Floats(
                    predictions.iter().map(Prediction::largest_probability).collect(),
                ),
            ),
            Self::Probabilities => {
                let all = predictions.iter().flat_map(|p| p.probabilities.iter().copied());
                let classes = model.classifier().class_names().len();
                (vec![rows, classes], tensors::Data::Floats(all.collect()))
            }
            Self::UnknownShare => {
                let shares = predictions.iter().map(Prediction::unknown_share).collect();
                (vec![rows], tensors::Data::Floats(shares))
            }
        };
        Output { name: self.name(), datatype: self.datatype(), shape, data }
    }
}

/// The part of the path that says which model.
#[derive(Deserialize)]
pub(crate) struct Place {
    model: String,
    version: Option<String>,
}

/// The same where it can be read.
type NamedPlace = Result<Path<Place>, PathRejection>;

impl Place {
    fn of(named: NamedPlace) -> Result<Self, Problem> {
        named.map(|Path(place)| place).map_err(|rejection| unreadable(&rejection))
    }

    fn model(&self, service: &Service) -> Result<Arc<Model>, Problem> {
        let model = service.models.get(Some(&self.model))?;
        match self.version.as_deref() {
            None | Some(VERSION) => Ok(model),
            Some(version) => Err(Problem::new(
                Code::UnknownModel,
                format!("The model `{}` has version {VERSION}, and no `{version}`.", self.model),
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `inputs`")]
struct Question {
    id: Option<String>,
    inputs: Vec<Object<Input>>,
    outputs: Option<Vec<Object<Wanted>>>,
    #[serde(default)]
    parameters: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `name`")]
struct Wanted {
    name: String,
    #[serde(default)]
    parameters: Map<String, Value>,
}

#[derive(Serialize)]
struct Answer<'a> {
    model_name: &'a str,
    model_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    outputs: Vec<Value>,
}

pub(crate) async fn server() -> Result<Reply, Problem> {
    Reply::json(&json!({
        "name": "slugline",
        "version": env!("CARGO_PKG_VERSION"),
        "extensions": ["binary_tensor_data"],
    }))
}

pub(crate) async fn live() -> Result<Reply, Problem> {
    Reply::json(&json!({ "live": true }))
}

pub(crate) async fn ready(State(service): State<Arc<Service>>) -> Result<Reply, Problem> {
    check_ready(&service)?;
    Reply::json(&json!({ "ready": true }))
}

pub(crate) async fn model(
    State(service): State<Arc<Service>>,
    place: NamedPlace,
) -> Result<Reply, Problem> {
    let model = Place::of(place)?.model(&service)?;
    let output = |told: Told| {
        let shape = match told {
            Told::Probabilities => json!([-1, model.classifier().class_names().len()]),
            Told::Label | Told::Probability | Told::UnknownShare => json!([-1]),
        };
        json!({ "name": told.name(), "datatype": told.datatype(), "shape": shape })
    };
    let metadata = json!({
        "name": model.name,
        "versions": [VERSION],
        "platform": "slugline",
        "inputs": [{ "name": TEXT, "datatype": "BYTES", "shape": [-1] }],
        "outputs": Told::ALL.map(output),
    });
    Reply::of(Arc::clone(&model), &metadata)
}

pub(crate) async fn model_ready(
    State(service): State<Arc<Service>>,
    place: NamedPlace,
) -> Result<Reply, Problem> {
    let model = Place::of(place)?.model(&service)?;
    check_ready(&service)?;
    Reply::of(Arc::clone(&model), &json!({ "name": model.name, "ready": true }))
}

pub(crate) async fn infer(
    State(service): State<Arc<Service>>,
    place: NamedPlace,
    request: Request,
) -> Result<Reply, Problem> {
    // Read before anything is refused, so that the connection can go on.
    let header_length = tensors::header_length(request.headers());
    let kind = tensors::check_media_type(request.headers());
    let body = body::any(&service, request).await?;
    kind?;
    let header_length = header_length?;
    let model = Place::of(place)?.model(&service)?;
    compute(&service, body, 1, move |service, body| answer(service, body, &model, header_length))
        .await
}

fn answer(
    service: &Service,
    body: &Buffered,
    model: &Arc<Model>,
    header_length: Option<usize>,
) -> Result<Reply, Problem> {
    let Split { header, binary } = Split::of(&body.bytes, header_length)?;
    let Question { id, inputs, outputs, parameters } = body::parse(header)?;
    let [Object(input)] = inputs.as_slice() else {
        let found = inputs.len();
        return Err(invalid(format!("There are {found} inputs: expected one, named `{TEXT}`.")));
    };
    if input.name != TEXT {
        return Err(invalid(format!("The input is named `{}`: expected `{TEXT}`.", input.name)));
    }
    let texts = input.texts(binary)?;
    check_texts(&texts, &service.options().limits)?;
    log_texts(body, &texts);
    let binary_by_default = flag(&parameters, "binary_data_output")?.unwrap_or(false);
    let wanted = match outputs {
        None => vec![(Told::Label, binary_by_default), (Told::Probability, binary_by_default)],
        Some(outputs) => {
            let one = |Object(wanted): &Object<Wanted>| wanted.told(binary_by_default);
            outputs.iter().map(one).collect::<Result<_, _>>()?
        }
    };
    let predictions = model.answer(&texts, None);
    let mut following = Vec::new();
    let outputs = wanted.iter().map(|&(told, binary)| {
        let output = told.of(model, &predictions);
        if binary { output.binary(&mut following) } else { output.json() }
    });
    let outputs = outputs.collect();
    let any_binary = wanted.iter().any(|&(_, binary)| binary);
    let answer =
        Answer { model_name: &model.name, model_version: VERSION, id: id.as_deref(), outputs };
    let mut reply = Reply::of(Arc::clone(model), &answer)?;
    if any_binary {
        reply.header_length = Some(reply.body.len());
        reply.body.append(&mut following);
        reply.content_type = "application/octet-stream";
    }
    Ok(reply)
}

impl Wanted {
    fn told(&self, binary_by_default: bool) -> Result<(Told, bool), Problem> {
        let told =
            Told::ALL.into_iter().find(|told| told.name() == self.name).ok_or_else(|| {
                let names = Told::ALL.map(Told::name).join(", ");
                invalid(format!("There is no output `{}`: expected {names}.", self.name))
            })?;
        if self.parameters.contains_key("classification") {
            return Err(invalid("Outputs have no `classification`; ask for `probabilities`."));
        }
        Ok((told, flag(&self.parameters, "binary_data")?.unwrap_or(binary_by_default)))
    }
}

/// A parameter that is yes or no.
fn flag(parameters: &Map<String, Value>, name: &str) -> Result<Option<bool>, Problem> {
    match parameters.get(name) {
        None => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(other) => Err(invalid(format!("`{name}` is {other}: expected true or false."))),
    }
}
