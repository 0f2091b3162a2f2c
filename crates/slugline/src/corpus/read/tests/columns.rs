//! Parquet and Arrow, written by the crates that read them.

use std::collections::HashMap;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, GzipLevel, ZstdLevel};
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float32Array, Int64Array, LargeStringArray,
    RecordBatch, StringArray, StringViewArray, StructArray,
};
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, Field};
use serde_json::json;

use super::*;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true)))
        .unwrap()
}

fn parquet(batches: &[RecordBatch], compression: Compression) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(3))
        .build();
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batches[0].schema(), Some(properties)).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

fn arrow_file(batches: &[RecordBatch], compression: Option<CompressionType>) -> Vec<u8> {
    let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
    let mut writer =
        FileWriter::try_new_with_options(Vec::new(), &batches[0].schema(), options).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

fn arrow_stream(batches: &[RecordBatch]) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    writer.into_inner().unwrap()
}

/// Five rows in two batches; the last has no text.
fn news() -> Vec<RecordBatch> {
    let part = |ids: Vec<i64>, texts: Vec<Option<&str>>, classes: Vec<&str>, splits: Vec<&str>| {
        // A file has one dictionary for all batches.
        let names = StringArray::from(vec!["metal", "grain"]);
        let keys = classes.iter().map(|&class| i32::from(class == "grain")).collect();
        let weights: Vec<f32> = ids.iter().map(|&id| id as f32 / 10.0).collect();
        batch(vec![
            ("id", Arc::new(Int64Array::from(ids))),
            ("body", Arc::new(StringArray::from(texts))),
            ("class", Arc::new(DictionaryArray::<Int32Type>::new(keys, Arc::new(names)))),
            ("w", Arc::new(Float32Array::from(weights))),
            ("split", Arc::new(LargeStringArray::from(splits))),
        ])
    };
    vec![
        part(
            vec![1, 2, 3],
            vec![Some("Wheat fell."), Some("Gold rose."), Some("Corn")],
            vec!["grain", "metal", "grain"],
            vec!["train", "train", "test"],
        ),
        part(vec![4, 5], vec![Some("Tin"), None], vec!["metal", "grain"], vec!["train", "train"]),
    ]
}

#[test]
fn every_form_of_columns_gives_the_same_documents() {
    let news = news();
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 0).unwrap();
    let plain = parquet(&news, Compression::SNAPPY);
    for (what, bytes, title) in [
        ("snappy", plain.clone(), "Parquet"),
        ("gzip", parquet(&news, Compression::GZIP(GzipLevel::default())), "Parquet"),
        ("lz4", parquet(&news, Compression::LZ4_RAW), "Parquet"),
        ("zstd", parquet(&news, Compression::ZSTD(ZstdLevel::default())), "Parquet"),
        ("as a whole", zstd(&plain), "Parquet in zstd"),
        ("file", arrow_file(&news, None), "Arrow"),
        ("lz4 file", arrow_file(&news, Some(CompressionType::LZ4_FRAME)), "Arrow"),
        ("zstd file", arrow_file(&news, Some(CompressionType::ZSTD)), "Arrow"),
        ("stream", arrow_stream(&news), "Arrow"),
        ("zstd stream", zstd(&arrow_stream(&news)), "Arrow in zstd"),
    ] {
        let options = ReadOptions { weight: Some("w".into()), ..Default::default() };
        let found = read_bytes("news.bin", &bytes, &options).unwrap();
        let layout = found.layouts[0].to_string();
        assert_eq!(
            layout.split_once("news.bin: ").unwrap().1,
            format!("{title}, text in `body`, label in `class`, weight in `w`, part in `split`"),
            "{what}"
        );
        assert_eq!(texts(&found.train), ["Wheat fell.", "Gold rose.", "Tin", ""], "{what}");
        assert_eq!(found.train.labels(), &Labels::Single(vec![0, 1, 1, 0]), "{what}");
        assert_eq!(found.train.weights(), Some(&[0.1, 0.2, 0.4, 0.5][..]), "{what}");
        assert_eq!(texts(found.test.as_ref().unwrap()), ["Corn"], "{what}");
        assert_eq!(found.train.place(2).unwrap().row, 4, "{what}");
        assert_eq!(found.empty_texts, 1);
    }
}

#[test]
fn typed_labels_are_read() {
    let texts: ArrayRef = Arc::new(StringViewArray::from(vec!["a", "b", "c"]));
    let read = |label: ArrayRef| {
        let bytes = arrow_stream(&[batch(vec![("text", texts.clone()), ("label", label)])]);
        read_bytes("t", &bytes, &ReadOptions::default())
    };
    let names = |label: ArrayRef| read(label).unwrap().train.class_names().to_vec();
    assert_eq!(names(Arc::new(Int64Array::from(vec![7, -1, 7]))), ["-1", "7"]);
    assert_eq!(names(Arc::new(BooleanArray::from(vec![true, false, true]))), ["false", "true"]);
    assert_eq!(names(Arc::new(Float32Array::from(vec![0.1, 0.5, 0.1]))), ["0.1", "0.5"]);

    let mut lists = ListBuilder::new(StringBuilder::new());
    lists.append_value([Some("x"), Some("y")]);
    lists.append_value([] as [Option<&str>; 0]);
    lists.append_value([Some("y")]);
    let multi = read(Arc::new(lists.finish())).unwrap().train;
    assert_eq!(multi.labels(), &Labels::Multi(vec![vec![0, 1], vec![], vec![1]]));

    let shares = StructArray::from(vec![
        (
            Arc::new(Field::new("x", DataType::Float32, true)),
            Arc::new(Float32Array::from(vec![Some(3.0), None, Some(1.0)])) as ArrayRef,
        ),
        (
            Arc::new(Field::new("y", DataType::Float32, true)),
            Arc::new(Float32Array::from(vec![1.0, 2.0, 0.0])) as ArrayRef,
        ),
    ]);
    let Labels::Soft(rows) = read(Arc::new(shares)).unwrap().train.labels().clone() else {
        panic!()
    };
    assert_eq!(rows.data(), [0.75, 0.25, 0.0, 1.0, 1.0, 0.0]);

    let mut maps = MapBuilder::new(None, StringBuilder::new(), Float32Array::builder(3));
    for entries in [vec![("x", 1.0)], vec![("y", 1.0), ("x", 1.0)], vec![("y", 2.0)]] {
        for (key, value) in entries {
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
        maps.append(true).unwrap();
    }
    let Labels::Soft(rows) = read(Arc::new(maps.finish())).unwrap().train.labels().clone() else {
        panic!()
    };
    assert_eq!(rows.data(), [1.0, 0.0, 0.5, 0.5, 0.0, 1.0]);
}

#[test]
fn what_is_wrong_with_columns_is_told() {
    let text: ArrayRef = Arc::new(StringArray::from(vec!["a", "b"]));
    let label: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None]));
    let rows = batch(vec![("text", text), ("label", label)]);
    let bytes = parquet(std::slice::from_ref(&rows), Compression::SNAPPY);
    let stop = ReadOptions::default();
    assert_eq!(problem("a.parquet", &bytes, &stop), "a.parquet:2: the label is empty");
    let skip = ReadOptions { on_error: OnError::Skip, ..stop.clone() };
    let found = read_bytes("a.parquet", &bytes, &skip).unwrap();
    assert_eq!((found.train.len(), found.skipped.count), (1, 1));

    let wrong = ReadOptions { text: vec!["body".into()], ..stop.clone() };
    assert_eq!(
        problem("a.parquet", &bytes, &wrong),
        "a.parquet: has no column `body`; --text takes one of `text`, `label`"
    );
    let number: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let numbers = batch(vec![("text", number.clone()), ("label", number)]);
    assert_eq!(
        problem("b.arrow", &arrow_stream(&[numbers]), &stop),
        "b.arrow: the column `text` holds Int64, where text was expected"
    );
    let mut lists = ListBuilder::new(Float32Array::builder(4));
    lists.append_value([Some(0.5), Some(0.5)]);
    lists.append_value([Some(1.0), Some(0.0)]);
    let rows = rows.project(&[0]).unwrap();
    let rows = batch(vec![("text", rows.column(0).clone()), ("y", Arc::new(lists.finish()))]);
    assert!(problem("c", &arrow_stream(&[rows]), &stop).contains("lists of Float32"));

    let cut = &bytes[..bytes.len() - 3];
    assert!(problem("d.parquet", cut, &stop).starts_with("d.parquet: "));
    let stream = arrow_stream(&news());
    let cut = &stream[..stream.len() / 2];
    assert!(problem("e.arrow", cut, &skip).contains("bytes early"));
    let none = parquet(&[RecordBatch::new_empty(news()[0].schema())], Compression::SNAPPY);
    let known = ReadOptions { label: Some("class".into()), ..stop };
    assert!(problem("f.parquet", &none, &known).contains("holds no document"));
}

#[test]
fn columns_are_kept_beside_their_rows() {
    let options = ReadOptions {
        keep: vec!["id".into(), "class".into()],
        labels: LabelUse::Ignored,
        ..Default::default()
    };
    let csv = "id,body,class\n1,Wheat fell.,grain\n";
    let json = "{\"id\":1,\"body\":\"Wheat fell.\",\"class\":[\"grain\"]}\n{\"body\":\"\"}\n";
    let kept = |bytes: &[u8]| -> Vec<Vec<serde_json::Value>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, bytes).unwrap();
        let rows = Rows::open(&[path.to_string_lossy().into_owned()], &options).unwrap();
        rows.map(|row| row.unwrap().kept).collect()
    };
    assert_eq!(kept(csv.as_bytes()), [[json!("1"), json!("grain")]]);
    assert_eq!(kept(json.as_bytes()), [[json!(1), json!(["grain"])], [json!(null), json!(null)]]);
    let typed = kept(&parquet(&news(), Compression::SNAPPY));
    assert_eq!(typed[4], [json!(5), json!("grain")]);
    let wrong = ReadOptions { keep: vec!["nr".into()], ..options.clone() };
    assert!(problem("a.csv", csv.as_bytes(), &wrong).contains("--keep takes one of"));
    assert!(problem("a.svm", b"1 1:2\n", &wrong).contains("without columns"));
}

#[test]
fn a_compressed_buffer_that_claims_too_much_is_refused() {
    let batches = news();
    let mut bytes = arrow_file(&batches, Some(CompressionType::ZSTD));
    let text = batches[0].column(1).as_any().downcast_ref::<StringArray>().unwrap();
    let length = (text.value_data().len() as i64).to_le_bytes();
    let at: Vec<usize> = (0..bytes.len() - 8).filter(|&i| bytes[i..i + 8] == length).collect();
    assert!(!at.is_empty());
    for at in at {
        bytes[at..at + 8].copy_from_slice(&(1_i64 << 50).to_le_bytes());
    }
    let error = read_bytes("a.arrow", &bytes, &ReadOptions::default());
    assert!(error.is_err());
}

proptest! {
    #[test]
    fn columns_are_read_as_written(rows in rows(), batch_rows in 1_usize..10) {
        let batches: Vec<RecordBatch> = rows.chunks(batch_rows).map(|rows| {
            let texts = rows.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>();
            let labels = rows.iter().map(|(_, label)| label.as_str()).collect::<Vec<_>>();
            batch(vec![
                ("label", Arc::new(StringViewArray::from(labels))),
                ("text", Arc::new(StringArray::from(texts))),
            ])
        }).collect();
        for bytes in [
            parquet(&batches, Compression::SNAPPY),
            arrow_file(&batches, Some(CompressionType::LZ4_FRAME)),
            arrow_stream(&batches),
        ] {
            let found = read_bytes("rows", &bytes, &ReadOptions::default()).unwrap().train;
            let Labels::Single(labels) = found.labels() else { panic!() };
            let got: Vec<(String, String)> = found.texts().zip(labels)
                .map(|(text, &label)| (text.to_owned(), found.class_names()[label as usize].clone())).collect();
            prop_assert_eq!(&got, &rows);
        }
    }

    #[test]
    fn damaged_columns_end_in_documents_or_an_error(
        form in 0_usize..4, places in prop::collection::vec((0.0..1.0_f64, any::<u8>()), 0..6),
        cut in prop::option::of(0.0..1.0_f64),
    ) {
        let news = news();
        let mut bytes = match form {
            0 => parquet(&news, Compression::ZSTD(ZstdLevel::default())),
            1 => parquet(&news, Compression::UNCOMPRESSED),
            2 => arrow_file(&news, Some(CompressionType::LZ4_FRAME)),
            _ => arrow_stream(&news),
        };
        let length = bytes.len() as f64;
        for (place, byte) in places {
            bytes[(place * length) as usize] = byte;
        }
        bytes.truncate(cut.map_or(usize::MAX, |cut| (cut * length) as usize));
        let _ = read_bytes("any", &bytes, &ReadOptions::default());
    }
}

#[test]
fn metadata_of_a_schema_is_passed_over() {
    let rows = &news()[0];
    let schema = rows.schema().as_ref().clone();
    let schema = schema.with_metadata(HashMap::from([("pandas".into(), "{}".into())]));
    let rows = rows.clone().with_schema(Arc::new(schema)).unwrap();
    let found = read_bytes("m", &parquet(&[rows], Compression::SNAPPY), &ReadOptions::default());
    assert_eq!(found.unwrap().train.len(), 2);
}
