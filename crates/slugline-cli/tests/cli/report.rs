//! `slugline report`.

use std::fmt::Write as _;
use std::fs;

use super::{Place, model};

/// A model of tickets, and tickets of which some are labelled wrongly.
fn tickets(place: &Place) {
    let mut rows = String::from("body,queue\n");
    for i in 0..40 {
        let _ = write!(rows, "refund of invoice {i},billing\nscreen {i} is black,hardware\n");
    }
    fs::write(place.path().join("tickets.csv"), &rows).unwrap();
    rows.push_str("please refund my invoice,hardware\n");
    fs::write(place.path().join("june.csv"), rows).unwrap();
    place.run("train tickets.csv -q -o t.slug").ok();
}

#[test]
fn the_page_and_its_data_say_the_same() {
    let place = Place::new();
    tickets(&place);
    fs::write(place.path().join("notes.txt"), "For the desk <only>.\nAsk Ops.").unwrap();
    let line = "report t.slug june.csv -o june.html --notes notes.txt --format json";
    let report = place.run(line).json();
    let scores = place.run("evaluate t.slug june.csv --format json").json();
    for key in ["samples", "accuracy", "macro_f1", "ece", "confusion", "intervals"] {
        assert_eq!(report[key], scores[key], "{key}");
    }
    assert_eq!(report["confused"][0]["truth"], "hardware");
    let wrong = &report["wrong"][0];
    assert_eq!((&wrong["answer"], &wrong["truth"][0]), (&"billing".into(), &"hardware".into()));
    assert_eq!(wrong["place"], "june.csv:82");
    assert_eq!(wrong["why"]["against"], "hardware");
    assert_eq!(report["hardest"].as_array().unwrap().len(), 12);
    assert_eq!(report["words"].as_array().unwrap().len(), 2);

    let page = fs::read_to_string(place.path().join("june.html")).unwrap();
    for wanted in
        ["please", "june.csv:82", "For the desk &#60;only&#62;.", "slugline train tickets.csv"]
    {
        assert!(page.contains(wanted), "{wanted}");
    }
    for outside in ["src=", "@import", "url(", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // The only addresses are names of XML.
    let addresses = page.matches("http").count();
    assert_eq!(addresses, page.matches("http://www.w3.org/2000/svg").count());
    // The same inputs, the same page.
    place.run("report t.slug june.csv -o again.html --notes notes.txt --threads 1").ok();
    assert_eq!(fs::read_to_string(place.path().join("again.html")).unwrap(), page);
}

#[test]
fn documents_that_were_trained_on_are_told() {
    let place = Place::new();
    tickets(&place);
    let warned = "are those that it was trained on";
    let page = |line: &str| {
        place.run(&format!("report {line} -o p.html")).ok();
        fs::read_to_string(place.path().join("p.html")).unwrap()
    };
    assert!(page("t.slug tickets.csv").contains(warned));
    assert!(!page("t.slug june.csv").contains(warned));
    let trained = page(&format!("{} sample --split train", model()));
    assert!(trained.contains(warned) && trained.contains("sample, training part"));
    assert!(!page(&format!("{} sample", model())).contains(warned));
}

#[test]
fn texts_stay_in_the_house_where_they_must() {
    let place = Place::new();
    tickets(&place);
    let said = place.run("report t.slug june.csv --no-texts").ok();
    assert!(said.contains("t.html"), "{said}");
    let page = fs::read_to_string(place.path().join("t.html")).unwrap();
    assert!(page.contains("june.csv:82") && !page.contains("please"));
    // Not even the words that speak for the classes.
    assert!(!page.contains("refund") && !page.contains("invoice"));
    let report = place.run("report t.slug june.csv --no-texts --format json --bootstrap 0").json();
    assert!(report["wrong"][0].get("text").is_none() && report["wrong"][0].get("why").is_none());
    assert!(report.get("intervals").is_none());
}

#[test]
fn any_number_of_labels_a_document_is_reported_too() {
    let place = Place::new();
    let mut rows = String::new();
    for i in 0..60 {
        let labels = ["[\"grain\"]", "[\"metal\"]", "[\"grain\",\"metal\"]", "[]"][i % 4];
        let text = ["wheat", "gold", "wheat and gold", "nothing"][i % 4];
        let _ = writeln!(rows, "{{\"text\":\"{text} {i}\",\"label\":{labels}}}");
    }
    rows.push_str("{\"text\":\"wheat\",\"label\":[\"metal\"]}\n");
    fs::write(place.path().join("topics.jsonl"), rows).unwrap();
    place.run("train topics.jsonl -q -o m.slug").ok();
    let report = place.run("report m.slug topics.jsonl -o m.html --format json").json();
    assert_eq!(report["label_kind"], "multi");
    let wrong = &report["wrong"][0];
    assert!(wrong["loss"].as_f64().unwrap() > 0.0, "{report}");
    assert!(["given", "missing"].contains(&wrong["fault"].as_str().unwrap()), "{wrong}");
    let page = fs::read_to_string(place.path().join("m.html")).unwrap();
    assert!(page.contains("Micro F1") && !page.contains("id=\"confusions\""));
}

#[test]
fn what_cannot_be_reported_is_refused() {
    let place = Place::new();
    let refused = |line: &str, code| place.run(&format!("report {line}")).refused(code);
    for (line, code, want) in [
        ("none.slug sample", 1, "none.slug"),
        (&format!("{} sample -o none/x.html", model()), 1, "there is no folder none"),
        (&format!("{} sample --notes none.txt -o x.html", model()), 1, "cannot read none.txt"),
        (&format!("{} none.csv -o x.html", model()), 1, "none.csv"),
        (&format!("{} sample --split odd", model()), 2, "--split"),
        (&format!("{0} sample -o {0}", model()), 1, "which is the model that is read"),
    ] {
        let error = refused(line, code);
        assert!(error.contains(want), "{line}: {error}");
    }
    assert!(!place.path().join("x.html").exists());
}
