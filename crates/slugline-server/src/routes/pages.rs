//! The pages for people, and the document of the API.

use std::sync::OnceLock;

use axum::body::Body;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::{IntoResponse, Response};

use super::unreadable;
use crate::problem::{Code, Problem};

/// Nothing but what this service itself sends.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

macro_rules! asset {
    ($name:literal) => {
        include_str!(concat!("../../assets/", $name))
    };
}

/// What pages load: name, kind, content.
const ASSETS: [(&str, &str, &str); 12] = [
    ("page.css", "text/css; charset=utf-8", asset!("page.css")),
    ("page.js", SCRIPT, asset!("page.js")),
    ("answer.js", SCRIPT, asset!("answer.js")),
    ("why.js", SCRIPT, asset!("why.js")),
    ("tried.js", SCRIPT, asset!("tried.js")),
    ("correct.js", SCRIPT, asset!("correct.js")),
    ("facts.js", SCRIPT, asset!("facts.js")),
    ("files.js", SCRIPT, asset!("files.js")),
    ("docs.js", SCRIPT, asset!("docs.js")),
    ("schema.js", SCRIPT, asset!("schema.js")),
    ("api.js", SCRIPT, asset!("api.js")),
    ("dom.js", SCRIPT, asset!("dom.js")),
];

/// Something that a browser loads.
fn sent(kind: &'static str, content: &'static str) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // After an update of the service no old script meets a new page.
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, Body::from(content)).into_response()
}

pub(crate) async fn page() -> Response {
    sent(HTML, asset!("index.html"))
}

pub(crate) async fn docs() -> Response {
    sent(HTML, asset!("docs.html"))
}

pub(crate) async fn favicon() -> Response {
    sent("image/svg+xml", asset!("favicon.svg"))
}

/// The document of the API, with the version of this program.
pub(crate) async fn openapi() -> Response {
    static DOCUMENT: OnceLock<String> = OnceLock::new();
    let document = DOCUMENT.get_or_init(|| {
        let version = concat!("\"version\": \"", env!("CARGO_PKG_VERSION"), "\"");
        asset!("openapi.json").replacen("\"version\": \"0.0.0\"", version, 1)
    });
    sent("application/json", document)
}

pub(crate) async fn asset(name: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let Path(name) = name.map_err(|rejection| unreadable(&rejection))?;
    match ASSETS.iter().find(|(asset, ..)| *asset == name) {
        Some((_, kind, content)) => Ok(sent(kind, content)),
        None => Err(Problem::new(Code::NotFound, "No page loads such a file.")),
    }
}
