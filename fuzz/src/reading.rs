//! Readers of users' files.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arbitrary::{Result, Unstructured};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use parquet::arrow::ArrowWriter;
use slugline::corpus::read::{
    Format, LabelUse, OnError, Part, Read, ReadError, ReadOptions, Row, RowLabels, Rows, read,
};
use slugline::corpus::{Documents, Labels};

/// A file as it is, its format and columns guessed.
pub(crate) fn file(data: &[u8]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let input = write(folder.path(), "data", data);
    for labels in [LabelUse::Required, LabelUse::Ignored] {
        let options = ReadOptions { labels, ..Default::default() };
        reading(&input, &options, None);
    }
}

/// Options, and a file in any format, maybe compressed.
pub(crate) fn options(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((options, compression)) = read_options(&mut input) else { return };
    let content = input.take_rest();
    let folder = tempfile::tempdir().expect("a temporary folder");
    if options.format == Some(Format::Folder) {
        let path = folder.path().join("data");
        for (i, text) in content.split(|&byte| byte == 0).enumerate() {
            let place = ["train/a", "train/b/c", "test/a", "train", "."][i % 5];
            let place = path.join(place);
            fs::create_dir_all(&place).expect("a folder");
            fs::write(place.join(i.to_string()), text).expect("a file");
        }
        reading(&path.to_string_lossy(), &options, None);
        return;
    }
    if content.starts_with(&[0x1F, 0x8B]) || content.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]) {
        return;
    }
    let plain = reading(&write(folder.path(), "data", content), &options, Some(content));
    if let Some(compressed) = compress(compression, content) {
        // Under the same name, which stands in the places.
        let again = reading(&write(folder.path(), "data", &compressed), &options, Some(content));
        assert_eq!(plain, again, "the compressed file is read otherwise");
    }
}

fn read_options(input: &mut Unstructured<'_>) -> Result<(ReadOptions, u8)> {
    let format = input.int_in_range(0..=Format::ALL.len())?.checked_sub(1).map(|i| Format::ALL[i]);
    let bits: u16 = input.arbitrary()?;
    let bit = |n: u16| bits >> n & 1 == 1;
    let names = |on: bool, name: &str| on.then(|| name.to_owned());
    let options = ReadOptions {
        format,
        text: match bits & 3 {
            0 | 1 => Vec::new(),
            2 => vec!["text".into()],
            _ => vec!["2".into(), "1".into()],
        },
        label: names(bit(2), if bit(3) { "label" } else { "1" }),
        label_separator: names(bit(4), if bit(3) { "|" } else { "" }),
        weight: names(bit(5), "weight"),
        split: names(bit(6), "split"),
        header: bit(7).then_some(bit(8)),
        delimiter: bit(9).then_some(if bit(8) { b';' } else { b'|' }),
        multi_label: bit(10).then_some(bit(3)),
        labels: if bit(11) { LabelUse::Ignored } else { LabelUse::Required },
        class_names: bit(12).then(|| vec!["b".into(), "a".into()]),
        on_error: if bit(13) { OnError::Skip } else { OnError::Stop },
        ..Default::default()
    };
    Ok((options, (bits >> 14) as u8))
}

fn write(folder: &Path, name: &str, content: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, content).expect("a temporary file");
    path.to_string_lossy().into_owned()
}

/// Gzip, zstd, or nothing.
fn compress(how: u8, content: &[u8]) -> Option<Vec<u8>> {
    match how {
        1 => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(content).expect("memory");
            Some(out.finish().expect("memory"))
        }
        2 => Some(zstd::encode_all(content, 1).expect("memory")),
        _ => None,
    }
}

/// Rows, and what was said of bad ones.
type Found = Vec<std::result::Result<Row, String>>;

/// Reads in every way, and holds the ways against each other; `content` are the bytes of a single file.
fn reading(input: &str, options: &ReadOptions, content: Option<&[u8]>) -> Found {
    let inputs = [input.to_owned()];
    let mut rows = Rows::open(&inputs, options).expect("the input is there");
    let mut found: Found = Vec::new();
    let (mut last, mut bad, mut over) = (0, 0, None);
    while let Some(row) = rows.next() {
        let progress = rows.progress();
        assert!(progress.total.is_none_or(|total| progress.bytes <= total), "{progress:?}");
        let place = match &row {
            Ok(row) => Some(&row.place),
            Err(ReadError::Row { place, .. }) => Some(place),
            Err(_) => None,
        };
        if let Some(place) = place.filter(|_| options.format != Some(Format::Folder)) {
            assert!(place.row >= last && place.row > 0, "row {} after {last}", place.row);
            last = place.row;
        }
        bad += u64::from(matches!(row, Err(ReadError::Row { .. })));
        if let Err(error) = &row
            && !matches!(error, ReadError::Row { .. })
        {
            over = Some(error.to_string());
        }
        if let Ok(row) = &row {
            sound(row, options);
        }
        found.push(row.map_err(|error| error.to_string()));
    }
    assert!(
        over.is_none() || found.last().is_some_and(|last| last.as_ref().err() == over.as_ref())
    );
    if let (Some(content), Some(format)) = (content, rows.layouts().first().map(|l| l.format)) {
        let texts = found.iter().flatten().map(|row| row.text.as_str());
        were_there(texts, content, format, rows.layouts()[0].text.len());
    }

    let whole = |on_error| read(&inputs, &ReadOptions { on_error, ..options.clone() }, &mut |_| {});
    let skipping = whole(OnError::Skip);
    match &skipping {
        Ok(read) => {
            assert_eq!(over, None, "an error was passed over");
            gathered(read, &found, bad, options);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Ok(strict) = whole(OnError::Stop) {
        assert_eq!((strict.skipped.count, bad), (0, 0));
        assert_eq!(strict, skipping.expect("what needs no skipping is read with it"));
    }
    found
}

/// Whether a row is what its type promises.
fn sound(row: &Row, options: &ReadOptions) {
    assert!(row.weight.is_none_or(|weight| weight.is_finite() && weight >= 0.0), "{row:?}");
    match &row.labels {
        RowLabels::None => assert_eq!(options.labels, LabelUse::Ignored),
        RowLabels::One(label) => assert!(!label.trim().is_empty(), "{row:?}"),
        RowLabels::Many(labels) => assert!(labels.iter().all(|l| !l.trim().is_empty()), "{row:?}"),
        RowLabels::Shares(shares) => {
            assert!(shares.iter().all(|(_, share)| share.is_finite() && *share >= 0.0), "{row:?}");
            assert!(shares.iter().map(|(_, share)| share).sum::<f64>() > 0.0, "{row:?}");
        }
    }
}

/// Whether texts stand in the file, as far as the format keeps them as they are.
fn were_there<'a>(
    texts: impl Iterator<Item = &'a str>,
    content: &[u8],
    format: Format,
    columns: usize,
) {
    for text in texts {
        let there = match format {
            Format::FastText => {
                text.is_empty() || content.windows(text.len()).any(|w| w == text.as_bytes())
            }
            Format::Csv | Format::Tsv if columns == 1 => {
                // Quotes that double, or enclose, go; nothing else does, and nothing moves.
                let mut bytes = content.iter();
                text.bytes().all(|wanted| bytes.any(|&byte| byte == wanted))
            }
            _ => true,
        };
        assert!(there, "{text:?} does not stand in the file");
    }
}

/// Whether documents are the good rows, each in its part.
fn gathered(read: &Read, found: &Found, bad: u64, options: &ReadOptions) {
    let parts = [
        (Part::Train, Some(&read.train)),
        (Part::Validation, read.validation.as_ref()),
        (Part::Test, read.test.as_ref()),
    ];
    let all: usize = parts.iter().filter_map(|part| part.1).map(Documents::len).sum();
    assert!(read.skipped.count >= bad);
    assert_eq!(all as u64 + read.skipped.count, found.len() as u64);
    assert!(read.skipped.first.len() as u64 <= read.skipped.count);
    for (part, documents) in parts {
        let Some(documents) = documents else { continue };
        let rows = found.iter().flatten().filter(|row| row.part.unwrap_or(Part::Train) == part);
        let mut rows = rows.peekable();
        for (i, text) in documents.texts().enumerate() {
            let place = documents.place(i).expect("every document has a place");
            // Rows are skipped whose label is not known, or that have not one label where they should, or
            // none among shares.
            let soft = matches!(documents.labels(), Labels::Soft(_));
            let picky = soft || options.class_names.is_some() || options.multi_label == Some(false);
            while rows.next_if(|row| row.place != place || row.text != text).is_some() {
                assert!(picky, "a row was left out");
            }
            assert!(rows.next().is_some(), "a document that is no row");
        }
        if let Labels::Soft(shares) = documents.labels() {
            for row in shares.iter_rows() {
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{row:?}");
            }
        }
        assert_eq!(documents.labels().len(), documents.len());
    }
}

/// Rows that are written in a format, maybe compressed, and read again.
pub(crate) fn back(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((format, compression, rows)) = rows_to_write(&mut input) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = ReadOptions {
        format: Some(format),
        text: vec!["text".into()],
        label: Some("label".into()),
        header: Some(true),
        ..Default::default()
    };
    let (options, path) = if format == Format::Folder {
        let path = folder.path().join("data");
        for (i, (text, label)) in rows.iter().enumerate() {
            let class = path.join(label);
            fs::create_dir_all(&class).expect("a folder");
            fs::write(class.join(format!("{i:06}")), text).expect("a file");
        }
        fs::create_dir_all(&path).expect("a folder");
        let options = ReadOptions { format: Some(format), ..Default::default() };
        (options, path.to_string_lossy().into_owned())
    } else {
        let Some(content) = written(format, &rows) else { return };
        let content = compress(compression, &content).unwrap_or(content);
        let options = match format {
            Format::FastText | Format::SvmLight => {
                ReadOptions { format: Some(format), ..Default::default() }
            }
            _ => options,
        };
        (options, write(folder.path(), "data", &content))
    };
    let found = read(&[path], &options, &mut |_| {});
    if rows.is_empty() {
        assert!(matches!(found, Err(ReadError::Empty { .. })), "{found:?}");
        return;
    }
    let found = found.unwrap_or_else(|e| panic!("{}: {e}", format.name())).train;
    let Labels::Single(labels) = found.labels() else { panic!("{:?}", found.labels()) };
    let mut got: Vec<(&str, &str)> = found
        .texts()
        .zip(labels)
        .map(|(text, &label)| (text, found.class_names()[label as usize].as_str()))
        .collect();
    let mut want: Vec<(&str, &str)> = rows.iter().map(|(t, l)| (t.as_str(), l.as_str())).collect();
    if format == Format::Folder {
        got.sort_unstable();
        want.sort_unstable();
    }
    assert_eq!(got, want, "{}", format.name());
}

/// A text and its label.
type Pair = (String, String);

/// Rows of text and label that every format has a way to write.
fn rows_to_write(input: &mut Unstructured<'_>) -> Result<(Format, u8, Vec<Pair>)> {
    let format = *input.choose(&Format::ALL)?;
    let compression = input.int_in_range(0..=2)?;
    let mut rows = Vec::new();
    while !input.is_empty() && rows.len() < 50 {
        let text: String = input.arbitrary()?;
        let text = match format {
            Format::FastText => {
                let line = text.replace(['\n', '\r'], " ");
                let line = line.trim();
                if line.starts_with("__label__") { String::new() } else { line.to_owned() }
            }
            // A feature is a number, with another one behind a colon, and has one value.
            Format::SvmLight => {
                let features = text.bytes().take(20).enumerate();
                let pair =
                    |(i, byte): (usize, u8)| format!("{}:{}", i * 3 + 1, f32::from(byte) / 8.0);
                features.map(pair).collect::<Vec<_>>().join(" ")
            }
            // A byte-order mark at the start of a file is no part of its text.
            Format::Folder => text.trim_start_matches('\u{FEFF}').to_owned(),
            _ => text,
        };
        rows.push((text, format!("c{}", input.int_in_range(0..=20)?)));
    }
    Ok((format, compression, rows))
}

/// The rows as columns of Arrow's.
fn columns(rows: &[Pair]) -> RecordBatch {
    let column = |of: fn(&Pair) -> &str| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringArray>())
    };
    let columns = [("label", column(|row| &row.1)), ("text", column(|row| &row.0))];
    RecordBatch::try_from_iter(columns).expect("columns of one length")
}

/// A file with these rows, by another hand than the reader's; `None` for a folder.
pub(crate) fn written(format: Format, rows: &[Pair]) -> Option<Vec<u8>> {
    match format {
        Format::Csv | Format::Tsv => {
            let delimiter = if format == Format::Tsv { b'\t' } else { b',' };
            let mut table = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
            table.write_record(["text", "label"]).expect("memory");
            for (text, label) in rows {
                table.write_record([text, label]).expect("memory");
            }
            table.into_inner().ok()
        }
        Format::JsonLines => {
            let line = |(text, label): &Pair| {
                format!("{}\n", serde_json::json!({"label": label, "more": [1, {}], "text": text}))
            };
            Some(rows.iter().map(line).collect::<String>().into_bytes())
        }
        Format::FastText => {
            let line = |(text, label): &Pair| format!("__label__{label} {text}\n");
            Some(rows.iter().map(line).collect::<String>().into_bytes())
        }
        Format::Parquet => {
            let batch = columns(rows);
            let mut file = ArrowWriter::try_new(Vec::new(), batch.schema(), None).ok()?;
            file.write(&batch).expect("memory");
            file.into_inner().ok()
        }
        Format::Arrow => {
            let batch = columns(rows);
            let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).ok()?;
            stream.write(&batch).expect("memory");
            stream.into_inner().ok()
        }
        Format::SvmLight => {
            let line = |(text, label): &Pair| format!("{label} qid:1 {text} # {label}\n");
            Some(rows.iter().map(line).collect::<String>().into_bytes())
        }
        Format::Folder => None,
    }
}
