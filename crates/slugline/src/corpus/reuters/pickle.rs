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
            // Small tuples, call, a name as two texts on the stack
            b')' | 0x85..=0x87 | b'R' | 0x93 => (structure, made) = (structure + 1, true),
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
            // None, false, true, build
            b'N' | 0x88 | 0x89 | b'b' => structure += 1,
            // Read from the memo and integer, each of one byte; integer of two bytes; both again, of
            // four bytes; integer of a given number of bytes
            b'h' | b'K' => bytes.skip(1)?,
            b'M' => bytes.skip(2)?,
            b'j' | b'J' => bytes.skip(4)?,
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
            // A name as two lines
            b'c' => {
                bytes.line()?;
                bytes.line()?;
                (structure, made) = (structure + 1, true);
            }
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// `pickle.dumps(x, protocol)` of Python 3.11 with NumPy 2.4.6, where
    /// `x = numpy.empty(3, object); x[:] = [[1, 2], [300], [70000, 5]]`.
    const PROTOCOL_2: &[u8] = b"\x80\x02cnumpy._core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\n\
        q\x01K\x00\x85q\x02c_codecs\nencode\nq\x03X\x01\x00\x00\x00bq\x04X\x06\x00\x00\x00latin1q\
        \x05\x86q\x06Rq\x07\x87q\x08Rq\t(K\x01K\x03\x85q\ncnumpy\ndtype\nq\x0bX\x02\x00\x00\x00O8q\
        \x0c\x89\x88\x87q\rRq\x0e(K\x03X\x01\x00\x00\x00|q\x0fNNNJ\xff\xff\xff\xffJ\xff\xff\xff\
        \xffK?tq\x10b\x89]q\x11(]q\x12(K\x01K\x02e]q\x13M,\x01a]q\x14(Jp\x11\x01\x00K\x05eetq\x15b.";
    const PROTOCOL_3: &[u8] =
        b"\x80\x03cnumpy._core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\n\
        q\x01K\x00\x85q\x02C\x01bq\x03\x87q\x04Rq\x05(K\x01K\x03\x85q\x06cnumpy\ndtype\nq\x07X\x02\
        \x00\x00\x00O8q\x08\x89\x88\x87q\tRq\n(K\x03X\x01\x00\x00\x00|q\x0bNNNJ\xff\xff\xff\xffJ\
        \xff\xff\xff\xffK?tq\x0cb\x89]q\r(]q\x0e(K\x01K\x02e]q\x0fM,\x01a]q\x10(Jp\x11\x01\x00K\x05\
        eetq\x11b.";
    const PROTOCOL_4: &[u8] = b"\x80\x04\x95\xa3\x00\x00\x00\x00\x00\x00\x00\x8c\x16numpy._core.\
        multiarray\x94\x8c\x0c_reconstruct\x94\x93\x94\x8c\x05numpy\x94\x8c\x07ndarray\x94\x93\x94K\
        \x00\x85\x94C\x01b\x94\x87\x94R\x94(K\x01K\x03\x85\x94h\x03\x8c\x05dtype\x94\x93\x94\x8c\x02\
        O8\x94\x89\x88\x87\x94R\x94(K\x03\x8c\x01|\x94NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?t\x94b\
        \x89]\x94(]\x94(K\x01K\x02e]\x94M,\x01a]\x94(Jp\x11\x01\x00K\x05eet\x94b.";
    /// The same as Python 2 and an older NumPy write it (names of `numpy.core`, byte strings, a
    /// four-byte memo number); Python 3 reads it back with `pickle.loads(.., encoding="latin1")`.
    const PYTHON_2: &[u8] =
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\
        \x02K\x00\x85q\x03U\x01bq\x04\x87q\x05Rq\x06(K\x01K\x03\x85q\x07cnumpy\ndtype\nq\x08U\x02O8\
        q\tK\x00K\x01\x87q\nRq\x0b(K\x03U\x01|q\x0cNNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tq\rb\x89\
        ]q\x0e(]q\x0f(K\x01K\x02e]q\x10M,\x01a]r\x11\x01\x00\x00(Jp\x11\x01\x00K\x05eetq\x12b.";

    /// What precedes the list of lists for an array of `n` of them, in protocol 4.
    fn head(n: u32) -> Vec<u8> {
        let at = PROTOCOL_4.windows(4).position(|w| w == b"\x89]\x94(").unwrap();
        let mut head = b"\x80\x04".to_vec();
        head.extend(&PROTOCOL_4[11..at]);
        let shape = head.windows(5).position(|w| w == b"(K\x01K\x03").unwrap() + 3;
        head.splice(shape..shape + 2, [&b"J"[..], &n.to_le_bytes()].concat());
        head.push(0x89);
        head
    }

    /// The pickle of an array of `lists`, in protocol 4.
    pub(in crate::corpus::reuters) fn write_lists(lists: &[Vec<u32>]) -> Vec<u8> {
        let mut pickle = head(lists.len() as u32);
        pickle.extend(b"]\x94(");
        for list in lists {
            pickle.extend(b"]\x94(");
            for &integer in list {
                pickle.push(b'J');
                pickle.extend(integer.to_le_bytes());
            }
            pickle.push(b'e');
        }
        pickle.extend(b"et\x94b.");
        pickle
    }

    fn error(pickle: &[u8]) -> String {
        read_lists(pickle, 3, 100_000).unwrap_err()
    }

    /// A pickle of three lists whose list of lists is replaced by `body`.
    fn with_body(body: &[u8]) -> Vec<u8> {
        [&head(3)[..], body, b"t\x94b."].concat()
    }

    #[test]
    fn every_protocol_and_numpy_reads_the_same() {
        let protocol_5 = [b"\x80\x05", &PROTOCOL_4[2..]].concat();
        let written = write_lists(&[vec![1, 2], vec![300], vec![70_000, 5]]);
        for pickle in [PROTOCOL_2, PROTOCOL_3, PROTOCOL_4, &protocol_5, PYTHON_2, &written] {
            let lists = read_lists(pickle, 3, 70_000).unwrap();
            assert_eq!(lists, (vec![1, 2, 300, 70_000, 5], vec![2, 1, 2]));
        }
    }

    #[test]
    fn disagreement_with_the_header_or_the_word_index_is_an_error() {
        assert!(read_lists(PROTOCOL_4, 4, 70_000).unwrap_err().contains("array of 3 lists"));
        assert!(read_lists(PROTOCOL_4, 3, 69_999).unwrap_err().contains("70000 in list 2"));
        assert!(error(&write_lists(&[vec![1], vec![0], vec![1]])).contains("word number 0"));
        assert!(error(&write_lists(&[vec![1], vec![u32::MAX], vec![1]])).contains("number -1"));
        assert!(error(&with_body(b"]\x94(]\x94]\x94e")).contains("2 lists instead of 3"));
        assert!(error(&with_body(b"]\x94(K\x01K\x01K\x01e")).contains("expected a list of int"));
        assert!(error(&with_body(b"]\x94(]\x94N\x61]\x94]\x94e")).contains("invalid type"));
    }

    #[test]
    fn calls_of_anything_but_numpy_are_refused() {
        for attack in [
            &b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R."[..],
            b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x04true\x94\x85\x94R\x94.",
            b"\x80\x02cnumpy\nload\nq\x00.",
            b"\x80\x02cbuiltins\neval\nq\x00.",
        ] {
            let message = error(attack);
            assert!(message.contains("which NumPy does not write"), "{message}");
        }
        for (attack, named) in [
            (&b"\x80\x02(ios\nsystem\n."[..], "0x69"),
            (b"\x80\x02\x82\x01.", "0x82"),
            (b"\x80\x02Pid\n.", "0x50"),
            (b"\x80\x02}.", "0x7d"),
            (b"\x80\x02K\x012\x85.", "0x32"),
            (b"\x80\x00.", "protocol 0"),
            (b"\x80\x06.", "protocol 6"),
        ] {
            assert!(error(attack).contains(named), "{}", error(attack));
        }
    }

    #[test]
    fn bombs_are_refused_before_they_grow() {
        let many = |unit: &[u8]| [b"\x80\x04", &unit.repeat(1_000_000)[..], b"."].concat();
        for (unit, named) in [
            (&b"("[..], "more deeply structured"),
            (b")\x94", "more deeply structured"),
            (b"\x85", "more deeply structured"),
            (b"N", "more deeply structured"),
            (b"]", "without a memo number"),
            (b"]q\x00h\x00q\x01", "memo number for nothing new"),
            (b"]\x94]\x94", "more than 1048576 lists"),
        ] {
            let message = error(&many(unit));
            assert!(message.contains(named), "{unit:?}: {message}");
        }
        // Texts and integers of a declared size that the file does not have.
        assert!(error(b"\x80\x04X\xff\xff\xff\xffabc").contains("end of the file"));
        assert!(error(b"\x80\x04\x8a\xff").contains("integer of 255 bytes"));
        // One long list, referred to a million times.
        let mut body = b"](".to_vec();
        body.splice(1..1, *b"q\x63");
        body.extend(b"]q\x64(");
        body.extend(b"K\x01".repeat(1_000_000));
        body.push(b'e');
        body.extend(b"h\x64".repeat(1_000_000));
        body.push(b'e');
        let message = error(&with_body(&body));
        assert!(message.contains("more than 16777216 integers"), "{message}");
        // A list in itself.
        let message = error(&with_body(b"]q\x63(h\x63h\x63h\x63e"));
        assert!(message.contains("recursive"), "{message}");
        // Lists in lists, a hundred thousand deep.
        let nested = [b"]\x94".repeat(100_000), b"a".repeat(99_999)].concat();
        let message = error(&with_body(&nested));
        assert!(message.contains("invalid type"), "{message}");
    }

    #[test]
    fn cut_pickles_are_refused() {
        for pickle in [PROTOCOL_2, PROTOCOL_3, PROTOCOL_4, PYTHON_2] {
            for end in 0..pickle.len() {
                assert!(read_lists(&pickle[..end], 3, 70_000).is_err(), "{end}");
            }
            let longer = [pickle, b"."].concat();
            assert!(error(&longer).contains("1 bytes after the end"));
        }
    }

    proptest::proptest! {
        #[test]
        fn mutated_pickles_never_panic(
            changes in proptest::collection::vec(
                (proptest::prelude::any::<proptest::sample::Index>(), 0..=255_u8), 1..6),
            which in 0..4_usize,
        ) {
            let mut pickle = [PROTOCOL_2, PROTOCOL_3, PROTOCOL_4, PYTHON_2][which].to_vec();
            for (at, byte) in changes {
                let at = at.index(pickle.len());
                pickle[at] = byte;
            }
            if let Ok((integers, lengths)) = read_lists(&pickle, 3, 70_000) {
                proptest::prop_assert_eq!(lengths.len(), 3);
                proptest::prop_assert_eq!(lengths.iter().sum::<usize>(), integers.len());
            }
        }
    }
}
