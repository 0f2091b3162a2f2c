//! Refusals: every way to say no, with its status, as a problem document (RFC 9457).

use std::error::Error;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Every way to refuse a request. The names are stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Code {
    /// A header or a query parameter cannot be read: 400.
    BadRequest,
    /// The body is not JSON: 400.
    InvalidJson,
    /// The JSON does not fit: 422.
    InvalidRequest,
    /// The model has no such class: 422.
    UnknownClass,
    /// The model cannot do what is asked for: 422.
    UnsupportedModel,
    /// There is no key, or a wrong one: 401.
    Unauthorized,
    /// There is nothing at this path: 404.
    NotFound,
    /// There is no model of this name: 404.
    UnknownModel,
    /// Corrections are not taken: 404.
    FeedbackOff,
    /// The path has no such method: 405.
    MethodNotAllowed,
    /// The body did not come in time: 408.
    RequestTimeout,
    /// The body is too large: 413.
    BodyTooLarge,
    /// There are too many texts: 413.
    BatchTooLarge,
    /// A text is too long: 413.
    TextTooLarge,
    /// The body is said to be something else than JSON: 415.
    UnsupportedMediaType,
    /// The address asks too often: 429, with `Retry-After`.
    TooManyRequests,
    /// Too much waits: 503, with `Retry-After`.
    Overloaded,
    /// The service is about to end: 503, with `Retry-After`.
    Draining,
    /// A defect of the service: 500.
    InternalError,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 19] = [
        Self::BadRequest,
        Self::InvalidJson,
        Self::InvalidRequest,
        Self::UnknownClass,
        Self::UnsupportedModel,
        Self::Unauthorized,
        Self::NotFound,
        Self::UnknownModel,
        Self::FeedbackOff,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::BodyTooLarge,
        Self::BatchTooLarge,
        Self::TextTooLarge,
        Self::UnsupportedMediaType,
        Self::TooManyRequests,
        Self::Overloaded,
        Self::Draining,
        Self::InternalError,
    ];

    /// Its name, status and title.
    const fn facts(self) -> (&'static str, StatusCode, &'static str) {
        match self {
            Self::BadRequest => ("bad_request", StatusCode::BAD_REQUEST, "Bad request"),
            Self::InvalidJson => ("invalid_json", StatusCode::BAD_REQUEST, "Invalid JSON"),
            Self::InvalidRequest => {
                ("invalid_request", StatusCode::UNPROCESSABLE_ENTITY, "Invalid request")
            }
            Self::UnknownClass => {
                ("unknown_class", StatusCode::UNPROCESSABLE_ENTITY, "Unknown class")
            }
            Self::UnsupportedModel => {
                ("unsupported_model", StatusCode::UNPROCESSABLE_ENTITY, "Unsupported model")
            }
            Self::Unauthorized => ("unauthorized", StatusCode::UNAUTHORIZED, "Unauthorized"),
            Self::NotFound => ("not_found", StatusCode::NOT_FOUND, "Not found"),
            Self::UnknownModel => ("unknown_model", StatusCode::NOT_FOUND, "Unknown model"),
            Self::FeedbackOff => ("feedback_off", StatusCode::NOT_FOUND, "Feedback off"),
            Self::MethodNotAllowed => {
                ("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "Method not allowed")
            }
            Self::RequestTimeout => {
                ("request_timeout", StatusCode::REQUEST_TIMEOUT, "Request timeout")
            }
            Self::BodyTooLarge => {
                ("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "Body too large")
            }
            Self::BatchTooLarge => {
                ("batch_too_large", StatusCode::PAYLOAD_TOO_LARGE, "Batch too large")
            }
            Self::TextTooLarge => {
                ("text_too_large", StatusCode::PAYLOAD_TOO_LARGE, "Text too large")
            }
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
            ),
            Self::TooManyRequests => {
                ("too_many_requests", StatusCode::TOO_MANY_REQUESTS, "Too many requests")
            }
            Self::Overloaded => ("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Overloaded"),
            Self::Draining => ("draining", StatusCode::SERVICE_UNAVAILABLE, "Draining"),
            Self::InternalError => {
                ("internal_error", StatusCode::INTERNAL_SERVER_ERROR, "Internal error")
            }
        }
    }

    /// Its name, as in problem documents and metrics.
    pub const fn name(self) -> &'static str {
        self.facts().0
    }

    /// The status of the response.
    pub const fn status(self) -> StatusCode {
        self.facts().1
    }

    /// What it is called.
    pub const fn title(self) -> &'static str {
        self.facts().2
    }
}

/// A refusal.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    /// A sentence for people: what is wrong and what to do.
    pub(crate) detail: String,
    /// When it is worth another try.
    pub(crate) retry_after: Option<Duration>,
    /// Why a defect came about, for the log alone.
    pub(crate) cause: Option<String>,
}

/// Letters of a detail at most: it may repeat what a client has sent.
const LONGEST_DETAIL: usize = 1_000;

/// An error with what is behind it.
pub(crate) fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |all, cause| format!("{all}: {cause}"))
}

/// As it is sent.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    code: &'a str,
    /// The detail once more, where clients of the Open Inference Protocol look for it.
    error: &'a str,
    request_id: &'a str,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        if let Some((end, _)) = detail.char_indices().nth(LONGEST_DETAIL) {
            detail.replace_range(end.., "\u{2026}");
        }
        Self { code, detail, retry_after: None, cause: None }
    }

    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// A defect, which is told in the log and not to the client.
    pub(crate) fn internal(what: impl std::fmt::Display) -> Self {
        let detail =
            "The service failed to answer this request; its log says why, under the request_id.";
        Self { cause: Some(what.to_string()), ..Self::new(Code::InternalError, detail) }
    }

    /// The same of an error, with what is behind it.
    pub(crate) fn failed(error: &dyn Error) -> Self {
        Self::internal(chain(error))
    }

    /// The body of the response.
    pub(crate) fn document(&self, request_id: &str) -> Vec<u8> {
        let document = Document {
            r#type: format!("/docs#{}", self.code.name()),
            title: self.code.title(),
            status: self.code.status().as_u16(),
            detail: &self.detail,
            code: self.code.name(),
            error: &self.detail,
            request_id,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }
}

/// The body is put in where the identity of the request is known, out of the extension.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, whole_seconds(wait).into());
        }
        if self.code == Code::Unauthorized {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Seconds, rounded up to at least one.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_statuses_refuse() {
        let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|code| code.status().as_u16() >= 400));
    }

    #[test]
    fn waits_are_whole_seconds() {
        for (wait, want) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2), (59_500, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(wait)), want);
        }
    }
}
