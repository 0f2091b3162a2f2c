//! The body of a request, within limits of bytes and time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::{Instant, timeout, timeout_at};

use crate::around::RequestId;
use crate::problem::{Code, Problem};
use crate::service::Service;

/// How much more of a body that is refused is taken and thrown away, and for how long: a client that
/// sends it all before it reads would not see the refusal otherwise.
const THROWN_AWAY: u64 = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(2);
/// Who sends nothing for so long waits for the refusal.
const PAUSE: Duration = Duration::from_millis(200);

/// A body that has been read, which counts as held while it lives.
pub(crate) struct Buffered {
    pub(crate) bytes: Bytes,
    pub(crate) request_id: RequestId,
    held: Held,
}

/// Bytes that count as held while it lives.
pub(crate) struct Held {
    service: Arc<Service>,
    bytes: usize,
}

impl Held {
    fn more(&mut self, bytes: usize) -> Result<(), Problem> {
        self.service.buffer(bytes, self.bytes + bytes)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.service.unbuffer(self.bytes);
    }
}

impl Buffered {
    /// The service that the request goes to.
    pub(crate) fn service(&self) -> &Service {
        &self.held.service
    }

    /// Room for an answer of so many bytes.
    pub(crate) fn hold(&self, bytes: usize) -> Result<Held, Problem> {
        let mut held = Held { service: Arc::clone(&self.held.service), bytes: 0 };
        held.more(bytes)?;
        Ok(held)
    }
}

/// Reads a body that must be JSON by its header.
pub(crate) async fn json(service: &Arc<Service>, request: Request) -> Result<Buffered, Problem> {
    let problem = match content_type(request.headers()) {
        Some(json) if json == "application/json" || json.ends_with("+json") => {
            return any(service, request).await;
        }
        Some(other) => format!("The content-type is `{other}`"),
        None => "The request has no content-type".to_owned(),
    };
    discard(request).await;
    let detail = format!("{problem}; send JSON with `content-type: application/json`.");
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

/// The media type without its parameters, in lower case.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::CONTENT_TYPE)?.as_bytes();
    let kind = value.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
    Some(String::from_utf8_lossy(kind).to_ascii_lowercase())
}

/// Reads a body.
pub(crate) async fn any(service: &Arc<Service>, request: Request) -> Result<Buffered, Problem> {
    let limits = &service.options().limits;
    let request_id = request.extensions().get::<RequestId>().cloned().unwrap_or_default();
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limits.max_body as u64) {
        discard(request).await;
        return Err(too_large(limits.max_body));
    }
    if let Some(coding) = request.headers().get(header::CONTENT_ENCODING)
        && !coding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        let coding = String::from_utf8_lossy(coding.as_bytes()).into_owned();
        discard(request).await;
        let detail = format!("The content-encoding is `{coding}`; send the body as it is.");
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    let mut body = request.into_body();
    let mut held = Held { service: Arc::clone(service), bytes: 0 };
    match read(&mut body, &mut held).await {
        Ok(bytes) => Ok(Buffered { bytes, request_id, held }),
        Err(problem) => {
            drop(held);
            // One that came too slowly has had its time.
            if problem.code != Code::RequestTimeout {
                throw_away(body).await;
            }
            Err(problem)
        }
    }
}

fn too_large(most: usize) -> Problem {
    let detail =
        format!("The body is larger than {most} bytes; send fewer or shorter texts at a time.");
    Problem::new(Code::BodyTooLarge, detail)
}

async fn read(body: &mut Body, held: &mut Held) -> Result<Bytes, Problem> {
    let Held { service, .. } = &*held;
    let (most, patience) = (service.options().limits.max_body, service.options().timeouts.body);
    let deadline = Instant::now() + patience;
    let mut first = Bytes::new();
    let mut all: Option<BytesMut> = None;
    loop {
        let frame = timeout_at(deadline, body.frame()).await.map_err(|_| {
            let seconds = patience.as_secs_f64();
            let detail = format!("The body did not come within {seconds} s; send it in one go.");
            Problem::new(Code::RequestTimeout, detail)
        })?;
        let data = match frame {
            None => break,
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
            Some(Err(error)) => {
                let detail = format!("The body broke off or is malformed: {error}.");
                return Err(Problem::new(Code::BadRequest, detail));
            }
        };
        if held.bytes + data.len() > most {
            return Err(too_large(most));
        }
        held.more(data.len())?;
        // A body in one piece, as most are, is not copied.
        match &mut all {
            Some(all) => all.extend_from_slice(&data),
            None if first.is_empty() => first = data,
            None => {
                let mut joined = BytesMut::from(first.as_ref());
                joined.extend_from_slice(&data);
                all = Some(joined);
            }
        }
    }
    Ok(all.map_or(first, BytesMut::freeze))
}

/// Takes the body of a request that is refused and throws it away, within limits.
pub(crate) async fn discard(request: Request) {
    // Who asks first whether to send it need not.
    if !request.headers().contains_key(header::EXPECT) {
        throw_away(request.into_body()).await;
    }
}

async fn throw_away(mut body: Body) {
    let mut left = THROWN_AWAY;
    let all = async {
        while let Ok(Some(Ok(frame))) = timeout(PAUSE, body.frame()).await {
            let length = frame.data_ref().map_or(0, |data| data.len() as u64);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => break,
            }
        }
    };
    // What is not over by then is cut off.
    let _ = timeout(PATIENCE, all).await;
}

/// Reads JSON of a kind.
pub(crate) fn parse<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Problem> {
    // Told apart here, as the reader of JSON does not say which it is.
    if let Err(error) = std::str::from_utf8(bytes) {
        let detail = format!("The body is not UTF-8, from byte {} on.", error.valid_up_to());
        return Err(Problem::new(Code::InvalidJson, detail));
    }
    // Lists would do for objects otherwise, their elements for the fields in order.
    if bytes.trim_ascii_start().first().is_some_and(|&b| b != b'{')
        && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
    {
        let detail = "The request does not fit: expected a JSON object.";
        return Err(Problem::new(Code::InvalidRequest, detail));
    }
    serde_json::from_slice(bytes).map_err(|error| {
        if error.is_data() {
            let what = without_text(&error.to_string());
            Problem::new(Code::InvalidRequest, format!("The request does not fit: {what}."))
        } else {
            Problem::new(Code::InvalidJson, format!("The body is not JSON: {error}."))
        }
    })
}

/// What an error of JSON says, without the string that it has found: that may be what a client asks about,
/// which belongs neither into the log nor, at any length, into the answer.
fn without_text(error: &str) -> String {
    match (error.find("string \""), error.rfind("\", expected")) {
        (Some(from), Some(to)) if from < to => {
            format!("{}string{}", &error[..from], &error[to + 1..])
        }
        _ => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_do_not_repeat_texts() {
        #[derive(Debug, Deserialize)]
        struct Numbers {
            #[expect(dead_code, reason = "no string is a number")]
            n: Vec<u8>,
        }
        let body = br#"{"n": "a secret, \", expected to stay one"}"#;
        let problem = parse::<Numbers>(body).unwrap_err();
        assert_eq!(
            problem.detail,
            "The request does not fit: invalid type: string, expected a sequence at line 1 column 42."
        );
        let problem = parse::<Numbers>(br#"{"n": 7}"#).unwrap_err();
        assert!(problem.detail.contains("integer `7`"), "{}", problem.detail);
    }
}
