//! The features of a text as arguments.

use clap::Args;
use slugline::classifier::Preset;
use slugline::text::{
    AnalyzerOptions, Idf, Norm, Normalization, Selection, TermFrequency, TokenRule,
    VectorizerOptions,
};

use super::parse::{
    Lengths, Optional, Range, fraction_above_zero, given, not_negative, one_of, positive_count,
};
use super::settings::{Setting, setting, with};

/// A help text with the default of the preset `text`, which the library alone knows.
fn usual(text: &str, name: &str) -> String {
    let options = Preset::Text.options().vectorizer.unwrap_or_default();
    let found = feature_settings(&options).into_iter().find(|setting| setting.name == name);
    found.map_or_else(|| text.to_owned(), |setting| with(text, setting.value))
}

/// Which features a text has, and what they are worth; any of these means `--preset text`.
#[derive(Debug, Args)]
#[command(next_help_heading = "Text features")]
pub(crate) struct FeatureArgs {
    #[arg(long, value_name = "N", value_parser = ngrams,
        help = usual("Tokens of the longest n-gram of neighbouring words, 1 for words alone", "ngrams"))]
    ngrams: Option<usize>,
    #[arg(long, value_name = "N-M", value_parser = |text: &str| text.parse::<Optional<Range>>(),
        help = usual("Characters of the parts of words that are features too (3-5), or `none`",
            "char-ngrams"))]
    char_ngrams: Option<Optional<Range>>,
    #[arg(long, value_name = "LIST",
        help = usual("Characters of the beginnings of words that are features too (4,6), or `none`",
            "prefixes"))]
    prefixes: Option<Lengths>,
    #[arg(long, value_name = "N", value_parser = positive_count(),
        help = usual("Features of fewer documents are left out", "min-df"))]
    min_df: Option<u32>,
    #[arg(long, value_name = "SHARE", value_parser = fraction_above_zero,
        help = usual("Features of a larger share of the documents are left out", "max-df"))]
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
    #[arg(long, value_name = "FLOOR", value_parser = class_spread,
        help = usual("Features count by how unevenly they are spread over the classes, and by this \
            at least; or `none`", "class-spread"))]
    class_spread: Option<Optional<f32>>,
    #[arg(long, value_name = "BITS", value_parser = hashing,
        help = usual("Features are 2^BITS buckets that names are hashed into, rather than a \
            vocabulary; or `none`", "hashing"))]
    hashing: Option<Optional<u32>>,
    #[arg(long, value_name = "NAME",
        value_parser = one_of(TokenRule::ALL.map(TokenRule::name),
            |name| TokenRule::ALL.into_iter().find(|choice| choice.name() == name)),
        help = usual("What a token is", "token-rule"))]
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
        help = usual("Whether numbers of as many digits are the same word", "mask-digits"))]
    mask_digits: Option<bool>,
}

fn ngrams(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|n| (1..=8).contains(n));
    number.ok_or_else(|| "expected a number from 1 to 8".into())
}

fn hashing(text: &str) -> Result<Optional<u32>, String> {
    match text.parse() {
        Ok(Optional(None)) => Ok(Optional(None)),
        Ok(Optional(Some(bits))) if (4..=30).contains(&bits) => Ok(Optional(Some(bits))),
        _ => Err("expected a number of bits from 4 to 30, or `none`".into()),
    }
}

fn class_spread(text: &str) -> Result<Optional<f32>, String> {
    match text {
        "none" => Ok(Optional(None)),
        _ => not_negative(text).map(|floor| Optional(Some(floor))),
    }
}

impl FeatureArgs {
    /// The arguments that are given.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        given([
            ("--ngrams", self.ngrams.is_some()),
            ("--char-ngrams", self.char_ngrams.is_some()),
            ("--prefixes", self.prefixes.is_some()),
            ("--min-df", self.min_df.is_some()),
            ("--max-df", self.max_df.is_some()),
            ("--tf", self.tf.is_some()),
            ("--idf", self.idf.is_some()),
            ("--norm", self.norm.is_some()),
            ("--class-spread", self.class_spread.is_some()),
            ("--hashing", self.hashing.is_some()),
            ("--token-rule", self.token_rule.is_some()),
            ("--normalization", self.normalization.is_some()),
            ("--lowercase", self.lowercase.is_some()),
            ("--punctuation", self.punctuation.is_some()),
            ("--mask-digits", self.mask_digits.is_some()),
        ])
    }

    /// The base with what is given.
    pub(crate) fn options(&self, base: VectorizerOptions) -> VectorizerOptions {
        let selected = |selection: Selection| Selection {
            min_df: self.min_df.unwrap_or(selection.min_df),
            max_df: self.max_df.unwrap_or(selection.max_df),
            ..selection
        };
        let analyzer = AnalyzerOptions {
            normalization: self.normalization.unwrap_or(base.analyzer.normalization),
            lowercase: self.lowercase.unwrap_or(base.analyzer.lowercase),
            tokens: self.token_rule.unwrap_or(base.analyzer.tokens),
            punctuation: self.punctuation.unwrap_or(base.analyzer.punctuation),
            mask_digits: self.mask_digits.unwrap_or(base.analyzer.mask_digits),
        };
        VectorizerOptions {
            analyzer,
            words: selected(base.words),
            word_ngrams: self.ngrams.unwrap_or(base.word_ngrams),
            ngrams: selected(base.ngrams),
            prefix_lengths: self.prefixes.clone().map_or(base.prefix_lengths, |list| list.0),
            prefixes: selected(base.prefixes),
            char_ngrams: self
                .char_ngrams
                .map_or(base.char_ngrams, |range| range.0.map(|Range(from, to)| (from, to))),
            chars: selected(base.chars),
            max_features: base.max_features,
            hashing: self.hashing.map_or(base.hashing, |bits| bits.0),
            tf: self.tf.unwrap_or(base.tf),
            idf: self.idf.unwrap_or(base.idf),
            class_spread: self.class_spread.map_or(base.class_spread, |floor| floor.0),
            norm: self.norm.unwrap_or(base.norm),
        }
    }
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

/// The features as the arguments that would make them. What the arguments set for all kinds of
/// features alike and differs from kind to kind, as only a program can have set it, is told for each.
pub(crate) fn feature_settings(options: &VectorizerOptions) -> Vec<Setting> {
    let kinds = [options.words, options.ngrams, options.prefixes, options.chars];
    let each = |value: fn(&Selection) -> String| {
        let mut values: Vec<String> = kinds.iter().map(value).collect();
        if values.iter().all(|v| *v == values[0]) {
            values.truncate(1);
        }
        values.join("/")
    };
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let lengths: Vec<String> = options.prefix_lengths.iter().map(ToString::to_string).collect();
    let range = options.char_ngrams.map(|(from, to)| format!("{from}-{to}"));
    let analyzer = &options.analyzer;
    vec![
        setting("max-features", or_none(options.max_features)),
        setting("ngrams", options.word_ngrams),
        setting("char-ngrams", or_none(range)),
        setting("prefixes", if lengths.is_empty() { "none".into() } else { lengths.join(",") }),
        setting("min-df", each(|selection| selection.min_df.to_string())),
        setting("max-df", each(|selection| selection.max_df.to_string())),
        setting("tf", options.tf.name()),
        setting("idf", options.idf.name()),
        setting("norm", options.norm.name()),
        setting("class-spread", or_none(options.class_spread)),
        setting("hashing", or_none(options.hashing)),
        setting("token-rule", analyzer.tokens.name()),
        setting("normalization", analyzer.normalization.name()),
        setting("lowercase", yes(analyzer.lowercase)),
        setting("punctuation", yes(analyzer.punctuation)),
        setting("mask-digits", yes(analyzer.mask_digits)),
    ]
}
