//! Every route.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::around::around;
use crate::body::discard;
use crate::error::ServeError;
use crate::models::{CHECKSUM_HEADER, MODEL_HEADER};
use crate::problem::{Code, Problem};
use crate::routes::{classify, explain, feedback, inference, models, operation, pages, tei};
use crate::service::Service;

/// A route of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// Its method; GET routes answer HEAD too.
    pub method: &'static str,
    /// Its path, with parameters in braces.
    pub path: &'static str,
    /// Whether it needs no key.
    pub open: bool,
}

const fn route(method: &'static str, path: &'static str, open: bool) -> Route {
    Route { method, path, open }
}

/// Every route; `OpenAPI`'s document describes the same.
pub const ROUTES: [Route; 25] = [
    route("POST", "/v1/classify", false),
    route("POST", "/v1/explain", false),
    route("GET", "/v1/models", false),
    route("GET", "/v1/model", false),
    route("GET", "/v1/samples", false),
    route("POST", "/v1/feedback", false),
    route("GET", "/v1/feedback", false),
    route("GET", "/v2", false),
    route("GET", "/v2/health/live", true),
    route("GET", "/v2/health/ready", true),
    route("GET", "/v2/models/{model}", false),
    route("GET", "/v2/models/{model}/ready", false),
    route("POST", "/v2/models/{model}/infer", false),
    route("GET", "/v2/models/{model}/versions/{version}", false),
    route("GET", "/v2/models/{model}/versions/{version}/ready", false),
    route("POST", "/v2/models/{model}/versions/{version}/infer", false),
    route("POST", "/predict", false),
    route("GET", "/healthz", true),
    route("GET", "/readyz", true),
    route("GET", "/metrics", false),
    route("GET", "/", true),
    route("GET", "/docs", true),
    route("GET", "/openapi.json", true),
    route("GET", "/assets/{name}", true),
    route("GET", "/favicon.svg", true),
];

/// Stands for the route of a request that has none.
pub(crate) const UNMATCHED: &str = "unmatched";

/// The route with a path.
pub(crate) fn route_of(path: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.path == path)
}

/// The whole service as a router.
pub fn app(service: &Arc<Service>) -> Router {
    let mut router = Router::new()
        .route("/v1/classify", post(classify::classify))
        .route("/v1/explain", post(explain::explain))
        .route("/v1/models", get(models::list))
        .route("/v1/model", get(models::describe))
        .route("/v1/samples", get(models::samples))
        .route("/v1/feedback", get(feedback::count).post(feedback::store))
        .route("/v2", get(inference::server))
        .route("/v2/health/live", get(inference::live))
        .route("/v2/health/ready", get(inference::ready))
        .route("/predict", post(tei::predict))
        .route("/healthz", get(operation::healthz))
        .route("/readyz", get(operation::readyz))
        .route("/metrics", get(operation::metrics));
    for model in ["/v2/models/{model}", "/v2/models/{model}/versions/{version}"] {
        router = router
            .route(model, get(inference::model))
            .route(&format!("{model}/ready"), get(inference::model_ready))
            .route(&format!("{model}/infer"), post(inference::infer));
    }
    if service.options().page {
        router = router
            .route("/", get(pages::page))
            .route("/docs", get(pages::docs))
            .route("/openapi.json", get(pages::openapi))
            .route("/assets/{name}", get(pages::asset))
            .route("/favicon.svg", get(pages::favicon));
    }
    let router = router
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(service), around))
        .with_state(Arc::clone(service));
    // What does not parse was refused when the service was made.
    match cors(&service.options().cors_origins) {
        Ok(Some(cors)) => router.layer(cors),
        Ok(None) | Err(_) => router,
    }
}

/// What lets pages of other origins call the service.
pub(crate) fn cors(origins: &[String]) -> Result<Option<CorsLayer>, ServeError> {
    if origins.is_empty() {
        return Ok(None);
    }
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        let parse = |origin: &String| {
            let scheme_and_host = origin.split_once("://").filter(|(scheme, host)| {
                !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#', ' '])
            });
            scheme_and_host
                .and_then(|_| HeaderValue::from_str(origin).ok())
                .ok_or_else(|| ServeError::Origin { origin: origin.clone() })
        };
        AllowOrigin::list(origins.iter().map(parse).collect::<Result<Vec<_>, _>>()?)
    };
    let length = inference::HEADER_LENGTH;
    let names = ["authorization", "content-type", "x-api-key", "x-request-id", length];
    let exposed = ["retry-after", "x-request-id", length, MODEL_HEADER, CHECKSUM_HEADER];
    Ok(Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(names.map(HeaderName::from_static))
            .expose_headers(exposed.map(HeaderName::from_static)),
    ))
}

async fn not_found(State(service): State<Arc<Service>>, request: Request) -> Problem {
    let lists = if service.options().page { "; /docs lists the routes" } else { "" };
    let detail = format!("There is nothing at {}{lists}.", request.uri().path());
    discard(request).await;
    Problem::new(Code::NotFound, detail)
}

async fn method_not_allowed(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    let detail = format!("{path} does not take {method}; the allow header lists what it does.");
    discard(request).await;
    Problem::new(Code::MethodNotAllowed, detail)
}

#[expect(clippy::needless_pass_by_value, reason = "the layer hands it over")]
fn panicked(what: Box<dyn Any + Send>) -> Response {
    let what = what
        .downcast_ref::<&str>()
        .map(|&text| text.to_owned())
        .or_else(|| what.downcast_ref::<String>().cloned());
    Problem::internal(what.unwrap_or_else(|| "a panic".to_owned())).into_response()
}
