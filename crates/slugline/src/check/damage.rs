//! Encodings gone wrong.

use serde::Serialize;

use super::{EXCERPT, Found, excerpt, found};
use crate::corpus::Documents;

/// What is wrong with a text's characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Damage {
    /// The replacement character U+FFFD: what could not be decoded is lost.
    Replaced,
    /// UTF-8 that was read as Latin-1 or Windows-1252: `Ã©` for `é`.
    WrongEncoding,
    /// Control characters other than white space.
    ControlCharacters,
}

/// A text whose encoding has gone wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// The document.
    pub document: Found,
    /// What is wrong.
    pub damage: Damage,
    /// The text about the first such place.
    pub excerpt: String,
}

/// The documents whose encoding has gone wrong, in their order.
pub(super) fn damaged(documents: &Documents) -> Vec<Damaged> {
    let of = |i: usize| {
        let text = documents.text(i);
        let (damage, at) = damage(text)?;
        let from = text[..at].char_indices().rev().nth(EXCERPT / 4).map_or(0, |(start, _)| start);
        Some(Damaged {
            document: found(documents, i, false),
            damage,
            excerpt: excerpt(&text[from..]),
        })
    };
    (0..documents.len()).filter_map(of).collect()
}

/// The gravest damage of a text and its first place.
fn damage(text: &str) -> Option<(Damage, usize)> {
    if let Some(at) = text.find('\u{FFFD}') {
        return Some((Damage::Replaced, at));
    }
    if let Some(at) = wrong_encoding(text) {
        return Some((Damage::WrongEncoding, at));
    }
    let control = |c: char| c.is_control() && !c.is_whitespace();
    text.find(control).map(|at| (Damage::ControlCharacters, at))
}

/// Where characters stand that are the bytes of one UTF-8 character, each read as Windows-1252.
fn wrong_encoding(text: &str) -> Option<usize> {
    if text.is_ascii() {
        return None;
    }
    for (at, c) in text.char_indices() {
        let length = match windows_1252(c) {
            Some(0xC2..=0xDF) => 2,
            Some(0xE0..=0xEF) => 3,
            Some(0xF0..=0xF4) => 4,
            _ => continue,
        };
        let bytes: Option<Vec<u8>> = text[at..].chars().take(length).map(windows_1252).collect();
        if let Some(bytes) = bytes.filter(|bytes| bytes.len() == length)
            && std::str::from_utf8(&bytes).is_ok()
        {
            return Some(at);
        }
    }
    None
}

/// The byte beyond ASCII that is a character in Windows-1252 or, where that has none, in Latin-1.
fn windows_1252(c: char) -> Option<u8> {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž',
        '\u{8F}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}',
        'ž', 'Ÿ',
    ];
    match c {
        '\u{80}'..='\u{FF}' => Some(c as u8),
        _ => HIGH.iter().position(|&high| high == c).map(|i| 0x80 + i as u8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn damage_is_told_from_ordinary_characters() {
        for (text, want) in [
            ("plain", None),
            ("Ça va, été, naïve, Ä", None),
            ("Größe und Maß — “so”", None),
            ("lost \u{FFFD} here", Some((Damage::Replaced, 5))),
            ("cafÃ© au lait", Some((Damage::WrongEncoding, 3))),
            ("itâ€™s", Some((Damage::WrongEncoding, 2))),
            ("end\u{3}", Some((Damage::ControlCharacters, 3))),
            ("tab\tand\r\nline", None),
        ] {
            assert_eq!(damage(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn utf8_read_as_windows_1252_is_noticed(c in "[\u{A1}-\u{24F}\u{4E00}-\u{4FFF}]") {
            let bytes = c.as_bytes();
            let read_as = |byte| ('\0'..='\u{2200}').find(|&c| windows_1252(c) == Some(byte)).unwrap();
            let read: String = bytes.iter().map(|&byte| read_as(byte)).collect();
            prop_assert_eq!(wrong_encoding(&read), Some(0));
        }

        #[test]
        fn any_text_is_looked_at(text in any::<String>()) {
            let mut documents = Documents::new(vec!["a".into()]);
            documents.push(&text, 0);
            prop_assert!(damaged(&documents).len() <= 1);
        }
    }
}
