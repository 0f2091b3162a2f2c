//! What each route does.

pub(crate) mod classify;
pub(crate) mod explain;
pub(crate) mod feedback;
pub(crate) mod inference;
pub(crate) mod models;
pub(crate) mod operation;
pub(crate) mod pages;
pub(crate) mod tei;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;

use crate::body::{Buffered, Held};
use crate::models::Model;
use crate::options::Limits;
use crate::problem::{Code, Problem};
use crate::service::{SMALL, Service};

pub(crate) use models::Sample;

/// Bytes of a body that is worked on where it is: what takes less time than handing it over is worth,
/// and not so much that other requests notice. Bodies beyond go to threads of their own.
const HERE: usize = 64 << 10;

/// An answer that is ready to be sent.
pub(crate) struct Reply {
    body: Vec<u8>,
    content_type: &'static str,
    status: StatusCode,
    model: Option<Arc<Model>>,
    /// Bytes of its header where tensors follow it.
    header_length: Option<usize>,
    /// What it takes of the memory for bodies, until it is sent.
    held: Option<Held>,
}

/// Bytes that are held until they are sent.
struct HeldBytes {
    bytes: Vec<u8>,
    _held: Held,
}

impl AsRef<[u8]> for HeldBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Reply {
    /// JSON.
    pub(crate) fn json(value: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::to_vec(value).map_err(Problem::internal)?;
        let (content_type, status) = ("application/json", StatusCode::OK);
        Ok(Self { body, content_type, status, model: None, header_length: None, held: None })
    }

    /// JSON that a model has answered.
    pub(crate) fn of(model: Arc<Model>, value: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { model: Some(model), ..Self::json(value)? })
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let Self { body, content_type, status, model, header_length, held } = self;
        let mut response = Response::new(match held {
            None => Body::from(body),
            Some(held) => Body::from(Bytes::from_owner(HeldBytes { bytes: body, _held: held })),
        });
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(model) = model {
            model.sign(headers);
        }
        if let Some(length) = header_length {
            headers.insert(inference::HEADER_LENGTH, length.into());
        }
        response
    }
}

/// Computes a reply to a body, when it is its turn. A byte of it costs `cost` times what one costs to
/// classify.
pub(crate) async fn compute(
    service: &Service,
    body: Buffered,
    cost: usize,
    work: impl FnOnce(&Service, &Buffered) -> Result<Reply, Problem> + Send + 'static,
) -> Result<Reply, Problem> {
    let turn = service.gate.enter().await?;
    let work = |service: &Service, body: &Buffered| {
        let reply = work(service, body)?;
        // Small ones are limited by the number of connections.
        let held = Some(reply.body.len()).filter(|&bytes| bytes > SMALL);
        let held = held.map(|bytes| body.hold(bytes)).transpose()?;
        Ok(Reply { held, ..reply })
    };
    if body.bytes.len().saturating_mul(cost) <= HERE {
        let reply = work(service, &body);
        drop(turn);
        return reply;
    }
    let there = tokio::task::spawn_blocking(move || {
        let reply = work(body.service(), &body);
        drop(turn);
        reply
    });
    there.await.unwrap_or_else(|panic| Err(Problem::internal(panic)))
}

/// Checks the lengths of texts, and how many there are.
pub(crate) fn check_texts<T: AsRef<str>>(texts: &[T], limits: &Limits) -> Result<(), Problem> {
    let Limits { max_batch, max_text, .. } = *limits;
    if texts.len() > max_batch {
        let found = texts.len();
        let detail = format!("{found} texts are more than {max_batch}; send fewer at a time.");
        return Err(Problem::new(Code::BatchTooLarge, detail));
    }
    match texts.iter().position(|text| text.as_ref().len() > max_text) {
        None => Ok(()),
        Some(at) => {
            let found = texts[at].as_ref().len();
            let which = if texts.len() == 1 { "The text".into() } else { format!("Text {at}") };
            let detail = format!("{which} has {found} bytes, more than {max_text}; shorten it.");
            Err(Problem::new(Code::TextTooLarge, detail))
        }
    }
}

/// A request that does not fit.
pub(crate) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::InvalidRequest, detail)
}

/// A path that is no text.
pub(crate) fn unreadable(rejection: &PathRejection) -> Problem {
    let detail = format!("The path cannot be read: {}.", rejection.body_text());
    Problem::new(Code::BadRequest, detail)
}

/// Puts the texts of a request into the log, where that is asked for.
pub(crate) fn log_texts<T: AsRef<str>>(body: &Buffered, texts: &[T]) {
    if body.service().options().log_texts {
        for text in texts {
            let request_id = body.request_id.as_str();
            tracing::info!(request_id, text = text.as_ref(), "a text");
        }
    }
}
