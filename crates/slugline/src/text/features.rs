//! Lists of features to rows.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use slugline_nn::{Buffer, CsrMatrix, NnError};

use super::multi_hot::FeatureBuffer;
use super::places::{Places, offset};
use crate::corpus::read::svmlight::pair;

/// What is made of given features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureScaling {
    /// Nothing: values stay as they are. The default.
    #[default]
    None,
    /// Each feature is divided by its largest absolute value in the training documents, as by
    /// scikit-learn's `MaxAbsScaler`: zeros stay zeros.
    MaxAbs,
    /// After that, each row is divided by its Euclidean length.
    MaxAbsUnit,
}

impl FeatureScaling {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::None, Self::MaxAbs, Self::MaxAbsUnit];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::MaxAbs => "max_abs",
            Self::MaxAbsUnit => "max_abs_unit",
        }
    }
}

impl fmt::Display for FeatureScaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Turns a list of features, such as `3:0.5 17:1`, into a row.
///
/// An index is the name of a feature. Those with a value other than zero in a training document have a
/// column each, in rising order; others are unknown, and so is a token that is no pair. Whether the
/// first index is 0 or 1 makes no difference.
///
/// ```
/// use slugline::text::{FeatureBuffer, FeatureListVectorizer, FeatureScaling};
///
/// let vectorizer = FeatureListVectorizer::fit(["3:0.5 17:-4", "17:2"], FeatureScaling::MaxAbs);
/// let mut buffer = FeatureBuffer::default();
/// vectorizer.vectorize("17:1 20:5", &mut buffer);
/// assert_eq!((buffer.row().indices, buffer.row().values), (&[1][..], &[0.25][..]));
/// assert_eq!((buffer.words(), buffer.unknown_words()), (2, 1));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureListVectorizer {
    /// The index that each column stands for, rising.
    indices: Buffer<u32>,
    /// What the values of each column are multiplied by.
    factors: Buffer<f32>,
    scaling: FeatureScaling,
}

impl FeatureListVectorizer {
    /// Learns the features of training documents.
    pub fn fit<'a>(texts: impl IntoIterator<Item = &'a str>, scaling: FeatureScaling) -> Self {
        let mut largest: HashMap<u32, f32> = HashMap::new();
        for (index, value) in texts.into_iter().flat_map(pairs) {
            let known = largest.entry(index).or_insert(0.0);
            *known = known.max(value.abs());
        }
        let mut largest: Vec<(u32, f32)> =
            largest.into_iter().filter(|(_, value)| *value > 0.0).collect();
        largest.sort_unstable_by_key(|(index, _)| *index);
        let factor = |&(_, largest): &(u32, f32)| match scaling {
            FeatureScaling::None => 1.0,
            // The inverse of a number near zero is infinite.
            _ => (1.0 / largest).min(f32::MAX),
        };
        let factors: Vec<f32> = largest.iter().map(factor).collect();
        let indices: Vec<u32> = largest.into_iter().map(|(index, _)| index).collect();
        Self { indices: indices.into(), factors: factors.into(), scaling }
    }

    /// A vectorizer from its parts, as a model file holds them.
    ///
    /// # Errors
    /// [`NnError::Shape`] if there are not as many factors as indices, or these do not rise.
    pub fn from_parts(
        indices: Buffer<u32>,
        factors: Buffer<f32>,
        scaling: FeatureScaling,
    ) -> Result<Self, NnError> {
        let (all, rising) = (indices.as_slice(), factors.as_slice().len());
        if all.len() != rising {
            let what = "factors of the features";
            return Err(NnError::Shape { what, expected: all.len(), got: rising });
        }
        if let Some(at) = all.windows(2).position(|pair| pair[0] >= pair[1]) {
            let what = "rising indices of features";
            return Err(NnError::Shape { what, expected: all.len(), got: at + 1 });
        }
        Ok(Self { indices, factors, scaling })
    }

    /// Number of columns of a row.
    pub fn width(&self) -> usize {
        self.indices.as_slice().len()
    }

    /// The index that each column stands for, rising.
    pub fn indices(&self) -> &[u32] {
        self.indices.as_slice()
    }

    /// What the values of each column are multiplied by.
    pub fn factors(&self) -> &[f32] {
        self.factors.as_slice()
    }

    /// What is made of the values.
    pub fn scaling(&self) -> FeatureScaling {
        self.scaling
    }

    /// Turns a list into a row, which `buffer` then holds. Of an index that stands there twice, the
    /// values are added.
    pub fn vectorize(&self, text: &str, buffer: &mut FeatureBuffer) {
        self.vectorize_with(text, buffer, |_, _, _| {});
    }

    /// [`vectorize`](Self::vectorize), which also tells of every token that is a pair with a known index,
    /// counted from 0, which column and which value it has.
    pub fn vectorize_with(
        &self,
        text: &str,
        buffer: &mut FeatureBuffer,
        mut found: impl FnMut(u32, usize, f32),
    ) {
        let FeatureBuffer { indices, values, words, unknown_words, pairs, .. } = buffer;
        pairs.clear();
        (*words, *unknown_words) = (0, 0);
        for token in text.split_ascii_whitespace() {
            let at = *words;
            *words += 1;
            let known = pair(token).ok().and_then(|(index, value)| {
                let column = self.indices().binary_search(&index).ok()?;
                Some((column as u32, value * self.factors()[column]))
            });
            match known {
                Some(known) => {
                    pairs.push(known);
                    found(known.0, at, known.1);
                }
                None => *unknown_words += 1,
            }
        }
        if !pairs.is_sorted_by_key(|pair| pair.0) {
            pairs.sort_by_key(|pair| pair.0);
        }
        indices.clear();
        values.clear();
        for &(column, value) in pairs.iter().filter(|pair| pair.1 != 0.0) {
            match (indices.last(), values.last_mut()) {
                (Some(&last), Some(sum)) if last == column => *sum += value,
                _ => {
                    indices.push(column);
                    values.push(value);
                }
            }
        }
        if self.scaling == FeatureScaling::MaxAbsUnit {
            let squares: f64 = values.iter().map(|&v| f64::from(v) * f64::from(v)).sum();
            if squares > 0.0 {
                let length = squares.sqrt();
                for v in values.iter_mut() {
                    *v = (f64::from(*v) / length) as f32;
                }
            }
        }
        // What a file may hold is finite; sums and products need not be.
        for v in values.iter_mut() {
            *v = v.clamp(f32::MIN, f32::MAX);
        }
    }

    /// The rows of documents: shape `[texts, width]`.
    ///
    /// # Errors
    /// [`NnError`] if they do not fit a matrix.
    pub fn transform<'a>(
        &self,
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<CsrMatrix, NnError> {
        let mut rows = CsrMatrix::with_cols(self.width());
        let mut buffer = FeatureBuffer::default();
        for text in texts {
            self.vectorize(text, &mut buffer);
            rows.push_row(&buffer.indices, &buffer.values)?;
        }
        Ok(rows)
    }
}

/// Where the tokens of a list stand in it, in characters counted from 0.
pub(super) fn token_spans(text: &str) -> Vec<Range<usize>> {
    let places = Places::new(text, |seen, out| {
        out.clear();
        out.push_str(seen);
    });
    let tokens = text.split_ascii_whitespace();
    tokens
        .map(|token| {
            let at = offset(text, token);
            places.chars(at..at + token.len())
        })
        .collect()
}

/// The pairs of a list; other tokens are passed over.
fn pairs(text: &str) -> impl Iterator<Item = (u32, f32)> + '_ {
    text.split_ascii_whitespace().filter_map(|token| pair(token).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::SparseRow;

    fn row(vectorizer: &FeatureListVectorizer, text: &str) -> (Vec<u32>, Vec<f32>, usize) {
        let mut buffer = FeatureBuffer::default();
        vectorizer.vectorize(text, &mut buffer);
        let SparseRow { indices, values } = buffer.row();
        (indices.to_vec(), values.to_vec(), buffer.unknown_words())
    }

    /// `MaxAbsScaler().fit_transform([[2, 0, -8], [1, 0, 4]])` of scikit-learn 1.9.1 is
    /// `[[1, 0, -1], [0.5, 0, 0.5]]`; the middle column has no value here.
    #[test]
    fn features_are_scaled_by_their_largest_value() {
        let texts = ["0:2 2:-8 4000000000:0", "2:4 0:1"];
        let fit = |scaling| FeatureListVectorizer::fit(texts, scaling);
        let scaled = fit(FeatureScaling::MaxAbs);
        assert_eq!(scaled.indices(), [0, 2]);
        assert_eq!(row(&scaled, texts[0]), (vec![0, 1], vec![1.0, -1.0], 1));
        assert_eq!(row(&scaled, texts[1]), (vec![0, 1], vec![0.5, 0.5], 0));
        assert_eq!(row(&fit(FeatureScaling::None), texts[0]).1, [2.0, -8.0]);
        let unit = row(&fit(FeatureScaling::MaxAbsUnit), texts[0]).1;
        assert!((unit[0] - 0.5_f32.sqrt()).abs() < 1e-6 && unit[1] == -unit[0]);
        assert_eq!(row(&scaled, "2:0 x 1e9:1 2:8 2:16"), (vec![1], vec![3.0], 2));
        let plain = fit(FeatureScaling::None);
        assert_eq!(row(&plain, "2:3e38 2:3e38"), (vec![1], vec![f32::MAX], 0));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let parts = |indices: Vec<u32>, factors: Vec<f32>| {
            FeatureListVectorizer::from_parts(indices.into(), factors.into(), FeatureScaling::None)
        };
        assert!(parts(vec![1, 3], vec![1.0, 1.0]).is_ok());
        assert!(parts(vec![3, 1], vec![1.0, 1.0]).is_err());
        assert!(parts(vec![1, 1], vec![1.0, 1.0]).is_err());
        assert!(parts(vec![1], vec![1.0, 1.0]).is_err());
    }
}
