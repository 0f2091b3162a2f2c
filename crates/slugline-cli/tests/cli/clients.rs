//! `slugline serve`, asked by programs of others.

use std::fs;
use std::process::Command;

use super::python::{python, scripts};
use super::serve::Serving;
use super::{Place, model};

const KEY: &str = "a-key-of-some-length";

/// A service that knows its clients and takes corrections.
fn serving(place: &Place) -> Serving {
    fs::write(place.path().join("keys"), KEY).unwrap();
    Serving::start(place, &format!("model={} --api-key-file keys --feedback f.sqlite", model()))
}

#[track_caller]
fn passes(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{error}");
}

#[test]
fn the_service_does_what_its_document_says() {
    let Some(python) = python("the API by schemathesis", "clients") else { return };
    let place = Place::new();
    let serving = serving(&place);
    let mut schemathesis = Command::new(python.with_file_name("schemathesis"));
    schemathesis.current_dir(place.path()).arg("--config-file");
    schemathesis.arg(scripts("clients").join("schemathesis.toml"));
    schemathesis.args(["run", &format!("http://{}/openapi.json", serving.address)]);
    schemathesis.args(["--header", &format!("Authorization: Bearer {KEY}")]);
    passes(schemathesis.args(["--checks", "all", "--max-examples", "40", "--seed", "1"]));
}

#[test]
fn clients_of_the_open_inference_protocol_are_served() {
    let Some(python) = python("infer by Triton's client", "clients") else { return };
    let place = Place::new();
    let serving = serving(&place);
    let mut triton = Command::new(python);
    triton.arg(scripts("clients").join("triton.py"));
    passes(triton.args([&serving.address, "model", KEY]));
}
