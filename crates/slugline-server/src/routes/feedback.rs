//! `/v1/feedback`: corrections, for the next training.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use slugline::corpus::LabelKind;
use slugline::decision::{Answer, UNKNOWN};
use slugline::feedback::{Correction, FeedbackError};

use super::classify::Text;
use super::{Reply, check_texts, invalid, log_texts};
use crate::body::{self, Buffered, discard};
use crate::problem::{Code, Problem};
use crate::service::Service;

/// Characters of a label at most.
const LONGEST_LABEL: usize = 200;
/// Labels of a text at most.
const MOST_LABELS: usize = 100;
/// Characters of a note at most.
const LONGEST_NOTE: usize = 2_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "an object with `text` and `label`")]
struct Given<'a> {
    #[serde(borrow)]
    text: Text<'a>,
    label: Option<String>,
    labels: Option<Vec<String>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    note: Option<String>,
}

#[derive(Serialize)]
struct Stored<'a> {
    id: i64,
    model: &'a str,
    /// What the model says.
    answer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<&'a [String]>,
}

#[derive(Serialize)]
struct Count {
    corrections: u64,
}

pub(crate) async fn store(
    State(service): State<Arc<Service>>,
    request: Request,
) -> Result<Reply, Problem> {
    if !service.takes_feedback() {
        discard(request).await;
        return Err(service.feedback().err().unwrap_or_else(|| Problem::internal("no database")));
    }
    let body = body::json(&service, request).await?;
    let turn = service.corrections.enter().await?;
    let stored = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        keep(body.service(), &body)
    });
    stored.await.unwrap_or_else(|panic| Err(Problem::internal(panic)))
}

fn keep(service: &Service, body: &Buffered) -> Result<Reply, Problem> {
    let given: Given<'_> = body::parse(&body.bytes)?;
    let text = given.text.as_ref();
    check_texts(&[text], &service.options().limits)?;
    if text.trim().is_empty() {
        return Err(invalid("`text` is blank, and nothing can be learnt from that."));
    }
    let model = service.models.get(given.model.as_deref())?;
    let multi_label = model.classifier().label_kind() == LabelKind::Multi;
    let mut labels = match (given.label, given.labels) {
        (Some(label), None) => vec![label],
        (None, Some(labels)) if multi_label => labels,
        (None, Some(_)) => {
            return Err(invalid("The model gives one label a text: send `label`, not `labels`."));
        }
        (Some(_), Some(_)) => {
            return Err(invalid("There are `label` and `labels`: send one of them."));
        }
        (None, None) => return Err(invalid("There is no label: send `label`, what the text is.")),
    };
    // As they are trimmed when they are read for a training.
    for label in &mut labels {
        label.truncate(label.trim_end().len());
        label.drain(..label.len() - label.trim_start().len());
    }
    check_labels(&labels)?;
    if given.note.as_ref().is_some_and(|note| note.chars().count() > LONGEST_NOTE) {
        return Err(invalid(format!("`note` is longer than {LONGEST_NOTE} characters.")));
    }
    log_texts(body, &[text]);
    let prediction = model.engine.predict(&[text]).swap_remove(0);
    let answered: Vec<String> =
        model.classifier().answered(&prediction).into_iter().map(str::to_owned).collect();
    let answer = match prediction.answer {
        Answer::Unknown(_) => Some(UNKNOWN.to_owned()),
        _ => Some(answered.join(",")).filter(|answer| !answer.is_empty()),
    };
    let correction = Correction {
        text: text.to_owned(),
        labels,
        multi_label,
        answer: answered,
        probability: Some(prediction.largest_probability()),
        model: model.name.clone(),
        checksum: model.checksum.clone(),
        note: given.note,
        time: SystemTime::now(),
    };
    let id = service.feedback()?.add(&correction).map_err(|error| failed(&error))?;
    service.metrics.count_correction(&model.name);
    let labels = &correction.labels;
    let stored = Stored {
        id,
        model: &model.name,
        answer,
        label: labels.first().filter(|_| !multi_label).map(String::as_str),
        labels: multi_label.then_some(labels),
    };
    let reply = Reply::of(Arc::clone(&model), &stored)?;
    Ok(Reply { status: StatusCode::CREATED, ..reply })
}

fn check_labels(labels: &[String]) -> Result<(), Problem> {
    if labels.len() > MOST_LABELS {
        let found = labels.len();
        return Err(invalid(format!("There are {found} labels: expected at most {MOST_LABELS}.")));
    }
    for (i, label) in labels.iter().enumerate() {
        let length = label.chars().count();
        if length == 0 || length > LONGEST_LABEL || label.contains(char::is_control) {
            return Err(invalid(format!(
                "A label has {length} characters: expected 1 to {LONGEST_LABEL}, not blank, without line breaks."
            )));
        }
        if labels[..i].contains(label) {
            return Err(invalid(format!("The label `{label}` is there twice.")));
        }
        if label == UNKNOWN {
            return Err(invalid("A label cannot be `unknown`, which says that there is none."));
        }
    }
    Ok(())
}

pub(crate) async fn count(State(service): State<Arc<Service>>) -> Result<Reply, Problem> {
    let turn = service.corrections.enter().await?;
    let counted = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let corrections = service.feedback()?.count().map_err(|error| failed(&error))?;
        Reply::json(&Count { corrections })
    });
    counted.await.unwrap_or_else(|panic| Err(Problem::internal(panic)))
}

/// What the database says; that it is locked will pass.
fn failed(error: &FeedbackError) -> Problem {
    if error.is_busy() {
        let detail = "Another program keeps the corrections locked. Try again later.";
        return Problem::new(Code::Overloaded, detail).retry_after(Duration::from_secs(1));
    }
    Problem::failed(error)
}
