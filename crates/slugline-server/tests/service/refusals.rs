//! Every way to refuse, with its status.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use slugline_server::{Limits, Options, ServeError, Service, Timeouts};

use super::{Asked, TEXT, files, options, source};

#[expect(clippy::too_many_lines, reason = "a table")]
#[tokio::test]
async fn questions_that_do_not_fit_are_refused_with_what_was_expected() {
    let asked = Asked::usual();
    for (path, question, status, code, part) in [
        ("/v1/classify", json!({}), 422, "invalid_request", "send `text`, or a list `texts`"),
        (
            "/v1/classify",
            json!({ "text": "a", "texts": ["b"] }),
            422,
            "invalid_request",
            "one of them",
        ),
        ("/v1/classify", json!({ "texts": [] }), 422, "invalid_request", "is empty"),
        ("/v1/classify", json!({ "text": 5 }), 422, "invalid_request", "expected a string"),
        ("/v1/classify", json!({ "txt": "a" }), 422, "invalid_request", "unknown field `txt`"),
        ("/v1/classify", json!({ "text": "a", "top_k": 0 }), 422, "invalid_request", "\"all\""),
        (
            "/v1/classify",
            json!({ "text": "a", "top_k": 1.5 }),
            422,
            "invalid_request",
            "whole number",
        ),
        (
            "/v1/classify",
            json!({ "text": "a", "top_k": "some" }),
            422,
            "invalid_request",
            "whole number",
        ),
        (
            "/v1/classify",
            json!({ "text": "a", "threshold": 1.1 }),
            422,
            "invalid_request",
            "0 to 1, or \"none\"",
        ),
        (
            "/v1/classify",
            json!({ "text": "a", "threshold": "f1" }),
            422,
            "invalid_request",
            "0 to 1",
        ),
        (
            "/v1/classify",
            json!({ "text": "a", "min_confidence": -1 }),
            422,
            "invalid_request",
            "0 to 1",
        ),
        (
            "/v1/classify",
            json!({ "text": "a", "min_confidence": "none" }),
            422,
            "invalid_request",
            "0 to 1",
        ),
        (
            "/v1/classify",
            json!({ "text": "a", "model": "x" }),
            404,
            "unknown_model",
            "wires, several",
        ),
        ("/v1/classify", json!([1]), 422, "invalid_request", "expected a JSON object"),
        ("/v1/explain", json!({}), 422, "invalid_request", "missing field `text`"),
        ("/v1/explain", json!({ "text": "a", "class": "x" }), 422, "unknown_class", "no class `x`"),
        (
            "/v1/explain",
            json!({ "text": "a", "class": "coffee", "against": "coffee" }),
            422,
            "invalid_request",
            "same class",
        ),
        ("/v1/explain", json!({ "text": "a", "nearest": 3 }), 422, "unsupported_model", "--index"),
        ("/v1/explain", json!({ "text": "a", "nearest": 51 }), 422, "invalid_request", "1 to 50"),
        ("/v1/explain", json!({ "text": "a", "nearest": 0.5 }), 422, "invalid_request", "1 to 50"),
        (
            "/v1/feedback",
            json!({ "text": "a", "label": "x" }),
            404,
            "feedback_off",
            "--feedback FILE",
        ),
        ("/predict", json!({ "inputs": ["a", "b"] }), 422, "invalid_request", "pair"),
        ("/predict", json!({ "inputs": [["a", "b"]] }), 422, "invalid_request", "pair"),
        ("/predict", json!({ "inputs": [] }), 422, "invalid_request", "empty"),
        ("/predict", json!({ "inputs": 5 }), 422, "invalid_request", "a list of lists"),
        (
            "/predict",
            json!({ "inputs": "a", "parameters": {} }),
            422,
            "invalid_request",
            "unknown field",
        ),
    ] {
        let detail = asked.post(path, &question).await.refusal(status, code);
        assert!(detail.contains(part), "{path} {question}: {detail}");
    }
    for (body, part) in
        [("", "EOF"), ("{", "line 1"), ("{\"text\": \"a\",}", "column"), ("nonsense", "line 1")]
    {
        let detail = asked.post("/v1/classify", body).await.refusal(400, "invalid_json");
        assert!(detail.contains(part), "{body}: {detail}");
    }
    let request = Request::post("/v1/classify").header("content-type", "application/json");
    let said = asked.send(request.body(Body::from(&b"{\"text\": \"\xff\"}"[..])).unwrap()).await;
    assert!(said.refusal(400, "invalid_json").contains("UTF-8, from byte 10 on"));
    asked.get("/v1/model?model=x").await.refusal(404, "unknown_model");
    asked.get("/v1/model?model=a&model=b").await.refusal(400, "bad_request");
    asked.get("/v1/feedback").await.refusal(404, "feedback_off");
}

#[tokio::test]
async fn corrections_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let feedback = Some(folder.path().join("f.sqlite"));
    let asked = Asked::new(Options { feedback, ..options() });
    let long = "x".repeat(201);
    for (question, part) in [
        (json!({ "text": "a" }), "no label"),
        (json!({ "text": " \n", "label": "a" }), "is blank"),
        (json!({ "text": "a", "labels": ["x", " x"], "model": "several" }), "`x` is there twice"),
        (json!({ "text": "a", "label": "" }), "not blank"),
        (json!({ "text": "a", "label": " " }), "not blank"),
        (json!({ "text": "a", "label": "a\nb" }), "line breaks"),
        (json!({ "text": "a", "label": long }), "1 to 200"),
        (json!({ "text": "a", "label": "unknown" }), "cannot be `unknown`"),
        (json!({ "text": "a", "labels": ["x"] }), "send `label`"),
        (json!({ "text": "a", "labels": vec!["x"; 101], "model": "several" }), "101 labels"),
        (
            json!({ "text": "a", "labels": ["x", "y", "x"], "model": "several" }),
            "`x` is there twice",
        ),
        (json!({ "text": "a", "label": "x", "labels": ["x"], "model": "several" }), "one of them"),
        (json!({ "text": "a", "label": "x", "note": "n".repeat(2001) }), "2000 characters"),
    ] {
        let detail = asked.post("/v1/feedback", &question).await.refusal(422, "invalid_request");
        assert!(detail.contains(part), "{question}: {detail}");
    }
    assert_eq!(asked.get("/v1/feedback").await.ok(), json!({ "corrections": 0 }));
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let limits = Limits { max_body: 2_000, max_batch: 3, max_text: 100, ..Limits::default() };
    let asked = Asked::within(limits);
    let classify = async |question: Value| asked.post("/v1/classify", question).await;
    let detail =
        classify(json!({ "text": "x".repeat(3_000) })).await.refusal(413, "body_too_large");
    assert!(detail.contains("2000 bytes"), "{detail}");
    // The same of a body whose length nobody has said.
    let pieces = vec![Ok::<_, std::io::Error>("x".repeat(1_500)), Ok("x".repeat(1_500))];
    let stream = Body::from_stream(Pieces(pieces));
    let request = Request::post("/v1/classify").header("content-type", "application/json");
    asked.send(request.body(stream).unwrap()).await.refusal(413, "body_too_large");
    let detail =
        classify(json!({ "texts": ["a", "b", "c", "d"] })).await.refusal(413, "batch_too_large");
    assert!(detail.contains("4 texts are more than 3"), "{detail}");
    let detail =
        classify(json!({ "texts": ["a", "ä".repeat(51)] })).await.refusal(413, "text_too_large");
    assert!(detail.contains("Text 1 has 102 bytes, more than 100"), "{detail}");
    classify(json!({ "texts": ["a", "ä".repeat(50), "c"] })).await.ok();
    for path in ["/v1/explain", "/predict"] {
        let name = if path == "/predict" { "inputs" } else { "text" };
        asked.post(path, json!({ name: "x".repeat(101) })).await.refusal(413, "text_too_large");
    }
    let texts = json!({ "inputs": [{ "name": "text", "shape": [4], "datatype": "BYTES", "data": ["a", "b", "c", "d"] }] });
    asked.post("/v2/models/wires/infer", texts).await.refusal(413, "batch_too_large");
}

/// A body in pieces.
struct Pieces(Vec<Result<String, std::io::Error>>);

impl futures_core::Stream for Pieces {
    type Item = Result<String, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.pop())
    }
}

#[tokio::test]
async fn other_paths_methods_and_media_types_are_refused() {
    let asked = Asked::usual();
    let detail = asked.get("/v1/nothing").await.refusal(404, "not_found");
    assert!(detail.contains("/v1/nothing"), "{detail}");
    asked.get("/v1/classify/").await.refusal(404, "not_found");
    asked.get("/assets/../Cargo.toml").await.refusal(404, "not_found");
    let said = asked.get("/v1/classify").await;
    said.refusal(405, "method_not_allowed");
    assert_eq!(said.header("allow"), "POST");
    let said = asked.post("/v1/models", "{}").await;
    said.refusal(405, "method_not_allowed");
    assert_eq!(said.header("allow"), "GET,HEAD");
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        let request = Request::post("/v1/classify").header("content-type", kind);
        let said = asked.send(request.body(Body::from("{\"text\":\"a\"}")).unwrap()).await;
        assert!(said.refusal(415, "unsupported_media_type").contains(kind));
    }
    let said = asked.send(Request::post("/predict").body(Body::from("{}")).unwrap()).await;
    assert!(said.refusal(415, "unsupported_media_type").contains("no content-type"));
    for path in ["/v2/models/%ff", "/v2/models/%ff/ready", "/assets/%ff"] {
        asked.get(path).await.refusal(400, "bad_request");
    }
    let zipped = Request::post("/v1/classify").header("content-type", "application/json");
    let zipped = zipped.header("content-encoding", "gzip").body(Body::from("{\"text\":\"a\"}"));
    let said = asked.send(zipped.unwrap()).await;
    assert!(said.refusal(415, "unsupported_media_type").contains("gzip"));
    let long = asked.get(&format!("/v1/{}", "x".repeat(5_000))).await.refusal(404, "not_found");
    assert_eq!(long.chars().count(), 1_001);
    for kind in ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.a+json"] {
        let request = Request::post("/v1/classify").header("content-type", kind);
        asked.send(request.body(Body::from("{\"text\":\"a\"}")).unwrap()).await.ok();
    }
}

#[tokio::test]
async fn keys_are_asked_for() {
    let api_keys = vec!["first-key-0001".into(), "second-key-002".into()];
    let asked = Asked::new(Options { api_keys, ..options() });
    let with = async |name: &str, value: &str| {
        let request = Request::post("/v1/classify").header("content-type", "application/json");
        let body = Body::from(json!({ "text": TEXT }).to_string());
        asked.send(request.header(name, value).body(body).unwrap()).await
    };
    for (name, value) in [
        ("authorization", "Bearer first-key-0001"),
        ("authorization", "bearer second-key-002"),
        ("x-api-key", "second-key-002"),
    ] {
        with(name, value).await.ok();
    }
    for (name, value) in [
        ("authorization", "Bearer first-key-000"),
        ("authorization", "Bearer first-key-00011"),
        ("authorization", "Basic first-key-0001"),
        ("authorization", "first-key-0001"),
        ("x-api-key", ""),
        ("x-other", "first-key-0001"),
    ] {
        let said = with(name, value).await;
        said.refusal(401, "unauthorized");
        assert_eq!(said.header("www-authenticate"), "Bearer");
    }
    for route in slugline_server::ROUTES.iter().filter(|route| route.method == "GET") {
        let path = route.path.replace("{model}", "wires").replace("{version}", "1");
        let said = asked.get(&path.replace("{name}", "page.css")).await;
        let wanted = if route.open { 200 } else { 401 };
        assert_eq!(said.status.as_u16(), wanted, "{path}");
    }
    asked.get("/v1/nothing").await.refusal(401, "unauthorized");
}

#[tokio::test]
async fn who_asks_too_often_is_told_to_wait() {
    let asked = Asked::within(Limits { rate_limit: 2, ..Limits::default() });
    let from = async |address: &str| {
        let peer: SocketAddr = address.parse().unwrap();
        let mut request = Request::get("/v1/models").body(Body::empty()).unwrap();
        request.extensions_mut().insert(slugline_server::Peer(peer));
        asked.send(request).await
    };
    for _ in 0..2 {
        from("10.0.0.1:5").await.ok();
    }
    let said = from("10.0.0.1:6").await;
    said.refusal(429, "too_many_requests");
    assert_eq!(said.header("retry-after"), "1");
    from("10.0.0.2:5").await.ok();
    tokio::time::sleep(Duration::from_millis(600)).await;
    from("10.0.0.1:7").await.ok();
}

#[tokio::test]
async fn more_bytes_than_there_is_room_for_are_turned_away() {
    let asked = Asked::within(Limits { max_buffer: 1_000, ..Limits::default() });
    let said = asked.post("/v1/classify", json!({ "text": "x".repeat(2_000) })).await;
    said.refusal(503, "overloaded");
    assert_eq!(said.header("retry-after"), "1");
    // What was held is given back.
    for _ in 0..3 {
        asked.post("/v1/classify", json!({ "text": "x".repeat(900) })).await.ok();
    }
}

#[tokio::test]
async fn room_is_kept_for_what_is_small_and_taken_by_large_answers() {
    let asked = Asked::within(Limits { max_buffer: 200_000, ..Limits::default() });
    let large = asked.post("/v1/classify", json!({ "text": "x".repeat(160_000) })).await;
    large.refusal(503, "overloaded");
    asked.post("/v1/classify", json!({ "text": "x".repeat(60_000) })).await.ok();
    // The question is small, the answer is not.
    let texts = json!({ "texts": vec!["coffee"; 1000], "top_k": "all" });
    asked.post("/v1/classify", texts).await.refusal(503, "overloaded");
    for _ in 0..3 {
        asked.post("/v1/classify", json!({ "texts": vec!["coffee"; 600] })).await.ok();
    }
}

#[tokio::test]
async fn corrections_that_wait_hold_nobody_else_up() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f.sqlite");
    let queue = Duration::from_millis(200);
    let timeouts = Timeouts { queue, ..Timeouts::default() };
    let asked = Asked::new(Options { feedback: Some(path.clone()), timeouts, ..options() });
    let correction = json!({ "text": "a", "label": "b" });
    asked.post("/v1/feedback", &correction).await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let first = asked.post("/v1/feedback", &correction);
    let second = async {
        // When the first has its turn.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let second = asked.post("/v1/feedback", &correction).await;
        second.refusal(503, "overloaded");
        asked.post("/v1/classify", json!({ "texts": vec![TEXT; 1000] })).await.ok();
        other.execute_batch("ROLLBACK").unwrap();
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.status, 201);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let timeouts = Timeouts { body: Duration::from_secs(3), ..Timeouts::default() };
    let asked = Asked::new(Options { timeouts, ..options() });
    let request = Request::post("/v1/classify").header("content-type", "application/json");
    let stalled = Body::from_stream(Stalled);
    let said = asked.send(request.body(stalled).unwrap()).await;
    assert!(said.refusal(408, "request_timeout").contains("3 s"));
}

/// A body that never comes.
struct Stalled;

impl futures_core::Stream for Stalled {
    type Item = Result<String, std::io::Error>;

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Pending
    }
}

#[test]
fn services_that_cannot_be_are_refused() {
    let refused = |options: Options| Service::new(options).err().unwrap();
    let models = |models| Options { models, ..options() };
    assert!(matches!(refused(models(vec![])), ServeError::NoModel));
    let twice = vec![source("a", &files().single), source("a", &files().multi)];
    assert!(matches!(refused(models(twice)), ServeError::SameName { .. }));
    let odd = vec![source("a b", &files().single)];
    assert!(refused(models(odd)).to_string().contains("NAME=FILE"));
    let lists = refused(models(vec![source("lists", &files().features)]));
    assert!(lists.to_string().contains("reads lists of features"), "{lists}");
    let missing = refused(models(vec![source("a", std::path::Path::new("no.slug"))]));
    assert!(missing.to_string().contains("no.slug"), "{missing}");
    let key = |key: &str| Options { api_keys: vec!["long-enough".into(), key.into()], ..options() };
    for bad in ["short", "with a space", "übergroß-key"] {
        assert!(refused(key(bad)).to_string().contains("API key 2"));
    }
    let origin = |origin: &str| Options { cors_origins: vec![origin.into()], ..options() };
    for bad in ["example.org", "https://example.org/path", "https://"] {
        assert!(refused(origin(bad)).to_string().contains("no origin"), "{bad}");
    }
    let feedback = Some(files().single.clone());
    assert!(matches!(refused(Options { feedback, ..options() }), ServeError::Feedback(_)));
}
