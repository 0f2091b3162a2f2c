//! Reads the one kind of pickle that a Keras data file holds: NumPy's array of lists of integers.
//!
//! A pickle is a program for a stack machine. Nothing of it is executed here: `serde-pickle` only
//! rebuilds plain values. It trusts the program's size and nesting, though, so [`check`] walks over
//! the instructions first and lets through only those that NumPy writes for such an array, with the
//! names NumPy uses, in bounded numbers and in the order in which Python's pickler emits them.

use std::fmt;

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, SeqAccess, Visitor};

/// Most lists.
const MAX_LISTS: usize = 1 << 20;

/// Most integers over all lists.
const MAX_INTEGERS: usize = 1 << 24;

/// Most constants, tuples, references to names, calls and the like; a sound file has about 20.
const MAX_STRUCTURE: usize = 64;

/// Deepest nesting of marks; a sound file has 3.
const MAX_MARKS: usize = 8;

/// Every text that NumPy puts into the pickle of an array of lists. No combination of them names
/// anything but NumPy's own array, its element type and the encoding of a byte string.
const TEXTS: [&[u8]; 14] = [
    b"numpy",
    b"numpy.core.multiarray",
    b"numpy._core.multiarray",
    b"_reconstruct",
    b"ndarray",
    b"dtype",
    b"_codecs",
    b"encode",
    b"latin1",
    b"b",
    b"O",
    b"O4",
    b"O8",
    b"|",
];

/// The lists of a pickled one-dimensional array of `length` lists of integers, each of which has to
/// be in `1..=largest`: all integers end to end, and each list's length.
///
/// Protocols 2 to 5 are read.
///
/// # Errors
/// What was found instead, to complete the sentence "expected a pickled array …, found".
pub(super) fn read_lists(
    pickle: &[u8],
    length: u64,
    largest: u32,
) -> Result<(Vec<u32>, Vec<usize>), String> {
    check(pickle)?;
    let options = serde_pickle::DeOptions::new().replace_unresolved_globals();
    let mut deserializer = serde_pickle::Deserializer::new(pickle, options);
    let mut lists = Lists { integers: Vec::new(), lengths: Vec::new(), largest };
    ArraySeed { lists: &mut lists, length }
        .deserialize(&mut deserializer)
        .map_err(|error| error.to_string())?;
    Ok((lists.integers, lists.lengths))
}

/// Walks over the instructions and refuses what a sound file does not have.
fn check(pickle: &[u8]) -> Result<(), String> {
    let mut bytes = Cursor { rest: pickle, length: pickle.len() };
    let (mut structure, mut lists, mut marks) = (0_usize, 0_usize, 0_usize);
    // Whether the last instruction made an object that may get a memo number. Giving one to
    // anything else would make the reader copy it.
    let mut made = false;
    loop {
        let at = bytes.position();
        let code = bytes.byte()?;
        let may_be_numbered = std::mem::take(&mut made);
        match code {
            // Protocol number
            0x80 => {
                let protocol = bytes.byte()?;
                if !(2..=5).contains(&protocol) {
                    return Err(format!("pickle protocol {protocol}"));
                }
            }
            // Frame
            0x95 => bytes.skip(8)?,
            // Mark; the instructions that take everything back to it
            b'(' => marks += 1,
            b'e' => marks = marks.saturating_sub(1),
            b't' => {
                marks = marks.saturating_sub(1);
                (structure, made) = (structure + 1, true);
            }
            // Append one
            b'a' => {}
            // Small tuples, call
            b')' | 0x85..=0x87 | b'R' => (structure, made) = (structure + 1, true),
            // List
            b']' => {
                // Python always numbers a list it begins. As a numbered list stands for itself in
                // others, lists cannot be nested deeply.
                if !matches!(bytes.rest.first(), Some(b'q' | b'r' | 0x94)) {
                    return Err(format!("a list without a memo number at byte {at}"));
                }
                (lists, made) = (lists + 1, true);
            }
            // Memo: write with a number of one byte, four bytes, none
            b'q' | b'r' | 0x94 => {
                if !may_be_numbered {
                    return Err(format!("a memo number for nothing new at byte {at}"));
                }
                bytes.skip(match code {
                    b'q' => 1,
                    b'r' => 4,
                    _ => 0,
                })?;
            }
            // Memo: read
            b'h' => bytes.skip(1)?,
            b'j' => bytes.skip(4)?,
            // None, false, true, build
            b'N' | 0x88 | 0x89 | b'b' => structure += 1,
            // Integers of one, two, four bytes and of a given number of bytes
            b'K' => bytes.skip(1)?,
            b'M' => bytes.skip(2)?,
            b'J' => bytes.skip(4)?,
            0x8a => {
                let length = bytes.byte()?;
                if length > 8 {
                    return Err(format!("an integer of {length} bytes at byte {at}"));
                }
                bytes.skip(usize::from(length))?;
            }
            // Texts and byte strings with a length of one byte, four bytes
            b'C' | b'U' | 0x8c => {
                let length = bytes.byte()?;
                bytes.text(u32::from(length))?;
                (structure, made) = (structure + 1, true);
            }
            b'B' | b'T' | b'X' => {
                let length = bytes.u32()?;
                bytes.text(length)?;
                (structure, made) = (structure + 1, true);
            }
            // A name, as two lines or as two texts on the stack
            b'c' => {
                bytes.line()?;
                bytes.line()?;
                (structure, made) = (structure + 1, true);
            }
            0x93 => (structure, made) = (structure + 1, true),
            // Stop
            b'.' => {
                return match bytes.rest.len() {
                    0 => Ok(()),
                    n => Err(format!("{n} bytes after the end of the pickle")),
                };
            }
            _ => return Err(format!("the instruction 0x{code:02x} at byte {at}")),
        }
        if structure > MAX_STRUCTURE || marks > MAX_MARKS {
            return Err(format!("a more deeply structured pickle, seen at byte {at}"));
        }
        if lists > MAX_LISTS {
            return Err(format!("more than {MAX_LISTS} lists"));
        }
    }
}

/// What is left of the pickle.
struct Cursor<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Cursor<'a> {
    fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self
            .rest
            .split_at_checked(n)
            .ok_or_else(|| format!("the end of the file after {} bytes", self.length))?;
        self.rest = rest;
        Ok(taken)
    }

    fn skip(&mut self, n: usize) -> Result<(), String> {
        self.take(n).map(drop)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> Result<u32, String> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn text(&mut self, length: u32) -> Result<(), String> {
        let at = self.position();
        let text = self.take(length as usize)?;
        known_text(text, at)
    }

    fn line(&mut self) -> Result<(), String> {
        let at = self.position();
        let end = memchr::memchr(b'\n', self.rest).unwrap_or(self.rest.len());
        let line = self.take(end)?;
        self.skip(1)?;
        known_text(line, at)
    }
}

/// Refuses a text that NumPy does not write.
fn known_text(text: &[u8], at: usize) -> Result<(), String> {
    if TEXTS.contains(&text) {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(&text[..text.len().min(40)]);
    Err(format!("the text {shown:?} at byte {at}, which NumPy does not write for such an array"))
}

/// What is collected from the array.
struct Lists {
    integers: Vec<u32>,
    lengths: Vec<usize>,
    largest: u32,
}

/// Reads the state of an array: (version, shape, element type, column order, list of elements).
struct ArraySeed<'a> {
    lists: &'a mut Lists,
    length: u64,
}

impl<'de> DeserializeSeed<'de> for ArraySeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ArraySeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the five parts of an array's state")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<(), A::Error> {
        let missing = |n| de::Error::invalid_length(n, &"five parts of an array's state");
        let _version: i64 = parts.next_element()?.ok_or_else(|| missing(0))?;
        let (length,): (u64,) = parts.next_element()?.ok_or_else(|| missing(1))?;
        if length != self.length {
            return Err(de::Error::custom(format_args!(
                "an array of {length} lists under a header that announces {}",
                self.length
            )));
        }
        let _element_type: Ignored = parts.next_element()?.ok_or_else(|| missing(2))?;
        let _column_order: bool = parts.next_element()?.ok_or_else(|| missing(3))?;
        let found = parts.next_element_seed(ListsSeed(self.lists))?.ok_or_else(|| missing(4))?;
        if found as u64 != length {
            return Err(de::Error::custom(format_args!("{found} lists instead of {length}")));
        }
        Ok(())
    }
}

/// Reads the list of lists and gives their number.
struct ListsSeed<'a>(&'a mut Lists);

impl<'de> DeserializeSeed<'de> for ListsSeed<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ListsSeed<'_> {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of lists")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<usize, A::Error> {
        while elements.next_element_seed(ListSeed(&mut *self.0))?.is_some() {}
        Ok(self.0.lengths.len())
    }
}

/// Reads one list of integers.
struct ListSeed<'a>(&'a mut Lists);

impl<'de> DeserializeSeed<'de> for ListSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ListSeed<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of integers")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let lists = self.0;
        let before = lists.integers.len();
        while let Some(integer) = elements.next_element::<i64>()? {
            match u32::try_from(integer) {
                Ok(rank) if (1..=lists.largest).contains(&rank) => lists.integers.push(rank),
                _ => {
                    return Err(de::Error::custom(format_args!(
                        "word number {integer} in list {}, where the word index has 1 to {}",
                        lists.lengths.len(),
                        lists.largest
                    )));
                }
            }
        }
        // A list may be referred to from many places, so the sum is not bounded by the file's size.
        if lists.integers.len() > MAX_INTEGERS || lists.lengths.len() >= MAX_LISTS {
            return Err(de::Error::custom(format_args!(
                "more than {MAX_INTEGERS} integers or {MAX_LISTS} lists"
            )));
        }
        lists.lengths.push(lists.integers.len() - before);
        Ok(())
    }
}

/// Any value, not looked into.
struct Ignored;

impl<'de> Deserialize<'de> for Ignored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IgnoredVisitor)
    }
}

struct IgnoredVisitor;

impl<'de> Visitor<'de> for IgnoredVisitor {
    type Value = Ignored;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an element type")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Ignored, E> {
        Ok(Ignored)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Ignored, A::Error> {
        Ok(Ignored)
    }
}
