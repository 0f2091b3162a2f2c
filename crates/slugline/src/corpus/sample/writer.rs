//! Writes the text of one document from its draft.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::ptr;

use super::draw::Draw;
use super::names::NameList;
use super::plan::Draft;
use super::vocabulary::{List, NEWSROOM, Newsroom, Phrase, Piece, Slot, Topic};

/// Words that a document runs to at least, by thousandths of all documents; straight lines between.
const LENGTHS: [(u32, u32); 9] = [
    (0, 15),
    (100, 22),
    (250, 36),
    (500, 63),
    (750, 112),
    (900, 200),
    (970, 330),
    (995, 480),
    (1000, 700),
];

/// Lowest and highest percentage, drawn for each document, of sentences without a topic's words.
const FILLERS: (u32, u32) = (10, 50);

/// Percentage of a mixed document's sentences that are in the words of its label.
const MIXED_OWN: u32 = 60;

/// Percentage of the other sentences that are the topic's own rather than a common pattern.
const OWN_LINES: u32 = 26;

/// Lowest and highest percentage, drawn for each document, of slots filled with words of the topic
/// itself; the others get words of its desk or of every topic.
const FOCUS: (u32, u32) = (30, 90);

/// Percentage of the words not taken from the topic that are its desk's.
const DESK_WORDS: u32 = 50;

/// Percentage of names that are among those usual for the topic.
const TOPIC_NAMES: u32 = 40;

/// How often a sentence pattern is drawn before one that was used already is accepted.
const PATTERN_ATTEMPTS: usize = 4;

/// Percentage of documents that open with a place and a date.
const DATELINES: u32 = 30;

/// The text of a document.
pub(super) fn write(draft: &Draft, draw: &mut Draw) -> String {
    let newsroom = &*NEWSROOM;
    let Some(topic) = newsroom.topics.get(draft.topic) else { return String::new() };
    let second = draft.second.and_then(|second| newsroom.topics.get(second));
    let target = length(draw);
    let fillers = draw.between(FILLERS.0, FILLERS.1);
    let focus = draw.between(FOCUS.0, FOCUS.1);
    let mut writer = Writer::new(newsroom, draft.topic, topic, focus, draw);
    if writer.draw.percent(DATELINES) {
        writer.dateline();
    }
    let mut words = 0;
    while words < target {
        (writer.topic_id, writer.topic) = match (draft.second, second) {
            (Some(id), Some(second)) if !writer.draw.percent(MIXED_OWN) => (id, second),
            _ => (draft.topic, topic),
        };
        let key = if writer.draw.percent(fillers) {
            "filler"
        } else if writer.draw.percent(OWN_LINES) {
            "line"
        } else {
            "pattern"
        };
        words += writer.sentence(key);
    }
    writer.text
}

/// Draws the number of words that a document has at least.
fn length(draw: &mut Draw) -> u32 {
    let share = draw.below(1000);
    let end = LENGTHS.partition_point(|&(point, _)| point <= share);
    let ((x0, y0), (x1, y1)) = (LENGTHS[end - 1], LENGTHS[end]);
    y0 + (share - x0) * (y1 - y0) / (x1 - x0)
}

/// A document in the making.
struct Writer<'a> {
    newsroom: &'static Newsroom,
    draw: &'a mut Draw,
    /// The topic of the present sentence.
    topic_id: usize,
    topic: &'static Topic,
    /// Percentage of slots filled with the topic's own words.
    focus: u32,
    /// Names met so far; they come back in later sentences.
    places: Vec<&'static str>,
    people: Vec<&'static str>,
    companies: Vec<String>,
    clubs: Vec<String>,
    /// Sentence patterns used so far.
    used: Vec<&'static Phrase>,
    text: String,
    /// Where the present sentence begins in `text`.
    start: usize,
    /// What the amounts of the present sentence are of the order of.
    amounts: u32,
    /// The last amount of the present sentence.
    amount: Option<u32>,
    /// What the present sentence says of its first amount: that it is higher than the next or lower.
    trend: Option<Ordering>,
}

impl<'a> Writer<'a> {
    fn new(
        newsroom: &'static Newsroom,
        topic_id: usize,
        topic: &'static Topic,
        focus: u32,
        draw: &'a mut Draw,
    ) -> Self {
        Self {
            newsroom,
            draw,
            topic_id,
            topic,
            focus,
            places: Vec::new(),
            people: Vec::new(),
            companies: Vec::new(),
            clubs: Vec::new(),
            used: Vec::new(),
            text: String::new(),
            start: 0,
            amounts: 0,
            amount: None,
            trend: None,
        }
    }

    fn dateline(&mut self) {
        let place = self.place().to_uppercase();
        self.text.push_str(&place);
        self.text.push_str(", ");
        self.list("month");
        let day = self.draw.between(1, 28);
        // Writing into a String does not fail, here and below.
        let _ = write!(self.text, " {day} - ");
    }

    /// Appends a sentence of a kind; returns its number of words.
    fn sentence(&mut self, key: &'static str) -> u32 {
        if !self.text.is_empty() && !self.text.ends_with(' ') {
            self.text.push(' ');
        }
        self.start = self.text.len();
        let digits = self.draw.between(2, 6);
        self.amounts = self.draw.between(2, 9) * 10_u32.pow(digits);
        (self.amount, self.trend) = (None, None);
        self.pattern(key);
        if let Some(first) = self.text.get_mut(self.start..=self.start) {
            first.make_ascii_uppercase();
        }
        self.text[self.start..].split(' ').count() as u32
    }

    /// Appends a phrase from the list of a key, preferably one that this document does not have.
    fn pattern(&mut self, key: &'static str) {
        for attempt in 1..=PATTERN_ATTEMPTS {
            let Some(list) = self.find(key) else { return };
            let pattern = &list.phrases[self.draw.weighted(&list.weights)];
            if attempt == PATTERN_ATTEMPTS || !self.used.iter().any(|used| ptr::eq(*used, pattern))
            {
                self.used.push(pattern);
                self.phrase(pattern);
                return;
            }
        }
    }

    /// Appends a phrase from the list of a key.
    fn list(&mut self, key: &'static str) {
        match key {
            "rose" | "more" => self.trend = Some(Ordering::Greater),
            "fell" | "less" => self.trend = Some(Ordering::Less),
            _ => {}
        }
        if let Some(list) = self.find(key) {
            let phrase = &list.phrases[self.draw.weighted(&list.weights)];
            self.phrase(phrase);
        }
    }

    /// The topic's list, its desk's, or the general one. Sentences are not left to chance.
    fn find(&mut self, key: &str) -> Option<&'static List> {
        let own = self.topic.words.get(key);
        let general = self.newsroom.general.get(key);
        let desk = self.newsroom.desks.get(self.topic.desk).and_then(|desk| desk.get(key));
        match (own, desk) {
            (Some(own), _) if self.draw.percent(self.focus) => Some(own),
            (_, Some(desk)) if general.is_none() || self.draw.percent(DESK_WORDS) => Some(desk),
            _ => general.or(own),
        }
    }

    fn phrase(&mut self, phrase: &'static Phrase) {
        for piece in phrase {
            match *piece {
                Piece::Text(text) => self.text.push_str(text),
                Piece::Slot(slot) => self.slot(slot),
            }
        }
    }

    fn slot(&mut self, slot: Slot) {
        match slot {
            Slot::List(key) => self.list(key),
            Slot::Place => {
                let place = self.place();
                self.text.push_str(place);
            }
            Slot::Person => self.person(),
            Slot::Surname => {
                let name = self.name(&self.newsroom.names.surnames);
                self.text.push_str(name);
            }
            Slot::Company => self.company(),
            Slot::Club => self.club(),
            Slot::Digit => self.number(0, 4),
            Slot::Small => self.number(2, 19),
            Slot::Number => self.number(2, 98),
            Slot::Hundreds => {
                let hundreds = self.draw.between(1, 9);
                let _ = write!(self.text, "{hundreds}00");
            }
            Slot::Amount => self.amount(),
            Slot::Percent => self.percent(),
            Slot::DayOfMonth => self.number(1, 28),
            Slot::Year => self.number(1951, 1996),
            Slot::Ordinal => self.ordinal(),
        }
    }

    fn number(&mut self, low: u32, high: u32) {
        let number = self.draw.between(low, high);
        let _ = write!(self.text, "{number}");
    }

    fn amount(&mut self) {
        let (low, high) = (self.amounts / 2, self.amounts * 2);
        let value = match (self.amount, self.trend) {
            (Some(first), Some(Ordering::Greater)) => self.draw.between(low.min(first), first),
            (Some(first), Some(Ordering::Less)) => self.draw.between(first, high),
            _ => self.draw.between(low, high),
        };
        // Newspapers round large numbers more often than not.
        let value = if self.draw.percent(60) { value / 100 * 100 } else { value };
        self.amount = Some(value);
        let (millions, thousands, ones) = (value / 1_000_000, value / 1_000 % 1_000, value % 1_000);
        let _ = if millions > 0 {
            write!(self.text, "{millions},{thousands:03},{ones:03}")
        } else if thousands > 0 {
            write!(self.text, "{thousands},{ones:03}")
        } else {
            write!(self.text, "{ones}")
        };
    }

    fn percent(&mut self) {
        let tenths = self.draw.between(1, 400);
        let _ = if tenths < 10 || self.draw.percent(40) {
            write!(self.text, "{}.{} pct", tenths / 10, tenths % 10)
        } else {
            write!(self.text, "{} pct", tenths / 10)
        };
    }

    fn ordinal(&mut self) {
        let number = self.draw.between(2, 29);
        let word = match number {
            2 => "second",
            3 => "third",
            4 => "fourth",
            5 => "fifth",
            6 => "sixth",
            7 => "seventh",
            21 => "21st",
            22 => "22nd",
            23 => "23rd",
            _ => {
                let _ = write!(self.text, "{number}th");
                return;
            }
        };
        self.text.push_str(word);
    }

    /// A name from the list, usual for the topic or not.
    fn name(&mut self, list: &'static NameList) -> &'static str {
        if self.draw.percent(TOPIC_NAMES) {
            let start = list.len() * (self.topic_id + 1) / (self.newsroom.topics.len() + 1);
            list.pick_near(self.draw, start)
        } else {
            list.pick(self.draw)
        }
    }

    fn place(&mut self) -> &'static str {
        if let Some(place) = self.known(50, |writer| &writer.places) {
            return place;
        }
        let place = self.name(&self.newsroom.names.places);
        self.places.push(place);
        place
    }

    fn person(&mut self) {
        if let Some(surname) = self.known(35, |writer| &writer.people) {
            self.text.push_str(surname);
            return;
        }
        let first = self.newsroom.names.first.pick(self.draw);
        let surname = self.name(&self.newsroom.names.surnames);
        self.people.push(surname);
        self.text.push_str(first);
        self.text.push(' ');
        self.text.push_str(surname);
    }

    fn company(&mut self) {
        if let Some(company) = self.known(35, |writer| &writer.companies) {
            self.text.push_str(&company);
        } else {
            let company = self.firm("firm");
            self.companies.push(company);
        }
    }

    fn club(&mut self) {
        if let Some(club) = self.known(35, |writer| &writer.clubs) {
            self.text.push_str(&club);
        } else {
            let club = self.firm("club");
            self.clubs.push(club);
        }
    }

    /// Appends a name with an ending from the list of `key`; returns both.
    fn firm(&mut self, key: &'static str) -> String {
        let start = self.text.len();
        let stem = self.name(&self.newsroom.names.stems);
        self.text.push_str(stem);
        self.text.push(' ');
        self.list(key);
        self.text[start..].to_owned()
    }

    /// In `percent` of 100 cases one of the names met so far, unless this sentence has it already.
    fn known<T: Clone + AsRef<str>>(
        &mut self,
        percent: u32,
        names: impl Fn(&Self) -> &Vec<T>,
    ) -> Option<T> {
        if !self.draw.percent(percent) {
            return None;
        }
        let i = self.draw.below(names(self).len() as u32) as usize;
        let name = names(self).get(i)?;
        (!self.text[self.start..].contains(name.as_ref())).then(|| name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_follow_the_table() {
        let mut draw = Draw::new(4, 0);
        let mut drawn: Vec<u32> = (0..5_000).map(|_| length(&mut draw)).collect();
        drawn.sort_unstable();
        assert!(drawn[0] >= 15 && drawn[4_999] < 700);
        for (share, expected) in [(100, 22_u32), (500, 63), (900, 200)] {
            let found = drawn[share * 5];
            assert!(found.abs_diff(expected) * 10 <= expected, "{share}: {found}");
        }
    }
}
