//! `slugline export`, with what is written run by the programs that it is for.

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use slugline::classifier::Classifier;
use slugline::corpus::fetch::Locator;
use slugline::corpus::{Dataset, DatasetDocuments};
use slugline::exchange::{keras, rows};

use super::python::{python, scripts};
use super::{Place, model};

/// How far probabilities may be apart.
const CLOSE: f64 = 1e-5;

/// Documents that are answered.
const DOCUMENTS: usize = 1000;

/// The corpus to train and answer on, with the option that finds it: the real newswires where they are,
/// else the generated ones.
fn corpus() -> (&'static str, String, DatasetDocuments) {
    let folder = std::env::var_os("SLUGLINE_DATA_DIR");
    let (name, option) = match &folder {
        Some(folder) => ("reuters", format!("--data-dir {}", folder.display())),
        None => ("sample", String::new()),
    };
    let dataset: Dataset = name.parse().unwrap();
    let locator = Locator::from_env();
    let documents = dataset.documents(&locator, &mut |_| ControlFlow::Continue(())).unwrap();
    (name, option, documents)
}

/// Texts to answer: documents, and what documents do not hold.
fn texts(documents: &DatasetDocuments) -> Vec<String> {
    let odd = [
        "",
        " \t\n ",
        "---",
        "WHEAT wheat WhEaT, \u{212a}ilo \u{130}stanbul ÉTÉ été ΣΑΣ",
        "gold\u{a0}gold\u{3000}gold\u{2028}gold\rgold\u{b}gold\u{85}gold\u{0}",
        "don't 1987 1,234.56 <\u{338}wheat> e\u{301} [oil]{oil}~oil",
    ];
    let documents = documents.test.texts().take(DOCUMENTS).map(str::to_owned);
    documents.chain(odd.map(str::to_owned)).collect()
}

/// What programs make of the exported files in a folder.
struct Found {
    classifier: Classifier,
    texts: Vec<String>,
    files: Value,
}

/// Exports a model in every way that `forms` names, each with the file and the arguments.
fn exported(place: &Place, python: &Path, texts: Vec<String>, forms: &[(&str, &str)]) -> Found {
    for (file, arguments) in forms {
        place.run(&format!("export model.slug -q -o {file} {arguments}")).ok();
    }
    let classifier = Classifier::load(place.path().join("model.slug")).unwrap();
    let x = classifier.vectorizer().transform(&texts).unwrap();
    rows::save(&x, place.path().join("rows.npz")).unwrap();
    fs::write(place.path().join("texts.json"), json!(texts).to_string()).unwrap();
    let mut command = Command::new(python);
    let output =
        command.arg(scripts("exchange").join("check.py")).arg(place.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Found { classifier, texts, files: serde_json::from_slice(&output.stdout).unwrap() }
}

impl Found {
    /// That a file's probabilities are those of `predict`, or those of the network as it is.
    #[track_caller]
    fn close(&self, file: &str, calibrated: bool) {
        let Self { classifier, texts, .. } = self;
        let wanted: Vec<Vec<f32>> = if calibrated {
            let answers = classifier.predict_batch(texts);
            answers.into_iter().map(|answer| answer.probabilities).collect()
        } else {
            let outputs =
                classifier.network().predict(&classifier.vectorizer().transform(texts).unwrap());
            outputs.unwrap().iter_rows().map(<[f32]>::to_vec).collect()
        };
        self.near(file, wanted, CLOSE);
    }

    /// That a file's probabilities are so far from others at most.
    #[track_caller]
    fn near(&self, file: &str, wanted: Vec<Vec<f32>>, most: f64) {
        let found = self.files[file]["probabilities"].as_array().unwrap();
        assert_eq!(found.len(), wanted.len(), "{file}");
        let mut worst = (0.0, String::new());
        for ((found, wanted), text) in found.iter().zip(wanted).zip(&self.texts) {
            let found = super::numbers(found);
            assert_eq!(found.len(), wanted.len(), "{file}");
            for (found, wanted) in found.into_iter().zip(wanted) {
                let distance = (found - f64::from(wanted)).abs();
                if distance.is_nan() || distance > worst.0 {
                    worst = (distance, text.clone());
                }
            }
        }
        assert!(worst.0 <= most, "{file}: {} apart for {:?}", worst.0, worst.1);
    }

    /// That the labels of a file are those of the most probable classes.
    #[track_caller]
    fn same_labels(&self, file: &str) {
        let labels = self.files[file]["labels"].as_array().unwrap();
        let answers = self.classifier.predict_batch(&self.texts);
        for (label, answer) in labels.iter().zip(answers) {
            let most = answer.probabilities[answer.class as usize];
            let names = self.classifier.class_names();
            let named = names.iter().position(|name| label == name.as_str()).unwrap();
            // Where two are as good as equal, either may be the answer.
            assert!(f64::from(most - answer.probabilities[named]) < CLOSE, "{file}: {label}");
        }
    }
}

#[test]
fn the_notebook_is_run_by_others_on_rows_and_on_text() {
    let test = "the_notebook_is_run_by_others_on_rows_and_on_text";
    let Some(python) = python(test, "exchange") else { return };
    let (name, option, documents) = corpus();
    let place = Place::new();
    place
        .run(&format!(
            "train {name} --preset notebook --epochs 3 --dropout 0.3 --l2 0.0001 -q -o model.slug {option}"
        ))
        .ok();
    let forms = [
        ("features.onnx", "--to onnx"),
        ("text.onnx", "--to onnx --input text"),
        ("model.keras", "--to keras"),
        ("model.safetensors", "--to safetensors"),
    ];
    let all = exported(&place, &python, texts(&documents), &forms);
    for (file, _) in forms {
        all.close(file, true);
    }
    all.same_labels("features.onnx");
    all.same_labels("text.onnx");
    let (features, text) = (&all.files["features.onnx"], &all.files["text.onnx"]);
    assert_eq!((&features["opset"], &features["ir_version"]), (&json!({"": 13}), &json!(7)));
    assert_eq!(text["opset"], json!({"": 20, "ai.onnx.ml": 2}));
    assert_eq!((&text["of_none"], &text["ir_version"]), (&json!([[0, 46], [0]]), &json!(9)));
    let names = all.classifier.class_names();
    assert_eq!(features["metadata"]["labels"], json!(names).to_string());
    let checksum = all.classifier.checksum().unwrap();
    assert_eq!(text["metadata"]["model_checksum"], checksum);

    let layers = all.files["model.keras"]["layers"].as_array().unwrap();
    let classes: Vec<&Value> = layers.iter().map(|layer| &layer[0]).collect();
    assert_eq!(classes, ["Dense", "Dropout", "Dense", "Dropout", "Dense"]);
    let first = &layers[0][1];
    let initializer = &first["kernel_initializer"]["class_name"];
    assert_eq!((&first["activation"], initializer), (&json!("relu"), &json!("GlorotUniform")));
    let l2 = first["kernel_regularizer"]["config"]["l2"].as_f64().unwrap();
    assert!((l2 - 1e-4).abs() < 1e-9, "{first}");
    // What Keras itself has saved.
    let again = keras::read(place.path().join("again.keras")).unwrap();
    assert!(again.same_weights(all.classifier.network()));
    assert_eq!(again.layers(), all.classifier.network().layers());

    let described = &all.files["model.safetensors"]["described"];
    assert_eq!(described["labels"], json!(names));
    assert_eq!(described["layers"][1]["dropout"].as_f64().unwrap() as f32, 0.3);
    assert_eq!(described["feature_names"][4], json!("the"));
}

#[test]
fn words_and_ngrams_are_cut_by_the_graph() {
    let test = "words_and_ngrams_are_cut_by_the_graph";
    let Some(python) = python(test, "exchange") else { return };
    let (name, option, documents) = corpus();
    for settings in [
        "--token-rule whitespace --ngrams 3",
        "--token-rule keras --ngrams 2 --mask-digits yes --tf bm25 --idf bm25 --norm none",
    ] {
        let place = Place::new();
        let train = format!(
            "train {name} --preset text --normalization none --epochs 1 --hidden 16 {settings} \
             --max-features 5000 -q -o model.slug {option}"
        );
        place.run(&train).ok();
        let forms = [("text.onnx", "--to onnx --input text"), ("features.onnx", "--to onnx")];
        let all = exported(&place, &python, texts(&documents), &forms);
        all.close("text.onnx", true);
        all.close("features.onnx", true);
        all.same_labels("text.onnx");
    }
}

/// The first documents to train on as JSON lines, with the labels that `of` makes of the class.
fn lines(documents: &DatasetDocuments, of: impl Fn(&str, &str) -> Value) -> String {
    let train = &documents.train;
    let mut lines = String::new();
    for (i, text) in train.texts().enumerate().take(2000) {
        let class = &train.class_names()[train.labels().classes(i)[0] as usize];
        writeln!(lines, "{}", json!({"text": text, "label": of(class, text)})).unwrap();
    }
    lines
}

#[test]
fn calibrated_probabilities_are_those_of_predict() {
    let test = "calibrated_probabilities_are_those_of_predict";
    let Some(python) = python(test, "exchange") else { return };
    let (_, _, documents) = corpus();
    let place = Place::new();
    let train = lines(&documents, |class, _| json!(class));
    fs::write(place.path().join("train.jsonl"), train).unwrap();
    place.run("train train.jsonl -q -o model.slug").ok();
    let error = place.run("export model.slug --to keras").refused(1);
    assert!(error.contains("cannot express the calibration (a mixture"), "{error}");
    assert!(error.contains("--uncalibrated"), "{error}");
    assert!(!place.path().join("model.keras").exists());
    let forms = [
        ("features.onnx", "--to onnx"),
        ("model.keras", "--to keras --uncalibrated"),
        ("model.safetensors", "--to safetensors"),
    ];
    let all = exported(&place, &python, texts(&documents), &forms);
    assert_eq!(json!(all.classifier.calibration())["kind"], "mixture");
    all.close("features.onnx", true);
    all.same_labels("features.onnx");
    all.close("model.keras", false);
    all.close("model.safetensors", false);
}

#[test]
fn any_number_of_labels_is_exported() {
    let test = "any_number_of_labels_is_exported";
    let Some(python) = python(test, "exchange") else { return };
    let (_, _, documents) = corpus();
    let place = Place::new();
    let train = lines(&documents, |class, text| match text.len() {
        0..600 => json!([class]),
        _ => json!([class, "long"]),
    });
    fs::write(place.path().join("train.jsonl"), train).unwrap();
    place.run("train train.jsonl -q -o model.slug").ok();
    let forms = [("features.onnx", "--to onnx"), ("model.keras", "--to keras")];
    let all = exported(&place, &python, texts(&documents), &forms);
    assert_eq!(json!(all.classifier.calibration())["kind"], "platt");
    all.close("features.onnx", true);
    assert!(all.files["features.onnx"]["labels"].is_null());
    let report = place.run("export model.slug --to keras --format json").json();
    assert_eq!(report["calibration"], "nearly");
    // Keras computes what the archive says …
    let network = keras::read(place.path().join("model.keras")).unwrap();
    let x = all.classifier.vectorizer().transform(&all.texts).unwrap();
    let wanted = network.predict(&x).unwrap();
    all.near("model.keras", wanted.iter_rows().map(<[f32]>::to_vec).collect(), CLOSE);
    // … which is what `predict` says but where an output is so close to 1 that, in single precision, it
    // has lost the logit from which Platt scaling starts.
    let raw = all.classifier.network().predict(&x).unwrap();
    let answers = all.classifier.predict_batch(&all.texts);
    for ((row, raw), answer) in wanted.iter_rows().zip(raw.iter_rows()).zip(answers) {
        for ((p, raw), wanted) in row.iter().zip(raw).zip(&answer.probabilities) {
            let distance = f64::from((p - wanted).abs());
            assert!(distance <= CLOSE || *raw > 0.9999, "{p} for {wanted}, of {raw}");
        }
    }
}

#[test]
fn what_is_written_is_told() {
    let place = Place::new();
    fs::copy(model(), place.path().join("m.slug")).unwrap();
    let report = place.run("export m.slug --to onnx --format json").json();
    assert_eq!(report["file"], "m.onnx");
    assert_eq!(report["bytes"], fs::metadata(place.path().join("m.onnx")).unwrap().len());
    assert_eq!((&report["input"], &report["width"]), (&json!("features"), &json!(2000)));
    assert_eq!((&report["opset"], &report["calibration"]), (&json!(13), &json!("none")));
    assert_eq!(report["left_out"], json!(["vocabulary"]));
    let out = place.run("export m.slug --to keras").ok();
    assert!(out.contains("m.keras") && out.contains("left out     vocabulary, labels"), "{out}");
    let out = place.run("export m.slug --to onnx --input text -o text.onnx").ok();
    assert!(out.contains("text, string [N]") && !out.contains("left out"), "{out}");
    // The same model makes the same bytes.
    place.run("export m.slug --to safetensors -o a").ok();
    place.run("export m.slug --to safetensors -o b").ok();
    assert_eq!(
        fs::read(place.path().join("a")).unwrap(),
        fs::read(place.path().join("b")).unwrap()
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    let place = Place::new();
    fs::copy(model(), place.path().join("m.slug")).unwrap();
    let error = place.run("export m.slug --to keras --input text").refused(2);
    assert!(error.contains("--input is for --to onnx"), "{error}");
    let error = place.run("export m.slug --to safetensors --uncalibrated").refused(2);
    assert!(error.contains("weights are never calibrated"), "{error}");
    let error = place.run("export m.slug --to onnx -o m.slug").refused(1);
    assert!(error.contains("which is the model that is read"), "{error}");
    let error = place.run("export m.slug --to onnx -o no/where.onnx").refused(1);
    assert!(error.contains("there is no folder no"), "{error}");
    place.run("train sample --preset text --epochs 1 --hidden 4 -q -o words.slug").ok();
    let error = place.run("export words.slug --to onnx --input text").refused(1);
    assert!(error.contains("cannot express the token rule `words`"), "{error}");
    assert!(error.contains("--token-rule whitespace or keras"), "{error}");
    assert!(!place.path().join("words.onnx").exists());
}
