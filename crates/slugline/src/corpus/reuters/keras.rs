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

fn malformed(path: &Path, expected: &str, found: impl ToString) -> CorpusError {
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
        .map_err(|error| malformed(npz, "a zip archive with the arrays `x` and `y`", error))
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
        .map_err(|error| malformed(npz, &format!("the array `{name}`"), error))?;
    let mut contents = Vec::new();
    entry
        .take(MAX_ARRAY + 1)
        .read_to_end(&mut contents)
        .map_err(|error| malformed(&path, "a compressed array", error))?;
    if contents.len() as u64 > MAX_ARRAY {
        return Err(CorpusError::TooLarge { path, what: "the array", limit: MAX_ARRAY });
    }
    let expected = "a one-dimensional NumPy array";
    let length = header_length(&contents).map_err(|found| malformed(&path, expected, found))?;
    let (header, data) = contents.split_at(length);
    let header =
        npyz::NpyHeader::from_reader(header).map_err(|error| malformed(&path, expected, error))?;
    if header.shape().len() != 1 {
        return Err(malformed(&path, expected, format!("the shape {:?}", header.shape())));
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
        .map_err(|error| malformed(&path, expected, error))?;
    labels
        .iter()
        .enumerate()
        .map(|(i, &label)| match u32::try_from(label) {
            Ok(label) if (label as usize) < TOPICS.len() => Ok(label),
            _ => Err(malformed(&path, "labels from 0 to 45", format!("{label} at position {i}"))),
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
            format!("elements of type {}", header.dtype().descr()),
        ));
    }
    pickle::read_lists(&data, header.len(), words)
        .map_err(|found| malformed(&path, expected, found))
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
        serde_json::from_slice(&text).map_err(|error| malformed(path, expected, error))?;
    let mut ranked: Vec<Option<String>> = vec![None; entries.len()];
    let mut seen = HashSet::with_capacity(entries.len());
    for (word, rank) in &entries {
        if !seen.insert(word) {
            return Err(malformed(path, expected, format!("the word {word:?} twice")));
        }
        let slot = usize::try_from(*rank).ok().and_then(|rank| rank.checked_sub(1));
        match slot.and_then(|slot| ranked.get_mut(slot)) {
            Some(Some(other)) => {
                let found = format!("rank {rank} for both {other:?} and {word:?}");
                return Err(malformed(path, expected, found));
            }
            Some(free) => *free = Some(word.clone()),
            None => {
                let found = format!("rank {rank} for {word:?} among {} words", entries.len());
                return Err(malformed(path, expected, found));
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
