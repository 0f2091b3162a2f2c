use proptest::prelude::*;

use super::*;
use crate::corpus::Labels;

fn fit(texts: &[&str], options: &VectorizerOptions) -> (TermVectorizer, slugline_nn::CsrMatrix) {
    let tokenised = Tokenised::new(texts, &options.analyzer);
    TermVectorizer::fit_transform(&tokenised, options).unwrap()
}

fn named(vectorizer: &TermVectorizer, row: slugline_nn::SparseRow<'_>) -> Vec<(String, f32)> {
    let terms = vectorizer.terms();
    let mut named: Vec<_> = row
        .indices
        .iter()
        .zip(row.values)
        .map(|(&i, &v)| (terms[i as usize].text.clone(), v))
        .collect();
    named.sort_by(|a, b| a.0.cmp(&b.0));
    named
}

#[test]
fn every_kind_of_feature_is_found() {
    let options = VectorizerOptions {
        word_ngrams: 3,
        prefix_lengths: vec![4],
        char_ngrams: Some((3, 3)),
        ..Default::default()
    };
    let (vectorizer, x) = fit(&["wheat rose a lot"], &options);
    let found: Vec<String> = named(&vectorizer, x.row(0)).into_iter().map(|(n, _)| n).collect();
    let mut want = vec![
        "wheat",
        "rose",
        "a",
        "lot",
        "wheat rose",
        "rose a",
        "a lot",
        "wheat rose a",
        "rose a lot",
        "whea",
        " wh",
        "whe",
        "hea",
        "eat",
        "at ",
        " ro",
        "ros",
        "ose",
        "se ",
        " a ",
        " lo",
        "lot",
        "ot ",
    ];
    want.sort_unstable();
    assert_eq!(found, want);
}

#[test]
fn selection_keeps_what_it_says() {
    let texts = ["a b c", "a b", "a d d d d"];
    let at_least = |min_df| Selection { min_df, ..Default::default() };
    let options = VectorizerOptions {
        words: Selection { max_df: 0.7, ..Default::default() },
        word_ngrams: 2,
        ngrams: at_least(2),
        ..Default::default()
    };
    let (vectorizer, _) = fit(&texts, &options);
    let names: Vec<String> = vectorizer.terms().into_iter().map(|t| t.text).collect();
    // By falling number of documents, then kind, then first appearance.
    assert_eq!(names, ["b", "a b", "c", "d"]);
    // The word `a` is no feature, but part of one: it is known, and `e` is not.
    let mut buffer = FeatureBuffer::default();
    vectorizer.vectorize("A b e", &mut buffer);
    assert_eq!((buffer.words(), buffer.unknown_words()), (3, 1));
    assert_eq!(buffer.row().indices, [0, 1]);

    let few = VectorizerOptions { max_features: Some(2), ..Default::default() };
    let names: Vec<String> = fit(&texts, &few).0.terms().into_iter().map(|t| t.text).collect();
    assert_eq!(names, ["a", "d"]);
    let none = VectorizerOptions { words: at_least(9), ..Default::default() };
    let tokenised = Tokenised::new(&texts, &none.analyzer);
    let err = TermVectorizer::fit_transform(&tokenised, &none).unwrap_err().to_string();
    assert!(err.contains("3 training texts") && err.contains("10 tokens"), "{err}");
}

#[test]
fn class_spread_multiplies_the_factor() {
    let options = VectorizerOptions { class_spread: Some(0.1), ..Default::default() };
    let tokenised = Tokenised::new(&["a b", "a c", "a c"], &options.analyzer);
    let labels = Labels::Single(vec![0, 1, 1]);
    let (vectorizer, _) =
        TermVectorizer::fit_rows(&tokenised, &[0, 1, 2], &options, Some((&labels, 2))).unwrap();
    let want = [[1, 2], [0, 2], [1, 0]].map(|df| 0.1 + class_spread(&df, &[1, 2]));
    assert_eq!(vectorizer.factors(), want);
    // The classes of a document each count.
    let sets = Labels::Multi(vec![vec![0], vec![0, 1], vec![]]);
    let (vectorizer, _) =
        TermVectorizer::fit_rows(&tokenised, &[0, 1, 2], &options, Some((&sets, 2))).unwrap();
    let want = [[2, 1], [1, 1], [1, 0]].map(|df| 0.1 + class_spread(&df, &[2, 1]));
    assert_eq!(vectorizer.factors(), want);
}

#[test]
fn settings_that_give_no_numbers_are_refused() {
    let plain = VectorizerOptions::default;
    let weighted = |weight| Selection { weight, ..Default::default() };
    let bm25 = |k1, b| VectorizerOptions { tf: TermFrequency::Bm25 { k1, b }, ..plain() };
    for (options, want) in [
        (bm25(-1.0, 0.75), "k1 of BM25 is -1: expected from 0 to 1,000,000"),
        (bm25(f32::NAN, 0.75), "k1 of BM25 is NaN"),
        (bm25(1.2, 1.5), "b of BM25 is 1.5: expected from 0 to 1"),
        (VectorizerOptions { class_spread: Some(-0.1), ..plain() }, "class_spread is -0.1"),
        (VectorizerOptions { prefix_lengths: vec![4, 6, 4], ..plain() }, "each length once"),
        (VectorizerOptions { words: weighted(1e30), ..plain() }, "expected from 0 to 1,000,000"),
        (VectorizerOptions { chars: weighted(f32::INFINITY), ..plain() }, "features is inf"),
    ] {
        let message = options.check().unwrap_err().to_string();
        assert!(message.contains(want), "{message}");
    }
    bm25(0.0, 0.0).check().unwrap();
}

#[test]
fn hashed_features_need_no_vocabulary() {
    let options = VectorizerOptions {
        hashing: Some(10),
        word_ngrams: 2,
        prefix_lengths: vec![2],
        ..Default::default()
    };
    let (vectorizer, x) = fit(&["wheat rose"], &options);
    assert_eq!((x.cols(), vectorizer.terms().len()), (1024, 0));
    // Frozen: model files hold weights by these numbers. wheat, rose, wheat rose, wh, ro.
    assert_eq!(x.row(0).indices, [100, 340, 749, 864, 871]);
    let mut buffer = FeatureBuffer::default();
    vectorizer.vectorize("anything else", &mut buffer);
    assert_eq!((buffer.unknown_words(), buffer.row().indices.len()), (0, 5));
}

fn options() -> impl Strategy<Value = VectorizerOptions> {
    (1_usize..4, any::<bool>(), any::<bool>(), any::<bool>(), 1_u32..3).prop_map(
        |(word_ngrams, prefixes, chars, hashing, min_df)| VectorizerOptions {
            word_ngrams,
            ngrams: Selection { min_df, ..Default::default() },
            prefix_lengths: if prefixes { vec![1, 2] } else { vec![] },
            char_ngrams: chars.then_some((1, 3)),
            hashing: hashing.then_some(12),
            tf: TermFrequency::Log,
            idf: Idf::Smooth,
            norm: Norm::L2,
            ..Default::default()
        },
    )
}

proptest! {
    #[test]
    fn a_text_gets_the_row_that_it_has_in_training(
        texts in prop::collection::vec("[abé ]{0,12}", 1..12), options in options(),
    ) {
        let tokenised = Tokenised::new(&texts, &options.analyzer);
        let Ok((vectorizer, x)) = TermVectorizer::fit_transform(&tokenised, &options) else {
            return Ok(());
        };
        let rows: Vec<usize> = (0..texts.len()).rev().collect();
        let again = vectorizer.transform(&tokenised, &rows).unwrap();
        let mut buffer = FeatureBuffer::default();
        for (i, text) in texts.iter().enumerate() {
            vectorizer.vectorize(text, &mut buffer);
            prop_assert_eq!(buffer.row(), x.row(i));
            prop_assert_eq!(again.row(texts.len() - 1 - i), x.row(i));
        }
        let parts = vectorizer.clone();
        let parts = TermVectorizer::from_parts(
            parts.options, parts.vocabulary, parts.factors, parts.mean_length,
        );
        prop_assert_eq!(parts.unwrap(), vectorizer);
    }

    #[test]
    fn counts_are_those_of_the_plain_definition(
        texts in prop::collection::vec("[abc ]{0,12}", 1..12), longest in 1_usize..4, min_df in 1_u32..4,
    ) {
        use std::collections::{BTreeMap, BTreeSet};

        let selection = Selection { min_df, ..Default::default() };
        let options = VectorizerOptions {
            words: selection, ngrams: selection, word_ngrams: longest, ..Default::default()
        };
        let counts: Vec<BTreeMap<String, f32>> = texts.iter().map(|text| {
            let tokens: Vec<&str> = text.split_whitespace().collect();
            let mut counts = BTreeMap::new();
            for n in 1..=longest {
                for gram in tokens.windows(n) {
                    *counts.entry(gram.join(" ")).or_default() += 1.0;
                }
            }
            counts
        }).collect();
        let df = |term: &String| counts.iter().filter(|c| c.contains_key(term)).count() as u32;
        let kept: BTreeSet<&String> = counts.iter().flat_map(BTreeMap::keys).filter(|t| df(t) >= min_df).collect();
        let tokenised = Tokenised::new(&texts, &options.analyzer);
        match TermVectorizer::fit_transform(&tokenised, &options) {
            Err(_) => prop_assert!(kept.is_empty()),
            Ok((vectorizer, x)) => {
                prop_assert_eq!(vectorizer.width(), kept.len());
                for (i, counts) in counts.iter().enumerate() {
                    let want: Vec<(String, f32)> = counts.iter().filter(|(t, _)| kept.contains(t)).map(|(t, n)| (t.clone(), *n)).collect();
                    prop_assert_eq!(named(&vectorizer, x.row(i)), want);
                }
            }
        }
    }

    #[test]
    fn the_result_does_not_depend_on_threads(texts in prop::collection::vec("[ab ]{0,9}", 1..2000)) {
        let options = VectorizerOptions { word_ngrams: 2, ..Default::default() };
        let on = |threads| slugline_nn::with_threads(threads, || {
            let tokenised = Tokenised::new(&texts, &options.analyzer);
            TermVectorizer::fit_transform(&tokenised, &options).ok()
        }).unwrap();
        prop_assert!(on(1) == on(3));
    }
}

#[test]
fn features_are_numbered_by_the_alphabet_where_asked() {
    let texts = ["wheat rose a lot", "Öl wheat rose", "zinc wheat"];
    let by = |order| VectorizerOptions {
        word_ngrams: 2,
        prefix_lengths: vec![4],
        char_ngrams: Some((3, 3)),
        order,
        ..VectorizerOptions::default().tf_idf(true)
    };
    let (plain, x) = fit(&texts, &by(FeatureOrder::Frequency));
    let (sorted, y) = fit(&texts, &by(FeatureOrder::Alphabet));
    let names: Vec<String> = sorted.terms().into_iter().map(|term| term.text).collect();
    assert!(names.is_sorted(), "{names:?}");
    assert_eq!((names.len(), names[0].as_str()), (plain.width(), " a "));
    for row in 0..texts.len() {
        let (row, other) = (named(&sorted, y.row(row)), named(&plain, x.row(row)));
        assert_eq!(row.len(), other.len());
        for ((name, value), (other, wanted)) in row.iter().zip(&other) {
            assert!(name == other && (value - wanted).abs() < 1e-6);
        }
    }
    let mut buffer = FeatureBuffer::default();
    sorted.vectorize(texts[1], &mut buffer);
    assert_eq!(buffer.row(), y.row(1));
    let stored = serde_json::to_value(by(FeatureOrder::Frequency)).unwrap();
    assert!(stored.get("order").is_none());
}
