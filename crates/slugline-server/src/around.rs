//! What is the same for every request: its identity, keys, rates, counts and log lines.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::body::discard;
use crate::gate::Counted;
use crate::problem::Problem;
use crate::router::{Route, UNMATCHED, route_of};
use crate::service::Service;

/// Names the request, in requests and responses.
const HEADER: &str = "x-request-id";
/// Letters that a client's name for its request has at most.
const LONGEST: usize = 128;

/// The name of a request: the client's, or one that is given here.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl Default for RequestId {
    fn default() -> Self {
        Self(HeaderValue::from_static("-"))
    }
}

impl RequestId {
    fn of(headers: &HeaderMap) -> Self {
        let fits = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let given = headers.get(HEADER).filter(|value| {
            let bytes = value.as_bytes();
            (1..=LONGEST).contains(&bytes.len()) && bytes.iter().all(fits)
        });
        given.cloned().map_or_else(Self::next, Self)
    }

    /// A new one: when the process began, and a number.
    fn next() -> Self {
        static BEGAN: OnceLock<u64> = OnceLock::new();
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let began = *BEGAN.get_or_init(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            since.as_micros() as u64
        });
        let mut id = String::with_capacity(32);
        // Writing to a string cannot fail.
        let _ = write!(id, "{began:x}-{:x}", NUMBER.fetch_add(1, Ordering::Relaxed));
        HeaderValue::from_str(&id).map_or_else(|_| Self::default(), Self)
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("-")
    }
}

/// Who sent a request; an extension of requests, which [`serve`](crate::serve) sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// Lets a request through to its route, or refuses it.
pub(crate) async fn around(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = Instant::now();
    let _under_way = Counted::new(&service.metrics.in_flight);
    let id = RequestId::of(request.headers());
    let route = request.extensions().get::<MatchedPath>().and_then(|path| route_of(path.as_str()));
    let client = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
    let (method, uri) = (request.method().clone(), request.uri().clone());
    request.extensions_mut().insert(id.clone());

    let mut response = match admit(&service, &request, route, client) {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            discard(request).await;
            problem.into_response()
        }
    };
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = &problem {
        *response.body_mut() = Body::from(problem.document(id.as_str()));
        service.metrics.count_refusal(problem.code);
    }
    let headers = response.headers_mut();
    if service.is_draining() {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    let request_id = id.as_str();
    let path = uri.path();
    let status = response.status().as_u16();
    let code = problem.as_ref().map(|problem| problem.code.name());
    let time = began.elapsed();
    service.metrics.count_response(route.map_or(UNMATCHED, |route| route.path), status, time);
    let milliseconds = (time.as_secs_f64() * 1e6).round() / 1e3;
    let client = client.map(tracing::field::display);
    if let Some(cause) = problem.as_ref().and_then(|problem| problem.cause.as_deref()) {
        tracing::error!(request_id, cause, "a request failed by a defect of the service");
    }
    if let Some(Problem { detail, .. }) = problem {
        tracing::info!(
            %method, path, status, milliseconds, request_id, client, code, detail, "refused"
        );
    } else {
        tracing::info!(%method, path, status, milliseconds, request_id, client, "answered");
    }
    response.headers_mut().insert(HEADER, id.0);
    response
}

fn admit(
    service: &Service,
    request: &Request,
    route: Option<&Route>,
    client: Option<IpAddr>,
) -> Result<(), Problem> {
    // Those who run the service look whether it is there, however often they want.
    if route.is_some_and(|route| route.open) {
        return Ok(());
    }
    service.check_rate(client)?;
    service.check_key(request.headers())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_requests_are_the_clients_where_they_are_sane() {
        let of = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_bytes(value).unwrap());
            RequestId::of(&headers).as_str().to_owned()
        };
        assert_eq!(of(b"a-1.B_2"), "a-1.B_2");
        let long = "x".repeat(129);
        for bad in ["", "a b", "a\"b", "\u{e4}", &long] {
            assert_ne!(of(bad.as_bytes()), bad);
        }
        assert_ne!(of(b""), of(b""));
    }
}
