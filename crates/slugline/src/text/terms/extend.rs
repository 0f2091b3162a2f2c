//! A vectorizer that learns new terms and keeps the old ones.

use super::fit::learn;
use super::weights::idf;
use super::{NONE, Ngrams, TermError, TermVectorizer, TermVocabulary, Tokenised, grams};
use crate::corpus::Labels;
use crate::text::Vocabulary;

/// What is known of the documents that a vectorizer was fitted to.
pub(crate) struct Earlier<'a> {
    /// Number of documents.
    pub(crate) documents: usize,
    /// Of them, those of each class, new classes included.
    pub(crate) class_sizes: &'a [u64],
}

impl TermVectorizer {
    /// The same vectorizer with the new terms of some of the texts, which it selects by its own
    /// settings as it would have from these texts alone.
    ///
    /// Old features keep their numbers and factors: a network has learned with them. New ones come
    /// after them, by falling number of the texts that have them, as long as `max_features` has room.
    /// Their factors are those of the union of earlier and new documents, in which no earlier document
    /// has a new term: this is known of a word, and nearly so of a term that was too rare to be kept.
    /// Hashed features have no new ones.
    ///
    /// `labels` are those of all texts, as numbers of the classes that `earlier` counts.
    ///
    /// # Errors
    /// [`TermError::Vocabulary`] and [`TermError::Matrix`] for terms that are too many.
    ///
    /// # Panics
    /// As [`fit_rows`](Self::fit_rows).
    pub(crate) fn extended(
        &self,
        tokenised: &Tokenised,
        rows: &[usize],
        labels: &Labels,
        earlier: &Earlier<'_>,
    ) -> Result<Self, TermError> {
        assert_eq!(tokenised.options(), &self.options.analyzer, "texts were cut by other settings");
        if self.options.hashing.is_some() {
            return Ok(self.clone());
        }
        let Some((found, count)) = learn(tokenised, rows, &self.options)? else {
            return Ok(self.clone());
        };
        let room =
            self.options.max_features.map_or(usize::MAX, |most| most.saturating_sub(self.width()));
        let merged = merge(&self.vocabulary, &found, self.width(), count, room)?;
        let old = self.width();
        let width = old + merged.new;
        let mut factors = self.factors.as_slice().to_vec();
        factors.resize(width, 1.0);
        let mut this = Self {
            options: self.options.clone(),
            vocabulary: merged.vocabulary,
            factors: factors.into(),
            mean_length: self.mean_length,
        };
        let counted = this.count(tokenised, rows);
        let df = counted.document_frequencies(width);
        let documents = earlier.documents + rows.len();
        let mut factors: Vec<f32> =
            df.iter().map(|&df| idf(self.options.idf, df, documents)).collect();
        this.weigh_kinds(&mut factors);
        if let Some(floor) = self.options.class_spread {
            counted.spread(rows, labels, earlier.class_sizes, floor, &mut factors);
        }
        factors[..old].copy_from_slice(self.factors.as_slice());
        this.factors = factors.into();
        Ok(this)
    }
}

/// Two vocabularies in one.
struct Merged {
    vocabulary: TermVocabulary,
    /// Features that the first one did not have.
    new: usize,
}

/// What has been found, beside what is known.
#[derive(Clone, Copy)]
struct Comparison<'a> {
    old: &'a TermVocabulary,
    found: &'a TermVocabulary,
}

impl Comparison<'_> {
    /// Where the old words have a word of those found.
    fn position(&self, word: usize) -> Option<u32> {
        self.old.words.position(self.found.words.word(word)?)
    }

    /// The first entry of each kind that was found: words, n-grams, prefixes, parts.
    fn bases(&self) -> [usize; 4] {
        let TermVocabulary { words, ngrams, prefixes, .. } = self.found;
        let ngrams_end = words.len() + ngrams.len();
        [0, words.len(), ngrams_end, ngrams_end + prefixes.len()]
    }

    /// Whether an entry that was found has an old feature.
    fn known(&self, entry: usize) -> bool {
        let Self { old, found } = *self;
        let [_, ngrams, prefixes, chars] = self.bases();
        if entry < ngrams {
            let features = old.features.as_slice();
            return self.position(entry).is_some_and(|at| features[at as usize] != NONE);
        }
        if entry < prefixes {
            let gram = found.ngrams.gram(entry - ngrams).unwrap_or_default();
            let words: Option<Vec<u32>> =
                gram.iter().map(|&word| self.position(word as usize)).collect();
            return words.is_some_and(|words| old.ngrams.find(grams::key(&words)).is_some());
        }
        let (known, part) = match entry < chars {
            true => (&old.prefixes, found.prefixes.word(entry - prefixes)),
            false => (&old.chars, found.chars.word(entry - chars)),
        };
        part.is_some_and(|part| known.position(part).is_some())
    }

    /// The number of the feature of each entry that was found, `NONE` for an old one or one that there
    /// is no room for; and how many are new. New ones are numbered from `width` on, in the order of
    /// the `count` features that were found.
    fn numbers(&self, width: usize, count: usize, room: usize) -> (Vec<u32>, usize) {
        let features = self.found.features.as_slice();
        let mut is_new = vec![false; count];
        for (entry, &feature) in features.iter().enumerate() {
            if feature != NONE && !self.known(entry) {
                is_new[feature as usize] = true;
            }
        }
        let mut new = 0;
        let number = |is_new: bool| {
            if !is_new || new == room {
                return NONE;
            }
            new += 1;
            (width + new - 1) as u32
        };
        let numbers: Vec<u32> = is_new.into_iter().map(number).collect();
        let of = |&feature: &u32| numbers.get(feature as usize).copied().unwrap_or(NONE);
        (features.iter().map(of).collect(), new)
    }
}

/// The entries of `old` and behind them those that only `found` has, with new features from `width` on
/// for no more than `room` of them, in the order of their features in `found`.
fn merge(
    old: &TermVocabulary,
    found: &TermVocabulary,
    width: usize,
    count: usize,
    room: usize,
) -> Result<Merged, TermError> {
    let comparison = Comparison { old, found };
    let bases = comparison.bases();
    let (numbers, new) = comparison.numbers(width, count, room);
    let old_features = old.features.as_slice();
    let mut words: Vec<&str> = old.words.words().collect();
    let mut word_features = old_features[..words.len()].to_vec();
    // Where each word of `found` stands among all; words of n-grams that are not kept are left out.
    let mut places: Vec<u32> =
        (0..found.words.len()).map(|i| comparison.position(i).unwrap_or(NONE)).collect();
    for (i, place) in places.iter_mut().enumerate() {
        let feature = numbers[i];
        if *place != NONE {
            let slot = &mut word_features[*place as usize];
            if *slot == NONE {
                *slot = feature;
            }
        } else if feature != NONE {
            *place = words.len() as u32;
            words.push(found.words.word(i).unwrap_or_default());
            word_features.push(feature);
        }
    }
    let mut all_grams: Vec<Vec<u32>> =
        (0..old.ngrams.len()).filter_map(|i| old.ngrams.gram(i)).map(<[u32]>::to_vec).collect();
    let base = old.words.len();
    let mut gram_features = old_features[base..base + old.ngrams.len()].to_vec();
    for i in 0..found.ngrams.len() {
        let feature = numbers[bases[1] + i];
        let Some(gram) = found.ngrams.gram(i).filter(|_| feature != NONE) else { continue };
        let mut merged = Vec::with_capacity(gram.len());
        for &word in gram {
            let place = &mut places[word as usize];
            if *place == NONE {
                *place = words.len() as u32;
                words.push(found.words.word(word as usize).unwrap_or_default());
                word_features.push(NONE);
            }
            merged.push(*place);
        }
        all_grams.push(merged);
        gram_features.push(feature);
    }
    let listed = |old: &Vocabulary, found: &Vocabulary, old_base: usize, found_base: usize| {
        let mut all: Vec<String> = old.words().map(str::to_owned).collect();
        let mut features = old_features[old_base..old_base + all.len()].to_vec();
        for i in 0..found.len() {
            let feature = numbers[found_base + i];
            if feature != NONE {
                all.push(found.word(i).unwrap_or_default().to_owned());
                features.push(feature);
            }
        }
        (all, features)
    };
    let base = base + old.ngrams.len();
    let (prefixes, prefix_features) = listed(&old.prefixes, &found.prefixes, base, bases[2]);
    let base = base + old.prefixes.len();
    let (chars, char_features) = listed(&old.chars, &found.chars, base, bases[3]);
    let features = [word_features, gram_features, prefix_features, char_features].concat();
    let vocabulary = TermVocabulary {
        words: Vocabulary::new(words)?,
        ngrams: Ngrams::new(all_grams.iter().map(Vec::as_slice)),
        prefixes: Vocabulary::new(prefixes)?,
        chars: Vocabulary::new(chars)?,
        features: features.into(),
    };
    Ok(Merged { vocabulary, new })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{FeatureBuffer, Idf, Norm, TermFrequency, VectorizerOptions, class_spread};

    fn options() -> VectorizerOptions {
        VectorizerOptions {
            word_ngrams: 2,
            prefix_lengths: vec![3],
            char_ngrams: Some((3, 4)),
            tf: TermFrequency::Log,
            idf: Idf::Smooth,
            norm: Norm::None,
            ..VectorizerOptions::default()
        }
    }

    const OLD: [&str; 3] = ["wheat fell today", "gold rose", "wheat rose"];
    const NEW: [&str; 3] = ["tanker sank", "the tanker and wheat fell", "gold rose today"];

    fn extended(options: &VectorizerOptions) -> (TermVectorizer, TermVectorizer) {
        let old = Tokenised::new(&OLD, &options.analyzer);
        let (old, _) = TermVectorizer::fit_transform(&old, options).unwrap();
        let new = Tokenised::new(&NEW, &options.analyzer);
        let labels = Labels::Single(vec![2, 2, 1]);
        let earlier = Earlier { documents: 3, class_sizes: &[2, 1, 0] };
        let both = old.extended(&new, &[0, 1, 2], &labels, &earlier).unwrap();
        (old, both)
    }

    fn row(vectorizer: &TermVectorizer, text: &str) -> Vec<(u32, f32)> {
        let mut buffer = FeatureBuffer::default();
        vectorizer.vectorize(text, &mut buffer);
        let row = buffer.row();
        row.indices.iter().copied().zip(row.values.iter().copied()).collect()
    }

    #[test]
    fn old_features_keep_their_numbers_and_values() {
        let (old, both) = extended(&options());
        let width = old.width() as u32;
        assert!(both.width() > old.width());
        assert_eq!(old.terms(), both.terms()[..old.width()]);
        for text in OLD.iter().chain(&NEW) {
            let mut rows = row(&both, text);
            rows.retain(|(feature, _)| *feature < width);
            assert_eq!(rows, row(&old, text), "{text}");
        }
    }

    #[test]
    fn the_terms_are_those_of_both() {
        let options = options();
        let (_, both) = extended(&options);
        let all: Vec<&str> = OLD.iter().chain(&NEW).copied().collect();
        let whole = Tokenised::new(&all, &options.analyzer);
        let (whole, _) = TermVectorizer::fit_transform(&whole, &options).unwrap();
        let sorted = |vectorizer: &TermVectorizer| {
            let mut terms: Vec<String> =
                vectorizer.terms().iter().map(|t| format!("{:?} {}", t.kind, t.text)).collect();
            terms.sort();
            terms
        };
        assert_eq!(sorted(&both), sorted(&whole));
        // Stored and read again it is the same.
        let parts = (both.options().clone(), both.vocabulary().clone());
        let factors = both.factors().to_vec().into();
        let again = TermVectorizer::from_parts(parts.0, parts.1, factors, both.mean_length());
        assert_eq!(again.unwrap(), both);
    }

    #[test]
    fn new_factors_are_those_of_the_union() {
        let spread = VectorizerOptions { class_spread: Some(0.1), ..options() };
        for options in [options(), spread] {
            let (_, both) = extended(&options);
            let place = both.terms().iter().position(|term| term.text == "tanker").unwrap();
            // 2 of 6 documents, both of class 2, which then has 2 documents of 6: with 2, 2 and 2.
            let idf = (7.0_f64 / 3.0).ln() + 1.0;
            let factor = match options.class_spread {
                None => idf,
                Some(floor) => {
                    let spread = class_spread(&[0, 0, 2], &[2, 2, 2]);
                    idf * f64::from(floor + spread)
                }
            };
            assert!((f64::from(both.factors()[place]) - factor).abs() < 1e-5);
        }
    }

    #[test]
    fn there_is_no_more_than_there_is_room_for() {
        let limited = VectorizerOptions { max_features: Some(30), ..options() };
        let (old, both) = extended(&limited);
        assert!(old.width() < 31 && both.width() == 30);
        let full = VectorizerOptions { max_features: Some(5), ..options() };
        let (old, both) = extended(&full);
        assert_eq!(both.width(), 5);
        assert_eq!(old.terms(), both.terms());
        let hashed = VectorizerOptions { hashing: Some(8), ..options() };
        let (old, both) = extended(&hashed);
        assert_eq!(old, both);
    }
}
