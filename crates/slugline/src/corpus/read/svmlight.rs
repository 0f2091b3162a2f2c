//! SVMlight's lines, which libsvm's are too: labels, then pairs of a feature and its value.
//!
//! There is no text: the text of a document is its list of pairs, `index:value` with single spaces, in
//! the order of the file, without comment and `qid`.
//!
//! An index is the name of a feature, nothing else. So nothing has to be decided about whether indices
//! begin at 0 or at 1, where scikit-learn's `zero_based="auto"` looks for a 0 in each file: files for
//! training and scoring must number features alike, and those written by one program do.

use super::lines::LineFormat;
use super::options::{LabelUse, ReadOptions};
use super::row::{Row, RowLabels, excerpt};
use crate::corpus::Place;

/// How SVMlight's lines are read.
pub(super) struct SvmLight {
    labels: LabelUse,
    multi_label: Option<bool>,
}

impl LineFormat for SvmLight {
    /// What stands before the comment.
    fn content<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        without_comment(line)
    }

    fn row(&self, line: &str, place: Place) -> Result<Row, String> {
        let mut tokens = line.split_ascii_whitespace().peekable();
        let labels = tokens.next_if(|token| !token.contains(':'));
        let mut text = String::with_capacity(line.len());
        let mut indices: Vec<u32> = Vec::new();
        for token in tokens {
            if token.starts_with("qid:") {
                continue;
            }
            let (index, _) = pair(token)?;
            indices.push(index);
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(token);
        }
        if !indices.is_sorted() {
            indices.sort_unstable();
        }
        let again = indices.iter().zip(indices.iter().skip(1)).find(|(a, b)| a == b);
        if let Some((index, _)) = again {
            return Err(format!("the feature {index} has two values"));
        }
        let labels = match self.labels {
            LabelUse::Ignored => RowLabels::None,
            LabelUse::Required => self.names(labels)?,
        };
        Ok(Row { text, labels, weight: None, part: None, place, kept: Vec::new() })
    }
}

impl SvmLight {
    pub(super) fn new(options: &ReadOptions) -> Self {
        Self { labels: options.labels, multi_label: options.multi_label }
    }

    fn names(&self, labels: Option<&str>) -> Result<RowLabels, String> {
        let one = |label: &str| match label {
            "" => Err("a label is empty".to_owned()),
            label => Ok(name(label)),
        };
        match labels {
            // A document of no class begins with its first pair.
            None if self.multi_label == Some(true) => Ok(RowLabels::Many(Vec::new())),
            None => Err("expected a label at the start".into()),
            Some(labels) if labels.contains(',') => {
                Ok(RowLabels::Many(labels.split(',').map(one).collect::<Result<_, _>>()?))
            }
            Some(label) => Ok(RowLabels::One(one(label)?)),
        }
    }
}

/// The name of a class: `+1` and `1.0` are `1`.
fn name(label: &str) -> String {
    match label.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 9e15 => (number as i64).to_string(),
        _ => label.to_owned(),
    }
}

fn without_comment(line: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'#', line).unwrap_or(line.len());
    line[..end].trim_ascii()
}

/// A feature and its value.
///
/// # Errors
/// What is wrong, for an index beyond 32 bits, a value that is not a finite number, or no pair at all.
pub(crate) fn pair(token: &str) -> Result<(u32, f32), String> {
    let Some((index, value)) = token.split_once(':') else {
        return Err(format!("expected a pair such as 17:0.5, found {:?}", excerpt(token)));
    };
    let digits = !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
    let Some(index) = index.parse::<u32>().ok().filter(|_| digits) else {
        let found = excerpt(token);
        return Err(format!(
            "expected an index below 4294967296 before the colon, found {found:?}"
        ));
    };
    match value.parse::<f32>() {
        Ok(value) if value.is_finite() => Ok((index, value)),
        _ => Err(format!("expected a finite number after the colon, found {:?}", excerpt(token))),
    }
}

/// Whether the first lines are such: numbers as labels, then pairs.
pub(super) fn looks_like(sample: &[u8]) -> bool {
    let mut lines = sample.split_inclusive(|&b| b == b'\n').filter(|line| {
        // The last line may be cut.
        line.ends_with(b"\n") || line.len() == sample.len()
    });
    let mut seen = 0;
    let mut pairs = 0;
    let fits = |line: &[u8], pairs: &mut usize| {
        let Ok(line) = std::str::from_utf8(line) else { return false };
        let mut tokens = line.split_ascii_whitespace();
        let labels = tokens.next().unwrap_or_default();
        let numbers = labels.split(',').all(|label| label.parse::<f64>().is_ok());
        numbers
            && tokens.all(|token| {
                *pairs += 1;
                token.starts_with("qid:") || pair(token).is_ok()
            })
    };
    let all =
        lines.by_ref().map(without_comment).filter(|line| !line.is_empty()).take(20).all(|line| {
            seen += 1;
            fits(line, &mut pairs)
        });
    all && seen > 0 && pairs > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_pairs_are_told_from_others() {
        for (sample, want) in [
            ("# made by hand\n+1 1:0.5 3:1 # ok\n-1 qid:7 2:1e-3\n", true),
            ("1,3 0:1\n2 4:1\n", true),
            ("1 2:3", true),
            ("1\n0\n", false),
            ("12:30 the train leaves\n", false),
            ("1 1:a\n", false),
            ("a 1:1\n", false),
            ("", false),
        ] {
            assert_eq!(looks_like(sample.as_bytes()), want, "{sample:?}");
        }
    }

    #[test]
    fn labels_that_are_the_same_number_are_one_class() {
        for (label, want) in [("+1", "1"), ("-1.0", "-1"), ("0.5", "0.5"), ("nan", "nan")] {
            assert_eq!(name(label), want);
        }
    }
}
