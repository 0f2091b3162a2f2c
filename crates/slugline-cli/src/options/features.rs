//! The features of a text as arguments.

use clap::Args;
use slugline::classifier::{OrNone, Preset, Settings};
use slugline::text::{Idf, Norm, Normalization, TermFrequency, TokenRule};

use super::parse::{List, field, one_of};
use super::settings::with_default;

/// A help text with the default of the preset `text`.
fn usual(text: &str, name: &str) -> String {
    with_default(text, name, &Settings::of(Preset::Text).given())
}

/// Which features a text has, and what they are worth; any of these means `--preset text`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Text features")]
pub(crate) struct FeatureArgs {
    #[arg(long, value_name = "N", value_parser = field!(Settings.ngrams),
        help = usual("Tokens of the longest n-gram of neighbouring words, 1 for words alone", "ngrams"))]
    ngrams: Option<usize>,
    #[arg(long, value_name = "N-M", value_parser = field!(Settings.char_ngrams),
        help = usual("Characters of the parts of words that are features too (3-5), or `none`",
            "char_ngrams"))]
    char_ngrams: Option<OrNone<(usize, usize)>>,
    #[arg(long, value_name = "LIST", value_parser = field!(Settings.prefixes),
        help = usual("Characters of the beginnings of words that are features too (4,6), or `none`",
            "prefixes"))]
    prefixes: Option<List>,
    #[arg(long, value_name = "N", value_parser = field!(Settings.min_df),
        help = usual("Features of fewer documents are left out", "min_df"))]
    min_df: Option<u32>,
    #[arg(long, value_name = "SHARE", value_parser = field!(Settings.max_df),
        help = usual("Features of a larger share of the documents are left out", "max_df"))]
    max_df: Option<f64>,
    #[arg(long, value_name = "NAME",
        value_parser = one_of(TermFrequency::ALL.map(TermFrequency::name),
            |name| TermFrequency::ALL.into_iter().find(|choice| choice.name() == name)),
        help = usual("What repetition counts; `log` is 1 + ln of the count", "tf"))]
    tf: Option<TermFrequency>,
    #[arg(long, value_name = "NAME",
        value_parser = one_of(Idf::ALL.map(Idf::name),
            |name| Idf::ALL.into_iter().find(|choice| choice.name() == name)),
        help = usual("What rarity counts; `smooth` is scikit-learn's, `sqrt` the root of it, `plain` \
            that without smooth_idf, `keras` that of Keras", "idf"))]
    idf: Option<Idf>,
    #[arg(long, value_name = "NAME",
        value_parser = one_of(Norm::ALL.map(Norm::name),
            |name| Norm::ALL.into_iter().find(|choice| choice.name() == name)),
        help = usual("What a document's values are divided by", "norm"))]
    norm: Option<Norm>,
    #[arg(long, value_name = "FLOOR", value_parser = field!(Settings.class_spread),
        help = usual("Features count by how unevenly they are spread over the classes, and by this \
            at least; or `none`", "class_spread"))]
    class_spread: Option<OrNone<f32>>,
    #[arg(long, value_name = "BITS", value_parser = field!(Settings.hashing),
        help = usual("Features are 2^BITS buckets that names are hashed into, rather than a \
            vocabulary; or `none`", "hashing"))]
    hashing: Option<OrNone<u32>>,
    #[arg(long, value_name = "NAME",
        value_parser = one_of(TokenRule::ALL.map(TokenRule::name),
            |name| TokenRule::ALL.into_iter().find(|choice| choice.name() == name)),
        help = usual("What a token is", "token_rule"))]
    token_rule: Option<TokenRule>,
    #[arg(long, value_name = "NAME",
        value_parser = one_of(Normalization::ALL.map(Normalization::name),
            |name| Normalization::ALL.into_iter().find(|choice| choice.name() == name)),
        help = usual("Unicode's normal form that texts are brought into", "normalization"))]
    normalization: Option<Normalization>,
    #[arg(long, value_name = "yes|no", value_parser = one_of(["yes", "no"], |s| Some(s == "yes")),
        help = usual("Whether upper and lower case are the same", "lowercase"))]
    lowercase: Option<bool>,
    #[arg(long, value_name = "yes|no", value_parser = one_of(["yes", "no"], |s| Some(s == "yes")),
        help = usual("Whether punctuation makes tokens too (token rule `words`)", "punctuation"))]
    punctuation: Option<bool>,
    #[arg(long, value_name = "yes|no", value_parser = one_of(["yes", "no"], |s| Some(s == "yes")),
        help = usual("Whether numbers of as many digits are the same word", "mask_digits"))]
    mask_digits: Option<bool>,
}

impl FeatureArgs {
    /// The settings with what is given.
    pub(super) fn add_to(&self, settings: Settings) -> Settings {
        Settings {
            ngrams: self.ngrams,
            char_ngrams: self.char_ngrams,
            prefixes: self.prefixes.clone(),
            min_df: self.min_df,
            max_df: self.max_df,
            tf: self.tf,
            idf: self.idf,
            norm: self.norm,
            class_spread: self.class_spread,
            hashing: self.hashing,
            token_rule: self.token_rule,
            normalization: self.normalization,
            lowercase: self.lowercase,
            punctuation: self.punctuation,
            mask_digits: self.mask_digits,
            ..settings
        }
    }
}
