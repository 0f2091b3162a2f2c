//! Lists of features.

use super::*;
use crate::corpus::Content;

#[test]
fn lists_of_features_are_read() {
    let lines = b"# two classes\n+1 3:0.5 10:1e-3 # first\n-1 qid:7 1:2\n\n1.0\n-1 2:-1 1:4\r\n";
    let found = read_bytes("a", lines, &ReadOptions::default()).unwrap();
    assert!(found.layouts[0].to_string().ends_with("a: SVMlight lines"));
    assert_eq!(found.train.content(), Content::Features);
    assert_eq!(texts(&found.train), ["3:0.5 10:1e-3", "1:2", "", "2:-1 1:4"]);
    assert_eq!(found.train.class_names(), ["-1", "1"]);
    assert_eq!(found.train.labels(), &Labels::Single(vec![1, 0, 1, 0]));
    assert_eq!(found.train.place(3).unwrap().row, 6);
    assert_eq!(found.train.select(&[0]).content(), Content::Features);

    let multi = ReadOptions { multi_label: Some(true), ..Default::default() };
    let found = read_bytes("a", b"1,3 1:1\n2 1:1\n", &multi).unwrap();
    assert_eq!(found.train.labels(), &Labels::Multi(vec![vec![0, 2], vec![1]]));
    let said = ReadOptions { format: Some(Format::SvmLight), ..multi };
    let found = read_bytes("a", b" 1:1\nspam 1:1\n", &said).unwrap();
    assert_eq!(found.train.labels(), &Labels::Multi(vec![vec![], vec![0]]));
}

#[test]
fn bad_pairs_are_named() {
    let options = ReadOptions { format: Some(Format::SvmLight), ..Default::default() };
    for (line, want) in [
        ("1 1:x", "a.svm:2: expected a finite number after the colon, found \"1:x\""),
        ("1 2:inf", "a.svm:2: expected a finite number after the colon, found \"2:inf\""),
        ("1 5", "a.svm:2: expected a pair such as 17:0.5, found \"5\""),
        ("1 -1:2", "a.svm:2: expected an index below 4294967296 before the colon, found \"-1:2\""),
        (
            "1 4294967296:2",
            "a.svm:2: expected an index below 4294967296 before the colon, found \"4294967296:2\"",
        ),
        ("1 7:1 3:1 7:2", "a.svm:2: the feature 7 has two values"),
        ("1:1", "a.svm:2: expected a label at the start"),
        ("1,, 1:1", "a.svm:2: a label is empty"),
    ] {
        assert_eq!(problem("a.svm", format!("1 1:1\n{line}\n").as_bytes(), &options), want);
        let skip = ReadOptions { on_error: OnError::Skip, ..options.clone() };
        let found = read_bytes("a.svm", format!("1 1:1\n{line}\n").as_bytes(), &skip).unwrap();
        assert_eq!((found.train.len(), found.skipped.count), (1, 1));
    }
}

#[test]
fn texts_and_lists_do_not_mix() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_string_lossy().into_owned()
    };
    let inputs = [write("a.svm", "1 1:1\n"), write("b.csv", "text,label\nx,1\n")];
    let error = read(&inputs, &ReadOptions::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.ends_with("texts and lists of features do not mix"), "{error}");
}

proptest! {
    #[test]
    fn lists_are_read_as_written(
        lists in prop::collection::vec((0_u32..3, prop::collection::btree_map(any::<u32>(), -1e3_f32..1e3, 1..9)), 1..20),
    ) {
        let text = |list: &std::collections::BTreeMap<u32, f32>| {
            list.iter().map(|(i, v)| format!("{i}:{v}")).collect::<Vec<_>>().join(" ")
        };
        let lines: Vec<String> = lists.iter().map(|(y, list)| format!("{y} {}", text(list))).collect();
        let lines = lines.join("\n");
        let found = read_bytes("a", lines.as_bytes(), &ReadOptions::default()).unwrap().train;
        for (i, (_, list)) in lists.iter().enumerate() {
            prop_assert_eq!(found.text(i), text(list));
        }
    }
}
