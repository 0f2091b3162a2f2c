//! `GET /v1/models`, `/v1/model` and `/v1/samples`: what is served, and texts to try it with.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use slugline::classifier::DescribedModel;
use slugline::corpus::{LabelKind, sample};

use super::Reply;
use crate::models::Model;
use crate::problem::{Code, Problem};
use crate::service::Service;

/// Texts to try.
const SAMPLES: usize = 12;

/// Bytes of the longest text to try.
const LONGEST: usize = 8 << 10;

#[derive(Serialize)]
struct List<'a> {
    models: Vec<Listed<'a>>,
    feedback: bool,
    limits: ToldLimits,
    version: &'static str,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    default: bool,
    classes: usize,
    checksum: &'a str,
    size_bytes: u64,
    loaded: String,
}

/// What a client has to keep to, under the names of the options.
#[expect(clippy::struct_field_names, reason = "the names of the options")]
#[derive(Serialize)]
struct ToldLimits {
    max_body: usize,
    max_batch: usize,
    max_text: usize,
}

#[derive(Serialize)]
struct Described<'a> {
    model: &'a str,
    checksum: &'a str,
    size_bytes: u64,
    label_kind: LabelKind,
    #[serde(flatten)]
    description: DescribedModel<'a>,
}

/// A text to try.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sample {
    text: String,
    labels: Vec<String>,
    /// Where it comes from: the index of the model, or the generator of the built-in corpus.
    origin: &'static str,
}

#[derive(Serialize)]
struct Samples<'a> {
    samples: &'a [Sample],
}

/// Which model is asked for.
#[derive(Deserialize)]
pub(crate) struct Which {
    model: Option<String>,
}

type WhichModel = Result<Query<Which>, QueryRejection>;

fn which(service: &Service, query: WhichModel) -> Result<Arc<Model>, Problem> {
    let refused = |rejection: QueryRejection| {
        let detail = format!("The query cannot be read: {}.", rejection.body_text());
        Problem::new(Code::BadRequest, detail)
    };
    let Query(Which { model }) = query.map_err(refused)?;
    service.models.get(model.as_deref())
}

pub(crate) async fn list(State(service): State<Arc<Service>>) -> Result<Reply, Problem> {
    let models: Vec<_> = service.models.slots().iter().map(crate::models::Slot::model).collect();
    let listed = models.iter().enumerate().map(|(i, model)| Listed {
        name: &model.name,
        default: i == 0,
        classes: model.classifier().class_names().len(),
        checksum: &model.checksum,
        size_bytes: model.size_bytes,
        loaded: DateTime::<Utc>::from(model.loaded).to_rfc3339_opts(SecondsFormat::Millis, true),
    });
    let limits = &service.options().limits;
    Reply::json(&List {
        models: listed.collect(),
        feedback: service.takes_feedback(),
        limits: ToldLimits {
            max_body: limits.max_body,
            max_batch: limits.max_batch,
            max_text: limits.max_text,
        },
        version: env!("CARGO_PKG_VERSION"),
    })
}

pub(crate) async fn describe(
    State(service): State<Arc<Service>>,
    query: WhichModel,
) -> Result<Reply, Problem> {
    let model = which(&service, query)?;
    Reply::of(
        Arc::clone(&model),
        &Described {
            model: &model.name,
            checksum: &model.checksum,
            size_bytes: model.size_bytes,
            label_kind: model.classifier().label_kind(),
            description: model.classifier().description(),
        },
    )
}

pub(crate) async fn samples(
    State(service): State<Arc<Service>>,
    query: WhichModel,
) -> Result<Reply, Problem> {
    let model = which(&service, query)?;
    let found = tokio::task::spawn_blocking(move || {
        let indexed = of_index(&model);
        let samples = match indexed.is_empty() {
            true => service.samples.get_or_init(generated),
            false => &indexed,
        };
        Reply::of(Arc::clone(&model), &Samples { samples })
    });
    found.await.unwrap_or_else(|panic| Err(Problem::internal(panic)))
}

/// Texts of the model's own index, from all over it.
fn of_index(model: &Model) -> Vec<Sample> {
    let classifier = model.classifier();
    let Some(index) = classifier.index() else { return Vec::new() };
    let step = (index.len() / SAMPLES).max(1);
    let documents = (0..index.len()).step_by(step).filter_map(|i| index.document(i));
    let short = documents.filter(|(_, text)| !text.trim().is_empty() && text.len() <= LONGEST);
    let name = |&class: &u32| classifier.class_names().get(class as usize).cloned();
    let sample = |(classes, text): (&[u32], &str)| Sample {
        text: text.to_owned(),
        labels: classes.iter().filter_map(name).collect(),
        origin: "index",
    };
    short.take(SAMPLES).map(sample).collect()
}

/// Generated newswires, each of another topic.
fn generated() -> Vec<Sample> {
    let names = sample::class_names();
    let mut seen = vec![false; names.len()];
    let mut samples = Vec::new();
    for document in sample::documents(sample::DEFAULT_SEED) {
        let topic = document.label as usize;
        let plain = document.origin == sample::Origin::Plain;
        if samples.len() < SAMPLES && plain && !std::mem::replace(&mut seen[topic], true) {
            let labels = vec![names[topic].clone()];
            samples.push(Sample { text: document.text, labels, origin: "generated" });
        }
    }
    samples
}
