use proptest::prelude::*;

use super::*;
use crate::classifier::{TrainingOptions, ValidationSplit};
use crate::corpus::{Content, Documents, Labels};
use crate::nn::{Activation, Optimizer};
use crate::text::{Idf, Norm, VectorizerOptions};

fn grain_and_metal() -> Documents {
    let mut documents = Documents::new(vec!["grain".into(), "metal".into()]);
    for i in 0..40 {
        let (text, class) = match i % 4 {
            0 => (format!("Wheat prices rose, week {i}"), 0),
            1 => (format!("Gold prices rose, week {i}"), 1),
            2 => (format!("The naïve corn trader sold early {i}"), 0),
            _ => (format!("A silver mine was not sold {i}"), 1),
        };
        documents.push(&text, class);
    }
    documents
}

fn options(hidden: &[usize], activation: Activation) -> TrainingOptions {
    let vectorizer = VectorizerOptions {
        word_ngrams: 2,
        prefix_lengths: vec![3],
        idf: Idf::Smooth,
        norm: Norm::L2,
        ..VectorizerOptions::default()
    };
    TrainingOptions {
        vectorizer: Some(vectorizer),
        hidden: hidden.to_vec(),
        activation,
        epochs: 60,
        optimizer: Optimizer::adam(),
        batch_size: 4,
        validation: ValidationSplit::None,
        ..TrainingOptions::default()
    }
}

fn trained(hidden: &[usize], activation: Activation) -> Classifier {
    let options = options(hidden, activation);
    Classifier::train_documents(&grain_and_metal(), "wires", &options, &mut []).unwrap()
}

fn adds_up(why: &Explanation) {
    for spans in [&why.spans, &why.tokens] {
        let sum: f64 = spans.iter().map(|span| span.contribution).sum();
        assert!((why.baseline + sum - why.logit).abs() < 1e-3, "{why:?}");
    }
}

#[test]
fn words_and_ngrams_make_the_logit() {
    for (hidden, activation) in [
        (&[][..], Activation::Relu),
        (&[8], Activation::Relu),
        (&[8, 6], Activation::Relu),
        (&[8], Activation::Tanh),
        (&[6, 5], Activation::Gelu),
    ] {
        let classifier = trained(hidden, activation);
        let text = "Wheat: NAI\u{308}VE wheat prices, and gold!";
        let mut explainer = classifier.explainer();
        for class in [0, 1] {
            let what = ExplainOptions { class: Some(class), against: None };
            adds_up(&explainer.explain(text, what).unwrap());
        }
        let why = classifier.explain(text);
        let prediction = classifier.predict(text);
        assert_eq!((why.answer.as_ref(), &why.label), (Some(&prediction.label), &prediction.label));
        assert_eq!(why.probability, prediction.probabilities[prediction.class as usize]);
        assert_eq!((why.words, why.unknown_words), (6, prediction.unknown_words));

        let chars: Vec<char> = text.chars().collect();
        for span in why.spans.iter().chain(&why.tokens) {
            assert_eq!(span.text, chars[span.start..span.end].iter().collect::<String>());
        }
        let found: Vec<&str> = why.spans.iter().map(|span| span.text.as_str()).collect();
        assert_eq!(
            found,
            ["Wheat", "NAI\u{308}VE", "wheat", "wheat prices", "prices", "gold"],
            "{hidden:?}"
        );
        // Both places of a word have the same share of it.
        assert!((why.spans[0].contribution - why.spans[2].contribution).abs() < 1e-12);

        let both = ExplainOptions { class: Some(0), against: Some(1) };
        let from_best = ExplainOptions { class: None, against: Some(0) };
        assert_eq!(explainer.explain(text, from_best).unwrap().label, "metal");
        let apart = explainer.explain(text, both).unwrap();
        adds_up(&apart);
        assert_eq!(apart.against.as_deref(), Some("metal"));
        assert!(apart.spans[0].contribution > 0.0 && apart.spans[5].contribution < 0.0);
        let beyond = ExplainOptions { class: Some(2), against: None };
        assert!(explainer.explain(text, beyond).is_err());
        let fork = explainer.fork().explain(text, both).unwrap();
        assert_eq!(fork, apart);
    }
}

#[test]
fn contributions_of_a_linear_model_are_weight_times_value() {
    let classifier = trained(&[], Activation::Relu);
    let kernel = classifier.network().parameters()[0].kernel.as_slice();
    let mut buffer = FeatureBuffer::default();
    let row = classifier.vectorizer().vectorize("gold gold rose", &mut buffer);
    let names = classifier.vectorizer().feature_names();
    let at = |word: &str| names.iter().position(|name| name.as_deref() == Some(word)).unwrap();
    let value = |f: usize| {
        let at = row.indices.iter().position(|&i| i as usize == f).unwrap();
        f64::from(row.values[at])
    };
    let weight = |f: usize| f64::from(kernel[2 * f + 1]);
    let wanted = ["gold", "gol…"].map(at).map(|f| weight(f) * value(f)).iter().sum::<f64>();
    let what = ExplainOptions { class: Some(1), against: None };
    let why = classifier.explainer().explain("gold gold rose", what).unwrap();
    let gold: f64 = why.spans.iter().filter(|s| s.text == "gold").map(|s| s.contribution).sum();
    assert!((gold - wanted).abs() < 1e-9, "{gold} {wanted}");
}

#[test]
fn texts_without_anything_known_have_nothing_but_the_baseline() {
    let classifier = trained(&[8], Activation::Relu);
    for text in ["", "  ", "zzz qqq", "\u{301}"] {
        let why = classifier.explain(text);
        assert!(why.spans.is_empty() && why.tokens.is_empty());
        assert!((why.logit - why.baseline).abs() < 1e-9);
        assert_eq!(why.answer.as_deref(), Some(crate::decision::UNKNOWN));
    }
}

#[test]
fn numbered_words_and_given_features_are_explained() {
    let all = crate::corpus::SequenceOptions { num_words: Some(500), ..Default::default() };
    let corpus = crate::corpus::sample::load(&all).unwrap();
    let options = TrainingOptions { max_features: 500, epochs: 2, ..TrainingOptions::default() };
    let numbered = Classifier::train(&corpus, &options).unwrap();
    let why = numbered.explain("The harvest xyzzy of wheat, xyzzy");
    adds_up(&why);
    // Unknown words share what their mark contributes.
    let unknown: Vec<f64> =
        why.spans.iter().filter(|s| s.text == "xyzzy").map(|s| s.contribution).collect();
    assert!(unknown.len() == 2 && unknown[0] == unknown[1]);
    assert!(why.unknown_words >= 2);

    let mut lists = Documents::new(vec!["low".into(), "high".into()]);
    for i in 0..40 {
        lists.push(&format!("1:{} 7:1", i % 2), i % 2);
    }
    let lists = lists.with_content(Content::Features);
    let options = TrainingOptions {
        hidden: vec![4],
        validation: ValidationSplit::None,
        epochs: 5,
        ..TrainingOptions::default()
    };
    let given = Classifier::train_documents(&lists, "lists", &options, &mut []).unwrap();
    let why = given.explain("1:1 é 7:1 9:4 7:0");
    adds_up(&why);
    let found: Vec<(usize, &str)> =
        why.spans.iter().map(|span| (span.start, span.text.as_str())).collect();
    assert_eq!(found, [(0, "1:1"), (6, "7:1"), (14, "7:0")]);
    // Values of one index are added, and share what they contribute by their sizes.
    assert_eq!(why.spans[2].contribution, 0.0);
    let why = given.explain("1:3 1:1");
    assert!((why.spans[0].contribution - 3.0 * why.spans[1].contribution).abs() < 1e-9);
}

#[test]
fn words_that_speak_for_a_class_are_found() {
    let documents = grain_and_metal();
    for hidden in [&[][..], &[8]] {
        let classifier = trained(hidden, Activation::Relu);
        let named = |words: &[ClassWords], class: usize| -> Vec<String> {
            words[class].speak_for.iter().map(|word| word.text.clone()).collect()
        };
        let general = classifier.class_words(8).unwrap();
        let within = classifier.words_of(&documents, 8).unwrap();
        for words in [&general, &within] {
            assert_eq!((words.len(), words[0].class.as_str()), (2, "grain"));
            let [grain, metal] = [0, 1].map(|class| named(words, class).join(" "));
            assert!(grain.contains("wheat") && !grain.contains("gold"), "{grain}");
            assert!(metal.contains("gold") && !metal.contains("wheat"), "{metal}");
            let falling =
                |w: &[WeightedWord]| w.is_sorted_by(|a, b| a.weight.abs() >= b.weight.abs());
            assert!(words.iter().all(|w| falling(&w.speak_for) && falling(&w.against)));
            assert!(words[0].against.iter().all(|word| word.weight < 0.0));
        }
        let none = Documents::new(documents.class_names().to_vec());
        assert!(matches!(classifier.words_of(&none, 3), Err(WordsError::NoDocuments)));
        let other = Documents::new(vec!["x".into()]).with_labels(Labels::Single(vec![])).unwrap();
        assert!(classifier.words_of(&other, 3).is_err());
    }
    let mut hashed = options(&[4], Activation::Relu);
    hashed.vectorizer = Some(VectorizerOptions { hashing: Some(8), ..Default::default() });
    let classifier = Classifier::train_documents(&documents, "wires", &hashed, &mut []).unwrap();
    assert!(matches!(classifier.class_words(3), Err(WordsError::Hashed)));
    adds_up(&classifier.explain("Wheat and gold"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_adds_up(texts in prop::collection::vec("(wheat|gold|rose|[ ,.]|é|\\PC){0,30}", 1..4)) {
        static MODEL: std::sync::OnceLock<Classifier> = std::sync::OnceLock::new();
        let classifier = MODEL.get_or_init(|| trained(&[8, 6], Activation::Relu));
        let mut explainer = classifier.explainer();
        for text in &texts {
            let why = explainer.explain(text, ExplainOptions::default()).unwrap();
            adds_up(&why);
            let length = text.chars().count();
            let pieces = why.pieces(text);
            prop_assert_eq!(&pieces.iter().map(|piece| piece.0).collect::<String>(), text);
            prop_assert!(why.tokens.windows(2).all(|pair| pair[0].start < pair[1].start));
            prop_assert!(why.spans.iter().all(|span| span.start < span.end && span.end <= length));
        }
    }
}
