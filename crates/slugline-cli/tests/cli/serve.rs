//! `slugline serve`: from the command line to the end of the process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Place, SMALL, model};

/// A service that ends with its test.
pub(super) struct Serving {
    child: Child,
    pub(super) address: String,
    /// What it says on standard error after its address.
    rest: std::thread::JoinHandle<String>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // One that has ended needs no end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    pub(super) fn start(place: &Place, line: &str) -> Self {
        let words = ["serve", "--listen", "127.0.0.1:0", "--color", "never"];
        let mut command = place.command(words.into_iter().chain(line.split_whitespace()));
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let address = loop {
            let before = said.len();
            assert!(lines.read_line(&mut said).unwrap() > 0, "{said}");
            if let Some((_, rest)) = said[before..].split_once("http://") {
                break rest.split([' ', '"']).next().unwrap().to_owned();
            }
        };
        let rest = std::thread::spawn(move || {
            let mut rest = said;
            lines.read_to_string(&mut rest).unwrap();
            rest
        });
        Self { child, address, rest }
    }

    /// Status, headers and body of one request.
    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, String, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_default())
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// Waits for the end: the exit code, and all that was said.
    fn ended(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        let rest = std::mem::replace(&mut self.rest, std::thread::spawn(String::new));
        (code, rest.join().unwrap())
    }
}

#[test]
fn a_service_answers_as_predict_does_and_ends_when_told() {
    let place = Place::new();
    let model = model();
    let text = "Coffee exporters said arrivals rose.";
    let serving = Serving::start(&place, &format!("news={model} --log-format json"));
    let (status, head, answer) = serving.ask("POST", "/v1/classify", &json!({ "text": text }));
    assert_eq!(status, 200, "{answer}");
    assert!(head.contains("slugline-model: news"), "{head}");
    let said =
        Place::new().run_with_input(&format!("predict {model} --format json"), text.as_bytes());
    assert_eq!(answer, serde_json::from_str::<Value>(&said.out).unwrap());
    serving.signal("TERM");
    let (code, said) = serving.ended();
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answered = lines.iter().find(|line| line["message"] == "answered").unwrap();
    assert_eq!((&answered["path"], &answered["status"]), (&json!("/v1/classify"), &json!(200)));
    assert!(answered["request_id"].is_string() && !said.contains(text), "{answered}");
    assert!(said.contains("this machine alone can reach it"), "{said}");
}

#[test]
fn corrections_are_in_one_file_when_the_service_has_ended() {
    let place = Place::new();
    let serving = Serving::start(&place, &format!("{} --feedback corrections.sqlite", model()));
    let correction = json!({ "text": "Coffee exporters said arrivals rose.", "label": "coffee" });
    assert_eq!(serving.ask("POST", "/v1/feedback", &correction).0, 201);
    serving.signal("TERM");
    assert_eq!(serving.ended().0, Some(0));
    let files = std::fs::read_dir(place.path()).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["corrections.sqlite"]);
}

#[test]
fn a_model_is_exchanged_while_it_serves() {
    let place = Place::new();
    std::fs::copy(model(), place.path().join("m.slug")).unwrap();
    let other = format!("train sample -o other.slug --seed 5 {}", SMALL.join(" "));
    assert_eq!(place.run(&other).code, Some(0));
    let serving = Serving::start(&place, "m.slug --watch-interval 50ms");
    let checksum =
        || serving.ask("GET", "/v1/models", &Value::Null).2["models"][0]["checksum"].clone();
    let until = |wanted: &dyn Fn(&Value) -> bool| {
        let begun = Instant::now();
        while !wanted(&checksum()) {
            assert!(begun.elapsed() < Duration::from_secs(20), "the model stays");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let first = checksum();
    std::fs::copy(place.path().join("other.slug"), place.path().join("new")).unwrap();
    std::fs::rename(place.path().join("new"), place.path().join("m.slug")).unwrap();
    until(&|now| *now != first);
    std::fs::copy(model(), place.path().join("new")).unwrap();
    std::fs::rename(place.path().join("new"), place.path().join("m.slug")).unwrap();
    serving.signal("HUP");
    until(&|now| *now == first);
    std::fs::write(place.path().join("m.slug"), "rubbish").unwrap();
    serving.signal("HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(checksum(), first);
    serving.signal("INT");
    let (code, said) = serving.ended();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the model before it stays in place"), "{said}");
}

#[test]
fn check_says_what_would_be_served_and_what_is_wrong() {
    let place = Place::new();
    let model = model();
    let ok =
        place.run(&format!("serve a={model} b={model} --listen 127.0.0.1:0 --check --format json"));
    let said: Value = serde_json::from_str(&ok.out).unwrap();
    assert_eq!((ok.code, &said["models"][1]["name"]), (Some(0), &json!("b")));
    std::fs::write(place.path().join("keys"), "# none\n").unwrap();
    std::fs::write(place.path().join("bad.slug"), "rubbish").unwrap();
    let wrong = |more: &str, code: i32, part: &str| {
        let said = place.run(&format!("serve {model} --listen 127.0.0.1:0 --check {more}"));
        assert_eq!(said.code, Some(code), "{more}: {}", said.err);
        assert!(said.err.contains(part), "{more}: {}", said.err);
    };
    wrong(model, 1, "OTHER=FILE");
    wrong("bad.slug", 1, "bad.slug");
    wrong("none.slug", 1, "none.slug");
    wrong("--api-key-file keys", 1, "no API key");
    wrong("--api-key-file missing", 1, "cannot read the API keys in missing");
    wrong("--feedback bad.slug", 1, "bad.slug");
    if cfg!(target_os = "linux") {
        wrong("--feedback /proc/none/f.sqlite", 1, "cannot make the feedback file");
    }
    wrong("--cors-origin example.org", 1, "no origin");
    wrong("--max-body 5parsecs", 2, "expected a size");
    wrong("--drain-timeout 0s", 2, "expected a time");
    wrong("--max-batch 0", 2, "--max-batch");
    let mut by_environment = place.command(["serve", "--check", model]);
    let said = by_environment.env("SLUGLINE_SERVE_LISTEN", "nowhere").output().unwrap();
    assert!(String::from_utf8_lossy(&said.stderr).contains("expected an address and a port"));
}
