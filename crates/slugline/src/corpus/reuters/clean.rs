//! The rules that make `reuters-clean` out of the newswires; what they are is told in
//! [the module above](super).

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::sgml::Newswire;
use crate::corpus::tokenize::for_each_token;

/// Most bytes of an entity, `&` and `;` included: `&#1114111;` is the longest that means anything.
const MAX_ENTITY: usize = 10;

/// How many newswires the cleaning left out, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Without a body of their own.
    pub no_body: usize,
    /// Without a word in their body.
    pub empty: usize,
    /// Copies of an earlier text with the same topic.
    pub copies: usize,
    /// Texts, all copies of them, that stand under different topics.
    pub contradictory: usize,
    /// Of topics that keep fewer than [`MIN_DOCUMENTS`](super::MIN_DOCUMENTS) texts.
    pub rare_topic: usize,
}

/// Topic and cleaned text of the newswires that have a body of their own, every text once.
pub(super) fn distinct(newswires: Vec<Newswire>) -> (Vec<(String, String)>, Dropped) {
    let mut dropped = Dropped::default();
    let mut kept: Vec<Option<(String, String)>> = Vec::new();
    // By its tokens: place in `kept` and number of copies, the first included.
    let mut seen: HashMap<String, (usize, usize)> = HashMap::new();
    for newswire in newswires {
        if !newswire.own_body {
            dropped.no_body += 1;
            continue;
        }
        let text = clean_text(&newswire.text);
        let mut key = String::with_capacity(text.len());
        for_each_token(&text, |token| {
            key.push_str(token);
            key.push(' ');
        });
        if key.is_empty() {
            dropped.empty += 1;
            continue;
        }
        match seen.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert((kept.len(), 1));
                kept.push(Some((newswire.topic, text)));
            }
            Entry::Occupied(mut entry) => {
                let (place, copies) = entry.get_mut();
                match &kept[*place] {
                    Some((topic, _)) if *topic == newswire.topic => {
                        dropped.copies += 1;
                        *copies += 1;
                    }
                    Some(_) => {
                        kept[*place] = None;
                        // The copies counted until now turn out to contradict this one.
                        dropped.copies -= *copies - 1;
                        dropped.contradictory += *copies + 1;
                    }
                    None => dropped.contradictory += 1,
                }
            }
        }
    }
    (kept.into_iter().flatten().collect(), dropped)
}

/// A body as its reader saw it: entities decoded, control characters blank, and without the marker
/// `Reuter` that ends almost every newswire and says nothing of its topic.
pub(super) fn clean_text(body: &str) -> String {
    let text = decode_entities(body);
    let mut kept = text.trim_end();
    // The marker stands twice at times, and at times with dots behind it.
    while let Some(before) = without_marker(kept) {
        kept = before.trim_end();
    }
    kept.to_owned()
}

/// What stands before a closing word `Reuter`.
fn without_marker(text: &str) -> Option<&str> {
    let words = text.trim_end_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
    let (before, last) = words.split_at_checked(words.len().checked_sub("reuter".len())?)?;
    let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '\'');
    (is_word && last.eq_ignore_ascii_case("reuter")).then_some(before)
}

/// Replaces `&lt;`, `&gt;`, `&amp;`, `&quot;` and numeric references; what stands for a control
/// character becomes a space, and anything else that begins with `&` stays as it is.
fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find('&') {
        decoded.push_str(&rest[..i]);
        rest = &rest[i..];
        let end = rest.bytes().take(MAX_ENTITY).position(|byte| byte == b';');
        let reference = end.and_then(|end| Some((end, entity(&rest[1..end])?)));
        let (consumed, character) = reference.map_or((1, '&'), |(end, c)| (end + 1, c));
        decoded.push(character);
        rest = &rest[consumed..];
    }
    decoded.push_str(rest);
    decoded
}

/// The character that an entity's name stands for.
fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        _ => {
            let character = char::from_u32(name.strip_prefix('#')?.parse().ok()?)?;
            Some(if character.is_control() { ' ' } else { character })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_entities_and_the_closing_marker() {
        let body = "Shares of &lt;IBM> &amp; Co rose &#233;.\n REUTER\n&#3;";
        assert_eq!(clean_text(body), "Shares of <IBM> & Co rose é.");
        assert_eq!(
            clean_text("A&#127;B & C &unknown; &#x; &#1114112;"),
            "A B & C &unknown; &#x; &#1114112;"
        );
        assert_eq!(clean_text("&amp;lt; Reuters"), "&lt; Reuters");
        assert_eq!(clean_text(" Reuter&#3;"), "");
        assert_eq!(clean_text("reuter"), "");
        assert_eq!(clean_text("Up.\n REUTER...\n reuter"), "Up.");
        assert_eq!(clean_text("says Reuter today..."), "says Reuter today...");
        assert_eq!(clean_text("preReuter"), "preReuter");
        assert_eq!(clean_text("é"), "é");
    }

    #[test]
    fn every_text_is_kept_once_and_contradictions_not_at_all() {
        let wire = |topic: &str, text: &str, own_body| Newswire {
            topic: topic.into(),
            text: text.into(),
            own_body,
        };
        let (kept, dropped) = distinct(vec![
            wire("a", "one", true),
            wire("a", "borrowed", false),
            wire("a", "Two.", true),
            wire("a", "ONE Reuter", true),
            wire("a", "two", true),
            wire("b", "two", true),
            wire("a", "two!", true),
            wire("b", " --", true),
            wire("b", "three", true),
        ]);
        assert_eq!(kept, [("a".into(), "one".into()), ("b".into(), "three".into())]);
        let expected = Dropped { no_body: 1, empty: 1, copies: 1, contradictory: 4, rare_topic: 0 };
        assert_eq!(dropped, expected);
    }
}
