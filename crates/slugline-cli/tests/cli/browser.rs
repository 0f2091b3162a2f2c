//! Pages, opened by a real browser: Chromium without a window, driven by Playwright.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::serve::Serving;
use super::{Place, model, real};

/// The script and what it needs.
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/browser");

/// Chromium, if it is on this machine.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    all.find(|file| file.is_file())
}

/// A folder with the script and Playwright, in the target folder and so there for the next run.
fn scripts() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
        fs::create_dir_all(&folder).unwrap();
        let lock = fs::read_to_string(Path::new(SCRIPTS).join("package-lock.json")).unwrap();
        // Written last: what is installed of another list is made anew.
        let made = folder.join("installed.json");
        for file in ["package.json", "package-lock.json", "page.mjs", "serve.mjs", "several.mjs"] {
            fs::copy(Path::new(SCRIPTS).join(file), folder.join(file)).unwrap();
        }
        if !fs::read_to_string(&made).is_ok_and(|made| made == lock) {
            let mut npm = Command::new("npm");
            let output = npm.arg("ci").current_dir(&folder).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            fs::write(made, lock).unwrap();
        }
        folder
    })
}

/// What the browser finds on a page; `None`, said loudly, where there is no browser or nothing to drive
/// it with.
fn opened(test: &str, page: &Path) -> Option<Value> {
    driven(test, "page.mjs", page.as_os_str())
}

/// What a script finds with the browser.
fn driven(test: &str, script: &str, place: &OsStr) -> Option<Value> {
    let npm = Command::new("npm").arg("--version").stdout(Stdio::null()).status();
    let chromium = chromium().filter(|_| npm.is_ok_and(|status| status.success()));
    let Some(chromium) = chromium else {
        let line = format!("SKIPPED (no chromium, or no npm): {test}\n");
        std::io::stderr().write_all(line.as_bytes()).unwrap();
        return None;
    };
    let folder = scripts();
    let mut node = Command::new("node");
    let output = node.arg(script).arg(chromium).arg(place).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// Holds against each other what every view of a page must be.
#[track_caller]
fn check(found: &Value) {
    assert_eq!((&found["messages"], &found["requests"]), (&json!([]), &json!([])), "{found}");
    let views = found["views"].as_object().unwrap();
    assert_eq!(views.len(), 4);
    for (name, view) in views {
        assert_eq!(view["overflow"], 0, "{name} scrolls sideways: {view}");
        assert!(view["contrast"].as_f64().unwrap() > 7.0, "{name}: {view}");
        assert_eq!(view["dark"], name.ends_with("dark"), "{name}: {view}");
        assert!(view["marks"].as_u64().unwrap() > 2, "{name}: {view}");
    }
}

/// A report as it has to be, with so many classes.
#[track_caller]
fn check_report(found: &Value, classes: u64, title: &str) {
    check(found);
    let headings = [
        title,
        "Scores",
        "Training",
        "Classes",
        "Confusions",
        "Calibration and thresholds",
        "Documents to look at",
        "Model card",
    ];
    for (name, view) in found["views"].as_object().unwrap() {
        assert_eq!(view["title"], title, "{name}");
        assert_eq!(view["headings"], json!(headings), "{name}");
        assert_eq!((&view["rows"], &view["pictures"]), (&classes.into(), &5.into()), "{name}");
        let sorted = view["sorted"].as_array().unwrap();
        assert!(sorted.len() >= 8 && sorted.iter().all(|s| *s == true), "{name}: {view}");
    }
    let print = json!({"background": "rgb(255, 255, 255)", "nav": 0, "pictures": 5});
    assert_eq!(found["print"], print);
}

#[test]
fn a_report_on_many_classes_opens_in_a_browser() {
    let place = Place::new();
    let page = place.path().join("sample.html");
    place.run(&format!("report {} -o sample.html", model())).ok();
    let test = "a_report_on_many_classes_opens_in_a_browser";
    let Some(found) = opened(test, &page) else { return };
    check_report(&found, 46, "sample: a text classifier");
}

#[test]
fn a_report_on_two_classes_opens_in_a_browser() {
    let place = Place::new();
    let mut rows = String::from("text,topic\n");
    for i in 0..60 {
        let _ = write!(rows, "wheat <b>rose & fell</b> {i},grain\n'gold' \"\"rose\"\" {i},metal\n");
    }
    rows.push_str("gold and <script>alert(1)</script> silver,grain\n");
    fs::write(place.path().join("wires.csv"), rows).unwrap();
    place.run("train wires.csv -q -o m.slug").ok();
    let title = "Wires <i>& such</i>";
    let said = place.command(["report", "m.slug", "wires.csv", "--title", title, "-o", "m.html"]);
    super::Said::of({ said }.output().unwrap()).ok();
    let page = place.path().join("m.html");
    let test = "a_report_on_two_classes_opens_in_a_browser";
    let Some(found) = opened(test, &page) else { return };
    check_report(&found, 2, title);
}

#[test]
fn a_report_on_reuters_opens_in_a_browser() {
    let test = "a_report_on_reuters_opens_in_a_browser";
    let Some(folder) = real::data_dir(test) else { return };
    let place = Place::new();
    let files = format!("--data-dir {}", folder.display());
    place.run(&format!("train reuters --preset notebook --epochs 8 -q -o r.slug {files}")).ok();
    let report = place.run(&format!("report r.slug -o r.html --format json {files}")).json();
    // The scores are those of the numbered corpus.
    let scores = place.run(&format!("evaluate r.slug --format json {files}")).json();
    for key in ["accuracy", "macro_f1", "log_loss", "ece", "confusion"] {
        assert_eq!(report[key], scores[key], "{key}");
    }
    assert_eq!(report["confused"].as_array().unwrap().len(), 10);
    let Some(found) = opened(test, &place.path().join("r.html")) else { return };
    check_report(&found, 46, "reuters: a text classifier");
}

#[test]
fn an_explanation_opens_in_a_browser() {
    let place = Place::new();
    let line = format!("explain {} --html why.html", model());
    let text = b"Coffee & <script>alert(1)</script> tea, said the exporter, rose at the harbour.";
    place.run_with_input(&line, text).ok();
    let test = "an_explanation_opens_in_a_browser";
    let Some(found) = opened(test, &place.path().join("why.html")) else { return };
    check(&found);
}

#[test]
fn the_page_of_a_service_is_used_by_mouse_and_by_keyboard() {
    let place = Place::new();
    let serving = Serving::start(&place, &format!("{} --feedback corrections.sqlite", model()));
    let address = format!("http://{}", serving.address);
    let Some(found) = driven("the page of a service", "serve.mjs", OsStr::new(&address)) else {
        return;
    };
    for what in ["messages", "requests", "violations"] {
        assert_eq!(found[what], json!([]), "{found}");
    }
    let views = found["views"].as_object().unwrap();
    assert_eq!(views.len(), 4);
    for (name, view) in views {
        let seen = view.to_string();
        assert!(!seen.contains("\"overflow\":1"), "{name} scrolls sideways: {seen}");
        assert!(view["thanks"].as_str().is_some_and(|thanks| !thanks.is_empty()), "{name}: {seen}");
        assert_eq!(view["samples"], 12, "{name}: {seen}");
        assert_eq!(view["tried"].as_u64().map(|n| n > 2), Some(true), "{name}: {seen}");
    }
    let keyboard = &views["desktop-light"]["keyboard"];
    assert!(keyboard["thanks"].is_string() && keyboard["skip"].is_string(), "{keyboard}");
}

#[test]
fn answers_of_any_number_of_labels_are_corrected_to_none_and_to_new_ones() {
    let place = Place::new();
    let lines = [("gold rose", "gold"), ("wheat fell", "grain"), ("gold and wheat", "gold,grain")];
    let lines = lines.map(|(text, labels)| {
        let labels: Vec<_> = labels.split(',').collect();
        json!({ "text": text, "labels": labels }).to_string() + "\n"
    });
    fs::write(place.path().join("several.jsonl"), lines.concat().repeat(5)).unwrap();
    place.run("train several.jsonl -q --preset text --validation none -o several.slug").ok();
    let serving = Serving::start(&place, "several.slug --feedback corrections.sqlite");
    let address = format!("http://{}", serving.address);
    let Some(found) = driven("corrections of several", "several.mjs", OsStr::new(&address)) else {
        return;
    };
    assert_eq!(found["messages"], json!([]), "{found}");
    assert_eq!(found["said"][1], "Thank you. This is correction number 1: no label.");
    assert_eq!(found["said"][3], "Thank you. This is correction number 2: gold, silver.");
    let exported = place.run("feedback export corrections.sqlite").ok();
    let kept: Vec<Value> =
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&kept[0]["labels"], &kept[1]["labels"]), (&json!([]), &json!(["gold", "silver"])));
}
