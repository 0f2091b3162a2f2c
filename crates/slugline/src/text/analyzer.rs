//! Text to tokens: normalisation, case, the rule that cuts, what becomes of numbers.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;

use super::places::{Places, offset};
use crate::corpus::tokenize::Tokenizer;

/// Unicode's normal form that a text is brought into before it is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Normalization {
    /// None.
    None,
    /// Canonical composition: `e` with a combining accent is `é`. The default.
    #[default]
    Nfc,
    /// Compatibility composition: also `ﬁ` is `fi`, full-width letters are ordinary ones.
    Nfkc,
    /// Compatibility decomposition without the marks that combine with a letter (those of a combining
    /// class other than 0): `é` is `e`, the vowel signs of Devanagari stay. As scikit-learn's
    /// `strip_accents="unicode"`, but for capitals that the decomposition brings (`™` is `TM`): here
    /// they are lower-cased too.
    StripAccents,
}

impl Normalization {
    /// Every choice.
    pub const ALL: [Self; 4] = [Self::None, Self::Nfc, Self::Nfkc, Self::StripAccents];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Nfc => "nfc",
            Self::Nfkc => "nfkc",
            Self::StripAccents => "strip-accents",
        }
    }
}

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenRule {
    /// Words by Unicode's word boundaries (UAX #29), cut further at ASCII punctuation, so that in
    /// ASCII text a token is a maximal run of letters and digits. An ideograph is a token of its own,
    /// and so is an emoji. The default.
    #[default]
    Words,
    /// Words by Unicode's word boundaries, uncut: `don't` and `3.14` are one token each.
    Unicode,
    /// As `keras.preprocessing.text.Tokenizer` with its default filters: what stands between spaces,
    /// tabs, newlines and ASCII punctuation other than the apostrophe.
    Keras,
    /// Runs of at least two letters, digits and underscores: scikit-learn's default `token_pattern`,
    /// `(?u)\b\w\w+\b` as Python understands it. Combining marks separate, so that scripts which write
    /// vowels as marks are cut in pieces; with [`Normalization::None`] the tokens are scikit-learn's.
    ScikitLearn,
    /// What stands between characters that Unicode calls white space.
    Whitespace,
}

impl TokenRule {
    /// Every choice.
    pub const ALL: [Self; 5] =
        [Self::Words, Self::Unicode, Self::Keras, Self::ScikitLearn, Self::Whitespace];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Unicode => "unicode",
            Self::Keras => "keras",
            Self::ScikitLearn => "scikit-learn",
            Self::Whitespace => "whitespace",
        }
    }
}

/// How text becomes tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnalyzerOptions {
    /// Normal form. Default canonical composition.
    pub normalization: Normalization,
    /// Whether upper and lower case are the same. Default yes.
    pub lowercase: bool,
    /// What a token is. Default words.
    pub tokens: TokenRule,
    /// Whether punctuation between the words makes tokens too, one for each run of the same
    /// character. For the rule [`TokenRule::Words`] only. Default no.
    pub punctuation: bool,
    /// Whether a token of digits alone becomes as many zeros, so that numbers of one length are one
    /// word. Default no.
    pub mask_digits: bool,
}

impl Default for AnalyzerOptions {
    fn default() -> Self {
        Self {
            normalization: Normalization::Nfc,
            lowercase: true,
            tokens: TokenRule::Words,
            punctuation: false,
            mask_digits: false,
        }
    }
}

/// Cuts texts into tokens, reusing its buffers.
///
/// ```
/// use slugline::text::{Analyzer, AnalyzerOptions};
///
/// let mut analyzer = Analyzer::new(AnalyzerOptions { mask_digits: true, ..Default::default() });
/// assert_eq!(analyzer.tokens("In 1987 she didn't  sell 東京 🙂."), ["in", "0000", "she", "didn", "t", "sell", "東", "京", "🙂"]);
/// ```
#[derive(Debug, Clone)]
pub struct Analyzer {
    options: AnalyzerOptions,
    text: String,
    zeros: String,
    keras: Tokenizer,
}

impl Analyzer {
    /// An analyzer with these settings.
    pub fn new(options: AnalyzerOptions) -> Self {
        Self { options, text: String::new(), zeros: String::new(), keras: Tokenizer::default() }
    }

    /// The settings.
    pub fn options(&self) -> &AnalyzerOptions {
        &self.options
    }

    /// The tokens of `text`.
    pub fn tokens(&mut self, text: &str) -> Vec<String> {
        let mut tokens = Vec::new();
        self.for_each(text, |token| tokens.push(token.to_owned()));
        tokens
    }

    /// Where the tokens of `text` stand in it, in characters (Unicode scalar values) counted from 0. A
    /// character that is written as several, such as a letter with its accent, belongs to a token as a
    /// whole.
    ///
    /// ```
    /// use slugline::text::Analyzer;
    ///
    /// let spans = Analyzer::new(Default::default()).token_spans("Der Öl-Preis");
    /// assert_eq!(spans, [0..3, 4..6, 7..12]);
    /// ```
    pub fn token_spans(&mut self, text: &str) -> Vec<Range<usize>> {
        let options = self.options.clone();
        let mut whole = String::new();
        let places = Places::new(text, |seen, out| {
            fold(seen, &options, &mut whole);
            out.clear();
            // This rule lowers after folding.
            match options.tokens {
                TokenRule::Keras => out.push_str(&whole.to_lowercase()),
                _ => out.push_str(&whole),
            }
        });
        let mut spans = Vec::new();
        self.for_each_at(text, |token, at| spans.push(places.chars(at..at + token.len())));
        spans
    }

    /// Calls `f` with every token of `text` in order.
    pub fn for_each(&mut self, text: &str, mut f: impl FnMut(&str)) {
        self.for_each_at(text, |token, _| f(token));
    }

    /// Calls `f` with every token of `text` in order, and where it begins in the folded text.
    #[inline]
    fn for_each_at(&mut self, text: &str, mut f: impl FnMut(&str, usize)) {
        let Self { options, text: folded, zeros, keras } = self;
        fold(text, options, folded);
        let mask = options.mask_digits;
        let mut put = |token: &str, at: usize| {
            if mask && token.bytes().all(|byte| byte.is_ascii_digit()) {
                while zeros.len() < token.len() {
                    zeros.push('0');
                }
                f(&zeros[..token.len()], at);
            } else {
                f(token, at);
            }
        };
        if options.tokens == TokenRule::Keras {
            keras.for_each(folded, |token| put(token.as_str(), token.start()));
            return;
        }
        let mut emit = |token: &str| put(token, offset(folded, token));
        match options.tokens {
            TokenRule::Words => words(folded, options.punctuation, &mut emit),
            TokenRule::Unicode => {
                folded.split_word_bounds().filter(|s| is_token(s)).for_each(emit);
            }
            TokenRule::ScikitLearn => {
                let runs = folded.split(|c: char| !is_python_word(c));
                runs.filter(|run| run.chars().nth(1).is_some()).for_each(emit);
            }
            TokenRule::Whitespace => folded.split_whitespace().for_each(emit),
            TokenRule::Keras => unreachable!("cut above"),
        }
    }
}

/// Puts `text` into normal form and lower case.
fn fold(text: &str, options: &AnalyzerOptions, out: &mut String) {
    out.clear();
    if text.is_ascii() {
        out.push_str(text);
    } else {
        match options.normalization {
            Normalization::Nfc if is_nfc_quick(text.chars()) != IsNormalized::Yes => {
                out.extend(text.nfc());
            }
            Normalization::Nfkc if is_nfkc_quick(text.chars()) != IsNormalized::Yes => {
                out.extend(text.nfkc());
            }
            Normalization::StripAccents => {
                out.extend(text.nfkd().filter(|&c| canonical_combining_class(c) == 0));
            }
            _ => out.push_str(text),
        }
    }
    // The Keras rule lowers for itself.
    if options.lowercase && options.tokens != TokenRule::Keras {
        if out.is_ascii() {
            out.make_ascii_lowercase();
        } else {
            *out = out.to_lowercase();
        }
    }
}

/// Whether Python's `\w` matches a character: a letter, by its general category, a number or `_`.
/// Unicode's property "alphabetic" holds, beyond letters, vowel signs and letters in circles.
fn is_python_word(c: char) -> bool {
    let in_a_shape = || matches!(c as u32, 0x24B6..=0x24E9 | 0x1F130..=0x1F149 | 0x1F150..=0x1F169 | 0x1F170..=0x1F189);
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || c == '_';
    }
    c.is_numeric() || c.is_alphabetic() && !is_combining_mark(c) && !in_a_shape()
}

/// Whether a segment between two word boundaries is a token: it holds a letter, a digit or an emoji.
fn is_token(segment: &str) -> bool {
    segment.chars().any(|c| c.is_alphanumeric() || is_emoji(c))
}

/// Whether a character is a pictograph: the blocks of symbols that Unicode presents as emoji.
fn is_emoji(c: char) -> bool {
    matches!(c as u32, 0x2600..=0x27BF | 0x1F000..=0x1FAFF | 0x2B50 | 0x2B55)
}

/// Calls `f` with the tokens of the rule [`TokenRule::Words`].
fn words(text: &str, punctuation: bool, f: &mut impl FnMut(&str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let class = class(bytes[at]);
        if class == Class::Other {
            at = not_ascii(text, at, punctuation, f);
            continue;
        }
        let same = bytes[at];
        let mut end = at + 1;
        match class {
            Class::Word => {
                while end < bytes.len() && self::class(bytes[end]) == Class::Word {
                    end += 1;
                }
                if end < bytes.len() && self::class(bytes[end]) == Class::Other {
                    at = not_ascii(text, start, punctuation, f);
                    continue;
                }
                f(&text[start..end]);
            }
            Class::Mark if punctuation => {
                while end < bytes.len() && bytes[end] == same {
                    end += 1;
                }
                f(&text[start..end]);
            }
            _ => {}
        }
        at = end;
    }
}

/// Kinds of bytes for [`words`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// ASCII letter or digit.
    Word,
    /// ASCII white space and control characters.
    Space,
    /// ASCII punctuation.
    Mark,
    /// Part of a character beyond ASCII.
    Other,
}

#[inline]
fn class(byte: u8) -> Class {
    match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => Class::Word,
        128.. => Class::Other,
        _ if byte.is_ascii_punctuation() => Class::Mark,
        _ => Class::Space,
    }
}

/// Cuts the stretch from `start` up to the next ASCII byte that is no letter or digit by Unicode's
/// boundaries, and says where it ends.
fn not_ascii(text: &str, start: usize, punctuation: bool, f: &mut impl FnMut(&str)) -> usize {
    let bytes = text.as_bytes();
    let mut end = start;
    while end < bytes.len() && matches!(class(bytes[end]), Class::Word | Class::Other) {
        end += 1;
    }
    for segment in text[start..end].split_word_bounds() {
        let mark = || punctuation && !segment.chars().all(char::is_whitespace);
        if is_token(segment) || mark() {
            f(segment);
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(options: AnalyzerOptions, text: &str) -> Vec<String> {
        Analyzer::new(options).tokens(text)
    }

    #[test]
    fn every_rule_cuts_as_it_says() {
        let text = "Don't pay 3.14 a_b: ÉTÉ naïve\u{301}, x";
        let by = |tokens| AnalyzerOptions { tokens, ..Default::default() };
        for (rule, want) in [
            (TokenRule::Words, &["don", "t", "pay", "3", "14", "a", "b", "été", "naïvé", "x"][..]),
            (TokenRule::Unicode, &["don't", "pay", "3.14", "a_b", "été", "naïvé", "x"]),
            (TokenRule::Keras, &["don't", "pay", "3", "14", "a", "b", "été", "naïvé", "x"]),
            (TokenRule::ScikitLearn, &["don", "pay", "14", "a_b", "été", "naïvé"]),
            (TokenRule::Whitespace, &["don't", "pay", "3.14", "a_b:", "été", "naïvé,", "x"]),
        ] {
            assert_eq!(tokens(by(rule), text), want, "{rule:?}");
        }
    }

    #[test]
    fn options_do_what_they_say() {
        let options =
            AnalyzerOptions { punctuation: true, mask_digits: true, ..Default::default() };
        assert_eq!(
            tokens(options, "What?! 1987... «été»"),
            ["what", "?", "!", "0000", "...", "«", "été", "»"]
        );
        let cased = AnalyzerOptions { lowercase: false, ..Default::default() };
        assert_eq!(tokens(cased, "US us"), ["US", "us"]);
        let plain =
            AnalyzerOptions { normalization: Normalization::StripAccents, ..Default::default() };
        assert_eq!(tokens(plain, "Café ﬁn हिन्दी"), ["cafe", "fin", "हिनदी"]);
    }

    #[test]
    fn scripts_without_spaces_and_pictographs_are_cut() {
        let cut = |text| tokens(AnalyzerOptions::default(), text);
        assert_eq!(cut("東京タワーへ"), ["東", "京", "タワー", "へ"]);
        assert_eq!(cut("ok👍🏽👨‍👩‍👧🙂"), ["ok", "👍🏽", "👨‍👩‍👧", "🙂"]);
        assert_eq!(cut("हिन्दी भाषा"), ["हिन्दी", "भाषा"]);
    }

    #[test]
    fn letters_that_are_put_together_are_found_as_one() {
        let options = AnalyzerOptions { normalization: Normalization::Nfkc, ..Default::default() };
        let text = "ㄱㅏㄱㅏ wheat ｶﾞ gold";
        let chars: Vec<char> = text.chars().collect();
        let spans = Analyzer::new(options).token_spans(text);
        let found: Vec<String> =
            spans.into_iter().map(|span| chars[span].iter().collect()).collect();
        assert_eq!(found, ["ㄱㅏㄱㅏ", "wheat", "ｶﾞ", "gold"]);
    }

    #[test]
    fn tokens_are_found_in_the_text_itself() {
        let text = "«İstanbul» naïve\u{301}, ﬁn 東京 STRASSE Ⅷ 1987";
        let chars: Vec<char> = text.chars().collect();
        for tokens in TokenRule::ALL {
            for normalization in Normalization::ALL {
                let options = AnalyzerOptions {
                    tokens,
                    normalization,
                    mask_digits: true,
                    ..Default::default()
                };
                let mut analyzer = Analyzer::new(options.clone());
                let spans = analyzer.token_spans(text);
                let cut = analyzer.tokens(text);
                assert_eq!(spans.len(), cut.len());
                for (span, token) in spans.into_iter().zip(cut) {
                    let piece: String = chars[span].iter().collect();
                    let mut again = String::new();
                    fold(&piece, &options, &mut again);
                    let again = if token == "0000" { token.clone() } else { again.to_lowercase() };
                    assert!(
                        again.contains(&token),
                        "{tokens:?} {normalization:?}: {token} {piece}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn folding_what_is_seen_one_by_one_gives_as_many_bytes(
            text in "([a-zA-ZİÉéßΣσΟ가-힣\u{1100}-\u{1112}\u{1161}-\u{1175}\u{11a8}-\u{11c2}\u{300}-\u{36f}ऀ-ॿ ﬁ①Å\u{9be}\u{9c7}\u{1133}\u{dd9}\u{dcf}🙂👍🏽\u{200d}\r\n'.]|\\PC){0,40}",
            normalization in prop::sample::select(Normalization::ALL.to_vec()),
        ) {
            let options = AnalyzerOptions { normalization, ..Default::default() };
            let (mut whole, mut part, mut length) = (String::new(), String::new(), 0);
            fold(&text, &options, &mut whole);
            for seen in text.graphemes(true) {
                fold(seen, &options, &mut part);
                length += part.len();
            }
            prop_assert!(length == whole.len() || normalization == Normalization::Nfkc);
        }

        #[test]
        fn spans_rise_and_stay_within_the_text(
            text in "([a-zßΣσΟé\u{3131}-\u{3163}\u{ff66}-\u{ffdc}\u{300}-\u{36f}ﬁ①🙂 ,.]|\\PC){0,30}",
            tokens in prop::sample::select(TokenRule::ALL.to_vec()),
            normalization in prop::sample::select(Normalization::ALL.to_vec()),
        ) {
            let options = AnalyzerOptions { normalization, tokens, ..Default::default() };
            let chars: Vec<char> = text.chars().collect();
            let mut analyzer = Analyzer::new(options.clone());
            let (cut, mut before) = (analyzer.tokens(&text), 0..0);
            for (span, token) in analyzer.token_spans(&text).into_iter().zip(cut) {
                prop_assert!(span.start < span.end && span.end <= chars.len(), "{:?}", span);
                prop_assert!(before.start <= span.start && before.end <= span.end);
                // What stands there folds to the token, by itself or with its neighbours in what is
                // seen as one character.
                let piece: String = chars[span.clone()].iter().collect();
                let mut folded = String::new();
                fold(&piece, &options, &mut folded);
                let same = |text: &str| text.to_lowercase().replace('ς', "σ");
                prop_assert!(same(&folded).contains(&same(&token)), "{:?} in {:?}", token, folded);
                before = span;
            }
        }

        #[test]
        fn ascii_words_are_runs_of_letters_and_digits(text in "[ -~\t\n]{0,60}") {
            let lowered = text.to_lowercase();
            let want: Vec<&str> =
                lowered.split(|c: char| !c.is_ascii_alphanumeric()).filter(|t| !t.is_empty()).collect();
            prop_assert_eq!(tokens(AnalyzerOptions::default(), &text), want);
        }

        #[test]
        fn any_text_is_cut_and_tokens_are_parts_of_it(text in any::<String>(), punctuation: bool) {
            let options = AnalyzerOptions { punctuation, lowercase: false, normalization: Normalization::None, ..Default::default() };
            let mut rest = text.as_str();
            for token in tokens(options, &text) {
                prop_assert!(!token.is_empty());
                let at = rest.find(&token);
                prop_assert!(at.is_some(), "{token:?} in {rest:?}");
                rest = &rest[at.unwrap() + token.len()..];
            }
        }
    }
}
