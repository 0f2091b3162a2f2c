//! Made-up names, put together from syllables: a likeness to a real one is chance.

use std::collections::HashSet;

use super::draw::{Draw, Weights};

/// Keeps the names apart from the choices of every corpus seed, so that all seeds share one world.
const SEED: u64 = 0x6e61_6d65_7320;

const ONSETS: &str = "b br ch d dr fr g gl gr h j kl kr l m pl pr r s sk st t th tr v";
const VOWELS: &str = "a e i o u a e i o ae ei ou ia";
const CODAS: &str = "n r l s m nd rt lt sk th rk";
const FIRST_ENDINGS: &str = "a an el in is o or us yn ette ard io";
const SURNAME_ENDINGS: &str = "ak ano berg der dahl ell enko escu feld holm ic in ino kamp man nen \
                               ola or oro os ov ovic quist sen ski strand uk ulo vall wick yan";
const PLACE_ENDINGS: &str = "ac ada afjord ava berg bury dora dova ford gard grad haven holm ia \
                             istan kirk land mar mark minster mouth ona ora ovo port stad ton tova \
                             uma ur vale vik wald";
const STEM_ENDINGS: &str = "a al ant ax co dex e el en era esk ia ic is ix o on or oz tek um us yx";

/// Lists of distinct names, the more frequent ones first.
pub(super) struct Names {
    pub(super) first: NameList,
    pub(super) surnames: NameList,
    pub(super) places: NameList,
    /// First words of the names of firms and clubs.
    pub(super) stems: NameList,
}

/// Names and how often each is used.
pub(super) struct NameList {
    names: Vec<String>,
    weights: Weights,
}

impl Names {
    /// The same names on every call.
    pub(super) fn new() -> Self {
        Self {
            first: NameList::new(220, 0, FIRST_ENDINGS),
            surnames: NameList::new(9_000, 1, SURNAME_ENDINGS),
            places: NameList::new(4_000, 2, PLACE_ENDINGS),
            stems: NameList::new(6_000, 3, STEM_ENDINGS),
        }
    }
}

impl NameList {
    fn new(count: usize, stream: u64, endings: &'static str) -> Self {
        let [onsets, vowels, codas, endings] =
            [ONSETS, VOWELS, CODAS, endings].map(|s| s.split_whitespace().collect::<Vec<_>>());
        let mut draw = Draw::new(SEED, stream);
        let mut pick = |list: &[&'static str]| list[draw.below(list.len() as u32) as usize];
        let mut seen = HashSet::new();
        let mut names = Vec::with_capacity(count);
        while names.len() < count {
            let mut name = String::new();
            let syllables = if pick(&vowels) == "a" { 2 } else { 1 };
            for _ in 0..syllables {
                name.push_str(pick(&onsets));
                name.push_str(pick(&vowels));
            }
            name.push_str(pick(&codas));
            name.push_str(pick(&endings));
            name[..1].make_ascii_uppercase();
            if seen.insert(name.clone()) {
                names.push(name);
            }
        }
        let weights = Weights::zipf(count, 25);
        Self { names, weights }
    }

    /// A name by the frequencies of the whole list.
    pub(super) fn pick(&self, draw: &mut Draw) -> &str {
        self.pick_near(draw, 0)
    }

    /// A name by the frequencies of a list that begins at `start` and is closed to a circle: each
    /// topic has its own well-known names in this way.
    pub(super) fn pick_near(&self, draw: &mut Draw, start: usize) -> &str {
        let i = draw.weighted(&self.weights) + start;
        self.names.get(i % self.names.len().max(1)).map_or("", String::as_str)
    }

    /// Number of names.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_capitalised_words() {
        let names = Names::new();
        for list in [&names.first, &names.surnames, &names.places, &names.stems] {
            assert_eq!(list.names.iter().collect::<HashSet<_>>().len(), list.len());
            for name in &list.names {
                assert!(name.len() >= 3 && name.len() <= 16, "{name}");
                assert!(name.starts_with(|c: char| c.is_ascii_uppercase()), "{name}");
                assert!(name[1..].bytes().all(|b| b.is_ascii_lowercase()), "{name}");
            }
        }
    }

    #[test]
    fn the_first_names_of_a_list_are_the_frequent_ones() {
        let names = Names::new();
        let mut draw = Draw::new(3, 0);
        let start = 100;
        let head: HashSet<_> = names.places.names[start..start + 50].iter().collect();
        let hits = (0..2_000)
            .filter(|_| head.contains(&names.places.pick_near(&mut draw, start).to_owned()))
            .count();
        // Share of the first 50 of 4,000 ranks: (ln 75/25) / (ln 4025/25), about 0.22.
        assert!((340..=520).contains(&hits), "{hits}");
    }
}
