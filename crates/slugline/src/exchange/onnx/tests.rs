//! What is in a graph. What runtimes make of it is tested with the command.

use std::collections::BTreeSet;

use prost::Message;

use super::schema::{GraphProto, ModelProto};
use super::{OnnxInput, OnnxOptions, text, to_bytes};
use crate::classifier::{Classifier, Preset, TrainingOptions};
use crate::corpus::Documents;
use crate::exchange::tests::classifier;
use crate::nn::Activation;
use crate::text::{AnalyzerOptions, Normalization, TokenRule, VectorizerOptions};

fn model(classifier: &Classifier, input: OnnxInput) -> ModelProto {
    let bytes = to_bytes(classifier, OnnxOptions { input, calibrated: true }).unwrap();
    ModelProto::decode(bytes.as_slice()).unwrap()
}

/// That every value is made before it is used, and once.
fn check(graph: &GraphProto, outer: &BTreeSet<String>) {
    let mut known = outer.clone();
    known.insert(String::new());
    let constants = graph.initializer.iter().map(|tensor| &tensor.name);
    for name in constants.chain(graph.input.iter().map(|input| &input.name)) {
        assert!(known.insert(name.clone()), "{name} twice");
    }
    for node in &graph.node {
        for input in &node.input {
            assert!(known.contains(input), "{input} of {}", node.name);
        }
        for graph in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
            check(graph, &known);
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{output} twice");
        }
    }
    assert!(graph.output.iter().all(|output| known.contains(&output.name)));
}

#[test]
fn graphs_hang_together() {
    let classifier = classifier(Activation::Softmax);
    for (input, operators) in [(OnnxInput::Features, 13), (OnnxInput::Text, 20)] {
        let model = model(&classifier, input);
        assert_eq!((model.opset_import[0].version, input.opset()), (operators, operators));
        let graph = model.graph.unwrap();
        check(&graph, &BTreeSet::new());
        let names: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(names, ["probabilities", "label"]);
        let options = OnnxOptions { input, calibrated: true };
        let bytes = || to_bytes(&classifier, options).unwrap();
        assert_eq!(bytes(), bytes(), "the same bytes");
    }
}

/// A model of words and pairs of them, with features of its own.
fn terms(text: VectorizerOptions, word: &str) -> Classifier {
    let mut documents = Documents::new(vec!["a".into(), "b".into()]);
    for i in 0..12 {
        documents.push(&format!("wheat fell {word}"), 0);
        documents.push(&format!("gold rose {i}"), 1);
    }
    let preset = Preset::Text.options();
    let options = TrainingOptions { vectorizer: Some(text), hidden: vec![2], epochs: 1, ..preset };
    Classifier::train_documents(&documents, "words", &options, &mut []).unwrap()
}

type Edit = fn(&mut VectorizerOptions);

#[test]
fn only_what_is_exact_is_made_of_text() {
    let sound = || VectorizerOptions {
        analyzer: AnalyzerOptions {
            normalization: Normalization::None,
            tokens: TokenRule::Whitespace,
            ..AnalyzerOptions::default()
        },
        word_ngrams: 2,
        ..VectorizerOptions::default()
    };
    check(&model(&terms(sound(), "oil"), OnnxInput::Text).graph.unwrap(), &BTreeSet::new());
    let refused = |edit: Edit, word: &str| {
        let mut options = sound();
        edit(&mut options);
        let options_of_graph = OnnxOptions { input: OnnxInput::Text, calibrated: true };
        to_bytes(&terms(options, word), options_of_graph).unwrap_err().to_string()
    };
    let cases: [(&str, Edit); 5] = [
        ("the token rule `words`", |o| o.analyzer.tokens = TokenRule::Words),
        ("the normalization `nfc`", |o| o.analyzer.normalization = Normalization::Nfc),
        ("hashed features", |o| o.hashing = Some(6)),
        ("beginnings of words", |o| o.prefix_lengths = vec![2]),
        ("parts of words", |o| o.char_ngrams = Some((2, 3))),
    ];
    for (part, edit) in cases {
        let error = refused(edit, "oil");
        assert!(error.contains(&format!("cannot express {part}; ")), "{error}");
    }
    let error = refused(|_| {}, "σίτος");
    assert!(error.contains("lower case of the Greek Σ"), "{error}");
    let mut cased = sound();
    cased.analyzer.lowercase = false;
    check(&model(&terms(cased, "σίτος"), OnnxInput::Text).graph.unwrap(), &BTreeSet::new());
}

/// Texts are cut before their letters are lowered here, after it in a graph.
#[test]
fn lower_case_makes_no_separator() {
    for rule in [TokenRule::Keras, TokenRule::Whitespace] {
        let separators: BTreeSet<char> = text::separators(rule).into_iter().collect();
        for c in '\0'..=char::MAX {
            let parts = separators.contains(&c);
            let mut lowered = c.to_lowercase();
            assert!(lowered.all(|lower| separators.contains(&lower) == parts), "{c:?}");
        }
    }
}
