//! How much memory a training needs, and who may have it.

use std::sync::{Condvar, Mutex, PoisonError};

use crate::classifier::TrainingOptions;
use crate::text::VectorizerOptions;

/// Share of what the system has left that a search takes if nothing is said.
const SHARE: f64 = 0.7;

/// What a search takes where the system does not say what it has.
const UNKNOWN: u64 = 2 << 30;

/// Bytes of memory that the system has left, a limit of the process's group counted in; `None` where
/// it does not say.
fn available() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    let left = Some(system.available_memory()).filter(|&bytes| bytes > 0)?;
    let group = system.cgroup_limits().map(|limits| limits.free_memory);
    Some(group.filter(|&bytes| bytes > 0).map_or(left, |bytes| left.min(bytes)))
}

/// What a search may take if nothing is said: 70 % of what the system has left, or 2 GiB where it does
/// not say.
pub fn default_memory() -> u64 {
    available().map_or(UNKNOWN, |bytes| (bytes as f64 * SHARE) as u64)
}

/// Texts in figures.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TextSize {
    /// Tokens of the documents that rows are made of.
    pub(super) tokens: u64,
    /// Distinct tokens.
    pub(super) distinct: u64,
    /// Bytes of a token, spaces included, on average.
    pub(super) mean_bytes: f64,
}

impl TextSize {
    /// Features that a token has at most.
    fn features_of_token(self, features: &VectorizerOptions) -> f64 {
        let chars: f64 = match features.char_ngrams {
            None => 0.0,
            Some((shortest, longest)) => (shortest..=longest)
                .map(|length| (self.mean_bytes + 3.0 - length as f64).max(1.0))
                .sum(),
        };
        features.word_ngrams as f64 + features.prefix_lengths.len() as f64 + chars
    }

    /// Bytes that the rows of the documents take while they are made, at most.
    pub(super) fn rows(self, features: &VectorizerOptions) -> u64 {
        /// An index and a value, twice: pieces, and what is put together of them.
        const STORED: f64 = 16.0;
        /// An n-gram while n-grams are counted.
        const GRAM: f64 = 24.0;
        /// What is kept of a distinct token beside its features.
        const TOKEN: f64 = 64.0;
        let each = self.features_of_token(features);
        let grams = if features.word_ngrams > 1 { GRAM } else { 0.0 };
        let of_tokens = self.tokens as f64 * (each * STORED + grams);
        (of_tokens + self.distinct as f64 * (TOKEN + each * 8.0)) as u64
    }

    /// Features that there are at most.
    pub(super) fn most_features(self, features: &VectorizerOptions) -> u64 {
        if let Some(bits) = features.hashing {
            return 1 << bits;
        }
        let single = self.features_of_token(features) - (features.word_ngrams as f64 - 1.0);
        let grams = (features.word_ngrams as u64 - 1) * self.tokens
            / u64::from(features.ngrams.min_df.max(1));
        let all = (self.distinct as f64 * single) as u64 + grams;
        features.max_features.map_or(all, |most| all.min(most as u64))
    }
}

/// Bytes that a network with so many inputs takes while it is trained, its vocabulary and the
/// probabilities of `held_out` documents included.
pub(super) fn network(
    options: &TrainingOptions,
    features: u64,
    classes: usize,
    held_out: usize,
) -> u64 {
    /// A weight: as it was at the end of an epoch, as it is stepped, and two moments.
    const WEIGHT: u64 = 16;
    /// An entry of the vocabulary, its place in the table included.
    const ENTRY: u64 = 48;
    let mut widths = options.hidden.clone();
    widths.push(classes);
    let mut before = features;
    let mut weights = 0;
    for units in widths {
        weights += (before + 1) * units as u64;
        before = units as u64;
    }
    weights * WEIGHT + features * ENTRY + (held_out * classes) as u64 * 8
}

/// Memory that several trainings share.
pub(super) struct Memory {
    limit: u64,
    taken: Mutex<u64>,
    freed: Condvar,
}

/// A part of it that is given back in the end.
pub(super) struct Part<'a> {
    memory: &'a Memory,
    bytes: u64,
}

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, taken: Mutex::new(0), freed: Condvar::new() }
    }

    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Takes a part, waiting until there is so much. Who wants more than there is gets all.
    pub(super) fn take(&self, bytes: u64) -> Part<'_> {
        let bytes = bytes.min(self.limit);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        while *taken + bytes > self.limit {
            taken = self.freed.wait(taken).unwrap_or_else(PoisonError::into_inner);
        }
        *taken += bytes;
        Part { memory: self, bytes }
    }
}

impl Part<'_> {
    /// Gives back what is above `bytes`.
    pub(super) fn shrink(&mut self, bytes: u64) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes -= surplus;
        *self.memory.taken.lock().unwrap_or_else(PoisonError::into_inner) -= surplus;
        self.memory.freed.notify_all();
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.shrink(0);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn the_system_says_what_it_has() {
        assert!(default_memory() > 1 << 20);
    }

    #[test]
    fn a_network_counts_its_weights() {
        let options = TrainingOptions { hidden: vec![64, 8], ..TrainingOptions::default() };
        let weights = 1001 * 64 + 65 * 8 + 9 * 3;
        assert_eq!(network(&options, 1000, 3, 10), weights * 16 + 1000 * 48 + 10 * 3 * 8);
    }

    #[test]
    fn more_kinds_of_features_need_more() {
        let size = TextSize { tokens: 100_000, distinct: 5_000, mean_bytes: 6.0 };
        let words = VectorizerOptions::default();
        let pairs = VectorizerOptions { word_ngrams: 2, ..words.clone() };
        let parts = VectorizerOptions { char_ngrams: Some((3, 5)), ..words.clone() };
        assert!(size.rows(&words) < size.rows(&pairs) && size.rows(&pairs) < size.rows(&parts));
        assert_eq!(size.most_features(&words), 5_000);
        assert_eq!(size.most_features(&pairs), 105_000);
        let few = VectorizerOptions { max_features: Some(1 << 10), ..pairs };
        assert_eq!(size.most_features(&few), 1 << 10);
    }

    #[test]
    fn no_more_is_taken_than_there_is() {
        let memory = Memory::new(100);
        let (now, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for number in 0..16 {
                let (memory, now, most) = (&memory, &now, &most);
                scope.spawn(move || {
                    // The last ones want more than there is.
                    let wanted = 20 + number * 8;
                    let mut part = memory.take(wanted);
                    let held = wanted.min(100);
                    let at_once = now.fetch_add(held, Ordering::SeqCst) + held;
                    most.fetch_max(at_once, Ordering::SeqCst);
                    std::thread::yield_now();
                    now.fetch_sub(held - 10, Ordering::SeqCst);
                    part.shrink(10);
                    now.fetch_sub(10, Ordering::SeqCst);
                });
            }
        });
        assert!(most.into_inner() <= 100);
        assert_eq!(*memory.taken.lock().unwrap(), 0);
    }
}
