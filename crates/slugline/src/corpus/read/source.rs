//! Files, patterns, folders and standard input as streams of plain bytes.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::error::ReadError;

/// Bytes looked at to guess what a file holds.
pub(super) const SAMPLE: usize = 1 << 18;

/// What an input turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    Stdin,
    File(PathBuf),
    Folder(PathBuf),
}

impl Input {
    /// The name in messages and places.
    pub(super) fn name(&self) -> Arc<str> {
        match self {
            Self::Stdin => "-".into(),
            Self::File(path) | Self::Folder(path) => path.to_string_lossy().into(),
        }
    }

    /// Bytes on the disk, if known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Self::File(path) => {
                fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|m| m.len())
            }
            Self::Stdin | Self::Folder(_) => None,
        }
    }
}

/// The files and folders that inputs name, patterns spelt out in the order of names.
pub(super) fn resolve(inputs: &[String]) -> Result<Vec<Input>, ReadError> {
    let mut all = Vec::new();
    for input in inputs {
        let path = Path::new(input);
        if input == "-" {
            all.push(Input::Stdin);
        } else if path.is_dir() {
            all.push(Input::Folder(path.into()));
        } else if path.exists() {
            all.push(Input::File(path.into()));
        } else {
            let missing = |glob| ReadError::Missing { input: input.clone(), glob };
            if !input.contains(['*', '?', '[']) {
                return Err(missing(false));
            }
            let matches = glob::glob(input)
                .map_err(|e| ReadError::layout(input, format!("not a pattern: {e}")))?;
            let before = all.len();
            for path in matches {
                let path = path.map_err(|e| {
                    let name = e.path().to_string_lossy().into_owned();
                    ReadError::Io { source_name: name, source: e.into() }
                })?;
                all.push(if path.is_dir() { Input::Folder(path) } else { Input::File(path) });
            }
            if all.len() == before {
                return Err(missing(true));
            }
        }
    }
    Ok(all)
}

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// What editors on Windows put at the beginning of a text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What gzip and zstd begin with.
const MARKS: [&[u8]; 2] = [&[0x1F, 0x8B], &[0x28, 0xB5, 0x2F, 0xFD]];

impl Compression {
    /// By the first bytes, whatever the file is called.
    fn of(start: &[u8]) -> Self {
        match MARKS.map(|mark| start.starts_with(mark)) {
            [true, _] => Self::Gzip,
            [_, true] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// The plain bytes of a stream that may be compressed by gzip or zstd, as its first bytes tell. Waits
/// for no more than it takes to tell, so that lines can be read as they come.
///
/// ```
/// use std::io::Read;
///
/// use slugline::corpus::read::unpack;
///
/// let mut text = String::new();
/// unpack(&b"plain"[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "plain");
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// What the stream or the decompressor says.
pub fn unpack(raw: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
    Ok(unpacked(raw)?.1)
}

/// The same, and how it was compressed.
fn unpacked(
    mut raw: impl Read + Send + 'static,
) -> io::Result<(Compression, Box<dyn Read + Send>)> {
    let mut start = Vec::new();
    while MARKS.iter().any(|mark| mark.len() > start.len() && mark.starts_with(&start)) {
        let mut next = [0];
        if (&mut raw).take(1).read(&mut next)? == 0 {
            break;
        }
        start.push(next[0]);
    }
    let compression = Compression::of(&start);
    let raw = io::Cursor::new(start).chain(raw);
    let buffered = |raw| BufReader::with_capacity(1 << 17, raw);
    let plain: Box<dyn Read + Send> = match compression {
        Compression::None => Box::new(raw),
        Compression::Gzip => Box::new(MultiGzDecoder::new(buffered(raw))),
        Compression::Zstd => Box::new(zstd::Decoder::with_buffer(buffered(raw))?),
    };
    Ok((compression, plain))
}

/// A stream of plain bytes whose beginning can be looked at.
pub(super) struct Stream {
    pub(super) compression: Compression,
    reader: Box<dyn Read + Send>,
    /// The bytes from the beginning, of which `at` have been read.
    head: Vec<u8>,
    at: usize,
    settled: bool,
    /// Whether those are all bytes.
    whole: bool,
    /// Counts the bytes as they lie on the disk.
    counted: Arc<AtomicU64>,
}

impl Stream {
    /// Opens a file or standard input; `read` counts the bytes as they lie on the disk.
    pub(super) fn open(
        input: &Input,
        read: &Arc<AtomicU64>,
        settled: bool,
    ) -> Result<Self, ReadError> {
        let name = input.name();
        let raw: Box<dyn Read + Send> = match input {
            Input::File(path) => Box::new(File::open(path).map_err(ReadError::io(&name))?),
            Input::Stdin => Box::new(io::stdin()),
            Input::Folder(_) => {
                return Err(ReadError::layout(&name, "is a folder, where a file was expected"));
            }
        };
        let own = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: raw, read: Arc::clone(read) };
        let counted = Counted { inner: counted, read: Arc::clone(&own) };
        let stream = Self::new(counted, settled).map_err(ReadError::io(&name))?;
        Ok(Self { counted: own, ..stream })
    }

    /// A stream of bytes that may be compressed. Where the layout is `settled`, no more is waited for
    /// than a first few bytes, so that rows can be read as they come.
    pub(super) fn new(raw: impl Read + Send + 'static, settled: bool) -> io::Result<Self> {
        let (compression, mut reader) = unpacked(raw)?;
        let mut limit = if settled { BYTE_ORDER_MARK.len() } else { SAMPLE };
        let mut head = Vec::new();
        loop {
            let known = head.len();
            reader.by_ref().take((limit - known) as u64).read_to_end(&mut head)?;
            // The first line tells what lines are like, so it is wanted whole.
            let ends = memchr::memchr2(b'\n', b'\r', &head[known..]).is_some();
            if settled || ends || head.len() < limit || limit >= LONGEST_LINE {
                break;
            }
            limit *= 2;
        }
        // A byte-order mark is no part of the text.
        let at = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let whole = head.len() < limit;
        Ok(Self { compression, reader, head, at, settled, whole, counted: Arc::default() })
    }

    /// Bytes read so far, as they lie on the disk.
    pub(super) fn counted(&self) -> u64 {
        self.counted.load(Ordering::Relaxed)
    }

    /// The first bytes: [`SAMPLE`] at most, and more only where the first line is longer.
    pub(super) fn sample(&self) -> &[u8] {
        &self.head[self.at..]
    }

    /// Whether the sample is all there is.
    pub(super) fn sample_is_all(&self) -> bool {
        self.whole
    }

    /// Whether the layout was settled without a look at the content: then the sample says nothing.
    pub(super) fn settled(&self) -> bool {
        self.settled
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at < self.head.len() {
            let n = (&self.head[self.at..]).read(buffer)?;
            self.at += n;
            return Ok(n);
        }
        self.reader.read(buffer)
    }
}

/// Counts what is read.
struct Counted<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Longest line, in bytes.
pub(super) const LONGEST_LINE: usize = 64 << 20;
