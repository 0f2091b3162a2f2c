mod columns;
mod svmlight;

use std::fs;
use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::corpus::{LabelKind, Labels};

fn read_bytes(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Read, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read(&[path.to_string_lossy().into_owned()], options, &mut |_| {})
}

fn texts(documents: &Documents) -> Vec<&str> {
    documents.texts().collect()
}

/// The message without the folder before the file's name.
fn problem(name: &str, bytes: &[u8], options: &ReadOptions) -> String {
    let error = read_bytes(name, bytes, options).unwrap_err().to_string();
    let from = error.rfind(&format!("/{name}")).map_or(0, |at| at + 1);
    error[from..].to_owned()
}

#[test]
fn every_format_gives_the_same_documents() {
    for (name, content, layout) in [
        ("a.csv", "label,text\ngrain,\"Wheat, corn\"\nmetal,Gold\n", "CSV with a header"),
        (
            "b.csv",
            "text;label\r\nWheat, corn;grain\r\nGold;metal\r\n",
            "CSV with `;` between fields",
        ),
        ("c", "text\tclass\nWheat, corn\tgrain\nGold\tmetal\n", "TSV with a header"),
        (
            "d",
            "{\"text\": \"Wheat, corn\", \"topic\": \"grain\"}\n\n{\"topic\": \"metal\", \"text\": \"Gold\"}\n",
            "JSON lines",
        ),
        ("e.txt", "__label__grain Wheat, corn\n__label__metal Gold\n", "fastText lines"),
        ("f.csv", "\u{FEFF}label,text\ngrain,\"Wheat, corn\"\nmetal,Gold", "CSV with a header"),
    ] {
        let found = read_bytes(name, content.as_bytes(), &ReadOptions::default()).unwrap();
        assert_eq!(texts(&found.train), ["Wheat, corn", "Gold"], "{name}");
        assert_eq!(found.train.class_names(), ["grain", "metal"], "{name}");
        assert_eq!(found.train.labels(), &Labels::Single(vec![0, 1]), "{name}");
        assert!(found.layouts[0].to_string().contains(layout), "{}", found.layouts[0]);
    }
}

#[test]
fn compression_is_known_by_content() {
    let plain = b"label,text\ngrain,Wheat\nmetal,Gold\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(plain).unwrap();
    let gzip = gzip.finish().unwrap();
    let zstd = zstd::encode_all(&plain[..], 0).unwrap();
    for bytes in [&gzip, &zstd] {
        let found = read_bytes("news.csv", bytes, &ReadOptions::default()).unwrap();
        assert_eq!(texts(&found.train), ["Wheat", "Gold"]);
        let skip = ReadOptions { on_error: OnError::Skip, ..Default::default() };
        let cut = &bytes[..bytes.len() - 6];
        assert!(matches!(read_bytes("news.csv", cut, &skip), Err(ReadError::Io { .. })));
    }
    // Two gzip members end to end are one file.
    let twice = [gzip.as_slice(), gzip.as_slice()].concat();
    let options =
        ReadOptions { label: Some("label".into()), on_error: OnError::Skip, ..Default::default() };
    assert_eq!(read_bytes("news.csv", &twice, &options).unwrap().train.len(), 5);
}

#[test]
fn a_folder_holds_a_folder_for_each_class() {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("train/metal/b.txt", "Gold"),
        ("train/grain/deep/a.txt", "Wheat"),
        ("test/grain/c.txt", "Corn"),
        ("test/grain/.hidden", "nothing"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let input = folder.path().to_string_lossy().into_owned();
    let found = read(&[input], &ReadOptions::default(), &mut |_| {}).unwrap();
    assert_eq!(texts(&found.train), ["Wheat", "Gold"]);
    assert_eq!(found.train.labels(), &Labels::Single(vec![0, 1]));
    assert_eq!(texts(found.test.as_ref().unwrap()), ["Corn"]);

    let pattern = folder.path().join("t*/grain/*.txt").to_string_lossy().into_owned();
    let options = ReadOptions { format: Some(Format::FastText), ..Default::default() };
    let error = read(&[pattern], &options, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("c.txt:1: expected `__label__`"), "{error}");
    let nothing = folder.path().join("*.csv").to_string_lossy().into_owned();
    let error = read(&[nothing], &ReadOptions::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("no file matches"), "{error}");
}

#[test]
fn labels_of_every_kind_are_read() {
    let multi = read_bytes(
        "m.jsonl",
        b"{\"text\":\"a\",\"label\":[\"x\",\"y\"]}\n{\"text\":\"b\",\"label\":\"y\"}\n{\"text\":\"c\",\"label\":[]}\n",
        &ReadOptions::default(),
    );
    let labels = Labels::Multi(vec![vec![0, 1], vec![1], vec![]]);
    assert_eq!(multi.unwrap().train.labels(), &labels);

    let separated = ReadOptions { label_separator: Some("|".into()), ..Default::default() };
    let found = read_bytes("m.csv", b"text,label\na,y| x\nb,y\nc,\n", &separated).unwrap();
    assert_eq!(found.train.labels(), &labels);

    let lines = b"__label__x __label__y a\n__label__y b\n";
    let found = read_bytes("m.txt", lines, &ReadOptions::default()).unwrap();
    assert_eq!(found.train.labels(), &labels.select(&[0, 1]));
    let one = ReadOptions { multi_label: Some(false), ..Default::default() };
    assert!(problem("m.txt", lines, &one).ends_with("m.txt:1: expected one label, found 2"));

    let soft = b"{\"text\":\"a\",\"label\":{\"x\":3,\"y\":1}}\n{\"text\":\"b\",\"label\":\"y\"}\n";
    let found = read_bytes("s.jsonl", soft, &ReadOptions::default()).unwrap();
    assert_eq!(found.train.label_kind(), LabelKind::Soft);
    let Labels::Soft(rows) = found.train.labels() else { panic!() };
    assert_eq!(rows.data(), [0.75, 0.25, 0.0, 1.0]);
    let listed =
        b"{\"text\":\"a\",\"label\":{\"x\":3,\"y\":1}}\n{\"text\":\"b\",\"label\":[\"x\",\"y\"]}\n";
    let found = read_bytes("s.jsonl", listed, &ReadOptions::default()).unwrap();
    assert_eq!(found.train.labels().classes(1), [0]);
    let Labels::Soft(rows) = found.train.labels() else { panic!() };
    assert_eq!(rows.row(1), [0.5, 0.5]);
    let none = b"{\"text\":\"a\",\"label\":{\"x\":3}}\n{\"text\":\"b\",\"label\":[]}\n";
    assert!(
        problem("s.jsonl", none, &ReadOptions::default())
            .ends_with("2: expected shares or a label, found none")
    );

    let numbers = b"{\"text\":\"a\",\"y\":1}\n{\"text\":\"b\",\"y\":true}\n";
    let found = read_bytes("n.jsonl", numbers, &ReadOptions::default()).unwrap();
    assert_eq!(found.train.class_names(), ["1", "true"]);
}

#[test]
fn columns_are_found_by_name_by_content_or_by_option() {
    let table = b"id,headline,desk,importance,split\n1,Wheat fell sharply in the week,grain,0.5,news-train\n2,Gold rose again in London,metal,2,news-test\n3,Corn rose a little,grain,1,train\n";
    let options = ReadOptions { weight: Some("importance".into()), ..Default::default() };
    let found = read_bytes("t.csv", table, &options).unwrap();
    assert_eq!(
        found.layouts[0].to_string().split_once("t.csv").unwrap().1,
        ": CSV with a header, text in `headline`, label in `desk`, weight in `importance`, part in `split`"
    );
    assert_eq!(found.train.weights(), Some(&[0.5, 1.0][..]));
    assert_eq!(texts(found.test.as_ref().unwrap()), ["Gold rose again in London"]);
    assert_eq!(found.train.place(1).unwrap().row, 4);

    let both = ReadOptions {
        text: vec!["headline".into(), "id".into()],
        label: Some("desk".into()),
        ..Default::default()
    };
    assert_eq!(
        read_bytes("t.csv", table, &both).unwrap().train.text(0),
        "Wheat fell sharply in the week\n1"
    );

    let bare = b"grain,Wheat fell sharply in the week\nmetal,Gold rose again in London\ngrain,Corn rose a little.\n";
    let found = read_bytes("bare.csv", bare, &ReadOptions::default()).unwrap();
    assert!(
        found.layouts[0].to_string().ends_with("CSV without a header, text in `2`, label in `1`")
    );
    assert_eq!(found.train.len(), 3);

    let wrong = ReadOptions { label: Some("topic".into()), ..Default::default() };
    let error = problem("t.csv", table, &wrong);
    assert_eq!(
        error,
        "t.csv: has no column `topic`; --label takes one of `id`, `headline`, `desk`, `importance`, `split`"
    );
    let unclear = b"one,two,three\nq,ab,x\nr,ab,y\nq,cd,x\nr,cd,y\n";
    assert!(
        problem("u.csv", unclear, &ReadOptions::default())
            .contains("which column holds the label is not clear; name it with --label")
    );
}

#[test]
fn bad_rows_are_named_or_counted() {
    let skip = ReadOptions { on_error: OnError::Skip, ..Default::default() };
    let known =
        ReadOptions { class_names: Some(vec!["b".into(), "a".into()]), ..Default::default() };
    let stop = ReadOptions::default();
    for (name, content, options, want) in [
        ("a.csv", &b"text,label\nx,a\ny\n"[..], &stop, "a.csv:3: expected 2 columns, found 1"),
        ("b.csv", b"text,label\nx,a\ny, \n", &stop, "b.csv:3: the label is empty"),
        (
            "c.csv",
            b"text,label\nx,a\n\xFF,b\n",
            &stop,
            "c.csv:3: column 1 is not UTF-8 at byte 0: \"\u{FFFD}\"",
        ),
        (
            "d.csv",
            b"text,label\nx,a\ny,c\n",
            &known,
            "d.csv:3: the label \"c\" is none of the 2 classes: b, a",
        ),
        (
            "e.csv",
            b"label,text\na,x\nb,\"y\nz,z\n",
            &stop,
            "e.csv:3: a quoted field is not closed before the end of the file",
        ),
        (
            "ee.csv",
            b"label,text\r\na,x\r\n\r\n\r\n\r\nb,\"y\r\nz,z\r\n",
            &stop,
            "ee.csv:6: a quoted field is not closed before the end of the file",
        ),
        (
            "f.jsonl",
            b"{\"text\":\"x\",\"label\":\"a\"}\n{\"text\":\"x\"}\n",
            &stop,
            "f.jsonl:2: there is no key `label`",
        ),
        (
            "g.jsonl",
            b"{\"text\":\"x\",\"label\":\"a\"}\n{\"text\":\n",
            &stop,
            "g.jsonl:2: expected a JSON object: EOF while parsing a value at line 1 column 8",
        ),
        (
            "h.jsonl",
            b"{\"text\":\"x\",\"label\":\"a\"}\n{\"text\":7,\"label\":\"a\"}\n",
            &stop,
            "h.jsonl:2: expected a text in `text`, found 7",
        ),
        (
            "i.jsonl",
            b"{\"text\":\"x\",\"label\":\"a\"}\n{\"text\":\"x\",\"label\":{\"a\":0}}\n",
            &stop,
            "i.jsonl:2: the shares of the classes sum to 0",
        ),
        (
            "j.txt",
            b"__label__a x\n y\n",
            &stop,
            "j.txt:2: expected `__label__` and a label at the start",
        ),
        (
            "k.txt",
            b"__label__a x\n__label__ y\n",
            &stop,
            "k.txt:2: the label after `__label__` is empty",
        ),
    ] {
        assert_eq!(problem(name, content, options), want);
        let options = ReadOptions { on_error: OnError::Skip, ..options.clone() };
        let found = read_bytes(name, content, &options).unwrap();
        assert_eq!((found.train.len(), found.skipped.count), (1, 1), "{name}");
        assert!(want.ends_with(&found.skipped.first[0].1), "{name}");
    }
    let split = ReadOptions { split: Some("s".into()), ..stop.clone() };
    let error = problem("l.csv", b"text,label,s\nx,a,holdout\n", &split);
    assert!(
        error.ends_with("expected train, validation or test as the part, found \"holdout\""),
        "{error}"
    );
    let weight = ReadOptions { weight: Some("w".into()), ..stop.clone() };
    let error = problem("m.csv", b"text,label,w\nx,a,-1\n", &weight);
    assert!(error.ends_with("expected a weight of at least 0, found \"-1\""), "{error}");

    for (name, content) in [("n.csv", &b""[..]), ("o.csv", b" \n"), ("p.csv", b"text,label\n")] {
        assert!(problem(name, content, &skip).ends_with("holds no document"), "{name}");
    }
    assert!(
        problem("q.json", b"[{\"text\": 1}]", &stop)
            .contains("one JSON array; write one object a line")
    );
    assert!(
        problem("r", b"just some words\nand more\n", &stop).contains("no format that is known")
    );
}

#[test]
fn labels_of_the_wrong_number_are_bad_rows() {
    let skip = ReadOptions { on_error: OnError::Skip, ..Default::default() };
    let one = ReadOptions { multi_label: Some(false), ..ReadOptions::default() };
    let lists = b"{\"text\":\"x\",\"label\":[\"a\"]}\n{\"text\":\"y\",\"label\":[\"a\",\"b\"]}\n";
    assert_eq!(problem("t.jsonl", lists, &one), "t.jsonl:2: expected one label, found 2");
    let found =
        read_bytes("t.jsonl", lists, &ReadOptions { on_error: OnError::Skip, ..one }).unwrap();
    assert_eq!((found.train.len(), found.skipped.count), (1, 1));

    let bare = b"{\"text\":\"x\",\"label\":{\"a\":1,\"b\":3}}\n{\"text\":\"y\",\"label\":[]}\n{\"text\":\"z\",\"label\":\"a\"}\n";
    assert_eq!(
        problem("u.jsonl", bare, &ReadOptions::default()),
        "u.jsonl:2: expected shares or a label, found none"
    );
    let found = read_bytes("u.jsonl", bare, &skip).unwrap();
    assert_eq!((texts(&found.train), found.skipped.count), (vec!["x", "z"], 1));
}

#[test]
fn files_without_rows_are_passed_over_among_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (name, content) in [("a.csv", ""), ("b.csv", "text,label\nx,a\n"), ("c.csv", "\n")] {
        std::fs::write(path(name), content).unwrap();
    }
    let all = |names: [&str; 3]| read(&names.map(path), &ReadOptions::default(), &mut |_| {});
    let found = all(["a.csv", "b.csv", "c.csv"]).unwrap();
    assert_eq!(texts(&found.train), ["x"]);
    assert_eq!(found.empty_files, ["a.csv", "c.csv"].map(path));
    // What stands in it is a header alone.
    std::fs::write(path("c.csv"), "text,label\n").unwrap();
    assert_eq!(all(["a.csv", "b.csv", "c.csv"]).unwrap().empty_files, found.empty_files);
    assert!(all(["a.csv", "c.csv", "a.csv"]).unwrap_err().to_string().ends_with("no document"));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("grain");
    std::fs::create_dir(&class).unwrap();
    std::fs::write(class.join("a.txt"), "wheat").unwrap();
    let _listener = std::os::unix::net::UnixListener::bind(class.join("b.txt")).unwrap();
    let input = [folder.path().to_str().unwrap().to_owned()];
    let error = read(&input, &ReadOptions::default(), &mut |_| {}).unwrap_err().to_string();
    assert!(
        error.ends_with("b.txt:1: expected a file, found a pipe, a socket or a device"),
        "{error}"
    );
}

#[test]
fn places_are_lines_whatever_ends_them() {
    for (name, content) in [
        ("lf.csv", "text,label\nx,a\n\n\n\"two\nlines\",a\n\ny\n"),
        ("crlf.csv", "text,label\r\nx,a\r\n\r\n\r\n\"two\r\nlines\",a\r\n\r\ny\r\n"),
    ] {
        let skip = ReadOptions { on_error: OnError::Skip, ..Default::default() };
        let found = read_bytes(name, content.as_bytes(), &skip).unwrap();
        let rows: Vec<u64> = (0..2).map(|i| found.train.place(i).unwrap().row).collect();
        assert_eq!((rows, found.skipped.first[0].0.row), (vec![2, 5], 8), "{name}");
    }
}

#[test]
fn a_lone_carriage_return_ends_a_row_too() {
    let row = |i: usize| format!("the text number {i} of a table of an old program,a\r");
    let content = format!("text,label\r{}", (0..9000).map(row).collect::<String>());
    assert!(content.len() > 3 << 17, "more than what is read at once");
    let found = read_bytes("old.csv", content.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!((found.train.len(), found.skipped.count), (9000, 0));
}

#[test]
fn a_key_may_be_wanted_twice_and_utf_16_is_named() {
    let both =
        ReadOptions { text: vec!["a".into()], label: Some("a".into()), ..Default::default() };
    let found = read_bytes("a.jsonl", b"{\"a\": \"x\"}\n", &both).unwrap();
    assert_eq!((texts(&found.train), found.train.class_names().len()), (vec!["x"], 1));
    let utf16: Vec<u8> = "\u{FEFF}text,label\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(problem("b.csv", &utf16, &ReadOptions::default()).starts_with("b.csv: is UTF-16"));
}

#[test]
fn a_first_line_may_be_longer_than_what_is_looked_at() {
    let long = "wheat ".repeat(100_000);
    let line = |text: &str, label: &str| {
        serde_json::json!({ "text": text, "label": label }).to_string() + "\n"
    };
    let lines = line(&long, "grain") + &line("gold rose", "metal");
    let read = read_bytes("a.jsonl", lines.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(texts(&read.train), [long.as_str(), "gold rose"]);
}

#[test]
fn texts_are_read_without_labels_when_scoring() {
    let options = ReadOptions { labels: LabelUse::Ignored, ..Default::default() };
    let found = read_bytes("a.csv", b"id,text\n1,Wheat\n2,\n", &options).unwrap();
    assert_eq!(texts(&found.train), ["Wheat", ""]);
    assert_eq!(found.empty_texts, 1);
}

/// Rows of text and label, without characters that a format has no way to write.
fn rows() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("[a-zA-Zé,;\"'.| \n]{1,30}", "[a-z]{1,4}"), 1..30)
}

proptest! {
    #[test]
    fn tables_and_json_lines_are_read_as_written(rows in rows()) {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["text", "label"]).unwrap();
        let mut json = String::new();
        for (text, label) in &rows {
            table.write_record([text, label]).unwrap();
            json.push_str(&serde_json::json!({"label": label, "text": text}).to_string());
            json.push('\n');
        }
        let table = table.into_inner().unwrap();
        let options = ReadOptions {
            delimiter: Some(b','), text: vec!["text".into()], label: Some("label".into()), ..Default::default()
        };
        for (name, bytes, format) in [("a.csv", table.as_slice(), Format::Csv), ("a.jsonl", json.as_bytes(), Format::JsonLines)] {
            let options = ReadOptions { format: Some(format), ..options.clone() };
            let found = read_bytes(name, bytes, &options).unwrap().train;
            let Labels::Single(labels) = found.labels() else { panic!() };
            let got: Vec<(String, String)> = found.texts().zip(labels)
                .map(|(text, &label)| (text.to_owned(), found.class_names()[label as usize].clone())).collect();
            prop_assert_eq!(&got, &rows);
        }
    }

    #[test]
    fn any_bytes_end_in_documents_or_an_error(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b','), Just(b'"'), Just(b'{')], 0..300),
        format in prop::option::of(prop::sample::select(&Format::ALL[..7])), skip: bool,
        start in prop::sample::select(vec![&b""[..], b"\x1F\x8B\x08", b"\x28\xB5\x2F\xFD", b"text,label\n", b"{\"text\":", b"__label__", b"PAR1", b"ARROW1\0\0", b"\xFF\xFF\xFF\xFF", b"+1 1:0.5"]),
    ) {
        let on_error = if skip { OnError::Skip } else { OnError::Stop };
        let options = ReadOptions { format, on_error, ..Default::default() };
        let _ = read_bytes("any", &[start, &bytes].concat(), &options);
    }
}
