//! Text to tokens, to features, and what is wrong with texts.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};
use slugline::check::{CheckOptions, check as look};
use slugline::corpus::Documents;
use slugline::text::{
    Analyzer, AnalyzerOptions, FeatureBuffer, FeatureOrder, Idf, Ngrams, Norm, Normalization,
    Selection, TermFrequency, TermVectorizer, TermVocabulary, TokenRule, Tokenised,
    VectorizerOptions, Vocabulary,
};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

fn analyzer_options(input: &mut Unstructured<'_>) -> Result<AnalyzerOptions> {
    use Normalization::{Nfc, Nfkc, StripAccents};
    use TokenRule::{Keras, ScikitLearn, Unicode, Whitespace, Words};
    Ok(AnalyzerOptions {
        normalization: *input.choose(&[Normalization::None, Nfc, Nfkc, StripAccents])?,
        lowercase: input.arbitrary()?,
        tokens: *input.choose(&[Words, Unicode, Keras, ScikitLearn, Whitespace])?,
        punctuation: input.arbitrary()?,
        mask_digits: input.arbitrary()?,
    })
}

/// Options, and a text.
pub(crate) fn analyzer(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(options) = analyzer_options(&mut input) else { return };
    let text = String::from_utf8_lossy(input.take_rest());
    let mut analyzer = Analyzer::new(options.clone());
    let tokens = analyzer.tokens(&text);
    assert_eq!(analyzer.tokens(&text), tokens, "the second time otherwise");
    let (spans, length) = (analyzer.token_spans(&text), text.chars().count());
    assert_eq!(spans.len(), tokens.len());
    assert!(spans.iter().all(|span| span.start < span.end && span.end <= length), "{spans:?}");
    assert!(spans.is_sorted_by_key(|span| span.start) && spans.is_sorted_by_key(|span| span.end));

    // The text as it is cut, by the plain definition.
    let normal: String = match options.normalization {
        Normalization::None => text.to_string(),
        Normalization::Nfc => text.nfc().collect(),
        Normalization::Nfkc => text.nfkc().collect(),
        Normalization::StripAccents => {
            text.nfkd().filter(|&c| canonical_combining_class(c) == 0).collect()
        }
    };
    let lower = options.lowercase || options.tokens == TokenRule::Keras;
    let folded = if lower { normal.to_lowercase() } else { normal };

    let uncut =
        Analyzer::new(AnalyzerOptions { mask_digits: false, ..options.clone() }).tokens(&text);
    assert_eq!(tokens.len(), uncut.len());
    let mut rest = folded.as_str();
    for (token, plain) in tokens.iter().zip(&uncut) {
        let at = rest.find(plain.as_str());
        let at = at.unwrap_or_else(|| panic!("{plain:?} does not follow in {rest:?}"));
        // Whatever lies between tokens of this rule has no word in it.
        if options.tokens == TokenRule::Words {
            assert!(
                !rest[..at].contains(|c: char| c.is_ascii_alphanumeric()),
                "{rest:?}, {plain:?}"
            );
        }
        rest = &rest[at + plain.len()..];
        let masked = options.mask_digits && plain.bytes().all(|byte| byte.is_ascii_digit());
        let want = if masked { "0".repeat(plain.len()) } else { plain.clone() };
        assert_eq!(*token, want);
        assert!(!token.is_empty());
        if options.tokens == TokenRule::ScikitLearn {
            assert!(token.chars().nth(1).is_some(), "{token:?}");
        }
    }
    if options.tokens == TokenRule::Words {
        assert!(!rest.contains(|c: char| c.is_ascii_alphanumeric()), "{rest:?} is left");
    }
}

fn selection(input: &mut Unstructured<'_>) -> Result<Selection> {
    Ok(Selection {
        min_df: input.int_in_range(0..=3)?,
        max_df: *input.choose(&[1.0, 0.5, 0.01])?,
        weight: *input.choose(&[1.0, 0.0, 2.5])?,
    })
}

fn vectorizer_options(input: &mut Unstructured<'_>) -> Result<VectorizerOptions> {
    let shortest = input.int_in_range(0..=4)?;
    Ok(VectorizerOptions {
        analyzer: analyzer_options(input)?,
        words: selection(input)?,
        word_ngrams: input.int_in_range(1..=4)?,
        ngrams: selection(input)?,
        prefix_lengths: input.choose(&[vec![], vec![1], vec![2, 4], vec![3, 5]])?.clone(),
        prefixes: selection(input)?,
        char_ngrams: match shortest {
            0 => None,
            n => Some((n, n + input.int_in_range(0..=2)?)),
        },
        chars: selection(input)?,
        max_features: *input.choose(&[None, Some(1), Some(5), Some(1000)])?,
        hashing: *input.choose(&[None, None, Some(4), Some(10)])?,
        tf: *input.choose(&[
            TermFrequency::Binary,
            TermFrequency::Count,
            TermFrequency::Log,
            TermFrequency::Bm25 { k1: 1.2, b: 0.75 },
            TermFrequency::Bm25 { k1: 0.0, b: 1.0 },
        ])?,
        idf: *input.choose(&[
            Idf::None,
            Idf::Smooth,
            Idf::Plain,
            Idf::Keras,
            Idf::SqrtSmooth,
            Idf::Bm25,
        ])?,
        class_spread: None,
        norm: *input.choose(&[Norm::None, Norm::L1, Norm::L2])?,
        // Last, so that the seeds mean what they meant.
        order: *input.choose(&[FeatureOrder::Frequency, FeatureOrder::Alphabet])?,
    })
}

/// Options, and texts, one a line: features are learned, and found again.
pub(crate) fn vectorizer(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(options) = vectorizer_options(&mut input) else { return };
    let text = String::from_utf8_lossy(input.take_rest());
    let texts: Vec<&str> = text.split('\n').collect();
    learned(&texts, &options);
}

/// Learns the features of texts and holds the ways to rows against each other.
pub(crate) fn learned(texts: &[&str], options: &VectorizerOptions) {
    let tokenised = Tokenised::new(texts, &options.analyzer);
    let Ok((vectorizer, x)) = TermVectorizer::fit_transform(&tokenised, options) else { return };
    let width = vectorizer.width();
    assert_eq!((x.rows(), x.cols()), (texts.len(), width));
    let terms = vectorizer.terms();
    if options.hashing.is_none() {
        let distinct: BTreeSet<_> = terms.iter().map(|t| (t.kind, t.text.as_str())).collect();
        assert_eq!((terms.len(), distinct.len()), (width, width));
        assert!(options.max_features.is_none_or(|most| width <= most));
    }
    let mut buffer = FeatureBuffer::default();
    for (i, text) in texts.iter().enumerate() {
        let row = x.row(i);
        assert!(row.indices.is_sorted_by(|a, b| a < b), "{:?}", row.indices);
        assert!(row.indices.iter().all(|&feature| (feature as usize) < width));
        assert!(row.values.iter().all(|value| value.is_finite()), "{text:?}: {:?}", row.values);
        let mut seen = Vec::new();
        vectorizer.vectorize_with(text, &mut buffer, |feature, from, to| {
            assert!(from <= to);
            seen.push(feature);
        });
        assert_eq!(buffer.row(), row, "{text:?}");
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, row.indices);
        assert!(buffer.unknown_words() <= buffer.words());
    }
    let (vocabulary, factors) = (vectorizer.vocabulary().clone(), vectorizer.factors().to_vec());
    let again = TermVectorizer::from_parts(
        options.clone(),
        vocabulary,
        factors.into(),
        vectorizer.mean_length(),
    );
    assert_eq!(again.expect("parts of one vectorizer fit"), vectorizer);
}

/// Stored arrays of every kind, of the lengths that they need, and a text.
pub(crate) fn stored(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let _ = stored_from(&mut input);
}

fn stored_from(input: &mut Unstructured<'_>) -> Result<()> {
    let Some(words) = vocabulary(input)? else { return Ok(()) };
    let Some(prefixes) = vocabulary(input)? else { return Ok(()) };
    let Some(chars) = vocabulary(input)? else { return Ok(()) };
    let count = input.int_in_range(0..=4)?;
    let ends = numbers(input, count)?;
    let tokens = ends.last().copied().unwrap_or(0).min(16) as usize;
    let (of, table) = (numbers(input, tokens)?, table(input, count)?);
    let Some(ngrams) = Ngrams::from_stored(of.into(), ends.into(), table.into()) else {
        return Ok(());
    };
    let entries = words.len() + ngrams.len() + prefixes.len() + chars.len();
    let features = numbers(input, entries)?;
    let hashing = *input.choose(&[None, Some(4)])?;
    let width = if hashing.is_some() { 16 } else { input.int_in_range(0..=8)? };
    let options = VectorizerOptions {
        word_ngrams: 3,
        prefix_lengths: vec![1],
        char_ngrams: Some((1, 2)),
        hashing,
        ..Default::default()
    };
    let vocabulary = TermVocabulary { words, ngrams, prefixes, chars, features: features.into() };
    let factors = vec![1.0; width];
    let Ok(vectorizer) = TermVectorizer::from_parts(options, vocabulary, factors.into(), 1.0)
    else {
        return Ok(());
    };
    let mut buffer = FeatureBuffer::default();
    let rest = input.bytes(input.len())?;
    for text in ["a b c", "", "abc abcdefghi", &String::from_utf8_lossy(rest)] {
        vectorizer.vectorize(text, &mut buffer);
        let row = buffer.row();
        assert!(row.indices.iter().all(|&feature| (feature as usize) < width));
        assert!(row.indices.is_sorted_by(|a, b| a < b));
    }
    assert_eq!(vectorizer.terms().len(), if hashing.is_some() { 0 } else { width });
    Ok(())
}

/// Small numbers, most of them, and sometimes large ones.
fn numbers(input: &mut Unstructured<'_>, count: usize) -> Result<Vec<u32>> {
    let small = |input: &mut Unstructured<'_>| {
        let byte: u8 = input.arbitrary()?;
        Ok(if byte < 250 { u32::from(byte % 8) } else { u32::MAX - u32::from(byte - 250) })
    };
    (0..count).map(|_| small(input)).collect()
}

/// The table over `count` entries, half as large again and a power of two.
fn table(input: &mut Unstructured<'_>, count: usize) -> Result<Vec<u64>> {
    let entries = (count + count / 2).next_power_of_two().max(2);
    (0..2 * entries)
        .map(|_| {
            let number = u64::from(input.arbitrary::<u8>()?);
            // Lengths of words stand in the high half of every second number.
            Ok(number & 7 | (number >> 3 & 3) << 32)
        })
        .collect()
}

fn vocabulary(input: &mut Unstructured<'_>) -> Result<Option<Vocabulary>> {
    let count = input.int_in_range(0..=4)?;
    let mut offsets = vec![0];
    offsets.extend(numbers(input, count)?);
    let length = offsets.last().copied().unwrap_or(0).min(16) as usize;
    let bytes = b"abcdefghijklmnop"[..length].to_vec();
    let table = table(input, count)?;
    let Ok(vocabulary) = Vocabulary::from_stored(bytes.into(), offsets.into(), table.into()) else {
        return Ok(None);
    };
    for word in ["", "a", "ab", "b", "abcdefghi", "abcdefghijklmnopq"] {
        if let Some(position) = vocabulary.position(word) {
            assert!((position as usize) < vocabulary.len());
        }
    }
    assert_eq!(vocabulary.words().count(), count);
    Ok(Some(vocabulary))
}

/// Documents to train on and to score on, one a line, the first byte of each being its label.
pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let of = |rest: usize| {
        let mut documents = Documents::new(vec!["a".into(), "b".into(), "c".into()]);
        for line in text.split('\n').skip(rest).step_by(2) {
            let mut characters = line.chars();
            let label = characters.next().map_or(0, |c| c as u32 % 3);
            documents.push(characters.as_str(), label);
        }
        documents
    };
    let (train, test) = (of(0), of(1));
    let report = look(&train, Some(&test), &CheckOptions::default());
    let report = report.expect("the options are sound");
    assert_eq!((report.documents, report.against), (train.len(), Some(test.len())));
    let train_texts: BTreeSet<&str> = train.texts().collect();
    assert_eq!(report.duplicates, train.len() - train_texts.len());
    let leaked = test.texts().filter(|text| train_texts.contains(text)).count();
    assert_eq!((report.leaked, report.leaked_documents.len()), (leaked, leaked));
    assert_eq!(report.conflicting, report.conflicting_texts.len());
    assert_eq!(report.damaged, report.damaged_documents.len());
    assert!(report.lengths.quartiles.is_sorted());
    let mut table = Vec::new();
    report.write_csv(&mut table).expect("memory");
    let mut table = csv::Reader::from_reader(table.as_slice());
    assert!(table.records().all(|row| row.is_ok()), "the table of findings cannot be read");
    let json = serde_json::to_string(&report).expect("a report is JSON");
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
}
