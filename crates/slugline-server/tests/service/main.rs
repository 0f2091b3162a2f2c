//! The service, called without a socket where none is needed.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails as a test does")]

mod document;
mod inference;
mod operation;
mod pages;
mod refusals;
mod routes;
mod sockets;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use slugline::classifier::{Classifier, TrainingOptions};
use slugline::corpus::{Documents, LabelKind, Labels, SequenceOptions, sample};
use slugline_server::{Limits, Options, Service, Source, app};
use tempfile::TempDir;
use tower::ServiceExt;

/// A text that the models know.
const TEXT: &str =
    "Coffee exporters said arrivals rose while the wheat harvest was delayed by rain.";

/// Model files that all tests share: of generated newswires, of several labels, of lists of features.
struct Files {
    _folder: TempDir,
    single: PathBuf,
    /// The same with an index, trained otherwise.
    indexed: PathBuf,
    multi: PathBuf,
    features: PathBuf,
}

fn files() -> &'static Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    FILES.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        let corpus =
            sample::load(&SequenceOptions { num_words: Some(2000), ..Default::default() }).unwrap();
        let options = TrainingOptions {
            max_features: 2000,
            hidden: vec![16],
            epochs: 3,
            ..TrainingOptions::default()
        };
        Classifier::train(&corpus, &options).unwrap().save(file("wires.slug")).unwrap();

        let mut wires = Documents::new(sample::class_names());
        for document in sample::documents(7).iter().take(1500) {
            wires.push(&document.text, document.label);
        }
        let options = TrainingOptions { epochs: 2, ..options };
        let indexed = Classifier::train_documents(&wires, "wires", &options, &mut []).unwrap();
        indexed.with_index(&wires).unwrap().save(file("indexed.slug")).unwrap();

        let names = ["grain", "metal", "energy"].map(String::from).to_vec();
        let words = ["wheat", "gold", "oil"];
        let mut several = Documents::of_kind(names.clone(), LabelKind::Multi);
        let mut sets = Vec::new();
        for i in 0..1400_u32 {
            let set: Vec<u32> = (0..3).filter(|class| i >> class & 1 == 1).collect();
            let parts: Vec<&str> = set.iter().map(|&class| words[class as usize]).collect();
            several.push_text(&format!("{} moved on day {}", parts.join(" and "), i % 7));
            sets.push(set);
        }
        let several = several.with_labels(Labels::Multi(sets)).unwrap();
        let options = TrainingOptions { epochs: 30, ..options.for_labels(LabelKind::Multi) };
        let multi = Classifier::train_documents(&several, "several", &options, &mut []).unwrap();
        multi.save(file("several.slug")).unwrap();

        let mut lists = Documents::new(names).with_content(slugline::corpus::Content::Features);
        for i in 0..1400_u32 {
            lists.push(&format!("{}:1 {}:0.5", i % 3 + 1, i % 5 + 4), i % 3);
        }
        let options = TrainingOptions { epochs: 1, ..options.for_labels(LabelKind::Single) };
        let features = Classifier::train_documents(&lists, "lists", &options, &mut []).unwrap();
        features.save(file("lists.slug")).unwrap();
        Files {
            single: file("wires.slug"),
            indexed: file("indexed.slug"),
            multi: file("several.slug"),
            features: file("lists.slug"),
            _folder: folder,
        }
    })
}

fn source(name: &str, path: &std::path::Path) -> Source {
    Source { name: name.into(), path: path.to_owned() }
}

/// Both models, the single-label one first.
fn options() -> Options {
    let models = vec![source("wires", &files().single), source("several", &files().multi)];
    Options { models, watch: None, ..Options::default() }
}

fn service(options: Options) -> Arc<Service> {
    Arc::new(Service::new(options).unwrap())
}

/// A response as it arrives.
#[derive(Debug)]
struct Said {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that it is a refusal as it has to be, and gives its detail.
    #[track_caller]
    fn refusal(&self, status: u16, code: &str) -> String {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/docs#{code}"));
        assert_eq!(problem["error"], problem["detail"]);
        assert_eq!(problem["request_id"], self.header("x-request-id"));
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()));
        problem["detail"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn ok(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        assert_eq!(self.header("content-type"), "application/json");
        self.json()
    }
}

/// A service that is asked without a socket.
struct Asked {
    router: Router,
    service: Arc<Service>,
}

impl Asked {
    fn new(options: Options) -> Self {
        let service = service(options);
        Self { router: app(&service), service }
    }

    fn usual() -> Self {
        Self::new(options())
    }

    fn within(limits: Limits) -> Self {
        Self::new(Options { limits, ..options() })
    }

    async fn send(&self, request: Request<Body>) -> Said {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Said { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Said {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, body: impl ToString) -> Said {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}
