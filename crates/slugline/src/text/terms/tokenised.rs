//! Texts as numbers of tokens, from which every kind of feature is made.

use rayon::prelude::*;

use crate::corpus::intern::Interner;
use crate::text::{Analyzer, AnalyzerOptions};

/// Texts of a chunk, which one thread cuts.
const CHUNK: usize = 512;

/// Chunks that are cut before their tokens are numbered: bounds the memory beside the result.
const CHUNKS: usize = 64;

/// Texts cut into tokens, each distinct token with a number in the order of first appearance.
///
/// Fitting several vectorizers to the same texts, or to parts of them, needs this but once.
#[derive(Debug, Clone)]
pub struct Tokenised {
    options: AnalyzerOptions,
    words: Interner,
    ids: Vec<u32>,
    ends: Vec<usize>,
}

/// The tokens of a chunk under numbers of its own.
struct Chunk {
    words: Interner,
    ids: Vec<u32>,
    lengths: Vec<usize>,
}

impl Tokenised {
    /// Cuts `texts` on all threads of the current pool.
    pub fn new<T: AsRef<str> + Sync>(texts: &[T], options: &AnalyzerOptions) -> Self {
        let mut all = Self {
            options: options.clone(),
            words: Interner::default(),
            ids: Vec::new(),
            ends: Vec::with_capacity(texts.len()),
        };
        for part in texts.chunks(CHUNK * CHUNKS) {
            let chunks: Vec<Chunk> = part
                .par_chunks(CHUNK)
                .map_init(
                    || Analyzer::new(options.clone()),
                    |analyzer, texts| Chunk::new(analyzer, texts),
                )
                .collect();
            // Numbers follow the order of the texts, whoever cut them.
            for chunk in chunks {
                all.append(&chunk);
            }
        }
        all
    }

    fn append(&mut self, chunk: &Chunk) {
        let numbers: Vec<u32> = (0..chunk.words.len() as u32)
            .map(|n| self.words.number_or_insert(chunk.words.word(n)))
            .collect();
        self.ids.extend(chunk.ids.iter().map(|&id| numbers[id as usize]));
        for &length in &chunk.lengths {
            self.ends.push(self.ends.last().copied().unwrap_or(0) + length);
        }
    }

    /// How the texts were cut.
    pub fn options(&self) -> &AnalyzerOptions {
        &self.options
    }

    /// Number of texts.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of tokens of all texts.
    pub fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Number of distinct tokens.
    pub fn distinct(&self) -> usize {
        self.words.len()
    }

    /// The tokens of text `i`.
    pub(crate) fn ids(&self, i: usize) -> &[u32] {
        &self.ids[self.start(i)..self.ends[i]]
    }

    /// The tokens of all texts, end to end.
    pub(super) fn stream(&self) -> &[u32] {
        &self.ids
    }

    /// Where the tokens of text `i` begin in the stream.
    pub(super) fn start(&self, i: usize) -> usize {
        i.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// The token of a number.
    pub(super) fn word(&self, number: u32) -> &str {
        self.words.word(number)
    }
}

impl Chunk {
    fn new<T: AsRef<str>>(analyzer: &mut Analyzer, texts: &[T]) -> Self {
        let mut chunk = Self { words: Interner::default(), ids: Vec::new(), lengths: Vec::new() };
        for text in texts {
            let before = chunk.ids.len();
            let Self { words, ids, .. } = &mut chunk;
            analyzer.for_each(text.as_ref(), |token| ids.push(words.number_or_insert(token)));
            chunk.lengths.push(chunk.ids.len() - before);
        }
        chunk
    }
}
