//! The document of the API says what the service does.

use std::collections::BTreeSet;

use serde_json::Value;
use slugline_server::{Code, ROUTES};

use super::Asked;

async fn document() -> Value {
    Asked::usual().get("/openapi.json").await.ok()
}

#[tokio::test]
async fn every_route_stands_in_the_document() {
    let document = document().await;
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys();
        let methods =
            methods.filter(|key| ["get", "post", "put", "delete"].contains(&key.as_str()));
        described.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    let served: BTreeSet<_> =
        ROUTES.iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    assert_eq!(described, served);
}

#[tokio::test]
async fn every_code_stands_in_the_document() {
    let document = document().await;
    let problems = document["components"]["x-problems"].as_array().unwrap();
    let described: BTreeSet<_> = problems
        .iter()
        .map(|p| {
            (
                p["code"].as_str().unwrap(),
                p["status"].as_u64().unwrap(),
                p["title"].as_str().unwrap(),
            )
        })
        .collect();
    let ours: BTreeSet<_> = Code::ALL
        .iter()
        .map(|code| (code.name(), u64::from(code.status().as_u16()), code.title()))
        .collect();
    assert_eq!(described, ours);
}

#[tokio::test]
async fn the_guide_names_every_code_and_route() {
    let guide =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/serve.md"))
            .unwrap();
    for code in Code::ALL {
        assert!(guide.contains(&format!("`{}`", code.name())), "{}", code.name());
    }
    for route in ROUTES.iter().filter(|route| !route.path.contains(['{', '.'])) {
        assert!(guide.contains(route.path), "{}", route.path);
    }
}
