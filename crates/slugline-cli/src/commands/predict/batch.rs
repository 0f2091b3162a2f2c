//! What is answered together.

use serde_json::Value;

/// Texts in their order, and the rows between them that hold none.
#[derive(Debug, Default)]
pub(super) struct Batch {
    text: String,
    entries: Vec<Entry>,
    /// What is to be told of the input.
    pub(super) notes: Vec<String>,
    /// Bytes of the input read so far, as they lie on the disk.
    pub(super) bytes: u64,
}

#[derive(Debug)]
enum Entry {
    Text { end: usize, about: Option<Box<About>> },
    Bad(Bad),
}

/// What is known of a row of a table beside its text.
#[derive(Debug, Default, PartialEq)]
pub(super) struct About {
    /// The file, where an input is many.
    pub(super) source: Option<String>,
    /// Its number.
    pub(super) row: u64,
    /// The values of the columns that are kept.
    pub(super) kept: Vec<Value>,
}

/// A row that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bad {
    pub(super) source: Option<String>,
    pub(super) row: u64,
    pub(super) problem: String,
}

/// A row to be answered.
pub(super) enum Item<'a> {
    Text(&'a str, Option<&'a About>),
    Bad(&'a Bad),
}

impl<'a> Item<'a> {
    /// Its text, if it has one.
    pub(super) fn text(&self) -> Option<&'a str> {
        match *self {
            Self::Text(text, _) => Some(text),
            Self::Bad(_) => None,
        }
    }
}

impl Batch {
    pub(super) fn push(&mut self, text: &str, about: Option<Box<About>>) {
        self.text.push_str(text);
        self.entries.push(Entry::Text { end: self.text.len(), about });
    }

    pub(super) fn push_bad(&mut self, bad: Bad) {
        self.entries.push(Entry::Bad(bad));
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of the texts.
    pub(super) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    pub(super) fn items(&self) -> Vec<Item<'_>> {
        let mut start = 0;
        let item = |entry| match entry {
            &Entry::Text { end, ref about } => {
                Item::Text(&self.text[std::mem::replace(&mut start, end)..end], about.as_deref())
            }
            Entry::Bad(bad) => Item::Bad(bad),
        };
        self.entries.iter().map(item).collect()
    }

    /// Adds the rows of another batch behind those of this one.
    pub(super) fn append(&mut self, mut other: Self) {
        if self.entries.is_empty() {
            other.notes.splice(..0, self.notes.drain(..));
            *self = other;
            return;
        }
        let before = self.text.len();
        self.text.push_str(&other.text);
        self.entries.extend(other.entries.into_iter().map(|entry| match entry {
            Entry::Text { end, about } => Entry::Text { end: before + end, about },
            bad @ Entry::Bad(_) => bad,
        }));
        self.notes.append(&mut other.notes);
        self.bytes = other.bytes;
    }
}
