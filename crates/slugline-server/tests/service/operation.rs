//! Health, metrics, identities, other origins, models put in place of others.

use std::fs;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};
use slugline_server::Options;

use super::{Asked, Said, TEXT, files, options, service, source};

#[tokio::test]
async fn it_says_how_it_is() {
    let asked = Asked::usual();
    assert_eq!(asked.get("/healthz").await.ok(), json!({ "status": "ok" }));
    assert_eq!(asked.get("/readyz").await.ok(), json!({ "status": "ready" }));
    asked.service.stop();
    assert_eq!(asked.get("/healthz").await.ok(), json!({ "status": "ok" }));
    for path in ["/readyz", "/v2/health/ready", "/v2/models/wires/ready"] {
        let said = asked.get(path).await;
        said.refusal(503, "draining");
        assert_eq!((said.header("retry-after"), said.header("connection")), ("1", "close"));
    }
    // What comes is still answered.
    asked.post("/v1/classify", json!({ "text": TEXT })).await.ok();
}

#[tokio::test]
async fn what_happens_is_counted() {
    let asked = Asked::usual();
    let texts = json!({ "texts": [TEXT, TEXT, "qqxx"] });
    let answers = asked.post("/v1/classify", texts).await.ok();
    asked.post("/v1/classify", "{").await.refusal(400, "invalid_json");
    asked.get("/nothing").await.refusal(404, "not_found");
    let said = asked.get("/metrics").await;
    assert!(said.header("content-type").starts_with("application/openmetrics-text"));
    let text = String::from_utf8(said.body).unwrap();
    let label = answers["answers"][0]["label"].as_str().unwrap();
    for line in [
        "slugline_documents_total{model=\"wires\"} 3",
        &format!("slugline_answers_total{{model=\"wires\",label=\"{label}\"}} 2"),
        "slugline_answers_total{model=\"wires\",label=\"unknown\"} 1",
        "slugline_answers_total{model=\"several\",label=\"grain\"} 0",
        "slugline_requests_total{route=\"/v1/classify\",status=\"200\"} 1",
        "slugline_requests_total{route=\"/v1/classify\",status=\"400\"} 1",
        "slugline_requests_total{route=\"unmatched\",status=\"404\"} 1",
        "slugline_request_duration_seconds_count{route=\"/v1/classify\"} 2",
        "slugline_refusals_total{code=\"invalid_json\"} 1",
        "slugline_unknown_word_share_bucket{le=\"1.0\",model=\"wires\"} 3",
        "slugline_unknown_word_share_bucket{le=\"0.9\",model=\"wires\"} 2",
        "slugline_requests_in_flight 1",
        "slugline_queue_length 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
    assert_eq!(text.matches("slugline_model_info{").count(), 2);
}

#[tokio::test]
async fn requests_have_names() {
    let asked = Asked::usual();
    let named = async |id: &str| {
        let request = Request::get("/healthz").header("x-request-id", id);
        asked.send(request.body(Body::empty()).unwrap()).await
    };
    assert_eq!(named("a-1").await.header("x-request-id"), "a-1");
    let made = named("not sane").await.header("x-request-id").to_owned();
    assert!(made != "not sane" && !made.is_empty());
    assert_ne!(named("").await.header("x-request-id"), made);
}

async fn preflight(asked: &Asked, origin: &str) -> Said {
    let request =
        Request::builder().method(Method::OPTIONS).uri("/v1/classify").header("origin", origin);
    let request = request
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,authorization");
    asked.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn pages_of_other_origins_call_it_only_where_that_is_allowed() {
    let origin = "https://desk.example";
    let closed = preflight(&Asked::usual(), origin).await;
    closed.refusal(405, "method_not_allowed");
    assert_eq!(closed.header("access-control-allow-origin"), "");
    let api_keys = vec!["a-key-of-some-length".to_owned()];
    let asked = Asked::new(Options { cors_origins: vec![origin.into()], api_keys, ..options() });
    let open = preflight(&asked, origin).await;
    assert_eq!((open.status.as_u16(), open.header("access-control-allow-origin")), (200, origin));
    assert_eq!(
        preflight(&asked, "https://other.example").await.header("access-control-allow-origin"),
        ""
    );
    let all = Asked::new(Options { cors_origins: vec!["*".into()], ..options() });
    assert_eq!(preflight(&all, origin).await.header("access-control-allow-origin"), "*");
}

#[tokio::test]
async fn a_changed_file_is_loaded_and_a_bad_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.slug");
    fs::copy(&files().single, &path).unwrap();
    let asked = Asked::new(Options { models: vec![source("m", &path)], ..options() });
    let checksum = async || {
        let said = asked.post("/v1/classify", json!({ "text": TEXT })).await;
        said.ok();
        said.header("slugline-checksum").to_owned()
    };
    let first = checksum().await;
    asked.service.reload_changed();
    assert_eq!(checksum().await, first);

    let put = |content: &[u8]| {
        fs::write(folder.path().join("new"), content).unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
    };
    let other = fs::read(&files().indexed).unwrap();
    put(&other);
    // Looked at twice, so that no half of a file is read.
    asked.service.reload_changed();
    assert_eq!(checksum().await, first);
    asked.service.reload_changed();
    let second = checksum().await;
    assert_ne!(second, first);

    let features = fs::read(&files().features).unwrap();
    for bad in [&other[..other.len() / 2], b"nonsense", b"", &features] {
        put(bad);
        asked.service.reload_changed();
        asked.service.reload_changed();
        assert_eq!(checksum().await, second);
        asked.service.reload();
        assert_eq!(checksum().await, second);
    }
    fs::remove_file(&path).unwrap();
    asked.service.reload_changed();
    asked.service.reload_changed();
    assert_eq!(checksum().await, second);
    put(&fs::read(&files().single).unwrap());
    asked.service.reload();
    assert_eq!(checksum().await, first);
    // Written over in place, as a careless copy does.
    fs::write(&path, b"x").unwrap();
    assert_eq!(checksum().await, first);
    let metrics = String::from_utf8(asked.get("/metrics").await.body).unwrap();
    assert!(
        metrics.contains("slugline_reloads_total{model=\"m\",outcome=\"loaded\"} 2"),
        "{metrics}"
    );
    assert!(metrics.contains("outcome=\"refused\"} 8"), "{metrics}");
    let info = format!("slugline_model_info{{model=\"m\",checksum=\"{first}\"}} 1");
    assert!(
        metrics.contains(&info) && metrics.matches("slugline_model_info{").count() == 1,
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_is_lost_or_mixed_up_while_models_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.slug");
    fs::copy(&files().single, &path).unwrap();
    let models = vec![source("m", &path)];
    let (ours, mut wanted) = (service(Options { models, ..options() }), Vec::new());
    for file in [&files().single, &files().indexed] {
        let classifier = slugline::classifier::Classifier::load(file).unwrap();
        let prediction = classifier.predict(TEXT);
        let answer = serde_json::to_string(&classifier.described(&prediction, 5)).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        wanted.push((classifier.checksum().unwrap(), answer));
    }
    let asking = (0..4).map(|_| {
        let (asked, wanted) =
            (Asked { router: slugline_server::app(&ours), service: ours.clone() }, wanted.clone());
        tokio::spawn(async move {
            let mut by = [0, 0];
            for _ in 0..300 {
                let said = asked.post("/v1/classify", json!({ "text": TEXT })).await;
                let model =
                    wanted.iter().position(|(sum, _)| sum == said.header("slugline-checksum"));
                assert_eq!(said.ok(), wanted[model.unwrap()].1);
                by[model.unwrap()] += 1;
                tokio::task::yield_now().await;
            }
            by
        })
    });
    let asking: Vec<_> = asking.collect();
    for turn in 0..20 {
        let file = if turn % 2 == 0 { &files().indexed } else { &files().single };
        fs::copy(file, folder.path().join("new")).unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        let ours = ours.clone();
        tokio::task::spawn_blocking(move || ours.reload()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for one in asking {
        one.await.unwrap();
    }
}
