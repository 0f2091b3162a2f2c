//! Reads the SGML files of Reuters-21578, from the archive or from a folder.
//!
//! The rule is the one that Keras's data set was made by, found by reproducing its numbers. Every
//! `<TOPICS>` that is not empty starts a newswire, whose label is its *first* topic and whose text is
//! the next `<BODY>`: where a newswire has no body of its own that is the body of a later one.
//! [`Newswire::own_body`] tells the two apart.
//!
//! One newswire is the last of its file to have a topic and no body follows it. Its text is the
//! beginning of the file, from [`BEGINNING`] to the first end tag: the search for `<BODY>` answered
//! −1, and the length of the tag was added to it.

use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use memchr::{memchr, memmem};

use crate::corpus::CorpusError;

/// Number of SGML files, `reut2-000.sgm` and up.
const FILES: usize = 22;

/// Most bytes of one SGML file; the largest has 1.5 MB.
const MAX_FILE: u64 = 16 << 20;

/// Most bytes of the unpacked archive; the real one has 28 MB.
const MAX_ARCHIVE: u64 = 256 << 20;

/// Most bytes of all texts together; those of the real files have 9 MB.
const MAX_TEXT: usize = 64 << 20;

/// A labelled newswire as it stands in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Newswire {
    /// The first topic.
    pub(super) topic: String,
    /// The text of the next body, its entities not decoded.
    pub(super) text: String,
    /// Whether that body is the newswire's own and not a later one's.
    pub(super) own_body: bool,
}

/// Where the text of a newswire without a following body begins in its file.
const BEGINNING: usize = "<BODY>".len() - 1;

/// Name of the `i`-th file.
fn file_name(i: usize) -> String {
    format!("reut2-{i:03}.sgm")
}

/// The newswires of the archive `reuters21578.tar.gz`.
pub(super) fn read_archive(path: &Path) -> Result<Vec<Newswire>, CorpusError> {
    let file = File::open(path).map_err(|source| read_error(path, source))?;
    let limit = || CorpusError::TooLarge {
        path: path.to_owned(),
        what: "the unpacked archive",
        limit: MAX_ARCHIVE,
    };
    let damaged = |error: &io::Error| CorpusError::Malformed {
        path: path.to_owned(),
        expected: "a gzip-compressed tar archive".to_owned(),
        found: error.to_string(),
    };

    let mut unpacked = GzDecoder::new(BufReader::new(file)).take(MAX_ARCHIVE);
    let mut files: Vec<Option<Vec<u8>>> = vec![None; FILES];
    let result = collect_members(&mut unpacked, path, &mut files, &damaged);
    // Past the limit the archive seems cut off; the cause is its size, not damage.
    if unpacked.limit() == 0 {
        return Err(limit());
    }
    result?;
    // What follows the last file has to be sound too: the checksum stands at the end.
    io::copy(&mut unpacked, &mut io::sink()).map_err(|error| damaged(&error))?;
    if unpacked.limit() == 0 {
        return Err(limit());
    }
    parse_files(path, files)
}

/// Fills `files` with the SGML files found in the tar stream `unpacked`.
fn collect_members(
    unpacked: &mut impl Read,
    path: &Path,
    files: &mut [Option<Vec<u8>>],
    damaged: &impl Fn(&io::Error) -> CorpusError,
) -> Result<(), CorpusError> {
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let name = entry.path().map_err(|error| damaged(&error))?.into_owned();
        if let Some(i) = (0..FILES).find(|&i| name.ends_with(file_name(i))) {
            files[i] = Some(read_limited(&mut entry, &path.join(name), |_, e| damaged(&e))?);
        }
    }
    Ok(())
}

/// The newswires of a folder that holds the SGML files.
pub(super) fn read_folder(path: &Path) -> Result<Vec<Newswire>, CorpusError> {
    fs::read_dir(path).map_err(|source| read_error(path, source))?;
    let mut files = vec![None; FILES];
    for (i, contents) in files.iter_mut().enumerate() {
        let file_path = path.join(file_name(i));
        *contents = match File::open(&file_path) {
            Ok(mut file) => Some(read_limited(&mut file, &file_path, read_error)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(read_error(&file_path, error)),
        };
    }
    parse_files(path, files)
}

fn read_error(path: &Path, source: io::Error) -> CorpusError {
    CorpusError::Read { path: path.to_owned(), source }
}

/// All of `reader`, if that is no more than [`MAX_FILE`] bytes.
fn read_limited(
    reader: &mut impl Read,
    path: &Path,
    on_error: impl Fn(&Path, io::Error) -> CorpusError,
) -> Result<Vec<u8>, CorpusError> {
    let mut contents = Vec::new();
    reader.take(MAX_FILE + 1).read_to_end(&mut contents).map_err(|error| on_error(path, error))?;
    if contents.len() as u64 > MAX_FILE {
        return Err(CorpusError::TooLarge {
            path: path.to_owned(),
            what: "the file",
            limit: MAX_FILE,
        });
    }
    Ok(contents)
}

/// The newswires of all files, which must all be there.
fn parse_files(path: &Path, files: Vec<Option<Vec<u8>>>) -> Result<Vec<Newswire>, CorpusError> {
    let missing: Vec<String> =
        (0..).zip(&files).filter(|(_, f)| f.is_none()).map(|(i, _)| file_name(i)).collect();
    if !missing.is_empty() {
        return Err(CorpusError::MissingFiles { path: path.to_owned(), missing });
    }
    let mut parser = Parser::default();
    for (i, contents) in files.into_iter().flatten().enumerate() {
        parser.parse(&contents, &path.join(file_name(i)))?;
    }
    Ok(parser.newswires)
}

/// A newswire whose text has not come yet.
#[derive(Debug)]
struct Pending {
    topic: String,
    element: usize,
}

/// Collects newswires from one file after the other.
#[derive(Debug, Default)]
struct Parser {
    newswires: Vec<Newswire>,
    pending: Vec<Pending>,
    element: usize,
    text_bytes: usize,
}

impl Parser {
    /// Adds the newswires of one file; `path` is for messages.
    fn parse(&mut self, contents: &[u8], path: &Path) -> Result<(), CorpusError> {
        let mut rest = contents;
        let mut topics = 0_usize;
        while let Some(i) = memchr(b'<', rest) {
            rest = &rest[i + 1..];
            if rest.starts_with(b"REUTERS") {
                self.element += 1;
            } else if let Some(inside) = rest.strip_prefix(b"TOPICS>") {
                topics += 1;
                let inside = until_end_tag(inside, "TOPICS", path)?;
                let topic = latin1(inside).replace("<D>", "");
                if !topic.is_empty() {
                    self.pending.push(Pending { topic, element: self.element });
                }
            } else if let Some(inside) = rest.strip_prefix(b"BODY>") {
                let inside = until_end_tag(inside, "BODY", path)?;
                rest = &rest[b"BODY>".len() + inside.len()..];
                self.give_text(&latin1(inside), path)?;
            }
        }
        if topics == 0 {
            return Err(CorpusError::Malformed {
                path: path.to_owned(),
                expected: "Reuters newswires with <TOPICS>".to_owned(),
                found: format!("none in {} bytes", contents.len()),
            });
        }
        if !self.pending.is_empty() {
            // The beginning of the file belongs to no element.
            self.element += 1;
            let beginning = contents.get(BEGINNING..).unwrap_or_default();
            let beginning = until_end_tag(beginning, "!DOCTYPE", path)?;
            self.give_text(&latin1(beginning), path)?;
        }
        Ok(())
    }

    /// Completes the newswires that wait for a text.
    fn give_text(&mut self, text: &str, path: &Path) -> Result<(), CorpusError> {
        self.text_bytes =
            self.text_bytes.saturating_add(text.len().saturating_mul(self.pending.len()));
        if self.text_bytes > MAX_TEXT {
            return Err(CorpusError::TooLarge {
                path: PathBuf::from(path),
                what: "the sum of all texts up to this file",
                limit: MAX_TEXT as u64,
            });
        }
        let element = self.element;
        self.newswires.extend(self.pending.drain(..).map(|pending| Newswire {
            topic: pending.topic,
            text: text.to_owned(),
            own_body: pending.element == element,
        }));
        Ok(())
    }
}

/// What stands before the next `</`.
fn until_end_tag<'a>(inside: &'a [u8], tag: &str, path: &Path) -> Result<&'a [u8], CorpusError> {
    match memmem::find(inside, b"</") {
        Some(end) => Ok(&inside[..end]),
        None => Err(CorpusError::Malformed {
            path: path.to_owned(),
            expected: format!("an end tag after <{tag}>"),
            found: "the end of the file".to_owned(),
        }),
    }
}

/// Text of Latin-1 bytes, each the code point of its value.
fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        // Of valid UTF-8 only ASCII is the same text in Latin-1.
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|&byte| char::from(byte)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use proptest::prelude::*;
    use std::io::Write;

    const WIRE: &str = "<REUTERS A=\"1\"><TOPICS><D>grain</D><D>wheat</D></TOPICS>\
        <BODY>Corn &lt;up>\n&#3;</BODY></REUTERS>\n";

    fn parse(files: &[&[u8]]) -> Result<Vec<Newswire>, CorpusError> {
        let mut parser = Parser::default();
        for file in files {
            parser.parse(file, Path::new("x.sgm"))?;
        }
        Ok(parser.newswires)
    }

    fn wire(topic: &str, text: &str, own_body: bool) -> Newswire {
        Newswire { topic: topic.into(), text: text.into(), own_body }
    }

    /// An archive of files named by number, each with the contents given.
    fn tar_gz(files: impl IntoIterator<Item = (usize, Vec<u8>)>) -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (i, contents) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(contents.len() as u64);
            header.set_mode(0o644);
            let name = format!("./{}", file_name(i));
            builder.append_data(&mut header, name, &contents[..]).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn read_bytes_as_archive(bytes: &[u8]) -> Result<Vec<Newswire>, CorpusError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        read_archive(file.path())
    }

    #[test]
    fn a_label_is_the_first_topic_and_a_text_the_next_body() {
        assert_eq!(parse(&[WIRE.as_bytes()]).unwrap(), [wire("grain", "Corn &lt;up>\n&#3;", true)]);
        let skipped = b"<REUTERS><TOPICS></TOPICS><BODY>none</BODY></REUTERS>";
        assert_eq!(parse(&[skipped]).unwrap(), []);
    }

    #[test]
    fn a_missing_body_is_taken_from_a_later_newswire() {
        let file = b"<REUTERS><TOPICS><D>a</D></TOPICS></REUTERS>\
            <REUTERS><TOPICS><D>b</D></TOPICS></REUTERS>\
            <REUTERS><TOPICS></TOPICS><BODY>caf\xe9</BODY></REUTERS>\
            <REUTERS><TOPICS><D>c</D></TOPICS><BODY>own</BODY></REUTERS>";
        assert_eq!(
            parse(&[file]).unwrap(),
            [wire("a", "café", false), wire("b", "café", false), wire("c", "own", true)]
        );
    }

    #[test]
    fn without_a_later_body_in_the_file_the_text_is_the_file_s_beginning() {
        let file = b"<!DOCTYPE lewis>\n<REUTERS><DATE>1</DATE><TOPICS><D>a</D></TOPICS></REUTERS>";
        let expected = wire("a", "TYPE lewis>\n<REUTERS><DATE>1", false);
        let other = wire("grain", "Corn &lt;up>\n&#3;", true);
        assert_eq!(parse(&[file, WIRE.as_bytes()]).unwrap(), [expected, other]);
    }

    #[test]
    fn archive_and_folder_agree() {
        let files = || {
            (0..FILES).map(|i| (i, format!("{WIRE}<TOPICS>{i}</TOPICS><BODY>{i}</").into_bytes()))
        };
        // The order inside the archive does not matter.
        let from_archive = read_bytes_as_archive(&tar_gz(files().rev())).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for (i, contents) in files() {
            fs::write(folder.path().join(file_name(i)), contents).unwrap();
        }
        assert_eq!(from_archive.len(), 2 * FILES);
        assert_eq!(from_archive[3].topic, "1");
        assert_eq!(from_archive, read_folder(folder.path()).unwrap());
    }

    #[test]
    fn missing_files_are_named() {
        let some = (0..FILES).filter(|i| ![3, 20].contains(i));
        let error = read_bytes_as_archive(&tar_gz(some.map(|i| (i, WIRE.into())))).unwrap_err();
        assert!(error.to_string().contains("2 files are missing"), "{error}");
        assert!(error.to_string().contains("reut2-003.sgm, reut2-020.sgm"), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let error = read_folder(folder.path()).unwrap_err();
        assert!(matches!(error, CorpusError::MissingFiles { missing, .. } if missing.len() == 22));
    }

    #[test]
    fn what_is_not_there_is_named() {
        for result in [read_archive(Path::new("/no/such.gz")), read_folder(Path::new("/no/such"))] {
            let error = result.unwrap_err();
            assert!(matches!(&error, CorpusError::Read { path, .. } if path.starts_with("/no")));
        }
    }

    #[test]
    fn damaged_archives_are_refused() {
        let sound = tar_gz((0..FILES).map(|i| (i, WIRE.repeat(100).into())));
        for cut in [0, 5, 20, sound.len() / 2, sound.len() - 4] {
            let error = read_bytes_as_archive(&sound[..cut]).unwrap_err();
            assert!(matches!(error, CorpusError::Malformed { .. }), "{cut}: {error}");
        }
        let mut wrong_checksum = sound.clone();
        let at = sound.len() - 6;
        wrong_checksum[at] ^= 1;
        let error = read_bytes_as_archive(&wrong_checksum).unwrap_err();
        assert!(error.to_string().contains("gzip-compressed tar archive"), "{error}");

        let mut not_tar = GzEncoder::new(Vec::new(), Compression::fast());
        not_tar.write_all(&[b'x'; 4096]).unwrap();
        let error = read_bytes_as_archive(&not_tar.finish().unwrap()).unwrap_err();
        assert!(matches!(error, CorpusError::Malformed { .. }), "{error}");
    }

    #[test]
    fn oversized_input_is_refused() {
        let huge = tar_gz([(0, vec![b'x'; MAX_FILE as usize + 1])]);
        let error = read_bytes_as_archive(&huge).unwrap_err();
        assert!(matches!(error, CorpusError::TooLarge { limit: MAX_FILE, .. }), "{error}");

        let mut bomb = GzEncoder::new(Vec::new(), Compression::fast());
        let mut header = tar::Header::new_gnu();
        header.set_path("big").unwrap();
        header.set_size(1 << 40);
        header.set_cksum();
        bomb.write_all(header.as_bytes()).unwrap();
        io::copy(&mut io::repeat(0).take(MAX_ARCHIVE), &mut bomb).unwrap();
        let error = read_bytes_as_archive(&bomb.finish().unwrap()).unwrap_err();
        assert!(matches!(error, CorpusError::TooLarge { limit: MAX_ARCHIVE, .. }), "{error}");

        let many_labels = "<TOPICS>a</TOPICS>".repeat(1000) + "<BODY>" + &"x".repeat(70_000) + "</";
        let error = parse(&[many_labels.as_bytes()]).unwrap_err();
        assert!(matches!(error, CorpusError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn files_that_are_no_newswires_are_refused() {
        for contents in [&b""[..], b"<html></html>", b"<TOPICS>", b"<TOPICS>a</TOPICS><BODY>cut"] {
            let error = parse(&[contents]).unwrap_err();
            assert!(error.to_string().starts_with("x.sgm: expected"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn mutated_newswires_never_panic(
            cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            end in any::<prop::sample::Index>(),
        ) {
            let mut bytes = WIRE.repeat(3).into_bytes();
            for (at, byte) in cuts {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len()));
            if let Ok(newswires) = parse(&[&bytes]) {
                // An end tag can turn into one more start tag.
                prop_assert!(newswires.len() <= 6);
            }
        }
    }
}
