//! `POST /v1/explain`: why a label.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use serde::{Deserialize, Serialize};
use slugline::explain::{ExplainOptions, Explanation};
use slugline::nearest::Neighbour;

use super::classify::Text;
use super::{Reply, check_texts, compute, invalid, log_texts};
use crate::body::{self, Buffered};
use crate::problem::{Code, Problem};
use crate::service::Service;

/// What a byte costs to explain, beside what it costs to classify.
const COST: usize = 50;

/// Training documents that are told at most.
const MOST_NEAREST: u32 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `text`")]
struct Question<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    class: Option<Cow<'a, str>>,
    #[serde(borrow)]
    against: Option<Cow<'a, str>>,
    nearest: Option<f64>,
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    why: &'a Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    nearest: Option<Vec<Neighbour>>,
}

pub(crate) async fn explain(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Reply, Problem> {
    let body = body::json(&service, request).await?;
    compute(&service, body, COST, answer).await
}

fn answer(service: &Service, body: &Buffered) -> Result<Reply, Problem> {
    let question: Question<'_> = body::parse(&body.bytes)?;
    let text = question.text.as_ref();
    check_texts(&[text], &service.options().limits)?;
    let model = service.models.get(question.model.as_deref())?;
    log_texts(body, &[text]);
    let class = |name: Option<Cow<'_, str>>| name.map(|name| model.class(&name)).transpose();
    let what = ExplainOptions { class: class(question.class)?, against: class(question.against)? };
    if what.class.is_some() && what.class == what.against {
        return Err(invalid("`class` and `against` are the same class: expected two."));
    }
    let nearest = question.nearest.map(number_of_nearest).transpose()?;
    if nearest.is_some() && model.classifier().index().is_none() {
        return Err(Problem::new(
            Code::UnsupportedModel,
            format!(
                "The model `{}` has no index of documents, so `nearest` finds none; train it with --index.",
                model.name
            ),
        ));
    }
    let why = model.engine.explain(text, what).map_err(|error| Problem::failed(&error))?;
    let nearest = nearest.map(|k| model.classifier().nearest(text, k)).transpose();
    let nearest = nearest.map_err(|error| Problem::failed(&error))?;
    Reply::of(Arc::clone(&model), &Answer { why: &why, nearest })
}

/// A whole number, which JSON does not tell from 3.0.
fn number_of_nearest(k: f64) -> Result<usize, Problem> {
    match k.fract() == 0.0 && (1.0..=f64::from(MOST_NEAREST)).contains(&k) {
        true => Ok(k as usize),
        false => Err(invalid(format!(
            "`nearest` is {k}: expected a whole number from 1 to {MOST_NEAREST}."
        ))),
    }
}
