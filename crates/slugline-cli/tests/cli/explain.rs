//! `slugline explain`.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::{Place, model};

/// The sum of the contributions of a list.
fn sum(spans: &Value) -> f64 {
    spans.as_array().unwrap().iter().map(|span| span["contribution"].as_f64().unwrap()).sum()
}

fn adds_up(why: &Value) {
    let number = |key: &str| why[key].as_f64().unwrap();
    for key in ["spans", "tokens"] {
        let rise = number("logit") - number("baseline");
        assert!((sum(&why[key]) - rise).abs() < 1e-3, "{why}");
    }
}

#[test]
fn json_tells_of_every_word_where_it_stands() {
    let place = Place::new();
    let text = "The naïve Coffee exporter, said xyzzy";
    fs::write(place.path().join("wire.txt"), text).unwrap();
    let why = place.run(&format!("explain {} wire.txt --format json", model())).json();
    adds_up(&why);
    let chars: Vec<char> = text.chars().collect();
    for span in why["spans"].as_array().unwrap() {
        let place = |key: &str| span[key].as_u64().unwrap() as usize;
        let piece: String = chars[place("start")..place("end")].iter().collect();
        assert_eq!(piece, span["text"].as_str().unwrap());
    }
    let answer =
        place.run_with_input(&format!("predict {} --format json", model()), text.as_bytes());
    let answer = answer.json();
    assert_eq!((&why["label"], &why["answer"]), (&answer["label"], &answer["label"]));
    assert_eq!(why["unknown_words"], answer["unknown_words"]);
    let label = why["label"].as_str().unwrap();
    assert_eq!(why["probability"], answer["probabilities"][label]);
    // The same text as words of the command line, and on standard input.
    let by_hand = place.command(["explain", model(), text, "--format", "json"]).output().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&by_hand.stdout).unwrap(), why);
    let piped = format!("explain {} --format json", model());
    assert_eq!(place.run_with_input(&piped, text.as_bytes()).json(), why);

    let other = format!("explain {} wire.txt --class tea --against wine --format json", model());
    let why = place.run(&other).json();
    adds_up(&why);
    assert_eq!((why["label"].as_str(), why["against"].as_str()), (Some("tea"), Some("wine")));
}

#[test]
fn lines_are_texts_in_their_order_whatever_the_number_of_threads() {
    let place = Place::new();
    let lines = "coffee\n\nsugar\n".repeat(3_000);
    let run = |threads: u32| {
        let line = format!("explain {} --lines --format json --threads {threads}", model());
        place.run_with_input(&line, lines.as_bytes()).ok()
    };
    let all = run(1);
    assert_eq!(all, run(2));
    let found: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 9_000);
    assert_eq!(found[1]["spans"], Value::Array(Vec::new()));
    assert_eq!(found[8_999]["spans"][0]["text"], "sugar");
}

#[test]
fn people_see_marked_words_bars_and_pages() {
    let place = Place::new();
    let line = format!("explain {} -k 2 --html why.html", model());
    let text = "Coffee <b>exporters</b> said coffee & sugar arrivals rose.";
    let said = place.run_with_input(&line, text.as_bytes()).ok();
    for wanted in ["probability", "for the empty text", "coffee", "█", "more, "] {
        assert!(said.to_lowercase().contains(wanted), "{wanted} in {said}");
    }
    assert!(!said.contains('\x1b'));
    let line = format!("explain {} --color always", model());
    let marked = place.run_with_input(&line, text.as_bytes()).ok();
    assert!(marked.contains("\x1b[38;5;16m\x1b[48;5;"), "{marked}");
    let page = fs::read_to_string(place.path().join("why.html")).unwrap();
    assert!(page.contains("&lt;") || page.contains("&#60;"), "{page}");
    assert!(page.contains("<mark class=\"") && !page.contains("<b>exporters"), "{page}");
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside} in {page}");
    }
    // Nothing is known of an empty text, and that is said.
    let nothing = place.run_with_input(&format!("explain {}", model()), b"");
    assert!(nothing.ok().contains("nothing of the text is known"));
}

#[test]
fn files_are_read_as_predict_reads_them() {
    let place = Place::new();
    let path = |name: &str| place.path().join(name);
    fs::write(path("marked.txt"), b"\xEF\xBB\xBFcoffee arrivals\r\n").unwrap();
    fs::write(path("table.csv"), "id,text\n1,coffee rose\n2,\"tea\nfell\"\n").unwrap();
    let model = model();
    let lines = place.run(&format!("explain {model} marked.txt --lines --format json")).json();
    assert_eq!(
        (&lines["spans"][0]["start"], &lines["spans"][0]["text"]),
        (&0.into(), &"coffee".into())
    );
    let whole = place.run(&format!("explain {model} marked.txt --format json")).json();
    assert_eq!(whole["spans"], lines["spans"]);
    let rows = place.run(&format!("explain {model} table.csv --text text --format json")).ok();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), &rows[1]["row"]), (2, &3.into()));
    assert_eq!(rows[1]["tokens"][0]["text"], "tea");
    let said = place.run(&format!("explain {model} wire.tx"));
    assert!(said.err.contains("there is no file wire.tx"), "{}", said.err);
    // Control characters of a text do not reach the terminal, nor break a table.
    let text = "coffee\n\x1b[2Jtea \x07";
    let shown = place.run_with_input(&format!("explain {model} --color always"), text.as_bytes());
    assert!(!shown.ok().contains("\x1b[2J"));
}

#[test]
fn words_of_classes_are_told_with_and_without_documents() {
    let place = Place::new();
    let general = place.run(&format!("explain {} --words 4 --format json", model())).json();
    let classes = general["classes"].as_array().unwrap();
    assert_eq!((classes.len(), classes[0]["for"].as_array().unwrap().len()), (46, 4));
    assert!(classes[0]["for"][0]["weight"].as_f64().unwrap() > 0.0);
    assert!(classes[0]["against"][0]["weight"].as_f64().unwrap() < 0.0);
    let class = classes[3]["class"].as_str().unwrap();
    let line = format!("explain {} --words 4 --class {class} --data sample", model());
    let within = place.run(&format!("{line} --format json")).json();
    assert_eq!(within["classes"].as_array().unwrap().len(), 1);
    assert_eq!(within["classes"][0]["class"], class);
    assert!(place.run(&line).ok().contains("against"));
}

#[test]
fn neighbours_come_from_the_index_of_the_model() {
    let place = Place::new();
    let mut rows = String::from("text,topic\n");
    for i in 0..20 {
        let _ = write!(rows, "wheat rose in week {i},grain\ngold fell in week {i},metal\n");
    }
    fs::write(place.path().join("wires.csv"), rows).unwrap();
    let line = "train wires.csv --index -q -o m.slug --preset text --epochs 20 --validation none";
    place.run(line).ok();
    let again = fs::read(place.path().join("m.slug")).unwrap();
    place.run(line).ok();
    assert_eq!(fs::read(place.path().join("m.slug")).unwrap(), again);
    let said =
        place.run_with_input("explain m.slug --nearest 3 --format json", b"gold fell in week 7");
    let near = said.json()["nearest"].clone();
    assert_eq!((near.as_array().unwrap().len(), &near[0]["labels"][0]), (3, &"metal".into()));
    assert_eq!(near[0]["text"], "gold fell in week 7");
    let said = place.run_with_input("explain m.slug --nearest 1", b"gold fell in week 7").ok();
    assert!(said.contains("Nearest training documents") && said.contains("similarity 1.000"));
    // Numbered corpora have their texts indexed.
    let small = super::SMALL.join(" ");
    place.run(&format!("train sample --index -q -o s.slug {small}")).ok();
    let near = place.run("explain s.slug coffee --nearest 1 --format json").json();
    assert!(!near["nearest"][0]["text"].as_str().unwrap().is_empty());
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let place = Place::new();
    let path = |name: &str| place.path().join(name);
    fs::write(path("latin.txt"), b"caf\xe9").unwrap();
    fs::write(path("lines.txt"), b"one\ntwo\xff\n").unwrap();
    fs::create_dir(path("folder")).unwrap();
    let refused =
        |line: &str, code: i32| place.run(&format!("explain {} {line}", model())).refused(code);
    for (line, code, want) in [
        ("x --class nothing", 1, "no class `nothing`; it has"),
        ("x --against nothing", 1, "no class `nothing`; it has"),
        ("x --nearest 3", 1, "train it with --index"),
        ("latin.txt", 1, "latin.txt, line 1: not UTF-8"),
        ("none.txt --lines", 1, "cannot read none.txt"),
        ("folder", 1, "folder is a folder"),
        ("x --html none/why.html", 1, "there is no folder none"),
        ("x --html folder", 1, "is a folder"),
        ("latin.txt --html latin.txt", 1, "which is a text that is read"),
        ("x --class tea --against tea", 2, "the same class"),
        ("--words 3 --top-k 2", 2, "--top-k"),
        ("x --words 3", 2, "--words"),
        ("--data sample", 2, "--words"),
    ] {
        let error = refused(line, code);
        assert!(error.contains(want), "{line}: {error}");
    }
    // What stands before a bad line is explained first.
    let said = place.run(&format!("explain {} lines.txt --lines --format json", model()));
    assert_eq!((said.code, said.out.lines().count()), (Some(1), 1), "{}", said.err);
    assert!(said.err.contains("lines.txt, line 2: not UTF-8"), "{}", said.err);
}
