//! The settings of a [`TermVectorizer`](super::TermVectorizer).

use serde::{Deserialize, Serialize};

use crate::text::AnalyzerOptions;

/// Which features of a kind are kept, and how much they count beside those of other kinds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Kept are features of at least so many documents. Default 1.
    pub min_df: u32,
    /// And of at most this share of the documents. Default 1.
    pub max_df: f64,
    /// Factor of their values. Default 1.
    pub weight: f32,
}

impl Default for Selection {
    fn default() -> Self {
        Self { min_df: 1, max_df: 1.0, weight: 1.0 }
    }
}

/// What becomes of the number `tf` of times that a feature occurs in a document.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermFrequency {
    /// 1.
    Binary,
    /// `tf`.
    #[default]
    Count,
    /// `1 + ln tf`: scikit-learn's `sublinear_tf`.
    Log,
    /// `tf·(k₁ + 1) / (tf + k₁·(1 − b + b·l/l̄))` for a document of `l` tokens, `l̄` on average
    /// (Robertson & Zaragoza 2009).
    Bm25 {
        /// How fast repetition saturates. Usually 1.2.
        k1: f32,
        /// How much the length counts. Usually 0.75.
        b: f32,
    },
}

impl TermFrequency {
    /// Every choice, BM25 with its usual settings.
    pub const ALL: [Self; 4] =
        [Self::Binary, Self::Count, Self::Log, Self::Bm25 { k1: 1.2, b: 0.75 }];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Count => "count",
            Self::Log => "log",
            Self::Bm25 { .. } => "bm25",
        }
    }
}

/// Factor of a feature that occurs in `df` of `n` training documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idf {
    /// 1.
    #[default]
    None,
    /// `ln((1 + n) / (1 + df)) + 1`: scikit-learn's.
    Smooth,
    /// The root of that: half of its effect on the scale of logarithms.
    SqrtSmooth,
    /// `ln(n / df) + 1`: scikit-learn's with `smooth_idf=False`.
    Plain,
    /// `ln(1 + n / (1 + df))`: that of Keras's `TextVectorization` and, beside [`TermFrequency::Log`],
    /// of the mode `tfidf` of its `Tokenizer`.
    Keras,
    /// `ln(1 + (n − df + ½) / (df + ½))`: that of BM25.
    Bm25,
}

impl Idf {
    /// Every choice.
    pub const ALL: [Self; 6] =
        [Self::None, Self::Smooth, Self::SqrtSmooth, Self::Plain, Self::Keras, Self::Bm25];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Smooth => "smooth",
            Self::SqrtSmooth => "sqrt",
            Self::Plain => "plain",
            Self::Keras => "keras",
            Self::Bm25 => "bm25",
        }
    }
}

/// What a row is divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Nothing.
    #[default]
    None,
    /// The sum of its absolute values.
    L1,
    /// Its Euclidean length.
    L2,
}

impl Norm {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::None, Self::L1, Self::L2];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::L1 => "l1",
            Self::L2 => "l2",
        }
    }
}

/// How features are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureOrder {
    /// By falling number of training documents, ties by kind and first appearance: the features that
    /// most rows have lie together.
    #[default]
    Frequency,
    /// By their characters (Unicode code points), n-grams with a space between their tokens, ties by
    /// kind: as scikit-learn's vectorizers do.
    Alphabet,
}

impl FeatureOrder {
    /// Whether it is the default.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Which features a text has, and what they are worth.
///
/// The defaults are those of scikit-learn's `CountVectorizer`, but for the rule that cuts tokens.
///
/// # As other programs
/// With [`TokenRule::ScikitLearn`](crate::text::TokenRule), or
/// [`TokenRule::Whitespace`](crate::text::TokenRule) for parts of words, and
/// [`Normalization::None`](crate::text::Normalization), vocabularies and values are those of
/// scikit-learn's `CountVectorizer` and `TfidfVectorizer`: n-grams, `char_wb`, `min_df` and `max_df`,
/// `binary`, `sublinear_tf`, every norm and rarity. With
/// [`TokenRule::Keras`](crate::text::TokenRule) they are those of Keras's `Tokenizer` in the modes
/// `binary`, `count`, `freq` ([`Norm::L1`]) and `tfidf`; [`TermFrequency::Bm25`] with [`Idf::Bm25`] is
/// Lucene's BM25 times `k₁ + 1`. Other meanings have:
///
/// * the order of features, which by default is that of frequency here, and of the alphabet
///   ([`FeatureOrder::Alphabet`]) in scikit-learn;
/// * equals at the limit of `max_features`: scikit-learn leaves their choice to NumPy's sorting;
/// * `max_features` with [`TermFrequency::Binary`]: Keras counts occurrences even then;
/// * hashed features, which are not those of `HashingVectorizer`: another hash, and no signs;
/// * control characters U+001C to U+001F, which Python takes for white space and Unicode does not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VectorizerOptions {
    /// How text becomes tokens.
    pub analyzer: AnalyzerOptions,
    /// Single tokens.
    pub words: Selection,
    /// Tokens of the longest n-gram: 1, the default, for none, 2 for pairs of neighbours.
    pub word_ngrams: usize,
    /// n-grams of 2 tokens and more.
    pub ngrams: Selection,
    /// Characters of the beginnings that longer tokens give, such as 4 and 6; none by default.
    pub prefix_lengths: Vec<usize>,
    /// Beginnings of tokens.
    pub prefixes: Selection,
    /// Characters of the shortest and the longest part of tokens, a space before and behind the token
    /// counting as one; none by default. As scikit-learn's analyzer `char_wb`, which cuts at white
    /// space.
    pub char_ngrams: Option<(usize, usize)>,
    /// Parts of tokens.
    pub chars: Selection,
    /// Kept are so many features, those that occur most often in the training documents, with
    /// [`TermFrequency::Binary`] those of the most documents; of equals the words first, and those that
    /// appear first. `None`, the default, for all.
    pub max_features: Option<usize>,
    /// Features are `2^bits` buckets into which names are hashed, rather than a vocabulary; `None`,
    /// the default, for a vocabulary.
    pub hashing: Option<u32>,
    /// How features are numbered. Default by frequency.
    #[serde(skip_serializing_if = "FeatureOrder::is_default")]
    pub order: FeatureOrder,
    /// What repetition counts. Default the count.
    pub tf: TermFrequency,
    /// What rarity counts. Default nothing.
    pub idf: Idf,
    /// The value of a feature is multiplied by this and how unevenly it is spread over the classes
    /// (see [`class_spread`](super::class_spread)); `None`, the default, for no such factor.
    pub class_spread: Option<f32>,
    /// What rows are divided by. Default nothing.
    pub norm: Norm,
}

impl Default for VectorizerOptions {
    fn default() -> Self {
        Self {
            analyzer: AnalyzerOptions::default(),
            words: Selection::default(),
            word_ngrams: 1,
            ngrams: Selection::default(),
            prefix_lengths: Vec::new(),
            prefixes: Selection::default(),
            char_ngrams: None,
            chars: Selection::default(),
            max_features: None,
            hashing: None,
            order: FeatureOrder::Frequency,
            tf: TermFrequency::Count,
            idf: Idf::None,
            class_spread: None,
            norm: Norm::None,
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}: expected {expected}")]
pub struct VectorizerOptionError {
    name: &'static str,
    value: String,
    expected: &'static str,
}

/// Longest n-gram of tokens and of characters.
pub(super) const LONGEST: usize = 8;

/// Largest factor that is taken from a setting.
const LARGEST: f32 = 1e6;

impl VectorizerOptions {
    /// The weighting that scikit-learn's `TfidfVectorizer` has, with `sublinear_tf` or without.
    #[must_use]
    pub fn tf_idf(self, sublinear: bool) -> Self {
        let tf = if sublinear { TermFrequency::Log } else { TermFrequency::Count };
        Self { tf, idf: Idf::Smooth, norm: Norm::L2, ..self }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`VectorizerOptionError`] for the first one that is out of range.
    pub fn check(&self) -> Result<(), VectorizerOptionError> {
        let bad =
            |name, value: String, expected| Err(VectorizerOptionError { name, value, expected });
        if !(1..=LONGEST).contains(&self.word_ngrams) {
            return bad("word_ngrams", self.word_ngrams.to_string(), "from 1 to 8");
        }
        if let Some((shortest, longest)) = self.char_ngrams
            && !(1 <= shortest && shortest <= longest && longest <= LONGEST)
        {
            let value = format!("{shortest}-{longest}");
            return bad("char_ngrams", value, "from 1 to 8, the shorter one first");
        }
        if self.prefix_lengths.contains(&0) {
            return bad("prefix_lengths", "0".into(), "at least 1");
        }
        let mut lengths = self.prefix_lengths.clone();
        lengths.sort_unstable();
        let again = lengths.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0]));
        if let Some(length) = again {
            return bad("prefix_lengths", format!("{length}, {length}"), "each length once");
        }
        if let Some(bits) = self.hashing.filter(|bits| !(4..=30).contains(bits)) {
            return bad("hashing", bits.to_string(), "from 4 to 30 bits");
        }
        if self.max_features == Some(0) {
            return bad("max_features", "0".into(), "at least 1");
        }
        for (name, selection) in [
            ("max_df of words", self.words),
            ("max_df of n-grams", self.ngrams),
            ("max_df of prefixes", self.prefixes),
            ("max_df of char n-grams", self.chars),
        ] {
            if !(selection.max_df > 0.0 && selection.max_df <= 1.0) {
                return bad(name, selection.max_df.to_string(), "a share above 0 and up to 1");
            }
            // The limit keeps products of factors within 32 bits.
            if !(0.0..=LARGEST).contains(&selection.weight) {
                let value = selection.weight.to_string();
                return bad("weight of a kind of features", value, "from 0 to 1,000,000");
            }
        }
        if let Some(floor) = self.class_spread.filter(|floor| !(0.0..=LARGEST).contains(floor)) {
            return bad("class_spread", floor.to_string(), "from 0 to 1,000,000");
        }
        if let TermFrequency::Bm25 { k1, b } = self.tf {
            if !(0.0..=LARGEST).contains(&k1) {
                return bad("k1 of BM25", k1.to_string(), "from 0 to 1,000,000");
            }
            if !(0.0..=1.0).contains(&b) {
                return bad("b of BM25", b.to_string(), "from 0 to 1");
            }
        }
        Ok(())
    }
}
