//! Text features against scikit-learn's and Keras's vectorizers and bm25s: the same vocabulary and the
//! same values. The figures come from `scripts/goldens/text_features.py`, which names the versions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;
use sha2::{Digest, Sha256};
use slugline::corpus::read::{ReadOptions, read};
use slugline::nn::{CsrMatrix, SparseRow};
use slugline::text::{
    Analyzer, AnalyzerOptions, FeatureBuffer, Normalization, TermVectorizer, TokenRule, Tokenised,
    VectorizerOptions,
};

const GOLDEN: &str = include_str!("golden/text_features.json");
const NEWSGROUPS: &str = include_str!("golden/text_features_20news.json");

fn strings(list: &Value) -> Vec<&str> {
    serde::Deserialize::deserialize(list).expect("a list of strings")
}

/// The names of a vectorizer's features.
fn names(vectorizer: &TermVectorizer) -> Vec<String> {
    vectorizer.terms().into_iter().map(|term| term.text).collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * b.abs().max(1.0)
}

/// Holds a row against the golden one, as far as it has the features `of`.
fn compare(row: SparseRow<'_>, names: &[String], golden: &Value, of: &BTreeSet<&str>, what: &str) {
    let named = row.indices.iter().map(|&i| names[i as usize].as_str()).zip(row.values);
    let got: BTreeMap<&str, f32> = named
        .filter(|(name, value)| of.contains(name) && **value != 0.0)
        .map(|(n, v)| (n, *v))
        .collect();
    let golden: Vec<Value> = serde_json::from_value(golden.clone()).expect("names and values");
    let pair = |[name, value]: &[Value; 2]| Some((name.as_str()?.to_owned(), value.as_f64()?));
    let want: BTreeMap<String, f64> =
        golden.as_chunks().0.iter().map(|p| pair(p).expect("a name and a value")).collect();
    assert!(got.keys().eq(want.keys()), "{what}: {got:?} where {want:?} was expected");
    for (name, value) in &want {
        let found = got[name.as_str()];
        assert!(close(found.into(), *value), "{what}: {name:?} is {found}, not {value}");
    }
}

#[test]
fn features_are_those_of_the_reference_programs() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 92);
    for case in cases {
        let what = format!("{} {} on {}", case["program"], case["settings"], case["texts"]);
        let key = case["texts"].as_str().unwrap();
        let texts = strings(&golden["texts"][key]);
        let unseen = strings(&golden["texts"][format!("{key}_unseen")]);
        let options: VectorizerOptions = serde_json::from_value(case["slugline"].clone()).unwrap();

        let tokenised = Tokenised::new(&texts, &options.analyzer);
        let (vectorizer, x) = TermVectorizer::fit_transform(&tokenised, &options).unwrap();
        let ours = names(&vectorizer);
        let ours_sorted: BTreeSet<&str> = ours.iter().map(String::as_str).collect();
        let theirs: BTreeSet<&str> = strings(&case["names"]).into_iter().collect();
        assert_eq!(ours.len(), ours_sorted.len(), "{what}: a name stands twice");
        match case.get("tied") {
            // Which of equals are kept is each program's own affair.
            Some(tied) => {
                let tied: BTreeSet<&str> = strings(tied).into_iter().collect();
                assert_eq!(ours.len() as u64, case["features"].as_u64().unwrap(), "{what}");
                let rest: BTreeSet<&str> = &ours_sorted - &theirs;
                assert!(
                    ours_sorted.is_superset(&theirs) && rest.is_subset(&tied),
                    "{what}: {ours:?}"
                );
            }
            None => assert_eq!(ours_sorted, theirs, "{what}"),
        }
        for (i, row) in case.get("rows").into_iter().flat_map(|r| r.as_array().unwrap()).enumerate()
        {
            compare(x.row(i), &ours, row, &theirs, &format!("{what}, row {i}"));
        }
        let tokenised = Tokenised::new(&unseen, &options.analyzer);
        let all: Vec<usize> = (0..unseen.len()).collect();
        let x = vectorizer.transform(&tokenised, &all).unwrap();
        let mut buffer = FeatureBuffer::default();
        for (i, row) in
            case.get("unseen").into_iter().flat_map(|r| r.as_array().unwrap()).enumerate()
        {
            compare(x.row(i), &ours, row, &theirs, &format!("{what}, unseen text {i}"));
            vectorizer.vectorize(unseen[i], &mut buffer);
            assert_eq!(buffer.row(), x.row(i), "{what}, unseen text {i}");
        }
    }
}

fn tokens(normalization: Normalization, tokens: TokenRule) -> impl FnMut(char) -> Vec<String> {
    let options = AnalyzerOptions { normalization, tokens, lowercase: false, ..Default::default() };
    let mut analyzer = Analyzer::new(options);
    move |c| analyzer.tokens(&format!("a{c}b"))
}

/// Whether ranges, first and last of each in turn, hold a number.
fn holds(ranges: &[u32], number: u32) -> bool {
    let after = ranges.partition_point(|&end| end < number);
    after % 2 == 1 || ranges.get(after) == Some(&number)
}

#[test]
fn characters_are_taken_as_python_takes_them() {
    let golden: Value = serde_json::from_str(GOLDEN).unwrap();
    let ranges = |name: &str| -> Vec<u32> {
        serde_json::from_value(golden["characters"][name].clone()).unwrap()
    };
    // Characters that Python's version of Unicode does not have may be anything by now.
    let (unassigned, word) = (ranges("unassigned"), ranges("word"));
    let mut cut = tokens(Normalization::None, TokenRule::ScikitLearn);
    let mut strip = tokens(Normalization::StripAccents, TokenRule::Whitespace);
    let mut stripped = Sha256::new();
    for c in ('\0'..=char::MAX).filter(|&c| !holds(&unassigned, c as u32)) {
        let one = cut(c).len() == 1;
        assert_eq!(one, holds(&word, c as u32), "U+{:04X}", c as u32);
        // Python's split() takes four control characters for white space that Unicode does not.
        if !('\u{1C}'..='\u{1F}').contains(&c) {
            stripped.update(strip(c).join(" "));
            stripped.update("\n");
        }
    }
    assert_eq!(hex(&stripped.finalize()), golden["characters"]["stripped_sha256"]);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

fn sha256(mut names: Vec<&str>) -> String {
    names.sort_unstable();
    hex(&Sha256::digest(names.join("\n")))
}

/// Holds one row against its golden summary.
fn check_row(x: &CsrMatrix, names: &[String], golden: &Value, what: &str) {
    let row = x.row(golden["row"].as_u64().expect("a number") as usize);
    let sum: f64 = row.values.iter().map(|&value| f64::from(value)).sum();
    let largest = row.values.iter().copied().fold(0.0, f32::max);
    let of: Vec<&str> = row.indices.iter().map(|&i| names[i as usize].as_str()).collect();
    assert_eq!(sha256(of), golden["names_sha256"], "{what}");
    assert!(close(sum, golden["sum"].as_f64().expect("a number")), "{what}: {sum}");
    assert!(
        close(largest.into(), golden["largest"].as_f64().expect("a number")),
        "{what}: {largest}"
    );
}

#[test]
fn features_of_20_newsgroups_are_those_of_scikit_learn() {
    let Some(path) = std::env::var_os("SLUGLINE_DATA_DIR")
        .map(|folder| PathBuf::from(folder).join("20news-bydate.jsonl.gz"))
        .filter(|path| path.is_file())
    else {
        // Not by a macro: what those print in a passing test is not shown.
        let line = b"SKIPPED (set SLUGLINE_DATA_DIR): features_of_20_newsgroups_are_those_of_scikit_learn\n";
        std::io::stderr().write_all(line).unwrap();
        return;
    };
    let golden: Value = serde_json::from_str(NEWSGROUPS).unwrap();
    let input = path.to_str().unwrap().to_owned();
    let documents = read(&[input], &ReadOptions::default(), &mut |_| {}).unwrap().train;
    assert_eq!(documents.len() as u64, golden["documents"].as_u64().unwrap());
    let texts: Vec<&str> = documents.texts().collect();
    for case in golden["cases"].as_array().unwrap() {
        let what = case["settings"].to_string();
        let options: VectorizerOptions = serde_json::from_value(case["slugline"].clone()).unwrap();
        let tokenised = Tokenised::new(&texts, &options.analyzer);
        let (vectorizer, x) = TermVectorizer::fit_transform(&tokenised, &options).unwrap();
        let names = names(&vectorizer);
        let sum = |values: &[f32]| values.iter().map(|&value| f64::from(value)).sum::<f64>();
        let number = |value: &Value| value.as_u64().unwrap() as usize;
        assert_eq!(names.len(), number(&case["features"]), "{what}");
        assert_eq!(
            sha256(names.iter().map(String::as_str).collect()),
            case["names_sha256"],
            "{what}"
        );
        assert_eq!(x.nnz(), number(&case["nnz"]), "{what}");
        let all: f64 = (0..x.rows()).map(|i| sum(x.row(i).values)).sum();
        let want = case["sum"].as_f64().unwrap();
        assert!((all - want).abs() < 1e-6 * want, "{what}: {all}");
        for golden in case["rows"].as_array().unwrap() {
            check_row(&x, &names, golden, &what);
        }
    }
}
