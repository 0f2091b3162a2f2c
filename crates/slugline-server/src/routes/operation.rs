//! `/healthz`, `/readyz` and `/metrics`: for those who run the service.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use super::Reply;
use crate::problem::{Code, Problem};
use crate::service::Service;

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

pub(crate) async fn healthz() -> Result<Reply, Problem> {
    Reply::json(&Status { status: "ok" })
}

pub(crate) async fn readyz(State(service): State<Arc<Service>>) -> Result<Reply, Problem> {
    check_ready(&service)?;
    Reply::json(&Status { status: "ready" })
}

/// Models are loaded before the first request is taken, so that only the end makes it unready.
pub(super) fn check_ready(service: &Service) -> Result<(), Problem> {
    match service.is_draining() {
        false => Ok(()),
        true => Err(Problem::new(Code::Draining, "The service is about to end; ask another one.")
            .retry_after(Duration::from_secs(1))),
    }
}

pub(crate) async fn metrics(State(service): State<Arc<Service>>) -> Result<Reply, Problem> {
    let body = service.metrics.text().map_err(Problem::internal)?.into_bytes();
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let reply = Reply {
        body,
        content_type,
        status: StatusCode::OK,
        model: None,
        header_length: None,
        held: None,
    };
    Ok(reply)
}
