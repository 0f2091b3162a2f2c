//! What the routes of the API answer.

use serde_json::{Value, json};
use slugline::classifier::Classifier;
use slugline::explain::ExplainOptions;
use slugline::feedback::{Feedback, Query};
use slugline_server::Options;

use super::{Asked, TEXT, files, options, source};

/// What the library answers, as JSON.
fn expected(classifier: &Classifier, text: &str, top_k: usize) -> Value {
    let text = serde_json::to_string(&classifier.described(&classifier.predict(text), top_k));
    serde_json::from_str(&text.unwrap()).unwrap()
}

#[tokio::test]
async fn a_text_is_answered_as_the_library_does() {
    let (asked, classifier) = (Asked::usual(), Classifier::load(&files().single).unwrap());
    let said = asked.post("/v1/classify", json!({ "text": TEXT })).await;
    assert_eq!(said.ok(), expected(&classifier, TEXT, 5));
    assert_eq!(said.header("slugline-model"), "wires");
    assert_eq!(said.header("slugline-checksum"), classifier.checksum().unwrap());
    for (top_k, want) in [(json!(1), 1), (json!(3.0), 3), (json!("all"), 46), (json!(1000), 46)] {
        let said = asked.post("/v1/classify", json!({ "text": TEXT, "top_k": top_k })).await;
        assert_eq!(said.ok(), expected(&classifier, TEXT, want));
    }
}

#[tokio::test]
async fn a_batch_is_answered_in_its_order() {
    let (asked, classifier) = (Asked::usual(), Classifier::load(&files().single).unwrap());
    // Long enough to be handed to another thread.
    let texts: Vec<String> =
        (0..300).map(|i| format!("{TEXT} {} {i}", TEXT.repeat(i % 7))).collect();
    let said = asked.post("/v1/classify", json!({ "texts": texts, "top_k": 2 })).await.ok();
    let answers = said["answers"].as_array().unwrap();
    assert_eq!(answers.len(), texts.len());
    for (answer, text) in answers.iter().zip(&texts) {
        assert_eq!(*answer, expected(&classifier, text, 2));
    }
    let one = asked.post("/v1/classify", json!({ "texts": [TEXT] })).await.ok();
    assert_eq!(one["answers"], json!([expected(&classifier, TEXT, 5)]));
}

#[tokio::test]
async fn models_are_asked_by_name() {
    let asked = Asked::usual();
    let said =
        asked.post("/v1/classify", json!({ "text": "wheat and oil", "model": "several" })).await;
    assert_eq!(said.header("slugline-model"), "several");
    assert_eq!(said.ok()["labels"], json!(["grain", "energy"]).sorted_like(&said.json()["labels"]));
    let none =
        asked.post("/v1/classify", json!({ "text": "moved on day", "model": "several" })).await;
    assert_eq!((&none.ok()["label"], &none.json()["labels"]), (&Value::Null, &json!([])));
    let models = asked.get("/v1/models").await.ok();
    let names =
        |i: usize| (models["models"][i]["name"].clone(), models["models"][i]["default"].clone());
    assert_eq!(names(0), (json!("wires"), json!(true)));
    assert_eq!(names(1), (json!("several"), json!(false)));
    assert_eq!(
        (&models["feedback"], &models["limits"]["max_batch"]),
        (&json!(false), &json!(1024))
    );
    let model = asked.get("/v1/model?model=several").await.ok();
    assert_eq!((&model["label_kind"], &model["classes"][1]), (&json!("multi"), &json!("metal")));
    let model = asked.get("/v1/model").await.ok();
    assert_eq!(model["summary"]["layers"].as_array().unwrap().len(), 2);
    assert_eq!(model["provenance"]["corpus"]["name"], "sample");
    assert_eq!(model["history"]["loss"].as_array().unwrap().len(), 3);
}

/// Labels of about equal probability may come in either order.
trait SortedLike {
    fn sorted_like(self, other: &Value) -> Value;
}

impl SortedLike for Value {
    fn sorted_like(self, other: &Value) -> Value {
        let sorted = |value: &Value| {
            let mut all: Vec<String> = serde_json::from_value(value.clone()).unwrap();
            all.sort_unstable();
            all
        };
        if sorted(&self) == sorted(other) { other.clone() } else { self }
    }
}

#[tokio::test]
async fn a_request_may_decide_otherwise_than_the_model() {
    let asked = Asked::usual();
    let label = async |more: Value| {
        let mut request = json!({ "text": TEXT });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let said = asked.post("/v1/classify", request).await.ok();
        (said["label"].clone(), said["reason"].clone())
    };
    let unknown = |reason: &str| (json!("unknown"), json!(reason));
    assert_eq!(label(json!({ "min_confidence": 1 })).await, unknown("confidence"));
    assert_eq!(label(json!({ "threshold": 1.0 })).await, unknown("threshold"));
    assert_eq!(label(json!({ "threshold": "none" })).await, label(json!({})).await);
    let text = json!({ "text": "said qqxx", "max_unknown_words": 0.4 });
    assert_eq!(asked.post("/v1/classify", text).await.ok()["reason"], "unknown_words");
    let text = json!({ "text": "", "min_confidence": 0.5 });
    assert_eq!(asked.post("/v1/classify", text).await.ok()["reason"], "nothing_known");
}

#[tokio::test]
async fn reasons_add_up_and_classes_can_be_chosen() {
    let (asked, classifier) = (Asked::usual(), Classifier::load(&files().single).unwrap());
    let why = asked.post("/v1/explain", json!({ "text": TEXT })).await.ok();
    let direct = serde_json::to_string(&classifier.explain(TEXT)).unwrap();
    assert_eq!(why, serde_json::from_str::<Value>(&direct).unwrap());
    let sum: f64 =
        why["tokens"].as_array().unwrap().iter().map(|t| t["contribution"].as_f64().unwrap()).sum();
    assert!(
        (why["baseline"].as_f64().unwrap() + sum - why["logit"].as_f64().unwrap()).abs() < 1e-3
    );
    let names = classifier.class_names();
    let request = json!({ "text": TEXT, "class": names[3], "against": names[5] });
    let why = asked.post("/v1/explain", request).await.ok();
    let what = ExplainOptions { class: Some(3), against: Some(5) };
    let direct = classifier.explainer().explain(TEXT, what).unwrap();
    assert_eq!((&why["label"], &why["against"]), (&json!(names[3]), &json!(names[5])));
    assert_eq!(why["logit"].as_f64().unwrap(), direct.logit);
    // A long text is explained on another thread.
    let long = asked.post("/v1/explain", json!({ "text": TEXT.repeat(60) })).await.ok();
    assert_eq!(long["words"], classifier.predict(&TEXT.repeat(60)).words);
}

#[tokio::test]
async fn nearest_documents_come_from_the_index() {
    let models = vec![source("indexed", &files().indexed)];
    let asked = Asked::new(Options { models, ..options() });
    let why = asked.post("/v1/explain", json!({ "text": TEXT, "nearest": 3 })).await.ok();
    let nearest = why["nearest"].as_array().unwrap();
    assert_eq!(nearest.len(), 3);
    assert!(nearest[0]["similarity"].as_f64() >= nearest[2]["similarity"].as_f64());
    let samples = asked.get("/v1/samples").await.ok()["samples"].clone();
    assert_eq!(samples.as_array().unwrap().len(), 12);
    assert!(samples.as_array().unwrap().iter().all(|sample| sample["origin"] == "index"));
    let generated = Asked::usual().get("/v1/samples?model=several").await.ok()["samples"].clone();
    assert_eq!(
        (generated.as_array().unwrap().len(), &generated[0]["origin"]),
        (12, &json!("generated"))
    );
}

#[tokio::test]
async fn corrections_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("feedback.sqlite");
    let asked = Asked::new(Options { feedback: Some(path.clone()), ..options() });
    let request = json!({ "text": TEXT, "label": "cocoa", "note": "by hand" });
    let said = asked.post("/v1/feedback", request).await;
    assert_eq!((said.status.as_u16(), said.json()["id"].clone()), (201, json!(1)));
    assert_eq!(said.json()["label"], "cocoa");
    let answer = asked.post("/v1/classify", json!({ "text": TEXT })).await.ok()["label"].clone();
    assert_eq!(said.json()["answer"], answer);
    let request = json!({ "text": "wheat", "labels": ["grain", "new one"], "model": "several" });
    let said = asked.post("/v1/feedback", request).await;
    assert_eq!(said.json()["labels"], json!(["grain", "new one"]));
    let request = json!({ "text": "nothing", "labels": [], "model": "several" });
    let said = asked.post("/v1/feedback", request).await;
    assert_eq!((said.status.as_u16(), &said.json()["labels"]), (201, &json!([])));
    assert_eq!(asked.get("/v1/feedback").await.ok(), json!({ "corrections": 3 }));
    let mut kept = Vec::new();
    let feedback = Feedback::open_existing(&path).unwrap().unwrap();
    feedback
        .for_each(&Query::default(), |stored| {
            kept.push(stored.correction);
            Ok::<_, slugline::feedback::FeedbackError>(())
        })
        .unwrap();
    kept.sort_by_key(|correction| correction.multi_label);
    assert_eq!((kept[0].text.as_str(), kept[0].note.as_deref()), (TEXT, Some("by hand")));
    assert_eq!((kept[1].model.as_str(), kept[1].multi_label), ("several", true));
    let metrics = String::from_utf8(asked.get("/metrics").await.body).unwrap();
    assert!(metrics.contains("slugline_corrections_total{model=\"wires\"} 1"), "{metrics}");
}

#[tokio::test]
async fn text_embeddings_inference_is_spoken() {
    let (asked, classifier) = (Asked::usual(), Classifier::load(&files().single).unwrap());
    let one = asked.post("/predict", json!({ "inputs": TEXT })).await.ok();
    let prediction = classifier.predict(TEXT);
    let ranked = classifier.ranked(&prediction, usize::MAX).0;
    assert_eq!(one.as_array().unwrap().len(), 46);
    assert_eq!(one[0]["label"], ranked[0].0);
    assert_eq!(one[0]["score"].to_string(), serde_json::to_string(&ranked[0].1).unwrap());
    let batch = json!({ "inputs": [[TEXT], ["Gold fell."]], "truncate": true });
    let batch = asked.post("/predict", batch).await.ok();
    assert_eq!((batch.as_array().unwrap().len(), &batch[0]), (2, &one));
    let listed = json!({ "inputs": [TEXT], "truncate": null, "truncation_direction": "right" });
    assert_eq!(asked.post("/predict", listed).await.ok(), one);
    let raw = asked.post("/predict", json!({ "inputs": TEXT, "raw_scores": true })).await.ok();
    // The order stays, as softmax and temperature do not change it.
    assert_eq!(raw[0]["label"], one[0]["label"]);
    let sum: f64 = one.as_array().unwrap().iter().map(|s| s["score"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-4);
}
