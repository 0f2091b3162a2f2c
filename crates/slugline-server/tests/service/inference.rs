//! The Open Inference Protocol.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use slugline::classifier::Classifier;

use super::{Asked, Said, TEXT, files};

const INFER: &str = "/v2/models/wires/infer";

fn question(data: &Value, shape: &Value) -> Value {
    json!({ "id": "q1", "inputs": [{ "name": "text", "shape": shape, "datatype": "BYTES", "data": data }] })
}

/// Sends texts in binary; the JSON part may be changed.
async fn binary(asked: &Asked, texts: &[&[u8]], change: impl Fn(&mut Value)) -> Said {
    let mut bytes = Vec::new();
    for text in texts {
        bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
        bytes.extend_from_slice(text);
    }
    let mut header = json!({
        "inputs": [{ "name": "text", "shape": [texts.len()], "datatype": "BYTES",
            "parameters": { "binary_data_size": bytes.len() } }],
        "parameters": { "binary_data_output": true },
    });
    change(&mut header);
    let mut body = header.to_string().into_bytes();
    let length = body.len();
    body.append(&mut bytes);
    let request = Request::post(INFER).header("inference-header-content-length", length);
    asked.send(request.body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn server_and_models_describe_themselves() {
    let asked = Asked::usual();
    assert_eq!(asked.get("/v2").await.ok()["extensions"], json!(["binary_tensor_data"]));
    assert_eq!(asked.get("/v2/health/live").await.ok(), json!({ "live": true }));
    assert_eq!(asked.get("/v2/health/ready").await.ok(), json!({ "ready": true }));
    let model = asked.get("/v2/models/wires").await.ok();
    assert_eq!(model, asked.get("/v2/models/wires/versions/1").await.ok());
    assert_eq!(
        model["outputs"][2],
        json!({ "name": "probabilities", "datatype": "FP32", "shape": [-1, 46] })
    );
    let ready = asked.get("/v2/models/several/versions/1/ready").await.ok();
    assert_eq!(ready, json!({ "name": "several", "ready": true }));
    asked.get("/v2/models/wires/versions/2").await.refusal(404, "unknown_model");
    asked.get("/v2/models/none/ready").await.refusal(404, "unknown_model");
}

#[tokio::test]
async fn texts_are_inferred_from_json() {
    let (asked, classifier) = (Asked::usual(), Classifier::load(&files().single).unwrap());
    let said = asked.post(INFER, question(&json!([TEXT, "Gold fell."]), &json!([2]))).await.ok();
    assert_eq!(
        (&said["model_name"], &said["model_version"], &said["id"]),
        (&json!("wires"), &json!("1"), &json!("q1"))
    );
    let prediction = classifier.predict(TEXT);
    assert_eq!(said["outputs"][0]["data"][0], prediction.label);
    assert_eq!(said["outputs"][1]["shape"], json!([2]));
    let p = prediction.probabilities[prediction.class as usize];
    assert_eq!(said["outputs"][1]["data"][0].to_string(), serde_json::to_string(&p).unwrap());
    let nested =
        asked.post(INFER, question(&json!([[TEXT], ["Gold fell."]]), &json!([2, 1]))).await;
    assert_eq!(nested.ok(), said);
    let mut some = question(&json!([TEXT]), &json!([1]));
    some["outputs"] = json!([{ "name": "probabilities" }, { "name": "unknown_share" }]);
    let some = asked.post("/v2/models/wires/versions/1/infer", some).await.ok();
    assert_eq!(some["outputs"][0]["shape"], json!([1, 46]));
    assert_eq!(some["outputs"][0]["data"].as_array().unwrap().len(), 46);
    let share = serde_json::to_string(&[prediction.unknown_share()]).unwrap();
    assert_eq!(some["outputs"][1]["data"].to_string(), share);
}

#[tokio::test]
async fn texts_are_inferred_from_binary() {
    let (asked, classifier) = (Asked::usual(), Classifier::load(&files().single).unwrap());
    let said = binary(&asked, &[TEXT.as_bytes(), b"Gold fell."], |_| {}).await;
    assert_eq!(said.header("content-type"), "application/octet-stream");
    let length: usize = said.header("inference-header-content-length").parse().unwrap();
    let (header, tensors) = said.body.split_at(length);
    let header: Value = serde_json::from_slice(header).unwrap();
    let prediction = classifier.predict(TEXT);
    let label = prediction.label.as_bytes();
    assert_eq!(
        &tensors[..4 + label.len()],
        [&(label.len() as u32).to_le_bytes()[..], label].concat()
    );
    let p = prediction.probabilities[prediction.class as usize];
    let probabilities = &tensors[tensors.len() - 8..];
    assert_eq!(&probabilities[..4], p.to_le_bytes());
    let sizes = |i: usize| header["outputs"][i]["parameters"]["binary_data_size"].as_u64().unwrap();
    assert_eq!(sizes(0) + sizes(1), tensors.len() as u64);
    // Binary in, JSON out, and an output that says so for itself.
    let said = binary(&asked, &[TEXT.as_bytes()], |header| {
        header["parameters"] = json!({});
        header["outputs"] = json!([{ "name": "label", "parameters": { "binary_data": false } }]);
    })
    .await;
    assert_eq!(said.ok()["outputs"][0]["data"], json!([prediction.label]));
}

#[tokio::test]
async fn what_is_no_question_is_refused() {
    let asked = Asked::usual();
    let refused = async |question: Value, status: u16, code: &str, part: &str| {
        let detail = asked.post(INFER, &question).await.refusal(status, code);
        assert!(detail.contains(part), "{question}: {detail}");
    };
    let (two, one) = (json!([TEXT, "x"]), json!([1]));
    refused(question(&two, &one), 422, "invalid_request", "has 2 elements, and its shape says 1")
        .await;
    refused(question(&json!([]), &json!([0])), 422, "invalid_request", "is empty").await;
    refused(question(&json!([5]), &one), 422, "invalid_request", "a number").await;
    refused(question(&json!([["a", "b"]]), &one), 422, "invalid_request", "a list").await;
    refused(question(&two, &json!([1, 2])), 422, "invalid_request", "expected [n] or [n, 1]").await;
    refused(question(&two, &json!([-2])), 422, "invalid_request", "expected [n] or [n, 1]").await;
    refused(json!({ "inputs": [] }), 422, "invalid_request", "0 inputs").await;
    let change = |path: &str, value: Value| {
        let mut question = question(&json!([TEXT]), &json!([1]));
        *question.pointer_mut(path).unwrap() = value;
        question
    };
    refused(change("/inputs/0/name", json!("txt")), 422, "invalid_request", "named `txt`").await;
    refused(change("/inputs/0/datatype", json!("FP32")), 422, "invalid_request", "FP32").await;
    let listed = json!(["text", [1], "BYTES", [TEXT]]);
    refused(change("/inputs/0", listed), 422, "invalid_request", "expected a map").await;
    refused(change("/inputs/0/data", json!(null)), 422, "invalid_request", "no `data`").await;
    let mut other = question(&json!([TEXT]), &json!([1]));
    other["outputs"] = json!([{ "name": "labels" }]);
    refused(other.clone(), 422, "invalid_request", "no output `labels`").await;
    other["outputs"] = json!([{ "name": "label", "parameters": { "classification": 3 } }]);
    refused(other.clone(), 422, "invalid_request", "classification").await;
    other["outputs"] = json!([{ "name": "label", "parameters": { "binary_data": 1 } }]);
    refused(other, 422, "invalid_request", "expected true or false").await;

    let wrong = async |texts: &[&[u8]], change: fn(&mut Value), code: &str, part: &str| {
        let said = binary(&asked, texts, change).await;
        let detail = said.refusal(said.status.as_u16(), code);
        assert!(detail.contains(part), "{detail}");
    };
    wrong(&[b"\xff"], |_| {}, "invalid_request", "not UTF-8").await;
    let longer = |q: &mut Value| q["inputs"][0]["parameters"]["binary_data_size"] = json!(7);
    wrong(&[b"ab"], longer, "invalid_request", "6 bytes follow").await;
    let both = |q: &mut Value| q["inputs"][0]["data"] = json!(["a"]);
    wrong(&[b"ab"], both, "invalid_request", "`data` and `binary_data_size`").await;
    for (length, code) in [
        ("x", "bad_request"),
        ("100000", "bad_request"),
        ("-1", "bad_request"),
        ("3", "invalid_json"),
    ] {
        let request = Request::post(INFER).header("inference-header-content-length", length);
        let body = question(&json!([TEXT]), &json!([1])).to_string();
        let said = asked.send(request.body(Body::from(body)).unwrap()).await;
        said.refusal(400, code);
    }
    let request = Request::post(INFER).header("content-type", "text/plain");
    asked.send(request.body(Body::empty()).unwrap()).await.refusal(415, "unsupported_media_type");
}
