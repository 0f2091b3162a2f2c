//! `slugline datasets`.

use std::fs;

use super::{Place, numbers};

#[test]
fn the_list_says_where_each_is_found() {
    let place = Place::new();
    let out = place.run("datasets list").ok();
    for wanted in [
        "sample\n  Generated newswires, not real news",
        "built in",
        "reuters-clean\n",
        "`slugline datasets fetch reuters` downloads it",
    ] {
        assert!(out.contains(wanted), "{out}");
    }
    let list = place.run("datasets list --format json").json();
    let status = |i: usize| list[i]["status"].as_str().unwrap().to_owned();
    assert_eq!([status(0), status(1), status(2)], ["embedded", "missing", "missing"]);

    fs::write(place.path().join("reuters21578.tar.gz"), "").unwrap();
    let found = place.run("datasets list --format json --data-dir .").json();
    assert_eq!(
        (found[1]["status"].as_str(), found[2]["status"].as_str()),
        (Some("found"), Some("found"))
    );
    assert_eq!(found[1]["paths"][0], "./reuters21578.tar.gz");
}

#[test]
fn info_describes_documents_classes_and_words() {
    let place = Place::new();
    let out = place.run("datasets info sample").ok();
    for wanted in
        ["not real news", "8,800", "2,200", "median", "46 classes", "football", "ranked words"]
    {
        assert!(out.contains(wanted), "{wanted} in {out}");
    }
    let info = place.run("datasets info sample --format json").json();
    assert_eq!(
        (info["train"]["documents"].as_u64(), info["test"]["documents"].as_u64()),
        (Some(8800), Some(2200))
    );
    let classes = info["classes"].as_array().unwrap();
    assert_eq!(classes.iter().map(|c| c["train"].as_u64().unwrap()).sum::<u64>(), 8800);
    assert_eq!(info["largest_id"], 9999);
    let lengths = &info["train"]["lengths"];
    assert!(lengths["min"].as_f64() < lengths["median"].as_f64());
    assert!(lengths["mean"].as_f64() < lengths["max"].as_f64());

    let all = place.run("datasets info sample --max-features 0 --format json").json();
    let ranked = all["ranked_words"].as_u64().unwrap();
    assert_eq!(all["largest_id"].as_u64(), Some(ranked + 3));
}

#[test]
fn show_turns_ids_back_into_words() {
    let place = Place::new();
    let json = place.run("datasets show sample 3 --format json").json();
    let ids = numbers(&json["ids"]);
    let text = json["text"].as_str().unwrap();
    assert_eq!(text.split(' ').count(), ids.len());
    assert!(text.starts_with("? "), "{text}");
    let out = place.run("datasets show sample 3").ok();
    let shown: Vec<&str> = out.lines().skip(1).flat_map(str::split_whitespace).collect();
    assert_eq!(shown.join(" "), text);
    assert!(out.starts_with(json["label"].as_str().unwrap()), "{out}");
    let test = place.run("datasets show sample 3 --split test --format json").json();
    assert_ne!(test["ids"], json["ids"]);
}

#[test]
fn fetch_tells_where_the_files_are() {
    let place = Place::new();
    let said = place.run("datasets fetch sample");
    assert!(said.err.contains("there is nothing to fetch"), "{}", said.err);
    assert_eq!(said.ok(), "");
    fs::write(place.path().join("reuters21578.tar.gz"), "").unwrap();
    assert_eq!(place.run("datasets fetch reuters --data-dir .").ok(), "./reuters21578.tar.gz\n");
    let err = place.run("datasets fetch reuters").refused(1);
    assert!(err.contains("downloads are switched off"), "{err}");
}
