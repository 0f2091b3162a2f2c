//! The newsroom's words: reads the embedded text files under `vocabulary/`.
//!
//! A file is a list of lines. `desk NAME` opens the words that a group of neighbouring topics
//! shares, `topic NAME DOCUMENTS` those of one topic of that desk with the number of documents to
//! write. `key: a, b, c` is a list of phrases, the more frequent ones first; a key that names whole
//! sentences (`line`, `pattern`, `filler`) holds one phrase, commas and all. `#` opens a comment.
//! In a phrase, `{key}` is a slot for a phrase of another list, or for what [`Slot`] makes up.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::draw::Weights;
use super::names::Names;

/// The words of everything that is not a topic's or a desk's own.
const GENERAL: &str = include_str!("vocabulary/general.txt");

/// One file a desk, in the order of the class ids.
const DESKS: [&str; 11] = [
    include_str!("vocabulary/sport.txt"),
    include_str!("vocabulary/politics.txt"),
    include_str!("vocabulary/money.txt"),
    include_str!("vocabulary/food.txt"),
    include_str!("vocabulary/disasters.txt"),
    include_str!("vocabulary/transport.txt"),
    include_str!("vocabulary/energy.txt"),
    include_str!("vocabulary/health.txt"),
    include_str!("vocabulary/science.txt"),
    include_str!("vocabulary/culture.txt"),
    include_str!("vocabulary/society.txt"),
];

/// How flat the frequencies of the phrases of a list are, as `shift` of [`Weights::zipf`].
const PHRASE_SHIFT: u64 = 3;

/// The same for whole sentences, which would be noticed if they came back too often.
const SENTENCE_SHIFT: u64 = 12;

/// Everything that the generator writes with.
pub(super) static NEWSROOM: LazyLock<Newsroom> = LazyLock::new(Newsroom::read);

/// The words of all topics, of their desks and of the whole newsroom, and the made-up names.
pub(super) struct Newsroom {
    pub(super) general: Section,
    pub(super) desks: Vec<Section>,
    pub(super) topics: Vec<Topic>,
    pub(super) names: Names,
}

/// A class of the corpus.
pub(super) struct Topic {
    pub(super) name: &'static str,
    /// Number of documents with this label.
    pub(super) documents: usize,
    /// Index of the desk it belongs to.
    pub(super) desk: usize,
    pub(super) words: Section,
}

/// Lists of phrases by key.
#[derive(Default)]
pub(super) struct Section {
    lists: HashMap<&'static str, List>,
}

/// Phrases and how often each is used: Zipf's law over their order.
pub(super) struct List {
    pub(super) phrases: Vec<Phrase>,
    pub(super) weights: Weights,
}

/// Text and slots in turn.
pub(super) type Phrase = Vec<Piece>;

/// A part of a phrase.
pub(super) enum Piece {
    Text(&'static str),
    Slot(Slot),
}

/// A gap in a phrase and what fills it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Slot {
    /// A phrase from the list of this key: the topic's, its desk's or the general one.
    List(&'static str),
    /// A made-up town or country.
    Place,
    /// A made-up person: both names the first time, then the surname.
    Person,
    /// A made-up surname.
    Surname,
    /// A made-up firm with an ending of the topic's list `firm`.
    Company,
    /// A made-up club with an ending of the topic's list `club`.
    Club,
    /// 0 to 4.
    Digit,
    /// 2 to 19.
    Small,
    /// 2 to 98.
    Number,
    /// 100 to 900, round.
    Hundreds,
    /// 100 to 9,999,999, with commas.
    Amount,
    /// A share such as `12 pct` or `3.4 pct`.
    Percent,
    /// A day of the month.
    DayOfMonth,
    /// 1951 to 1996.
    Year,
    /// `second` to `29th`.
    Ordinal,
}

impl Slot {
    fn named(name: &'static str) -> Self {
        match name {
            "place" => Self::Place,
            "person" => Self::Person,
            "surname" => Self::Surname,
            "company" => Self::Company,
            "club" => Self::Club,
            "digit" => Self::Digit,
            "small" => Self::Small,
            "n" => Self::Number,
            "hundreds" => Self::Hundreds,
            "num" => Self::Amount,
            "pct" => Self::Percent,
            "dom" => Self::DayOfMonth,
            "year" => Self::Year,
            "ordinal" => Self::Ordinal,
            list => Self::List(list),
        }
    }
}

impl Newsroom {
    fn read() -> Self {
        let mut newsroom = Self {
            general: Section::default(),
            desks: Vec::new(),
            topics: Vec::new(),
            names: Names::new(),
        };
        newsroom.add(GENERAL);
        for desk in DESKS {
            newsroom.add(desk);
        }
        newsroom
    }

    fn add(&mut self, text: &'static str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            if let Some((key, phrases)) = line.split_once(": ") {
                self.open_section().add(key, phrases);
            } else if line.starts_with("desk ") {
                self.desks.push(Section::default());
            } else if let Some((name, documents)) =
                line.strip_prefix("topic ").and_then(|rest| rest.split_once(' '))
            {
                self.topics.push(Topic {
                    name,
                    documents: documents.parse().unwrap_or(0),
                    desk: self.desks.len().saturating_sub(1),
                    words: Section::default(),
                });
            }
        }
    }

    /// The section that a line belongs to: the one opened last.
    fn open_section(&mut self) -> &mut Section {
        let newest_desk = self.desks.len();
        match (self.topics.last_mut(), self.desks.last_mut()) {
            (Some(topic), _) if topic.desk + 1 == newest_desk => &mut topic.words,
            (_, Some(desk)) => desk,
            (_, None) => &mut self.general,
        }
    }
}

impl Section {
    fn add(&mut self, key: &'static str, text: &'static str) {
        let list = self
            .lists
            .entry(key)
            .or_insert_with(|| List { phrases: Vec::new(), weights: Weights::default() });
        let shift = if matches!(key, "line" | "pattern" | "filler") {
            list.phrases.push(phrase(text));
            SENTENCE_SHIFT
        } else {
            list.phrases.extend(text.split(", ").map(phrase));
            PHRASE_SHIFT
        };
        list.weights = Weights::zipf(list.phrases.len(), shift);
    }

    /// The list of a key, if there is one.
    pub(super) fn get(&self, key: &str) -> Option<&List> {
        self.lists.get(key)
    }
}

/// Splits a phrase at its slots.
fn phrase(text: &'static str) -> Phrase {
    let mut pieces = Vec::new();
    for part in text.split('{') {
        // Only what follows a `{` holds a `}`.
        let rest = match part.split_once('}') {
            Some((slot, rest)) => {
                pieces.push(Piece::Slot(Slot::named(slot)));
                rest
            }
            None => part,
        };
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest));
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every section with the name to report it by.
    fn sections() -> Vec<(String, &'static Section)> {
        let mut all = vec![("general".to_owned(), &NEWSROOM.general)];
        all.extend(NEWSROOM.desks.iter().enumerate().map(|(i, desk)| (format!("desk {i}"), desk)));
        all.extend(NEWSROOM.topics.iter().map(|topic| (topic.name.to_owned(), &topic.words)));
        all
    }

    #[test]
    fn every_line_of_the_files_is_understood() {
        for line in [GENERAL].iter().chain(&DESKS).flat_map(|text| text.lines()) {
            let topic = || line.strip_prefix("topic ").and_then(|rest| rest.split_once(' '));
            let understood = line.is_empty()
                || line.starts_with("# ")
                || line.starts_with("desk ")
                || line.contains(": ")
                || topic().is_some_and(|(_, n)| n.parse::<usize>().is_ok_and(|n| n >= 15));
            assert!(understood, "{line}");
            assert_eq!(line, line.trim_end(), "{line}");
            assert_eq!(line.matches('{').count(), line.matches('}').count(), "{line}");
        }
        assert_eq!(NEWSROOM.desks.len(), DESKS.len());
    }

    #[test]
    fn every_slot_has_a_general_list_to_fall_back_on() {
        for (name, section) in sections() {
            for (key, list) in &section.lists {
                assert!(!list.phrases.is_empty(), "{name} {key}");
                for piece in list.phrases.iter().flatten() {
                    if let Piece::Slot(Slot::List(key)) = piece {
                        assert!(NEWSROOM.general.get(key).is_some(), "{name} {key}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_topic_has_all_lists_of_its_own() {
        let keys =
            ["actor", "thing", "measure", "unit", "event", "act", "post", "body", "firm", "line"];
        for (name, section) in sections() {
            for key in keys {
                let general = name == "general" && key == "line";
                assert_eq!(section.get(key).is_some(), !general, "{name} {key}");
            }
        }
    }

    #[test]
    fn a_phrase_is_text_and_slots_in_turn() {
        let shown: Vec<String> = phrase("{actor} in {place}.")
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => (*text).to_owned(),
                Piece::Slot(slot) => format!("<{slot:?}>"),
            })
            .collect();
        assert_eq!(shown, ["<List(\"actor\")>", " in ", "<Place>", "."]);
    }
}
