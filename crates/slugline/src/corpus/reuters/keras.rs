//! Reads the files of `keras.datasets.reuters`: `reuters.npz` and `reuters_word_index.json`.

use std::collections::HashSet;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::pickle;
use crate::corpus::encode::RankedDocuments;
use crate::corpus::{CorpusError, Sequences, WordIndex};

/// The topics in the order of the labels; the files hold only the numbers.
pub(super) const TOPICS: [&str; 46] = [
    "cocoa",
    "grain",
    "veg-oil",
    "earn",
    "acq",
    "wheat",
    "copper",
    "housing",
    "money-supply",
    "coffee",
    "sugar",
    "trade",
    "reserves",
    "ship",
    "cotton",
    "carcass",
    "crude",
    "nat-gas",
    "cpi",
    "money-fx",
    "interest",
    "gnp",
    "meal-feed",
    "alum",
    "oilseed",
    "gold",
    "tin",
    "strategic-metal",
    "livestock",
    "retail",
    "ipi",
    "iron-steel",
    "rubber",
    "heat",
    "jobs",
    "lei",
    "bop",
    "zinc",
    "orange",
    "pet-chem",
    "dlr",
    "gas",
    "silver",
    "wpi",
    "hog",
    "lead",
];

/// Most bytes of an array; the word numbers have 4 MB.
const MAX_ARRAY: u64 = 16 << 20;

/// Most bytes of the word index; the real one has 0.6 MB.
const MAX_WORD_INDEX: u64 = 16 << 20;

/// Most bytes of an array's header; NumPy writes 118 for these.
const MAX_HEADER: usize = 1024;

/// The documents as word ranks, from both files.
pub(super) fn read(npz: &Path, word_index: &Path) -> Result<RankedDocuments, CorpusError> {
    let word_index = read_word_index(word_index)?;
    let mut archive = open(npz)?;
    let labels = read_labels(&mut archive, npz)?;
    let words = word_index.words().len() as u32;
    let (ranks, lengths) = read_ranks(&mut archive, npz, words)?;
    if lengths.len() != labels.len() {
        return Err(CorpusError::Mismatch {
            path: npz.to_owned(),
            what: "labels in `y`, one for every document in `x`",
            expected: lengths.len(),
            found: labels.len(),
        });
    }
    let classes = labels.iter().collect::<HashSet<_>>().len();
    if classes != TOPICS.len() {
        return Err(CorpusError::Mismatch {
            path: npz.to_owned(),
            what: "topics among the labels in `y`",
            expected: TOPICS.len(),
            found: classes,
        });
    }
    let mut documents = Sequences::new();
    let mut rest = &ranks[..];
    for (length, label) in lengths.into_iter().zip(labels) {
        let (document, after) = rest.split_at(length);
        documents.push(document, label);
        rest = after;
    }
    Ok(RankedDocuments { word_index, documents })
}

fn malformed(path: &Path, expected: &str, found: &impl ToString) -> CorpusError {
    CorpusError::Malformed {
        path: path.to_owned(),
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}

fn open_file(path: &Path) -> Result<BufReader<File>, CorpusError> {
    File::open(path)
        .map(BufReader::new)
        .map_err(|source| CorpusError::Read { path: path.to_owned(), source })
}

fn open(npz: &Path) -> Result<zip::ZipArchive<BufReader<File>>, CorpusError> {
    zip::ZipArchive::new(open_file(npz)?)
        .map_err(|error| malformed(npz, "a zip archive with the arrays `x` and `y`", &error))
}

/// Header and data of the array `name`.
fn read_array(
    archive: &mut zip::ZipArchive<impl Read + Seek>,
    npz: &Path,
    name: &str,
) -> Result<(npyz::NpyHeader, Vec<u8>), CorpusError> {
    let member = format!("{name}.npy");
    let path = npz.join(&member);
    let entry = archive
        .by_name(&member)
        .map_err(|error| malformed(npz, &format!("the array `{name}`"), &error))?;
    let mut contents = Vec::new();
    entry
        .take(MAX_ARRAY + 1)
        .read_to_end(&mut contents)
        .map_err(|error| malformed(&path, "a compressed array", &error))?;
    if contents.len() as u64 > MAX_ARRAY {
        return Err(CorpusError::TooLarge { path, what: "the array", limit: MAX_ARRAY });
    }
    let expected = "a one-dimensional NumPy array";
    let length = header_length(&contents).map_err(|found| malformed(&path, expected, &found))?;
    let (header, data) = contents.split_at(length);
    let header =
        npyz::NpyHeader::from_reader(header).map_err(|error| malformed(&path, expected, &error))?;
    if header.shape().len() != 1 {
        return Err(malformed(&path, expected, &format!("the shape {:?}", header.shape())));
    }
    Ok((header, data.to_vec()))
}

/// Length of an array's header, whose text has been looked at: the parser of Python literals behind
/// it neither bounds the nesting of brackets nor the product of the dimensions.
fn header_length(contents: &[u8]) -> Result<usize, String> {
    let number = |range: std::ops::Range<usize>| {
        let bytes = contents.get(range)?;
        Some(bytes.iter().rev().fold(0, |n: usize, &byte| n << 8 | usize::from(byte)))
    };
    let (start, text) = match contents.get(..8) {
        Some([0x93, b'N', b'U', b'M', b'P', b'Y', 1, 0]) => (10, number(8..10)),
        Some([0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, 0]) => (12, number(8..12)),
        _ => return Err("no NumPy file".to_owned()),
    };
    let text = text.ok_or("a header that is cut off")?;
    if text > MAX_HEADER {
        return Err(format!("a header of {text} bytes"));
    }
    let text = contents.get(start..start + text).ok_or("a header that is cut off")?;
    // At most 18 decimal digits in all: no product of dimensions exceeds 64 bits. A letter behind a
    // digit would be another base.
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let other_base = text.windows(2).any(|w| w[0].is_ascii_digit() && w[1].is_ascii_alphabetic());
    if digits > 18 || other_base {
        return Err(format!("the header {:?}", String::from_utf8_lossy(text).trim_end()));
    }
    Ok(start + text.len())
}

/// The labels: the array `y`, each the index of one of [`TOPICS`].
fn read_labels(
    archive: &mut zip::ZipArchive<impl Read + Seek>,
    npz: &Path,
) -> Result<Vec<u32>, CorpusError> {
    let (header, data) = read_array(archive, npz, "y")?;
    let path = npz.join("y.npy");
    let expected = "labels as 64-bit integers";
    let labels: Vec<i64> = npyz::NpyFile::with_header(header, &data[..])
        .into_vec()
        .map_err(|error| malformed(&path, expected, &error))?;
    labels
        .iter()
        .enumerate()
        .map(|(i, &label)| match u32::try_from(label) {
            Ok(label) if (label as usize) < TOPICS.len() => Ok(label),
            _ => Err(malformed(&path, "labels from 0 to 45", &format!("{label} at position {i}"))),
        })
        .collect()
}

/// The word ranks of all documents end to end and the documents' lengths: the array `x`.
fn read_ranks(
    archive: &mut zip::ZipArchive<impl Read + Seek>,
    npz: &Path,
    words: u32,
) -> Result<(Vec<u32>, Vec<usize>), CorpusError> {
    let (header, data) = read_array(archive, npz, "x")?;
    let path = npz.join("x.npy");
    let expected = "a pickled array of lists of word numbers";
    if !header.uses_pickled_array() {
        return Err(malformed(
            &path,
            expected,
            &format!("elements of type {}", header.dtype().descr()),
        ));
    }
    pickle::read_lists(&data, header.len(), words)
        .map_err(|found| malformed(&path, expected, &found))
}

/// The word index: one JSON object of words and their ranks, which are 1 to n.
fn read_word_index(path: &Path) -> Result<WordIndex, CorpusError> {
    let expected = "a JSON object that gives every word its own rank, 1 and up without gaps";
    let mut text = Vec::new();
    open_file(path)?
        .take(MAX_WORD_INDEX + 1)
        .read_to_end(&mut text)
        .map_err(|source| CorpusError::Read { path: path.to_owned(), source })?;
    if text.len() as u64 > MAX_WORD_INDEX {
        return Err(CorpusError::TooLarge {
            path: path.to_owned(),
            what: "the file",
            limit: MAX_WORD_INDEX,
        });
    }
    let Entries(entries) =
        serde_json::from_slice(&text).map_err(|error| malformed(path, expected, &error))?;
    let mut ranked: Vec<Option<String>> = vec![None; entries.len()];
    let mut seen = HashSet::with_capacity(entries.len());
    for (word, rank) in &entries {
        if !seen.insert(word) {
            return Err(malformed(path, expected, &format!("the word {word:?} twice")));
        }
        let slot = usize::try_from(*rank).ok().and_then(|rank| rank.checked_sub(1));
        match slot.and_then(|slot| ranked.get_mut(slot)) {
            Some(Some(other)) => {
                let found = format!("rank {rank} for both {other:?} and {word:?}");
                return Err(malformed(path, expected, &found));
            }
            Some(free) => *free = Some(word.clone()),
            None => {
                let found = format!("rank {rank} for {word:?} among {} words", entries.len());
                return Err(malformed(path, expected, &found));
            }
        }
    }
    // As many different ranks as words, none above their number: every slot is taken.
    Ok(WordIndex::from_ranked(ranked.into_iter().flatten().collect()))
}

/// The entries of a JSON object in file order, repeated keys included.
struct Entries(Vec<(String, i64)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of words and ranks")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::reuters::pickle::tests::write_lists;
    use proptest::prelude::*;
    use std::io::Write;

    /// An array file of format version 1.
    fn npy(descr: &str, shape: &str, data: &[u8]) -> Vec<u8> {
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
    }

    fn labels(labels: &[i64]) -> Vec<u8> {
        let data: Vec<u8> = labels.iter().flat_map(|label| label.to_le_bytes()).collect();
        npy("<i8", &format!("({},)", labels.len()), &data)
    }

    fn documents(lists: &[Vec<u32>]) -> Vec<u8> {
        npy("|O", &format!("({},)", lists.len()), &write_lists(lists))
    }

    fn sound_lists() -> Vec<Vec<u32>> {
        (0..46).map(|i| (0..i % 4).map(|j| 1 + j % 3).collect()).collect()
    }

    fn sound_labels() -> Vec<i64> {
        (0..46).rev().collect()
    }

    fn npz(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, contents) in members {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            writer.write_all(contents).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read_bytes(npz: &[u8], word_index: &str) -> Result<RankedDocuments, CorpusError> {
        let folder = tempfile::tempdir().unwrap();
        let paths = [folder.path().join("r.npz"), folder.path().join("r.json")];
        std::fs::write(&paths[0], npz).unwrap();
        std::fs::write(&paths[1], word_index).unwrap();
        read(&paths[0], &paths[1])
    }

    const WORDS: &str = r#"{"of": 2, "the": 1, "to": 3}"#;

    fn error(x: &[u8], y: &[u8]) -> String {
        read_bytes(&npz(&[("x.npy", x), ("y.npy", y)]), WORDS).unwrap_err().to_string()
    }

    #[test]
    fn sound_files_are_read() {
        let (x, y) = (documents(&sound_lists()), labels(&sound_labels()));
        let ranked = read_bytes(&npz(&[("y.npy", &y), ("x.npy", &x)]), WORDS).unwrap();
        assert_eq!(ranked.word_index.words(), ["the", "of", "to"]);
        assert_eq!(ranked.documents.len(), 46);
        assert_eq!(ranked.documents.get(0), Some(&[][..]));
        assert_eq!(ranked.documents.get(7), Some(&[1, 2, 3][..]));
        assert_eq!(ranked.documents.labels()[..2], [45, 44]);
    }

    #[test]
    fn files_that_do_not_fit_together_are_refused() {
        let (x, y) = (documents(&sound_lists()), labels(&sound_labels()));
        let message = error(&documents(&sound_lists()[1..]), &y);
        assert!(
            message.contains("expected 45 labels") && message.contains("found 46"),
            "{message}"
        );
        let mut few = sound_labels();
        few[0] = 3;
        let message = error(&x, &labels(&few));
        assert!(message.contains("46 topics") && message.contains("found 45"), "{message}");
        few[0] = 46;
        assert!(error(&x, &labels(&few)).contains("y.npy: expected labels from 0 to 45, found 46"));
        few[0] = -1;
        assert!(error(&x, &labels(&few)).contains("found -1 at position 0"));
        let mut lists = sound_lists();
        lists[9].push(4);
        assert!(error(&documents(&lists), &y).contains("word number 4 in list 9"));
    }

    #[test]
    fn arrays_of_other_kinds_are_refused() {
        let (x, y) = (documents(&sound_lists()), labels(&sound_labels()));
        assert!(error(&y, &y).contains("elements of type '<i8'"));
        assert!(error(&x, &x).contains("expected labels as 64-bit integers"));
        assert!(error(&x, &npy("<i8", "(1, 2)", &[0; 16])).contains("the shape [1, 2]"));
        assert!(error(&x, &npy("<i8", "(99,)", &[0; 16])).contains("y.npy"));
        assert!(error(&x, b"\x93NUMPY\x01").contains("no NumPy file"));
        assert!(error(&x, b"\x93NUMPY\x01\x00\xff\x00").contains("cut off"));
        assert!(error(&x, b"\x93NUMPY\x02\x00\xff\xff\xff\xff").contains("of 4294967295 bytes"));
        let huge = npy("<i8", "(9999999999, 9999999999)", &[]);
        assert!(error(&x, &huge).contains("the header"));
        let huge = npy("<i8", "(0xffffffffffffffff, 9)", &[]);
        assert!(error(&x, &huge).contains("the header"));
        let nested = npy("<i8", &"(".repeat(60_000), &[]);
        assert!(error(&x, &nested).contains("a header of"));
        let message = read_bytes(&npz(&[("x.npy", &x)]), WORDS).unwrap_err().to_string();
        assert!(message.contains("expected the array `y`"), "{message}");
        let message = error(&vec![0; MAX_ARRAY as usize + 1], &y);
        assert!(message.contains("larger than the limit"), "{message}");
    }

    #[test]
    fn word_indices_with_gaps_or_repetitions_are_refused() {
        let sound =
            npz(&[("x.npy", &documents(&sound_lists())), ("y.npy", &labels(&sound_labels()))]);
        for (json, found) in [
            (r#"{"a": 1, "b": 3}"#, "rank 3 for \"b\" among 2 words"),
            (r#"{"a": 0}"#, "rank 0 for \"a\""),
            (r#"{"a": -1}"#, "rank -1 for \"a\""),
            (r#"{"a": 1, "b": 1}"#, "rank 1 for both \"a\" and \"b\""),
            (r#"{"a": 1, "a": 2}"#, "the word \"a\" twice"),
            (r#"{"a": 1.5}"#, "expected i64"),
            (r#"{"a": 1"#, "EOF"),
            ("[1]", "expected an object of words and ranks"),
        ] {
            let message = read_bytes(&sound, json).unwrap_err().to_string();
            assert!(message.contains("r.json") && message.contains(found), "{message}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn mutated_files_never_panic(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
            member in 0..3_usize,
            end in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let mutate = |bytes: &mut Vec<u8>| {
                for (at, byte) in &changes {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                if let Some(end) = end {
                    bytes.truncate(end.index(bytes.len()));
                }
            };
            let mut x = documents(&sound_lists());
            let mut y = labels(&sound_labels());
            match member {
                0 => mutate(&mut x),
                1 => mutate(&mut y),
                _ => {}
            }
            let mut file = npz(&[("x.npy", &x), ("y.npy", &y)]);
            if member == 2 {
                mutate(&mut file);
            }
            if let Ok(ranked) = read_bytes(&file, WORDS) {
                prop_assert_eq!(ranked.documents.len(), 46);
            }
        }
    }
}
