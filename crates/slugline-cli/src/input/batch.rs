//! What is answered together.

use serde_json::Value;

/// Texts in their order, and the rows between them that hold none.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: String,
    entries: Vec<Entry>,
    /// What is to be told of the input.
    pub(crate) notes: Vec<String>,
    /// Bytes of the input read so far, as they lie on the disk.
    pub(crate) bytes: u64,
}

#[derive(Debug)]
enum Entry {
    Text { end: usize, about: Option<Box<About>> },
    Bad(Bad),
}

/// What is known of a row of a table beside its text.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct About {
    /// The file, where an input is many.
    pub(crate) source: Option<String>,
    /// Its number.
    pub(crate) row: u64,
    /// The values of the columns that are kept.
    pub(crate) kept: Vec<Value>,
}

/// A row that cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bad {
    pub(crate) source: Option<String>,
    pub(crate) row: u64,
    pub(crate) problem: String,
}

/// A row to be answered.
pub(crate) enum Item<'a> {
    Text(&'a str, Option<&'a About>),
    Bad(&'a Bad),
}

impl<'a> Item<'a> {
    /// Its text, if it has one.
    pub(crate) fn text(&self) -> Option<&'a str> {
        match *self {
            Self::Text(text, _) => Some(text),
            Self::Bad(_) => None,
        }
    }
}

impl Batch {
    pub(crate) fn push(&mut self, text: &str, about: Option<Box<About>>) {
        self.text.push_str(text);
        self.entries.push(Entry::Text { end: self.text.len(), about });
    }

    pub(crate) fn push_bad(&mut self, bad: Bad) {
        self.entries.push(Entry::Bad(bad));
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of the texts.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn items(&self) -> Vec<Item<'_>> {
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
    pub(crate) fn append(&mut self, mut other: Self) {
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
