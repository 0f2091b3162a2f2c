//! `POST /predict`: the form of Hugging Face's Text Embeddings Inference.

use std::sync::Arc;

use axum::extract::{Request, State};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use slugline::classifier::Prediction;

use super::classify::Text;
use super::{Reply, check_texts, compute, invalid, log_texts};
use crate::body::{self, Buffered};
use crate::models::Model;
use crate::problem::Problem;
use crate::service::Service;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `inputs`")]
struct Question<'a> {
    #[serde(borrow)]
    inputs: Inputs<'a>,
    raw_scores: Option<bool>,
    /// Texts are never cut, so that there is nothing to forbid, nor an end to cut.
    #[serde(rename = "truncate")]
    _truncate: Option<bool>,
    #[serde(rename = "truncation_direction")]
    _truncation_direction: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "`inputs` to be a text, or a list of lists of one text each")]
enum Inputs<'a> {
    One(#[serde(borrow)] Text<'a>),
    Batch(#[serde(borrow)] Vec<Input<'a>>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Input<'a> {
    /// One text, where it is the only input.
    Text(#[serde(borrow)] Text<'a>),
    Texts(#[serde(borrow)] Vec<Text<'a>>),
    /// Half of a pair, or nothing that could be one.
    Other(IgnoredAny),
}

#[derive(Serialize)]
struct Score<'a> {
    score: f32,
    label: &'a str,
}

pub(crate) async fn predict(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Reply, Problem> {
    let body = body::json(&service, request).await?;
    compute(&service, body, 1, answer).await
}

fn answer(service: &Service, body: &Buffered) -> Result<Reply, Problem> {
    let question: Question<'_> = body::parse(&body.bytes)?;
    let (texts, one) = match question.inputs {
        Inputs::One(text) => (vec![text], true),
        Inputs::Batch(inputs) if matches!(inputs.as_slice(), [Input::Text(_)]) => {
            (batch(inputs)?, true)
        }
        Inputs::Batch(inputs) => (batch(inputs)?, false),
    };
    check_texts(&texts, &service.options().limits)?;
    log_texts(body, &texts);
    let model = service.models.get(None)?;
    let predictions = model.answer(&texts, None);
    let scores = match question.raw_scores.unwrap_or(false) {
        false => predictions.iter().map(|prediction| ranked(&model, prediction)).collect(),
        true => raw(&model, &texts)?,
    };
    match scores.as_slice() {
        [scores] if one => Reply::of(Arc::clone(&model), scores),
        scores => Reply::of(Arc::clone(&model), &scores),
    }
}

fn batch(inputs: Vec<Input<'_>>) -> Result<Vec<Text<'_>>, Problem> {
    if inputs.is_empty() {
        return Err(invalid("`inputs` is empty: expected at least one text."));
    }
    let single = inputs.len() == 1;
    let one = |input| match input {
        Input::Text(text) if single => Ok(text),
        Input::Texts(mut texts) if texts.len() == 1 => Ok(texts.swap_remove(0)),
        Input::Text(_) | Input::Texts(_) | Input::Other(_) => Err(invalid(
            "`inputs` has something else than lists of one text: two texts are a pair, and this classifier \
             takes single ones; a batch is a list of lists: [[\"first\"], [\"second\"]].",
        )),
    };
    inputs.into_iter().map(one).collect()
}

/// All classes with their probabilities.
fn ranked<'a>(model: &'a Model, prediction: &Prediction) -> Vec<Score<'a>> {
    let ranked = model.classifier().ranked(prediction, usize::MAX).0;
    ranked.into_iter().map(|(label, score)| Score { score, label }).collect()
}

/// All classes with what the network gives them before its last activation.
fn raw<'a>(model: &'a Model, texts: &[Text<'_>]) -> Result<Vec<Vec<Score<'a>>>, Problem> {
    let classifier = model.classifier();
    let rows = classifier.vectorizer().transform(texts);
    let logits = rows.and_then(|rows| classifier.network().logits(&rows));
    let logits = logits.map_err(|error| Problem::failed(&error))?;
    let row = |logits: &[f32]| {
        let pairs = logits.iter().zip(classifier.class_names());
        let mut scores: Vec<_> = pairs.map(|(&score, label)| Score { score, label }).collect();
        scores.sort_by(|a, b| b.score.total_cmp(&a.score));
        scores
    };
    Ok(logits.iter_rows().map(row).collect())
}
