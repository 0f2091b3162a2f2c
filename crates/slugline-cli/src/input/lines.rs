//! A text a line.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use slugline::corpus::read::{OnError, unpack};

use super::ahead::Source;
use super::batch::{Bad, Batch};
use crate::failure::Failure;

/// Longest text in bytes; something that is longer is hardly one text a line.
const LONGEST_LINE: usize = 64 << 20;
/// Most texts read at a time.
const MOST_TEXTS: usize = 4096;
/// Size of the input buffer, and so of the texts read at a time.
const BUFFER: usize = 2 << 20;

/// The texts of an input, a line each.
pub(crate) struct Lines<R> {
    name: String,
    input: BufReader<R>,
    on_error: OnError,
    /// Number of the line read last, counted from 1.
    number: u64,
    /// The beginning of a line that the buffer does not hold as a whole.
    line: Vec<u8>,
    /// Bytes read, as they lie on the disk.
    bytes: Arc<AtomicU64>,
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    bytes: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Lines<Box<dyn Read + Send>> {
    /// The lines of an input called `name`, which may be in gzip or zstd.
    pub(crate) fn open(
        name: String,
        input: impl Read + Send + 'static,
        on_error: OnError,
    ) -> Result<Self, Failure> {
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: input, bytes: Arc::clone(&bytes) };
        let plain = unpack(counted).map_err(|source| Failure::File {
            action: "read",
            path: PathBuf::from(&name),
            source,
        })?;
        let input = BufReader::with_capacity(BUFFER, plain);
        Ok(Self { name, input, on_error, number: 0, line: Vec::new(), bytes })
    }
}

impl<R: Read + Send + 'static> Source for Lines<R> {
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        let more = self.chunk(batch);
        batch.bytes = self.bytes.load(Ordering::Relaxed);
        more
    }
}

impl<R: Read> Lines<R> {
    /// Reads the texts to answer next: one, and whatever further ones are already here. `false` after
    /// the last one. On failure the batch, empty before, holds those before it.
    fn chunk(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        if !self.first(batch)? {
            return Ok(false);
        }
        while batch.len() < MOST_TEXTS {
            let Some(end) = memchr::memchr(b'\n', self.input.buffer()) else { break };
            self.number += 1;
            match check(&self.input.buffer()[..end], false) {
                Ok(text) => batch.push(text, None),
                Err(problem) => self.bad_line(problem, batch)?,
            }
            self.input.consume(end + 1);
        }
        Ok(true)
    }

    /// Reads one text, waiting for it; `false` if there is none.
    fn first(&mut self, batch: &mut Batch) -> Result<bool, Failure> {
        self.line.clear();
        let failed =
            |source| Failure::File { action: "read", path: PathBuf::from(&self.name), source };
        let limit = LONGEST_LINE as u64 + 1;
        let read = self.input.by_ref().take(limit).read_until(b'\n', &mut self.line);
        if read.map_err(failed)? == 0 {
            return Ok(false);
        }
        self.number += 1;
        if self.line.len() > LONGEST_LINE {
            if self.on_error == OnError::Skip && self.line.last() != Some(&b'\n') {
                self.input.skip_until(b'\n').map_err(failed)?;
            }
            let problem = format!("longer than {LONGEST_LINE} bytes; give one text a line");
            return self.bad_line(problem, batch).map(|()| true);
        }
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        match check(line, self.number == 1) {
            Ok(text) => batch.push(text, None),
            Err(problem) => self.bad_line(problem, batch)?,
        }
        Ok(true)
    }

    /// Ends the run, or takes note of the line.
    fn bad_line(&self, problem: String, batch: &mut Batch) -> Result<(), Failure> {
        match self.on_error {
            OnError::Stop => {
                Err(Failure::Line { input: self.name.clone(), line: self.number, problem })
            }
            OnError::Skip => {
                batch.push_bad(Bad { source: None, row: self.number, problem });
                Ok(())
            }
        }
    }
}

/// A byte order mark.
pub(super) const MARK: &[u8] = b"\xEF\xBB\xBF";

/// What is wrong with a line whose byte at a place is not of UTF-8.
pub(super) fn not_utf8(at: usize) -> String {
    format!(
        "not UTF-8 text (byte {} of the line is wrong); convert the input, for example with \
         `iconv -f LATIN1 -t UTF-8`",
        at + 1
    )
}

/// The text of a line without its end; the first of a file may have a byte order mark, which editors
/// on Windows put there.
fn check(line: &[u8], first: bool) -> Result<&str, String> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mark = if first { line.strip_prefix(MARK) } else { None };
    std::str::from_utf8(mark.unwrap_or(line)).map_err(|error| not_utf8(error.valid_up_to()))
}

#[cfg(test)]
mod tests {
    use super::super::batch::Item;
    use super::*;

    fn read(input: &[u8], on_error: OnError) -> (Vec<String>, Option<String>) {
        let mut lines = Lines {
            name: "wires.txt".into(),
            input: BufReader::with_capacity(8, input),
            on_error,
            number: 0,
            line: Vec::new(),
            bytes: Arc::default(),
        };
        let mut all = Vec::new();
        loop {
            let mut batch = Batch::default();
            let end = lines.chunk(&mut batch);
            all.extend(batch.items().into_iter().map(|item| match item {
                Item::Text(text, _) => text.to_owned(),
                Item::Bad(bad) => format!("{}: bad", bad.row),
            }));
            match end {
                Ok(true) => {}
                Ok(false) => return (all, None),
                Err(failure) => return (all, Some(failure.to_string())),
            }
        }
    }

    #[test]
    fn every_line_is_a_text() {
        for (input, want) in [
            (&b""[..], &[][..]),
            (b"a", &["a"]),
            (b"a\n", &["a"]),
            (b"a\r\n\r\n\nb b\r\n", &["a", "", "", "b b"]),
            (
                b"\xEF\xBB\xBFa longer line than the buffer\nb",
                &["a longer line than the buffer", "b"],
            ),
        ] {
            let want = want.iter().map(ToString::to_string).collect();
            assert_eq!(read(input, OnError::Stop), (want, None));
        }
    }

    #[test]
    fn a_line_that_is_no_text_is_named() {
        let lines = b"fine\nnot \xE9 fine\nfine";
        let (texts, failure) = read(lines, OnError::Stop);
        assert_eq!(texts, ["fine"]);
        let failure = failure.unwrap();
        assert!(failure.starts_with("wires.txt, line 2: not UTF-8 text (byte 5"), "{failure}");
        let (texts, failure) = read(lines, OnError::Skip);
        assert_eq!((texts.join("; ").as_str(), failure), ("fine; 2: bad; fine", None));
    }
}
