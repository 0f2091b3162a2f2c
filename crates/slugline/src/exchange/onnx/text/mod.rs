//! Texts to rows as nodes, where standard operators can do it exactly.
//!
//! Texts are cut into one list of tokens, each with the number of its text, so that a batch takes the
//! memory of its tokens and not of its longest text. Every different token is folded and looked up once;
//! what is found is counted by text and feature.

mod fold;
mod split;
mod weigh;

use super::graph::Graph;
use super::schema::AttributeProto;
use crate::corpus::tokenize::is_separator;
use crate::exchange::ExchangeError;
use crate::text::{
    MultiHotVectorizer, Norm, Normalization, TermFrequency, TermVectorizer, TermVocabulary,
    TokenRule, Vectorizer,
};
use fold::Folding;
use split::Tokens;
use weigh::{Counted, Weights};

/// What stands between the tokens of an n-gram where it is looked up. No rule that is taken leaves it in
/// a token.
const BETWEEN: &str = " ";

/// Adds what makes dense rows of shape `[N, width]` of texts of shape `[N]`.
///
/// # Errors
/// [`ExchangeError::Inexpressible`] for the first part of the vectorizer that is not exact for every text.
pub(super) fn add(
    graph: &mut Graph,
    vectorizer: &Vectorizer,
    texts: &str,
) -> Result<String, ExchangeError> {
    match vectorizer {
        Vectorizer::MultiHot(vectorizer) => multi_hot(graph, vectorizer, texts),
        Vectorizer::Terms(vectorizer) => terms(graph, vectorizer, texts),
        Vectorizer::Features(_) => {
            Err(refusal("lists of given features", "the features themselves can be its input"))
        }
    }
}

fn refusal(part: impl Into<String>, instead: impl Into<String>) -> ExchangeError {
    ExchangeError::Inexpressible {
        form: "an ONNX graph over text",
        part: part.into(),
        instead: instead.into(),
    }
}

/// Rows of a numbered corpus: the Keras rule, and a 1 at each id that occurs.
fn multi_hot(
    graph: &mut Graph,
    vectorizer: &MultiHotVectorizer,
    texts: &str,
) -> Result<String, ExchangeError> {
    let (options, width) = (vectorizer.options(), vectorizer.width());
    let column = |id: u32| Some(i64::from(id)).filter(|&id| id < width as i64);
    let ids = |ranks: Option<u32>| {
        let mut ids = Vec::new();
        options.encode_ranks(ranks, &mut ids);
        ids
    };
    // What every document begins with, and what its words follow.
    let marks = ids(None);
    let word_id = |rank: u32| ids(Some(rank)).get(marks.len()).copied();
    let words = (1..).zip(vectorizer.vocabulary().words());
    let known: Vec<(&str, i64)> = words
        .map(|(rank, word)| (word, word_id(rank).and_then(column).unwrap_or(NOWHERE)))
        .collect();
    let unknown = options.oov_char.and_then(column).unwrap_or(NOWHERE);

    let folding = Folding::new(known.iter().map(|(word, _)| *word), true, false)?;
    let tokens = split::tokens(graph, texts, &separators(TokenRule::Keras), false);
    let (folded, places) = folding.distinct(graph, &tokens.texts);
    let known = known.into_iter().filter(|(word, _)| folding.reaches(word));
    let features = look_up(graph, known.collect(), unknown, &folded);
    let features = graph.node("Gather", &[&features, &places], vec![]);
    let counted = Counted::new(graph, width, vec![(tokens.numbers, features)]);
    let rows = counted.rows(graph, texts, &Weights::Ones);

    let mut always = vec![0.0; width];
    for id in marks.into_iter().filter_map(column) {
        always[id as usize] = 1.0;
    }
    if always.iter().all(|&value| value == 0.0) {
        return Ok(rows);
    }
    let always = graph.floats("marks", &[1, width], &always);
    Ok(graph.node("Max", &[&rows, &always], vec![]))
}

/// Rows of weighted words and n-grams.
fn terms(
    graph: &mut Graph,
    vectorizer: &TermVectorizer,
    texts: &str,
) -> Result<String, ExchangeError> {
    check(vectorizer)?;
    let options = vectorizer.options();
    let analyzer = &options.analyzer;
    let TermVocabulary { words, ngrams, features, .. } = vectorizer.vocabulary();
    let column = |entry: usize| {
        let feature = features.as_slice().get(entry).copied().unwrap_or(u32::MAX);
        if (feature as usize) < vectorizer.width() { i64::from(feature) } else { NOWHERE }
    };
    // The Keras rule lowers whatever the options say.
    let lowers = analyzer.lowercase || analyzer.tokens == TokenRule::Keras;
    let folding = Folding::new(words.words(), lowers, analyzer.mask_digits)?;
    let reached: Vec<bool> = words.words().map(|word| folding.reaches(word)).collect();

    let longest = (0..ngrams.len()).filter_map(|i| ngrams.gram(i)).map(<[u32]>::len).max();
    let ordered = longest.is_some();
    let tokens = split::tokens(graph, texts, &separators(analyzer.tokens), ordered);
    let (folded, places) = folding.distinct(graph, &tokens.texts);
    let known = words.words().enumerate().filter(|(i, _)| reached[*i]);
    let known: Vec<(&str, i64)> = known.map(|(i, word)| (word, column(i))).collect();
    let found = look_up(graph, known, NOWHERE, &folded);
    let found = graph.node("Gather", &[&found, &places], vec![]);
    let mut all = vec![(tokens.numbers.clone(), found)];

    let word = |position: u32| words.word(position as usize).unwrap_or_default();
    let folded = Tokens {
        texts: graph.node("Gather", &[&folded, &places], vec![]),
        numbers: tokens.numbers.clone(),
    };
    for length in 2..=longest.unwrap_or(0) {
        let grams = (0..ngrams.len()).filter_map(|i| Some((i, ngrams.gram(i)?)));
        let grams = grams.filter(|(_, gram)| gram.len() == length);
        let grams = grams.filter(|(_, gram)| gram.iter().all(|&w| reached[w as usize]));
        let joined = |gram: &[u32]| gram.iter().map(|&w| word(w)).collect::<Vec<_>>().join(BETWEEN);
        let grams: Vec<(String, i64)> =
            grams.map(|(i, gram)| (joined(gram), column(words.len() + i))).collect();
        let known = grams.iter().map(|(gram, feature)| (gram.as_str(), *feature)).collect();
        let neighbours = folded.neighbours(graph, length);
        let found = look_up(graph, known, NOWHERE, &neighbours.texts);
        all.push((neighbours.numbers, found));
    }
    let counted = Counted::new(graph, vectorizer.width(), all);
    let weights = match options.tf {
        TermFrequency::Bm25 { .. } => {
            let lengths = split::lengths(graph, &tokens, texts);
            Weights::Terms { vectorizer, lengths: Some(lengths) }
        }
        _ => Weights::Terms { vectorizer, lengths: None },
    };
    let rows = counted.rows(graph, texts, &weights);
    Ok(match options.norm {
        Norm::None => rows,
        norm => weigh::divided(graph, norm, &rows),
    })
}

/// Refuses what standard operators do not do, or do in their own way.
fn check(vectorizer: &TermVectorizer) -> Result<(), ExchangeError> {
    let options = vectorizer.options();
    let TermVocabulary { prefixes, chars, .. } = vectorizer.vocabulary();
    let rule = options.analyzer.tokens;
    if !matches!(rule, TokenRule::Keras | TokenRule::Whitespace) {
        return Err(refusal(
            format!("the token rule `{}`", rule.name()),
            "one trained with --token-rule whitespace or keras can",
        ));
    }
    if options.analyzer.normalization != Normalization::None {
        return Err(refusal(
            format!("the normalization `{}`", options.analyzer.normalization.name()),
            "one trained with --normalization none can",
        ));
    }
    if options.hashing.is_some() {
        return Err(refusal("hashed features", "one trained without --hashing can"));
    }
    if !prefixes.is_empty() {
        return Err(refusal("beginnings of words", "one trained without --prefixes can"));
    }
    if !chars.is_empty() {
        return Err(refusal("parts of words", "one trained without --char-ngrams can"));
    }
    Ok(())
}

/// Stands for "no feature".
const NOWHERE: i64 = -1;

/// Adds a table over texts, and gives what it finds.
fn look_up(graph: &mut Graph, known: Vec<(&str, i64)>, unknown: i64, texts: &str) -> String {
    let (keys, values): (Vec<&str>, Vec<i64>) = known.into_iter().unzip();
    // A table without entries is not allowed; this one no token is.
    let (keys, values) = match keys.is_empty() {
        true => (vec![BETWEEN], vec![unknown]),
        false => (keys, values),
    };
    let attributes = vec![
        AttributeProto::strings("keys_strings", keys),
        AttributeProto::ints("values_int64s", values),
        AttributeProto::int("default_int64", unknown),
    ];
    graph.node("LabelEncoder", &[texts], attributes)
}

/// The characters that part tokens.
pub(super) fn separators(rule: TokenRule) -> Vec<char> {
    match rule {
        TokenRule::Keras => (0..128_u8).filter(|&b| is_separator(b)).map(char::from).collect(),
        _ => ('\0'..=char::MAX).filter(|c| c.is_whitespace()).collect(),
    }
}
